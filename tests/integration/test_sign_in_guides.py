# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides of signing in tell to type and to write is typed and written here, and works."""

from __future__ import annotations

import json
import os
import subprocess
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from guide_blocks import blocks, script
from simulator import FederatedCredential, github_job

from .conftest import BIN, ROOT, Site, clean_environment
from .test_identity import Certificate

pytestmark = pytest.mark.slow

RST = ROOT / "docs" / "docsite" / "rst"
CLIENT_ID = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"


def page(name: str) -> str:
    return (RST / f"{name}.rst").read_text(encoding="utf-8")


def program(folder: Path, name: str, output: str) -> Path:
    """A program of others that prints something."""
    path = folder / "programs" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat <<'EOF'\n{output}\nEOF\n")
    path.chmod(0o755)
    return path.parent


def test_each_example_signs_in(site: Site, tmp_path: Path) -> None:
    """Each task has in its environment what its platform would put there, and nothing else."""
    certificate = Certificate()
    (tmp_path / "app.pem").write_bytes(certificate.key_pem() + certificate.pem)
    job = github_job()
    site.world.jobs.append(job)
    tokens = {
        name: job.give_token("api://AzureADTokenExchange", site.world.clock())
        for name in ("pod", "tfc", "spiffe", "agent")
    }
    for name in ("pod", "spiffe"):
        (tmp_path / name).write_text(tokens[name] + "\n")
    app = site.tenant.add_app(
        CLIENT_ID, "s3", certificate.pem.decode(), trusted=[FederatedCredential(job.issuer, job.subject)]
    )
    site.world.managed_identity = app
    user = site.tenant.add_user("admin@contoso.example", "pass word 1")
    of_users = site.tenant.add_app("9b2f1d2d-1e70-4d9b-8e1b-406c20348b21", public=True)
    # Microsoft's own, where none is named.
    site.tenant.add_app("14d82eec-204b-4c2f-b7e8-296a70dab67e", public=True)
    graph = site.world.issue_access_token(app, site.simulator.graph_url)
    program(tmp_path, "buildkite-agent", tokens["agent"])
    programs = program(
        tmp_path, "az", json.dumps({"accessToken": graph, "expires_on": 4102444800, "tenant": site.tenant.id})
    )
    given = {
        "as the app that trusts this pipeline": job.environment(site.simulator.runner_url),
        "": {
            "AZURE_CLIENT_ID": CLIENT_ID,
            "AZURE_TENANT_ID": site.tenant.id,
            "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "pod"),
            "AZURE_AUTHORITY_HOST": site.simulator.authority_url + "/",
        },
        "as the machine itself": {
            "IDENTITY_ENDPOINT": site.simulator.managed_identity_url,
            "IDENTITY_HEADER": site.world.identity_header,
        },
    }
    tasks = []
    for block in blocks(page("sign_in"), "yaml"):
        if "graphops.intune" not in block:
            continue
        for task in yaml.safe_load(
            block.replace("/run/intune/token", str(tmp_path / "spiffe")).replace("/etc/pki/intune", str(tmp_path))
        ):
            task["environment"] = given.pop(task["name"].partition("tokens")[2].lstrip(", "), {})
            tasks.append(task)
    assert not given
    variables = {
        "intune_secret": "s3",
        "intune_password": "pass word 1",
        "intune_refresh_token": of_users.refresh_token(user),
        "graph_token": graph,
    }
    run = site.play(
        tasks,
        "-e",
        json.dumps(variables),
        environment={
            **site.hosts,
            "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
            "TFC_WORKLOAD_IDENTITY_TOKEN": tokens["tfc"],
            "PATH": os.pathsep.join((str(programs), str(BIN), os.environ["PATH"])),
            "HOME": str(tmp_path),
        },
    )
    assert run.code == 0, run.output
    assert len(run.results) == len(tasks) == 12
    assert not any(secret in run.output for secret in (*tokens.values(), *job.tokens, graph, "pass word 1"))


# The programs of others that the guides have typed, as functions of the shell, before what is typed.
STAND_INS = r"""
set -eu
pip() { :; }
ansible-galaxy() { :; }
gh() { echo repo:contoso@1234567/intune@987654321; }
az() {
    printf '%s\n' "$*" >> calls
    case "$*" in
        "ad app create "*) echo "$THE_APP" ;;
        "ad app credential reset "*--query*) echo s3 ;;
        "ad app credential reset "*--cert*) openssl x509 -noout -in certificate.pem ;;
        "ad app federated-credential create "*) python -m json.tool credential.json > /dev/null ;;
        "rest "*credential.json*) python -m json.tool credential.json > /dev/null ;;
        "rest "*) printf '%s' "$*" | sed 's/.*--body //' | python -m json.tool > /dev/null ;;
        "ad sp "*--query*) echo 11111111-1111-4111-8111-111111111111 ;;
    esac
}
"""


