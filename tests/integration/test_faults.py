# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What intune_exchange_connector_sync makes of faults: survived, or told in one sentence that is true."""

from __future__ import annotations

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

from .conftest import Run, Site

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


@pytest.mark.parametrize("where", ["get", "token", "metadata"])
@pytest.mark.parametrize("fault", ONCE.values(), ids=ONCE)
def test_a_read_that_fails_once_is_repeated(site: Site, where: str, fault: dict[str, t.Any]) -> None:
    site.world.faults.add(Fault(where, **fault))
    run = site.sync()
    assert run.code == 0, run.output
    assert run.result["sync"]["state"] == "completed"
    assert len(site.connector.accepted) == 1
    struck = [request for request in site.world.requests if request.fault]
    assert [request.where for request in struck] == [where], "the fault has struck"


def test_a_poll_that_fails_is_repeated(site: Site) -> None:
    site.connector.sync_delay = 2
    site.world.faults.add(Fault("get", skip=1, status=503, times=2))
    site.world.faults.add(Fault("get", skip=1, cut="before"))
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


@pytest.mark.parametrize(("where", "host"), [("get", "127.0.0.1:"), ("token", "127.0.0.1:"), ("sync", "Graph")])
def test_a_retry_after_beyond_retry_timeout_gives_up_at_once(site: Site, where: str, host: str) -> None:
    site.world.faults.add(Fault(where, status=429, headers={"Retry-After": "600"}, times=None))
    start = time.monotonic()
    run = site.sync()
    assert time.monotonic() - start < 30
    assert run.result["changed"] is False
    message = run.result["msg"]
    assert f"{host}" in message
    assert "answered HTTP 429 (Too Many Requests)" in message
    assert message.endswith(
        ", and it asks to wait 10 min, longer than retry_timeout (120 s) allows; run again after that time, or raise"
        " retry_timeout."
    )
    assert run.result["request_id"]


@pytest.mark.parametrize("where", ["get", "token", "metadata", "sync"])
def test_an_outage_ends_within_retry_timeout(site: Site, where: str) -> None:
    site.world.faults.add(Fault(where, status=503, times=None))
    run = site.sync(retry_timeout=3)
    assert run.code == 2
    assert run.result["changed"] is False
    assert re.search(r"answered HTTP 503 .* \(tried [23] times within retry_timeout, 3 s\); ", run.result["msg"])
    assert not site.connector.accepted


def test_retry_timeout_0_never_repeats(site: Site) -> None:
    site.world.faults.add(Fault("get", status=503))
    run = site.sync(retry_timeout=0)
    assert run.code == 2
    assert len(site.requests("get")) == 1


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "Graph answered HTTP 400 (Bad Request)"),
        (500, "Graph answered HTTP 500 (Internal Server Error)"),
        (418, "Graph answered HTTP 418 ("),
    ],
)
@pytest.mark.parametrize("where", ["get", "sync"])
def test_other_errors_are_not_repeated(site: Site, where: str, status: int, message: str) -> None:
    site.world.faults.add(Fault(where, status=status, body={"error": {"code": "x", "message": "No."}}, times=None))
    run = site.sync()
    assert (run.code, run.result["changed"]) == (2, False)
    assert message in run.result["msg"]
    assert len(site.requests(where)) == 1


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


@pytest.mark.parametrize("cut", ["before", "headers"])
def test_a_lost_answer_of_an_accepted_sync_is_not_posted_again(site: Site, cut: str) -> None:
    site.world.faults.add(Fault("sync", cut=cut, accept=True))
    run = site.sync()
    assert (run.code, run.result["changed"]) == (0, True)
    assert run.result["sync"]["state"] == "completed"
    assert len(site.connector.accepted) == 1, "seen before it was posted again"
    assert [r.where for r in site.world.requests if r.host == "graph"] == ["get", "sync", "get"]


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize("fault", [{"cut": "before"}, {"status": 502}, {"status": 504}, {"delay": 8}])
def test_a_lost_request_is_posted_a_second_time(site: Site, fault: dict[str, t.Any], wait: bool) -> None:
    site.connector.sync_delay = 2
    site.world.faults.add(Fault("sync", **fault))
    run = site.sync(wait=wait, request_timeout=3)
    assert (run.code, run.result["changed"]) == (0, True), run.output
    assert [r.where for r in site.world.requests if r.host == "graph"][:4] == ["get", "sync", "get", "sync"]


def test_answers_lost_for_good_are_followed_by_looking_and_not_by_posting(site: Site) -> None:
    site.connector.sync_delay = 4
    site.world.faults.add(Fault("sync", cut="before", accept=True, times=None))
    run = site.sync()
    assert (run.code, run.result["changed"]) == (0, True)
    assert run.result["sync"]["state"] == "completed"
    assert len(site.connector.accepted) == 2, "never a third"


@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize("wait", [True, False])
def test_when_nobody_can_tell_it_says_so(site: Site, wait: bool, accept: bool) -> None:
    site.connector.outcome = "never"
    site.world.faults.add(Fault("sync", cut="before", accept=accept, times=None))
    run = site.sync(wait=wait, wait_timeout=2)
    assert run.code == 2
    assert run.result["changed"] is True
    assert run.result["sync"]["state"] == "unknown"
    assert "is not known" in run.result["msg"]
    assert len(site.requests("sync")) == 2


def test_a_timeout_inside_intune_leaves_the_request_open(site: Site) -> None:
    body = {"error": {"code": "CancelledOnServiceTimeout", "message": "Timed out."}}
    site.connector.outcome = "never"
    site.world.faults.add(Fault("sync", status=503, body=body, times=None))
    run = site.sync(wait=False)
    assert run.result["sync"]["state"] == "unknown"
    assert len(site.requests("sync")) == 2


@pytest.mark.parametrize("fault", [{"status": 429}, {"status": 429, "headers": {"Retry-After": "1"}}, {"status": 503}])
def test_a_sync_that_graph_has_no_time_for_is_asked_for_again(site: Site, fault: dict[str, t.Any]) -> None:
    site.world.faults.add(Fault("sync", times=3, **fault))
    run = site.sync()
    assert run.result["sync"]["state"] == "completed"
    assert len(site.connector.accepted) == 1


@pytest.mark.parametrize("where", ["get", "sync", "token"])
def test_an_untrusted_certificate_ends_it_at_once(site: Site, where: str) -> None:
    with Simulator(World()) as other:
        changed = {"authority_url": other.authority_url} if where == "token" else {"graph_url": other.graph_url}
        start = time.monotonic()
        run = site.sync(**changed)
    assert time.monotonic() - start < 20
    assert re.search(r"the TLS certificate of 127\.0\.0\.1:\d+ is not trusted \(", run.result["msg"])
    assert run.result["msg"].endswith(
        "; name the authority that signed it with ca_path, or ask who changes the traffic."
    )


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


@pytest.mark.parametrize("where", ["get", "sync", "token", "metadata"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(site: Site, where: str, status: int) -> None:
    with Simulator(World()) as other:
        target = f"{other.graph_url}/v1.0/collect"
        site.world.faults.add(Fault(where, status=status, headers={"Location": target}, body=b""))
        run = site.sync()
        assert other.world.connections == 0
    assert (run.code, run.result["changed"]) == (2, False)
    assert f"redirects to 127.0.0.1 (HTTP {status}), which is not followed" in run.result["msg"]


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
