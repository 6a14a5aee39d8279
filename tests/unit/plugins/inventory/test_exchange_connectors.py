# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tenants are read, which connectors are taken and what they are called."""

from __future__ import annotations

import threading
import time
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.inventory import exchange_connectors as plugin
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError

APP = {"client_id": "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10", "secret": "the-secret"}


def params(**given: t.Any) -> dict[str, t.Any]:
    return {**dict.fromkeys(plugin.spec()), **APP, **given}


@pytest.mark.parametrize(
    ("given", "environ", "expected"),
    [
        ({"tenant": "a.example"}, {"AZURE_TENANT": "e.example"}, ["a.example"]),
        ({}, {"AZURE_TENANT": "e.example"}, ["e.example"]),
        ({"tenants": ["b.example", "a.example"]}, {"AZURE_TENANT": "e.example"}, ["b.example", "a.example"]),
        ({"tenants": ["b.example", "", "B.Example", "a.example"]}, {}, ["b.example", "a.example"]),
        ({"secret": "", "access_token": "eyJ0"}, {}, [""]),
        ({"secret": "", "access_token": "eyJ0", "tenants": ["a.example"]}, {}, ["a.example"]),
    ],
)
def test_the_tenants_to_read(given: dict[str, t.Any], environ: dict[str, str], expected: list[str]) -> None:
    found = plugin.sources(params(**given), environ)
    assert [source.tenant for source in found] == expected
    assert [source.params["tenant"] or source.tenant for source in found] == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"tenants": ["a.example"], "tenant": "b.example"}, "both tenant and tenants"),
        ({"tenants": []}, "tenants is empty"),
        ({"tenants": [""]}, "tenants is empty"),
        ({"tenants": ["a.example", "b c"]}, "tenant is 'b c'"),
        ({"tenants": ["a.example", "b.example"], "access_token": "eyJ0"}, "reads one tenant, but tenants names 2"),
        ({"tenants": ["a.example", "b.example"], "auth_source": "msi"}, "reads one tenant, but tenants names 2"),
        ({}, "identity is incomplete"),
    ],
)
def test_tenants_that_cannot_be_right(given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        plugin.sources(params(**given), {})


CONNECTOR = {"id": "e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1", "status": "connected", "exchange_connector_type": "hosted"}


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"status": None, "exchange_connector_type": []}, True),
        ({"status": ["none", "Connected"]}, True),
        ({"status": ["connectionPending"]}, False),
        ({"status": ["connected"], "exchange_connector_type": ["onPremises"]}, False),
        ({"status": ["connected"], "exchange_connector_type": ["onPremises", "hosted"]}, True),
    ],
)
def test_filters(wanted: dict[str, list[str] | None], fits: bool) -> None:
    assert plugin.matches(CONNECTOR, wanted) is fits
    assert plugin.matches({"id": "x"}, wanted) is (
        not any(wanted.values()) or wanted.get("status") == ["none", "Connected"]
    )


@pytest.mark.parametrize(
    ("server", "name"),
    [
        ("EXCHANGE01", "EXCHANGE01-e11c1de8"),
        ("ex01.contoso.example", "ex01.contoso.example-e11c1de8"),
        (None, "connector-e11c1de8"),
        ("", "connector-e11c1de8"),
        ("-x", "_x-e11c1de8"),
        ("@file", "_file-e11c1de8"),
        ("a b:c,d!e&f~g*h?i[0]", "a_b_c_d_e_f_g_h_i_0_-e11c1de8"),
        ("b\u00fcro\n", "b\u00fcro_-e11c1de8"),
        ({"x": 1}, "__x___1_-e11c1de8"),
        # What is not seen, or looks like what it is not.
        ("EX01\u3164", "EX01_-e11c1de8"),
        ("EX\uffa001\u115f\u1160", "EX_01__-e11c1de8"),
        ("EX\u200b\u202e\u00ad01", "EX___01-e11c1de8"),
        ("\uff25\uff38\uff10\uff11", "EX01-e11c1de8"),
        ("Jose\u0301", "Jos\u00e9-e11c1de8"),
        ("a\uff0cb\uff01\uff0a", "a_b__-e11c1de8"),
        ("x\ufe6b\u0000", "x__-e11c1de8"),
    ],
)
def test_names(server: t.Any, name: str) -> None:
    assert plugin.safe_name(plugin.default_name({**CONNECTOR, "server_name": server})) == name


