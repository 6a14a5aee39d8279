# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.


"""The report of a run as text that the textfile collector of Prometheus' node_exporter reads.

It is the text format 0.0.4, https://prometheus.io/docs/instrumenting/exposition_formats/. The collector takes no times
of samples, and one series that comes twice, even from two files, makes it refuse all that the machine tells; so does,
in old versions, a help text that differs between files. So each series has the file's name as a label, and the help
texts are the same in all files.
"""

from __future__ import annotations

import typing as t

from .._ground import timestamps
from .fleet_summary import TENANT, Entry, by_outcome, is_thing, of_tenants, outcomes_of

_PREFIX = "intune_sync"
# Newlines end a line, and nothing else in a label may be escaped.
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})
_Labels = tuple[tuple[str, str], ...]


class _Gauge(t.NamedTuple):
    """A metric: its name behind the prefix, its help text, and the value of each series."""

    name: str
    meaning: str
    values: dict[_Labels, float]


def to_prometheus(
    entries: t.Iterable[Entry],
    *,
    report: str,
    finished: str = "",
    tenants: t.Mapping[str, str] | None = None,
) -> str:
    """Write a run as gauges, each series once.

    :param report: the name of the file without its extension, which tells its series from those of another report.
    :param finished: a time as :func:`timestamps.text` writes it; without one the time of the run is left out.
    :param tenants: as for :func:`fleet_summary.summary`.
    :returns: lines that end with a newline; metrics of which there is nothing are left out.
    """
    ordered = sorted(entries, key=by_outcome)
    outcomes = outcomes_of(of_tenants(ordered, tenants))
    run: _Labels = (("report", report),)
    ages: dict[_Labels, float] = {}
    ends: dict[_Labels, float] = {}
    left: dict[_Labels, float] = {}
    fresh_for: dict[_Labels, float] = {}
    states: dict[_Labels, str] = {}
    # Where hosts are tenants, each has one name, so that it has one series.
    names = {one.host: one.tenant for one in reversed(ordered)}
    names.update({host: tenant or names.get(host, "") for host, tenant in (tenants or {}).items()})
    # A tenant that can be read is told too, so that it can be seen to have recovered.
    unreadable = dict.fromkeys((_tenant(run, host, names[host]) for host in tenants or {}), 0.0)
    for one in ordered:
        tenant = one.tenant if tenants is None else names[one.host]
        if tenants is not None or one.kind == TENANT:
            labels = _tenant(run, one.host, tenant)
            unreadable[labels] = max(unreadable.get(labels, 0.0), float(one.outcome == "unreadable"))
        if not is_thing(one):
            continue
        labels = (*_tenant(run, one.host, tenant), ("kind", one.kind), ("id", one.connector_id))
        labels += (("name", one.server_name),)
        if labels in states:
            # Two entries about the same: the worst came first.
            continue
        states[labels] = one.outcome
        days = None if one.days_left is None else one.days_left * 86400
        told = (
            (ages, one.age_after),
            (fresh_for, one.max_age),
            (ends, _seconds(one.expires_date_time)),
            (left, days),
        )
        for values, value in told:
            if value is not None:
                values[labels] = value
    ended = _seconds(finished)
    counts = {(*run, ("outcome", name)): float(sum(one.outcome == name for one in ordered)) for name in outcomes}
    gauges = [
        _Gauge("run_end_time_seconds", "When the run ended, as Unix time.", {} if ended is None else {run: ended}),
        _Gauge("results", "How many results of the run had this outcome.", counts),
        _Gauge("tenant_unreadable", "1 if the tenant, or a kind in it, could not be read.", unreadable),
        _Gauge(
            "outcome",
            "1 for what became of the connector or token in the run.",
            {(*labels, ("outcome", outcome)): 1.0 for labels, outcome in states.items()},
        ),
        _Gauge("age_seconds", "Age of the last synchronisation at the end of the run; absent for never.", ages),
        _Gauge("max_age_seconds", "Age from which a synchronisation is due.", fresh_for),
        # promtool wants seconds; the time itself stays true while the file gets older.
        _Gauge("expiry_time_seconds", "When it expires, as Unix time.", ends),
        _Gauge("until_expiry_seconds", "Whole days left at the end of the run, as seconds; negative once past.", left),
    ]
    return "".join(_lines(gauge) for gauge in gauges if gauge.values)


def _tenant(run: _Labels, host: str, tenant: str) -> _Labels:
    return (*run, ("host", host), ("tenant", tenant))


def _lines(gauge: _Gauge) -> str:
    name = f"{_PREFIX}_{gauge.name}"
    lines = [f"# HELP {name} {gauge.meaning}", f"# TYPE {name} gauge"]
    for labels, value in gauge.values.items():
        told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        lines.append(f"{name}{{{told}}} {value:.15g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    # What cannot be encoded would lose the whole file.
    return text.encode("utf-8", "replace").decode("utf-8").translate(_ESCAPES)


def _seconds(moment: str | None) -> float | None:
    try:
        parsed = timestamps.parse(moment)
    except ValueError:
        return None
    return None if parsed is None else parsed.timestamp()
