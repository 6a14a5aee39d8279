# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that tells of each tenant of an inventory whether the sign-in is well, or what to do."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from simulator import Simulator, World

from . import test_fleet
from .conftest import Run
from .test_fleet import recap
from .test_tenants import OPTION, SECRET, Fleet

pytestmark = pytest.mark.slow

PLAYBOOK = "graphops.intune.check_sign_in"


@pytest.fixture
def fleet(installed: Path, tmp_path: Path) -> t.Iterator[Fleet]:
    """A tenant in which all is well, and some in which something is not."""
    with Simulator(World()) as simulator:
        fleet = Fleet(simulator.world, simulator, installed, tmp_path)
        fleet.add_tenant("well")
        fleet.add_tenant("reads", consent=False).add_app(
            client_id=fleet.client_id,
            secret=SECRET,
            roles=["DeviceManagementServiceConfig.ReadWrite.All"],
        )
        fleet.add_tenant("consent", consent=False)
        fleet.add_tenant("licence").has_intune_licence = False
        fleet.add_tenant("typo", retry_timout=3)
        yield fleet


def lines(run: Run) -> dict[str, str]:
    """The table, by the tenant."""
    (told,) = (result["msg"] for result in run.results if isinstance(result.get("msg"), list))
    return {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in told}


def test_each_tenant_is_ok_or_says_what_to_do(fleet: Fleet) -> None:
    """And a job is red for those alone; nothing is requested of Intune."""
    run = fleet.run(PLAYBOOK)
    assert run.code == 2
    assert {host: failed for host, (_changed, failed) in recap(run).items()} == {
        "well": 0,
        "reads": 1,
        "consent": 1,
        "licence": 1,
        "typo": 1,
    }
    told = lines(run)
    assert told["well.example"] == "ok, as App of well.example by client_secret"
    assert told["reads.example"].startswith(
        "DeviceManagementConfiguration.ReadWrite.All is missing for managed_google_play; add the application permission"
    )
    assert "AADSTS700016" in told["consent.example"]
    assert "the tenant has no Intune: check tenant and its licence" in told["licence.example"]
    assert told["typo"] == (
        "tenant_sync_retry_timout is no variable of the role; did you mean tenant_sync_retry_timeout?"
    )
    assert sum(fleet.accepted.values()) == 0
    assert not [request for request in fleet.world.requests if request.where == "sync"]


def test_what_makes_it_fail_can_be_chosen(fleet: Fleet) -> None:
    """As a survey gives it, as text."""
    fleet.hosts["reads"][OPTION + "kinds"] = ["vpp_token"]
    run = fleet.run(PLAYBOOK, "-e", "sign_in_probe=no", "-e", "sign_in_fail_on=sign_in,permission", "--check")
    assert {host for host, (_changed, failed) in recap(run).items() if failed} == {"consent", "typo"}
    assert lines(run)["reads.example"] == "ok, as App of reads.example by client_secret"
    assert not [request for request in fleet.world.requests if request.host == "graph"]


def test_an_empty_list_fails_for_nothing_that_is_found(fleet: Fleet) -> None:
    """What is wrong with the options of a host fails it all the same."""
    run = fleet.run(PLAYBOOK, "-e", '{"sign_in_fail_on": []}')
    assert {host for host, (_changed, failed) in recap(run).items() if failed} == {"typo"}
    told = lines(run)
    assert told["consent.example"].startswith("Sign-in as client "), "it is not called ok for that"
    assert [tenant for tenant, said in told.items() if said.startswith("ok, ")] == [
        "well.example",
        "reads.example",
        "licence.example",
    ]


@pytest.mark.parametrize(("given", "asked"), [("false", False), ('""', True), ("null", True), ('"true"', True)])
def test_whether_graph_is_asked(fleet: Fleet, given: str, asked: bool) -> None:
    """As a variable that is no text gives it, and as one that came out empty."""
    for name in ("reads", "consent", "licence", "typo"):
        del fleet.hosts[name]
    run = fleet.run(PLAYBOOK, "-e", f'{{"sign_in_probe": {given}}}')
    assert run.code == 0, run.output
    assert any(request.host == "graph" for request in fleet.world.requests) is asked


def test_connectors_of_a_tenant_share_a_line(installed: Path, tmp_path: Path) -> None:
    """And one sign-in."""
    with Simulator(World()) as simulator:
        fleet = test_fleet.Fleet(simulator.world, simulator, installed, tmp_path)
        fleet.add_tenant("berlin", 3)
        run = fleet.run(PLAYBOOK)
        assert run.code == 0, run.output
        assert [*lines(run).values()] == [f"ok, as App of {fleet.tenants[0].domain} by client_secret"]
        assert len(fleet.requests("token")) == 1
