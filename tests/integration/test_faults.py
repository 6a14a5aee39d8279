# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What intune_exchange_connector_sync makes of faults: survived, or told in one sentence that is true."""

from __future__ import annotations

import itertools
import re
import socket
import time
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
from simulator import Fault, Request, Simulator, World
from simulator.records import Answer

from .conftest import Cases, Run, Site

pytestmark = pytest.mark.slow

# Each is a way in which a read, or a request for a token, may fail once.
ONCE = {
    "429 with seconds": {"status": 429, "headers": {"Retry-After": "1"}},
    "429 without Retry-After": {"status": 429},
    "503": {"status": 503},
    "504": {"status": 504},
    "cut before the answer": {"cut": "before"},
    "cut in the headers": {"cut": "headers"},
    "cut in the body": {"cut": "body", "body": {"value": []}},
    "HTML with status 200": {"status": 200, "body": "<html><title>Sign in to the proxy</title></html>"},
    "empty with status 200": {"status": 200, "body": b""},
    "no JSON with status 502": {"status": 502, "body": "<html><title>Bad gateway</title></html>"},
    "JSON that is no object": {"status": 200, "body": b"[1, 2]"},
    "gzip that is none": {"status": 200, "body": b"{}", "headers": {"Content-Encoding": "gzip"}},
}


def test_a_read_that_fails_once_is_repeated(cases: Cases, subtests: pytest.Subtests) -> None:
    places = itertools.product(["get", "token", "metadata"], ONCE)
    tried = {(where, name): cases.add(Fault(where, **ONCE[name])) for where, name in places}
    cases.sync()
    for (where, name), case in tried.items():
        with subtests.test(where=where, fault=name):
            assert case.run.code == 0, case.run.result
            assert case.run.result["sync"]["state"] == "completed"
            assert len(case.connector.accepted) == 1
            assert [request.where for request in case.struck] == [where], "the fault has struck"


def test_a_500_to_the_request_is_a_lost_answer(site: Site) -> None:
    said = {"error": {"code": "InternalServerError", "message": "An error has occurred."}}
    site.world.faults.add(Fault("sync", status=500, body=said))
    assert site.sync().result["sync"]["state"] == "completed"
    assert len(site.requests("get")) == 3, "it has looked before it asked a second time"
    site.connector.last_sync = timedelta(days=3)
    site.connector.accepted.clear()
    site.world.faults.add(Fault("sync", status=500, body=said, times=None))
    run = site.sync(wait=False)
    assert (run.code, run.result["sync"]["state"], run.result["changed"]) == (2, "unknown", True)
    assert len(site.requests("sync")) == 4
    assert not site.connector.accepted


def test_a_poll_that_fails_is_repeated(site: Site) -> None:
    site.connector.sync_delay = 2
    site.world.faults.add(Fault("get", skip=1, status=503, times=2))
    site.world.faults.add(Fault("get", skip=1, cut="before"))
    site.world.faults.add(Fault("get", skip=1, status=500, body={"error": {"code": "x", "message": "No."}}))
    assert site.sync().result["sync"]["state"] == "completed"


def test_an_answer_that_takes_too_long_is_asked_for_again(site: Site) -> None:
    site.world.faults.add(Fault("get", delay=8))
    assert site.sync(request_timeout=3).result["sync"]["state"] == "completed"


def test_retry_after_is_obeyed_as_a_date_of_graphs_clock(site: Site) -> None:
    # The controller's clock is an hour off; only the difference to Graph's Date counts.
    site.world.clock_offset = timedelta(hours=-1)

    def later(_request: Request, answer: Answer) -> Answer:
        moment = datetime.now(timezone.utc) + timedelta(hours=-1, seconds=4)
        return Answer(
            answer.status, {**answer.headers, "Retry-After": format_datetime(moment, usegmt=True)}, answer.body
        )

    site.world.faults.add(Fault("get", status=429, alter=later))
    run = site.sync()
    assert run.result["sync"]["state"] == "completed"
    first, second = site.requests("get")[:2]
    assert 2 < (second.time - first.time).total_seconds() < 30


