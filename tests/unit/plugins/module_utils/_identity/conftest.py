# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of signing in share: a transport that goes nowhere, and a sign-in over it with the real msal."""

from __future__ import annotations

import json
import os
import typing as t
from urllib.parse import urlsplit

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.clouds import Endpoints
from ansible_collections.graphops.intune.plugins.module_utils._http import response
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity, tokens

Options = dict[str, t.Any]

HOSTS = Endpoints("https://graph.example", "https://login.example:8443")
PERMISSION = "DeviceManagementServiceConfig.Read.All"


class Request(t.NamedTuple):
    """What was sent."""

    method: str
    url: str
    headers: t.Mapping[str, str]
    params: t.Any
    data: t.Any


class Wire:
    """A transport that goes nowhere: it answers by the last part of the path, and tells what it was asked."""

    def __init__(self, clock: t.Any) -> None:
        self.clock = clock
        self.request_timeout = 30
        self.retry_timeout = 120
        self.requests: list[Request] = []
        self.limits: list[float] = []
        self.expires_in = 3600
        self.answers: dict[str, tuple[int, t.Any]] = {}
        # Those that come first, one after the other.
        self.passing: dict[str, list[tuple[int, t.Any]]] = {}

    def send_with_retries(
        self,
        method: str,
        url: str,
        *,
        json_expected: bool,  # noqa: ARG002 - as the real one
        headers: t.Mapping[str, str],
        params: t.Any = None,
        data: t.Any = None,
        limit: float,
        of_host: bool,  # noqa: ARG002
        largest: int | None = None,  # noqa: ARG002
        passes: t.Any = None,  # noqa: ARG002
    ) -> response.Response:
        self.requests.append(Request(method, url, headers, params, data))
        self.limits.append(limit)
        last = urlsplit(url).path.rsplit("/", 1)[-1]
        status, document = (self.passing.get(last) or [self.answers.get(last) or self._usual(last, url)]).pop(0)
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return response.Response(status, {"content-type": "application/json"}, body)

    def _usual(self, last: str, url: str) -> tuple[int, t.Any]:
        if last == "openid-configuration":
            base = url.split("/v2.0/")[0]
            return 200, {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            }
        if last == "token":
            return 200, {"access_token": f"token-{len(self.sent('token'))}", "expires_in": self.expires_in}
        return 200, {"account_type": "Managed"}

    def sent(self, last: str) -> list[Request]:
        return [request for request in self.requests if urlsplit(request.url).path.endswith(last)]


@pytest.fixture
def wire(clock: t.Any) -> Wire:
    return Wire(clock.handed)


def chosen(options: Options, environ: dict[str, str], *, has_cli: bool = True) -> identity.Identity:
    return identity.read_identity(options, environ, has_cli=lambda _environ: has_cli)._replace(hosts=HOSTS)


@pytest.fixture
def choose() -> t.Callable[..., identity.Identity]:
    """The identity that is chosen, with hosts of the tests' own."""
    return chosen


@pytest.fixture
def sign_in() -> t.Callable[..., tokens.SignIn]:
    """What gives the tokens of an identity, over a transport."""

    def make(
        wire: Wire, options: Options, hosts: Endpoints = HOSTS, *, environ: dict[str, str] | None = None
    ) -> tokens.SignIn:
        who = chosen(options, environ or {})._replace(hosts=hosts)
        seen = os.environ if environ is None else environ
        return tokens.SignIn(who, t.cast(t.Any, wire), environ=seen, permission=PERMISSION)

    return make
