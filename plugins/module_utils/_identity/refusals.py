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
from .aadsts import ADVICE

if t.TYPE_CHECKING:
    from .method import Method

_TAIL = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp):.*$", re.DOTALL)
_AADSTS = re.compile(r"AADSTS([0-9]+)")

# What https://learn.microsoft.com/entra/identity-platform/reference-error-codes says of "error", and the codes that it
# calls transient or retryable. Those of a tenant's own Active Directory are left out: a password that is tried again
# and again may lock its account.
_TRANSIENT_ERRORS = frozenset(("temporarily_unavailable", "server_error"))
_TRANSIENT_CODES = frozenset(("50033", "90006", "90012", "90024", "90033", "90090", "90091"))

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
    action: str, status: int | None, answer: t.Mapping[str, t.Any], *, method: Method, permission: str
) -> errors.SignInError:
    """Turn an error answer of Entra ID into a sentence that says what to do.

    :param action: which sign-in it was, such as ``sign-in as client ... with its secret``.
    :param status: the HTTP status, if known.
    :param answer: the body, as for :func:`said`.
    :param method: the way of sign-in.
    :param permission: what the token is needed for.
    """
    words = said(answer)
    return errors.SignInError(
        f"{action} was refused"
        + (f" (HTTP {status})" if status else "")
        + f": {(words.message or 'no reason given').rstrip('.')}",
        advice=advice(words.code, method, permission),
        request_id=words.request_id or None,
    )


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
