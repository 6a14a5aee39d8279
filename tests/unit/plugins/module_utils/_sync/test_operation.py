# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision, and the flow with scripted answers and a clock of the test's own."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import islice

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector, kind
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import State, snake_case
from ansible_collections.graphops.intune.plugins.module_utils._sync import decide, look, operation, options, results
from scripted import NOW, Script, synchronise

ID = "e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1"
PARAMS: dict[str, t.Any] = {
    "sync_type": "deltaSync",
    "max_age": None,
    "force": False,
    "require_connected": True,
    "wait": True,
    "wait_timeout": 900,
    "wait_sleep": 15,
}


KIND = exchange_connector.KIND


def wanted(**changes: t.Any) -> options.SyncOptions:
    return options.read_sync_options(KIND, {**PARAMS, **changes})


def connector(age: timedelta | None, status: str = "connected") -> State:
    last = None if age is None else NOW - age
    return KIND.state({"id": ID, "status": status, "lastSyncDateTime": last and last.isoformat()}, NOW)


HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("age", "status", "now", "changes", "expected"),
    [
        # What stands for an action: "fresh" nothing, "post", "refuse".
        (HOUR, "connected", NOW, {}, "fresh"),
        (2 * HOUR, "connected", NOW, {}, "post"),
        (2 * HOUR - timedelta(seconds=1), "connected", NOW, {}, "fresh"),
        (None, "connected", NOW, {}, "post"),
        (HOUR, "connected", NOW, {"sync_type": "fullSync"}, "post"),
        (HOUR, "connected", NOW, {"sync_type": "fullSync", "max_age": 7200}, "fresh"),
        (None, "connected", NOW, {"sync_type": "fullSync", "max_age": 7200}, "post"),
        (timedelta(0), "connected", NOW, {"max_age": 0}, "post"),
        (timedelta(0), "connected", NOW, {"max_age": 1}, "fresh"),
        (HOUR, "connected", NOW, {"force": True}, "post"),
        (HOUR, "connected", NOW, {"force": True, "max_age": 86400}, "post"),
        (HOUR, "connected", None, {}, "post"),
        (None, "connected", None, {}, "post"),
        (timedelta(seconds=-300), "connected", NOW, {}, "fresh"),
        (timedelta(seconds=-301), "connected", NOW, {}, "post"),
        (HOUR, "disconnected", NOW, {}, "fresh"),
        (DAY, "disconnected", NOW, {}, "refuse"),
        (None, "connectionPending", NOW, {}, "refuse"),
        (HOUR, "none", NOW, {"force": True}, "refuse"),
        (DAY, "someday", NOW, {}, "refuse"),
        (DAY, "disconnected", NOW, {"require_connected": False}, "post"),
        (HOUR, "disconnected", NOW, {"require_connected": False, "force": True}, "post"),
    ],
)
def test_the_decision(
    age: timedelta | None, status: str, now: datetime | None, changes: dict[str, t.Any], expected: str
) -> None:
    decision = decide.decide(connector(age, status), now, wanted(**changes), KIND)
    assert decision.verdict == {"fresh": "fresh", "post": "due", "refuse": "refused"}[expected]
    assert decision.reason


@pytest.mark.parametrize(
    ("age", "changes", "reason", "known"),
    [
        (DAY, {}, "the last synchronisation ended 1 d ago, beyond max_age (2 h)", 86400),
        (HOUR, {}, "the last synchronisation ended 1 h ago, within max_age (2 h)", 3600),
        (None, {}, "the connector has never synchronised", None),
        (HOUR, {"force": True}, "force is set", 3600),
        (HOUR, {"sync_type": "fullSync"}, "a fullSync is always requested, as max_age is 0", 3600),
    ],
)
def test_the_reason_in_words(age: timedelta | None, changes: dict[str, t.Any], reason: str, known: int | None) -> None:
    decision = decide.decide(connector(age), NOW, wanted(**changes), KIND)
    assert (decision.reason, decision.age, decision.warning) == (reason, known, "")


@pytest.mark.parametrize(
    ("age", "status", "now", "warning"),
    [
        (
            HOUR,
            "disconnected",
            NOW,
            "its status is disconnected, so the next synchronisation fails unless that changes",
        ),
        (-DAY, "connected", NOW, "the last synchronisation is said to end in the future (2026-11-23T18:00:00Z)"),
        (HOUR, "connected", None, "Graph did not tell the time, so the age of the last synchronisation is not known"),
    ],
)
def test_warnings(age: timedelta, status: str, now: datetime | None, warning: str) -> None:
    assert decide.decide(connector(age, status), now, wanted(), KIND).warning.startswith(warning)


