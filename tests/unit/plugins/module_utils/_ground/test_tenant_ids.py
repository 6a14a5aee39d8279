# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.tenant_ids import is_guid, is_tenant

GUID = "4fdbff88-9d6b-42e0-9713-45c922ba8001"


@pytest.mark.parametrize("text", [GUID, GUID.upper()])
def test_a_guid(text: str) -> None:
    assert is_guid(text)
    assert is_tenant(text)


@pytest.mark.parametrize("text", ["contoso.example", "Contoso.onmicrosoft.com", "a-b.c", "xn--bcher-kva.example"])
def test_a_domain(text: str) -> None:
    assert is_tenant(text)
    assert not is_guid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "contoso",
        "common",
        "tenant",
        f"{GUID}\n",
        f"{GUID}/x",
        GUID[:-1],
        "../x.example",
        "a.example/b",
        "a.example?x",
        "a b.example",
        "-a.example",
        "a-.example",
        ".example",
        "a..example",
        "a.example.",
        "b\u00fccher.example",
        "a.example\n",
        "a" * 64 + ".example",
        "a." * 127 + "example",
    ],
)
def test_what_must_not_become_part_of_an_address(text: str) -> None:
    assert not is_tenant(text)
    assert not is_guid(text)
