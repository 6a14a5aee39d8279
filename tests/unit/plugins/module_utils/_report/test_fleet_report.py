# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run over many connectors came to: from results to entries, counts, a table, and reports in three forms."""

from __future__ import annotations

import base64
import csv
import functools
import hashlib
import io
import itertools
import json
import re
import typing as t
import unicodedata
from html.parser import HTMLParser

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.words import Words
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector, vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_report, fleet_summary
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import Entry
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

ID = "e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1"
REQUEST = "9f3a1c0e-6a5e-4f0e-8d9e-0f1c2b3a4d5e"
BEFORE, AFTER = "2026-11-19T16:37:02Z", "2026-11-22T18:04:11.320597Z"
RUN = {"started": "2026-11-22T18:00:00Z", "finished": "2026-11-22T18:06:10Z"}
TENANT = "contoso.example"
LONG_AGO = "the last synchronisation ended 3 d 1 h ago, beyond max_age (2 h)"
WORDS = {kind.name: kind.words for kind in (exchange_connector.KIND, vpp_token.KIND)}
CONNECTORS = {exchange_connector.KIND.name: exchange_connector.KIND.words}

table = functools.partial(fleet_report.table, words=CONNECTORS)
to_html = functools.partial(fleet_report.to_html, words=CONNECTORS)
render = functools.partial(fleet_report.render, words=CONNECTORS)
verdict_of = functools.partial(fleet_summary.verdict, words=CONNECTORS)


def result(state: str, msg: str = "", **changes: t.Any) -> dict[str, t.Any]:
    """A result of the module as Ansible registers it."""
    changed = state not in ("fresh", "refused")
    values = {
        "changed": changed,
        "failed": bool(msg),
        "connector": {
            "id": ID,
            "server_name": "EXCHANGE01",
            "status": "connected",
            "last_sync_date_time": AFTER if state == "completed" else BEFORE,
        },
        "sync": {
            "age": 264300,
            "completed_at": AFTER if state == "completed" else None,
            "max_age": 7200,
            "previous_sync_date_time": BEFORE,
            "reason": LONG_AGO,
            "requested_at": "2026-11-22T18:02:03Z" if changed else None,
            "state": state,
            "type": "deltaSync",
        },
        "request_id": REQUEST,
        **changes,
    }
    return {**values, "msg": f"{msg}."} if msg else values


def made(host: str = "exch-01", outcome: str = "fresh", **changes: t.Any) -> Entry:
    values: dict[str, t.Any] = {
        "host": host,
        "tenant": TENANT,
        "connector_id": ID,
        "server_name": "EXCHANGE01",
        "outcome": outcome,
        "reason": "the last synchronisation ended 20 min ago, within max_age (2 h)",
        "changed": outcome not in ("fresh", "failed", "skipped"),
        "age_before": 1200,
        "age_after": 1200,
        "max_age": 7200,
        "previous_sync_date_time": BEFORE,
        "last_sync_date_time": BEFORE,
        "status": "connected",
        "sync_type": "deltaSync",
        "request_id": REQUEST,
    }
    return Entry(**{**values, **changes})


# --- Reading results

NOT_SHOWN = "Graph accepted the deltaSync, but it did not show within wait_timeout (15 min); run again later"


@pytest.mark.parametrize(
    ("given_result", "outcome", "reason"),
    [
        (result("fresh"), "fresh", LONG_AGO),
        (result("fresh", connector={}), "fresh", LONG_AGO),
        (
            result("fresh", connector={"status": "disconnected"}),
            "fresh",
            f"{LONG_AGO}; but its status is disconnected, so the next synchronisation fails unless that changes",
        ),
        (result("requested"), "requested", f"requested because {LONG_AGO}"),
        (result("completed"), "synchronised", f"requested because {LONG_AGO}"),
        (result("completed", connector={"status": "disconnected"}), "synchronised", f"requested because {LONG_AGO}"),
        (result("predicted"), "predicted", f"due because {LONG_AGO}"),
        (result("predicted", sync={"state": "predicted"}), "predicted", ""),
        (result("refused", "its status is disconnected"), "failed", "its status is disconnected"),
        (result("unknown", "nobody knows"), "unknown", "nobody knows"),
        (result("unknown"), "unknown", "Graph may have accepted the request, its answers were lost"),
        (result("requested", NOT_SHOWN), "failed", NOT_SHOWN),
        (result("requested", NOT_SHOWN, failed=False), "failed", NOT_SHOWN),
        (
            {"failed": True, "changed": False, "msg": "max_age must be at least 0."},
            "failed",
            "max_age must be at least 0",
        ),
        ({"failed": True, "msg": "cut..."}, "failed", "cut..."),
        ({"failed": True}, "failed", "it failed without a reason"),
        ({"failed": True, "msg": ["a", "list"]}, "failed", "it failed without a reason"),
        (
            {"unreachable": True, "changed": False, "msg": "Failed to connect via ssh:\r\nConnection timed out\r\n"},
            "failed",
            "the host could not be reached: Failed to connect via ssh: Connection timed out",
        ),
        ({"unreachable": True}, "failed", "the host could not be reached"),
        ({"skipped": True, "skip_reason": "Conditional result was False"}, "skipped", "Conditional result was False"),
        ({"skipped": True, "msg": "max_failures was reached."}, "skipped", "max_failures was reached"),
        ({"skipped": True}, "skipped", "the task was skipped"),
        (None, "skipped", "it was not reached"),
        ({}, "skipped", "it was not reached"),
        ({"changed": False}, "failed", "its result does not say what was done"),
        ({"sync": {"state": "splendid"}}, "failed", "its result does not say what was done"),
        ({"sync": ["fresh"]}, "failed", "its result does not say what was done"),
        ("fresh", "failed", "its result does not say what was done"),
        (42, "failed", "its result does not say what was done"),
    ],
)
def test_a_result_has_one_outcome_and_a_reason(given_result: t.Any, outcome: str, reason: str) -> None:
    one = fleet_summary.entry("exch-01", given_result)
    assert (one.outcome, one.reason) == (outcome, reason)


