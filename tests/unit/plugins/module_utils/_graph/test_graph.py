# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Batches whose answer is odd, tokens that end in the middle of one, and links that lead elsewhere."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.words import Words
from ansible_collections.graphops.intune.plugins.module_utils._http.driver import Request
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._http.transport import Transport

READ, POST = Request("GET", "/connectors/1"), Request("POST", "/connectors/1/sync", "{}")
REFUSED = errors.SignInError("the sign-in was refused")

WORDS = Words("thing", "things", "thing")


class Wire(Transport):
    """Answers by the path of the request, in order; the last answer stays."""

    def __init__(self, clock: t.Any, **answers: list[Response]) -> None:
        self.clock = clock.handed
        self.retry_timeout, self.request_timeout = 0, 30
        self.answers = answers
        self.sent: list[tuple[str, str]] = []

    def send(self, method: str, url: str, **_request: t.Any) -> Response:
        self.sent.append((method, url))
        name = url.rsplit("/", 1)[-1].lstrip("$")
        answers = self.answers[name if name in self.answers else "other"]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def reset_connections(self) -> None:
        """There are none."""


class Tokens:
    """A token that Entra ID does not replace."""

    def __init__(self) -> None:
        self.limits: list[float | None] = []

    def token(self, limit: float | None = None) -> str:
        self.limits.append(limit)
        return "token"

    def replace_token(self, refused: str, limit: float | None = None) -> str | None:  # noqa: ARG002
        self.limits.append(limit)
        raise REFUSED


def batch(*items: t.Any) -> Response:
    return Response(200, {}, json.dumps({"responses": items}).encode())


def results(wire: Wire, *requests: Request, tokens: Tokens | None = None) -> list[t.Any]:
    graph_ = graph.Graph(
        "https://graph.example", tokens=tokens or Tokens(), http=wire, asker=graph_errors.Asker("", "")
    )
    return graph_._send(requests)  # noqa: SLF001


def kinds(found: t.Sequence[t.Any]) -> list[t.Any]:
    return [one.status if isinstance(one, Response) else ("sent" if one.may_have_run else "unsent") for one in found]


def test_a_token_that_ends_in_the_middle_takes_nothing_back(clock: t.Any) -> None:
    wire = Wire(clock, batch=[batch({"id": "0", "status": 204}, {"id": "1", "status": 401})])
    accepted, refused = results(wire, POST, POST)
    assert accepted.status == 204
    assert refused is REFUSED


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "1", "status": "rubbish"},
        {"id": "1", "status": float("inf")},
        {"id": "1", "status": 999},
        {"id": "1", "status": 102},
        {"id": "1", "status": 200, "headers": 7},
        {"id": ["1"], "status": 200},
        {"status": 200},
        None,
        7,
    ],
)
def test_an_odd_answer_is_that_of_its_own_request_alone(clock: t.Any, odd: t.Any) -> None:
    wire = Wire(clock, batch=[batch({"id": "0", "status": 204}, odd, {"id": "2", "status": 204})])
    assert kinds(results(wire, POST, POST, POST)) == [204, "sent", 204]


@pytest.mark.parametrize(
    ("status", "request_", "found", "sent"),
    [
        (400, POST, [204, 204], 3),
        (501, POST, [204, 204], 3),
        (500, READ, [204, 204], 3),
        (424, READ, [204, 204], 3),
        (424, POST, ["sent", "sent"], 1),
        (409, POST, ["sent", "sent"], 1),
        (500, POST, ["sent", "sent"], 1),
        (520, POST, ["sent", "sent"], 1),
        (503, POST, [503, 503], 1),
    ],
)
def test_what_breaks_down_in_the_middle_is_not_sent_again_at_once(
    clock: t.Any, status: int, request_: Request, found: list[t.Any], sent: int
) -> None:
    wire = Wire(clock, batch=[Response(status, {}, b"")], other=[Response(204, {}, b"")])
    assert kinds(results(wire, request_, request_, tokens=Tokens())) == found
    assert len(wire.sent) == sent


@pytest.mark.parametrize("body", [None, "{}"])
def test_a_write_is_told_by_its_method(clock: t.Any, body: str | None) -> None:
    wire = Wire(clock, batch=[Response(500, {}, b"")], other=[Response(204, {}, b"")])
    assert kinds(results(wire, POST._replace(body=body), READ)) == ["sent", "sent"]
    assert len(wire.sent) == 1


def test_of_two_answers_to_one_request_none_counts(clock: t.Any) -> None:
    answers = batch({"id": "0", "status": 204}, {"id": "1", "status": 204}, {"id": "0", "status": 403})
    assert kinds(results(Wire(clock, batch=[answers]), POST, POST)) == ["sent", 204]


@pytest.mark.parametrize(
    ("part", "body"),
    [
        ({"body": base64.b64encode(b"<html>Blocked</html>").decode()}, b"<html>Blocked</html>"),
        ({"body": "PGh0bWw+", "headers": {"Content-Type": "text/html"}}, b"<html>"),
        ({"body": "PGh0bWw+", "headers": {"Content-Type": "application/json"}}, b"PGh0bWw+"),
        ({"body": "no base64"}, b"no base64"),
        ({"body": {"error": {}}}, b'{"error": {}}'),
        ({"body": None}, b""),
        ({"body": "\ud800"}, b"\xed\xa0\x80"),
    ],
)
def test_the_content_of_a_part_is_that_of_a_single_answer(clock: t.Any, part: dict[str, t.Any], body: bytes) -> None:
    whole = batch({"id": "0", "status": 403, **part}, {"id": "1", "status": 204})
    assert results(Wire(clock, batch=[whole]), READ, READ)[0].body == body