def test_a_retry_after_beyond_retry_timeout_gives_up_at_once(cases: Cases, subtests: pytest.Subtests) -> None:
    hosts = {"get": "127.0.0.1:", "token": "127.0.0.1:", "sync": "Graph"}
    patience = {"status": 429, "headers": {"Retry-After": "600"}, "times": None}
    tried = {where: cases.add(Fault(where, **patience)) for where in hosts}
    start = time.monotonic()
    cases.sync()
    assert time.monotonic() - start < 30
    for where, case in tried.items():
        with subtests.test(where=where):
            assert case.run.result["changed"] is False
            message = case.run.result["msg"]
            assert hosts[where] in message
            assert "answered HTTP 429 (Too Many Requests)" in message
            assert message.endswith(
                ", and it asks to wait 10 min, longer than retry_timeout (120 s) allows; run again after that time, or"
                " raise retry_timeout."
            )
            assert case.run.result["request_id"]


def test_an_outage_ends_within_retry_timeout(cases: Cases, subtests: pytest.Subtests) -> None:
    places = ["get", "token", "metadata", "sync"]
    tried = {where: cases.add(Fault(where, status=503, times=None), retry_timeout=3) for where in places}
    cases.sync()
    for where, case in tried.items():
        with subtests.test(where=where):
            assert case.run.code == 2
            assert case.run.result["changed"] is False
            tries = r"answered HTTP 503 .* \(tried [23] times within retry_timeout, 3 s\); "
            assert re.search(tries, case.run.result["msg"])
            assert not case.connector.accepted


def test_retry_timeout_0_never_repeats(site: Site) -> None:
    site.world.faults.add(Fault("get", status=503))
    run = site.sync(retry_timeout=0)
    assert run.code == 2
    assert len(site.requests("get")) == 1


def test_other_errors_are_not_repeated(cases: Cases, subtests: pytest.Subtests) -> None:
    messages = {
        400: "Graph answered HTTP 400 (Bad Request)",
        501: "Graph answered HTTP 501 (Not Implemented)",
        418: "Graph answered HTTP 418 (",
    }
    body = {"error": {"code": "x", "message": "No."}}
    tried = {
        (where, status): cases.add(Fault(where, status=status, body=body, times=None))
        for where, status in itertools.product(["get", "sync"], messages)
    }
    cases.sync()
    for (where, status), case in tried.items():
        with subtests.test(where=where, status=status):
            assert (case.run.code, case.run.result["changed"]) == (2, False)
            assert messages[status] in case.run.result["msg"]
            assert len(case.requests(where)) == 1


def test_a_refused_token_is_replaced_once(site: Site) -> None:
    site.world.faults.add(Fault("get", status=401))
    run = site.sync()
    assert run.result["sync"]["state"] == "completed"
    assert len(site.requests("token")) == 2
    tokens = [request.headers["Authorization"] for request in site.requests("get")]
    assert tokens[0] != tokens[1] == tokens[2]


def test_a_token_that_is_refused_between_read_and_post_is_replaced(site: Site) -> None:
    site.world.faults.add(Fault("sync", status=401))
    assert site.sync().result["sync"]["state"] == "completed"
    assert len(site.connector.accepted) == 1


def test_tokens_that_are_always_refused_fail(site: Site) -> None:
    site.world.faults.add(Fault("get", status=401, times=None))
    run = site.sync()
    assert "could not read it, Graph answered HTTP 401 (Unauthorized): " in run.result["msg"]
    assert len(site.requests("get")) == 2


# A request for a synchronisation whose answer is lost


