# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import fnmatch

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.host_names import (
    host_names,
    safe_name,
    tenant_host_names,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("contoso.example", "contoso.example"),
        ("Two Words", "Two_Words"),
        ("!Fabrikam", "_Fabrikam"),
        ("a,b:c&d@e[1]*?", "a_b_c_d_e_1___"),
        ("--limit", "_limit"),
        ("\uff21\u3164", "A_"),
        ("M\u00fcnchen", "M\u00fcnchen"),
    ],
)
def test_a_name_means_nothing_else_in_a_pattern(text: str, name: str) -> None:
    assert safe_name(text) == name
    assert fnmatch.fnmatch(name, name)


def test_a_name_depends_on_its_own_text_alone() -> None:
    assert host_names(["Two Words", "b"])["Two Words"] == host_names(["Two Words", "c"])["Two Words"] == "Two_Words"


def test_two_that_would_become_one_stay_two() -> None:
    names = host_names(["A B", "A:B", "A_B", "c"])
    assert len({*names.values()}) == 4
    assert names["c"] == "c"
    # Whichever comes first.
    assert names == host_names(["A_B", "c", "A:B", "A B"])
    # Also one that is called as another one would be then.
    again = host_names(["A B", "A:B", names["A B"]])
    assert len({*again.values()}) == 3


@pytest.mark.parametrize("taken", ["all", "ungrouped", "localhost", "127.0.0.1"])
def test_what_ansible_has_already_is_no_name(taken: str) -> None:
    (name,) = host_names([taken]).values()
    assert name != taken
    assert name.startswith(taken)


def test_tenants_that_are_called_the_same_are_told_apart_by_the_tenant() -> None:
    names = {"a.example": "Contoso", "b.example": "Contoso", "c.example": "Two Words", "d.example": "Two:Words"}
    hosts = tenant_host_names(names)
    assert hosts["a.example"] == "Contoso_a.example"
    assert hosts["b.example"] == "Contoso_b.example"
    assert hosts["c.example"] != hosts["d.example"]
    assert tenant_host_names(dict(reversed(names.items()))) == hosts
    # Nor can one be called so that it takes the name of another.
    for name in ("Contoso_a.example", "Contoso\0a.example", "Contoso"):
        hosts = tenant_host_names({**names, "e.example": name})
        assert len({*hosts.values()}) == 5
    assert tenant_host_names({"a.example": "Contoso", "c.example": "Two Words"}) == {
        "a.example": "Contoso",
        "c.example": "Two_Words",
    }
