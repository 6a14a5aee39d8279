# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._kinds import vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import About, entry
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import Ending
from ansible_collections.graphops.intune.plugins.plugin_utils import tenant_role
from ansible_collections.graphops.intune.plugins.plugin_utils.members import Found

FOUND = Found("h", "contoso.example", {}, {}, False, "", [], [])


def told(count: int) -> dict[str, t.Any]:
    """What a tenant is told of so many tokens that have expired."""
    outcomes = []
    for number in range(count):
        about = About(
            "vpp_token", {"id": f"t{number}"}, f"T{number}", "last_sync_date_time", "expired", "obstacle", "it expired"
        )
        result = {"changed": False, "sync": {"state": "fresh"}}
        outcomes.append((entry("h", result, about=about), Ending(vpp_token.KIND, "", None, result, "obstacle", "x")))
    return tenant_role.ROLE.told(FOUND, outcomes, False)


@pytest.mark.parametrize(
    ("count", "end"),
    [
        (0, "none of the chosen kinds."),
        (2, "2 obstacle - Apple VPP token T0, Apple VPP token T1: it expired."),
        (10, "Apple VPP token T8, Apple VPP token T9: it expired."),
        (200, "Apple VPP token T9 and 190 more: it expired."),
    ],
)
def test_the_sentence_of_a_tenant_is_one_that_is_read_and_its_result_has_all(count: int, end: str) -> None:
    result = told(count)
    assert result["msg"].startswith("tenant contoso.example: ")
    assert result["msg"].endswith(end)
    assert len(result["msg"]) < 400
    assert len(result["connectors_and_tokens"]) == count