def test_a_lost_answer_of_an_accepted_sync_is_not_posted_again(cases: Cases, subtests: pytest.Subtests) -> None:
    tried = {cut: cases.add(Fault("sync", cut=cut, accept=True)) for cut in ("before", "headers")}
    cases.sync()
    for cut, case in tried.items():
        with subtests.test(cut=cut):
            assert (case.run.code, case.run.result["changed"]) == (0, True)
            assert case.run.result["sync"]["state"] == "completed"
            assert len(case.connector.accepted) == 1, "seen before it was posted again"
            assert [request.where for request in case.requests(host="graph")] == ["get", "sync", "get"]


def test_a_lost_request_is_posted_a_second_time(cases: Cases, subtests: pytest.Subtests) -> None:
    faults: dict[str, dict[str, t.Any]] = {
        "cut": {"cut": "before"},
        "502": {"status": 502},
        "504": {"status": 504},
        "late": {"delay": 8},
    }
    tried = {
        (name, wait): cases.add(Fault("sync", **faults[name]), wait=wait, request_timeout=3)
        for name, wait in itertools.product(faults, [True, False])
    }
    for case in tried.values():
        case.connector.sync_delay = 2
    cases.sync()
    for (name, wait), case in tried.items():
        with subtests.test(fault=name, wait=wait):
            assert (case.run.code, case.run.result["changed"]) == (0, True), case.run.result
            asked = [request.where for request in case.requests(host="graph")]
            assert asked[:4] == ["get", "sync", "get", "sync"]


def test_answers_lost_for_good_are_followed_by_looking_and_not_by_posting(site: Site) -> None:
    site.connector.sync_delay = 4
    site.world.faults.add(Fault("sync", cut="before", accept=True, times=None))
    run = site.sync()
    assert (run.code, run.result["changed"]) == (0, True)
    assert run.result["sync"]["state"] == "completed"
    assert len(site.connector.accepted) == 2, "never a third"


def test_when_nobody_can_tell_it_says_so(cases: Cases, subtests: pytest.Subtests) -> None:
    tried = {
        (wait, accept): cases.add(Fault("sync", cut="before", accept=accept, times=None), wait=wait, wait_timeout=2)
        for wait, accept in itertools.product([True, False], [True, False])
    }
    for case in tried.values():
        case.connector.outcome = "never"
    cases.sync()
    for (wait, accept), case in tried.items():
        with subtests.test(wait=wait, accept=accept):
            assert case.run.code == 2
            assert case.run.result["changed"] is True
            assert case.run.result["sync"]["state"] == "unknown"
            assert "is not known" in case.run.result["msg"]
            assert len(case.requests("sync")) == 2


def test_a_timeout_inside_intune_leaves_the_request_open(site: Site) -> None:
    body = {"error": {"code": "CancelledOnServiceTimeout", "message": "Timed out."}}
    site.connector.outcome = "never"
    site.world.faults.add(Fault("sync", status=503, body=body, times=None))
    run = site.sync(wait=False)
    assert run.result["sync"]["state"] == "unknown"
    assert len(site.requests("sync")) == 2


def test_a_sync_that_graph_has_no_time_for_is_asked_for_again(cases: Cases, subtests: pytest.Subtests) -> None:
    faults = {
        "429": {"status": 429},
        "429 with seconds": {"status": 429, "headers": {"Retry-After": "1"}},
        "503": {"status": 503},
    }
    tried = {name: cases.add(Fault("sync", times=3, **fault)) for name, fault in faults.items()}
    cases.sync()
    for name, case in tried.items():
        with subtests.test(fault=name):
            assert case.run.result["sync"]["state"] == "completed"
            assert len(case.connector.accepted) == 1


def test_an_untrusted_certificate_ends_it_at_once(cases: Cases, subtests: pytest.Subtests) -> None:
    with Simulator(World()) as other:
        tried = {
            "token": cases.add(authority_url=other.authority_url),
            "get": cases.add(graph_url=other.graph_url),
        }
        start = time.monotonic()
        cases.sync()
    assert time.monotonic() - start < 20
    for where, case in tried.items():
        with subtests.test(where=where):
            message = case.run.result["msg"]
            assert re.search(r"the TLS certificate of 127\.0\.0\.1:\d+ is not trusted \(", message)
            assert message.endswith("; name the authority that signed it with ca_path, or ask who changes the traffic.")


