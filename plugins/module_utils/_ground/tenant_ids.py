# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a tenant may be named by: it becomes part of addresses."""

from __future__ import annotations

import re

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LABEL = r"[0-9a-zA-Z]([0-9a-zA-Z-]{0,61}[0-9a-zA-Z])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})+")


def is_guid(text: str) -> bool:
    """Whether this is a GUID as Graph writes them: 8-4-4-4-12 hexadecimal digits."""
    return bool(_GUID.fullmatch(text))


def is_tenant(text: str) -> bool:
    """Whether this may be a tenant's GUID or one of its domains."""
    return is_guid(text) or bool(_DOMAIN.fullmatch(text))
