# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix: for each kind of object, every way to fail (:func:`ways`) at every step of a task (:func:`steps`)."""

from __future__ import annotations

import base64
import contextlib
import functools
import gzip
import itertools
import json
import typing as t
import zlib
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http import HTTPStatus
from urllib.parse import parse_qs

from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind
from ansible_collections.graphops.intune.plugins.module_utils._sync.options import action_of
from simulated import SENTINEL, SIMULATED, SYNCABLE, Told, answers_with_object, decisive, told, unshown
from simulator import Request
from simulator.entity import trimmed_time
from simulator.records import Answer

from . import fronts, wires
from .invariants import FAILED, SUCCEEDED


class Step(t.NamedTuple):
    """A request of a task.

    :param host: who is asked, ``entra`` or ``graph``.
    :param where: how :class:`simulator.Fault` names it; ``skip`` of its kind come before it.
    :param connection: how many connections to the host come before it, if each request has one of its own.
    :param task: ``one`` object by its id, ``all`` of two pages of which a filter takes one, or ``many``: two by ids;
        or ``identity``: one, by the managed identity of the host.
    :param writes: whether it requests a synchronisation.
    :param waits: whether it is of the wait for the end.
    :param json: the places in its answer where the wrong thing may stand; none if the answer has no content.
    """

    name: str
    host: str
    where: str
    skip: int
    connection: int
    task: str = "one"
    writes: bool = False
    waits: bool = False
    json: tuple[Place, ...] = ()


Place = tuple[t.Union[str, int], ...]

_METADATA = ("token_endpoint", "authorization_endpoint", "issuer")
_SINGLE = ("GET", "POST", "poll 1", "poll 2")


def steps(kind: Kind) -> tuple[Step, ...]:
    """The requests of all tasks with a kind.

    One of which a tenant has one at most is not listed, nor many; thousands are waited for by a list.
    """
    entity = tuple(dict.fromkeys((name,) for name in (*decisive(kind), kind.sorted_by)))
    page = (("value",), ("value", 0), *(("value", 0, *place) for place in entity))
    batch = (("responses",), ("responses", 0), *(("responses", 0, name) for name in ("id", "status", "headers")))
    body = ("responses", 0, "body")
    accepted = answers_with_object(kind)
    many_polls = (
        Step("list of polls", "graph", "list", 0, 2, "many", waits=True, json=page)
        if kind.large
        else Step("batch of polls", "graph", "batch", 2, 2, "many", waits=True, json=(*batch, body))
    )
    found = (
        Step("metadata", "entra", "metadata", 0, 0, json=tuple((name,) for name in _METADATA)),
        Step("token", "entra", "token", 0, 1, json=(("access_token",), ("token_type",), ("expires_in",))),
        Step("identity", "entra", "managed_identity", 0, 0, "identity", json=(("access_token",),)),
        Step("GET", "graph", "get", 0, 0, json=entity),
        Step("POST", "graph", "sync", 0, 1, writes=True, json=entity if accepted else ()),
        Step("poll 1", "graph", "get", 1, 2, waits=True, json=entity),
        Step("poll 2", "graph", "get", 2, 3, waits=True, json=entity),
        Step("list page 1", "graph", "list", 0, 0, "all", json=(*page, ("@odata.nextLink",))),
        Step("list page 2", "graph", "list", 1, 1, "all", json=page),
        Step("batch of GETs", "graph", "batch", 0, 0, "many", json=(*batch, body)),
        Step("batch of POSTs", "graph", "batch", 1, 1, "many", writes=True, json=(*batch, body) if accepted else batch),
        many_polls,
    )
    return tuple(step for step in found if not (kind.singleton and step.task in ("all", "many")))


class Way(t.NamedTuple):
    """A way to fail.

    :param group: the column of the report.
    :param level: what fails: ``DNS``, ``connect`` or ``TLS``, before there is a request; or the ``answer`` to it.
    :param kind: of a failing answer: ``real`` is the service's own, changed; ``own`` a success that is none, but would
        do after a request; ``page`` a success in words that are none of Graph's; a ``refusal``, after which all know
        that nothing was done; ``open`` if nobody knows, and ``lost`` if none arrives.
    :param fault: of a failing answer, the parameters of a :class:`simulator.Fault`.
    :param bad: of a failing connection, what a :class:`fronts.Front` does; of DNS, the URL.
    :param json: the place that is changed, for ``real`` ones that need a certain one.
    :param permanent: whether no better answer is to be expected after it, so that it is tried for good only.
    :param steps: where it can happen, by the names of the steps; everywhere if empty.
    :param right: how a task ends to which it happens so often, where more is promised than what is of all tasks.
    :param says: what is in the sentence of a task that failed for it.
    :param running: whether the answer says that somebody else's synchronisation runs.
    :param begins: whether somebody else's begins before the answer.
    :param state: what a task of one object to which it happens says became of that; "" for nothing in particular.
    """

    name: str
    group: str
    level: str = "answer"
    kind: str = "lost"
    fault: t.Mapping[str, t.Any] = {}
    bad: t.Any = None
    json: Place | None = None
    permanent: bool = False
    steps: tuple[str, ...] = ()
    right: t.Mapping[int | None, str] = {}
    says: str = ""
    running: bool = False
    begins: bool = False
    state: str = ""


