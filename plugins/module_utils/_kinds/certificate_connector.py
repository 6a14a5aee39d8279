# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Connectors to certificate authorities on premises (NDES).

https://learn.microsoft.com/graph/api/resources/intune-deviceconfig-ndesconnector
"""

from __future__ import annotations

from datetime import datetime

from .._ground.words import Words
from .kind import Entity, Kind, State, time_of, word_of

_SHORT = "connector"


def state(entity: Entity, _now: datetime | None) -> State:
    """Read a connector. What it tells is when it last spoke to Intune."""
    word = word_of(entity, "state")
    return State(
        succeeded=time_of(entity, "lastConnectionDateTime", _SHORT),
        word=word,
        obstacle=f"its state is {word}" if word == "inactive" else "",
    )


KIND = Kind(
    name="certificate_connector",
    words=Words(
        "certificate connector",
        "certificate connectors",
        _SHORT,
        id_option="connector_id",
        find_id="graphops.intune.intune_connectors_and_tokens_info",
    ),
    path="/deviceManagement/ndesConnectors",
    api="beta",
    permission="DeviceManagementConfiguration.Read.All",
    state=state,
    clock="lastConnectionDateTime",
    status="state",
    status_words="state",
    fields=(
        "id",
        "displayName",
        "machineName",
        "connectorVersion",
        "state",
        "enrolledDateTime",
        "lastConnectionDateTime",
    ),
    remedy="check its service, and the server that it runs on",
    sorted_by="displayName",
    action=None,
)
