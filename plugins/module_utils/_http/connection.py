# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The options that say how requests are made."""

from __future__ import annotations

import typing as t

from .._ground.option_values import at_least

# Seconds, unless the user says otherwise.
RETRY_TIMEOUT = 120


class Connection(t.NamedTuple):
    """How requests are made; the names are those of the options, times are in seconds."""

    ca_path: str | None
    validate_certs: bool
    request_timeout: int
    retry_timeout: int


def connection_spec() -> dict[str, t.Any]:
    """The argument spec of the options that say how requests are made."""
    return {
        "ca_path": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "request_timeout": {"type": "int", "default": 30},
        "retry_timeout": {"type": "int", "default": RETRY_TIMEOUT},
    }


def read_connection(params: t.Mapping[str, t.Any]) -> Connection:
    """Read how requests are to be made.

    :param params: a module's parameters, as :func:`connection_spec` says.
    :raises OptionError: a number is too small.
    """
    at_least(1, params, ("request_timeout",))
    at_least(0, params, ("retry_timeout",))
    return Connection(**{name: params[name] for name in Connection._fields})
