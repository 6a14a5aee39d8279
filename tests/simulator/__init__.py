# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entra ID and Microsoft Graph (what of Intune can be synchronised) over real HTTPS on loopback.

For tests, the demo and benchmarks. Nothing here is used by the collection at run time.
"""

from __future__ import annotations

from simulator.connector import Connector
from simulator.demo import demo_world
from simulator.directory import App, Tenant, User
from simulator.entity import Entity
from simulator.faults import Fault
from simulator.records import Request
from simulator.resources import Resource
from simulator.server import Simulator
from simulator.vpp_token import VppToken
from simulator.world import World

__all__ = [
    "App",
    "Connector",
    "Entity",
    "Fault",
    "Request",
    "Resource",
    "Simulator",
    "Tenant",
    "User",
    "VppToken",
    "World",
    "demo_world",
]
