# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Microsoft Graph: reads that are repeated until they succeed, writes that are sent once, one by one or in batches."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import typing as t
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

from .._ground import error_bodies, errors, untrusted
from .._ground.words import Words
from .._http import response, retries, transport
from .._http.driver import Operation, Request, gather, run
from .._http.pace import Pace
from .._http.retries import RETRIED_STATUSES, RetryBudget
from . import graph_errors

# What all pages of a list may come to; Intune has been seen to link them for ever (microsoft-graph-docs#18143).
_MOST_PAGES = 100
_MOST_ENTRIES = 50_000
_MOST_BYTES = 64 * 1024 * 1024

# https://learn.microsoft.com/graph/json-batching
_MOST_IN_A_BATCH = 20
# What says that there are no batches, or not this one: then nothing of it was done (RFC 9110, section 15.5).
_NO_BATCH = frozenset((400, 403, 404, 405, 413, 415, 501))
# How many batches are under way at the same time: with five, the hundred writes that Intune takes from an app in 20 s.
# https://learn.microsoft.com/graph/throttling-limits#intune-service-limits
_AT_ONCE = 5

T = t.TypeVar("T")
# What one try comes to.
SendResult = t.Union[response.Response, errors.IntuneError]


class TokenProvider(t.Protocol):
    """Who gives the bearer tokens: :class:`identity.SignIn`, or a test."""

    def token(self, limit: float | None = None) -> str:
        """A token that should still be good, got in ``limit`` seconds if it has to be got."""

    def replace_token(self, refused: str, limit: float | None = None) -> str | None:
        """A token in the place of one that Graph refused; None if there is no way to get one."""


class Document(t.NamedTuple):
    """What Graph answered to a read: a JSON object, Graph's clock, the request's id, and the bytes that it came in."""

    document: dict[str, t.Any]
    date: datetime | None
    request_id: str | None
    size: int


