# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A throw-away certificate authority; its private key never touches the disk."""

from __future__ import annotations

import ssl

import trustme


def server_context(host: str) -> tuple[ssl.SSLContext, bytes]:
    """Make a TLS context for servers on loopback (and ``host``), and the PEM of the CA that clients must trust."""
    authority = trustme.CA(organization_name="graphops.intune simulator")
    names = dict.fromkeys(("127.0.0.1", "::1", "localhost", host))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context, authority.cert_pem.bytes()
