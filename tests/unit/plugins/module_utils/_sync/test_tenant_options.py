# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a tenant that is a host may say, and how tenants that fail are counted."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._kinds import registry
from ansible_collections.graphops.intune.plugins.module_utils._sync import options
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import FailureLimit

ALL = ["autopilot", "enrollment_program_token", "exchange_connector", "managed_google_play", "vpp_token"]


def ages(**changes: t.Any) -> dict[str, int]:
    """By kind, the max_age that is used."""
    params = {name: how.get("default") for name, how in options.tenant_spec(registry.KINDS).items()}
    found = options.read_tenant_options(registry.KINDS, {**params, **changes})
    return {kind.name: wanted.max_age for kind, wanted in found}


def test_all_kinds_of_a_tenant_by_default_with_the_ages_of_their_modules() -> None:
    assert ages() == {**dict.fromkeys(ALL, 3600), "exchange_connector": 7200}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (60, dict.fromkeys(ALL, 60)),
        (" 60 ", dict.fromkeys(ALL, 60)),
        (0, dict.fromkeys(ALL, 0)),
        ("", ages()),
        ({"vpp_token": "86400"}, {**ages(), "vpp_token": 86400}),
        ({"vpp_token": None}, ages()),
        ({}, ages()),
    ],
)
def test_max_age_is_a_number_or_one_for_each_kind(given: t.Any, found: dict[str, int]) -> None:
    assert ages(max_age=given) == found


@pytest.mark.parametrize(
    "given", [-1, "1.5", "an hour", True, [60], {"vpp_token": -1}, {"vpp": 60}, {"managed_device": 60}, "\u0661"]
)
def test_what_is_no_age_is_refused(given: t.Any) -> None:
    with pytest.raises(OptionError, match="max_age"):
        ages(max_age=given)


@pytest.mark.parametrize("option", ["wait_timeout", "wait_sleep", "warn_days"])
def test_numbers_that_cannot_be_are_refused(option: str) -> None:
    with pytest.raises(OptionError, match=option):
        ages(**{option: -1})


def test_a_host_that_fails_by_two_things_counts_once() -> None:
    limit = FailureLimit(1, "tenants", failed=0)
    limit.count(["a", "a"])
    limit.count(["a"])
    assert not limit.reached
    limit.count(["b"])
    assert limit.reached
    assert limit.why == "more tenants failed than the 1 that max_failures allows; correct those and run again"
    assert FailureLimit(1, failed=2).reached
    assert not FailureLimit(None, failed=99).reached
