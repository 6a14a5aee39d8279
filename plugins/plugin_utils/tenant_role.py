# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""The role whose hosts are tenants, with all that Intune synchronises in them."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.graphops.intune.plugins.module_utils._ground.words import Words
from ansible_collections.graphops.intune.plugins.module_utils._kinds import registry
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_summary
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import Entry
from ansible_collections.graphops.intune.plugins.module_utils._sync import options
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import Ending, Want
from ansible_collections.graphops.intune.plugins.plugin_utils.fleet_role import TENANT, FleetRole, Result
from ansible_collections.graphops.intune.plugins.plugin_utils.members import Found, Variables

WORDS: t.Mapping[str, Words] = {fleet_summary.TENANT: TENANT, **{kind.name: kind.words for kind in registry.KINDS}}
# How many things with the same reason the sentence of a tenant names.
_MOST_NAMES = 10
# What it explains.
_WRONG = ("failed", "unreadable", "unknown", "obstacle", "skipped")


def _tenant_wants(params: Result) -> t.Sequence[Want]:
    return [Want(kind, wanted, None) for kind, wanted in options.read_tenant_options(registry.KINDS, params)]


def _tenant_told(found: Found, outcomes: t.Sequence[tuple[Entry, Ending]], failed: bool) -> dict[str, t.Any]:
    """What one host is told: each thing by name, and in one sentence what is wrong, or how all are."""
    entries = sorted((entry for entry, _ending in outcomes), key=fleet_summary.by_outcome)
    changed = [(entry, ending) for entry, ending in outcomes if entry.changed]
    told: dict[str, t.Any] = {
        "changed": bool(changed),
        # What was due and not begun is not done.
        "failed": failed or any("skipped" in ending.result for _entry, ending in outcomes),
        "msg": _sentence(found, outcomes),
        "connectors_and_tokens": [
            {
                "kind": entry.kind,
                "id": entry.connector_id,
                "name": entry.server_name,
                "outcome": entry.outcome,
                "changed": entry.changed,
                "msg": entry.reason,
                "last_sync_date_time": entry.last_sync_date_time,
                "days_left": entry.days_left,
                "request_id": entry.request_id or None,
            }
            for entry in entries
            if entry.kind != fleet_summary.TENANT
        ],
        "request_id": next((entry.request_id for entry in entries if entry.request_id), None),
    }
    diffs = [
        {**ending.result["diff"], "before_header": name, "after_header": name}
        for entry, ending in changed
        if "diff" in ending.result
        for name in [_called(entry)]
    ]
    return {**told, "diff": diffs} if diffs else told


def _called(entry: Entry) -> str:
    """What a thing is called in its tenant's sentence."""
    words = WORDS[entry.kind]
    if not entry.connector_id and entry.outcome == "unreadable":
        return words.many if words.id_option else words.one
    return words.one if entry.server_name in ("", words.one) else f"{words.one} {entry.server_name}"


def _some_of(names: t.Sequence[str]) -> str:
    """Names in a sentence that people are to read; all of them are in the result."""
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _sentence(found: Found, outcomes: t.Sequence[tuple[Entry, Ending]]) -> str:
    """Say in one sentence how a tenant is: what is wrong, with what has the same reason together; or how many are what.

    What Ansible shows of a host that failed is little more than this.
    """
    for entry, ending in outcomes:
        if entry.kind == fleet_summary.TENANT:
            return str(ending.result.get("msg") or entry.reason)
    about = f"tenant {found.tenant}" if found.tenant else "the tenant"
    reasons: dict[str, list[str]] = {}
    for entry, _ending in outcomes:
        if entry.outcome in _WRONG:
            reasons.setdefault(entry.reason, []).append(_called(entry))
    counts = Counter(entry.outcome for entry, _ending in outcomes)
    told = ", ".join(
        f"{counts[outcome]} {outcome.replace('_', ' ')}" for outcome in fleet_summary.OUTCOMES if counts[outcome]
    )
    what = "; ".join(f"{_some_of(names)}: {reason}" for reason, names in reasons.items())
    return f"{about}: {told or 'none of the chosen kinds'}{f' - {what}' if what else ''}."


ROLE = FleetRole(
    name="tenant_sync",
    kind=None,
    variables=Variables("tenant_sync", options.tenant_spec(registry.KINDS)),
    results_key="tenants",
    words=WORDS,
    wants=_tenant_wants,
    told=_tenant_told,
)
