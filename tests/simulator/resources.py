# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of objects that Graph is asked to synchronise: where each is found, and who may read and synchronise it."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

VERSIONS = ("v1.0", "beta")

_SYNC_ROLES = ("DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementConfiguration.ReadWrite.All")
_READ_ROLES = (
    "DeviceManagementServiceConfig.Read.All",
    "DeviceManagementConfiguration.Read.All",
    *_SYNC_ROLES,
)


@dataclass(frozen=True)
class Resource:
    """One kind of objects. :meth:`simulator.world.World.add_resource` makes another known while a world is served.

    Parameters:
        name: what tests call it.
        version: version of Graph that has it, one of ``VERSIONS``.
        path: of the collection, or of the object itself if there is one only; without version and slashes around it.
        action: last segment of the address that synchronises an object.
        read_roles, sync_roles: permissions of which one is enough.
        singleton: whether a tenant has one object at most, which needs no id.
        parameter, choices: name of the only parameter of the action and what it may be; without it the action has no
            body.
        returns: type of the object that the action is answered with; without it the answer is an empty 204.
    """

    name: str
    version: str
    path: str
    action: str
    read_roles: tuple[str, ...] = _READ_ROLES
    sync_roles: tuple[str, ...] = _SYNC_ROLES
    singleton: bool = False
    parameter: str | None = None
    choices: tuple[str, ...] = ()
    returns: str | None = None

    @property
    def folder(self) -> tuple[str, ...]:
        """The segments of its path but the last, in lower case."""
        return self._segments[:-1]

    @property
    def pattern(self) -> tuple[str, ...]:
        """The segments of the address of its action, in lower case, with ``*`` for an id."""
        return (*self._segments, *(() if self.singleton else ("*",)), self.action.lower())

    @property
    def _segments(self) -> tuple[str, ...]:
        return tuple(self.path.lower().split("/"))

    def asked(self, method: str, segments: t.Sequence[str]) -> tuple[str, str | None] | None:
        """What a request asks for (``list``, ``get`` or ``sync``) and the id it names; ``None`` if not for this kind.

        ``segments`` are those after the version.
        """
        names = [segment.lower() for segment in segments]
        own = len(self._segments)
        if tuple(names[:own]) != self._segments:
            return None
        rest = names[own:]
        object_id = rest.pop(0) if rest and not self.singleton else None
        if method == "GET" and not rest:
            return ("get" if self.singleton or object_id else "list"), object_id
        if method == "POST" and rest == [self.action.lower()]:
            return "sync", object_id
        return None


EXCHANGE_CONNECTOR = Resource(
    "exchange_connector",
    "v1.0",
    "deviceManagement/exchangeConnectors",
    "sync",
    parameter="syncType",
    choices=("fullSync", "deltaSync"),
)
VPP_TOKEN = Resource(
    "vpp_token",
    "v1.0",
    "deviceAppManagement/vppTokens",
    "syncLicenses",
    # Microsoft's reference names the first four; the last two are seen to be enough as well.
    read_roles=(*_READ_ROLES, "DeviceManagementApps.Read.All", "DeviceManagementApps.ReadWrite.All"),
    returns="microsoft.graph.vppToken",
)
RESOURCES = (EXCHANGE_CONNECTOR, VPP_TOKEN)
