# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The options that say how requests are made."""

from __future__ import annotations

import typing as t


def connection_spec() -> dict[str, t.Any]:
    """The argument spec of the options that say how requests are made."""
    return {
        "ca_path": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "request_timeout": {"type": "int", "default": 30},
        "retry_timeout": {"type": "int", "default": 120},
    }
