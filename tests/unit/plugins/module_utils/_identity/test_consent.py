# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an administrator does so that an identity gets a permission."""

from __future__ import annotations

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import APP, USER
from ansible_collections.graphops.intune.plugins.module_utils._identity import consent

CLIENT = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"


def remedy(asker: str = APP, auth_source: str = "client_secret", client_id: str = CLIENT) -> str:
    """What to do for two permissions in a cloud of its own."""
    return consent.remedy(
        ["A.Read.All", "B.Read.All"],
        asker,
        auth_source=auth_source,
        client_id=client_id,
        tenant="contoso.example",
        authority_url="https://login.microsoftonline.us",
    )


@pytest.mark.parametrize(("asker", "kind"), [(APP, "application"), (USER, "delegated")])
def test_an_apps_registration_is_added_to_and_consented_to(asker: str, kind: str) -> None:
    """By an address in the tenant's own cloud."""
    assert remedy(asker) == (
        f"add the {kind} permissions A.Read.All and B.Read.All of Microsoft Graph to the registration of app {CLIENT},"
        " and have an administrator of tenant contoso.example consent to it at"
        f" https://login.microsoftonline.us/contoso.example/adminconsent?client_id={CLIENT}"
    )


def test_a_managed_identity_has_no_registration() -> None:
    """Nor is there a page to consent on; and what it was granted is not in the token that Azure still keeps."""
    said = remedy(auth_source="msi")
    assert "up to 24 hours" in said
    assert "app role assignment" in said
    assert "adminconsent" not in said


def test_the_azure_clis_own_app_cannot_be_granted_it() -> None:
    """It is Microsoft's; an administrator would look in vain. Signed in to as an app, it is that app."""
    said = remedy(USER, "cli", "04B07795-8ddb-461a-bbee-02f9e1bf7b46")
    assert "az login --service-principal" in said
    assert "adminconsent" in remedy(APP, "cli")


def test_an_address_for_whoever_opens_it() -> None:
    """Where nobody knows the tenant."""
    assert (
        consent.consent_address("https://login", "", "x y")
        == "https://login/organizations/adminconsent?client_id=x%20y"
    )