def test_an_entry_holds_what_the_result_says() -> None:
    assert fleet_summary.entry("exch-01", result("completed"), tenant=TENANT) == made(
        outcome="synchronised",
        reason=f"requested because {LONG_AGO}",
        age_before=264300,
        age_after=0,
        last_sync_date_time=AFTER,
    )


def test_what_the_result_does_not_say_comes_from_the_host_or_from_the_task() -> None:
    lost = fleet_summary.entry("exch-01", {"unreachable": True}, tenant=TENANT, connector_id=ID)
    assert (lost.tenant, lost.connector_id, lost.max_age, lost.age_after) == (TENANT, ID, None, None)
    asked = {"failed": True, "invocation": {"module_args": {"tenant": TENANT, "connector_id": ID}}}
    assert fleet_summary.entry("exch-01", asked)[:3] == ("exch-01", TENANT, ID)


@pytest.mark.parametrize("age", [None, True, -1, 1.5, "60", pytest.param(10**5000, id="huge"), [60]])
def test_what_is_no_age_is_not_known(age: t.Any) -> None:
    odd = result("requested")
    odd["sync"]["age"] = age
    one = fleet_summary.entry("exch-01", odd)
    assert (one.age_before, one.age_after) == (None, None)
    to_html([one])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
names = st.sampled_from(
    [
        *("failed", "changed", "msg", "unreachable", "skipped", "skip_reason", "request_id", "connector", "sync"),
        *("state", "age", "max_age", "reason", "previous_sync_date_time", "last_sync_date_time", "id", "status"),
    ]
)
results = st.recursive(json_values, lambda inner: st.dictionaries(names, inner), max_leaves=20)


@given(results)
def test_no_result_breaks_a_report(garbage: t.Any) -> None:
    one = fleet_summary.entry("exch-01", garbage)
    assert one.outcome in fleet_summary.OUTCOMES
    for form in ("report.html", "report.json", "report.csv"):
        render(form, [one], **RUN).encode("utf-8")
    assert json.loads(json.dumps(fleet_summary.summary([one])))["total"] == 1
    table(fleet_summary.summary([one]))


# --- The summary


BUT_DISCONNECTED = "recent enough; but its status is disconnected"


def fleet() -> list[Entry]:
    refused = 'could not read it, Graph answered HTTP 403 (Forbidden): "no"; grant the app {}'.format(
        "DeviceManagementServiceConfig.ReadWrite.All with admin consent, and check the licence"
    )
    unread = {"max_age": None, "age_before": None, "age_after": None, "last_sync_date_time": None}
    return [
        made("exch-01", "failed", reason=refused, **unread),
        made("exch-02", "failed", reason="its status is disconnected", age_before=90000, age_after=90000),
        made("exch-03", "failed", tenant="fabrikam.example", reason=refused, **unread),
        made("exch-04", "unknown", reason="no answer came within 60 s", age_before=7300, age_after=7300),
        made("exch-05", "requested", age_before=7300, age_after=7300),
        made("exch-06", "requested", reason="force is set"),
        made("exch-07", "synchronised", age_before=7300, age_after=0),
        made("exch-08", "predicted", age_before=None, age_after=None, last_sync_date_time=None),
        *(made(f"exch-{number:02}") for number in range(9, 19)),
        made("exch-19", reason=BUT_DISCONNECTED, status="disconnected"),
        made("東京-20", "skipped", tenant="日本.example", reason="max_failures was reached", **unread),
    ]


def test_the_summary_counts_and_names() -> None:
    of = fleet_summary.summary(fleet(), **RUN)
    assert list(of) == ["started", "finished", "total", "changed", "outcomes", *fleet_summary.LISTS, "more"]
    assert (of["total"], of["changed"]) == (20, 5)
    assert of["outcomes"] == {
        "failed": 3,
        "unknown": 1,
        "requested": 2,
        "synchronised": 1,
        "predicted": 1,
        "fresh": 11,
        "skipped": 1,
    }
    hosts = {name: [item["host"] for item in of[name]] for name in fleet_summary.LISTS}
    assert hosts == {
        "failed": ["exch-01", "exch-02", "exch-03"],
        "unknown": ["exch-04"],
        "stale": ["exch-05", "exch-08"],
        "disconnected": ["exch-19"],
        "skipped": ["東京-20"],
    }
    assert of["failed"][1] == {
        "host": "exch-02",
        "tenant": TENANT,
        "connector_id": ID,
        "server_name": "EXCHANGE01",
        "age": "1 d 1 h",
        "age_seconds": 90000,
        "reason": "its status is disconnected",
        "request_id": REQUEST,
    }
    assert [item["age"] for item in of["stale"]] == ["2 h 1 min", "never"]
    assert of["disconnected"][0]["reason"] == BUT_DISCONNECTED
    assert of["more"] == {"failed": 0, "unknown": 0, "stale": 0, "disconnected": 0, "skipped": 0}