@pytest.mark.parametrize(
    ("longest", "delays"), [(15, [1, 2, 4, 8, 15, 15]), (1, [1, 1, 1, 1, 1, 1]), (600, [1, 2, 4, 8, 16, 32])]
)
def test_looks_come_sooner_at_first(longest: int, delays: list[float]) -> None:
    assert list(islice(operation.poll_delays(longest), 6)) == delays


def shown(last: datetime, status: str = "connected") -> tuple[int, bytes, dict[str, str]]:
    entity = {"id": ID, "lastSyncDateTime": last.isoformat(), "status": status}
    return 200, json.dumps(entity).encode(), {"request-id": "the read"}


OLD = shown(NOW - DAY)
NEW = shown(NOW)
ACCEPTED = (204, b"", {"request-id": "the post"})
BUSY: tuple[int, bytes, dict[str, str]] = (429, b"", {})
DOWN: tuple[int, bytes, dict[str, str]] = (503, b"", {})
GATEWAY: tuple[int, bytes, dict[str, str]] = (504, b"", {})
REFUSED: tuple[int, bytes, dict[str, str]] = (400, b"", {})
BROKEN = (500, b'{"error": {"code": "InternalServerError", "message": "An error has occurred."}}', {})
LOST = errors.NoResponse("it was cut", may_have_run=True)
UNSENT = errors.NoResponse("it could not be reached", may_have_run=False)
# What a proxy says that lets nobody through, and that is none of Graph's words.
PAGE: tuple[int, bytes, dict[str, str]] = (200, b"<html>Blocked</html>", {"content-type": "text/html"})
GIVES_UP = (503, b'{"error": {"code": "CancelledOnServiceTimeout", "message": ""}}', {})


def run(script: Script, *, check_mode: bool = False, **changes: t.Any) -> dict[str, t.Any]:
    return synchronise(KIND, ID, wanted(**changes), script, check_mode=check_mode)


@pytest.mark.parametrize(
    ("answers", "state", "sent"),
    [
        ([OLD, ACCEPTED, NEW], "completed", "GET POST GET"),
        ([OLD, ACCEPTED, OLD, OLD, NEW], "completed", "GET POST GET GET GET"),
        ([NEW], "fresh", "GET"),
        ([OLD, BUSY, ACCEPTED, NEW], "completed", "GET POST POST GET"),
        ([OLD, BUSY, BUSY, BUSY, ACCEPTED, NEW], "completed", "GET POST POST POST POST GET"),
        # A 503 was not handled, so it may be repeated often, but never without a look at the connector.
        ([OLD, DOWN, OLD, DOWN, OLD, DOWN, OLD, ACCEPTED, NEW], "completed", None),
        ([OLD, UNSENT, UNSENT, UNSENT, ACCEPTED, NEW], "completed", "GET POST POST POST POST GET"),
        ([OLD, LOST, NEW], "completed", "GET POST GET"),
        ([OLD, LOST, OLD, ACCEPTED, NEW], "completed", "GET POST GET POST GET"),
        ([OLD, LOST, OLD, BUSY, OLD, ACCEPTED, NEW], "completed", "GET POST GET POST GET POST GET"),
        ([OLD, LOST, OLD, UNSENT, OLD, ACCEPTED, NEW], "completed", "GET POST GET POST GET POST GET"),
        ([OLD, GATEWAY, OLD, GATEWAY, NEW], "completed", "GET POST GET POST GET"),
        ([OLD, LOST, OLD, LOST, OLD, OLD, NEW], "completed", "GET POST GET POST GET GET GET"),
        # Whatever comes after a lost answer, the sync may have been accepted, and it shows.
        ([OLD, LOST, OLD, REFUSED, OLD, NEW], "completed", "GET POST GET POST GET GET"),
        ([OLD, LOST, REFUSED, OLD, NEW], "completed", "GET POST GET GET GET"),
        ([OLD, PAGE, OLD, ACCEPTED, NEW], "completed", "GET POST GET POST GET"),
        ([OLD, (200, b"{}", {}), NEW], "completed", "GET POST GET"),
        ([OLD, (202, b"", {}), NEW], "completed", "GET POST GET"),
    ],
)
def test_what_is_sent_until_it_shows(answers: list[t.Any], state: str, sent: str | None) -> None:
    script = Script(*answers)
    result = run(script)
    assert result["sync"]["state"] == state
    assert result["changed"] is (state != "fresh")
    posts = [method for method in script.sent if method != "renew"]
    assert not script.answers[1:], "all answers were asked for"
    if sent is not None:
        assert " ".join(posts) == sent


