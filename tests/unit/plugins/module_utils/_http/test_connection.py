# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How requests are made, as the options say it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._http.connection import (
    Connection,
    connection_spec,
    read_connection,
)

USUAL = {name: option.get("default") for name, option in connection_spec().items()}


def test_what_is_not_given_is_as_the_spec_says() -> None:
    assert read_connection({**USUAL, "tenant": "contoso.example"}) == Connection(None, True, 30, 120)


def test_what_is_given_is_read() -> None:
    given = {"ca_path": "/ca.pem", "validate_certs": False, "request_timeout": 1, "retry_timeout": 0}
    assert read_connection(given) == Connection("/ca.pem", False, 1, 0)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"request_timeout": 0}, "request_timeout is 0; give a number of seconds that is at least 1."),
        ({"retry_timeout": -1}, "retry_timeout is -1; give a number of seconds that is at least 0."),
        (
            {"retry_timeout": -1, "request_timeout": -1},
            "request_timeout is -1; give a number of seconds that is at least 1.",
        ),
    ],
)
def test_a_time_that_is_too_short(given: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(OptionError) as caught:
        read_connection({**USUAL, **given})
    assert caught.value.sentence() == sentence
