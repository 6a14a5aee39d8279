# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What can go wrong, as one sentence each: what happened, what the other side says, and what to do."""

from __future__ import annotations

import json
import platform
import re
import sys
import typing as t
from http import HTTPStatus

from . import secrecy

# How deep an error body is searched: "error" > "message" > "Message" > ... with room to spare; a hostile one ends here.
_DEPTH = 8
# A longer message is cut: it is a page or a dump, and the task's output is read by people.
_LONGEST = 400
# Graph's deepest answer, that to a batch, has ten levels; Python, Ansible and msal all stumble over hundreds.
_MOST_LEVELS = 100
# A page of a thousand devices has some thousand objects with 60 values each. In Python's memory, the smallest object
# takes a hundred times what it takes in JSON.
_MOST_CONTAINERS = 200_000
_MOST_VALUES = 1_000_000
# What is searched of text that is no JSON: patterns take their time over megabytes.
SEARCHED = 8192

PERMISSION = "DeviceManagementServiceConfig.ReadWrite.All"
# The libraries that are needed, and the oldest versions of them.
LIBRARIES = {"requests": "2.32.3", "msal": "1.32.0"}

PERMISSION_TO_READ = "DeviceManagementServiceConfig.Read.All"

# Who asks: an app, a user by way of one, or, with a token that somebody else got, nobody knows.
APP, USER, SOMEONE = "app", "user", ""
_ASKERS = {
    **dict.fromkeys(("client_secret", "certificate", "oidc", "msi"), APP),
    **dict.fromkeys(("refresh_token", "password"), USER),
}

PROXY_ADVICE = "check that no proxy or portal stands in between"

NONE_IN_TENANT = "this tenant has no Exchange connector"
# https://learn.microsoft.com/mem/intune/protect/exchange-connector-install
INSTEAD = (
    "Microsoft ended support for the on-premises connector on 19 February 2024, and offers hybrid modern authentication"
    " for Exchange on-premises, or Exchange Online, instead"
)
# Of Graph itself, about the address: IntuneBackupAndRestore#82, microsoft-graph-docs#7128.
_NO_SUCH_RESOURCE = ("not found for the segment", "invalid version")