@pytest.mark.parametrize(
    ("outcome", "status", "listed"),
    [
        ("fresh", "disconnected", True),
        ("fresh", "connectionPending", True),
        ("fresh", "connected", False),
        ("fresh", "", False),
        ("synchronised", "disconnected", False),
        ("failed", "disconnected", False),
    ],
)
def test_what_is_recent_enough_but_not_connected_is_listed_and_in_the_verdict(
    outcome: str, status: str, listed: bool
) -> None:
    of = fleet_summary.summary([made("exch-01"), made("exch-02", outcome, status=status)])
    assert [item["host"] for item in of["disconnected"]] == (["exch-02"] if listed else [])
    assert verdict_of(of).endswith(" 1 not connected.") == listed
    assert ("DISCONNECTED (1)" in table(of)) == listed


def test_the_verdict_counts_the_disconnected_that_the_limit_left_out() -> None:
    some = [made(f"h{n}", status="disconnected", reason="é" * 900) for n in range(900)]
    small = fleet_summary.limited(fleet_summary.summary(some))
    assert 0 < len(small["disconnected"]) < 900
    assert verdict_of(small) == "Of 900 connectors: 900 not connected."


def test_the_order_of_hosts_changes_nothing() -> None:
    entries = fleet()
    shuffled = entries[7:] + entries[6::-1]
    assert fleet_summary.summary(shuffled) == fleet_summary.summary(entries)
    for form in ("a.html", "a.json", "a.csv"):
        assert render(form, shuffled) == render(form, entries)


def test_a_summary_without_connectors() -> None:
    of = fleet_summary.summary([])
    assert of["outcomes"] == dict.fromkeys(fleet_summary.outcomes_of(False), 0)
    assert fleet_summary.limited(of) == of
    assert table(of).startswith("No connector was looked at.\n")
    assert "<tbody>\n\n</tbody>" in to_html([])


def test_a_small_summary_is_not_cut() -> None:
    of = fleet_summary.summary(fleet(), **RUN)
    assert fleet_summary.limited(of) == of


def test_reasons_are_cut_before_lists() -> None:
    of = fleet_summary.summary([made(f"h{n}", "failed", reason="é" * 900) for n in range(40)])
    small = fleet_summary.limited(of)
    assert small["more"]["failed"] == 0
    assert {item["reason"] for item in small["failed"]} == {"é" * 147 + "..."}
    assert len(of["failed"][0]["reason"]) == 900


@pytest.mark.parametrize("most_bytes", [1000, 5000, 60_000])
def test_thousands_of_failures_fit_and_are_counted(most_bytes: int) -> None:
    entries = [made(f"host-{n}", "failed", reason="ä" * 1000, server_name="界" * 100) for n in range(2000)]
    entries += [made(f"late-{n}", "requested", age_after=9000) for n in range(3)]
    small = fleet_summary.limited(fleet_summary.summary(entries), most_bytes)
    assert most_bytes * 0.7 - 600 < len(json.dumps(small).encode()) <= most_bytes
    assert len(small["failed"]) + small["more"]["failed"] == 2000 == small["outcomes"]["failed"]
    assert len(small["stale"]) + small["more"]["stale"] == 3
    assert "FAILED (2000)" in table(small)
    assert fleet_summary.limited(small, most_bytes) == small


def test_what_cannot_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not fit into 100 bytes"):
        fleet_summary.limited(fleet_summary.summary([]), 100)


# --- The table


def test_the_table_of_a_small_fleet() -> None:
    expected = """\
Of 20 connectors: 3 failed, 1 unknown, 1 skipped, 2 due for a synchronisation, 1 not connected.
2026-11-22 18:00:00 to 18:06:10 UTC (6 min 10 s)

    3  failed        no synchronisation was seen
    1  unknown       Graph may have accepted the request, its answers were lost
    2  requested     Graph accepted the request, its end was not waited for
    1  synchronised  it was requested, and its end was seen
    1  predicted     it is due; nothing was requested, as this run only looks
   11  fresh         recent enough, nothing was requested
    1  skipped       nothing was tried
   20  in all, 5 would change

FAILED (3)           tenant            age
  could not read it, Graph answered HTTP 403 (Forbidden): "no"; grant the app
  DeviceManagementServiceConfig.ReadWrite.All with admin consent, and check the licence
    exch-01          contoso.example   not known
    exch-03          fabrikam.example  not known
  its status is disconnected
    exch-02          contoso.example   1 d 1 h

UNKNOWN (1)          tenant            age
  no answer came within 60 s
    exch-04          contoso.example   2 h 1 min

STALE (2)            tenant            age
  Graph accepted the request, its end was not waited for
    exch-05          contoso.example   2 h 1 min
  it is due; nothing was requested, as this run only looks
    exch-08          contoso.example   never

DISCONNECTED (1)     tenant            age
  recent enough; but its status is disconnected
    exch-19          contoso.example   20 min

SKIPPED (1)          tenant            age
  max_failures was reached
    東京-20          日本.example      not known"""
    assert table(fleet_summary.summary(fleet(), **RUN)) == expected