class Graph:
    """One Graph, as one identity sees it.

    :param url: its origin, such as ``https://graph.microsoft.com``.
    :param asker: who asks, for the sentence about what is forbidden.
    :param pace: the places of requests for which operations wait; None if nobody limits them.
    """

    def __init__(
        self,
        url: str,
        *,
        tokens: TokenProvider,
        http: transport.Transport,
        asker: graph_errors.Asker,
        pace: Pace | None = None,
    ) -> None:
        self.url = url
        self.asker = asker
        self.http = http
        self.pace = pace
        self._tokens = tokens
        self._takes_batches = True

    def get(
        self,
        path: str,
        *,
        action: str,
        words: Words,
        api: str = "v1.0",
        limit: float | None = None,
        largest: int | None = None,
    ) -> Operation[Document]:
        """Read ``path`` (below the version, or a whole URL on this Graph).

        :param action: what for, as in "could not ...".
        :param words: what is read.
        :param api: the version of Graph.
        :param limit: seconds for all tries, if other than ``retry_timeout``.
        :param largest: bytes that the answer may have, if it may be more than usual.
        :raises GraphError: Graph refused it.
        :raises Unavailable: Graph could not be reached, or had no time for it.
        :raises SignInError: no token.
        """
        answer: response.Response = yield from retries.retried(
            Request("GET", path, largest=largest, api=api),
            host=urlsplit(self.url).netloc,
            json_expected=True,
            clock=self.http.clock,
            retry_timeout=self.http.retry_timeout,
            limit=limit,
        )
        if answer.status >= 300:
            raise self.refusal(action, answer, words)
        return Document(answer.json(), answer.date, answer.request_id, len(answer.body))

    def refusal(self, action: str, answer: response.Response, words: Words) -> errors.GraphError:
        """Say that Graph refused, by its answer; ``action`` and ``words`` as in :meth:`get`."""
        return graph_errors.graph_error(
            action, answer.status, answer.body, answer.request_id, words=words, asker=self.asker
        )

    def gather(self, operations: t.Sequence[Operation[T]]) -> list[T | errors.IntuneError]:
        """Carry out operations of this Graph together: what several ask at the same time is sent in batches.

        :returns: for each operation what it returned, or the error that ended it.
        """
        return gather(operations, send=self._send, clock=self.http.clock, pace=self.pace)

    def run(self, operation: Operation[T]) -> T:
        """Carry out one operation, and return what it returns. Raises the error that ended it."""
        return run(operation, send=self._send, clock=self.http.clock, pace=self.pace)

    def pages(
        self,
        path: str,
        take: t.Callable[[Document], t.Any],
        *,
        action: str,
        words: Words,
        api: str = "v1.0",
        limit: float | None = None,
    ) -> Operation[None]:
        """Read a list page by page. Raises as :meth:`get`.

        All pages together may take ``retry_timeout`` for their tries, and ``request_timeout`` beyond that; their sum is
        limited in bytes and entries.

        :param limit: seconds for all tries, if other than ``retry_timeout``.
        :param take: takes each page, a document whose ``value`` is a list.
        """
        seconds = self.http.retry_timeout if limit is None else limit
        budget = RetryBudget(self.http.clock, seconds)
        whole = RetryBudget(self.http.clock, seconds + self.http.request_timeout)
        seen: set[str] = set()
        size = entries = 0
        while path not in seen and len(seen) < _MOST_PAGES:
            if not whole.remaining:
                raise errors.Unavailable(
                    f"could not {action}, because its pages took longer than retry_timeout and request_timeout allow"
                    f" ({len(seen)} were read)",
                    advice="run again later, or raise retry_timeout",
                )
            seen.add(path)
            reply = yield from self.get(
                path, action=action, words=words, api=api, limit=budget.remaining, largest=transport.LARGEST_PAGE
            )
            if not isinstance(reply.document.get("value"), list):
                raise no_list(action)
            size, entries = size + reply.size, entries + len(reply.document["value"])
            if size > _MOST_BYTES or entries > _MOST_ENTRIES:
                raise errors.Unavailable(
                    f"could not {action}, because Graph sent more than {_MOST_ENTRIES} entries or"
                    f" {_MOST_BYTES // 2**20} MiB",
                    advice="check that graph_url is a Microsoft Graph",
                )
            take(reply)
            following = reply.document.get("@odata.nextLink")
            if not following:
                return
            further = _on_the_same_host(self.url, self._url(path, api), str(following))
            if further is None:
                raise errors.Unavailable(
                    f"could not {action}, because Graph's link to the next page leads to another host"
                    f" ({untrusted.one_line(str(following))}), where no token is sent",
                    advice="check graph_url, and that no proxy changes what Graph answers",
                )
            # Below the version, if it is there, so that it may be part of a batch.
            version = f"{self.url}/{api}"
            path = further[len(version) :] if further.startswith(f"{version}/") else further
        raise errors.Unavailable(
            f"could not {action}, because Graph's pages have no end ({len(seen)} were read)", advice="run again later"
        )

    def asking_for(self, permission: str) -> Graph:
        """The same Graph, for what takes another permission; operations of both may be gathered together."""
        other = copy.copy(self)
        other.asker = self.asker._replace(permission=permission)
        return other

    def _url(self, path: str, api: str) -> str:
        return path if _is_absolute(path) else f"{self.url}/{api}{path}"

    def _send(self, requests: t.Sequence[Request]) -> list[SendResult]:
        """Send requests, each a single time; those whose token Graph refuses, once more with another."""
        began, limits = (
            self.http.clock.monotonic(),
            [request.timeout for request in requests if request.timeout is not None],
        )

        def left() -> float | None:
            return max(0.0, began + max(limits) - self.http.clock.monotonic()) if limits else None

        try:
            token = self._tokens.token(left())
        except errors.IntuneError as error:
            # No token for this one is no token for the others.
            return [error] * len(requests)
        results = self._try(token, requests)
        refused = [n for n, result in enumerate(results) if _refuses_the_token(result)]
        if refused:
            again: t.Sequence[SendResult]
            try:
                another = self._tokens.replace_token(token, left())
                again = [] if another is None else self._try(another, [requests[n] for n in refused])
            except errors.IntuneError as error:
                again = [error] * len(refused)
            # What was answered to the others stands, whatever became of the token.
            for n, result in zip(refused, again):
                results[n] = result
        if any(_status(result) == 503 for result in results):
            self.http.reset_connections()
        return results

    def _try(self, token: str, requests: t.Sequence[Request]) -> list[SendResult]:
        if len(requests) == 1:
            return [self._single(token, requests[0])]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            if not self._takes_batches:
                return list(pool.map(lambda request: self._single(token, request), requests))
            parts = _parts(requests)
            answered = pool.map(lambda part: self._part(token, [requests[n] for n in part]), parts)
            found = dict(zip((n for part in parts for n in part), (one for some in answered for one in some)))
            return [found[n] for n in range(len(requests))]

    def _single(self, token: str, request: Request) -> SendResult:
        try:
            return self.http.send(
                request.method,
                self._url(request.path, request.api),
                headers=_signed(token, request),
                data=request.body,
                largest=request.largest,
            )
        except errors.NoResponse as error:
            return error

    def _part(self, token: str, requests: t.Sequence[Request]) -> list[SendResult]:
        if _is_absolute(requests[0].path):
            return [self._single(token, requests[0])]
        return self._batch(token, requests)

    def _batch(self, token: str, requests: t.Sequence[Request]) -> list[SendResult]:
        """Send up to twenty requests to one version of Graph as one.

        What Graph says of the whole (no time, no such token) is said of each. If it wants no batch, they go one by one.
        Of any other error, as of a server that broke down in the middle, nobody knows what was done before.
        """
        entries: list[dict[str, t.Any]] = []
        for number, request in enumerate(requests):
            entry = {"id": str(number), "method": request.method, "url": request.path, "headers": _headers(request)}
            entries.append(entry if request.body is None else {**entry, "body": json.loads(request.body)})
        whole = self._single(
            token,
            Request(
                "POST",
                "/$batch",
                json.dumps({"requests": entries}),
                api=requests[0].api,
                largest=max((request.largest or 0 for request in requests), default=0) or None,
            ),
        )
        status = _status(whole)
        if status is None or status in RETRIED_STATUSES or status in (401, 502):
            return [whole] * len(requests)
        host = urlsplit(self.url).netloc
        if status >= 300:
            self._takes_batches = False
            if status not in _NO_BATCH and any(request.method != "GET" for request in requests):
                return [errors.NoResponse(f"{host} answered HTTP {status} to a batch", may_have_run=True)] * len(
                    requests
                )
            return [self._single(token, request) for request in requests]
        found = _batch_answers(t.cast(response.Response, whole))
        lost = errors.NoResponse(f"{host} left it out of its answer to a batch", may_have_run=True)
        return [
            self.http.redacted(found[str(number)]) if str(number) in found else lost for number in range(len(requests))
        ]


