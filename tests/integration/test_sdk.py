# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft's own client against the simulator, and what it sends held against what we send.

What the simulator answers and what our module sends come from the same reading of the documentation; this is the test
that somebody else's reading agrees with both.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import typing as t
from datetime import timedelta

import pytest
from simulator import Request

from .conftest import Site

# Microsoft's libraries deprecate parts of each other.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

identity = pytest.importorskip("azure.identity", reason="tests/requirements-sdk.txt is not installed")
httpx = pytest.importorskip("httpx")

# The client of one version is installed in make test, that of the other in make test-all.
BETA = pytest.mark.exhaustive

# What a server can act on; the rest names the client.
CONTENT_HEADERS = ("Accept", "Content-Type")


@contextlib.asynccontextmanager
async def microsofts_client(site: Site, version: str = "v1.0") -> t.AsyncIterator[t.Any]:
    from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
    from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider

    library = pytest.importorskip("msgraph_beta" if version == "beta" else "msgraph")
    credential = identity.ClientSecretCredential(
        site.tenant.id,
        site.app.client_id,
        site.app.secret,
        authority=site.simulator.authority_url,
        disable_instance_discovery=True,
        connection_verify=site.simulator.ca_path,
    )
    context = ssl.create_default_context(cafile=site.simulator.ca_path)
    url = f"{site.simulator.graph_url}/{version}"
    with credential:
        async with httpx.AsyncClient(verify=context, base_url=url) as http:
            tokens = AzureIdentityAccessTokenProvider(
                credential, None, scopes=[f"{site.simulator.graph_url}/.default"], allowed_hosts=["127.0.0.1"]
            )
            adapter = library.GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(tokens), client=http)
            adapter.base_url = url
            yield library.GraphServiceClient(request_adapter=adapter)


def essence(request: Request) -> tuple[str, str, t.Any, list[str]]:
    """What two clients must agree on."""
    body = json.loads(request.body) if request.body else None
    headers = [request.headers.get(name, "").split(";")[0] for name in CONTENT_HEADERS]
    return request.method, request.path, body, headers


def test_our_requests_are_those_of_microsofts_client(site: Site) -> None:
    from msgraph.generated.device_management.exchange_connectors.item.sync.sync_post_request_body import (
        SyncPostRequestBody,
    )
    from msgraph.generated.models.device_management_exchange_connector_sync_type import (
        DeviceManagementExchangeConnectorSyncType as SyncType,
    )

    async def use() -> None:
        async with microsofts_client(site) as client:
            connectors = client.device_management.exchange_connectors
            page = await connectors.get()
            assert [connector.id for connector in page.value] == [site.connector.id]
            item = connectors.by_device_management_exchange_connector_id(site.connector.id)
            connector = await item.get()
            assert connector.server_name == site.connector.properties["serverName"]
            assert connector.status.value == "connected"
            assert abs(connector.last_sync_date_time - site.connector.last_sync) < timedelta(milliseconds=1)
            await item.sync.post(SyncPostRequestBody(sync_type=SyncType.DeltaSync))

    asyncio.run(use())
    theirs = [essence(request) for request in site.world.requests if request.host == "graph"]
    assert [kind for _time, kind in site.connector.accepted] == ["deltaSync"]
    assert [method for method, *_rest in theirs] == ["GET", "GET", "POST"]

    site.world.requests.clear()
    site.info()
    site.sync(force=True, wait=False)
    ours = [essence(request) for request in site.world.requests if request.host == "graph"]
    assert ours == theirs


def test_our_requests_for_vpp_tokens_are_those_of_microsofts_client(site: Site) -> None:
    token = site.tenant.add_vpp_token(last_sync=timedelta(days=1), sync_delay=60)

    async def use() -> None:
        async with microsofts_client(site) as client:
            tokens = client.device_app_management.vpp_tokens
            page = await tokens.get()
            assert [found.id for found in page.value] == [token.id]
            item = tokens.by_vpp_token_id(token.id)
            found = await item.get()
            assert (found.state.value, found.last_sync_status.value) == ("valid", "completed")
            assert found.organization_name == token.properties["organizationName"]
            assert abs(found.last_sync_date_time - token.last_sync) < timedelta(milliseconds=1)
            begun = await item.sync_licenses.post()
            assert begun.last_sync_status.value == "inProgress"

    asyncio.run(use())
    theirs = [essence(request) for request in site.world.requests if request.host == "graph"]
    assert len(token.accepted) == 1
    assert [method for method, *_rest in theirs] == ["GET", "GET", "POST"]

    site.world.requests.clear()
    module = "graphops.intune.intune_vpp_token_sync"
    site.play([{module: site.options(connector_id=None, all=True, max_age=86400 * 2)}])
    site.play([{module: site.options(connector_id=None, token_id=token.id, force=True, wait=False)}])
    ours = [essence(request) for request in site.world.requests if request.host == "graph"]
    assert ours == theirs