class Cell(t.NamedTuple):
    """A way to fail at a step.

    :param times: how often; None for good.
    :param accept: whether the request to synchronise is accepted although its answer fails.
    """

    kind: Kind
    step: Step
    way: Way
    times: int | None
    accept: bool = False

    @property
    def name(self) -> str:
        """The cell in words, unique."""
        level = "" if self.way.level == "answer" else f"{self.way.level} for "
        accepted = ", accepted" if self.accept else ""
        how_often = "once" if self.times else "for good"
        return f"{self.kind.name}: {level}{self.step.name}: {self.way.name}, {how_often}{accepted}"

    @property
    def column(self) -> tuple[str, str, str]:
        """What it is like, whatever the kind."""
        name = "polls of many" if self.step.waits and self.step.task == "many" else self.step.name
        return name, self.way.level, self.way.group

    @property
    def is_of_its_kind(self) -> bool:
        """Whether it could be another cell with another kind."""
        return self.step.host == "graph" and self.way.level == "answer"

    @property
    def right(self) -> str | None:
        """How its task ends, if more is promised than what is of all tasks."""
        if self.step.name == "POST" and self.way.json is not None:
            # Its status is what accepts. What the object in it says has no say in it.
            return SUCCEEDED
        return self.way.right.get(self.times)


def cells() -> list[Cell]:
    """The whole matrix."""
    return [cell for name in SYNCABLE for cell in cells_of(name)]


@functools.cache
def cells_of(name: str) -> tuple[Cell, ...]:
    """The matrix of a kind."""
    kind = SYNCABLE[name]
    return tuple(
        Cell(kind, step, way, times, accept)
        for step, way in itertools.product(steps(kind), ways(kind))
        for times in (1, None)
        for accept in (False, True)
        if impossible(step, way, times, accept) is None
    )


def impossible(step: Step, way: Way, times: int | None, accept: bool) -> str | None:
    """Why there is no such cell; None if there is."""
    if way.steps and step.name not in way.steps:
        return "nobody else says so"
    if way.level != "answer" and step.task == "identity":
        return "all hosts have the address of the managed identity from the environment of the run"
    if way.level == "DNS" and step.connection:
        return "a name is found once; that it is not found later is up to the host's resolver, not to a test"
    if times and (way.level == "DNS" or way.bad is refused):
        return "whoever is asked is not there to count"
    if way.bad is fronts.right and (step.connection or times):
        return "an address has one certificate from beginning to end"
    if times and way.permanent:
        return "nobody tries again after such an answer"
    if way.json is not None and way.json not in step.json:
        return "there is no such place in the answer"
    if way.group == "encoding" and way.kind == "real" and not step.json:
        return "the answer has no content"
    if accept and not step.writes:
        return "nothing is requested that could be accepted"
    if accept and way.level != "answer":
        return "no request is made"
    if step.writes and way.level == "answer":
        allowed = {
            # A success is true: whoever says 204 has accepted. In a batch, the answers of the items say so.
            "real": (True,),
            "own": (True,) if step.where == "sync" or way.right else (False, True),
            "page": (False, True),
            "refusal": (False,),
            "open": (False, True),
            "lost": (False, True),
        }
        if accept not in allowed[way.kind]:
            return "Graph does not lie"
    return None


# Ways to fail before there is a request


def refused() -> None:
    """Marks a refused connection, which takes no code."""


def _connections() -> t.Iterator[Way]:
    for name, url in (
        ("no such name", "https://simulator.invalid"),
        ("a label that is too long", f"https://{'a' * 64}.invalid"),
        ("a name of empty labels", "https://a..invalid"),
    ):
        yield Way(name, "DNS", "DNS", bad=url)
    yield Way("refused", "refused", "connect", bad=refused)
    yield Way("closed", "reset", "connect", bad=fronts.closed)
    yield Way("reset", "reset", "connect", bad=fronts.reset)
    yield Way("silent", "slow", "TLS", bad=fronts.silent)
    yield Way("byte by byte", "slow", "TLS", bad=fronts.slow_handshake)
    yield Way("cut handshake", "cut", "TLS", bad=fronts.cut_handshake)
    yield Way("no TLS at all", "untrusted", "TLS", bad=fronts.plain)
    yield Way("untrusted", "untrusted", "TLS", bad=fronts.somebody_else)
    yield Way("another host's certificate", "untrusted", "TLS", bad=fronts.right)


# Ways for an answer to be lost


