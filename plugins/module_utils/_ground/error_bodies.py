# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What an answer that is an error says: Graph's own form, Intune's within it, and pages of gateways."""

from __future__ import annotations

import json
import re
import typing as t
from http import HTTPStatus

from . import secrecy, untrusted

# How deep an error body is searched: "error" > "message" > "Message" > ... with room to spare; a hostile one ends here.
_DEPTH = 8


_HTML_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


_HTML = re.compile(r"^\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)


_TAG = re.compile(r"<[^>]*>")


# Intune ends its messages with " - Operation ID (for customer support): ... - Activity ID: ... - Url: ...".
_INTUNE_TAIL = re.compile(
    r"\s+- (?:Operation ID \(for customer support\)|Activity ID|Url|CustomApiErrorPhrase):.*$", re.DOTALL
)


_ACTIVITY_ID = re.compile(r"Activity ID: ([0-9a-fA-F-]{36})")


class ErrorBody(t.NamedTuple):
    """What an error body says: its innermost code and message, a line each, and the request's id; "" for nothing."""

    code: str
    message: str
    request_id: str


def parse_error_body(body: bytes | str) -> ErrorBody:
    """Find the truth in an error body of Graph or Intune.

    Graph's own form is ``{"error": {"code", "message", "innerError"}}``. Intune puts JSON into ``message``, which may
    hold another JSON document in its ``Message``, and headers as JSON again (of no interest here). Gateways send HTML.

    https://learn.microsoft.com/graph/errors; bodies seen in the wild: microsoft-graph-docs#9787,
    microsoft-authentication-library-for-js#7007, Intune-PowerShell-SDK#21, IntuneCD#36.
    """
    return _parse(untrusted.text_of(body), ErrorBody("", "", ""), _DEPTH)


def _parse(text: str, so_far: ErrorBody, depth: int) -> ErrorBody:
    document = _json_object(text)
    if document is None or depth == 0:
        text = secrecy.masked(text)[: untrusted.SEARCHED]
        message = untrusted.one_line(_INTUNE_TAIL.sub("", _from_html(text)))
        activity = _ACTIVITY_ID.search(text)
        return ErrorBody(
            so_far.code,
            # A message that is but its tail says nothing: then the outer one stands.
            message or so_far.message,
            so_far.request_id or (activity.group(1) if activity else ""),
        )
    entry = _lookup(document, "error")
    if isinstance(entry, dict):
        document = entry
    elif isinstance(entry, str) and _lookup(document, "message") is None:
        document = {"message": entry}
    inner = _lookup(document, "innererror")
    found = ErrorBody(
        untrusted.one_line(_word(_lookup(document, "errorcode")) or _word(_lookup(document, "code")) or so_far.code),
        so_far.message,
        so_far.request_id
        or untrusted.one_line(_word(_lookup(inner, "request-id") if isinstance(inner, dict) else None)),
    )
    phrase = untrusted.one_line(_word(_lookup(document, "customapierrorphrase")))
    # Gateways that are made with ASP.NET say it in the two others: RFC 9457.
    message = _lookup(document, "message") or _lookup(document, "detail") or _lookup(document, "title")
    if isinstance(message, dict):
        message = json.dumps(message)
    if isinstance(message, str) and message.strip():
        found = _parse(message, found, depth - 1)
    if phrase and phrase not in found.message:
        found = found._replace(message=untrusted.one_line(f"{found.message} ({phrase})" if found.message else phrase))
    return found


def is_page(body: bytes) -> bool:
    """Whether a body is a page for people, which gateways, proxies and portals send, and services seldom."""
    return bool(_HTML.match(untrusted.text_of(body[: untrusted.SEARCHED])))


def answer_clause(who: str, status: int, said: ErrorBody) -> str:
    """Say how ``who`` answered: the status with its name, and the message or, without one, the code."""
    words = said.message or said.code
    return f"{who} answered HTTP {status} ({status_name(status)})" + (
        f': "{words}"' if words else " and gave no reason"
    )


def status_name(status: int) -> str:
    """The name of an HTTP status (RFC 9110, section 15)."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "not a standard status"


def is_forbidden(status: int, said: ErrorBody) -> bool:
    """Whether an answer says that whoever asks may not, and not that the token is no good.

    Intune says so by 401, too: msal-js#7007, msgraph-sdk-powershell#1257, microsoft-graph-explorer#706.
    """
    words = said.message.lower()
    return status == 403 or (
        status == 401 and (said.code.lower() == "forbidden" or "not authorized to perform this operation" in words)
    )


def _json_object(text: str) -> dict[str, t.Any] | None:
    try:
        document = untrusted.json_of(text)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _lookup(document: dict[str, t.Any], name: str) -> t.Any:
    for key, value in document.items():
        if key.lower() == name:
            return value
    return None


def _word(value: t.Any) -> str:
    return value if isinstance(value, str) else ""


def _from_html(text: str) -> str:
    if not _HTML.match(text):
        return text
    title = _HTML_TITLE.search(text)
    return _TAG.sub(" ", title.group(1) if title else text)