def test_the_table_of_a_good_night() -> None:
    text = table(fleet_summary.summary([made(), made("exch-02", "synchronised", age_after=0)]))
    assert text.startswith("All 2 connectors are up to date.\n")
    assert text.endswith("\n    2  in all, 1 changed")
    assert table(fleet_summary.summary([made()])).startswith("The connector is up to date.\n")


@pytest.mark.parametrize(
    ("outcome", "verdict", "changed"),
    [("predicted", "1 due for a synchronisation", "1 would change"), ("requested", "1 still stale", "1 changed")],
)
def test_a_run_that_only_looks_says_what_would_be(outcome: str, verdict: str, changed: str) -> None:
    some = [made(), made("exch-02", outcome, age_after=9000)]
    lines = table(fleet_summary.summary(some)).splitlines()
    assert lines[0] == f"Of 2 connectors: {verdict}."
    assert f"    2  in all, {changed}" in lines
    page = Page(to_html(some))
    assert (page.inside["h1"], page.texts.count(changed)) == (f"Of 2 connectors: {verdict}.", 1)


@pytest.mark.parametrize(("size", "words"), [(0, "0 connectors"), (1, "1 connector"), (2, "2 connectors")])
def test_one_is_no_plural(size: int, words: str) -> None:
    some = [made(f"exch-{n}", "failed") for n in range(size)]
    page = Page(to_html(some))
    assert words in page.texts
    if size:
        assert page.inside["h1"] == f"Of {words}: {size} failed."
        assert table(fleet_summary.summary(some)).startswith(f"Of {words}: ")


def test_the_table_counts_what_it_leaves_out() -> None:
    of = fleet_summary.summary([made(f"exch-{n:03}", "failed") for n in range(100)])
    lines = table(of, most=10).splitlines()
    assert lines[-1] == "    and 90 more"
    assert sum(line.startswith("    exch-") for line in lines) == 10
    assert any(line.startswith("FAILED (100) ") for line in lines)


def test_the_table_counts_what_the_limit_left_out_before() -> None:
    some = [made(f"h{n}", "failed", reason="é" * 900) for n in range(900)]
    small = fleet_summary.limited(fleet_summary.summary(some))
    left = small["more"]["failed"]
    assert left > 0
    lines = table(small, most=10).splitlines()
    assert lines[-2:] == [f"    and {900 - left - 10} more", f"  and {left} more, each told by its own result"]
    assert any(line.startswith("FAILED (900) ") for line in lines)


def rows_of(text: str, name: str) -> list[str]:
    """The lines of one list of a table, without the ages and tenants."""
    return [line.partition("  contoso")[0].rstrip() for line in text.partition(name)[2].splitlines()[1:]]


def test_each_reason_is_shown_however_many_share_another() -> None:
    some = [made(f"exch-{n:02}", "failed", reason="the licence has ended") for n in range(50)]
    some += [made(f"exch-{n:02}", "failed", reason="its status is disconnected") for n in range(50, 60)]
    rows = rows_of(table(fleet_summary.summary(some)), "FAILED (60)")
    assert rows[0] == "  the licence has ended"
    assert rows[1:50] == [f"    exch-{n:02}" for n in range(49)]
    assert rows[50:] == [
        "    and 1 more",
        "  its status is disconnected",
        "    exch-50",
        "    and 9 more",
    ]


def test_more_reasons_than_rows_are_all_shown() -> None:
    some = [made(f"exch-{n:02}", "failed", reason=f"reason {n}") for n in range(20)]
    text = table(fleet_summary.summary(some), most=3)
    assert all(f"  reason {n}\n    exch-{n:02} " in text for n in range(20))
    assert " more" not in text


def test_reasons_that_differ_in_times_only_are_one() -> None:
    some = [
        made("exch-01", "failed", reason=f"asked for at {BEFORE}, not seen by {AFTER}"),
        made("exch-02", "failed", reason=f"asked for at {AFTER}, not seen by {BEFORE}"),
        made("exch-03", "failed", reason=f"never seen since {BEFORE}"),
        made("exch-04", "failed", reason=f"never seen since {BEFORE}"),
        made("exch-05", "failed", reason=f"alone since {AFTER}"),
    ]
    assert rows_of(table(fleet_summary.summary(some)), "FAILED (5)") == [
        "  asked for at ..., not seen by ...",
        "    exch-01",
        "    exch-02",
        # What is the same with its time keeps it.
        f"  never seen since {BEFORE}",
        "    exch-03",
        "    exch-04",
        f"  alone since {AFTER}",
        "    exch-05",
    ]


def test_escapes_from_graph_are_seen_and_do_nothing() -> None:
    one = made("a\x1b[31m\u202eb", "failed", reason="red \x1b[0m\nnext")
    text = table(fleet_summary.summary([one]))
    assert "a\\x1b[31m\\u202eb" in text
    assert "red \\x1b[0m\\nnext" in text


