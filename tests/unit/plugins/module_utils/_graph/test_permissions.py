# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What somebody may do who was granted some permissions."""

from __future__ import annotations

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph.permissions import lacking

READ, WRITE = "DeviceManagementServiceConfig.Read.All", "DeviceManagementServiceConfig.ReadWrite.All"
DEVICES = "DeviceManagementManagedDevices."


@pytest.mark.parametrize(
    ("needed", "granted", "missing"),
    [
        ([READ], [READ], []),
        ([READ], [WRITE], []),
        ([WRITE], [READ], [WRITE]),
        ([READ, WRITE], [WRITE.upper()], []),
        ([READ], [], [READ]),
        ([], [], []),
        # Who may wipe a device may not read it, and who may write may not ask it.
        ([DEVICES + "Read.All"], [DEVICES + "PrivilegedOperations.All"], [DEVICES + "Read.All"]),
        ([DEVICES + "PrivilegedOperations.All"], [DEVICES + "ReadWrite.All"], [DEVICES + "PrivilegedOperations.All"]),
    ],
)
def test_what_is_lacking(needed: list[str], granted: list[str], missing: list[str]) -> None:
    """What writes reads the same, and nothing else."""
    assert lacking(needed, granted) == missing
