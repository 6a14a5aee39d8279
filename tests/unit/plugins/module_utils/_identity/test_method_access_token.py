# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A ready access token."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._identity import msal_app


def test_a_given_token_is_used_without_msal_or_network(
    wire: t.Any, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any
) -> None:
    monkeypatch.setattr(msal_app, "HAS_MSAL", False)
    who = sign_in(wire, {"access_token": "given"})
    assert who.token() == "given"
    assert who.replace_token("given") is None
    assert who.tokens == {"given"}
    assert wire.requests == []
