# Everything that is made on the way lies in .build/; `make clean` removes it.
PYTHON ?= python3

BUILD := .build
TREE := $(BUILD)/tree
IN_LINT := PATH="$(CURDIR)/$(BUILD)/lint/bin:$$PATH"
IN_DOCS := HOME="$(CURDIR)/$(BUILD)/ansible" PATH="$(CURDIR)/$(BUILD)/docs/bin:$$PATH"
PYTEST := PATH="$(CURDIR)/$(BUILD)/test/bin:$$PATH" $(BUILD)/test/bin/python -m pytest --numprocesses auto --dist worksteal
# As many targets at once as there are cores, the output of each in one piece; make of macOS knows no way to do that.
AT_ONCE := --jobs $(shell getconf _NPROCESSORS_ONLN) $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/$(TREE)
export ANSIBLE_HOME := $(CURDIR)/$(BUILD)/ansible
export HYPOTHESIS_STORAGE_DIRECTORY := $(CURDIR)/$(BUILD)/hypothesis
export LC_ALL := C.UTF-8
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Whatever Python runs is compiled once, when it is first needed, and not at all beside the sources.
export PYTHONDONTWRITEBYTECODE :=
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(BUILD)/pycache

MAKEFLAGS += --no-print-directory

.DELETE_ON_ERROR:
.PHONY: help demo demo-fleet demo-tenants bench simulator test checks suite test-all test-quick lint generate format sanity units integration docs changelog build release audit clean tree

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' Makefile

demo: $(BUILD)/demo/ready ## Run a playbook over one simulated tenant with all that Intune synchronises, twice
	PATH="$(CURDIR)/$(BUILD)/demo/bin:$$PATH" $(BUILD)/demo/bin/python tests/demo/run.py

demo-fleet: $(BUILD)/demo/ready ## Run the shipped playbook over 200 connectors of 20 simulated tenants, twice
	PATH="$(CURDIR)/$(BUILD)/demo/bin:$$PATH" $(BUILD)/demo/bin/python tests/demo/fleet.py

demo-tenants: $(BUILD)/demo/ready ## Run the shipped playbook over all that 20 simulated tenants have, twice
	PATH="$(CURDIR)/$(BUILD)/demo/bin:$$PATH" $(BUILD)/demo/bin/python tests/demo/tenants.py

bench: $(BUILD)/demo/ready $(BUILD)/test/ready-sdk ## Measure against the floors of Ansible and of the job, and write docs/benchmarks.*
	PATH="$(CURDIR)/$(BUILD)/demo/bin:$$PATH" $(BUILD)/demo/bin/python tests/benchmarks/run.py --sdk-python $(BUILD)/test/bin/python $(BENCH)

simulator: $(BUILD)/demo/ready ## Serve the simulated Entra ID and Graph until interrupted
	cd tests && ../$(BUILD)/demo/bin/python -m simulator

test: ## Run every check: lint, docs, sanity, the matrix of ansible-core, the whole suite
	@$(MAKE) checks
	@$(MAKE) suite

# At once, as each of them keeps hardly more than one core busy; the longest first.
checks:
	@$(MAKE) $(AT_ONCE) sanity units lint docs $(BUILD)/test/ready-sdk $(BUILD)/awx/collections/ready $(BUILD)/eda/ready

suite: $(BUILD)/test/ready-sdk $(BUILD)/awx/collections/ready $(BUILD)/eda/ready tree
	$(PYTEST)

test-all: test $(BUILD)/beta/ready ## Run every check, and what takes hours: all tests on every ansible-core, the whole matrix of faults
	$(PYTHON) tests/tools/matrix.py sanity
	$(BUILD)/test/bin/python tests/tools/matrix.py integration
	$(PYTHON) tests/tools/bounds.py
	GRAPHOPS_TEST_AS_MODULE=1 $(PYTEST) tests/integration
	$(PYTEST) --numprocesses 0 -m exhaustive tests/faults tests/integration tests/unit tests/benchmarks
	$(BUILD)/beta/bin/python -m pytest -m exhaustive tests/integration/test_sdk.py

test-quick: $(BUILD)/test/ready tree ## Run the tests that take less than a minute together
	$(PYTEST) -m "not slow and not exhaustive"

