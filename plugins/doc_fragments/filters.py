# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that choose among all connectors of a tenant."""

from __future__ import annotations


class ModuleDocFragment:
    """Found by Ansible under this name."""

    DOCUMENTATION = r"""
options:
  status:
    description:
      - Only connectors whose status is one of these.
    type: list
    elements: str
    choices: [none, connectionPending, connected, disconnected, unknownFutureValue]
  server_name:
    description:
      - Only connectors of this Exchange server. In this and the other texts, upper and lower case are the same.
    type: str
  connector_server_name:
    description:
      - Only connectors that this server hosts.
    type: str
  exchange_organization:
    description:
      - Only connectors of this Exchange organization.
    type: str
  primary_smtp_address:
    description:
      - Only connectors that were set up with this mail address.
    type: str
"""