def read_pages(graph_: graph.Graph, found: list[graph.Document]) -> None:
    graph_.run(graph_.pages("/connectors", found.append, action="list them", words=WORDS))


def linked(clock: t.Any, *bodies: t.Any, takes: float = 0) -> graph.Graph:
    """A Graph whose pages link to each other, the last one to the first."""
    wire = Wire(clock, other=[])
    count = 0

    def send(*_request: t.Any, **_more: t.Any) -> Response:
        nonlocal count
        clock.pass_by(takes)
        body = bodies[min(count, len(bodies) - 1)]
        count += 1
        link = f"https://graph.example/v1.0/connectors?page={count}"
        return Response(200, {}, json.dumps({"value": body, "@odata.nextLink": link}).encode())

    wire.send = send  # type: ignore[method-assign]
    return graph.Graph("https://graph.example", tokens=Tokens(), http=wire, asker=graph_errors.Asker("", ""))


@pytest.mark.parametrize(
    ("body", "takes", "read", "why"),
    [
        ([{}] * 20_000, 0, 2, "Graph sent more than 50000 entries or 64 MiB"),
        (["x" * 15_000_000], 0, 4, "Graph sent more than 50000 entries or 64 MiB"),
        ([], 2.5, 12, "its pages took longer than retry_timeout and request_timeout allow (12 were read)"),
        ([], 0, 100, "Graph's pages have no end (100 were read)"),
    ],
)
def test_all_pages_together_have_an_end(clock: t.Any, body: t.Any, takes: float, read: int, why: str) -> None:
    found: list[graph.Document] = []
    with pytest.raises(errors.Unavailable) as caught:
        read_pages(linked(clock, body, takes=takes), found)
    assert why in caught.value.what
    assert len(found) == read


def test_signing_in_has_the_time_that_is_left_to_the_request(clock: t.Any) -> None:
    tokens = Tokens()
    wire = Wire(clock, other=[Response(401, {}, b"")])
    send = wire.send

    def slowly(*request: t.Any, **keywords: t.Any) -> Response:
        clock.pass_by(4)
        return send(*request, **keywords)

    wire.send = slowly  # type: ignore[method-assign]
    results(wire, READ._replace(timeout=10.0), tokens=tokens)
    assert tokens.limits == [10.0, 6.0]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/x",
        "//evil.example/v1.0/x",
        "http://graph.example/v1.0/x",
        "https://graph.example:8443/v1.0/x",
        "https://evil.example\\@graph.example/v1.0/x",
        "https://evil.example@graph.example/v1.0/x",
        "https://graph.example@evil.example/v1.0/x",
        "https://graph.example.evil.example/v1.0/x",
        "//[",
        "https://graph.example:port/x",
    ],
)
def test_links_that_lead_elsewhere_are_not_followed(clock: t.Any, link: str) -> None:
    page = Response(200, {}, json.dumps({"value": [], "@odata.nextLink": link}).encode())
    wire = Wire(clock, other=[page])
    graph_ = graph.Graph("https://graph.example", tokens=Tokens(), http=wire, asker=graph_errors.Asker("", ""))
    found: list[graph.Document] = []
    with pytest.raises(errors.Unavailable, match=r"could not list them, because Graph's link .* another host"):
        read_pages(graph_, found)
    assert len(wire.sent) == 1


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://graph.example/v1.0/x?$skip=2", "https://graph.example/v1.0/x?$skip=2"),
        ("https://GRAPH.example:443/v1.0/x", "https://graph.example/v1.0/x"),
        ("?$skip=2", "https://graph.example/v1.0/connectors?$skip=2"),
        ("/v1.0/\\@evil.example", "https://graph.example/v1.0/\\@evil.example"),
    ],
)
def test_links_on_the_same_host_are_followed_on_this_host(clock: t.Any, link: str, url: str) -> None:
    first = Response(200, {}, json.dumps({"value": [1], "@odata.nextLink": link}).encode())
    last = Response(200, {}, json.dumps({"value": [2]}).encode())
    wire = Wire(clock, other=[first, last])
    graph_ = graph.Graph("https://graph.example", tokens=Tokens(), http=wire, asker=graph_errors.Asker("", ""))
    found: list[graph.Document] = []
    read_pages(graph_, found)
    assert [page.document["value"] for page in found] == [[1], [2]]
    assert wire.sent[1] == ("GET", url)


FORBIDDEN = json.dumps(
    {"error": {"code": "UnknownError", "message": json.dumps({"ErrorCode": "Forbidden", "Message": '{"_version": 3}'})}}
).encode()


def test_intunes_401_that_means_forbidden_costs_no_token(clock: t.Any) -> None:
    wire, tokens = Wire(clock, other=[Response(401, {}, FORBIDDEN)]), Tokens()
    (answer,) = results(wire, READ, tokens=tokens)
    assert (answer.status, len(wire.sent), len(tokens.limits)) == (401, 1, 1)
    wire = Wire(
        clock, batch=[batch({"id": "0", "status": 401, "body": json.loads(FORBIDDEN)}, {"id": "1", "status": 204})]
    )
    answers = results(wire, READ, READ)
    assert ([answer.status for answer in answers], len(wire.sent)) == ([401, 204], 1)