def type_in(site: Site, commands: str, environment: t.Mapping[str, str]) -> tuple[list[str], str]:
    """Have a shell run all that is typed, and return how az was called, and the output."""
    home = site.folder / "home"
    (home / ".ansible").mkdir(parents=True)
    (home / ".ansible" / "collections").symlink_to(site.collections)
    done = subprocess.run(
        ["bash", "-c", STAND_INS + commands],
        env=clean_environment(
            site.collections,
            HOME=str(home),
            THE_APP=CLIENT_ID,
            REQUESTS_CA_BUNDLE=site.simulator.ca_path,
            **{**site.hosts, **environment},
        ),
        cwd=site.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    calls = site.folder / "calls"
    return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else [], done.stdout


def test_the_first_tenant_is_green(site: Site) -> None:
    """All of the guide's commands in one shell."""
    site.tenant.add_app(CLIENT_ID, secret="s3")
    token = site.tenant.add_vpp_token(last_sync=timedelta(days=2))
    calls, _output = type_in(site, script(page("guide_first_tenant")), {})
    assert len(token.accepted) == 1
    assert [call.partition(" --")[0] for call in calls] == [
        *("ad app create", "ad sp create"),
        *("ad sp show", "ad app permission add") * 2,
        *("ad app permission admin-consent", "ad app credential reset"),
        *("ad app credential list", "ad app credential delete"),
    ]


def test_what_the_guide_of_pipelines_tells_to_type_works(site: Site) -> None:
    """In a job of GitHub, with the inventory of the guide of a fleet."""
    job = github_job()
    site.world.jobs.append(job)
    site.tenant.add_app(CLIENT_ID, trusted=[FederatedCredential(job.issuer, job.subject)])
    (site.folder / "fleet.exchange_connectors.yml").write_text(
        "plugin: graphops.intune.exchange_connectors\ntenants: [contoso.example]\nauth_source: oidc\n"
    )
    own = {**job.environment(site.simulator.runner_url), "AZURE_CLIENT_ID": CLIENT_ID}
    calls, output = type_in(site, script(page("guide_pipelines")), own)
    # What it prints is what the guide tells to make by hand.
    assert job.subject in output
    assert "az ad app federated-credential create" in output
    assert [call.partition(" --")[0] for call in calls] == ["ad app federated-credential create"] * 3
    assert len(site.connector.accepted) == 1
    assert site.connector.id in (site.folder / "tenants.html").read_text(encoding="utf-8")


def test_what_the_page_of_sign_ins_tells_to_type_works(site: Site) -> None:
    """The certificate is a real one, the JSON is whole."""
    site.tenant.add_app(CLIENT_ID, secret="s3")
    own = {"AZURE_TENANT": site.tenant.domain, "AZURE_CLIENT_ID": CLIENT_ID, "AZURE_SECRET": "s3"}
    calls, _output = type_in(site, script(page("sign_in")), own)
    assert "rest" in [call.partition(" --")[0] for call in calls]
    assert "BEGIN PRIVATE KEY" in (site.folder / "app.pem").read_text(encoding="utf-8")


def test_what_comes_from_azure_azcollection_runs(site: Site, tmp_path: Path) -> None:
    """With a module in the place of theirs that gives such a token, and their group of modules."""
    app = site.tenant.add_app(CLIENT_ID, secret="s3")
    graph = site.world.issue_access_token(app, site.simulator.graph_url)
    token = site.tenant.add_vpp_token(last_sync=timedelta(days=2))
    theirs = tmp_path / "theirs" / "ansible_collections" / "azure" / "azcollection"
    (theirs / "plugins" / "modules").mkdir(parents=True)
    (theirs / "meta").mkdir()
    (theirs / "meta" / "runtime.yml").write_text("action_groups: {all: [azure.azcollection.azure_rm_accesstoken_info]}")
    (theirs / "plugins" / "modules" / "azure_rm_accesstoken_info.py").write_text(
        "from ansible.module_utils.basic import AnsibleModule\n"
        "AnsibleModule({'profile': {}, 'scopes': {'type': 'list', 'elements': 'str'}})"
        f".exit_json(access_token={graph!r}, expires_on=0)\n"
    )
    programs = program(tmp_path, "az", graph)
    environment = {
        **site.hosts,
        "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join((str(tmp_path / "theirs"), str(site.collections))),
        "PATH": os.pathsep.join((str(programs), str(BIN), os.environ["PATH"])),
    }
    ready, cli, both = map(yaml.safe_load, blocks(page("coming_from_azcollection"), "yaml"))
    run = site.play([*ready, *cli], environment=environment)
    assert run.code == 0, run.output
    assert graph not in run.output
    (play,) = both
    run = site.play(
        play["tasks"], "-e", "intune_secret=s3", environment=environment, module_defaults=play["module_defaults"]
    )
    assert run.code == 0, run.output
    assert len(token.accepted) == 1
