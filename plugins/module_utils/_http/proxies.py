# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Which proxy a request goes through, by the environment of its task."""

from __future__ import annotations

import contextlib
import ipaddress
import typing as t
from urllib.parse import urlsplit

from .._ground import errors
from .connections import requests


def proxies_for(url: str, environ: t.Mapping[str, str]) -> dict[str, str]:
    """The proxies by which ``environ`` has a URL asked for, as requests takes them; none for a host of NO_PROXY.

    Not found out by requests: it reads the environment of the process, which is not that of each host of a fleet, and
    on macOS asks the system, which kills a worker that was forked.

    :raises NoResponse: the address of the proxy cannot be used.
    """
    named: dict[str, str] = {}
    # Small letters come before capitals, and being empty take a proxy back, as for everyone else.
    for name in sorted(environ, key=str.islower):
        if name.lower().endswith("_proxy"):
            named[name.lower()[: -len("_proxy")]] = environ[name].strip()
    found = {scheme: address for scheme, address in named.items() if address and scheme != "no"}
    if _is_of_no_proxy(urlsplit(url), named.get("no", "")):
        return {}
    proxy = requests.utils.select_proxy(url, found)
    if proxy and not _is_http_proxy(proxy):
        raise errors.NoResponse(
            f"the address of the proxy to {urlsplit(url).netloc} cannot be used",
            advice="check that HTTPS_PROXY names an HTTP proxy, with what is neither letter nor digit in its user and"
            " password percent-encoded, and NO_PROXY",
            may_have_run=False,
            permanent=True,
        )
    return found


def proxy_host(url: str, environ: t.Mapping[str, str]) -> str:
    """The host and port of the proxy that a URL is asked for through, without its user and password; "" for none.

    :raises NoResponse: as :func:`proxies_for`.
    """
    address = requests.utils.select_proxy(url, proxies_for(url, environ)) or ""
    return str(urlsplit(address if "://" in address else f"http://{address}").netloc.rpartition("@")[2])


def _is_http_proxy(address: str) -> bool:
    """Whether an address is that of an HTTP proxy; whoever speaks SOCKS has other connections, without deadline."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        # A slash, \\, ? or # in a user or password ends the host too early, which then is the user.
        cut = "\\" in parts.netloc or "@" in parts.path + parts.query + parts.fragment
        return bool(parts.hostname) and parts.port != 0 and not cut and parts.scheme.lower() in ("http", "https")
    except ValueError:
        return False


def _is_of_no_proxy(url: t.Any, no_proxy: str) -> bool:
    """Whether NO_PROXY names a host: a name, the end of one, an address, a network, each with or without a port."""
    host = url.hostname or ""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    names = (host, f"{host}:{port}", f"[{host}]", f"[{host}]:{port}")
    for entry in no_proxy.lower().replace(",", " ").split():
        end = entry.lstrip("*.")
        if entry == "*" or any(name == end or name.endswith(f".{end}") for name in names):
            return True
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
    return False
