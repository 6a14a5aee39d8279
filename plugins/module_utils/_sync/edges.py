# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What is new about connectors and tokens that are looked at again and again: an edge for each change, and no other."""

from __future__ import annotations

import typing as t

from .._ground import errors, secrecy, timestamps, untrusted
from .._kinds.kind import Kind, UnreadableTime
from . import overview
from .decide import age_of
from .look import Listing, Snapshot

Condition = t.Literal["stale", "failed", "obstacle", "expires_soon", "unreadable"]
EDGES = ("stale", "failed", "obstacle", "expires_soon", "unreadable", "recovered")


class Finding(t.NamedTuple):
    """How something was when it was looked at.

    :param subject: what a sentence about it begins with.
    :param conditions: what is wrong with it, each with a clause that says so.
    :param whole: whether all was seen; if not, what is not among ``conditions`` is as it was.
    """

    subject: str
    conditions: t.Mapping[Condition, str]
    name: str | None = None
    age: int | None = None
    days_left: int | None = None
    whole: bool = True


class Seen(t.NamedTuple):
    """What was seen of a tenant, of a kind in it, or of a thing.

    :param itself: how it is; of a tenant and a kind, whether it can be read.
    :param within: by name or id, what is in it; None if that could not be read, or nothing can be in it.
    """

    itself: Finding
    within: t.Mapping[str, Seen] | None = None


class About(t.NamedTuple):
    """What an edge is about: a thing; a kind of things in a tenant, without ``id``; a tenant, without ``kind``."""

    tenant: str
    kind: str | None = None
    id: str | None = None


class Edge(t.NamedTuple):
    """What changed: one of :data:`EDGES`, and how it is now."""

    edge: str
    about: About
    finding: Finding
    message: str

    def as_dict(self) -> dict[str, t.Any]:
        """What is told of it, to whoever has no other means to mask a secret."""
        about, finding = self.about, self.finding
        return {
            "edge": self.edge,
            "tenant": about.tenant,
            "kind": about.kind,
            "id": about.id and untrusted.no_template(about.id),
            "name": finding.name and untrusted.no_template(secrecy.masked(finding.name)),
            "age": finding.age,
            "days_left": finding.days_left,
            "message": untrusted.no_template(secrecy.masked(self.message)),
        }


def tenant_seen(
    tenant: str,
    found: overview.Overview | errors.IntuneError,
    max_age: t.Mapping[str, int | None],
    warn_days: int,
) -> Seen:
    """Judge what a look at a tenant gave.

    :param tenant: what it is called in sentences.
    :param found: what was read, or why nothing could be.
    :param max_age: by kind, from which age in seconds on a thing is stale; None for never.
    :param warn_days: days before its end at which a thing expires soon.
    """
    subject = f"tenant {tenant}"
    if isinstance(found, errors.IntuneError):
        return Seen(Finding(subject, {"unreadable": _clause(found)}))
    kinds = {
        kind.name: _kind_seen(kind, read_, tenant, max_age.get(kind.name), warn_days) for kind, read_ in found.found
    }
    return Seen(Finding(subject, {}), kinds)


def _clause(error: errors.IntuneError) -> str:
    return error.sentence().rstrip(".")


def _kind_seen(
    kind: Kind, found: Listing | errors.IntuneError, tenant: str, max_age: int | None, warn_days: int
) -> Seen:
    subject = f"{kind.words.many} in tenant {tenant}"
    if isinstance(found, errors.IntuneError):
        return Seen(Finding(subject, {"unreadable": _clause(found)}))
    things = {one.id: Seen(thing_seen(kind, one, tenant, max_age, warn_days)) for one in found.found}
    return Seen(Finding(subject, {}), things)


def thing_seen(kind: Kind, one: Snapshot, tenant: str, max_age: int | None, warn_days: int) -> Finding:
    """Judge a connector or token; parameters as of :func:`tenant_seen`.

    What explains why it does not synchronise is told in the place of that: an obstacle, or else a failure.
    """
    name = kind.called(one.entity)
    named = f" {name} ({one.id})" if kind.words.id_option else ""
    subject = f"{kind.words.one}{named} in tenant {tenant}"
    if isinstance(one.state, UnreadableTime):
        return Finding(subject, {"unreadable": _clause(one.state)}, name, whole=False)
    if one.now is None:
        # Without Graph's clock, nobody knows what is old, nor what has ended.
        return Finding(subject, {}, name, whole=False)
    state = one.state
    age, left = age_of(state.succeeded, one.now), overview.days_left(state.expires, one.now)
    conditions: dict[Condition, str] = {}
    soon = overview.expires_soon(kind, left, warn_days)
    if soon:
        conditions["expires_soon"] = soon
    severity, problem = overview.problem_of(kind, one, -1)
    if problem:
        conditions["failed" if severity == overview.FAILED else "obstacle"] = problem
    else:
        stale = _stale(kind, one, age, max_age)
        if stale:
            conditions["stale"] = stale
    return Finding(subject, conditions, name, age, left)


