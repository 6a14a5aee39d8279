# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers of an attacker, put together by chance: status line, headers, framing, content, and what is in a batch.

Each is made of named parts, so that a failure shows which, and shrinks to the fewest. One thing an attacker cannot do
here: say of a request what is not true, for then no one could tell what it came to.
"""

from __future__ import annotations

import base64
import functools
import gzip
import json
import typing as t
import zlib
from urllib.parse import quote

from hypothesis import strategies as st
from simulator import Fault, Request
from simulator.records import Answer

from . import wires

# What an answer says of a request to synchronise: that it was accepted, that it was not, or nothing.
YES, NO, OPEN = True, False, None

_STATUS: dict[str, tuple[str, bool | None]] = {
    "200": ("HTTP/1.1 200 OK", YES),
    "200 of HTTP/1.0": ("HTTP/1.0 200 OK", YES),
    "200 of HTTP/1.9": ("HTTP/1.9 200 OK", YES),
    "200 without a reason": ("HTTP/1.1 200", YES),
    "200 behind blanks": ("HTTP/1.1   200   OK", YES),
    "200 with a sign": ("HTTP/1.1 +200 OK", YES),
    "200 with the secret": ("HTTP/1.1 200 {secret}", YES),
    "204": ("HTTP/1.1 204 No Content", YES),
    "204 with a long reason": ("HTTP/1.1 204 " + "x" * 60_000, YES),
    "299": ("HTTP/1.1 299 M\xfcde", YES),
    **{str(status): (f"HTTP/1.1 {status} No", NO) for status in (304, 307, 400, 401, 403, 404, 413, 429, 501, 503)},
    "403 with the secret": ("HTTP/1.1 403 {secret}", NO),
    **{str(status): (f"HTTP/1.1 {status} Well", OPEN) for status in (500, 502, 504, 520, 600, 999)},
    "no number": ("HTTP/1.1 2e2 OK", OPEN),
    "a number below zero": ("HTTP/1.1 -204 OK", OPEN),
    "99": ("HTTP/1.1 99 Low", OPEN),
    "1000": ("HTTP/1.1 1000 High", OPEN),
    "HTTP/2": ("HTTP/2 200 OK", OPEN),
    "another protocol": ("SSH-2.0-OpenSSH_9.9", OPEN),
    "NUL": ("\0", OPEN),
    "nothing": ("", OPEN),
    "a line without end": ("HTTP/1.1 200 " + "x" * 200_000, OPEN),
}

_INTERIM: dict[str, bytes] = {
    "none": b"",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "102": b"HTTP/1.1 102 Processing\r\n\r\n",
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n",
    "199": b"HTTP/1.1 199 X\r\n\r\n",
    "all of them": b"".join(b"HTTP/1.1 %d X\r\n\r\n" % status for status in range(100, 200)),
    "a thousand": b"HTTP/1.1 100 Continue\r\n\r\n" * 1000,
    "103 with many headers": b"HTTP/1.1 103 X\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "103 with a line without end": b"HTTP/1.1 103 X\r\nX: " + b"y" * 200_000,
}

_HEADERS: dict[str, str] = {
    "a request's id": "request-id: 0815",
    "JSON": "Content-Type: application/json",
    "HTML": "Content-Type: text/html",
    "a content type of the secret": "Content-Type: text/{secret}",
    "an id of the secret": "request-id: {secret}",
    "another id of the secret": "x-ms-request-id: {secret}",
    "a challenge of the secret": 'WWW-Authenticate: Bearer realm="{secret}"',
    "a location": "Location: https://127.0.0.2:9/?{secret}",
    "a location that is none": "Location: https://[::1",
    "folded": "X: y\r\n\tz\r\n  Content-Length: 3",
    "twice": "Retry-After: 1\r\nRetry-After: 2",
    "Retry-After of many digits": "Retry-After: " + "9" * 5000,
    "Retry-After below zero": "Retry-After: -1",
    "no colon": "X",
    "a blank before the colon": "X : y",
    "no name": ": y",
    "NUL": "X: a\0b",
    "a carriage return": "X: a\rY: b",
    "Latin-1": "X: M\xfcde",
    "long": "X: " + "y" * 60_000,
    "longer than a line may be": "X: " + "y" * 70_000,
    "ninety": "\r\n".join(["X: y"] * 90),
    "many": "\r\n".join(["X: y"] * 1000),
    "without end": "\r\n".join(["X: y"] * 100_000),
    "a cookie": "Set-Cookie: a={secret}; Domain=.invalid",
    "keep": "Connection: keep-alive",
    "upgrade": "Connection: upgrade\r\nUpgrade: websocket",
}


def _length(word: str | int) -> t.Callable[[bytes], bytes]:
    return lambda body: f"Content-Length: {word}\r\n\r\n".encode() + body


def _chunks(body: bytes, *, size: str = "{:x}", last: bytes = b"0\r\n\r\n") -> bytes:
    parts = [body[n : n + 5000] for n in range(0, len(body), 5000)]
    sent = b"".join(size.format(len(part)).encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return b"Transfer-Encoding: chunked\r\n\r\n" + sent + last


def _odd_chunk(size: bytes) -> t.Callable[[bytes], bytes]:
    return lambda body: b"Transfer-Encoding: chunked\r\n\r\n" + size + b"\r\n" + body + b"\r\n0\r\n\r\n"


# The end of the headers, and the content.
_FRAMING: dict[str, t.Callable[[bytes], bytes]] = {
    "a length": lambda body: _length(len(body))(body),
    "none": lambda body: b"\r\n" + body,
    "chunks": _chunks,
    "chunks with extensions": lambda body: _chunks(body, size="000{:X};x=y"),
    "chunks with trailers": lambda body: _chunks(body, last=b"0\r\nX: y\r\nContent-Length: 1\r\n\r\n"),
    "chunks with very many trailers": lambda body: _chunks(body, last=b"0\r\n" + b"X: y\r\n" * 100_000),
    "chunks with a trailer without end": lambda body: _chunks(body, last=b"0\r\nX: " + b"y" * 200_000),
    "chunks without the last": lambda body: _chunks(body, last=b""),
    "a chunk's size without end": _odd_chunk(b"0" * 200_000),
    "a chunk's extension without end": _odd_chunk(b"5;" + b"x" * 200_000),
    **{f"a chunk of size {size!r}": _odd_chunk(size) for size in (b"-1", b"-5", b"0x5", b"5_0", b"f" * 40, b"", b"zz")},
    "a length too short": lambda body: _length(max(0, len(body) - 3))(body),
    "a length too long": lambda body: _length(len(body) + 10)(body),
    "a giant length": _length(10**15),
    "a length of many digits": _length("1" * 5000),
    "a negative length": _length(-5),
    "a length in words": _length("some"),
    "two equal lengths": lambda body: f"Content-Length: {len(body)}\r\n".encode() + _length(len(body))(body),
    "two lengths": lambda body: b"Content-Length: 1\r\n" + _length(len(body))(body),
    "two lengths in one": lambda body: _length(f"{len(body)}, {len(body)}")(body),
    "chunks and a length": lambda body: b"Content-Length: 3\r\n" + _chunks(body),
    "chunks of chunks": lambda body: b"Transfer-Encoding: chunked\r\n" + _chunks(body),
    "another coding": lambda body: b"Transfer-Encoding: gzip, xchunked\r\n\r\n" + body,
    "an answer behind it": lambda body: _length(len(body))(body) + b"HTTP/1.1 204 X\r\n\r\n",
}

_PACKING: dict[str, tuple[str, t.Callable[[bytes], bytes]]] = {
    "none": ("", bytes),
    "gzip": ("gzip", gzip.compress),
    "gzip in capitals": ("GZIP", gzip.compress),
    "deflate": ("deflate", zlib.compress),
    "gzip, which it is not": ("gzip", bytes),
    "gzip, cut": ("gzip", lambda body: gzip.compress(body)[:-9]),
    "gzip, twice": ("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    "gzip, and more": ("gzip", lambda body: gzip.compress(body) + b"more"),
    "gzip of some parts": ("gzip", lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:])),
    "unknown": ("br", bytes),
    "as identity": ("identity", bytes),
    "a list": (", ,gzip;q=1", gzip.compress),
    "a bomb": ("gzip", lambda _body: _bomb()),
}


@functools.cache
def _bomb() -> bytes:
    return gzip.compress(bytes(300 * 2**20), 1)


def _each(form: str) -> t.Callable[[str], str]:
    return lambda word: "".join(form.format(ord(char)) for char in word)


def _base64(before: int) -> t.Callable[[str], str]:
    return lambda word: base64.b64encode(b"x" * before + word.encode()).decode()


SPELLINGS: dict[str, t.Callable[[str], str]] = {
    "plain": str,
    "JSON": _each("\\u{:04x}"),
    "JSON in capitals, in parts": lambda word: word[:3] + _each("\\u{:04X}")(word[3:9]) + word[9:],
    "JSON twice": _each("\\\\u{:04x}"),
    "an address": _each("%{:02x}"),
    "an address, in parts": lambda word: quote(word[:5]) + _each("%{:02X}")(word[5:]),
    "an address in an address": _each("%25{:02x}"),
    "XML": _each("&#{};"),
    "XML in hexadecimal": _each("&#x{:X};"),
    "XML in XML": _each("&amp;#{:04};"),
    **{f"base64 behind {before}": _base64(before) for before in range(3)},
}


class Echo(t.NamedTuple):
    """What was sent, sent back.

    :param what: ``secret`` or ``token``.
    :param spelling: one of :data:`SPELLINGS`.
    :param before: how many characters stand before it: a text is cut somewhere.
    """

    what: str = "secret"
    spelling: str = "plain"
    before: int = 0

    def text(self, secret: str, request: Request) -> str:
        """The text that holds it."""
        token = request.headers.get("Authorization", "").partition(" ")[2]
        word = token if self.what == "token" and token else secret
        return "A" * self.before + SPELLINGS[self.spelling](word) + " and more" * 9


def _error(form: str, text: str) -> bytes:
    forms: dict[str, t.Any] = {
        "Graph's": {"error": {"code": text, "message": text, "innerError": {"request-id": text}}},
        "Intune's": {"error": {"code": "UnknownError", "message": json.dumps({"_version": 3, "Message": text})}},
        "Entra ID's": {"error": "x", "error_description": text, "error_codes": [7], "trace_id": text, "suberror": text},
        "a text": text,
    }
    if form == "HTML":
        return f"<html><head><title>{text}</title></head></html>".encode()
    return text.encode() if form == "no JSON" else json.dumps(forms[form]).encode()


_ERRORS = ("Graph's", "Intune's", "Entra ID's", "a text", "HTML", "no JSON")

# Of an answer that is an object: the same, and more in it.
_ODD: dict[str, t.Callable[[str], t.Any]] = {
    "the secret": str,
    "NaN": lambda _secret: float("nan"),
    "Infinity": lambda _secret: [float("-inf"), {"x": float("inf")}],
    "half a character": lambda _secret: {"\ud800": "a\udfff", "x": ["\ud83d"]},
    "a giant number": lambda _secret: 10**4000,
    "control characters": lambda _secret: "a\0b\r\n\x1b]0;x\x07\u202e{{ 7 * 7 }}",
    "deep": lambda _secret: functools.reduce(lambda inner, _n: [inner], range(80), 0),
    "a long text": lambda _secret: "x" * 10**6,
    "many values": lambda _secret: list(range(10_000)),
}

# No content of Graph's or of Entra ID's. What has the right form is for the matrix, which knows what comes of it.
_BODIES: dict[str, bytes] = {
    "empty": b"",
    "HTML": b"<!doctype html><title>Sign in</title>",
    "null": b"null",
    "an object": b"{}",
    "a list": b"[]",
    "NaN": b"NaN",
    "Infinity": b'{"error": -Infinity}',
    "a number of many digits": b'{"x": ' + b"9" * 10**5 + b"}",
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"value":' * 100_000 + b"1" + b"}" * 100_000,
    "lists in a list": b'{"value": [' + b"[]," * 2_000_000 + b"[]]}",
    "objects in a list": b'{"value": [' + b'{"id":"a"},' * 1_000_000 + b"{}]}",
    "very many texts": b'{"responses": [' + b'"a",' * 2_000_000 + b'""]}',
    "lists in 2 MiB": b'{"error": [' + b"[]," * 600_000 + b"[]]}",
    "objects in 2 MiB": b'{"error": [' + b'{"id":"a"},' * 160_000 + b"{}]}",
    "brackets in 2 MiB": b"<" * 2_000_000,
    "as many lists as may be": b'{"value": [' + b"[]," * 190_000 + b"[]]}",
    "the same key again and again": b"{" + b'"value": [],' * 100_000 + b'"value": 1}',
    "a link to itself": b'{"value": [], "@odata.nextLink": "?"}',
    "half a character": b'{"error": {"code": "\\ud800", "message": "\\udfff"}}',
    "UTF-16": '\ufeff{"error": "x"}'.encode("utf-16-le"),
    "a byte order mark": b'\xef\xbb\xbf{"error": {"message": "x"}}',
    "no characters": bytes(range(256)),
    "base64": base64.b64encode(b'{"error": {"code": "x"}}'),
    "17 MiB": b'{"error": "' + b"x" * 17 * 2**20 + b'"}',
}


class Said(t.NamedTuple):
    """An answer on the wire; its parts are names of the tables above.

    :param body: ``real`` is that of the service.
    :param odd: with a real one, what else is in it.
    :param error: the form of an echo that takes the place of the content; "" for none.
    :param cut: after how many thousandths of it the connection is cut; None for not at all.
    """

    status: str
    interim: str
    headers: tuple[str, ...]
    framing: str
    packing: str
    body: str
    odd: str
    error: str
    echo: Echo
    cut: int | None

    @property
    def accepts(self) -> bool | None:
        """What it says of a request to synchronise."""
        return _STATUS[self.status][1]

    def fault(self, secret: str, shown: str) -> dict[str, t.Any]:
        """The parameters of a :class:`simulator.Fault` that has it said; the others as :func:`fault_of` has them."""

        def alter(request: Request, answer: Answer) -> Answer:
            return Answer(answer.status, {}, self._bytes(request, answer, secret, shown))

        return {"alter": alter, "wire": wires.says(lambda answer: answer.body)}

    def _bytes(self, request: Request, answer: Answer, secret: str, shown: str) -> bytes:
        encoding, packed = _PACKING[self.packing]
        body = packed(self._body(request, answer, secret, shown))
        lines = [_STATUS[self.status][0], *(_HEADERS[name] for name in self.headers)]
        lines += [f"Content-Encoding: {encoding}"] if encoding else []
        text = self.echo.text(secret, request)
        head = "".join(f"{line}\r\n" for line in lines).replace("{secret}", text).encode("latin-1", "replace")
        whole = _INTERIM[self.interim] + head + _FRAMING[self.framing](body)
        return whole if self.cut is None else whole[: len(whole) * self.cut // 1000]

    def _body(self, request: Request, answer: Answer, secret: str, shown: str) -> bytes:
        if self.error:
            return _error(self.error, self.echo.text(secret, request))
        if self.body != "real":
            return _BODIES[self.body]
        try:
            document = json.loads(answer.body)
        except ValueError:
            return answer.body
        if self.odd:
            for entity in [document, *document.get("value", [])]:
                entity["odd"] = entity[shown] = _ODD[self.odd](secret)
        return json.dumps(document).encode()


def _with(entry: dict[str, t.Any], **other: t.Any) -> list[t.Any]:
    return [{**entry, **other}]


_ENTRIES: dict[str, t.Callable[[dict[str, t.Any]], list[t.Any]]] = {
    "as it is": lambda entry: [entry],
    "missing": lambda _entry: [],
    "null": lambda _entry: [None],
    "a text": lambda entry: [entry["id"]],
    "a list": lambda entry: [[entry]],
    "twice": lambda entry: [entry, entry],
    "refused, too": lambda entry: [entry, {**entry, "status": 403}],
    "a foreign id": lambda entry: [{**entry, "id": "99"}],
    "a number for an id": lambda entry: [{**entry, "id": int(entry["id"])}],
    "a list for an id": lambda entry: [{**entry, "id": [entry["id"]]}],
    "no id": lambda entry: [{name: value for name, value in entry.items() if name != "id"}],
    "no status": lambda entry: [{name: value for name, value in entry.items() if name != "status"}],
    **{
        f"status {status!r:.9}": functools.partial(_with, status=status)
        for status in (102, 199, "102", None, "x", [], {}, True, -1, 10**400, float("nan"), float("inf"), "\ud800")
    },
    "a text for a status": lambda entry: [{**entry, "status": str(entry["status"])}],
    "a fraction for a status": lambda entry: [{**entry, "status": entry["status"] + 0.5}],
    "content in base64": lambda entry: [{**entry, "headers": {}, "body": _in_base64(entry.get("body"))}],
    "content in a text": lambda entry: [{**entry, "body": json.dumps(entry.get("body"))}],
    "no content": lambda entry: [{**entry, "body": None}],
    "a list for content": lambda entry: [{**entry, "body": [entry.get("body")]}],
    "half a character for content": lambda entry: [{**entry, "body": "\ud800"}],
    "NaN for content": lambda entry: [{**entry, "body": float("nan")}],
    "no headers": lambda entry: [{**entry, "headers": None}],
    "a list for headers": lambda entry: [{**entry, "headers": ["Date"]}],
    "odd headers": lambda entry: [{**entry, "headers": {"Date": {}, "Retry-After": "9" * 5000, "request-id": 7}}],
}


def _in_base64(body: t.Any) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


_WHOLE: dict[str, t.Callable[[list[t.Any]], t.Any]] = {
    "as it is": lambda entries: {"responses": entries},
    "the contents exchanged": lambda entries: {"responses": _exchanged(entries)},
    "with many more": lambda entries: {
        "responses": [*entries, *({"id": str(n), "status": 204} for n in range(20, 20_000))]
    },
    "among other things": lambda entries: {"responses": [None, 1, [], "x", {}, *entries], "@odata.nextLink": "x"},
    "an object": lambda entries: {"responses": {str(n): entry for n, entry in enumerate(entries)}},
    "none": lambda _entries: {"responses": None},
    "no object": lambda entries: entries,
}


def _exchanged(entries: list[t.Any]) -> list[t.Any]:
    """Give each the content of the next."""
    bodies = [entry.get("body") if isinstance(entry, dict) else None for entry in entries]
    return [
        {**entry, "body": body} if isinstance(entry, dict) and body else entry
        for entry, body in zip(entries, [*bodies[1:], *bodies[:1]])
    ]


class Batch(t.NamedTuple):
    """The answer to a batch.

    :param whole: what the whole looks like.
    :param entries: what becomes of each part, again from the beginning if there are more.
    :param refusals: if these are given, each part is refused with one of these statuses, as an echo in one of the
        forms of an error; else what was asked for is done.
    """

    whole: str
    entries: tuple[str, ...]
    refusals: tuple[tuple[int, str], ...]
    echo: Echo

    @property
    def accepts(self) -> bool:
        """Whether what it is asked for is done."""
        return not self.refusals

    def fault(self, secret: str, _shown: str) -> dict[str, t.Any]:
        """As that of a single answer."""

        def alter(request: Request, answer: Answer) -> Answer:
            parts = self._refused(request, secret) if self.refusals else json.loads(answer.body).get("responses", [])
            entries = [
                entry for n, part in enumerate(parts) for entry in _ENTRIES[self.entries[n % len(self.entries)]](part)
            ]
            return Answer.of_json(200, _WHOLE[self.whole](entries))

        return {"alter": alter, **({"status": 200} if self.refusals else {})}

    def _refused(self, request: Request, secret: str) -> t.Iterator[dict[str, t.Any]]:
        text = self.echo.text(secret, request)
        for n, part in enumerate(json.loads(request.body)["requests"]):
            status, form = self.refusals[n % len(self.refusals)]
            body = _error(form, text)
            entry = {"id": part["id"], "status": status, "headers": {"Content-Type": "text/html"}}
            # As the service does with what is no JSON.
            in_base64 = form in ("HTML", "no JSON")
            yield {**entry, "body": base64.b64encode(body).decode() if in_base64 else json.loads(body)}


Hostile = t.Union[Said, Batch]


def _of(table: t.Iterable[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(list(table))


def _mostly(usual: str, table: t.Iterable[str]) -> st.SearchStrategy[str]:
    """The usual one two times of three: of answers that are odd everywhere, nothing is read but the first line."""
    return st.one_of(st.just(usual), st.just(usual), _of(table))


_ECHOES = st.builds(
    Echo, st.sampled_from(["secret", "token"]), _of(SPELLINGS), st.one_of(st.just(0), st.integers(0, 420))
)
SAID = st.builds(
    Said,
    st.one_of(st.sampled_from(["200", "204", "403", "503"]), _of(_STATUS)),
    _mostly("none", _INTERIM),
    st.lists(_of(_HEADERS), max_size=3).map(tuple),
    _mostly("a length", _FRAMING),
    _mostly("none", _PACKING),
    _mostly("real", _BODIES),
    _mostly("", _ODD),
    _mostly("", _ERRORS),
    _ECHOES,
    st.one_of(st.none(), st.none(), st.none(), st.integers(0, 1000)),
)
BATCH = st.builds(
    Batch,
    _mostly("as it is", _WHOLE),
    st.lists(_of(_ENTRIES), min_size=1, max_size=2).map(tuple),
    st.one_of(
        st.just(()),
        st.lists(
            st.tuples(st.sampled_from([400, 401, 403, 404, 429, 503, 307]), _of(_ERRORS)), min_size=1, max_size=2
        ).map(tuple),
    ),
    _ECHOES,
)


def fault_of(hostile: Hostile, where: str, secret: str, shown: str, *, accept: bool, **when: t.Any) -> Fault:
    """Have an answer given to some requests.

    :param shown: a property of the objects that is shown, and decides nothing.
    :param accept: whether what is asked for is done, if the answer leaves that open.
    :param when: ``times`` and ``skip`` of :class:`simulator.Fault`.
    """
    done = accept if hostile.accepts is None else hostile.accepts
    return Fault(where, accept=done and where in ("sync", "batch"), **hostile.fault(secret, shown), **when)
