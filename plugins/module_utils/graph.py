# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Microsoft Graph: reads that are repeated until they succeed, writes that are sent once, lists of many pages."""

from __future__ import annotations

import typing as t
import uuid
from datetime import datetime
from urllib.parse import urljoin, urlsplit

from . import errors, transport

# https://learn.microsoft.com/graph/versioning-and-support: v1.0 has all that is needed here.
_VERSION = "/v1.0"
# Intune's nextLinks have been seen to go on for ever (microsoft-graph-docs#18143).
_MOST_PAGES = 1000


class Tokens(t.Protocol):
    """Who gives the bearer tokens: :class:`identity.SignIn`, or a test."""

    def token(self) -> str:
        """A token that should still be good."""

    def another_token(self, refused: str) -> str | None:
        """A token in the place of one that Graph refused; None if there is no way to get one."""


class Reply(t.NamedTuple):
    """What Graph answered to a read: a JSON object, Graph's clock, and the request's id."""

    document: dict[str, t.Any]
    date: datetime | None
    request_id: str | None


class Graph:
    """One Graph, as one identity sees it.

    :param url: its origin, such as ``https://graph.microsoft.com``.
    """

    def __init__(self, url: str, *, tokens: Tokens, http: transport.Transport) -> None:
        self.url = url
        self.http = http
        self._tokens = tokens

    def get(self, path: str, *, doing: str, limit: float | None = None) -> Reply:
        """Read ``path`` (below the version, or a whole URL on this Graph).

        :param doing: what for, as in "could not ...".
        :param limit: seconds for all tries, if other than ``retry_timeout``.
        :raises GraphError: Graph refused it.
        :raises Unavailable: Graph could not be reached, or had no time for it.
        :raises SignInError: no token.
        """
        answer = self.http.call(
            "GET",
            self._url(path),
            headers={"Accept": "application/json"},
            json_expected=True,
            limit=limit,
            once=self._authorised,
        )
        if answer.status >= 300:
            raise errors.graph_error(doing, answer.status, answer.body, answer.request_id)
        return Reply(answer.json(), answer.date, answer.request_id)

    def post_once(self, path: str, content: str) -> transport.Answer:
        """Send JSON to ``path``, a single time: a write may not be safe to repeat, so the caller decides.

        :raises Unanswered: the answer, or even the request, was lost; ``sent`` tells which.
        """
        return self._authorised(
            "POST",
            self._url(path),
            headers={"Accept": "application/json", "Content-Type": "application/json"},
            data=content.encode(),
        )

    def pages(self, path: str, *, doing: str) -> t.Iterator[list[t.Any]]:
        """Read a list page by page; each page as its list of entities. Raises what :meth:`get` raises."""
        url = self._url(path)
        seen: set[str] = set()
        while url not in seen and len(seen) < _MOST_PAGES:
            seen.add(url)
            document = self.get(url, doing=doing).document
            page = document.get("value")
            if not isinstance(page, list):
                raise errors.Unavailable(
                    f"could not {doing}, because Graph sent no list", advice="check that graph_url is a Microsoft Graph"
                )
            yield page
            following = document.get("@odata.nextLink")
            if not following:
                return
            url = urljoin(url, str(following))
            if _origin(url) != _origin(self.url):
                raise errors.Unavailable(
                    f"could not {doing}, because Graph's link to the next page leads to another host"
                    f" ({errors.one_line(urlsplit(url).netloc)}), where no token is sent",
                    advice="check graph_url, and that no proxy changes what Graph answers",
                )
        raise errors.Unavailable(
            f"could not {doing}, because Graph's pages have no end ({len(seen)} were read)", advice="run again later"
        )

    def _url(self, path: str) -> str:
        return path if path.startswith("https://") else self.url + _VERSION + path

    def _authorised(self, method: str, url: str, *, headers: t.Mapping[str, str], **request: t.Any) -> transport.Answer:
        """Send one request with a token; if Graph refuses the token, once more with another."""
        token = self._tokens.token()
        answer = self._with(token, method, url, headers, request)
        if answer.status == 401:
            another = self._tokens.another_token(token)
            if another is not None:
                answer = self._with(another, method, url, headers, request)
        if answer.status == 503:
            self.http.renew_connections()
        return answer

    def _with(
        self, token: str, method: str, url: str, headers: t.Mapping[str, str], request: t.Mapping[str, t.Any]
    ) -> transport.Answer:
        # https://learn.microsoft.com/graph/best-practices-concept asks for a client-request-id of its own per request.
        signed = {**headers, "Authorization": f"Bearer {token}", "client-request-id": str(uuid.uuid4())}
        return self.http.once(method, url, headers=signed, **request)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    try:
        return parts.scheme, parts.hostname, parts.port or 443
    except ValueError:
        return "", None, None
