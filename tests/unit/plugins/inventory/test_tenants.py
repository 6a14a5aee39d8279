# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which tenants are named and taken, what is kept of them, and that a limit means the one that it names."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible_collections.graphops.intune.plugins.inventory import tenants as plugin
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._ground.host_names import tenant_host_names

GUID = "4fdbff88-9d6b-42e0-9713-45c922ba8001"
NOW = datetime(2026, 11, 22, 18, 0, tzinfo=timezone.utc)


def params(**given: t.Any) -> dict[str, t.Any]:
    return {**dict.fromkeys(plugin.spec()), **given}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "nothing says where the tenants come from; give one of tenants, tenants_file, partner_center."),
        ({"tenants_file": "", "partner_center": False}, "nothing says where the tenants come from"),
        ({"tenants": [], "partner_center": True}, "tenants and partner_center are given; give one of"),
        ({"tenants_file": "x", "tenants": ["a.example"]}, "tenants and tenants_file are given; give one of"),
        ({"tenants": ["a.example"], "secret": "x"}, "secret is given, but with tenants nobody is asked; give the id"),
        ({"tenants_file": "x", "tenant": "a.example"}, "tenant is given, but with tenants_file nobody is asked"),
        (
            {"tenants_file": "x", "names": {GUID: "x"}},
            "names is given, but with tenants_file nobody is asked; give the",
        ),
    ],
)
def test_one_way_and_what_goes_with_it(given: dict[str, t.Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        plugin.way(params(**given))
    assert caught.value.sentence().startswith(message)


def test_what_goes_with_each_way() -> None:
    assert plugin.way(params(tenants=[], graph_url="https://graph.example", auth_source="auto")) == "tenants"
    assert plugin.way(params(partner_center=True, secret="x", names={GUID: "x"})) == "partner_center"


def test_entries_in_their_order_and_each_once() -> None:
    given = ["b.example", {"tenant": GUID, "name": "Two Words"}, "", "B.Example", {"tenant": "a.example", "vars": None}]
    found = plugin.entries("tenants", given)
    assert [(one.tenant, one.title) for one in found] == [
        ("b.example", "b.example"),
        (GUID, "Two Words"),
        ("a.example", "a.example"),
    ]
    assert plugin.entry("tenants", {"tenant": "a.example", "name": 365}).title == "365"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "tenants is empty"),
        ([""], "tenants is empty"),
        (["contoso"], "in tenants, contoso names no tenant; give the tenant's GUID or one of its domains."),
        (["a.example/x"], "names no tenant"),
        ([{"name": "Contoso"}], "in tenants, Contoso names no tenant"),
        ([{"secret": "hush"}], "in tenants, an entry has secret; "),
        ([{"vars": {}}], "in tenants, an entry names no tenant"),
        ([365], "in tenants, 365 names no tenant"),
        ([["a.example"]], "names no tenant"),
        ([{"tenant": "a.example", "nmae": "x"}], "a.example has nmae; give it tenant, name and vars, and nothing else"),
        (
            [{"tenant": "a.example", "secret": "hush"}],
            "a.example has secret; give it tenant, name and vars, and the id",
        ),
        ([{"tenant": "a.example", "name": ["x"]}], "the name of a.example is no text"),
        ([{"tenant": "a.example", "vars": ["x"]}], "vars of a.example is no dictionary"),
        ([{"tenant": "a.example", "vars": {"a-b": 1}}], "a-b of a.example is no name of a variable"),
        ([{"tenant": "a.example", "vars": {1: 1}}], "1 of a.example is no name of a variable"),
        ([{"tenant": "a.example", "vars": {"intune_tenant": 1}}], "intune_tenant of a.example is set by the inventory"),
        ([{"tenant": "a.example", "vars": {"tenant_sync_tenant": 1}}], "is set by the inventory itself; leave it out"),
        ([{"tenant": "a.example", "vars": {"tenant_sync_secret": "x"}}], "is a secret, which the inventory would show"),
        (["a.example", {"tenant": "A.example", "name": "x"}], "A.example is named twice, as a.example and as x, or"),
        ([{"tenant": GUID, "vars": {"x": 1}}, {"tenant": GUID, "vars": {"x": 2}}], "is named twice"),
    ],
)
def test_entries_that_cannot_be_right(given: list[t.Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        plugin.entries("tenants", given)
    assert message in caught.value.sentence()
    assert "hush" not in caught.value.sentence()


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("t.txt", "\ufeffa.example\r\n\n # no\n  b.example  \n", ["a.example", "b.example"]),
        ("t", "", []),
        (
            "t.yml",
            "- a.example\n- {tenant: b.example, name: '{{ x }}'}",
            ["a.example", {"tenant": "b.example", "name": "{{ x }}"}],
        ),
        ("t.yaml", "", []),
        ("t.JSON", '["a.example"]', ["a.example"]),
    ],
)
def test_files(tmp_path: Path, name: str, text: str, found: list[t.Any]) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert plugin.read_file(str(tmp_path / name), name) == found


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("t.yml", b"a: b", "it is no list"),
        ("t.json", b'"a.example"', "it is no list"),
        ("t.json", b"- a.example", "it is no JSON"),
        ("t.yml", b"- a\n- 'hush", "it is no YAML (line 2)"),
        ("t.yml", b"- !vault hush", "it is no YAML (line 1)"),
        ("t.txt", b"\xff\xfe\xfa", "it is not in UTF-8"),
        ("t.txt", None, "No such file or directory"),
    ],
)
def test_files_that_are_none(tmp_path: Path, name: str, text: bytes | None, why: str) -> None:
    if text is not None:
        (tmp_path / name).write_bytes(text)
    with pytest.raises(OptionError) as caught:
        plugin.read_file(str(tmp_path / name), name)
    assert caught.value.sentence().startswith(f"tenants_file {name} cannot be used: {why}; give a list in YAML")
    assert "hush" not in caught.value.sentence()


