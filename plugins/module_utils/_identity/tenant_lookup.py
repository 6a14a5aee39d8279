# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Ask Entra ID which tenant a domain belongs to; anybody may, without any credential."""

from __future__ import annotations

import typing as t
from datetime import datetime

from .._ground import errors, tenant_ids
from .._http.transport import Transport
from .identity import Identity


class TenantFound(t.NamedTuple):
    """What Entra ID says of a tenant.

    :param tenant_id: "" if it knows none of this name, or did not answer.
    :param date: its clock.
    """

    tenant_id: str = ""
    date: datetime | None = None


def look_up(identity: Identity, http: Transport) -> TenantFound:
    """Look up the tenant that an identity names, by one request that is not repeated. Never fails.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#find-your-apps-openid-configuration-document-uri
    """
    url = f"{identity.hosts.authority_url}/{identity.tenant}/v2.0/.well-known/openid-configuration"
    try:
        answer = http.send("GET", url, headers={"Accept": "application/json"})
    except errors.NoResponse:
        return TenantFound()
    try:
        document = answer.json() if answer.status == 200 else {}
    except ValueError:
        document = {}
    issuer = str(document.get("issuer")) if isinstance(document, dict) else ""
    return TenantFound(next(filter(tenant_ids.is_guid, issuer.lower().split("/")), ""), answer.date)
