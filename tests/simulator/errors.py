# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refusals of the two services, before they are written as HTTP."""

from __future__ import annotations

import typing as t

ERROR_CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Forbidden",
    404: "ResourceNotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotSupported",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


class EntraError(Exception):
    """A refusal by the token service.

    Parameters:
        status: HTTP status.
        error: OAuth error, such as ``invalid_client``.
        code: number after ``AADSTS``.
        text: description without the code and the trace ids.
        suberror: OAuth suberror, if any.
    """

    def __init__(self, status: int, error: str, code: int, text: str, suberror: str | None = None) -> None:
        super().__init__(f"AADSTS{code}: {text}")
        self.status = status
        self.error = error
        self.code = code
        self.suberror = suberror


class GraphError(Exception):
    """A refusal by Graph or Intune.

    Parameters:
        status: HTTP status.
        code: ``error.code`` of the body.
        text: the message as a reader should see it.
        form: how the body wraps the message: ``plain`` for Graph's own errors, ``intune`` for a JSON string in the
            message, ``intune_twice`` for a JSON string in a JSON string, with the code inside; ``detailed`` is plain
            with an empty list of details.
        headers: put over those of the answer.
    """

    def __init__(
        self, status: int, code: str, text: str, form: str = "plain", headers: t.Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.form = form
        self.headers = headers or {}


def intune_error(status: int, text: str, headers: t.Mapping[str, str] | None = None) -> GraphError:
    """A refusal by Intune, with the code that goes with its status."""
    return GraphError(status, ERROR_CODES.get(status, "UnknownError"), text, "intune", headers)
