# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which credential may go to which host, by who has named the one and who has given the other."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http import connection
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._sync import session

APP = {"AZURE_TENANT": "contoso.example", "AZURE_CLIENT_ID": "app", "AZURE_SECRET": "s"}
HOST = {"AZURE_AUTHORITY_HOST": "https://e.example"}
USER = {"AZURE_AD_USER": "u@contoso.example", "AZURE_PASSWORD": "p"}
MANAGED = {"IDENTITY_ENDPOINT": "http://localhost/msi", "IDENTITY_HEADER": "h"}
TOKEN_FILE = {"AZURE_TENANT": "t.example", "AZURE_CLIENT_ID": "app", "AZURE_FEDERATED_TOKEN_FILE": __file__}


def connect(given: t.Mapping[str, t.Any], environ: t.Mapping[str, str], own: t.Mapping[str, str]) -> session.Session:
    spec = {**identity.identity_spec(), **connection.connection_spec()}
    params = {**{name: option.get("default") for name, option in spec.items()}, **given}
    context = session.Context(False, environ, Clock(), print, print, lambda _tokens: None, own=own)
    settings, who = connection.read_connection(params), identity.read_identity(params, environ, own)
    return session.open_graph(who, settings, context, permission="P")


@pytest.mark.parametrize(
    ("given", "environ", "own"),
    [
        ({}, {**APP, **HOST}, {}),
        ({}, {}, {**APP, **HOST}),
        ({}, HOST, APP),
        ({"authority_url": "https://e.example"}, {**APP, **HOST}, {}),
        ({"authority_url": "https://e.example"}, {}, {**APP, **HOST}),
        ({"tenant": "contoso.example", "client_id": "app", "secret": "s"}, {}, HOST),
        ({"allow_environment_credential": True}, APP, HOST),
        ({}, HOST, MANAGED),
        ({}, {}, {**MANAGED, **HOST}),
        ({}, {}, USER),
        ({"authority_url": "https://e.example"}, HOST, {**APP, "AZURE_AUTHORITY_HOST": ""}),
        ({"allow_environment_credential": True}, {"IDENTITY_HEADER": "h"}, {"IDENTITY_ENDPOINT": "http://localhost/"}),
    ],
)
def test_a_credential_goes_to_a_host_that_was_named_by_whoever_gave_it(
    given: dict[str, t.Any], environ: dict[str, str], own: dict[str, str]
) -> None:
    assert connect(given, environ, own)


@pytest.mark.parametrize(
    ("given", "environ", "own", "sentence"),
    [
        (
            {},
            APP,
            HOST,
            "AZURE_AUTHORITY_HOST is https://e.example for this task, which is no host of Microsoft's, but the"
            " credential is not given beside it (AZURE_SECRET); set that variable for the whole run, set those of the"
            " credential beside it, or set allow_environment_credential to true if that host may have it.",
        ),
        ({}, TOKEN_FILE, HOST, "(AZURE_FEDERATED_TOKEN_FILE)"),
        ({}, {}, {**TOKEN_FILE, **HOST}, "(AZURE_FEDERATED_TOKEN_FILE)"),
        ({}, MANAGED, {"MSGRAPH_URL": "https://g.example"}, "(the managed identity of this host)"),
        ({}, {**APP, **HOST}, {"AZURE_AUTHORITY_HOST": "https://evil.example"}, "AZURE_AUTHORITY_HOST is https://evil"),
        (
            {},
            {"AZURE_PASSWORD": "p"},
            {"AZURE_AD_USER": "u@evil.example"},
            "AZURE_AD_USER is set for this task, but the password is that of the environment (AZURE_PASSWORD); give the"
            " password beside it, or set allow_environment_credential to true if the server of this user's domain may"
            " have it.",
        ),
        (
            {},
            {"IDENTITY_HEADER": "h"},
            {"IDENTITY_ENDPOINT": "http://localhost/"},
            "IDENTITY_ENDPOINT is set for this task, but IDENTITY_HEADER is that of the run; set both in the same"
            " place, or set allow_environment_credential to true if that endpoint may have it.",
        ),
    ],
)
def test_no_credential_goes_to_a_host_that_was_named_nearer_to_the_task(
    given: dict[str, t.Any], environ: dict[str, str], own: dict[str, str], sentence: str
) -> None:
    with pytest.raises(errors.OptionError) as caught:
        connect(given, environ, own)
    assert sentence in caught.value.sentence()