def test_without_validation_any_certificate_will_do(site: Site) -> None:
    assert site.sync(ca_path=None, validate_certs=False).result["changed"] is True


def test_ca_path_wins_over_the_environment(site: Site, tmp_path: Path) -> None:
    with Simulator(World(), directory=tmp_path) as other:
        wrong = {"REQUESTS_CA_BUNDLE": other.ca_path}
        assert site.sync(environment=wrong).result["changed"] is True
        assert "is not trusted" in site.sync(environment=wrong, ca_path=None).result["msg"]
    right = {"REQUESTS_CA_BUNDLE": site.simulator.ca_path}
    assert site.sync(environment=right, ca_path=None).code == 0


def test_a_closed_port(site: Site) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        run = site.sync(graph_url=f"https://127.0.0.1:{closed.getsockname()[1]}", retry_timeout=4)
    assert (run.code, run.result["changed"]) == (2, False)
    assert re.search(
        r": 127\.0\.0\.1:\d+ could not be reached \(connection refused\) \(tried [234] times within retry_timeout,"
        r" 4 s\); check the network and the proxy\.$",
        run.result["msg"],
    )


def test_a_name_that_does_not_exist(site: Site) -> None:
    run = site.sync(graph_url="https://graph.invalid", retry_timeout=1)
    assert "the name graph.invalid cannot be resolved" in run.result["msg"]


def test_the_proxy_of_the_environment_is_used_and_its_password_not_told(site: Site) -> None:
    proxy = {"HTTPS_PROXY": "http://someone:proxy-pass-word@127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    run = site.sync("-vvvvv", environment=proxy, retry_timeout=1)
    assert "the proxy to 127.0.0.1:" in run.result["msg"]
    assert "check HTTPS_PROXY and NO_PROXY" in run.result["msg"]
    assert "proxy-pass-word" not in run.result["msg"]


def test_a_redirect_is_not_followed(cases: Cases, subtests: pytest.Subtests) -> None:
    with Simulator(World()) as other:
        elsewhere = {"headers": {"Location": f"{other.graph_url}/v1.0/collect"}, "body": b""}
        places = itertools.product(["get", "sync", "token", "metadata"], [301, 302, 307, 308])
        tried = {(where, status): cases.add(Fault(where, status=status, **elsewhere)) for where, status in places}
        cases.sync()
        assert other.world.connections == 0
    for (where, status), case in tried.items():
        with subtests.test(where=where, status=status):
            assert (case.run.code, case.run.result["changed"]) == (2, False)
            assert f"redirects to 127.0.0.1 (HTTP {status}), which is not followed" in case.run.result["msg"]


def test_a_failure_after_the_request_was_accepted_says_changed(site: Site) -> None:
    site.connector.sync_delay = 60
    site.world.faults.add(Fault("get", skip=1, status=403, times=None))
    run = site.sync()
    assert_failed_as_changed(run, "Graph accepted the deltaSync at")
    assert "but whether it ended cannot be seen: could not read it, Graph answered HTTP 403" in run.result["msg"]


def test_an_outage_that_lasts_as_long_as_the_wait_says_changed(site: Site) -> None:
    site.world.faults.add(Fault("get", skip=1, status=503, times=None))
    run = site.sync(wait_timeout=4, retry_timeout=1)
    assert_failed_as_changed(run, "Graph accepted the deltaSync at")


def test_an_outage_shorter_than_the_wait_is_survived(site: Site) -> None:
    site.world.faults.add(Fault("get", skip=1, status=503, times=4))
    assert site.sync(wait_timeout=60, retry_timeout=1).result["sync"]["state"] == "completed"


def assert_failed_as_changed(run: Run, beginning: str) -> None:
    assert run.code == 2
    assert run.result["changed"] is True
    assert run.result["sync"]["state"] == "requested"
    assert beginning in run.result["msg"]