_HTML_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_HTML = re.compile(r"^\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
# Intune ends its messages with " - Operation ID (for customer support): ... - Activity ID: ... - Url: ...".
_INTUNE_TAIL = re.compile(
    r"\s+- (?:Operation ID \(for customer support\)|Activity ID|Url|CustomApiErrorPhrase):.*$", re.DOTALL
)
_ACTIVITY_ID = re.compile(r"Activity ID: ([0-9a-fA-F-]{36})")


class IntuneError(Exception):
    """A failure in words.

    :param what: what happened, as a clause without an end mark.
    :param advice: what to do, as a clause; may be empty.
    :param request_id: what Microsoft's support asks for, if there is one.
    """

    def __init__(self, what: str, *, advice: str = "", request_id: str | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.request_id = request_id
        # What is known all the same; only those that know something set it.
        self.result: dict[str, t.Any] = {}

    def as_result(self, subject: str) -> dict[str, t.Any]:
        """What is returned of this failure: all that is known, and the sentence about it in ``msg``."""
        request_id = self.request_id or self.result.get("request_id")
        return {"changed": False, **self.result, "msg": self.sentence(subject), "request_id": request_id}

    def sentence(self, subject: str = "") -> str:
        """The whole sentence, about ``subject`` (such as ``Exchange connector ... in tenant ...``)."""
        about = f"{subject}: {self.what}" if subject else self.what
        return (f"{about}; {self.advice}" if self.advice else about).rstrip(". ") + "."


class OptionError(IntuneError):
    """An option cannot be right; raised before any network call."""


class MissingLibraryError(IntuneError):
    """Python libraries that this collection needs cannot be imported, by whatever Python that is.

    :param libraries: the names to install them by, all that are missing.
    """

    def __init__(self, libraries: t.Sequence[str]) -> None:
        super().__init__(
            f"Failed to import the required Python library ({', '.join(libraries)}) on {platform.node()}'s Python"
            f" {sys.executable}",
            advice="install "
            + " and ".join(f"{library} {LIBRARIES[library]} or later" for library in libraries)
            + " there",
        )
        self.libraries = tuple(libraries)


class SignInError(IntuneError):
    """Entra ID, or whoever else gives tokens, gave none."""


class Unavailable(IntuneError):
    """No usable answer came, and another try at another time may well have one."""


class Unanswered(Unavailable):
    """A request got no answer.

    :param sent: whether the server may have done what it was asked for.
    :param lasting: whether another try within minutes is pointless (a certificate that is not trusted).
    """

    def __init__(self, what: str, *, advice: str = "", sent: bool, lasting: bool = False) -> None:
        super().__init__(what, advice=advice)
        self.sent = sent
        self.lasting = lasting


class GraphError(IntuneError):
    """Graph answered with an error.

    :param status: the HTTP status.
    :param code: Graph's own word for it, such as ``ResourceNotFound``; "" for none.
    """

    def __init__(
        self, what: str, *, status: int, code: str = "", advice: str = "", request_id: str | None = None
    ) -> None:
        super().__init__(what, advice=advice, request_id=request_id)
        self.status = status
        self.code = code

    @property
    def none_in_tenant(self) -> bool:
        """Whether this is what Graph answers, of one connector or of all, in a tenant that has none.

        Seen on v1.0 in July 2026; the list is not an empty one then. A tenant without Intune gets 400 instead ("Request
        not applicable to target tenant"), which stays a failure: where it is a licence that ran out, someone has to
        know.
        """
        return self.status == 501 and self.code.lower() == "notsupported"


class Said(t.NamedTuple):
    """What an error body says: its innermost code and message, a line each, and the request's id; "" for nothing."""

    code: str
    message: str
    request_id: str


def graph_said(body: bytes | str) -> Said:
    """Find the truth in an error body of Graph or Intune.

    Graph's own form is ``{"error": {"code", "message", "innerError"}}``. Intune puts JSON into ``message``, which may
    hold another JSON document in its ``Message``, and headers as JSON again (of no interest here). Gateways send HTML.

    https://learn.microsoft.com/graph/errors; bodies seen in the wild: microsoft-graph-docs#9787,
    microsoft-authentication-library-for-js#7007, Intune-PowerShell-SDK#21, IntuneCD#36.
    """
    return _said(text_of(body), Said("", "", ""), _DEPTH)


def _said(text: str, so_far: Said, depth: int) -> Said:
    document = _json_object(text)
    if document is None or depth == 0:
        text = secrecy.masked(text)[:SEARCHED]
        message = one_line(_INTUNE_TAIL.sub("", _from_html(text)))
        activity = _ACTIVITY_ID.search(text)
        return Said(
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
    found = Said(
        one_line(_word(_lookup(document, "errorcode")) or _word(_lookup(document, "code")) or so_far.code),
        so_far.message,
        so_far.request_id or one_line(_word(_lookup(inner, "request-id") if isinstance(inner, dict) else None)),
    )
    phrase = one_line(_word(_lookup(document, "customapierrorphrase")))
    # Gateways that are made with ASP.NET say it in the two others: RFC 9457.
    message = _lookup(document, "message") or _lookup(document, "detail") or _lookup(document, "title")
    if isinstance(message, dict):
        message = json.dumps(message)
    if isinstance(message, str) and message.strip():
        found = _said(message, found, depth - 1)
    if phrase and phrase not in found.message:
        found = found._replace(message=one_line(f"{found.message} ({phrase})" if found.message else phrase))
    return found


def is_page(body: bytes) -> bool:
    """Whether a body is a page for people, which gateways, proxies and portals send, and services seldom."""
    return bool(_HTML.match(text_of(body[:SEARCHED])))


def answer_clause(who: str, status: int, said: Said) -> str:
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


class Asker(t.NamedTuple):
    """Who asks Graph.

    :param who: one of :data:`APP`, :data:`USER` and :data:`SOMEONE`.
    :param permission: what is needed for all that is to be done.
    """

    who: str
    permission: str


def who_asks(source: str) -> str:
    """Who asks, by the way of sign-in.

    :param source: a value of ``auth_source``.
    """
    return _ASKERS.get(source, SOMEONE)


def is_forbidden(status: int, said: Said) -> bool:
    """Whether an answer says that whoever asks may not, and not that the token is no good.

    Intune says so by 401, too: msal-js#7007, msgraph-sdk-powershell#1257, microsoft-graph-explorer#706.
    """
    words = said.message.lower()
    return status == 403 or (
        status == 401 and (said.code.lower() == "forbidden" or "not authorized to perform this operation" in words)
    )


def graph_error(
    doing: str, status: int, body: bytes, request_id: str | None, *, asker: Asker | None = None
) -> GraphError:
    """Turn an error answer of Graph into a sentence that says what to do.

    :param doing: what was asked for, as in "could not ...", such as ``read it``.
    """
    said = graph_said(body)
    error = GraphError(
        f"could not {doing}, " + answer_clause("Graph", status, said),
        status=status,
        code=said.code,
        advice=_permission_advice(asker) if is_forbidden(status, said) else _graph_advice(status, said),
        request_id=request_id or said.request_id or None,
    )
    if is_page(body):
        error.advice = f"{PROXY_ADVICE}; if none does, {error.advice}"
    if error.none_in_tenant:
        error.advice = f"{NONE_IN_TENANT}: check tenant ({INSTEAD})"
    return error


def _permission_advice(asker: Asker | None) -> str:
    who, permission = asker or (SOMEONE, PERMISSION)
    licence = "check that the tenant has an active Intune licence"
    if who == APP:
        return (
            f"grant the app {permission} with admin consent in this tenant, as an application permission, and {licence}"
        )
    role = "an Intune role for Exchange connectors, such as Intune Administrator, that is active (PIM)"
    if who == USER:
        consent = f"grant the app {permission} with admin consent, as a delegated permission"
        return f"give the user {role}, {consent}, and {licence}"
    return f"grant the app {permission} with admin consent in this tenant, give a user {role}, and {licence}"


def _graph_advice(status: int, said: Said) -> str:
    if status == 401:
        return "check that the token is meant for this Graph host and has not expired"
    if any(words in said.message.lower() for words in _NO_SUCH_RESOURCE):
        return "this Graph has no Exchange connectors: check graph_url and cloud_environment"
    if status == 404:
        return "the connector is not in this tenant: check connector_id and tenant"
    if status >= 500:
        return "run again later; if it stays, give the request_id to Microsoft's support"
    if "not applicable to target tenant" in said.message.lower():
        return "the tenant has no Intune: check tenant and its licence"
    return "check connector_id and tenant; if they are right, give the request_id to Microsoft's support"


def internal(error: Exception) -> IntuneError:
    """What to say of an error that nobody foresaw; those that were foreseen say it themselves.

    :returns: an error that leaves open what became of a request.
    """
    if isinstance(error, IntuneError):
        return error
    if isinstance(error, MemoryError):
        return Unanswered(
            "the memory that this process may use is used up",
            advice="give it more, or ask for fewer connectors at once",
            sent=True,
            lasting=True,
        )
    words = one_line(str(error))
    return Unanswered(
        f"an error inside graphops.intune, {type(error).__name__}" + (f": {words}" if words else ""),
        advice="please report this with the versions of ansible-core, msal and requests",
        sent=True,
        lasting=True,
    )


def one_line(text: str) -> str:
    """Make text from elsewhere safe to print: one line, no control characters, not too long, no part of a secret."""
    line = _on_one_line(text)
    # What stays as it is gets masked with all that is returned.
    if line != text or len(line) > _LONGEST or secrecy.may_hide(line):
        line = _on_one_line(secrecy.masked(text))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3].rstrip() + "..."


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def json_of(body: bytes | str) -> t.Any:
    """Read JSON in any of its Unicode encodings.

    :raises ValueError: it is none, or one nested so deep, or in so many parts, that only an attacker would.
    """
    many = [body.count(sign if isinstance(body, str) else sign.encode()) for sign in "[{,"]  # type: ignore[arg-type]
    if many[0] + many[1] > _MOST_CONTAINERS or sum(many) > _MOST_VALUES:
        raise ValueError("in too many parts")
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level, levels = [document], 0
    while level:
        levels += 1
        if levels > _MOST_LEVELS:
            raise ValueError("nested too deep")
        level = [value for part in level for value in _values(part)]
    return document


def _values(part: t.Any) -> t.Iterable[t.Any]:
    if isinstance(part, dict):
        return part.values()
    return part if isinstance(part, list) else ()


def text_of(body: bytes | str) -> str:
    """Read text in any of the Unicode encodings of JSON; what is none is replaced."""
    return body if isinstance(body, str) else body.decode(json.detect_encoding(body), errors="replace")


def _json_object(text: str) -> dict[str, t.Any] | None:
    try:
        document = json_of(text)
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
