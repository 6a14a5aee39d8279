# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where an option's value comes from, and which values are refused."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds, option_values
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._identity.methods import METHODS
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync import options

KIND = exchange_connector.KIND
SPECS = pytest.mark.parametrize("spec", [options.sync_spec(KIND), options.info_spec(KIND)], ids=["sync", "info"])
GUID = "e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1"


@pytest.mark.parametrize(
    ("option", "environ", "expected"),
    [
        ({}, {}, ("", "tenant", False)),
        ({"tenant": None}, {}, ("", "tenant", False)),
        ({"tenant": ""}, {"FIRST": "", "SECOND": ""}, ("", "tenant", False)),
        ({"tenant": "o"}, {}, ("o", "tenant", True)),
        ({"tenant": "o"}, {"FIRST": "f", "SECOND": "s"}, ("o", "tenant", True)),
        ({"tenant": ""}, {"FIRST": "f", "SECOND": "s"}, ("f", "FIRST", False)),
        ({"tenant": None}, {"FIRST": "", "SECOND": "s"}, ("s", "SECOND", False)),
        ({}, {"SECOND": "s"}, ("s", "SECOND", False)),
        ({}, {"TENANT": "x", "tenant": "x"}, ("", "tenant", False)),
        # As of a file or a secret that was made by echo, or on Windows: kubernetes#23404.
        ({"tenant": "\ufeffo\r\n"}, {"FIRST": "f"}, ("o", "tenant", True)),
        ({"tenant": "\n"}, {"FIRST": "\n", "SECOND": "s\n"}, ("s", "SECOND", False)),
        ({"tenant": " o \n p\n"}, {}, (" o \n p", "tenant", True)),
    ],
)
def test_options_win_over_variables_and_empty_strings_count_as_unset(
    option: dict[str, t.Any], environ: dict[str, str], expected: tuple[str, str, bool]
) -> None:
    assert option_values.lookup("tenant", ("FIRST", "SECOND"), option, environ)[:3] == expected


@pytest.mark.parametrize("value", [GUID, GUID.upper(), "00000000-0000-0000-0000-000000000000"])
def test_a_guid_is_put_into_lower_case(value: str) -> None:
    assert options.guid(KIND, value) == value.lower()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "all",
        GUID[:-1],
        GUID + "0",
        GUID + "\n",
        " " + GUID,
        "{" + GUID + "}",
        GUID.replace("-", ""),
        GUID.replace("e", "g"),
        GUID.replace("1", "\u0661"),
        GUID + "/sync",
        "../" + GUID,
    ],
)
def test_no_other_id_gets_into_a_url(value: str) -> None:
    with pytest.raises(OptionError) as caught:
        options.guid(KIND, value)
    assert caught.value.sentence() == (
        f"connector_id {value!r} is not a GUID; take the id from graphops.intune.intune_exchange_connector_info, such"
        f" as {GUID}."
    )


@pytest.mark.parametrize("value", [None, 1, 2, 10**9])
def test_numbers_that_are_large_enough(value: int | None) -> None:
    option_values.at_least(1, {"request_timeout": value}, ("request_timeout", "not_an_option_here"))


@pytest.mark.parametrize("value", [0, -1])
def test_numbers_that_are_too_small(value: int) -> None:
    with pytest.raises(OptionError) as caught:
        option_values.at_least(1, {"wait_timeout": 5, "request_timeout": value}, ("wait_timeout", "request_timeout"))
    assert caught.value.sentence() == f"request_timeout is {value}; give a number of seconds that is at least 1."


@SPECS
def test_every_variable_belongs_to_an_option(spec: dict[str, t.Any]) -> None:
    assert {*identity.IDENTITY_VARIABLES, *clouds.CLOUD_VARIABLES} <= spec.keys()


def test_every_variable_has_one_meaning() -> None:
    variables = [name for names in {**identity.IDENTITY_VARIABLES, **clouds.CLOUD_VARIABLES}.values() for name in names]
    assert sorted(variables) == sorted(set(variables))


@SPECS
def test_no_secret_is_logged(spec: dict[str, t.Any]) -> None:
    hidden = {name for name, option in spec.items() if option.get("no_log") is True}
    assert hidden == {
        "access_token",
        "oidc_token",
        "password",
        "refresh_token",
        "secret",
        "x509_certificate_password",
    }


def test_the_engine_knows_the_same_secrets() -> None:
    values = {name: f"value of {name}" for name in identity.IDENTITY_VARIABLES}
    hidden = {name for name, option in identity.identity_spec().items() if option.get("no_log") is True}
    assert identity.secrets(values, {}) == {values[name] for name in hidden}


@SPECS
def test_no_variable_is_hidden_behind_a_default(spec: dict[str, t.Any]) -> None:
    for name in (*identity.IDENTITY_VARIABLES, *clouds.CLOUD_VARIABLES):
        assert "default" not in spec[name]
        assert not spec[name].get("required")


def test_the_ways_to_sign_in_are_the_choices_of_auth_source() -> None:
    ways = [method.source for method in METHODS]
    assert identity.identity_spec()["auth_source"]["choices"] == ["auto", *ways]


def test_empty_options_of_the_identity_are_as_not_given() -> None:
    given = {
        "auth_source": "",
        "cloud_environment": "",
        "tenant": "",
        "secret": None,
        "max_age": "",
        "client_id": "app",
    }
    assert identity.without_empty(given) == {"secret": None, "max_age": "", "client_id": "app"}