lint: $(BUILD)/lint/ready $(BUILD)/test/ready tree ## Check style, types, documentation, changelog and pipelines
	$(IN_LINT) ruff check
	$(IN_LINT) ruff format --check
	$(IN_LINT) mypy
	$(IN_LINT) antsibull-changelog lint
	$(IN_LINT) antsibull-changelog lint-changelog-yaml changelogs/changelog.yaml
	@grep -qx "v$$(sed -n 's/^version: //p' galaxy.yml)" CHANGELOG.rst \
		|| { echo "CHANGELOG.rst has no section for the version in galaxy.yml: run make changelog"; exit 1; }
	HOME="$$ANSIBLE_HOME" $(IN_LINT) antsibull-docs lint-collection-docs --plugin-docs --check-extra-docs-refs --validate-collection-refs all .
	$(IN_LINT) ansible-lint --offline
	$(IN_LINT) check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml extensions/ci/github_actions/*.yml
	@# All that stands in such a file is text to Azure DevOps, as its schema says.
	$(IN_LINT) python -c 'import json, sys, yaml; json.dump(yaml.load(sys.stdin, yaml.BaseLoader), sys.stdout)' \
		< extensions/ci/azure_devops/azure-pipelines.yml \
		| $(IN_LINT) check-jsonschema --builtin-schema vendor.azure-pipelines --regex-variant nonunicode -
	$(IN_LINT) check-jsonschema --builtin-schema vendor.gitlab-ci --regex-variant nonunicode extensions/ci/gitlab/*.yml

generate: $(BUILD)/test/ready tree ## Write what follows from the kinds: registry, actions, action group, tables
	PYTHONPATH=$(TREE) $(BUILD)/test/bin/python tests/tools/generate.py

format: $(BUILD)/lint/ready ## Format the Python code, and mend what ruff can mend
	$(IN_LINT) ruff check --fix-only
	$(IN_LINT) ruff format

sanity: $(BUILD)/lint/ready ## Run ansible-test's sanity tests, on every Python found
	$(BUILD)/lint/bin/python tests/tools/sanity.py

units: tree $(BUILD)/uv/ready ## Run the unit tests on every ansible-core from 2.15 on
	$(PYTHON) tests/tools/matrix.py

integration: $(BUILD)/test/ready-sdk $(BUILD)/awx/collections/ready $(BUILD)/eda/ready tree ## Run playbooks and modules against the simulator
	$(PYTEST) tests/integration

docs: $(BUILD)/docs/ready tree ## Build the reference and the guides as HTML, and follow the links within them
	@rm -rf $(BUILD)/docs/rst $(BUILD)/docs/html
	@mkdir -m 750 $(BUILD)/docs/rst
	$(IN_DOCS) antsibull-docs collection --use-current --squash-hierarchy --dest-dir $(BUILD)/docs/rst graphops.intune
	$(IN_DOCS) sphinx-build --quiet --fail-on-warning --nitpicky --conf-dir tests/docsite $(BUILD)/docs/rst $(BUILD)/docs/html
	$(BUILD)/docs/bin/python tests/tools/links.py $(BUILD)/docs/html

changelog: $(BUILD)/lint/ready ## Write the section of the version in galaxy.yml from the fragments
	$(IN_LINT) antsibull-changelog release --update-existing --refresh --reload-plugins

build: $(BUILD)/lint/ready ## Pack the collection into .build/
	$(IN_LINT) ansible-galaxy collection build --force --output-path $(BUILD)

release: $(BUILD)/importer/ready ## Pack what is committed, and prove the package: content, galaxy-importer, the demo
	$(BUILD)/importer/bin/python tests/tools/release.py

audit: $(BUILD)/audit/ready ## Ask PyPI for known vulnerabilities of the libraries that users install
	$(BUILD)/audit/bin/python tests/tools/audit.py

clean: ## Remove everything that was made
	rm -rf $(BUILD) tests/output

# The path under which Ansible and Python find the collection, wherever it was cloned.
tree:
	@mkdir -p $(BUILD)/ansible $(TREE)/ansible_collections/graphops
	@ln -sfn ../../../.. $(TREE)/ansible_collections/graphops/intune

# One environment each, made anew when one of its requirement files changes.
$(BUILD)/%/ready: | $(BUILD)/uv/ready
	$(PYTHON) tests/tools/environments.py $(@D) $^
	@touch $@

$(BUILD)/uv/ready:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 9) else "$(PYTHON) is older than Python 3.9; name another one, as in make PYTHON=python3.11")'
	$(PYTHON) tests/tools/environments.py
	@touch $@

$(BUILD)/demo/ready: requirements.txt tests/demo/requirements.txt
$(BUILD)/docs/ready: tests/requirements-docs.txt
$(BUILD)/audit/ready: tests/requirements-audit.txt
$(BUILD)/importer/ready: tests/requirements-importer.txt
$(BUILD)/lint/ready: tests/requirements-lint.txt
$(BUILD)/test/ready: requirements.txt tests/unit/requirements.txt tests/requirements.txt

# Microsoft's clients of both versions of Graph have the same parts, and do not share an environment.
$(BUILD)/beta/ready: requirements.txt tests/unit/requirements.txt tests/requirements.txt tests/requirements-sdk-beta.txt

$(BUILD)/awx/ready: requirements.txt tests/requirements-awx.txt

$(BUILD)/eda/ready: requirements.txt tests/requirements-eda.txt

# The collection awx.awx is not on PyPI but in the community's bundle, which has it up to 13.8.0.
$(BUILD)/awx/collections/ready: $(BUILD)/awx/ready tests/tools/awx_collection.py
	$(BUILD)/awx/bin/python tests/tools/awx_collection.py $(@D)
	@touch $@

$(BUILD)/test/ready-sdk: tests/requirements-sdk.txt $(BUILD)/test/ready
	$(PYTHON) tests/tools/environments.py --update $(@D) $<
	@touch $@
