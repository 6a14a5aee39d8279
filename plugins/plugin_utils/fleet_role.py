# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""A role over a fleet: what its hosts are, what they want, and what is told of them."""

from __future__ import annotations

import typing as t

from ansible_collections.graphops.intune.plugins.module_utils._ground import timestamps
from ansible_collections.graphops.intune.plugins.module_utils._ground.words import Words
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind, shown, snake_case
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_summary
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import About, Entry
from ansible_collections.graphops.intune.plugins.module_utils._sync import overview
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import Ending, Want
from ansible_collections.graphops.intune.plugins.module_utils._sync.options import TROUBLES
from ansible_collections.graphops.intune.plugins.plugin_utils.members import Found, Variables

TENANT = Words("tenant", "tenants", "tenant")

Result = t.Mapping[str, t.Any]


class FleetRole(t.NamedTuple):
    """A role whose hosts are objects of Intune, or tenants with all of theirs.

    :param name: its name.
    :param kind: what a host is; None for a tenant.
    :param variables: those that begin with its name.
    :param results_key: what is returned of all hosts.
    :param words: what each kind is called, by its name.
    :param wants: what a host wants, by its options. Raises OptionError if they cannot be right.
    :param told: what a host is told of what came of all its objects; the last argument is whether it failed.
    """

    name: str
    kind: Kind | None
    variables: Variables
    results_key: str
    words: t.Mapping[str, Words]
    wants: t.Callable[[Result], t.Sequence[Want]]
    told: t.Callable[[Found, t.Sequence[tuple[Entry, Ending]], bool], dict[str, t.Any]]

    @property
    def noun(self) -> str:
        """What the hosts are called together."""
        return (self.kind.words if self.kind else TENANT).short_many

    def fail_on(self, params: Result) -> t.AbstractSet[str]:
        """What makes a host fail: all of it, unless it says so itself."""
        return frozenset(params.get("fail_on", TROUBLES))

    def ending(self, found: Found, result: Result) -> Ending:
        """What came of a host as a whole, of which nothing was asked.

        :param result: with ``msg``, and with ``skipped`` unless something is wrong with the host.
        """
        name = str(found.params.get(self.kind.words.id_option) or "") if self.kind else ""
        return Ending(self.kind, name, None, result, "" if "skipped" in result else "failed", "")

    def entry(self, found: Found, ending: Ending) -> Entry:
        """What a report says of something of a host."""
        result = dict(ending.result)
        if "msg" in result:
            result["msg"] = str(result["msg"]).removeprefix(f"{ending.about}: " if ending.about else "")
            result["failed"] = "skipped" not in result
        return fleet_summary.entry(
            found.host,
            result,
            tenant=found.tenant,
            connector_id=ending.name,
            about=_about(ending, found.params.get("warn_days"), told_of_all=self.kind is None),
        )


def _about(ending: Ending, warn_days: int | None, *, told_of_all: bool) -> About:
    """What is known of what came of one object, beside the result.

    :param warn_days: of what ends within so many days, the user wants to hear; None for of nothing.
    :param told_of_all: whether an obstacle and what cannot be read are told apart from what failed.
    """
    kind, first = ending.kind, ending.first
    if kind is None:
        # Before anything was asked of it, or with nothing read.
        return About(fleet_summary.TENANT, {}, "", "", "", ending.trouble if ending.trouble == "unreadable" else "")
    known = ending.result.get(kind.result_key) or (shown(kind, first.entity) if first else {})
    about = About(
        kind=kind.name,
        shown=known,
        name=str(known.get(snake_case(kind.sorted_by)) or ""),
        clock=snake_case(kind.clock),
        status=str(known.get(snake_case(kind.health or kind.status)) or ""),
        trouble=ending.trouble if told_of_all else "",
    )
    if first is None or not told_of_all:
        return about
    # Safe to print: it stands in sentences, and administrators of the tenant have chosen it.
    about = about._replace(name=kind.called(first.entity))
    state = first.state
    if isinstance(state, Exception):
        return about
    left = overview.days_left(state.expires, first.now)
    why = overview.problem_of(kind, first, warn_days or 0)[1] if ending.trouble == "obstacle" else ""
    return about._replace(
        why=why or "",
        expires_date_time=timestamps.text(state.expires),
        days_left=left,
        expires_soon=warn_days is not None and bool(overview.expires_soon(kind, left, warn_days)),
    )