def test_the_variables_of_a_host() -> None:
    (source,) = plugin.sources(params(tenant="contoso.example", cloud_environment="AzureChinaCloud"), {})
    assert plugin.host_variables(CONNECTOR, source) == {
        "ansible_connection": "local",
        "exchange_connector": CONNECTOR,
        "exchange_connector_sync_connector_id": CONNECTOR["id"],
        "exchange_connector_sync_tenant": "contoso.example",
        "exchange_connector_sync_cloud_environment": "AzureChinaCloud",
    }


@pytest.mark.parametrize(
    ("variables", "connector_id"),
    [
        ({}, ""),
        ({"exchange_connector": "x"}, ""),
        ({"exchange_connector": {"id": "E1"}}, "e1"),
        ({"exchange_connector": {}, "exchange_connector_sync_connector_id": "e1"}, "e1"),
    ],
)
def test_which_connector_a_host_is(variables: dict[str, t.Any], connector_id: str) -> None:
    assert plugin.the_connector(variables) == connector_id


@pytest.mark.parametrize("cached", [None, {}, "x", ["x"], [{}], [{"id": 1}], [CONNECTOR, {"id": None}]])
def test_a_cache_with_something_else_in_it_is_not_used(cached: t.Any) -> None:
    assert plugin.usable(cached) is None


@pytest.mark.parametrize("cached", [[], [CONNECTOR]])
def test_what_was_cached_is_used(cached: t.Any) -> None:
    assert plugin.usable(cached) == cached


def tenants(count: int) -> list[plugin.Source]:
    return plugin.sources(params(tenants=[f"t{number}.example" for number in range(count)]), {})


def test_many_tenants_are_read_at_a_time_but_not_all() -> None:
    lock, running, most = threading.Lock(), 0, 0
    sixteen = threading.Barrier(16)

    def read(source: plugin.Source) -> list[dict[str, t.Any]]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        sixteen.wait(10)
        with lock:
            running -= 1
        return [{"id": source.tenant}]

    found = plugin.read_all(tenants(48), read, all_needed=True)
    assert found == [[{"id": f"t{number}.example"}] for number in range(48)]
    assert most == 16


def fail_some(source: plugin.Source) -> list[dict[str, t.Any]]:
    if source.tenant in ("t1.example", "t3.example"):
        raise plugin.Unreadable(source.tenant)
    return [CONNECTOR]


def test_what_cannot_be_read_is_told_apart() -> None:
    found = plugin.read_all(tenants(4), fail_some, all_needed=False)
    assert [str(entry) if isinstance(entry, plugin.Unreadable) else len(entry) for entry in found] == [
        1,
        "t1.example",
        1,
        "t3.example",
    ]


def test_the_first_that_cannot_be_read_ends_it_if_all_are_needed() -> None:
    asked: list[str] = []

    def read(source: plugin.Source) -> list[dict[str, t.Any]]:
        asked.append(source.tenant)
        # As long as a real one takes at least, or all would be read before the first failure is seen.
        time.sleep(0.01)
        raise plugin.Unreadable(source.tenant)

    with pytest.raises(plugin.Unreadable):
        plugin.read_all(tenants(500), read, all_needed=True)
    assert len(asked) < 500


def test_an_error_of_ours_is_not_swallowed() -> None:
    def read(_source: plugin.Source) -> list[dict[str, t.Any]]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        plugin.read_all(tenants(2), read, all_needed=False)
