# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

# Made by "make generate".

"""Every kind of object. Only what is about all of them imports this, or each module would carry all."""

from __future__ import annotations

from . import (
    apple_push_certificate,
    autopilot,
    certificate_connector,
    enrollment_program_token,
    exchange_connector,
    managed_device,
    managed_google_play,
    mobile_threat_defense_connector,
    vpp_token,
)

KINDS = (
    apple_push_certificate.KIND,
    autopilot.KIND,
    certificate_connector.KIND,
    enrollment_program_token.KIND,
    exchange_connector.KIND,
    managed_device.KIND,
    managed_google_play.KIND,
    mobile_threat_defense_connector.KIND,
    vpp_token.KIND,
)
