# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What Entra ID says when it gives no token, and what an administrator does about it."""

from __future__ import annotations

import re
import typing as t

from .._ground import errors, secrecy, untrusted
from .._ground.errors import APP
from .._http.connection import RETRY_TIMEOUT
from .aadsts import ADVICE, MAY_BE_NEW, OF_TOKEN
from .claims import claims, text_claim

if t.TYPE_CHECKING:
    from .method import Method

_TAIL = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*$", re.DOTALL)
_AADSTS = re.compile(r"AADSTS([0-9]+)")

# What https://learn.microsoft.com/entra/identity-platform/reference-error-codes says of "error", and the codes that it
# calls transient or retryable. Those of a tenant's own Active Directory are left out: a password that is tried again
# and again may lock its account.
_TRANSIENT_ERRORS = frozenset(("temporarily_unavailable", "server_error"))
_TRANSIENT_CODES = frozenset(("50033", "90006", "90012", "90024", "90033", "90090", "90091"))

_IDS = re.compile(r"(?:^|:)repo:[^:/]+@[0-9]+/[^:]+@[0-9]+")
_HAS_IDS = (
    " (GitHub puts the ids of owner and repository into it, behind @, if the repository was made, renamed or"
    " transferred since July 2026)"
)
_MAY_BE_NEW = (
    f"; one that was just made takes some minutes to work, for which a retry_timeout of more than {RETRY_TIMEOUT} waits"
)
_ALWAYS = "check tenant, client_id and the credential"
_OF_HOST = "check that this host has a managed identity, and client_id if that names one"


class Said(t.NamedTuple):
    """What an answer without a token says: its message on a line, the AADSTS number in it, and the request's id."""

    message: str
    code: str
    request_id: str


def said(answer: t.Mapping[str, t.Any]) -> Said:
    """Find the message in an error body of Entra ID.

    https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow#error-response; the endpoint
    of a managed identity has ``message`` instead, and Service Fabric an object as ``error``.

    :param answer: the body: ``error``, ``error_description`` (it starts with AADSTS and a number), ``trace_id``.
    """
    inner = answer.get("error")
    own = inner if isinstance(inner, dict) else answer
    description = secrecy.masked(_word(own.get("error_description")) or _word(own.get("message")))
    message = untrusted.one_line(_TAIL.sub("", description[: untrusted.SEARCHED])) or untrusted.one_line(
        _word(inner) or _word(own.get("code"))
    )
    number = _AADSTS.search(description)
    request_id = (_word(own.get(name)) for name in ("trace_id", "correlation_id", "correlationId"))
    return Said(message, number.group(1) if number else "", untrusted.one_line(next(filter(None, request_id), "")))


def may_pass(answer: t.Mapping[str, t.Any]) -> bool:
    """Whether an answer is no refusal, but trouble of the service that another try may not meet."""
    return _word(answer.get("error")) in _TRANSIENT_ERRORS or said(answer).code in _TRANSIENT_CODES


def refusal(
    action: str,
    status: int | None,
    answer: t.Mapping[str, t.Any],
    *,
    method: Method,
    permission: str,
    token: str = "",
    audience: str = "",
) -> errors.SignInError:
    """Turn an error answer of Entra ID into a sentence that says what to do.

    :param action: which sign-in it was, such as ``sign-in as client ... with its secret``.
    :param status: the HTTP status, if known.
    :param answer: the body, as for :func:`said`.
    :param method: the way of sign-in.
    :param permission: what the token is needed for.
    :param token: the federated token that was presented; "" for none.
    :param audience: what such a token is to have as its audience.
    """
    words = said(answer)
    what = (
        f"{action} was refused"
        + (f" (HTTP {status})" if status else "")
        + f": {(words.message or 'no reason given').rstrip('.')}"
    )
    todo = advice(words.code, method, permission)
    if token and words.code in OF_TOKEN:
        what += f" ({_presented(token, audience)})"
        todo += _HAS_IDS if words.code in MAY_BE_NEW and _has_ids(token) else ""
        todo += _MAY_BE_NEW if words.code in MAY_BE_NEW else ""
    return errors.SignInError(what, advice=todo, request_id=words.request_id or None, code=words.code)


def _presented(token: str, audience: str) -> str:
    """What a federated token says, as the federated credential of the app registration is to say it, too."""
    found = claims(token)
    if found is None:
        return "the federated token is no JSON Web Token"
    issuer, subject, its = (text_claim(found, name) for name in ("iss", "sub", "aud"))
    wanted = "" if its == audience else f", where Entra ID wants {audience!r}"
    return f"the token has issuer {issuer!r}, subject {subject!r} and audience {its!r}{wanted}"


def _has_ids(token: str) -> bool:
    """Whether it is GitHub's, and names owner and repository with their ids, as it does since July 2026.

    https://docs.github.com/actions/reference/security/oidc
    """
    found = claims(token) or {}
    of_github = text_claim(found, "iss").startswith("https://token.actions.")
    return of_github and bool(_IDS.search(text_claim(found, "sub")))


def advice(code: str, method: Method, permission: str) -> str:
    """What to do about a refusal.

    :param code: the digits behind AADSTS; "" or unknown ones get what is always worth a look.
    :param method: the way of sign-in.
    :param permission: what the token is needed for.
    """
    always = _OF_HOST if method.source == "msi" else _ALWAYS
    found = ADVICE.get(code, always)
    if not isinstance(found, str):
        found = found.get(method.source) or found.get(method.asker or APP) or found.get("", _ALWAYS)
    return found.replace("{permission}", permission)


def _word(value: t.Any) -> str:
    return value if isinstance(value, str) else ""
