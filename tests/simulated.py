# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the simulator holds each kind that can be synchronised: a line for each, for the tests that try all of them."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind, snake_case
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from simulator import Entity, Tenant, World
from simulator.resources import RESOURCES

# In every text of the simulated world that nobody may show.
SENTINEL = "secret-of-"
# What an object may tell of itself: one is running; the last one failed; the same by a code, which does not tell one
# failure from the next; of one that failed long ago; what is not known here; or what makes a synchronisation pointless.
Telling = t.Literal["running", "failed", "code", "old", "unknown", "obstacle"]
# What a property is, as JSON has it; or for a time, how long ago that is.
Told = t.Union[str, int, bool, timedelta]


class Simulated(t.NamedTuple):
    """A kind in the simulated world.

    :param add: adds an object to a tenant, with the keywords ``last_sync``, ``sync_delay`` and ``outcome``.
    :param tells: what an object may tell, as values of its properties.
    :param with_: properties that go with those, by the property and the telling.
    """

    add: t.Callable[..., Entity]
    tells: tuple[tuple[Telling, str, Told], ...]
    with_: t.Mapping[tuple[str, str], t.Mapping[str, Told]] = {}

    def add_due(self, tenant: Tenant, *, sync_delay: float = 0.0) -> t.Any:
        """Add an object that is due: nothing is wrong with it, and it last synchronised three days ago."""
        return self.add(tenant, last_sync=timedelta(days=3), sync_delay=sync_delay)


SIMULATED: dict[str, Simulated] = {
    "exchange_connector": Simulated(
        Tenant.add_connector,
        (("obstacle", "status", "disconnected"), ("obstacle", "status", "unknownFutureValue")),
    ),
    "vpp_token": Simulated(
        Tenant.add_vpp_token,
        (
            ("running", "lastSyncStatus", "inProgress"),
            ("failed", "lastSyncStatus", "failed"),
            ("unknown", "lastSyncStatus", "unknownFutureValue"),
            ("obstacle", "state", "expired"),
            ("obstacle", "state", "unknownFutureValue"),
        ),
    ),
    "enrollment_program_token": Simulated(
        Tenant.add_enrollment_program_token,
        (
            ("running", "lastSyncTriggeredDateTime", timedelta(seconds=90)),
            ("code", "lastSyncErrorCode", 7),
            # Of the last but one; and one of which nothing came within a quarter of an hour.
            ("old", "lastSyncErrorCode", 8),
            ("old", "lastSyncTriggeredDateTime", timedelta(days=1)),
            ("obstacle", "tokenExpirationDateTime", "2026-01-31T00:00:00Z"),
        ),
        {("lastSyncErrorCode", "code"): {"lastSuccessfulSyncDateTime": "2026-02-01T00:00:00Z"}},
    ),
    "autopilot": Simulated(
        Tenant.add_autopilot,
        (
            ("running", "syncStatus", "inProgress"),
            ("failed", "syncStatus", "failed"),
            ("unknown", "syncStatus", "unknownFutureValue"),
        ),
    ),
    "managed_google_play": Simulated(
        Tenant.add_managed_google_play,
        (
            ("failed", "lastAppSyncStatus", "credentialsNotValid"),
            ("unknown", "lastAppSyncStatus", "unknownFutureValue"),
            ("obstacle", "bindStatus", "notBound"),
        ),
    ),
    "managed_device": Simulated(
        Tenant.add_managed_device,
        (("obstacle", "managementAgent", "jamf"), ("obstacle", "operatingSystem", "Linux")),
    ),
}

# Those that can be synchronised, by their names.
SYNCABLE = {kind.name: kind for kind in KINDS if kind.action is not None}


def module_of(kind: Kind) -> str:
    """The module that synchronises a kind."""
    return f"graphops.intune.intune_{kind.name}_sync"


def choice(kind: Kind, entity: Entity) -> dict[str, t.Any]:
    """The option that has only this one of the simulated objects chosen among all; none if the kind has none such.

    If Graph may filter by it, it is given in a way in which Graph does not: the list is to have all objects.
    """
    shown = entity.as_json()
    for one in kind.filters:
        if not one.choices and one.odata != "or":
            value = shown[one.property_]
            return {one.option: [value, "of nobody"] if one.takes_list else value}
    return {}


def answers_with_object(kind: Kind) -> bool:
    """Whether Graph answers a request to synchronise with the object."""
    return next(resource for resource in RESOURCES if resource.name == kind.name).returns is not None


def tell(kind: Kind, entity: Entity, telling: str, property_: str, value: Told) -> None:
    """Let an object tell something, until the simulator moves it on."""
    for name, what in told(kind, telling, property_, value).items():
        setattr(entity, snake_case(name), what)


def told(kind: Kind, telling: str, property_: str, value: Told) -> dict[str, Told]:
    """The properties of an object that tells something, of which one is ``property_``."""
    return {property_: value, **SIMULATED[kind.name].with_.get((property_, telling), {})}


class _Noting(dict[str, t.Any]):
    """Notes what is read of it."""

    def __init__(self, *args: t.Any) -> None:
        super().__init__(*args)
        self.read: dict[str, None] = {}

    def get(self, key: str, default: t.Any = None) -> t.Any:
        self.read[key] = None
        return super().get(key, default)

    def __getitem__(self, key: str) -> t.Any:
        return self.get(key)


def decisive(kind: Kind) -> tuple[str, ...]:
    """The properties that decide what is done about an object: its id, and all that its state is read from."""
    noting = _Noting(SIMULATED[kind.name].add_due(World().add_tenant("contoso.example")).as_json())
    kind.state(noting, None)
    return tuple(dict.fromkeys(("id", kind.clock, kind.status, *noting.read)))


def unshown(kind: Kind) -> tuple[str, ...]:
    """The properties of a simulated object that are not shown."""
    if kind.fields == ("*",):
        return ()
    entity = SIMULATED[kind.name].add_due(World().add_tenant("contoso.example")).as_json()
    return tuple(name for name in entity if name not in kind.fields)
