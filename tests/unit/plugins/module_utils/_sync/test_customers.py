# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A partner's customers: all of them, or none."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._sync import customers
from scripted import Script

FIRST, SECOND, THIRD = (f"{number}fdbff88-9d6b-42e0-9713-45c922ba8001" for number in (1, 2, 3))


def entity(tenant: t.Any, name: t.Any = "Contoso") -> dict[str, t.Any]:
    return {"id": tenant, "tenantId": tenant, "displayName": name, "@odata.etag": "x"}


def page(*entities: t.Any, following: str = "") -> tuple[int, bytes, dict[str, str]]:
    link = {"@odata.nextLink": f"https://graph.example/v1.0/tenantRelationships/{following}"} if following else {}
    return 200, json.dumps({"value": entities, **link}).encode(), {}


def read(*answers: t.Any, who: str = errors.APP) -> list[tuple[str, str]]:
    graph = Script(*answers, retry_timeout=0).graph()
    graph.asker = graph_errors.Asker(who, customers.PERMISSION)
    return [tuple(one) for one in graph.run(customers.read(graph))]


def test_all_pages_are_one_list_by_name() -> None:
    answers = [
        page(entity(SECOND.upper(), " Fabrikam "), entity(FIRST, "contoso"), following="2"),
        page(entity(SECOND, "Fabrikam"), entity(THIRD, None)),
    ]
    assert read(*answers) == [(THIRD, ""), (FIRST, "contoso"), (SECOND, "Fabrikam")]


@pytest.mark.parametrize(
    "last",
    [
        (503, b"", {}),
        (403, b"{}", {}),
        (200, b"{}", {}),
        (200, b'{"value": [', {}),
        page(following="2"),
        page(entity(THIRD), following="../../../elsewhere"),
        errors.NoResponse("gone", may_have_run=False),
    ],
    ids=["503", "403", "no list", "cut", "for ever", "for ever elsewhere", "lost"],
)
def test_a_page_that_is_missing_is_no_list(last: t.Any) -> None:
    with pytest.raises(errors.IntuneError):
        read(page(entity(FIRST), following="2"), last)


@pytest.mark.parametrize(
    "other",
    [None, "x", {}, entity(None), entity(""), entity(1), entity("contoso.example"), entity(f"{SECOND}/x"), entity([])],
)
def test_one_that_is_no_customer_spoils_the_list(other: t.Any) -> None:
    with pytest.raises(errors.Unavailable, match="one whose tenantId is no GUID"):
        read(page(entity(FIRST), other))


def test_an_empty_list_is_none() -> None:
    with pytest.raises(errors.Unavailable, match=r"Graph's list is empty") as caught:
        read(page())
    assert "an active relationship (GDAP)" in caught.value.sentence()


@pytest.mark.parametrize(
    ("who", "advice"),
    [
        (errors.APP, "in the partner's tenant, as an application permission."),
        (errors.USER, "as a delegated permission, and give the user a role in Partner Center, such as Admin agent."),
    ],
)
def test_what_is_forbidden_says_what_to_grant(who: str, advice: str) -> None:
    with pytest.raises(errors.GraphError) as caught:
        read((403, b'{"error": {"code": "Authorization_RequestDenied", "message": "No."}}', {}), who=who)
    said = caught.value.sentence("x")
    assert said.startswith("x: could not list them, Graph answered HTTP 403")
    assert f"grant the app {customers.PERMISSION} with admin consent in the partner's tenant, " in said
    assert said.endswith(advice)
