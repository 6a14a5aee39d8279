# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides say of signing in is true: options, variables, federated credentials, and whose token it is."""

from __future__ import annotations

import itertools
import json
import re
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds
from ansible_collections.graphops.intune.plugins.module_utils._ground.option_values import OptionValue
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import aadsts, identity
from ansible_collections.graphops.intune.plugins.module_utils._identity.methods import METHODS
from guide_blocks import blocks

from .test_documentation import SPECS, tasks_of

RST = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
PAGES = ("guide_first_tenant", "sign_in", "guide_pipelines", "coming_from_azcollection")
TEXTS = {name: (RST / f"{name}.rst").read_text(encoding="utf-8") for name in PAGES}
SPEC = {**identity.identity_spec(), **connection.connection_spec()}
NAMES = {alias: name for name, option in SPEC.items() for alias in (name, *option.get("aliases", ()))}
VARIABLES: t.Mapping[str, tuple[str, ...]] = {**identity.IDENTITY_VARIABLES, **clouds.CLOUD_VARIABLES}
# What azure.azcollection 3.21.0 takes for signing in: AZURE_COMMON_ARGS, and the variables of
# AZURE_CREDENTIAL_ENV_MAPPING and its fallbacks, in plugins/module_utils/azure_rm_common.py.
THEIRS: t.Mapping[str, tuple[str, ...]] = {
    "auth_source": ("ANSIBLE_AZURE_AUTH_SOURCE",),
    "profile": ("AZURE_PROFILE",),
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET",),
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "ad_user": ("AZURE_AD_USER",),
    "password": ("AZURE_PASSWORD",),
    "cloud_environment": ("AZURE_CLOUD_ENVIRONMENT",),
    "cert_validation_mode": ("AZURE_CERT_VALIDATION_MODE",),
    "api_profile": (),
    "adfs_authority_url": ("AZURE_ADFS_AUTHORITY_URL",),
    "log_mode": (),
    "log_path": (),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH",),
    "thumbprint": ("AZURE_THUMBPRINT",),
    "disable_instance_discovery": ("AZURE_DISABLE_INSTANCE_DISCOVERY",),
    "oidc_token": ("AZURE_FEDERATED_TOKEN",),
    "oidc_token_file_path": ("AZURE_FEDERATED_TOKEN_FILE",),
}


def words(text: str) -> set[str]:
    """The options and variables that a text names."""
    return set(re.findall(r"``([A-Za-z_0-9]+)``", text))


def part(begin: str, end: str) -> str:
    return TEXTS["coming_from_azcollection"].partition(begin)[2].partition(end)[0]


def test_what_stays_as_it_is_does() -> None:
    """Each option that both have, with the variables that both have."""
    rows = dict(re.findall(r"^``(\w+)``\n   (``.*``)$", part("What stays as it is", "These differ"), re.MULTILINE))
    assert set(rows) == {name for name in THEIRS if name in NAMES} - {"auth_source"}
    for option, variables in rows.items():
        both = [variable for variable in THEIRS[option] if variable in VARIABLES[NAMES[option]]]
        assert re.findall(r"``(\w+)``", variables) == both == list(THEIRS[option]), option


def test_what_is_only_here_or_only_there_is_said() -> None:
    """Each option and variable is somewhere on the page, on its own side."""
    here, there = (
        words(part("What is only here", "What is only there")),
        words(part("What is only there", "A token that")),
    )
    ours = set(SPEC) - set(THEIRS) - set(connection.connection_spec())
    assert ours <= here
    assert {name for name in THEIRS if name not in NAMES} <= there
    variables = {one for many in THEIRS.values() for one in many} - {one for many in VARIABLES.values() for one in many}
    # A variable of an option that is named goes without saying.
    assert variables - {"AZURE_ADFS_AUTHORITY_URL", "AZURE_DISABLE_INSTANCE_DISCOVERY"} <= there
    assert not here & set(THEIRS) - {"ad_user"}
    assert not there & set(SPEC) - set(connection.connection_spec()) - {"auth_source"}


