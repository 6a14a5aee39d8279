# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Which names and addresses are those of the host itself, to which nothing goes over a network."""

from __future__ import annotations

import ipaddress


def is_loopback(name: str) -> bool:
    """Whether a name or address leads back to the host itself."""
    address = _address(name)
    return name.lower() == "localhost" or (address is not None and address.is_loopback)


def is_this_host(name: str) -> bool:
    """Whether a name or address is that of the host itself, or of what Azure has on each host's own link."""
    address = _address(name)
    return is_loopback(name) or (address is not None and address.is_link_local)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
