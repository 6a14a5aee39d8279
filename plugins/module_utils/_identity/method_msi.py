# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with the managed identity that Azure gives to the host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from .._ground import errors, untrusted
from .._ground.errors import APP, OptionError
from .._ground.option_values import OptionValue
from .._http.local_hosts import is_this_host
from . import msal_app
from .method import Attempt, Given, Inspection, Method, check_one_place

# Azure's services announce a managed identity by these; a plain virtual machine does not, so there it must be chosen.
# https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
_ENDPOINT_VARIABLES = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")
# What a host proves itself by to the endpoint of its managed identity.
SECRET_VARIABLES = ("IDENTITY_HEADER", "MSI_SECRET")


def is_announced(environ: t.Mapping[str, str]) -> bool:
    """Whether Azure says that this host has one."""
    return any(environ.get(name) for name in _ENDPOINT_VARIABLES)


def _check(given: Given) -> None:
    _refuse_service_fabric(given.environ)
    for endpoint, proof in zip(_ENDPOINT_VARIABLES, SECRET_VARIABLES):
        check_one_place(given, endpoint, proof, "endpoint")


def _refuse_service_fabric(environ: t.Mapping[str, str]) -> None:
    """See that this is no Service Fabric, whose endpoint msal asks by connections of its own, without our time limits.

    https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code
    """
    if all(environ.get(name) for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT")):
        raise OptionError(
            "the managed identity of Service Fabric (IDENTITY_SERVER_THUMBPRINT) is not supported",
            advice="sign in in another way, such as with a certificate",
        )


def _sent(given: Given) -> t.Iterator[OptionValue]:
    # What the host itself holds is nobody's who writes options.
    announced = any(name in given.own for name in _ENDPOINT_VARIABLES)
    yield OptionValue("", METHOD.label.removeprefix("with "), False, announced)


def _acquire(attempt: Attempt) -> t.Mapping[str, t.Any]:
    def ask(client: t.Any) -> t.Any:
        return client.acquire_token_for_client(resource=attempt.identity.hosts.graph_url)

    return msal_app.acquire_from_host(attempt, ask)


def _inspect(inspection: Inspection) -> dict[str, t.Any]:
    """Tell whether the service answers that gives tokens to this host; it is told nothing.

    https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service
    """
    named = (inspection.environ.get(name) for name in (*_ENDPOINT_VARIABLES, "AZURE_POD_IDENTITY_AUTHORITY_HOST"))
    address = urlsplit(next(filter(None, named), "http://169.254.169.254"))
    reachable = False
    if inspection.http is not None and (address.scheme == "https" or is_this_host(address.hostname or "")):
        url = f"{address.scheme}://{address.netloc.rpartition('@')[2]}/"
        try:
            inspection.http.send("GET", url, headers={}, of_host=True)
            reachable = True
        except errors.NoResponse as error:
            # Whoever is too long-winded, or sends elsewhere, is there.
            reachable = error.may_have_run or error.permanent
    host = untrusted.one_line(address.netloc.rpartition("@")[2])
    return {"metadata_service": {"host": host, "reachable": reachable}}


METHOD = Method(
    "msi",
    "with the managed identity of this host",
    _acquire,
    asker=APP,
    host_variables=(
        *_ENDPOINT_VARIABLES,
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "MSI_SECRET",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    ),
    check=_check,
    sent=_sent,
    inspect=_inspect,
)
