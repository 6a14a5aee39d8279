# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with a sign-in, in which order, and what it allows: decided of what was found out."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._identity.identity import read_given, read_identity
from ansible_collections.graphops.intune.plugins.module_utils._identity.tenant_lookup import TenantFound
from ansible_collections.graphops.intune.plugins.module_utils._identity.token_facts import TokenFacts
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync import sign_in_report
from ansible_collections.graphops.intune.plugins.module_utils._sync.probes import Probe

NOW = datetime(2026, 11, 27, 6, tzinfo=timezone.utc)
TENANT, OTHER = "8f1c1f4e-6f0e-4a64-8f0a-0a3b9a1d9b11", "11111111-1111-4111-8111-111111111111"
CLIENT = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"
APP = {"tenant": TENANT, "client_id": CLIENT, "secret": "s"}
READS, WRITES = "DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"
CERTIFICATE: dict[str, t.Any] = {
    "subject": "CN=x",
    "expires_at": "2026-12-09T00:00:00Z",
    "days_left": 11,
    "key_fits": True,
}
BY_NAME = {kind.name: kind for kind in KINDS}
VPP, DEVICE = BY_NAME["vpp_token"], BY_NAME["managed_device"]


def found(options: dict[str, str] | None = None, environ: dict[str, str] | None = None, **more: t.Any) -> t.Any:
    """What was found out of an app with a secret, unless another way is said."""
    given_options, given_environ = APP if options is None else options, environ or {}
    named, given = read_given(given_options, given_environ, {})
    identity = read_identity(given_options, given_environ, has_cli=lambda _environ: True)
    return sign_in_report.Found("auto", named, given, NOW, identity, **more)


def facts(*granted: str, asker: str = errors.APP, **more: t.Any) -> TokenFacts:
    """Those of a token with these permissions."""
    return TokenFacts(tenant_id=TENANT, client_id=CLIENT, asker=asker, granted=granted, **more)


def sentences(one: t.Any, *kinds: t.Any) -> list[str]:
    """What is wrong."""
    return [problem.sentence for problem in sign_in_report.problems(kinds or (VPP,), one)]


def test_the_worst_comes_first() -> None:
    """What fails the sign-in, then what fails Graph, then what will fail."""
    one = found(
        failure=errors.SignInError("it was refused", advice="do this", code="65001"),
        details={"certificate": CERTIFICATE},
        tenant=TenantFound(TENANT, NOW + timedelta(minutes=20)),
    )
    said = [problem.trouble for problem in sign_in_report.problems([VPP], one)]
    assert said == ["sign_in", "sign_in", "sign_in", ""]
    first, consent, clock, soon = sentences(one)
    assert first == "It was refused; do this."
    assert consent.startswith(
        f"An administrator of tenant {TENANT} can consent to the app at https://login.microsoftonline"
    )
    assert clock == "The clock of this host is 20 min behind Microsoft's; set it (NTP)."
    assert soon.startswith("The certificate CN=x expires in 11 days, on 2026-12-09T00:00:00Z; ")


@pytest.mark.parametrize(("seconds", "told"), [(0, 0), (300, 0), (-300, 0), (301, 1), (-301, 1)])
def test_a_clock_that_is_right_enough_is_no_problem(seconds: int, told: int) -> None:
    """Entra ID allows five minutes; and where the sign-in goes well, nothing fails for it."""
    probe = Probe(200, "it can be read.", True, NOW + timedelta(seconds=seconds), None)
    one = found(facts=facts(WRITES), probed={"vpp_token": probe})
    assert [problem.trouble for problem in sign_in_report.problems([VPP], one)] == [""] * told


