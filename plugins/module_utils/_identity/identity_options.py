# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The options that say who signs in: their argument spec, and the variables that may give them."""

from __future__ import annotations

import typing as t

from .._ground import clouds

AUTH_SOURCES = (
    "auto",
    "access_token",
    "client_secret",
    "certificate",
    "oidc",
    "refresh_token",
    "password",
    "msi",
    "cli",
)


# Option -> environment variables, first set one wins. The names are those of azure.azcollection and of azure-identity;
# MSGRAPH_* where AZURE_* would be taken for a token of Azure Resource Manager.
IDENTITY_VARIABLES: t.Mapping[str, tuple[str, ...]] = {
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "x509_certificate_password": ("AZURE_X509_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    "thumbprint": ("AZURE_THUMBPRINT",),
    "oidc_token": ("AZURE_FEDERATED_TOKEN",),
    "oidc_token_file_path": ("AZURE_FEDERATED_TOKEN_FILE",),
    "username": ("AZURE_AD_USER", "AZURE_USERNAME"),
    "password": ("AZURE_PASSWORD",),
    "refresh_token": ("MSGRAPH_REFRESH_TOKEN",),
    "access_token": ("MSGRAPH_ACCESS_TOKEN",),
}


def identity_spec() -> dict[str, t.Any]:
    """The argument spec of the options that say who signs in, and where."""
    return {
        "auth_source": {"type": "str", "default": "auto", "choices": list(AUTH_SOURCES)},
        "tenant": {"type": "str", "aliases": ["tenant_id"]},
        "client_id": {"type": "str"},
        "secret": {"type": "str", "no_log": True, "aliases": ["client_secret"]},
        "x509_certificate_path": {"type": "path"},
        "x509_certificate_password": {"type": "str", "no_log": True},
        "thumbprint": {"type": "str"},
        "oidc_token": {"type": "str", "no_log": True},
        "oidc_token_file_path": {"type": "path", "no_log": False},
        "username": {"type": "str", "aliases": ["ad_user"]},
        "password": {"type": "str", "no_log": True},
        "refresh_token": {"type": "str", "no_log": True},
        "access_token": {"type": "str", "no_log": True},
        "cloud_environment": {"type": "str", "choices": list(clouds.CLOUDS)},
        "graph_url": {"type": "str"},
        "authority_url": {"type": "str"},
        "allow_environment_credential": {"type": "bool", "default": False},
    }


def without_empty(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same arguments without options of the identity that are empty, of which some have choices.

    So a template of a credential or survey may name them all.
    """
    return {name: value for name, value in arguments.items() if value != "" or name not in identity_spec()}
