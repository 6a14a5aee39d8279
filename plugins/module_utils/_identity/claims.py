# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a token says of itself: read, and not verified, which is for those to whom it is shown."""

from __future__ import annotations

import base64
import typing as t
from datetime import datetime, timezone

from .._ground import untrusted

# What a header may have is far less; whatever is longer is no token.
_LARGEST = 65536


def claims(token: str) -> dict[str, t.Any] | None:
    """Read the claims of a JSON Web Token (RFC 7519, section 3; RFC 7515, section 3.1), without its signature.

    PyJWT does the same, but comes with msal only, without which a ready access token is enough to sign in.

    :returns: None if it is none, as an access token may be: to the app, it is opaque.
    """
    parts = token.split(".")
    if len(parts) != 3 or len(token) > _LARGEST:
        return None
    try:
        found = untrusted.json_of(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def text_claim(found: t.Mapping[str, t.Any], name: str) -> str:
    """A claim that is text, safe to print; of a list, as an audience may be, its texts. "" for none."""
    value = found.get(name)
    words = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return untrusted.one_line(" ".join(word for word in words if isinstance(word, str)))


def number_claim(found: t.Mapping[str, t.Any], name: str) -> float | None:
    """A claim that is a number, such as a time in seconds since 1970; None for none."""
    value = found.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1e11:
        return None
    return float(value)


def time_claim(found: t.Mapping[str, t.Any], name: str) -> datetime | None:
    """A claim that is a time, in UTC; None for none."""
    seconds = number_claim(found, name)
    return None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