hostile = st.one_of(
    st.text(max_size=60),
    st.text(
        st.sampled_from("<>&\"'=+-@\t\r\n\x00\x1b\x7f\x85\u2028\u202e\u2066\u200d\u0301界👩\ue000]!/;{}%\\"),
        max_size=60,
    ),
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            "</script><script>alert(1)</script>",
            "</style></title></textarea><img src=x onerror=alert(1)>",
            "--><!--",
            '"><svg onload=alert(1)>',
            "' onmouseover='alert(1)",
            "&lt;b&gt; &#60; &amp",
            "\x1b]0;title\x07\x1b[2J",
            "\u202egnp.exe",
            "=cmd|' /C calc'!A0",
            "{{ 7*7 }}",
            "x" * 1000,
            "界" * 300,
        ]
    ),
)
ages = st.none() | st.integers(0, 10**11 - 1)
entries = st.builds(
    Entry,
    *([hostile] * 4),
    st.sampled_from(list(fleet_summary.OUTCOMES)),
    hostile,
    st.booleans(),
    *([ages] * 3),
    st.none() | hostile,
    st.none() | hostile,
    *([hostile] * 3),
    kind=st.just(fleet_summary.EXCHANGE_CONNECTOR),
)
fleets = st.lists(entries, max_size=4)
patient = settings(suppress_health_check=[HealthCheck.too_slow])


