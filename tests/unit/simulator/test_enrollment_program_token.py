# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator's tokens of Apple's automated device enrolment."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from simulator import Tenant, World
from unit.simulator.conftest import NOW, At, Graph, intune

pytestmark = pytest.mark.usefixtures("at")

TOKEN_ID = "22222222-2222-4222-8222-222222222222"
# What was told before: three days ago, in whole seconds.
OLD = ("2026-11-23T07:59:57Z", "2026-11-23T08:00:00Z", 0)


@pytest.fixture
def ade(graph: Graph, world: World) -> Graph:
    return graph.of(world.resources["enrollment_program_token"])


def told(entity: dict[str, t.Any]) -> tuple[str, str, int]:
    """What of a token a sync moves."""
    return entity["lastSyncTriggeredDateTime"], entity["lastSuccessfulSyncDateTime"], entity["lastSyncErrorCode"]


def test_token_in_full(ade: Graph, tenant: Tenant) -> None:
    token = tenant.add_enrollment_program_token(TOKEN_ID.upper(), "intune", last_sync=timedelta(days=3))
    assert tenant.enrollment_program_tokens == {TOKEN_ID: token}
    body = ade.list().json()
    assert (body["@odata.count"], body["value"]) == (
        1,
        [
            {
                "appleIdentifier": "ade001@contoso.example",
                "dataSharingConsentGranted": True,
                "id": TOKEN_ID,
                "lastModifiedDateTime": "2026-06-14T08:00:00Z",
                "lastSuccessfulSyncDateTime": OLD[1],
                "lastSyncErrorCode": 0,
                "lastSyncTriggeredDateTime": OLD[0],
                "roleScopeTagIds": ["0"],
                "shareTokenWithSchoolDataSyncService": False,
                "syncedDeviceCount": 7,
                "tokenExpirationDateTime": "2027-06-14T08:00:00Z",
                "tokenName": "intune",
                "tokenType": "dep",
            }
        ],
    )
    assert told(tenant.add_enrollment_program_token().as_json()) == ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 0)


@pytest.mark.parametrize(
    ("outcome", "end"),
    [
        ("completes", ("2026-11-26T08:00:00.123456Z", "2026-11-26T08:00:05.123456Z", 0)),
        ("fails", ("2026-11-26T08:00:00.123456Z", OLD[1], 34)),
        ("never", ("2026-11-26T08:00:00.123456Z", OLD[1], 0)),
    ],
)
def test_sync(ade: Graph, tenant: Tenant, at: At, outcome: str, end: tuple[str, str, int]) -> None:
    token = tenant.add_enrollment_program_token(
        last_sync=timedelta(days=3), last_sync_error_code=12, sync_delay=5, outcome=outcome
    )
    token.failure_code = 34
    assert told(token.as_json()) == (*OLD[:2], 12)
    assert ade.act(token.id).status_code == 204
    # That of the one before goes when the next begins.
    assert told(ade.get(token.id).json()) == (end[0], OLD[1], 0)
    at(5)
    assert told(ade.get(token.id).json()) == end
    assert token.accepted == [NOW]


@pytest.mark.parametrize(("status", "code"), [(None, "BadRequest"), (409, "Conflict"), (429, "TooManyRequests")])
def test_too_soon(ade: Graph, tenant: Tenant, at: At, status: int | None, code: str) -> None:
    token = tenant.add_enrollment_program_token(outcome="never")
    if status is not None:
        token.too_soon_status = status
    token.begin()
    at(899.9)
    response = ade.act(token.id)
    assert (response.status_code, response.json()["error"]["code"]) == (status or 400, code)
    assert intune(response)["Message"].startswith("A sync was requested too recently.")
    assert "Retry-After" not in response.headers
    assert token.accepted == []
    at(900)
    assert ade.act(token.id).status_code == 204


def test_too_soon_after_a_success(ade: Graph, tenant: Tenant) -> None:
    token = tenant.add_enrollment_program_token(last_sync=timedelta(minutes=14), last_triggered=timedelta(minutes=20))
    assert ade.act(token.id).status_code == 400
    token.last_sync = None
    assert ade.act(token.id).status_code == 204


def test_expired(ade: Graph, tenant: Tenant) -> None:
    token = tenant.add_enrollment_program_token(last_sync=timedelta(days=3), expires=NOW)
    response = ade.act(token.id)
    assert (response.status_code, told(token.as_json())) == (400, OLD)
    assert intune(response)["Message"].startswith("The enrollment program token has expired.")
    token.expires = NOW + timedelta(seconds=1)
    assert ade.act(token.id).status_code == 204


def test_told_by_the_names_of_graph(ade: Graph, tenant: Tenant) -> None:
    token = tenant.add_enrollment_program_token(last_sync=timedelta(days=3))
    token.last_sync_triggered_date_time = timedelta(minutes=1)
    assert token.last_triggered == NOW.replace(microsecond=0) - timedelta(minutes=1)
    token.last_sync_triggered_date_time, token.last_sync_error_code = "2026-11-26T07:00:00.1234567Z", 9
    assert told(ade.get(token.id).json()) == ("2026-11-26T07:00:00.123456Z", OLD[1], 9)
    token.token_expiration_date_time = "2026-11-26T07:00:00Z"
    assert ade.act(token.id).status_code == 400
    for rubbish in ("yesterday", "2026-11-26T07:00:00", ""):
        with pytest.raises(ValueError, match="not a time of Graph"):
            token.last_sync_triggered_date_time = rubbish