def test_our_requests_for_devices_are_those_of_microsofts_client(site: Site) -> None:
    device = site.tenant.add_managed_device(last_sync=timedelta(days=1))

    async def use() -> None:
        async with microsofts_client(site) as client:
            devices = client.device_management.managed_devices
            page = await devices.get()
            assert [found.id for found in page.value] == [device.id]
            item = devices.by_managed_device_id(device.id)
            found = await item.get()
            assert (found.operating_system, found.management_agent.value) == ("Windows", "mdm")
            assert abs(found.last_sync_date_time - device.last_sync) < timedelta(milliseconds=1)
            await item.sync_device.post()

    asyncio.run(use())
    theirs = [essence(request) for request in site.world.requests if request.host == "graph"]
    assert len(device.accepted) == 1
    assert [method for method, *_rest in theirs] == ["GET", "GET", "POST"]

    site.world.requests.clear()
    module = "graphops.intune.intune_managed_device_sync"
    site.play([{module: site.options(connector_id=None, all=True, max_age=86400 * 2)}])
    site.play([{module: site.options(connector_id=None, device_id=device.id, force=True)}])
    ours = [essence(request) for request in site.world.requests if request.host == "graph"]
    assert ours == theirs


@BETA
def test_our_requests_for_enrollment_program_tokens_are_those_of_microsofts_client(site: Site) -> None:
    token = site.tenant.add_enrollment_program_token(last_sync=timedelta(days=1))

    async def use() -> None:
        async with microsofts_client(site, "beta") as client:
            tokens = client.device_management.dep_onboarding_settings
            page = await tokens.get()
            assert [found.id for found in page.value] == [token.id]
            item = tokens.by_dep_onboarding_setting_id(token.id)
            found = await item.get()
            assert found.token_name == token.properties["tokenName"]
            assert found.last_sync_error_code == 0
            assert abs(found.last_successful_sync_date_time - token.last_sync) < timedelta(milliseconds=1)
            await item.sync_with_apple_device_enrollment_program.post()

    theirs = _theirs(site, use)
    assert len(token.accepted) == 1
    token.last_triggered = token.last_sync = timedelta(days=1)
    module = "graphops.intune.intune_enrollment_program_token_sync"
    site.play([{module: site.options(connector_id=None, all=True, max_age=86400 * 2)}])
    site.play([{module: site.options(connector_id=None, token_id=token.id, force=True, wait=False)}])
    assert _ours(site) == theirs


@BETA
def test_our_requests_for_autopilot_are_those_of_microsofts_client(site: Site) -> None:
    settings = site.tenant.add_autopilot(last_sync=timedelta(days=1))

    async def use() -> None:
        async with microsofts_client(site, "beta") as client:
            item = client.device_management.windows_autopilot_settings
            found = await item.get()
            assert found.sync_status.value == "completed"
            assert abs(found.last_sync_date_time - settings.last_sync) < timedelta(milliseconds=1)
            await item.sync.post()

    theirs = _theirs(site, use)
    settings.last_triggered = settings.last_sync = timedelta(days=1)
    site.play([{"graphops.intune.intune_autopilot_sync": site.options(connector_id=None, wait=False)}])
    assert _ours(site) == theirs
    assert len(settings.accepted) == 2


@BETA
def test_our_requests_for_managed_google_play_are_those_of_microsofts_client(site: Site) -> None:
    account = site.tenant.add_managed_google_play(last_sync=timedelta(days=1))

    async def use() -> None:
        async with microsofts_client(site, "beta") as client:
            item = client.device_management.android_managed_store_account_enterprise_settings
            found = await item.get()
            assert (found.bind_status.value, found.last_app_sync_status.value) == ("boundAndValidated", "success")
            assert abs(found.last_app_sync_date_time - account.last_sync) < timedelta(milliseconds=1)
            await item.sync_apps.post()

    theirs = _theirs(site, use)
    account.last_sync = timedelta(days=1)
    site.play([{"graphops.intune.intune_managed_google_play_sync": site.options(connector_id=None, wait=False)}])
    assert _ours(site) == theirs
    assert len(account.accepted) == 2


def _theirs(site: Site, use: t.Callable[[], t.Coroutine[t.Any, t.Any, None]]) -> list[t.Any]:
    """What their client sends."""
    asyncio.run(use())
    sent = _ours(site)
    assert sent[-1][0] == "POST"
    site.world.requests.clear()
    return sent


def _ours(site: Site) -> list[t.Any]:
    """What was sent to Graph."""
    return [essence(request) for request in site.world.requests if request.host == "graph"]