def no_list(action: str) -> errors.Unavailable:
    """Say that Graph answered something else than a list; ``action`` as in :meth:`Graph.get`."""
    return errors.Unavailable(
        f"could not {action}, because Graph sent no list", advice="check that graph_url is a Microsoft Graph"
    )


def _parts(requests: t.Sequence[Request]) -> list[list[int]]:
    """The numbers of the requests that go into one batch each: no batch is for two versions of Graph.

    An address that is not below its version can be no part of one.
    """
    by_version: dict[str, list[int]] = {}
    for number, request in enumerate(requests):
        by_version.setdefault(request.path if _is_absolute(request.path) else request.api, []).append(number)
    return [
        numbers[n : n + _MOST_IN_A_BATCH]
        for numbers in by_version.values()
        for n in range(0, len(numbers), _MOST_IN_A_BATCH)
    ]


def _is_absolute(path: str) -> bool:
    return path.startswith("https://")


def _headers(request: Request) -> dict[str, str]:
    # https://learn.microsoft.com/graph/best-practices-concept asks for a client-request-id of its own per request.
    headers = {"Accept": "application/json", "client-request-id": str(uuid.uuid4())}
    return headers if request.body is None else {**headers, "Content-Type": "application/json"}


def _signed(token: str, request: Request) -> dict[str, str]:
    return {**_headers(request), "Authorization": f"Bearer {token}"}


def _refuses_the_token(result: SendResult) -> bool:
    return (
        isinstance(result, response.Response)
        and result.status == 401
        and not error_bodies.is_forbidden(401, error_bodies.parse_error_body(result.body))
    )


def _status(result: SendResult) -> int | None:
    return result.status if isinstance(result, response.Response) else None


def _batch_answers(answer: response.Response) -> dict[str, response.Response]:
    """Take the answer to a batch apart, by the ids of the requests; what is no answer is left out."""
    try:
        entries = list(answer.json()["responses"])
    except (ValueError, KeyError, TypeError):
        return {}
    found: dict[str, response.Response] = {}
    twice: set[str] = set()
    for entry in entries:
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, OverflowError):
            name, part = entry["id"], _batch_answer(entry, answer)
            if name in found:
                twice.add(name)
            found[name] = part
    # Of two answers to one request nobody knows which is meant.
    return {name: part for name, part in found.items() if name not in twice}


def _batch_answer(entry: t.Mapping[str, t.Any], whole: response.Response) -> response.Response:
    # The clock and the id of the whole are good for its parts, which may have none of their own.
    inherited = {name: whole.headers[name] for name in ("date", "request-id") if name in whole.headers}
    own = {str(name).lower(): str(value) for name, value in (entry.get("headers") or {}).items()}
    status = int(entry["status"])
    if not 200 <= status <= 599:
        raise ValueError("no final HTTP status")
    return response.Response(status, {**inherited, **own}, _batch_body(entry.get("body"), own.get("content-type", "")))


def _batch_body(body: t.Any, kind: str) -> bytes:
    """The content of a part of a batch; what is no JSON, such as a gateway's page, comes in base64.

    https://learn.microsoft.com/graph/json-batching#response-format
    """
    if body is None:
        return b""
    if isinstance(body, str) and "json" not in kind.lower():
        with contextlib.suppress(ValueError):
            return base64.b64decode(body, validate=True)
    return (body if isinstance(body, str) else json.dumps(body)).encode(errors="surrogatepass")


def _on_the_same_host(origin: str, page: str, link: str) -> str | None:
    """The URL that a link on a page leads to; None if that is not on the page's host.

    Put together anew behind ``origin``, because not everyone finds the same host in a URL with a backslash in it.
    """
    try:
        target, own = urlsplit(urljoin(page, link)), urlsplit(origin)
        if (target.scheme, target.hostname, target.port or 443) != (own.scheme, own.hostname, own.port or 443):
            return None
    except ValueError:
        return None
    if target.username is not None:
        return None
    return origin + urlunsplit(("", "", target.path or "/", target.query, ""))