def columns(line: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - marks(line)


def marks(line: str) -> int:
    # A mark takes no column of its own, however wide East Asian tables call it.
    return sum(
        2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line if unicodedata.category(c) in ("Mn", "Me")
    )


@patient
@given(fleets, hostile, hostile, st.integers(0, 200))
@example([made("a", "failed", reason=" "), made("b", "failed", reason="x ")], "", "", 0)
def test_no_line_of_the_table_is_too_long_or_controls_anything(
    some: list[Entry], started: str, finished: str, width: int
) -> None:
    text = table(fleet_summary.summary(some, started=started, finished=finished), width=width)
    for line in text.split("\n"):
        assert line.isprintable()
        assert columns(line) <= max(width, 60)
        assert line == line.rstrip(" ")


@pytest.mark.parametrize("width", [0, 60, 61, 64, 80, 100, 133])
def test_long_names_are_wrapped_and_not_cut(width: int) -> None:
    one = made("q" * 300, "failed", tenant="界" * 300, reason="r" * 300, age_after=10**10)
    text = table(fleet_summary.summary([one]), width=width)
    assert max(map(columns, text.splitlines())) <= max(width, 60)
    rows = text.partition("FAILED")[2].replace("tenant", "")
    assert (rows.count("q"), rows.count("界"), rows.count("r")) == (300, 300, 300)


# --- Other kinds


def of_kind(kind: str, *outcomes: str) -> list[Entry]:
    return [
        made(f"{kind}-{number}", outcome, kind=kind, server_name="", status="completed")
        for number, outcome in enumerate(outcomes)
    ]


TOKENS = of_kind("vpp_token", "failed", "fresh", "synchronised")
BOTH = [made(), made("exch-02"), *of_kind("vpp_token", "failed")]


@pytest.mark.parametrize(
    ("some", "tenants", "verdict"),
    [
        (TOKENS, {}, "Of 3 tokens in 3 tenants: 1 failed."),
        (TOKENS[:1], {}, "Of 1 token in 1 tenant: 1 failed."),
        (TOKENS[1:], {}, "All 2 tokens in 2 tenants are up to date."),
        (TOKENS[1:2], {}, "The token in 1 tenant is up to date."),
        (BOTH, {"other": "other.example"}, "Of 3 connectors and tokens in 4 tenants: 1 failed."),
        (
            [TOKENS[1]._replace(expires_soon=True, days_left=3)],
            {},
            "The token in 1 tenant is up to date; 1 expires soon.",
        ),
        ([], {"a": "a.example", "b": ""}, "2 tenants have no connector or token."),
        ([], {}, "No tenant was looked at."),
    ],
)
def test_the_verdict_names_things_and_tenants(some: list[Entry], tenants: dict[str, str], verdict: str) -> None:
    of = fleet_summary.summary(some, tenants=tenants)
    assert fleet_report.table(of, WORDS).splitlines()[0] == verdict
    assert fleet_report.table(fleet_summary.limited(of), WORDS).splitlines()[0] == verdict
    assert Page(fleet_report.to_html(some, WORDS, tenants=tenants)).inside["h1"] == verdict


TENANTS = {"Contoso": TENANT, "Fabrikam": "fabrikam.example", "Empty": "empty.example"}


def tenants_fleet() -> list[Entry]:
    """One tenant that is read in part, and one that cannot be."""
    nothing = {
        "connector_id": "",
        "server_name": "",
        "age_before": None,
        "age_after": None,
        "max_age": None,
        "last_sync_date_time": None,
        "changed": False,
    }
    token = functools.partial(made, "Contoso", kind="vpp_token", status="")
    gone = f"no consent (request id {REQUEST})"
    return [
        made("Fabrikam", "unreadable", tenant="fabrikam.example", kind="tenant", reason=gone, **nothing),
        made("Contoso", "unreadable", kind="exchange_connector", reason="HTTP 403", **nothing),
        token("obstacle", server_name="Old", connector_id="1", reason="it expired 5 days ago", days_left=-5),
        token("obstacle", server_name="Older", connector_id="2", reason="it expired 1 day ago", days_left=-1),
        token("synchronised", server_name="Due", connector_id="3", age_after=0, days_left=12, expires_soon=True),
        token("failed", server_name="=Late", connector_id="4", days_left=3, expires_soon=True, reason="it is never"),
        token("failed", server_name="Later", connector_id="5", reason=f"it is {BEFORE}"),
    ]


def test_the_summary_of_tenants() -> None:
    of = fleet_summary.summary(tenants_fleet(), tenants=TENANTS)
    assert list(of) == [
        *("started", "finished", "total", "changed", "outcomes"),
        *fleet_summary.LISTS_OF_TENANTS,
        *("more", "kinds", "tenants"),
    ]
    assert of["total"] == 5
    assert of["kinds"] == {"vpp_token": 5}
    assert of["outcomes"]["unreadable"] == 2
    assert of["tenants"] == {
        "total": 3,
        "failed": 0,
        "unreadable": 1,
        "skipped": 0,
        "partly": 1,
        "partly_unreadable": 1,
        "obstacle": 1,
        "expires_soon": 1,
        "empty": 1,
    }
    assert [item["name"] for item in of["expires_soon"]] == ["=Late", "Due"]
    assert of["expires_soon"][0] == {
        "host": "Contoso",
        "tenant": TENANT,
        "kind": "vpp_token",
        "id": "4",
        "name": "=Late",
        "age": "20 min",
        "age_seconds": 1200,
        "days_left": 3,
        "reason": "",
        "request_id": REQUEST,
    }


def test_the_table_of_tenants() -> None:
    lines = fleet_report.table(fleet_summary.summary(tenants_fleet(), tenants=TENANTS), TENANT_WORDS).splitlines()
    assert lines[0].startswith("Of 5 tokens in 3 tenants: 1 tenant could not be read, 1 tenant could be read in part")
    assert "    5  connectors and tokens, 3 changed" in lines
    assert "    3  tenants, 1 of them with none of the chosen kinds" in lines
    where = lines.index("  it is ...")
    assert [line.split() for line in lines[where - 1 : where + 3]] == [
        ["FAILED", "(2)", "kind", "name", "age", "days", "left"],
        ["it", "is", "..."],
        ["Contoso", "Apple", "VPP", "token", "=Late", "20", "min", "3"],
        ["Contoso", "Apple", "VPP", "token", "Later", "20", "min"],
    ]
    assert "  it expired ... ago" in lines
    assert any(line.startswith("EXPIRES SOON (2)") for line in lines)


def test_two_thousand_tenants_fit() -> None:
    some = [
        made(f"t{n}", "failed", kind="vpp_token", server_name="界" * 60, reason="r" * 500, expires_soon=True)
        for n in range(2000)
    ]
    small = fleet_summary.limited(fleet_summary.summary(some, tenants={f"t{n}": "" for n in range(2100)}))
    assert len(json.dumps(small)) <= 60_000
    assert len(small["failed"]) + small["more"]["failed"] == 2000
    assert (small["tenants"]["total"], small["tenants"]["empty"]) == (2100, 100)


def test_a_page_of_tenants_shows_what_is_wrong_once_and_what_expires() -> None:
    text = render_tenants("night.html")
    page = Page(text)
    assert page.inside["title"] == "Apple VPP tokens 2026-11-22 18:00:00 to 18:06:10 UTC (6 min 10 s)"
    assert page.texts.count("it is ...") == 1
    assert page.texts.count("it expired ... ago") == 1
    assert "Expires soon" in page.texts
    assert "Empty" in page.texts
    assert {"vpp_token", "exchange_connector", "tenant"} <= {*page.values}
    link = next(value for value in page.values if value.startswith("data:text/csv"))
    table_of_page = base64.b64decode(link.partition(",")[2]).decode()
    assert table_of_page == render_tenants("night.csv")


def test_no_value_breaks_out_of_a_page_of_tenants() -> None:
    bad = "</script></td><script>alert(1)</script>\"'><img src=x>"
    hostile_ones = [one._replace(host=bad, tenant=bad, server_name=bad, reason=bad) for one in tenants_fleet()]
    page = Page(fleet_report.render("x.html", hostile_ones, TENANT_WORDS, started=bad, tenants={bad: bad}))
    assert [tag for tag, _names in page.tags].count("script") == 1
    assert "img" not in {tag for tag, _names in page.tags}


TENANT_WORDS = {**WORDS, "tenant": Words("tenant", "tenants", "tenant")}


def render_tenants(path: str) -> str:
    return fleet_report.render(path, tenants_fleet(), TENANT_WORDS, tenants=TENANTS, **RUN)


def test_the_things_of_tenants_have_an_id_and_a_name_in_json_and_csv() -> None:
    document = json.loads(render_tenants("night.json"))
    assert document["tenants"] == [{"host": host, "tenant": TENANTS[host]} for host in sorted(TENANTS)]
    assert {"id", "name", "kind", "days_left", "expires_soon"} <= {*document["connectors_and_tokens"][0]}
    lines = [*csv.DictReader(io.StringIO(render_tenants("night.csv")))]
    assert [line["name"] for line in lines if line["outcome"] == "failed"] == ["'=Late", "Later"]
    assert sorted(line["days_left"] for line in lines) == ["", "", "", "-1", "-5", "12", "3"]
    assert "connector_id" not in lines[0]


def test_a_status_of_another_kind_is_none_of_a_connection() -> None:
    assert "disconnected" not in fleet_summary.summary(TOKENS)


# --- JSON and CSV


OF_TENANTS = ("kind", "expires_date_time", "days_left", "expires_soon")


def fields(one: Entry) -> dict[str, t.Any]:
    """What is told of a connector: of a report about nothing else, the kind is plain."""
    return {name: value for name, value in one._asdict().items() if name not in OF_TENANTS}


@patient
@given(fleets, hostile)
def test_json_gives_back_every_entry(some: list[Entry], started: str) -> None:
    text = fleet_report.to_json(some, started=started)
    assert text.isascii()
    document = json.loads(text)
    assert document["summary"] == fleet_summary.summary(some, started=started)
    assert sorted(document["connectors"], key=repr) == sorted(map(fields, some), key=repr)


@patient
@given(fleets)
def test_csv_gives_back_every_entry(some: list[Entry]) -> None:
    text = fleet_report.to_csv(some)
    text.encode("utf-8")
    assert all(line.isprintable() for line in text.split("\r\n"))
    header, *lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == [*fields(made())]
    assert len(lines) == len(some)
    for line in lines:
        assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in line)
    without_apostrophes = [[cell.replace("'", "") for cell in line] for line in lines]
    assert sorted(without_apostrophes) == sorted(csv_cells(one) for one in some)