def _stale(kind: Kind, one: Snapshot, age: int | None, max_age: int | None) -> str:
    """Why a thing is stale, a clause; "" if it is not."""
    succeeded = one.known_state().succeeded
    if max_age is None:
        return ""
    if succeeded is None:
        return "it has never synchronised" if kind.action else ""
    if age is None:
        return f"its last synchronisation is said to end in the future ({timestamps.text(succeeded)})"
    if age < max_age:
        return ""
    last = "its last synchronisation ended" if kind.action else f"its {kind.clock} is"
    return f"{last} {timestamps.humanize(age)} ago, beyond max_age ({timestamps.humanize(max_age)})"


class _Known:
    """What was told of a tenant, a kind or a thing.

    ``told`` is by condition when that was last, in the caller's seconds. ``within`` is as in :class:`Seen`; None if
    what is in it was never seen.
    """

    __slots__ = ("told", "within")

    def __init__(self) -> None:
        self.told: dict[str, float] = {}
        self.within: dict[str, _Known] | None = None


class Edges:
    """Remembers what was told of each thing, for as long as the thing is there, and finds what is new.

    What :meth:`look` returns stays new until :meth:`confirm` is told of it.

    :param initial: whether what is wrong when something is seen for the first time is new.
    :param repeat_after: seconds after which what lasts is told again; 0 for never.
    """

    def __init__(self, *, initial: bool, repeat_after: float) -> None:
        self._initial = initial
        self._repeat_after = repeat_after
        self._tenants: dict[str, _Known] = {}

    def look(self, tenant: str, seen: Seen, now: float) -> list[Edge]:
        """Find what is new in a tenant.

        :param tenant: what it is called in edges.
        :param now: seconds on a clock that does not go back.
        """
        first = tenant not in self._tenants
        return list(self._look((tenant,), seen, self._tenants.setdefault(tenant, _Known()), now, first=first))

    def _look(self, path: tuple[str, ...], seen: Seen, known: _Known, now: float, *, first: bool) -> t.Iterator[Edge]:
        yield from self._compare(About(*path), seen.itself, known.told, now, first=first)
        if seen.within is None:
            return
        # Of what could not be read until now, all is seen for the first time.
        new = known.within is None
        # What is no longer there is forgotten.
        before = known.within or {}
        known.within = {name: before.get(name) or _Known() for name in seen.within}
        for name, part in seen.within.items():
            yield from self._look((*path, name), part, known.within[name], now, first=new)

    def _compare(
        self, about: About, finding: Finding, told: dict[str, float], now: float, *, first: bool
    ) -> t.Iterator[Edge]:
        """Find what is new about one of a tenant, a kind and a thing."""
        if first and not self._initial:
            told.update(dict.fromkeys(finding.conditions, now))
        bad = finding.conditions.keys() - {"stale"}
        if finding.whole:
            if "stale" not in finding.conditions:
                told.pop("stale", None)
            over = told.keys() - finding.conditions.keys()
            if over and not bad:
                words = " and ".join(name for name in EDGES if name in over)
                yield Edge("recovered", about, finding, f"{finding.subject}: it is no longer {words}.")
            elif bad & told.keys():
                # It is bad in another way, of which whoever listens knows.
                for condition in over:
                    del told[condition]
        for condition, clause in finding.conditions.items():
            again = self._repeat_after and now - told.get(condition, now) >= self._repeat_after
            if condition not in told or again:
                yield Edge(condition, about, finding, f"{finding.subject}: {clause}.")

    def confirm(self, edge: Edge, now: float) -> None:
        """Take an edge for told; ``now`` as in :meth:`look`."""
        tenant, *inner = (name for name in edge.about if name is not None)
        known: _Known | None = self._tenants.get(tenant)
        for name in inner:
            known = ((known and known.within) or {}).get(name)
        if known is None:
            return
        if edge.edge == "recovered":
            for condition in known.told.keys() - {"stale"}:
                del known.told[condition]
            return
        known.told[edge.edge] = now
        if edge.edge != "stale" and edge.finding.whole:
            # It is bad in another way than before; should it be as before again, that is new.
            for condition in known.told.keys() - edge.finding.conditions.keys():
                del known.told[condition]
