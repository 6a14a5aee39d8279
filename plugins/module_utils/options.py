# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The options that modules and actions share: their argument specs, and where else a value may come from."""

from __future__ import annotations

import re
import typing as t

from .errors import OptionError

SYNC_TYPES = ("deltaSync", "fullSync")
STATUSES = ("none", "connectionPending", "connected", "disconnected", "unknownFutureValue")
CLOUDS = ("AzureCloud", "AzureUSGovernment", "AzureUSGovernmentDoD", "AzureChinaCloud")
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
CLOUD_VARIABLES: t.Mapping[str, tuple[str, ...]] = {
    "cloud_environment": ("AZURE_CLOUD_ENVIRONMENT",),
    "graph_url": ("MSGRAPH_URL",),
    "authority_url": ("AZURE_AUTHORITY_HOST",),
}

# The texts by which connectors are chosen among all of a tenant.
_TEXT_FILTERS = ("server_name", "connector_server_name", "exchange_organization", "primary_smtp_address")
FILTERS = ("status", *_TEXT_FILTERS)

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Given(t.NamedTuple):
    """A value and who gave it: ``origin`` is the option's or the variable's name, or the option's when unset.

    :param own: whether the variable is one of the task's own ``environment``.
    """

    value: str
    origin: str
    from_options: bool
    own: bool = False

    @property
    def distance(self) -> int:
        """How far from the task it was written: 0 in an option, 1 in the task's ``environment``, 2 in that of the run.

        Who writes nearer, in an inventory say, need not know what stands farther away, and must not learn it.
        """
        return 0 if self.from_options else 1 if self.own else 2


def given(
    name: str,
    variables: t.Sequence[str],
    options: t.Mapping[str, t.Any],
    environ: t.Mapping[str, str],
    own: t.Container[str] = (),
) -> Given:
    """Look an option up: the option itself, then its environment variables; empty strings count as unset.

    AWX injects an unset credential field as an empty variable, hence the last rule. Ends of lines and marks of byte
    order around a value are none of it: what makes a variable of a file, as Kubernetes does of a secret, keeps them.

    :param own: the names of the variables in ``environ`` that the task's own ``environment`` sets.
    """
    value = _without_ends(options.get(name))
    if value:
        return Given(value, name, True)
    for variable in variables:
        value = _without_ends(environ.get(variable))
        if value:
            return Given(value, variable, False, variable in own)
    return Given("", name, False)


def _without_ends(value: t.Any) -> str:
    return str(value or "").strip("\r\n\ufeff")


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
        "cloud_environment": {"type": "str", "choices": list(CLOUDS)},
        "graph_url": {"type": "str"},
        "authority_url": {"type": "str"},
        "allow_environment_credential": {"type": "bool", "default": False},
    }


def without_empty(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same arguments without options of the identity that are empty, of which some have choices.

    So a template of a credential or survey may name them all.
    """
    return {name: value for name, value in arguments.items() if value != "" or name not in identity_spec()}


def connection_spec() -> dict[str, t.Any]:
    """The argument spec of the options that say how requests are made."""
    return {
        "ca_path": {"type": "path"},
        "validate_certs": {"type": "bool", "default": True},
        "request_timeout": {"type": "int", "default": 30},
        "retry_timeout": {"type": "int", "default": 120},
    }


def filter_spec() -> dict[str, t.Any]:
    """The argument spec of the options that choose among all connectors of a tenant."""
    return {
        "status": {"type": "list", "elements": "str", "choices": list(STATUSES)},
        **{name: {"type": "str"} for name in _TEXT_FILTERS},
    }


def sync_spec() -> dict[str, t.Any]:
    """The argument spec of ``intune_exchange_connector_sync``."""
    return {
        "connector_id": {"type": "str"},
        "connector_ids": {"type": "list", "elements": "str"},
        "all": {"type": "bool", "default": False},
        "sync_type": {"type": "str", "default": "deltaSync", "choices": list(SYNC_TYPES)},
        "max_age": {"type": "int"},
        "force": {"type": "bool", "default": False},
        "require_connected": {"type": "bool", "default": True},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 900},
        "wait_sleep": {"type": "int", "default": 15, "aliases": ["interval"]},
        **filter_spec(),
        **identity_spec(),
        **connection_spec(),
    }


def member_spec() -> dict[str, t.Any]:
    """The argument spec of one host of a fleet: that of ``intune_exchange_connector_sync`` for a single connector."""
    of_many = {"connector_ids", "all", *FILTERS}
    return {name: option for name, option in sync_spec().items() if name not in of_many}


def fleet_spec() -> dict[str, t.Any]:
    """The argument spec of what the role ``exchange_connector_sync`` has beside the options of its members."""
    return {
        "max_failures": {"type": "str", "default": ""},
        "report_path": {"type": "path"},
    }


def info_spec() -> dict[str, t.Any]:
    """The argument spec of ``intune_exchange_connector_info``."""
    return {
        "connector_id": {"type": "str"},
        **filter_spec(),
        **identity_spec(),
        **connection_spec(),
    }


def connector_guid(value: str) -> str:
    """Return a connector's id in lower case.

    :raises OptionError: ``value`` is not a GUID as Graph writes them (8-4-4-4-12 hexadecimal digits).
    """
    if not _GUID.fullmatch(value):
        raise OptionError(
            f"connector_id {value!r} is not a GUID",
            advice="take the id from graphops.intune.intune_exchange_connector_info, such as"
            " e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1",
        )
    return value.lower()


def matches(properties: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> bool:
    """Tell whether a connector passes the filters; all that are given must fit, upper and lower case being the same.

    Filtered here, because nothing tells whether Graph's ``$filter`` works for this collection.

    :param wanted: ``status`` (a list of which one must fit) and the texts; empty ones count as not given.
    """
    statuses = [status.lower() for status in wanted.get("status") or ()]
    if statuses and str(properties.get("status")).lower() not in statuses:
        return False
    return all(
        str(properties.get(name) or "").lower() == wanted[name].lower() for name in _TEXT_FILTERS if wanted.get(name)
    )


def at_least(least: int, options: t.Mapping[str, t.Any], names: t.Iterable[str]) -> None:
    """Check that the numbers among ``options`` are not too small.

    :raises OptionError: one of them is set and less than ``least``; all of these options are in seconds.
    """
    for name in names:
        value = options.get(name)
        if value is not None and value < least:
            raise OptionError(f"{name} is {value}", advice=f"give a number of seconds that is at least {least}")