NOTHING = OptionValue("", "", False)
EXAMPLES = [
    (name, block) for name, text in TEXTS.items() for block in blocks(text, "yaml") if "graphops.intune" in block
]


OF_SIGN_IN = [block for name, block in EXAMPLES if name == "sign_in"]


@pytest.mark.parametrize(("name", "block"), EXAMPLES, ids=lambda text: text.partition("\n")[0])
def test_the_options_of_every_example_exist(name: str, block: str) -> None:
    """As those of other examples."""
    entries = [entry for entry in yaml.safe_load(block) if "azure." not in " ".join(entry)]
    for entry in entries:
        for group in set(entry.get("module_defaults", ())) - {"group/graphops.intune.intune"}:
            del entry["module_defaults"][group]
    tasks = list(tasks_of(yaml.safe_dump(entries)))
    assert tasks, name
    for module, arguments in tasks:
        assert not ArgumentSpecValidator(SPECS[module]).validate(arguments).error_messages, arguments


def test_every_way_to_sign_in_has_an_example() -> None:
    """It is named, or one of each of its proofs is given."""
    given = [set(task) | {task.get("auth_source")} for _module, task in itertools.chain(*map(tasks_of, OF_SIGN_IN))]
    for method in METHODS:
        proofs = [{entry} if isinstance(entry, str) else set(entry) for entry in method.credentials]
        wanted = proofs or [{method.source}]
        assert any(all(names & entry for entry in wanted) for names in given), method.source


def test_a_page_that_speaks_of_variables_leads_to_all_of_them() -> None:
    """Wherever a newcomer may have come in."""
    for path in RST.glob("*.rst"):
        text = path.read_text(encoding="utf-8")
        if path.stem not in ("environment", "messages") and re.search(r"\b(AZURE|MSGRAPH)_[A-Z]", text):
            assert "docsite.environment>`" in text, path.name


CREDENTIALS = [
    json.loads(body)
    for text in TEXTS.values()
    for body in re.findall(r"<<'EOF'\n(.*?)^ *EOF$", text, re.DOTALL | re.MULTILINE)
]


@pytest.mark.parametrize("credential", CREDENTIALS, ids=lambda one: one["name"])
def test_a_federated_credential_is_one_that_graph_takes(credential: dict[str, t.Any]) -> None:
    """By the rules of application-post-federatedidentitycredentials in Microsoft's reference of Graph."""
    assert set(credential) == {"name", "issuer", "subject", "audiences"}
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}", credential["name"])
    assert credential["issuer"].startswith("https://")
    assert max(map(len, credential.values())) <= 600
    assert "*" not in credential["subject"]
    assert credential["audiences"] == ["api://AzureADTokenExchange"]


def test_what_the_guides_say_of_sign_ins_has_an_advice() -> None:
    """The codes of Entra ID, and the issuers in both guides."""
    told = {code for text in TEXTS.values() for code in re.findall(r"AADSTS(\d+)", text)}
    assert len(told) >= 9
    assert told <= set(aadsts.ADVICE)
    assert len(CREDENTIALS) == 4


def test_what_a_pod_is_given_is_what_the_collection_reads() -> None:
    """The variables of the pod that does without the webhook, and the file that one of them names."""
    pods = [found["spec"] for found in map(yaml.safe_load, blocks(TEXTS["sign_in"], "yaml")) if "spec" in found]
    (pod,) = (one for one in pods if "volumes" in one)
    (container,), (volume,) = pod["containers"], pod["volumes"]
    given = {entry["name"]: entry["value"] for entry in container["env"]}
    read = [next(name for name in VARIABLES if variable in VARIABLES[name]) for variable in given]
    assert read == ["tenant", "client_id", "oidc_token_file_path"]
    (mount,), (source,) = container["volumeMounts"], volume["projected"]["sources"]
    token = source["serviceAccountToken"]
    assert f"{mount['mountPath']}/{token['path']}" == given["AZURE_FEDERATED_TOKEN_FILE"]
    assert token["audience"] == clouds.endpoints(dict.fromkeys(clouds.CLOUD_VARIABLES, NOTHING)).federation_audience
