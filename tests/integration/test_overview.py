# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What intune_connectors_and_tokens_info promises, of a tenant with everything."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from simulator import Fault

from .conftest import SEND_THE_MODULE, Run, Site

pytestmark = pytest.mark.slow

OVERVIEW = "graphops.intune.intune_connectors_and_tokens_info"
DAY = timedelta(days=1)


@pytest.fixture
def site(site: Site) -> Site:
    """A tenant with one of each, save for a push certificate; some are not well."""
    tenant = site.tenant
    tenant.page_size = 1
    for number in range(3):
        tenant.add_vpp_token(organization_name=f"Apps {number}", last_sync=DAY, expires=(100 * number + 12.5) * DAY)
    tenant.add_enrollment_program_token(token_name="Phones", last_sync=DAY, expires=-2.5 * DAY)
    tenant.add_autopilot(last_sync=DAY, sync_status="failed")
    tenant.add_managed_google_play(last_sync=DAY)
    tenant.add_mobile_threat_defense_connector("unresponsive", last_heartbeat=9 * DAY)
    tenant.add_certificate_connector(last_connection=timedelta(minutes=5))
    return site


def look(site: Site, *arguments: str, **changes: t.Any) -> Run:
    return site.play([{OVERVIEW: site.options(connector_id=None, wait_sleep=None, **changes)}], *arguments)


@pytest.mark.parametrize("way", [(), SEND_THE_MODULE, ("--check",)], ids=["in process", "sent", "check mode"])
def test_everything_at_one_look(site: Site, way: tuple[str, ...]) -> None:
    run = look(site, *way)
    assert (run.code, run.result["changed"]) == (0, False), run.output
    told = [
        (entry["kind"], entry["name"], entry["state"], entry["days_left"], (entry["problem"] or "").partition(":")[0])
        for entry in run.result["connectors_and_tokens"]
    ]
    apns = site.connector.properties["serverName"]
    expired = told[0][-1]
    assert expired.startswith("it expired on 20")
    assert told == [
        ("enrollment_program_token", "Phones", "0", -3, expired),
        (
            "mobile_threat_defense_connector",
            "mobile threat defense connector",
            "unresponsive",
            None,
            "its partnerState is unresponsive",
        ),
        (
            "autopilot",
            "Windows Autopilot service",
            "failed",
            None,
            "the last synchronisation failed (syncStatus is failed)",
        ),
        ("vpp_token", "Apps 0", "valid", 12, "it expires in 12 days"),
        ("vpp_token", "Apps 1", "valid", 112, ""),
        ("vpp_token", "Apps 2", "valid", 212, ""),
        ("certificate_connector", "CertificateConnector_01", "active", None, ""),
        ("exchange_connector", apns, "connected", None, ""),
        ("managed_google_play", "Managed Google Play account", "boundAndValidated", None, ""),
    ]
    assert (run.result["absent"], run.result["unreadable"]) == (["apple_push_certificate"], [])
    assert "secret-of" not in run.output + str(run.results)
    # One batch for each version, and one for the further pages of what has some.
    assert len(site.requests("batch")) <= 4


def test_what_may_not_be_read_and_what_is_broken(site: Site) -> None:
    site.app.roles = ("DeviceManagementServiceConfig.Read.All",)
    site.world.faults.add(Fault("list", kind="vpp_token", status=400, times=None))
    run = look(site)
    assert run.code == 0, run.output
    (broken,) = run.result["unreadable"]
    assert (broken["kind"], bool(broken["request_id"])) == ("vpp_token", True)
    assert broken["msg"].startswith("Apple VPP tokens: could not list them, Graph answered HTTP 400 (Bad Request)")
    assert len(run.result["connectors_and_tokens"]) == 6
    assert "connectors and tokens in tenant contoso.example: Apple VPP tokens: could not list them" in str(
        run.result["warnings"]
    )
    site.app.roles = ()
    run = look(site)
    assert run.code == 2
    assert run.result["msg"].startswith("connectors and tokens in tenant contoso.example: nothing could be read - ")
    run = look(site, kinds=["vpp_token"], secret="wrong")
    assert (run.code, "AADSTS7000215" in run.result["msg"]) == (2, True)


@pytest.mark.parametrize(("changes", "message"), [({"warn_days": -1}, "warn_days is -1"), ({"kinds": ["x"]}, "kinds")])
def test_bad_input_fails_before_anything_is_asked(site: Site, changes: dict[str, t.Any], message: str) -> None:
    run = look(site, **changes)
    assert (run.code, message in run.result["msg"]) == (2, True)
    assert site.world.requests == []