@pytest.mark.parametrize(
    ("answers", "state", "changed", "what"),
    [
        ([OLD, REFUSED], "refused", False, "could not request a deltaSync, Graph answered HTTP 400 (Bad Request)"),
        ([OLD, (501, b"", {})], "refused", False, "could not request a deltaSync, Graph answered HTTP 501"),
        ([OLD, BROKEN, OLD, BROKEN, OLD], "unknown", True, "whether Graph accepted the request is not known, because"),
        ([OLD, BROKEN, OLD, REFUSED, OLD], "unknown", True, "whether Graph accepted the request is not known"),
        ([OLD, BUSY], "refused", False, "Graph answered HTTP 429 (Too Many Requests)"),
        ([OLD, UNSENT], "refused", False, "it could not be reached"),
        ([OLD, LOST, OLD, LOST, OLD], "unknown", True, "whether Graph accepted the request is not known"),
        ([OLD, GIVES_UP, OLD, GIVES_UP, OLD], "unknown", True, "whether Graph accepted the request is not known"),
        ([OLD, LOST, OLD, REFUSED, OLD], "unknown", True, "whether Graph accepted the request is not known"),
        ([OLD, LOST, OLD, BUSY, OLD, BUSY, OLD, BUSY, OLD], "unknown", True, "whether Graph accepted the request"),
        (
            [OLD, PAGE, OLD, PAGE, OLD],
            "unknown",
            True,
            "whether Graph accepted the request is not known, because graph",
        ),
        (
            [OLD, ZeroDivisionError(), OLD],
            "unknown",
            True,
            "whether Graph accepted the request is not known, because an",
        ),
    ],
)
def test_failures_without_waiting(answers: list[t.Any], state: str, changed: bool, what: str) -> None:
    script = Script(*answers, retry_timeout=5)
    with pytest.raises(results.SyncFailed) as caught:
        run(script, wait=False)
    assert caught.value.what.startswith(what)
    assert (caught.value.result["sync"]["state"], caught.value.result["changed"]) == (state, changed)
    assert script.elapsed <= 5


OTHER = (200, json.dumps({"id": "another", "lastSyncDateTime": NOW.isoformat()}).encode(), {})


@pytest.mark.parametrize(
    "trouble", [BROKEN, (502, b"<html>", {}), BUSY, LOST, PAGE, OTHER, (200, b'{"id": 7}', {}), (501, b"", {})]
)
def test_trouble_with_one_look_is_not_the_end_of_the_wait(trouble: t.Any) -> None:
    result = run(Script(OLD, ACCEPTED, OLD, trouble, trouble, trouble, NEW, retry_timeout=0))
    assert (result["sync"]["state"], result["changed"]) == ("completed", True)


def test_a_refusal_of_a_look_is_the_end_of_the_wait() -> None:
    script = Script(OLD, ACCEPTED, OLD, REFUSED)
    with pytest.raises(results.SyncFailed, match="but whether it ended cannot be seen") as caught:
        run(script)
    assert caught.value.result["changed"] is True
    assert script.elapsed < 60


@pytest.mark.parametrize("trouble", [BROKEN, (502, b"<html>", {})])
def test_the_first_look_is_tried_again(trouble: t.Any) -> None:
    assert run(Script(trouble, OLD, ACCEPTED, NEW))["sync"]["state"] == "completed"


@pytest.mark.parametrize("answer", [BROKEN, (200, b'{"error": {"code": "UnknownError"}}', {})])
def test_trouble_with_the_request_may_have_been_yes(answer: t.Any) -> None:
    script = Script(OLD, answer, NEW)
    assert run(script, wait=False)["sync"]["state"] == "completed"
    assert script.sent.count("POST") == 1


def test_a_503_that_stays_is_refused_when_nothing_shows() -> None:
    answers = [OLD, *[DOWN, OLD] * 50]
    script = Script(*answers, retry_timeout=60)
    with pytest.raises(results.SyncFailed) as caught:
        run(script)
    assert caught.value.result["changed"] is False
    assert script.elapsed <= 60
    assert script.sent.count("renew") == script.sent.count("POST"), "after a 503, a new connection"


def test_waiting_ends_at_wait_timeout_and_not_before() -> None:
    script = Script(OLD, ACCEPTED, OLD)
    with pytest.raises(results.SyncFailed) as caught:
        run(script, wait_timeout=900, wait_sleep=15)
    assert script.elapsed == 900
    assert caught.value.result["changed"] is True
    assert "did not show within wait_timeout (15 min)" in caught.value.what
    # 1 + 2 + 4 + 8 and then every 15 s; the last look is at the very end.
    assert script.sent.count("GET") == 1 + 4 + 59


