# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a token says of itself."""

from __future__ import annotations

import base64
import json
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._identity import claims


def token(payload: t.Any) -> str:
    """A token with this in the middle."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return ".".join(("e30", base64.urlsafe_b64encode(text).decode().rstrip("="), "signature"))


@pytest.mark.parametrize("subject", ["a", "ab", "abc", "abcd", "ÿ~?>"], ids=str)
def test_claims_are_read_whatever_their_length(subject: str) -> None:
    """Base64 comes without its padding, and in the alphabet for URLs."""
    assert claims.claims(token({"sub": subject})) == {"sub": subject}


@pytest.mark.parametrize(
    "opaque",
    ["", "EwB4A8l6", "a.b", "a.b.c", "a.!!!.c", "a.b.c.d", "a.%s.c" % ("A" * 70000), "é.é.é", token([1]), token(b"{")],
)
def test_what_is_no_token_has_no_claims(opaque: str) -> None:
    """An access token may be opaque; nobody is to fail for that."""
    assert claims.claims(opaque) is None


def test_what_is_deep_or_in_a_million_parts_is_no_token() -> None:
    """Who made it is not known here."""
    assert claims.claims(token(b"[" * 5000 + b"]" * 5000)) is None


def test_text_claims_are_safe_to_print() -> None:
    """They reach a terminal, and are of whatever type somebody made them."""
    found = {"sub": "a\nb\x1b[2J", "aud": ["x", 1, "y"], "iss": {"no": "text"}}
    assert claims.text_claim(found, "sub") == "a b [2J"
    assert claims.text_claim(found, "aud") == "x y"
    assert claims.text_claim(found, "iss") == claims.text_claim(found, "none") == ""


def test_number_claims_are_numbers() -> None:
    """A time that is text, true or endless is none."""
    found = {"exp": 1.5, "iat": "1", "nbf": True, "far": 1e300, "odd": float("nan")}
    assert claims.number_claim(found, "exp") == 1.5
    assert [claims.number_claim(found, name) for name in ("iat", "nbf", "far", "odd", "none")] == [None] * 5
