# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a token is kept, when another is got, and what it takes."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import SignInError
from ansible_collections.graphops.intune.plugins.module_utils._http import connections
from ansible_collections.graphops.intune.plugins.module_utils._identity import msal_app, tokens

Options = dict[str, t.Any]

TENANT = {"tenant": "contoso.example", "client_id": "app"}
APP = {**TENANT, "secret": "right"}


def test_a_token_is_kept_until_five_minutes_before_its_end(wire: t.Any, clock: t.Any, sign_in: t.Any) -> None:
    who = sign_in(wire, APP)
    assert who.token() == "token-1"
    clock.pass_by(3299)
    assert who.token() == "token-1"
    clock.pass_by(1)
    assert who.token() == "token-2"
    assert who.token() == "token-2"


def test_a_short_token_is_kept_for_half_its_life(wire: t.Any, clock: t.Any, sign_in: t.Any) -> None:
    wire.expires_in = 400
    who = sign_in(wire, APP)
    assert who.token() == "token-1"
    clock.pass_by(199)
    assert who.token() == "token-1"
    clock.pass_by(1)
    assert who.token() == "token-2"


def test_another_token_in_the_place_of_a_refused_one(wire: t.Any, sign_in: t.Any) -> None:
    who = sign_in(wire, APP)
    assert who.token() == "token-1"
    assert who.replace_token("token-1") == "token-2"
    # Refused again, but meanwhile replaced: the newest is given without another sign-in.
    assert who.replace_token("token-1") == "token-2"
    assert who.token() == "token-2"
    # Graph has seen both, and may quote either.
    assert who.tokens == {"token-1", "token-2"}


@pytest.mark.parametrize("options", [APP, {"username": "u", "password": "p"}, {"auth_source": "msi"}])
@pytest.mark.parametrize(
    ("has_requests", "has_msal", "there", "missing"),
    [
        (True, True, True, []),
        (True, False, True, ["msal"]),
        (False, False, False, ["requests", "msal"]),
        # It needs requests itself.
        (False, False, True, ["requests"]),
    ],
)
def test_all_that_is_missing_is_known_at_once(
    monkeypatch: pytest.MonkeyPatch,
    options: Options,
    has_requests: bool,
    has_msal: bool,
    there: bool,
    missing: list[str],
    choose: t.Any,
) -> None:
    monkeypatch.setattr(msal_app, "HAS_MSAL", has_msal)
    monkeypatch.setattr(connections, "HAS_REQUESTS", has_requests)
    monkeypatch.setattr(tokens.importlib.util, "find_spec", lambda _name: there or None)
    assert tokens.missing_libraries(choose(options, {})) == missing
    assert tokens.missing_libraries(choose({"access_token": "t"}, {})) == [name for name in missing if name != "msal"]


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"access_token": ""},
        {"access_token": None},
        {"access_token": 5},
        {"access_token": "a b"},
        {"access_token": "ä"},
    ],
)
def test_an_answer_without_a_usable_token(wire: t.Any, answer: t.Any, sign_in: t.Any) -> None:
    wire.answers["token"] = (200, {"expires_in": 3600, **answer})
    who = sign_in(wire, APP)
    with pytest.raises(SignInError):
        who.token()
    assert who.tokens == set()


@pytest.mark.parametrize(("limit", "may_take"), [(None, 120), (5, 5), (600, 120)])
def test_signing_in_takes_no_longer_than_it_may(
    wire: t.Any, limit: float | None, may_take: float, sign_in: t.Any
) -> None:
    sign_in(wire, APP).token(limit)
    assert set(wire.limits) == {may_take}
