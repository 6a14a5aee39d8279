# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Entra ID and Microsoft Graph (what of Intune ages or can be synchronised) over real HTTPS on loopback.

For tests, the demo and benchmarks. Nothing here is used by the collection at run time.
"""

from __future__ import annotations

from simulator.apple_push_certificate import ApplePushCertificate
from simulator.autopilot import Autopilot
from simulator.certificate_connector import CertificateConnector
from simulator.connector import Connector
from simulator.demo import demo_world
from simulator.directory import App, FederatedCredential, Tenant, User
from simulator.enrollment_program_token import EnrollmentProgramToken
from simulator.entity import Entity
from simulator.faults import Fault, Hold
from simulator.managed_device import ManagedDevice
from simulator.managed_google_play import ManagedGooglePlay
from simulator.mobile_threat_defense_connector import MobileThreatDefenseConnector
from simulator.records import Request
from simulator.resources import Resource
from simulator.runner import Job, azure_devops_job, github_job
from simulator.server import Simulator
from simulator.throttle import Throttle
from simulator.vpp_token import VppToken
from simulator.world import World

__all__ = [
    "App",
    "ApplePushCertificate",
    "Autopilot",
    "CertificateConnector",
    "Connector",
    "EnrollmentProgramToken",
    "Entity",
    "Fault",
    "FederatedCredential",
    "Hold",
    "Job",
    "ManagedDevice",
    "ManagedGooglePlay",
    "MobileThreatDefenseConnector",
    "Request",
    "Resource",
    "Simulator",
    "Tenant",
    "Throttle",
    "User",
    "VppToken",
    "World",
    "azure_devops_job",
    "demo_world",
    "github_job",
]
