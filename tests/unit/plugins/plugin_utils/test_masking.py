# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.plugin_utils import masking


@pytest.mark.parametrize(
    "value",
    [{"a": ["secret-1"]}, [{"a": {"b": "secret-1"}}], "secret-1", ("x", "secret-1"), {"n": "asecret-1b", "m": ""}],
)
def test_a_secret_as_long_as_the_longest_text_is_masked(value: t.Any) -> None:
    assert "secret-1" not in str(masking.masked(value, {"secret-1", "t" * 5000}))


def test_a_number_is_a_text_as_well() -> None:
    assert "12345" not in str(masking.masked({"n": 912345}, {"12345"}))


@pytest.mark.skipif(masking._secrets is not None, reason="ansible-core masks by itself")  # noqa: SLF001
def test_texts_are_not_searched_for_what_is_longer_than_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run over thousands of tenants has a token of each, and as many texts again."""
    seen = []
    monkeypatch.setattr(masking.parameters, "remove_values", lambda value, secrets: seen.append(secrets) or value)
    tokens = {f"{number:01500}" for number in range(2000)}
    masking.masked([{"msg": "x" * 1000}], {*tokens, "short secret"})
    assert seen == [{"short secret"}]