def test_an_outage_while_waiting_is_waited_out() -> None:
    script = Script(OLD, ACCEPTED, *[DOWN] * 20, NEW, retry_timeout=10)
    assert run(script, wait_timeout=900)["sync"]["state"] == "completed"
    assert script.elapsed < 900


@pytest.mark.parametrize("wait_timeout", [1, 7, 900])
def test_no_outage_makes_the_waiting_longer(wait_timeout: int) -> None:
    script = Script(OLD, ACCEPTED, DOWN, retry_timeout=120)
    with pytest.raises(results.SyncFailed):
        run(script, wait_timeout=wait_timeout)
    assert script.elapsed <= wait_timeout


def test_check_mode_never_posts() -> None:
    script = Script(OLD)
    assert run(script, check_mode=True)["sync"]["state"] == "predicted"
    assert script.sent == ["GET"]


@pytest.mark.parametrize(
    ("name", "snake"),
    [
        ("lastSyncDateTime", "last_sync_date_time"),
        ("id", "id"),
        ("primarySmtpAddress", "primary_smtp_address"),
        ("someURLOfIt", "some_url_of_it"),
        ("version2Name", "version2_name"),
        ("URL", "url"),
    ],
)
def test_snake_case(name: str, snake: str) -> None:
    assert snake_case(name) == snake


@pytest.mark.parametrize(
    "entity",
    [
        None,
        [],
        "x",
        1,
        {},
        {"id": 1},
        {"id": ""},
        {"id": "../users"},
        {"id": "x" * 65},
        {"value": []},
        {"value": {"status": "connected"}},
    ],
)
def test_what_is_no_connector(entity: t.Any) -> None:
    with pytest.raises(errors.IntuneError, match="no Exchange connector"):
        look.snapshot(KIND, entity, NOW, None)


def test_names_that_differ_in_case_only_do_not_change_which_connector_it_is() -> None:
    entity = {"id": ID, "Id": "../../users", "ID": 5, "lastSyncDateTime": None, "LastSyncDateTime": "2026-01-01"}
    found = kind.shown(KIND, look.snapshot(KIND, entity, NOW, None).entity)
    assert found["id"] == ID
    assert found["last_sync_date_time"] is None


def test_an_error_of_ours_while_waiting_takes_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_readings: t.Any, **_more: t.Any) -> bool:
        raise ZeroDivisionError

    monkeypatch.setattr(operation, "has_ended", broken)
    with pytest.raises(results.SyncFailed, match=r"an error inside graphops.intune, ZeroDivisionError") as caught:
        run(Script(OLD, ACCEPTED, NEW))
    assert (caught.value.result["sync"]["state"], caught.value.result["changed"]) == ("requested", True)


def test_a_status_is_one_line_of_some_length() -> None:
    word = look.snapshot(KIND, {"id": ID, "status": "x\n" + "y" * 10**6}, NOW, None).known_state().word
    assert word.isprintable()
    assert len(word) <= 400


def test_all_requests_until_it_is_accepted_share_retry_timeout() -> None:
    script = Script(LOST, retry_timeout=4)

    def slowly(answer: tuple[int, bytes, dict[str, str]]) -> t.Callable[[], t.Any]:
        def late() -> t.Any:
            script.elapsed += 1
            return answer

        return late

    # Two tries to read take three of the four seconds, so there is no time for two to request.
    script.answers = [slowly(DOWN), slowly(OLD), slowly(BUSY), ACCEPTED, NEW]
    with pytest.raises(errors.IntuneError, match=r"HTTP 429 .* \(tried once within retry_timeout, 4 s\)"):
        run(script)


@pytest.mark.parametrize(("apart", "warned"), [(0, 0), (300, 0), (301, 1), (-86400, 1)])
def test_clocks_that_are_far_apart_are_told(apart: int, warned: int) -> None:
    graphs = NOW + timedelta(seconds=apart)
    status, body, headers = shown(graphs - timedelta(minutes=5))
    script = Script((status, body, {**headers, "date": format_datetime(graphs, usegmt=True)}))
    changes: dict[str, t.Any]
    for changes, expected in (({}, warned), ({"max_age": 0}, 0), ({"force": True}, 0)):
        warnings: list[str] = []
        synchronise(KIND, ID, wanted(**changes), script, check_mode=True, warn=warnings.append)
        assert len([text for text in warnings if "clock" in text]) == expected
