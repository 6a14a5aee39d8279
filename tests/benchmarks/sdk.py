# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask devices to check in with Microsoft's client, one after the other; their ids come as JSON.

The arguments are tenant, client id and secret; the addresses are in the environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
import sys

import httpx
from azure.identity import ClientSecretCredential
from kiota_abstractions.api_error import APIError
from kiota_abstractions.authentication import BaseBearerTokenAuthenticationProvider
from kiota_authentication_azure.azure_identity_access_token_provider import AzureIdentityAccessTokenProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph_core import GraphClientFactory


async def main() -> None:
    """Ask all of them."""
    tenant, client_id, secret = sys.argv[1:]
    graph, ca_path = os.environ["MSGRAPH_URL"], os.environ["REQUESTS_CA_BUNDLE"]
    credential = ClientSecretCredential(
        tenant,
        client_id,
        secret,
        authority=os.environ["AZURE_AUTHORITY_HOST"],
        disable_instance_discovery=True,
        connection_verify=ca_path,
    )
    tokens = AzureIdentityAccessTokenProvider(
        credential, None, scopes=[f"{graph}/.default"], allowed_hosts=["127.0.0.1"]
    )
    # With its own middleware, which repeats what was refused up to three times.
    http = GraphClientFactory.create_with_default_middleware(
        client=httpx.AsyncClient(verify=ssl.create_default_context(cafile=ca_path), base_url=f"{graph}/v1.0")
    )
    adapter = GraphRequestAdapter(BaseBearerTokenAuthenticationProvider(tokens), client=http)
    adapter.base_url = f"{graph}/v1.0"
    devices = GraphServiceClient(request_adapter=adapter).device_management.managed_devices
    for name in json.load(sys.stdin):
        with contextlib.suppress(APIError):
            await devices.by_managed_device_id(name).sync_device.post()
    await http.aclose()


asyncio.run(main())