def _lost() -> t.Iterator[Way]:
    def lost(name: str, group: str, **fault: t.Any) -> Way:
        return Way(name, group, fault=fault)

    yield lost("reset", "reset", wire=wires.reset)
    for cut in ("before", "headers", "body"):
        yield lost(f"cut {cut}", "cut", cut=cut)
    head = wires.STATUS_LINE
    yield lost("204 cut in its headers", "cut", wire=wires.says(b"HTTP/1.1 204 No Content\r\nrequest-id: 1\r\n"))
    yield lost("cut in the status line", "cut", wire=wires.says(b"HTTP/1.1 20"))
    yield lost("cut in a chunk", "cut", wire=wires.says(head + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}"))
    yield lost("late", "slow", delay=1.6)
    yield lost("silence", "slow", wire=wires.silence)
    yield lost("headers byte by byte", "slow", wire=wires.dripped)
    yield lost("headers without end, slowly", "slow", wire=wires.drips(head + b"X: "))
    yield lost("100 Continue for ever", "slow", wire=wires.drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"))
    yield lost("body byte by byte", "slow", wire=wires.drips(head + b"Content-Length: 9999\r\n\r\n"))
    yield lost("body without length, byte by byte", "slow", wire=wires.drips(head + b"\r\n"))
    yield lost("too many headers", "giant", wire=wires.says(head + b"X: y\r\n" * 1000 + b"\r\n"))
    yield lost("a giant header", "giant", wire=wires.says(head + b"X: " + b"y" * 10**6 + b"\r\n\r\n"))
    yield lost("headers without end", "giant", wire=wires.floods(head, b"X: y\r\n" * 1000))
    yield lost("body without end", "giant", wire=wires.floods(head + b"\r\n"))
    chunk = b"40000\r\n" + b"x" * 0x40000 + b"\r\n"
    yield lost("chunks without end", "giant", wire=wires.floods(head + b"Transfer-Encoding: chunked\r\n\r\n", chunk))
    yield lost("no HTTP", "rubbish", wire=wires.says(b"\x16\x03nonsense\r\n\r\n"))
    yield lost("rubbish chunks", "rubbish", wire=wires.says(head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"))
    yield lost("two lengths", "rubbish", wire=wires.says(head + b"Content-Length: 2\r\nContent-Length: 90\r\n\r\n{}"))


# Refusals


def _refusals(kind: Kind) -> t.Iterator[Way]:
    names = {status.value for status in HTTPStatus if status >= 400}
    for status in sorted({*names, 402, 419, 420, 450, 498, 499, 509, 520, 524, 529, 530, 561, 598, 599}):
        trouble = status >= 500 and status != 501
        sort = "open" if status >= 500 and status not in _UNDONE else "refusal"
        running = action_of(kind).answers.get(status) == "running"
        group = str(status) if status in (401, 429) else f"{status // 100}xx"
        permanent = not trouble and status not in _PASSING
        right = {1: SUCCEEDED} if trouble or status == 429 else {}
        fault: dict[str, t.Any] = {"status": status}
        yield Way(str(status), group, kind=sort, fault=fault, permanent=permanent, right=right, running=running)
    for status, (form, body) in itertools.product((400, 401, 429, 500, 503), _ERROR_BODIES.items()):
        fault = {"status": status, "body": body}
        sort = "open" if status == 500 else "refusal"
        yield Way(f"{status} with {form}", "error bodies", kind=sort, fault=fault, permanent=status not in _PASSING)
    timeout = {"error": {"code": "CancelledOnServiceTimeout", "message": "Timed out."}}
    yield Way("503 of a timeout", "5xx", kind="open", fault={"status": 503, "body": timeout})
    for form, value in _RETRY_AFTER.items():
        how = {"alter": value} if callable(value) else {"headers": {"Retry-After": value}}
        yield Way(f"429, Retry-After {form}", "429", kind="refusal", fault={"status": 429, **how})
    yield Way("503, Retry-After 1", "5xx", kind="refusal", fault={"status": 503, "headers": {"Retry-After": "1"}})
    for form, location in _LOCATIONS.items():
        fault = {"status": 307, "headers": {"Location": location} if location else {}, "body": b""}
        yield Way(f"307 to {form}", "redirect", kind="refusal", fault=fault, permanent=True)
    flood = wires.floods(b"HTTP/1.1 308 X\r\nLocation: https://127.0.0.2:9/\r\n\r\n")
    yield Way("308 with a body without end", "redirect", kind="refusal", fault={"wire": flood}, permanent=True)
    for status in (300, 301, 302, 303, 304, 305, 308, 399):
        fault = {"status": status, "headers": {"Location": _LOCATIONS["somebody else"]}, "body": b""}
        yield Way(f"{status} to somebody else", "redirect", kind="refusal", fault=fault, permanent=True)
    yield Way("a refusal that quotes what it was sent", "echo", kind="refusal", fault={"status": 400, "alter": quote})
    yield Way("a refused token, quoted later", "echo", kind="refusal", fault={"status": 401, "alter": _Quoting()})


# With these, a server says that it has not done what was asked; all others of 5xx leave that open.
_UNDONE = (501, 503)
# Besides trouble of the service, only these may be followed by a better answer.
_PASSING = (401, 408, 425, 429, 500, 503)


def _deep(depth: int) -> bytes:
    return b'{"error":' * depth + b"1" + b"}" * depth


_ERROR_BODIES: dict[str, t.Any] = {
    "no body": b"",
    "HTML": "<html><head><title>Sorry</title></head><body>No.</body></html>",
    "a JSON string": b'"no"',
    "wrong types": {"error": {"code": [1], "message": {"message": {"x": 2}}, "innerError": "y"}},
    "an error that is a number": {"error": 5, "message": 6, "error_description": 7, "error_codes": "8"},
    "deep JSON": _deep(100_000),
    "JSON that is not quite too deep": b'{"message":' * 900 + b"{}" + b"}" * 900,
    "JSON in JSON in JSON": functools.reduce(lambda text, _n: json.dumps({"message": text}), range(9), "x"),
    "UTF-16": '{"error": {"code": "x", "message": "Nein."}}'.encode("utf-16"),
    "Latin-1": '{"error": {"code": "x", "message": "Müde."}}'.encode("latin-1"),
    "control characters": {"error": {"code": "x\x1b[31m", "message": "a\x00b\r\nc\x1b]0;d\x07\u202e\ud800"}},
    "a giant message": {"error": {"code": "x", "message": "<" * 10**6, "innerError": {"request-id": "y" * 10**5}}},
}


def _in(seconds: float) -> t.Callable[[Request, Answer], Answer]:
    """Retry-After as a date, some seconds after the answer's own."""

    def alter(_request: Request, answer: Answer) -> Answer:
        moment = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        answer.headers["Retry-After"] = format_datetime(moment, usegmt=True)
        return answer

    return alter


_RETRY_AFTER: dict[str, t.Any] = {
    "0": "0",
    "1": "1",
    "1 in spaces": "  1  ",
    "1.5": "1.5",
    "-1": "-1",
    "1e3": "1e3",
    "0x1": "0x1",
    "an hour": "3600",
    "a number of years": "999999999",
    "a number without end": "9" * 5000,
    "empty": "",
    "a word": "soon",
    "two": "1, 2",
    "a date in 1 s": _in(1),
    "a date in 1 h": _in(3600),
    "a date long ago": _in(-1e9),
    "a date of year 9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "a date of RFC 850": "Sunday, 06-Nov-94 08:49:37 GMT",
    "a date of asctime": "Sun Nov  6 08:49:37 1994",
    "an ISO date": "2026-11-22T18:00:00Z",
    "a date that does not exist": "Fri, 31 Feb 2026 25:61:61 GMT",
}

_LOCATIONS: dict[str, str] = {
    "somebody else": "https://127.0.0.2:9/",
    "nowhere": "",
    "plain HTTP": "http://127.0.0.1:9/",
    "rubbish": "https://[::1",
    "a giant address": "https://x.invalid/" + "a" * 5000,
}


def quote(request: Request, answer: Answer) -> Answer:
    """Quote what must not be shown: the secret of a sign-in, the token of another request."""
    return _quoting(_sent(request), answer)


def _sent(request: Request) -> str:
    secret = parse_qs(request.body.decode("utf-8", "replace")).get("client_secret", [""])[0]
    return f"{secret} {request.headers.get('Authorization', '')}"


def _quoting(words: str, answer: Answer) -> Answer:
    text = f"You sent {words}"
    document = {"error": {"code": "x", "message": text}, "error_description": text, "trace_id": words}
    # With the id of the request too, which results carry in a place of its own.
    headers = {**answer.headers, "request-id": words.strip(), "Content-Type": "application/json"}
    return Answer(answer.status, headers, json.dumps(document).encode())


class _Quoting:
    """Refuse the first token, and quote that in the refusal of every other."""

    def __init__(self) -> None:
        self._first: dict[str | None, str] = {}

    def __call__(self, request: Request, answer: Answer) -> Answer:
        first = self._first.setdefault(request.tenant_id, _sent(request))
        if first == _sent(request):
            return answer
        return _quoting(first, Answer(403, answer.headers))


# Successes that are none, or strange ones


def _contents() -> t.Iterator[Way]:
    for name, body in _CONTENTS.items():
        kind = "own" if name in _AS_GOOD_AS_NONE else "page"
        yield Way(name, "content", kind=kind, fault={"status": 200, "body": body}, permanent=name != "empty")
    for status in (201, 202, 204, 206, 226, 299):
        yield Way(
            f"{status} without content", "content", kind="own", fault={"status": status, "body": b""}, permanent=True
        )
    html = {"Content-Type": "text/html"}
    yield Way("HTML", "content", kind="page", fault={"status": 200, "body": "<html>Log in</html>", "headers": html})
    for encoding in ("gzip", "deflate", "br", "gzip, gzip", "rubbish"):
        headers = {"Content-Encoding": encoding}
        fault = {"status": 200, "body": b'{"a": "not packed"}', "headers": headers}
        yield Way(f"not {encoding}", "encoding", kind="page", fault=fault, permanent=True)
    for name, wire in _STRANGE.items():
        yield Way(name, "headers", kind="own", fault={"wire": wires.says(wire)}, permanent=True)
    for name, bomb in _BOMBS.items():
        fault = {"status": 200, "alter": _bomb(name, bomb)}
        yield Way(f"a bomb of {name}", "giant", kind="page", fault=fault, permanent=True)


@functools.cache
def _gzip_bomb(depth: int) -> bytes:
    # After a full flush nothing refers to what came before, so the block may be repeated.
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(2**24)) + packer.flush(zlib.Z_FULL_FLUSH)
    packed = b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + block * 80
    return packed if depth == 1 else gzip.compress(packed)


_BOMBS = {"gzip": 1, "gzip, gzip": 2}


def _bomb(encoding: str, depth: int) -> t.Callable[[Request, Answer], Answer]:
    packed = _gzip_bomb(depth)

    def alter(_request: Request, answer: Answer) -> Answer:
        return Answer(200, {**answer.headers, "Content-Encoding": encoding}, packed)

    return alter


# What of the following may stand in an acceptance, which has no content; the number is JSON to older Pythons only.
_AS_GOOD_AS_NONE = ("empty", "an empty object", "a number of many digits")
_CONTENTS: dict[str, t.Any] = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "a string": b'"x"',
    "a number": b"1",
    "an empty object": b"{}",
    "half of JSON": b'{"value": [',
    "two objects": b"{}{}",
    "deep lists": b"[" * 200_000,
    "deep objects": _deep(100_000),
    "NaN": b"NaN",
    "a number of many digits": b'{"id": ' + b"9" * 10**5 + b"}",
    "NUL": b"\0" * 100,
    "17 MiB": b'{"a": "' + b"x" * 17 * 2**20 + b'"}',
}

# Sent as they are: a server that writes HTTP in its own way.
_STRANGE: dict[str, t.Callable[[Answer], bytes]] = {
    "more than its length": lambda answer: wires.whole(answer) + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "a negative length": lambda answer: b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + answer.body,
    "HTTP/1.0 without length": lambda answer: b"HTTP/1.0 200 OK\r\n\r\n" + answer.body,
    "line feeds alone": lambda answer: wires.whole(answer).replace(b"\r\n", b"\n"),
    "a header without colon": lambda answer: b"HTTP/1.1 200 OK\r\nX\r\n\r\n" + answer.body,
    "a header in two lines": lambda answer: wires.whole(answer, "X: y\r\n z"),
    "Latin-1 in a header": lambda answer: wires.whole(answer, "request-id: M\xfcde"),
}


# The real answer, changed


def _changed(kind: Kind) -> t.Iterator[Way]:
    for name, text in _ENCODED.items():
        yield Way(name, "encoding", kind="real", fault={"alter": _as(text)}, permanent=True)
    for name, headers in _HEADERS.items():
        yield Way(name, "headers", kind="real", fault={"headers": headers}, permanent=True)
    for name, days in {"two days behind": -2, "two days ahead": 2, "a thousand years ahead": 365_000}.items():
        yield Way(f"a clock {name}", "clock", kind="real", fault={"alter": _clock(days)}, permanent=True)
    yield Way("no clock", "clock", kind="real", fault={"headers": {"Date": ""}})
    yield Way("a clock of rubbish", "clock", kind="real", fault={"headers": {"Date": "yesterday"}})
    for place in sorted({place for step in steps(kind) for place in step.json}, key=str):
        for name, value in _WRONG.items():
            way = f"{'/'.join(map(str, place))} is {name}"
            yield Way(way, "wrong types", kind="real", fault={"alter": _put(place, value)}, json=place, permanent=True)
        way = f"{'/'.join(map(str, place))} twice"
        yield Way(way, "duplicate keys", kind="real", fault={"alter": _twice(place)}, json=place, permanent=True)
    yield Way("an entry twice", "lists", kind="real", fault={"alter": _again}, json=("value", 0), permanent=True)
    for where, property_ in itertools.product(((), ("value", 0)), decisive(kind)):
        if property_.endswith("DateTime"):
            place = (*where, property_)
            about = "" if property_ == kind.clock else f"{property_}: "
            for name, text in _TIMES.items():
                fault = {"alter": _put(place, text)}
                yield Way(about + name, "times", kind="real", fault=fault, json=place, permanent=True)
    shown = dict.fromkeys((*decisive(kind), kind.sorted_by))
    for where, property_ in itertools.product(((), ("value", 0)), shown):
        place = (*where, property_)
        if property_ == kind.sorted_by:
            way, fault = f"{'/'.join(map(str, place))} quotes what was sent", {"alter": _quoted_at(place)}
            yield Way(way, "echo", kind="real", fault=fault, json=place, permanent=True)
        if unshown(kind):
            way, fault = (
                f"{'/'.join(map(str, place))} has the secrets in it",
                {"alter": _hidden_at(place, unshown(kind))},
            )
            yield Way(way, "secrets", kind="real", fault=fault, json=place, permanent=True)
    for seconds in (0, 1, -5):
        fault = {"alter": _put(("expires_in",), seconds)}
        yield Way(f"a token for {seconds} s", "expired", kind="real", fault=fault, json=("expires_in",), permanent=True)


def _as(packed: t.Callable[[bytes], tuple[bytes, dict[str, str]]]) -> t.Callable[[Request, Answer], Answer]:
    def alter(_request: Request, answer: Answer) -> Answer:
        body, headers = packed(answer.body)
        return Answer(answer.status, {**answer.headers, **headers}, body)

    return alter


def _charset(name: str) -> t.Callable[[bytes], tuple[bytes, dict[str, str]]]:
    return lambda body: (body.decode().encode(name), {"Content-Type": f"application/json; charset={name}"})


_ENCODED: dict[str, t.Callable[[bytes], tuple[bytes, dict[str, str]]]] = {
    **{f"content in {name}": _charset(name) for name in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7")},
    "content in latin-1, which it is not": lambda body: (body.replace(b"Z", "Ü".encode("latin-1")), {}),
    "content in gzip": lambda body: (gzip.compress(body), {"Content-Encoding": "gzip"}),
    "content in deflate": lambda body: (zlib.compress(body), {"Content-Encoding": "deflate"}),
    "content in gzip, cut": lambda body: (gzip.compress(body)[:-9], {"Content-Encoding": "gzip"}),
    "content in gzip, and more": lambda body: (gzip.compress(body) + b"more", {"Content-Encoding": "gzip"}),
    "content as identity": lambda body: (body, {"Content-Encoding": "identity"}),
    "content in 64 KiB of spaces": lambda body: (b" " * 2**16 + body, {}),
}

_HEADERS: dict[str, dict[str, str]] = {
    "content type of HTML": {"Content-Type": "text/html"},
    "no content type": {"Content-Type": ""},
    "content type of rubbish": {"Content-Type": ";;=,"},
    "a cookie": {"Set-Cookie": "session=1; Domain=.invalid"},
    "a giant request id": {"request-id": "x" * 8000, "x-ms-request-id": "x" * 8000},
    "close": {"Connection": "close"},
}


def _clock(days: int) -> t.Callable[[Request, Answer], Answer]:
    def alter(_request: Request, answer: Answer) -> Answer:
        moment = datetime.now(timezone.utc) + timedelta(days=days)
        answer.headers["Date"] = format_datetime(moment, usegmt=True)
        return answer

    return alter


def _put(place: Place, value: t.Any) -> t.Callable[[Request, Answer], Answer]:
    """Put the wrong value there."""
    return _changed_at(place, lambda _where, _request: value)


def _quoted_at(place: Place) -> t.Callable[[Request, Answer], Answer]:
    """Quote there what must not be shown."""
    return _changed_at(place, lambda _where, request: f"You sent {_sent(request)}")


def _hidden_at(place: Place, names: t.Collection[str]) -> t.Callable[[Request, Answer], Answer]:
    """Put there what of the object is not shown."""

    def hidden(where: t.Any, _request: Request) -> t.Any:
        # What Graph was not asked for is not there.
        found = {name: where.get(name, f"{SENTINEL}{name}") for name in names}
        return {"x": found, **found, "y": [found, *found.values()]}

    return _changed_at(place, hidden)


def _changed_at(place: Place, value: t.Callable[[t.Any, Request], t.Any]) -> t.Callable[[Request, Answer], Answer]:
    """Put a value there, which may depend on what stands around it and on the request."""

    def alter(request: Request, answer: Answer) -> Answer:
        if answer.status >= 300:
            return answer
        document = json.loads(answer.body)
        where = functools.reduce(lambda part, key: part[key], place[:-1], document)
        wrong = value(where, request)
        if wrong is ABSENT:
            with contextlib.suppress(KeyError):
                del where[place[-1]]
        else:
            where[place[-1]] = wrong
        answer.body = json.dumps(document).encode()
        return answer

    return alter


def _again(_request: Request, answer: Answer) -> Answer:
    """List the first entry again at the end, as if the pages had moved."""
    document = json.loads(answer.body)
    document["value"] = [*document["value"], *document["value"][:1]]
    answer.body = json.dumps(document).encode()
    return answer


_TIMES: dict[str, t.Any] = {
    "year 1 without offset": "0001-01-01T00:00:00",
    "year 1 with spaces and an offset": " 0001-01-01 00:00:00 -08:00",
    "a time without offset": "2026-11-22T18:00:00.1234567",
    "a day that does not exist": "2026-02-30T00:00:00Z",
    "a time in words": "22 November 2026",
}


def _twice(place: Place) -> t.Callable[[Request, Answer], Answer]:
    """Have the key there twice, first with a value that is none."""

    def alter(_request: Request, answer: Answer) -> Answer:
        key = json.dumps(next((part for part in reversed(place) if isinstance(part, str)), "")).encode()
        answer.body = answer.body.replace(key + b":", key + b': "twice", ' + key + b":", 1)
        return answer

    return alter


# What was found in reports of others, with what is right there


def _reported(kind: Kind) -> t.Iterator[Way]:
    entra, identity = ("metadata", "token"), ("identity",)
    for status, error in ((500, "server_error"), (400, "temporarily_unavailable")):
        body = {
            "error": error,
            "error_description": "AADSTS90033: A transient error has occurred.",
            "error_codes": [90033],
        }
        fault = {"status": status, "body": body}
        right = {1: SUCCEEDED, None: FAILED}
        yield Way(f"{status} {error}", "trouble of Entra ID", kind="refusal", fault=fault, steps=entra, right=right)
    for status in (404, 410, 500):
        for form, body in {"JSON": {"error": "unknown"}, "HTML": "<title>Gone</title>", "no body": b""}.items():
            name, fault = f"{status} of an endpoint that is updated, with {form}", {"status": status, "body": body}
            yield Way(name, "updating", kind="refusal", fault=fault, steps=identity, right={1: SUCCEEDED, None: FAILED})
    inner = {"_version": 3, "ErrorCode": "Forbidden", "Message": "No role."}
    body = {"error": {"code": "UnknownError", "message": json.dumps(inner)}}
    # Whether many that were asked came in is told as far as it can be seen.
    telling = [step for step in steps(kind) if not (kind.large and step.waits and step.task == "many")]
    graph = tuple(step.name for step in telling if step.host == "graph")
    yield Way(
        *("401 that means forbidden", "forbidden"),
        kind="refusal",
        fault={"status": 401, "body": body},
        permanent=True,
        steps=graph,
        right={None: FAILED},
        says="Intune licence",
    )
    # Whoever refuses a batch may take its parts one by one.
    single = tuple(step.name for step in telling if step.where != "batch")
    page = "<html><head><title>Blocked by policy</title></head></html>"
    yield Way(
        *("403 of a web filter", "web filter"),
        kind="refusal",
        fault={"status": 403, "body": page, "headers": {"Content-Type": "text/html"}},
        permanent=True,
        steps=tuple(name for name in single if name not in identity),
        right={None: FAILED},
        says='"Blocked by policy"',
    )
    # microsoft-authentication-library-for-python#760
    fault = {"alter": _put(("expires_on",), "11/05/2026 15:18:31 +00:00")}
    yield Way(
        "an end that is a date",
        "times",
        kind="real",
        fault=fault,
        permanent=True,
        steps=identity,
        right={None: SUCCEEDED},
    )
    interim = b"".join(b"HTTP/1.1 %d X\r\nLink: x\r\n\r\n" % status for status in (100, 101, 102, 103, 199))
    refusal = interim + b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
    for name, sort, wire, where, right in (
        ("interim answers", "own", lambda answer: interim + wires.whole(answer), (), SUCCEEDED),
        ("interim answers, then 403", "refusal", refusal, single, FAILED),
    ):
        fault = {"wire": wires.says(wire)}
        yield Way(name, "interim", kind=sort, fault=fault, permanent=True, steps=where, right={None: right})
    place = ("responses", 0)
    for status, right in ((403, {None: FAILED}), (503, {1: SUCCEEDED})):
        fault = {"status": 200, "alter": _pages(status)}
        name, permanent = f"{status} with HTML in base64 for each part", status == 403
        yield Way(
            *(name, "batch parts", "answer", "refusal", fault, None, place, permanent), right=right, says="Sorry, no"
        )
    for name, alter in (("a part twice, which differ", _differing), ("no final status for a part", _interim_part)):
        yield Way(name, "batch parts", kind="real", fault={"alter": alter}, json=place, right={1: SUCCEEDED})
    if kind.singleton:
        return
    # A wait goes on; without having seen the object, nothing is begun. Two that go on are not always asked together.
    for where, alter, right in (
        (("GET",), _another, {None: FAILED}),
        (("poll 1", "poll 2"), _another, {1: SUCCEEDED, None: FAILED}),
        (("batch of GETs",), _exchanged, {None: FAILED}),
        (("batch of polls",), _exchanged, {1: SUCCEEDED}),
    ):
        name, permanent = f"an answer about another {kind.words.short} at the {where[0]}", 1 not in right
        fault = {"alter": alter}
        yield Way(name, "another's", kind="real", fault=fault, permanent=permanent, steps=where, right=right)


def _meant(kind: Kind) -> t.Iterator[Way]:
    """Refusals by which Graph says something about the tenant or the object."""

    def refused(status: int, name: str, where: tuple[str, ...], right: str | None, says: str = "") -> Way:
        code, text = _SAID[status]
        body = {"error": {"code": code, "message": text}}
        group = f"{status // 100}xx"
        ends = {None: right} if right else {}
        fault = {"status": status, "body": body}
        return Way(*(name, group), kind="refusal", fault=fault, permanent=True, steps=where, right=ends, says=says)

    none = kind.words.none_in_tenant
    every = tuple(step.name for step in steps(kind))
    for status in (501, 404):
        name = f"{status} of a tenant without"
        lists = status == 501 or kind.singleton
        this = f"the {kind.words.short} is not in this tenant"
        yield refused(status, name, ("GET", "poll 1", "poll 2"), FAILED, none if lists else this)
        yield refused(status, name, ("POST",), FAILED, none if status == 501 else this)
        yield refused(status, name, ("list page 1",), SUCCEEDED if lists else FAILED)
        yield refused(status, name, tuple({*every} - {*_SINGLE, "list page 1"}), None)
    answers = action_of(kind).answers
    # Where no synchronisation is asked for, and where none can have been too recent, it means no more than it says.
    says_running = {"POST"} if answers.get(409) == "running" else set()
    where = tuple(name for name in (*_SINGLE, "list page 1", "list page 2") if name not in says_running)
    yield refused(409, "409 of a conflict", where, FAILED, "HTTP 409")


def _instead(kind: Kind) -> t.Iterator[Way]:
    """Answers to a request that say why it was not needed."""
    for status, meaning in action_of(kind).answers.items():
        way = Way(
            *(f"{status}, and somebody else's runs", "instead"),
            kind="refusal",
            fault={"status": status, "body": {"error": {"code": "X", "message": "Not now."}}},
            permanent=True,
            steps=("POST",),
            right={None: SUCCEEDED},
            begins=True,
            state="joined" if meaning == "running" else meaning,
        )
        yield way
        if meaning == "running":
            # The one that it speaks of has no end that would show.
            name, right, says = f"{status}, and none runs", {None: FAILED}, "asked for elsewhere runs"
            yield way._replace(name=name, right=right, says=says, running=True, begins=False)
    if action_of(kind).interval:
        # What the service itself says to it.
        for where, state in (("POST", _first_meaning(kind)), ("batch of POSTs", "")):
            yield Way(
                *("somebody else's begins before", "instead"),
                kind="refusal",
                permanent=True,
                steps=(where,),
                right={None: SUCCEEDED},
                begins=True,
                state=state,
            )


def _first_meaning(kind: Kind) -> str:
    """What a request comes to while another runs, of which the service takes one within an interval."""
    return "joined" if "running" in action_of(kind).answers.values() else "too_soon"


_SAID = {
    404: ("ResourceNotFound", "An error has occurred."),
    409: ("Conflict", "A synchronisation is in progress."),
    501: ("NotSupported", "The operation is not supported."),
}


# What an object may tell


def _told(kind: Kind) -> t.Iterator[Way]:
    """What an object tells of itself, though it is not so in the simulator: it has ended, or never began."""
    readable = {step.name for step in steps(kind) if not step.writes or answers_with_object(kind)}
    for telling, property_, value in SIMULATED[kind.name].tells:
        word = f"{value} ago" if isinstance(value, timedelta) else value
        for where, right, says in _ends(kind, telling, value):
            there = tuple(name for name in where if name in readable)
            if there:
                yield Way(
                    *(f"{property_} is {word}", "failed" if telling in ("code", "old") else telling),
                    kind="real",
                    fault={"alter": _tells(told(kind, telling, property_, value))},
                    steps=there,
                    right=right,
                    says=says.format(value=word),
                    running=telling == "running",
                )


_ONCE, _ALWAYS = {1: SUCCEEDED}, {1: SUCCEEDED, None: SUCCEEDED}
_NEVER = {1: FAILED, None: FAILED}
_POSTS = ("POST", "batch of POSTs")
_READS = ("GET", "batch of GETs", "list page 1", "list page 2", "poll 1", "poll 2", "batch of polls")
# By what is told, and where: how a task ends to which it is told once, and for good; and what it says if it failed. To
# be told of a list, or of all batches, for good is to be told of what follows as well.
_ENDS: dict[str, tuple[tuple[tuple[str, ...], dict[int | None, str], str], ...]] = {
    "running": (
        (("GET",), {None: FAILED}, "asked for elsewhere runs"),
        (("batch of GETs",), {None: FAILED}, "asked for elsewhere runs"),
        (("list page 1",), _ONCE, ""),
        # What follows says that none runs, and moves nothing: nobody can tell what became of that one.
        (("list page 2",), {}, ""),
        (("POST",), _ALWAYS, ""),
        (("batch of POSTs",), _ONCE, ""),
        (("poll 1", "poll 2"), {1: SUCCEEDED, None: FAILED}, "but it did not show within wait_timeout"),
        (("batch of polls",), _ONCE, ""),
    ),
    "failed": (
        (("GET",), {1: SUCCEEDED, None: FAILED}, " failed: "),
        (("batch of GETs",), _ONCE, ""),
        (("list page 1", "list page 2"), _ALWAYS, ""),
        (("POST",), _ALWAYS, ""),
        (("batch of POSTs",), _ONCE, ""),
        (("poll 1", "poll 2"), _NEVER, " failed: "),
        (("batch of polls",), {1: FAILED}, " failed: "),
    ),
    # It is not new if it stood there before.
    "code": (
        (("GET",), {1: SUCCEEDED, None: FAILED}, "it did not show within wait_timeout"),
        (("batch of GETs",), _ONCE, ""),
        (("list page 1", "list page 2"), _ALWAYS, ""),
        (("poll 1", "poll 2"), _NEVER, " failed: "),
        (("batch of polls",), {1: FAILED}, " failed: "),
    ),
    "old": ((_READS, _ALWAYS, ""),),
    "unknown": (
        (_READS, _ALWAYS, ""),
        (_POSTS, _ALWAYS, ""),
    ),
    "obstacle": (
        (("GET",), _NEVER, "{value}"),
        (("batch of GETs",), _NEVER, "{value}"),
        (("list page 1",), {1: SUCCEEDED, None: FAILED}, "{value}"),
        (("list page 2",), _NEVER, "{value}"),
        (("poll 1", "poll 2", "batch of polls", "list of polls"), _ALWAYS, ""),
        (_POSTS, _ALWAYS, ""),
    ),
}


def _ends(kind: Kind, telling: str, value: Told) -> t.Iterator[tuple[tuple[str, ...], dict[int | None, str], str]]:
    """The same for a kind and what it tells.

    Of thousands in a list, those that cannot be synchronised are left out. One that began a while ago is over when a
    later success shows.
    """
    for where, right, says in _ENDS[telling]:
        left_out = kind.large and telling == "obstacle" and where[0].startswith("list page")
        over = isinstance(value, timedelta) and telling == "running" and where[0].startswith("poll ")
        # Those that wait are not always asked together, and then they are told what is so.
        by_chance = isinstance(value, timedelta) and telling == "running" and where[0].startswith("batch of GETs")
        yield (where, _ALWAYS, "") if left_out or over else (where, {} if by_chance else right, says)


def _tells(properties: t.Mapping[str, Told]) -> t.Callable[[Request, Answer], Answer]:
    """Let each object in an answer tell it."""

    def alter(_request: Request, answer: Answer) -> Answer:
        if answer.status >= 300:
            return answer
        document = json.loads(answer.body)
        parts = [part.get("body") for part in document.get("responses", ())]
        for entity in (document, *document.get("value", ()), *parts):
            if isinstance(entity, dict) and "id" in entity:
                entity.update({name: _as_json(value) for name, value in properties.items()})
        answer.body = json.dumps(document).encode()
        return answer

    return alter


def _as_json(value: Told) -> t.Any:
    return trimmed_time(datetime.now(timezone.utc) - value) if isinstance(value, timedelta) else value


def _pages(status: int) -> t.Callable[[Request, Answer], Answer]:
    """Answer each part of a batch with a gateway's page, as the service sends what is no JSON."""
    page = base64.b64encode(b"<html><head><title>Sorry, no</title></head></html>").decode()

    def alter(request: Request, answer: Answer) -> Answer:
        part = {"status": status, "headers": {"Content-Type": "text/html"}, "body": page}
        parts = [{"id": entry["id"], **part} for entry in json.loads(request.body)["requests"]]
        return Answer(200, answer.headers, json.dumps({"responses": parts}).encode())

    return alter


def _parts(change: t.Callable[[list[t.Any]], list[t.Any]]) -> t.Callable[[Request, Answer], Answer]:
    def alter(_request: Request, answer: Answer) -> Answer:
        if answer.status >= 300:
            return answer
        document = json.loads(answer.body)
        document["responses"] = change(document["responses"])
        return Answer(answer.status, answer.headers, json.dumps(document).encode())

    return alter


_differing = _parts(lambda parts: [*parts, {**parts[0], "status": 403}])
_interim_part = _parts(lambda parts: [{**parts[0], "status": 102}, *parts[1:]])
_exchanged = _parts(
    lambda parts: (
        [{**part, "body": other["body"]} for part, other in zip(parts, [*parts[1:], *parts[:1]])]
        if all(part["status"] == 200 for part in parts)
        else parts
    )
)


_another = _put(("id",), "00000000-0000-0000-0000-000000000000")


ABSENT = object()


def _nested(depth: int) -> t.Any:
    return functools.reduce(lambda inner, _n: [inner], range(depth), 0)


_WRONG: dict[str, t.Any] = {
    "absent": ABSENT,
    "null": None,
    "true": True,
    "-1": -1,
    "a giant number": 10**400,
    "empty": "",
    "a word": "rubbish",
    "half a character": "\ud800",
    "control characters": "a\x00b\r\nc\x1b[31m",
    "a list": [],
    "a list of lists": [[[]], {}],
    "an object": {"value": {}},
    "a giant text": "x" * 10**6,
    "deep": _nested(900),
}


def ways(kind: Kind) -> list[Way]:
    """Every way to fail, for a kind."""
    return [
        *_connections(),
        *_lost(),
        *_refusals(kind),
        *_contents(),
        *_changed(kind),
        *_reported(kind),
        *_meant(kind),
        *_instead(kind),
        *_told(kind),
    ]