def csv_cells(one: Entry) -> list[str]:
    """What is in the cells, without apostrophes."""
    cells = []
    for value in fields(one).values():
        text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        safe = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
        cells.append(safe.replace("'", ""))
    return cells


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\\t=1"),
        ("\r=1", "'\\r=1"),
        ("\uff1d1", "'\uff1d1"),
        (" =1", "' =1"),
        ("EX;=1+1;", "EX;'=1+1;"),
        ("EX|+1", "EX|'+1"),
        ('EX;"=1', "EX;'\"=1"),
        ("it is off; it said: no", "it is off; it said: no"),
        ("2026-11-22T18:00:00Z, a - b", "2026-11-22T18:00:00Z, a - b"),
        ("a=1", "a=1"),
        ('say "no", he said', 'say "no", he said'),
        ("\x1b[2J", "\\x1b[2J"),
        (None, ""),
    ],
)
def test_no_cell_is_a_formula(value: str | None, cell: str) -> None:
    line = next(csv.DictReader(io.StringIO(fleet_report.to_csv([made(status=value)]))))
    assert line["status"] == cell


def test_every_cell_is_quoted() -> None:
    text = fleet_report.to_csv([made(reason="no answer; run again", age_after=None, changed=True)])
    assert ',"no answer; run again","true","1200","","7200",' in text
    for line in text.splitlines():
        assert re.fullmatch(r'"[^"]*"(,"[^"]*")*', line)


@pytest.mark.parametrize("separator", [";", "|", "\t", ":", ",", "^", "~"])
def test_no_cell_is_a_formula_whatever_separates_them(separator: str) -> None:
    """For a spreadsheet that was told another separator, or whose region has one."""
    parts = itertools.product((separator, '"', "=", "@", " ", "a"), repeat=4)
    values = ["".join(part) for part in parts]
    text = fleet_report.to_csv(made(host=value, status=value, request_id=value) for value in values)
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        # Some read what stands beside quotes as it is, and some leave out blanks.
        assert not [cell for cell in row if cell.lstrip(' "').startswith(("=", "+", "-", "@"))], row


# --- HTML


