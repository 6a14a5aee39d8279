# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What an administrator does so that an identity gets a permission of Graph."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from .._ground.errors import APP
from .method import listed

# https://learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in
_AZURE_CLI = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"


def consent_address(authority_url: str, tenant: str, client_id: str) -> str:
    """Where an administrator of a tenant consents to all that an app's registration asks for.

    https://learn.microsoft.com/entra/identity-platform/v2-admin-consent

    :param authority_url: of Entra ID in the tenant's cloud.
    :param tenant: its GUID or one of its domains; "" for that of whoever opens it.
    """
    return f"{authority_url}/{quote(tenant or 'organizations')}/adminconsent?client_id={quote(client_id)}"


def remedy(
    permissions: t.Sequence[str], asker: str, *, auth_source: str, client_id: str, tenant: str, authority_url: str
) -> str:
    """What to do for the permissions that are missing, a clause.

    :param asker: :data:`errors.APP` or :data:`errors.USER`.
    :param auth_source: the way of sign-in.
    :param tenant: as for :func:`consent_address`.
    """
    names = listed(permissions)
    kind, these = (
        "application" if asker == APP else "delegated",
        "permission" if len(permissions) == 1 else "permissions",
    )
    if auth_source == "msi":
        # https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations
        return (
            f"assign the {kind} {these} {names} of Microsoft Graph to this managed identity, by an app role assignment"
            " to its service principal, which no page of the portal makes; Azure keeps its tokens for up to 24 hours,"
            " so a permission that is new may show the next day only"
        )
    if asker != APP and client_id.lower() == _AZURE_CLI:
        return (
            f"sign in to the Azure CLI as an app that has {names} (az login --service-principal): the Azure CLI's own"
            " app cannot be granted it"
        )
    address = consent_address(authority_url, tenant, client_id)
    whose = f"an administrator of tenant {tenant}" if tenant else "an administrator of the tenant"
    return (
        f"add the {kind} {these} {names} of Microsoft Graph to the registration of app {client_id}, and have {whose}"
        f" consent to it at {address}"
    )
