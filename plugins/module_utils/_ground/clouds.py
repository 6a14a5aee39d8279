# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Where Graph and Entra ID live, in each of Microsoft's national clouds."""

from __future__ import annotations

import re
import types
import typing as t
from urllib.parse import urlsplit

from .errors import OptionError
from .option_values import OptionValue, lookup

CLOUDS = ("AzureCloud", "AzureUSGovernment", "AzureUSGovernmentDoD", "AzureChinaCloud")


CLOUD_VARIABLES: t.Mapping[str, tuple[str, ...]] = {
    "cloud_environment": ("AZURE_CLOUD_ENVIRONMENT",),
    "graph_url": ("MSGRAPH_URL",),
    "authority_url": ("AZURE_AUTHORITY_HOST",),
}


class Endpoints(t.NamedTuple):
    """The hosts that one task talks to; both URLs are origins: ``https://host[:port]``, no path."""

    graph_url: str
    authority_url: str

    @property
    def scope(self) -> str:
        """The scope to ask a token for: all that an administrator has granted at this Graph host.

        It follows ``graph_url``, so Entra ID itself refuses a token for a host that is not a Graph.
        """
        return self.graph_url + "/.default"

    @property
    def federation_audience(self) -> str:
        """The audience that this Entra ID wants in a token of another issuer.

        https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
        """
        clouds = _clouds_of(self.authority_url)
        return _AUDIENCE + next((end for cloud, end in _AUDIENCE_ENDS.items() if cloud in clouds), "")


# https://learn.microsoft.com/graph/deployments (hosts of Graph and of Entra ID per cloud)
_HOSTS = {
    "AzureCloud": Endpoints("https://graph.microsoft.com", "https://login.microsoftonline.com"),
    "AzureUSGovernment": Endpoints("https://graph.microsoft.us", "https://login.microsoftonline.us"),
    "AzureUSGovernmentDoD": Endpoints("https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    "AzureChinaCloud": Endpoints("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
}


# Other names of Entra ID, in which cloud each is: msal's authority.py, WELL_KNOWN_AUTHORITY_HOSTS.
_OTHER_LOGINS = {
    "https://login.microsoft.com": "AzureCloud",
    "https://login.windows.net": "AzureCloud",
    "https://sts.windows.net": "AzureCloud",
    "https://login.partner.microsoftonline.cn": "AzureChinaCloud",
}
_AUDIENCE = "api://AzureADTokenExchange"
_AUDIENCE_ENDS = {"AzureUSGovernment": "USGov", "AzureChinaCloud": "China"}
# All but this one are Microsoft's own; https://learn.microsoft.com/azure/china/overview-operations
_OF_21VIANET = "AzureChinaCloud"


def endpoints(named: t.Mapping[str, OptionValue]) -> Endpoints:
    """Find the hosts to talk to: options before environment, explicit URLs before the cloud's table.

    A cloud that is an option comes before hosts of another cloud in the environment, as where AKS sets
    AZURE_AUTHORITY_HOST; a host of that cloud under another name stands beside it.

    :param named: what options and environment give of :data:`CLOUD_VARIABLES`.
    :raises OptionError: a cloud that is not in the table, or a URL that is not an https origin.
    """
    chosen = named["cloud_environment"]
    cloud = chosen.value or "AzureCloud"
    if cloud not in _HOSTS:
        raise OptionError(
            f"{chosen.source} is {cloud!r}, which is no cloud known here",
            advice="use one of " + ", ".join(CLOUDS),
        )
    urls = {}
    for name in ("graph_url", "authority_url"):
        url = _origin(named[name].source, named[name].value) if named[name].value else ""
        of_another = chosen.from_options and _is_microsofts(url) and cloud not in _clouds_of(url)
        if url and (named[name].from_options or not of_another):
            urls[name] = url
    return _HOSTS[cloud]._replace(**urls)


def same_entra(authority_url: str, url: str) -> bool:
    """Whether a token endpoint may have the credential that is meant for ``authority_url``.

    It is at the same host, or both are Entra ID under Microsoft's own names, as one of them sends to another.
    """
    try:
        own, other = (
            _origin("", f"{urlsplit(address).scheme}://{urlsplit(address).netloc}") for address in (authority_url, url)
        )
    except (ValueError, OptionError):
        return False
    if own.removesuffix(":443") == other.removesuffix(":443"):
        return True
    return {_company(own), _company(other)} in ({"Microsoft"}, {"21Vianet"})


def _company(url: str) -> str:
    """Who runs a host of Microsoft's clouds; "" for another."""
    found = _clouds_of(url)
    return "" if not found else "21Vianet" if _OF_21VIANET in found else "Microsoft"


def _clouds_of(url: str) -> set[str]:
    """The clouds in which a host is."""
    return {cloud for cloud, hosts in _HOSTS.items() if url in hosts} | {_OTHER_LOGINS.get(url, "")} - {""}


def _is_microsofts(url: str) -> bool:
    return bool(_clouds_of(url))


def untrusted_hosts(
    named: t.Mapping[str, OptionValue],
    environ: t.Mapping[str, str],
    own: t.Mapping[str, str] = types.MappingProxyType({}),
) -> list[OptionValue]:
    """The hosts that are none of Microsoft's, as origins, with the option or variable that names each.

    Hosts that the run's environment names are not meant, an option may repeat them: whoever can set that can read the
    credential in it as well. Nor does what an option names count twice, if the task's ``environment`` names it, too.

    :param named: what options and environment give of :data:`CLOUD_VARIABLES`.
    :param environ: the environment of the run.
    :param own: what the task's own ``environment`` lays over it.
    :raises OptionError: a URL that is not an https origin.
    """
    found = []
    for name in ("authority_url", "graph_url"):
        variable, url = CLOUD_VARIABLES[name][0], named[name]
        if not url.value:
            continue
        origin = _origin(url.source, url.value)
        if _is_microsofts(origin) or origin == _origin_in(environ, variable):
            continue
        of_task = url.own or origin == _origin_in(own, variable)
        found.append(OptionValue(origin, variable, False, True) if of_task else OptionValue(origin, name, True))
    return found


def _origin_in(environ: t.Mapping[str, str], variable: str) -> str:
    """The origin that a variable names; "" if it names none."""
    url = lookup(variable, (variable,), {}, environ).value
    try:
        return _origin(variable, url) if url else ""
    except OptionError:
        return ""


# A name or an IPv6 address; what urllib leaves out or requests reads differently is not accepted.
_HOST = re.compile(r"[0-9a-z_]([0-9a-z_.-]*[0-9a-z_])?|[0-9a-f:.]*:[0-9a-f:.]*")


def _origin(name: str, url: str) -> str:
    try:
        parts = urlsplit(url if "://" in url else "https://" + url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if (
        parts.scheme.lower() != "https"
        or not (url.isascii() and url.isprintable())
        or not _HOST.fullmatch(parts.hostname or "")
        or port == 0
        or parts.username is not None
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    ):
        raise OptionError(
            f"{name} is not the https address of a host", advice="write it as https://host or https://host:port"
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"https://{host}" + (f":{port}" if port else "")