class Page(HTMLParser):
    """What a browser makes of a page: its elements, and the text of each cell."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.cells: list[str] = []
        self.values: list[str] = []
        self.texts: list[str] = []
        self.inside: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _value in attrs)))
        self.values += [value or "" for _name, value in attrs]
        if tag not in ("meta", "input"):
            self._open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())
        for tag in self._open[-1:]:
            self.inside[tag] = self.inside.get(tag, "") + data
        if "td" in self._open or "th" in self._open:
            self.cells[-1] += data


def plain(one: Entry) -> Entry:
    """The same entry with harmless texts that are empty where its own are, and with a reason of its own."""
    return one._replace(
        **{
            name: ("x" if name != "reason" else harmless(value)) if value else value
            for name, value in one._asdict().items()
            if isinstance(value, str) and name not in ("outcome", "tenant", "kind") and value != "connected"
        }
    )


def harmless(text: str) -> str:
    return "x" + "".join(f"{ord(c):x}g" for c in text.strip())


def seen(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def outcome_cell(one: Entry) -> str:
    stale = "stale" if fleet_summary.is_stale(one) else ""
    return one.outcome + stale + ("" if one.status == "connected" else seen(one.status))


def last_cell(one: Entry) -> str:
    ids = [f"connector {one.connector_id}"] if one.connector_id else []
    if one.request_id and one.outcome in ("failed", "unknown"):
        ids.append(f"request id {one.request_id}")
    return seen(one.reason + ", ".join(ids))


@patient
@given(fleets, hostile, hostile)
@example([made("</script><script>alert(1)</script>", tenant='"><b>', reason="<!--")], "</title><script>", "")
def test_no_value_breaks_out_of_the_page(some: list[Entry], started: str, finished: str) -> None:
    text = to_html(some, started=started, finished=finished)
    page = Page(text)
    # Exactly the elements and attributes that harmless values give, tenants apart, whose number decides the options.
    assert sorted(page.tags) == sorted(Page(to_html([plain(one) for one in some])).tags)
    assert all(c.isprintable() or c == "\n" for c in text)
    rows = [page.cells[start : start + 7] for start in range(7, len(page.cells), 7)]
    assert len(rows) == len(some)
    expected = [(seen(one.host + one.server_name), seen(one.tenant), outcome_cell(one), last_cell(one)) for one in some]
    got = [(row[0], row[1], row[2], row[6]) for row in rows]
    assert sorted(got) == sorted(expected)
    assert {seen(one.tenant) for one in some} <= set(page.values) | {""}


def test_the_page_allows_nothing_but_its_own_style_and_script() -> None:
    text = to_html(fleet(), **RUN)
    page = Page(text)
    policy = next(value for value in page.values if value.startswith("default-src"))
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.inside[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
        assert page.inside[tag] == Page(to_html([])).inside[tag]
    assert policy.startswith("default-src 'none'; ")
    assert "http:" not in text
    assert "https:" not in text
    assert not {"href", "src", "style", "onclick"} & {name for _tag, names in page.tags for name in names}


def test_the_page_says_what_happened() -> None:
    page = Page(to_html(fleet(), **RUN))
    assert page.inside["title"] == "Exchange connectors 2026-11-22 18:00:00 to 18:06:10 UTC (6 min 10 s)"
    assert page.inside["h1"] == (
        "Of 20 connectors: 3 failed, 1 unknown, 1 skipped, 2 due for a synchronisation, 1 not connected."
    )
    assert "contoso.example (18, 3 failed or unknown)" in page.inside["option"]
    assert "fabrikam.example (1, 1 failed or unknown)" in page.inside["option"]
    assert "日本.example (1)" in page.inside["option"]
    assert page.cells[4] == "Age after (UTC)"
    first = page.cells[7:14]
    assert first[:5] == ["exch-01EXCHANGE01", TENANT, "failed", "not known", "not known"]
    assert first[6].endswith(f"connector {ID}, request id {REQUEST}")
    where = page.cells.index("exch-19EXCHANGE01")
    assert page.cells[where + 2] == "freshdisconnected"


@pytest.mark.parametrize("longest", [0, 60, 86400, 86401, 3 * 365 * 86400, 10**11 - 1])
def test_bars_and_marks_stay_within_their_column(longest: int) -> None:
    text = to_html([made(age_before=longest, age_after=0), made(max_age=longest)])
    ends = [int(found) for found in re.findall(r'(?:width="|x="|d="M)(\d+)', text)]
    assert max(ends) <= 140
    assert re.search(r'<rect class="b" width="2"/><rect class="a" width="2"/>', text) or longest


def test_two_thousand_connectors_stay_small() -> None:
    some = [made(f"exch-{n:04}.contoso.example", reason="r" * 120) for n in range(1700)]
    some += [made(f"exch-{n:04}.contoso.example", "failed", reason="r" * 400) for n in range(300)]
    assert len(to_html(some, **RUN).encode()) < 1_500_000


# --- The form by extension


@pytest.mark.parametrize(
    ("path", "form"),
    [("/a/r.html", "html"), ("r.HTM", "html"), ("r.json", "json"), ("r.v1.csv", "csv"), ("C:\\r.Csv", "csv")],
)
def test_the_extension_decides(path: str, form: str) -> None:
    assert fleet_report.form_of(path) == form
    begin = {"html": "<!DOCTYPE html>", "json": "{\n", "csv": '"host","tenant",'}[form]
    assert render(path, fleet(), **RUN).startswith(begin)


@pytest.mark.parametrize("path", ["", "report", "report.txt", "report.html.gz", ".html", "a.html/b"])
def test_another_extension_is_refused_by_naming_the_four(path: str) -> None:
    with pytest.raises(errors.OptionError, match=r"must end in \.html, \.json, \.csv or \.prom"):
        fleet_report.form_of(path)


@pytest.mark.parametrize(
    ("started", "finished", "span"),
    [
        ("2026-11-22T23:59:00Z", "2026-11-23T01:00:30Z", "2026-11-22 23:59:00 to 2026-11-23 01:00:30 UTC (1 h 1 min)"),
        ("2026-11-22T18:00:00.5Z", "2026-11-22T18:00:00.7Z", "2026-11-22 18:00:00 to 18:00:00 UTC (0 s)"),
        ("yesterday", "today", "yesterday to today"),
        ("", "today", "today"),
        ("", "", ""),
    ],
)
def test_the_span_of_a_run(started: str, finished: str, span: str) -> None:
    text = table(fleet_summary.summary([], started=started, finished=finished))
    assert text.splitlines()[1] == span