@pytest.mark.parametrize(
    ("asker", "granted", "administrator", "reads", "syncs"),
    [
        (errors.APP, [WRITES], False, "yes", "yes"),
        (errors.APP, [READS], False, "yes", "no"),
        (errors.APP, [], False, "no", "no"),
        (errors.USER, [WRITES], False, "unknown", "unknown"),
        (errors.USER, [READS], True, "yes", "no"),
        (errors.USER, [], True, "no", "no"),
    ],
)
def test_what_a_token_allows(asker: str, granted: list[str], administrator: bool, reads: str, syncs: str) -> None:
    """What is not granted is forbidden; what is, a user may do if a role allows it."""
    one = found(facts=facts(*granted, asker=asker, administrator=administrator))
    entry = sign_in_report.permissions([VPP], one)["vpp_token"]
    assert (entry["reads"], entry["syncs"]) == (reads, syncs)
    assert entry["missing"] == ([] if WRITES in granted else [WRITES])
    assert (entry["remedy"] is None) == (not entry["missing"])


def test_kinds_that_only_age_are_not_synchronised() -> None:
    """Of these, nothing is missing that writes."""
    one = found(facts=facts(READS))
    entry = sign_in_report.permissions([BY_NAME["apple_push_certificate"]], one)["apple_push_certificate"]
    assert entry == {"reads": "yes", "syncs": None, "missing": [], "remedy": None}


def test_kinds_that_lack_the_same_are_told_together() -> None:
    """An administrator grants a permission once."""
    one = found(facts=facts())
    said = sentences(one, VPP, BY_NAME["autopilot"], DEVICE)
    assert [line.partition(";")[0] for line in said] == [
        f"{WRITES} is missing for vpp_token and autopilot",
        "DeviceManagementManagedDevices.PrivilegedOperations.All and DeviceManagementManagedDevices.Read.All are"
        " missing for managed_device",
    ]


def test_a_token_of_another_tenant_is_told() -> None:
    """By the tenant's GUID, or by what Entra ID says of its domain."""
    token = {"access_token": "a.b.c"}
    by_guid = found({**token, "tenant": OTHER}, facts=facts(WRITES))
    by_domain = found({**token, "tenant": "fabrikam.example"}, facts=facts(WRITES), tenant=TenantFound(OTHER))
    for one in (by_guid, by_domain):
        (said,) = sentences(one)
        assert said.startswith(f"The access token is of tenant {TENANT}, and not of ")
    assert sentences(found({**token, "tenant": TENANT.upper()}, facts=facts(WRITES))) == []
    assert sentences(found({**token, "tenant": "contoso.example"}, facts=facts(WRITES), tenant=TenantFound())) == []


def test_what_was_meant_and_not_taken_is_told_where_it_went_well() -> None:
    """Somebody who misspelt AZURE_SECRET is signed in by the Azure CLI, and would not know."""
    environ = {"AZURE_TENANT": TENANT, "AZURE_CLIENT_ID": CLIENT}
    said = sentences(found({}, environ, facts=facts(WRITES)))
    assert said[0] == (
        "AZURE_TENANT and AZURE_CLIENT_ID are given, but secret (or AZURE_SECRET or AZURE_CLIENT_SECRET) is not given,"
        " so auth_source cli is taken and not client_secret."
    )
    assert sentences(found({}, environ, failure=errors.SignInError("no"))) == ["No."]


def test_the_name_of_an_option_stays_as_it_is() -> None:
    """At the beginning of a sentence, too."""
    problem = sign_in_report.Problem("sign_in", "graph_url is wrong")
    assert problem.sentence == "graph_url is wrong."


def test_a_probe_that_fails_is_a_problem_of_its_own() -> None:
    """One that finds nothing is none."""
    probed = {
        "vpp_token": Probe(200, "this tenant has no Apple VPP token.", True, NOW, None),
        "autopilot": Probe(403, "could not read it; do this.", False, NOW, "id"),
    }
    problems = sign_in_report.problems([VPP], found(facts=facts(WRITES), probed=probed))
    assert [(problem.trouble, problem.sentence) for problem in problems] == [
        ("probe", "autopilot: could not read it; do this.")
    ]