ALL = [
    plugin.Entry("contoso.example", "Contoso [EU]"),
    plugin.Entry(GUID, "Two Words", {}, "Zwei Worte"),
    plugin.Entry("eu.contoso.example"),
]


@pytest.mark.parametrize(
    ("include", "exclude", "left", "warnings"),
    [
        (None, None, [0, 1, 2], 0),
        ([], [""], [0, 1, 2], 0),
        (["two words"], None, [1], 0),
        (["Two_Words"], None, [1], 0),
        (["zwei*"], None, [1], 0),
        ([GUID.upper()], None, [1], 0),
        (["Contoso [EU]"], None, [0], 0),
        (["*contoso.example"], ["EU.*"], [0], 0),
        (None, ["*.example"], [1], 0),
        (["*"], ["nobody", "else?"], [0, 1, 2], 2),
        (["nobody", "two*"], None, [1], 1),
    ],
)
def test_who_is_chosen(include: list[str] | None, exclude: list[str] | None, left: list[int], warnings: int) -> None:
    hosts = tenant_host_names({one.tenant: one.title for one in ALL})
    found, said = plugin.chosen(ALL, hosts, {"include": include, "exclude": exclude})
    assert [ALL.index(one) for one in found] == left
    assert len(said) == warnings


@pytest.mark.parametrize(("include", "exclude"), [(["nobody"], None), (None, ["*"]), (["Two*"], [GUID])])
def test_none_left_is_no_inventory(include: list[str] | None, exclude: list[str] | None) -> None:
    hosts = tenant_host_names({one.tenant: one.title for one in ALL})
    with pytest.raises(OptionError, match="leave none of 3 tenants"):
        plugin.chosen(ALL, hosts, {"include": include, "exclude": exclude})


def test_customers_and_names_for_them() -> None:
    found = [{"tenant": GUID, "name": "CTS"}, {"tenant": GUID.replace("4", "5"), "name": ""}]
    first, second = plugin.customers(found, {GUID.upper(): "Contoso"})
    assert (first.title, first.display_name) == ("Contoso", "CTS")
    assert (second.title, second.display_name) == (second.tenant, "")
    for names in ({"contoso.example": "x"}, {GUID: ""}, {GUID: ["x"]}, {1: "x"}):
        with pytest.raises(OptionError, match="names has "):
            plugin.customers(found, names)


KEPT = {"read": "2026-11-22T18:00:00Z", "customers": [{"tenant": GUID.upper(), "name": "Contoso"}]}


def test_what_was_kept_is_used_and_how_old_it_is_told() -> None:
    kept = plugin.usable(KEPT)
    assert kept == (NOW, [{"tenant": GUID, "name": "Contoso"}])
    assert kept is not None
    for seconds, timeout, fresh in (
        (0, 600, True),
        (600, 600, True),
        (601, 600, False),
        (9999, 0, True),
        (-1, 600, False),
    ):
        assert plugin.is_fresh(kept, NOW + timedelta(seconds=seconds), timeout) is fresh


@pytest.mark.parametrize(
    "cached",
    [
        None,
        [],
        {},
        {**KEPT, "read": None},
        {**KEPT, "read": "soon"},
        {**KEPT, "customers": []},
        {**KEPT, "customers": "x"},
        {**KEPT, "customers": ["x"]},
        {**KEPT, "customers": [{"tenant": "../x", "name": "x"}]},
        {**KEPT, "customers": [{"tenant": GUID, "name": None}]},
    ],
)
def test_a_cache_with_something_else_in_it_is_not_used(cached: t.Any) -> None:
    assert plugin.usable(cached) is None


def test_the_variables_of_a_host() -> None:
    where = params(cloud_environment="AzureChinaCloud", secret="hush", client_id="x", tenant="partner.example")
    one = plugin.Entry(GUID, "Contoso", {"region": "eu"}, "CTS")
    assert plugin.host_variables(one, where) == {
        "ansible_connection": "local",
        "region": "eu",
        "tenant_sync_tenant": GUID,
        "tenant_sync_cloud_environment": "AzureChinaCloud",
        "intune_tenant": {"id": GUID, "name": "Contoso", "display_name": "CTS"},
    }
    assert plugin.the_tenant({"tenant_sync_tenant": "A.example"}) == "a.example"
    assert plugin.the_tenant(plugin.host_variables(one, where)) == GUID
    assert plugin.the_tenant({"intune_tenant": "x"}) == ""


ODD = [
    "Two Words",
    "!Fabrikam",
    "&all",
    "~.*",
    "*",
    "a,b",
    "a:b",
    "a[0]",
    "-x",
    "@hosts",
    "{{ x }}",
    "all",
    "tenants_",
    "M\u00fcnchen \u00d6",
    "a\nb",
    "\u3164",
    "A B",
    "A:B",
    "x" * 300,
    "$HOME",
    "#",
    "a;b'c\"d",
    "10.0.0.1:22",
]


def test_a_limit_of_a_name_means_that_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hosts = tenant_host_names({f"t{number}.example": name for number, name in enumerate(ODD)})
    (tmp_path / "empty").write_text("[others]\nWords\nFabrikam\n", encoding="utf-8")
    inventory = InventoryManager(loader=DataLoader(), sources=[str(tmp_path / "empty")])
    for name in hosts.values():
        inventory._inventory.add_host(name)  # noqa: SLF001
    inventory.reconcile_inventory()
    for name in hosts.values():
        inventory.subset(name)
        assert [host.name for host in inventory.get_hosts()] == [name]
