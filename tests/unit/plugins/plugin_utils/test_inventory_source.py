# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugins share: what is cached under which key, and which expressions are some."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.plugin_utils import inventory_source

APP = {"client_id": "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10", "secret": "the-secret"}


def key(**given: t.Any) -> str | None:
    allowed = {"tenant": "contoso.example", "allow_environment_credential": True}
    return inventory_source.cache_key(identity.read_identity({**allowed, **given}, {}, has_cli=lambda _environ: False))


def test_the_key_depends_on_who_asks_whom() -> None:
    keys = [
        key(**APP),
        key(**{**APP, "client_id": "other"}),
        key(**{**APP, "tenant": "fabrikam.example"}),
        key(**APP, cloud_environment="AzureUSGovernment"),
        key(**APP, graph_url="https://graph.example"),
        key(**APP, authority_url="https://login.example"),
        key(username="a@contoso.example", password="p"),
        key(username="b@contoso.example", password="p"),
        key(**{**APP, "secret": "", "refresh_token": "one"}),
        key(**{**APP, "secret": "", "refresh_token": "two"}),
        key(access_token="one"),
        key(access_token="two"),
        key(auth_source="msi"),
        key(auth_source="cli"),
    ]
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_the_key_does_not_depend_on_what_may_be_guessed_or_changes() -> None:
    assert key(**APP) == key(**{**APP, "secret": "renewed"})
    assert key(**APP) == key(**{**APP, "client_id": APP["client_id"].upper(), "tenant": "Contoso.Example"})
    assert key(username="a@contoso.example", password="p") == key(username="A@contoso.example", password="q")
    # A name that another way to sign in has left over.
    assert key(**APP) == key(**APP, username="a@contoso.example")


def test_the_key_reveals_nothing() -> None:
    found = key(access_token="eyJ0token")
    assert found is not None
    assert set(found) <= set("0123456789abcdef")


def test_without_a_tenant_nobody_can_tell_whose_connectors_they_are() -> None:
    assert key(tenant="", auth_source="msi") is None
    assert key(tenant="", auth_source="cli", client_id="x") is None
    assert key(tenant="", access_token="eyJ0") is not None
    assert key(tenant="", username="a@contoso.example", password="p") is not None


@pytest.mark.parametrize("expression", ["((", "{{ x }}", "a b", "'x", "x }} {{ y", "a |", "", None, True])
def test_expressions_that_are_none(expression: t.Any) -> None:
    if expression and expression is not True:
        with pytest.raises(OptionError) as caught:
            inventory_source.check_expression("hostname", expression)
        assert caught.value.sentence().startswith("hostname is no Jinja expression: ")
        assert caught.value.sentence().endswith("; write it without braces.")
    else:
        inventory_source.check_expression("hostname", expression)


@pytest.mark.parametrize("expression", ["a.b[:8] ~ '-' ~ c", "{'a': {'b': 1}}", "x if y else z", "a | unknown_filter"])
def test_expressions(expression: str) -> None:
    inventory_source.check_expression("hostname", expression)
