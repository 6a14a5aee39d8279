# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmarks tell: a table, the targets, a document and a plot."""

from __future__ import annotations

import math
import os
import platform
import statistics
import typing as t
from importlib.metadata import version


class Setting(t.NamedTuple):
    """How much is asked for; the latency in seconds."""

    connectors: int
    forks: int
    latency: float

    def __str__(self) -> str:
        return f"{self.connectors} connectors, {self.forks} forks, {self.latency * 1000:.0f} ms"


class Sample(t.NamedTuple):
    """What one run took: seconds, counts, and the MiB of its largest process."""

    wall: float
    cpu: float
    requests: int
    handshakes: int
    processes: int
    memory: float


Results = t.Dict[Setting, t.Dict[str, t.List[Sample]]]  # noqa: UP006

# What the targets are about.
TARGET = Setting(connectors=200, forks=20, latency=0.05)
_FLATTEST, _STRAIGHTEST = 1.25, 11.5

LABELS = {
    "uri": "three `ansible.builtin.uri` tasks",
    "module": "the module, sent",
    "action": "the module, in process",
    "role": "the role, by the shipped playbook",
    "nothing": "an action that does nothing",
    "requests": "an action of two bare requests",
    "list": "one task with `connector_ids`",
    "bare": "a script, in threads",
    "batch": "a script, by `$batch`",
    "start": "an empty play",
}


def _median(figures: t.Sequence[float]) -> float:
    return statistics.median(figures)


def median(samples: t.Sequence[Sample], what: str) -> float:
    """The median of one figure."""
    return _median([getattr(sample, what) for sample in samples])


def ratio(above: t.Sequence[Sample], below: t.Sequence[Sample], what: str) -> float:
    """How many times more ``above`` took: the median over the turns, or, if one was run once, of the medians."""
    if len(above) == len(below):
        return _median([getattr(a, what) / getattr(b, what) for a, b in zip(above, below)])
    return median(above, what) / median(below, what)


def started(samples: t.Sequence[Sample], start: t.Sequence[Sample]) -> list[Sample]:
    """The samples without what it takes to start Ansible."""
    wall, cpu = median(start, "wall"), median(start, "cpu")
    return [one._replace(wall=max(0.0, one.wall - wall), cpu=max(0.0, one.cpu - cpu)) for one in samples]


def table(results: Results) -> str:
    """All results as tables in Markdown, which can be read as they are."""
    return "\n\n".join(f"### {setting}\n\n{_table(found)}" for setting, found in results.items())


def _table(found: t.Mapping[str, t.Sequence[Sample]]) -> str:
    head = ["", "wall s", "CPU s", "requests", "TLS", "processes", "MiB", "less than `uri`", "of no-op", "of script"]
    rows = [head]
    for name, label in LABELS.items():
        samples = found.get(name)
        if not samples:
            continue
        row = [label, *(f"{median(samples, what):.2f}" for what in ("wall", "cpu"))]
        row += [f"{median(samples, what):.0f}" for what in ("requests", "handshakes", "processes", "memory")]
        row.append(_pair(found.get("uri"), samples))
        row.append(_pair(samples, found.get("nothing")))
        if name in ("bare", "batch"):
            row.append(_pair(samples, found.get("bare")))
        else:
            row.append(
                "" if name in ("start", "nothing") else _pair(started(samples, found["start"]), found.get("bare"))
            )
        rows.append(row)
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) if not n else cell.rjust(width) for n, (cell, width) in enumerate(cells))
        + " |"
        for cells in ([*zip(row, widths)] for row in rows)
    ]
    rule = "| " + " | ".join("-" * width if not n else "-" * (width - 1) + ":" for n, width in enumerate(widths)) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def _pair(above: t.Sequence[Sample] | None, below: t.Sequence[Sample] | None) -> str:
    if not above or not below:
        return ""
    return " / ".join(_times(ratio(above, below, what)) for what in ("wall", "cpu"))


def _times(number: float) -> str:
    return f"{number:.0f}" if number >= 20 else f"{number:.1f}" if number >= 5 else f"{number:.2f}"


def targets(results: Results) -> str:
    """Each target with what was measured, and whether it is met."""
    lines = []
    found, scaled = results.get(TARGET), results.get(TARGET._replace(connectors=10 * TARGET.connectors))
    if not found:
        return f"The targets are about {TARGET}, which was not measured."

    def at_most(what: str, limit: float, measured: float) -> None:
        lines.append(
            f"- {what}: at most {limit:g} x; {_times(measured)} x: {'met' if measured <= limit else 'NOT MET'}"
        )

    def less(what: str, limit: float, measured: float) -> None:
        lines.append(f"- {what}: {limit:g} x; {_times(measured)} x: {'met' if measured >= limit else 'NOT MET'}")

    nothing, uri = found["nothing"], found["uri"]
    at_most("in process, CPU of an action that does nothing", 1.25, ratio(found["action"], nothing, "cpu"))
    at_most("in process, wall of an action that does nothing", 1.15, ratio(found["action"], nothing, "wall"))
    for what in ("CPU", "wall"):
        measured = _times(ratio(found["requests"], nothing, what.lower()))
        lines.append(f"- the two requests alone, for comparison: {what} of an action that does nothing: {measured} x")
    less("in process, less wall than three uri tasks", 30, ratio(uri, found["action"], "wall"))
    less("in process, less CPU than three uri tasks", 40, ratio(uri, found["action"], "cpu"))
    less("one task with the list, less wall than three uri tasks", 120, ratio(uri, found["list"], "wall"))
    rest = started(found["list"], found["start"])
    at_most(
        "one task with the list, start-up off, wall of the script in threads", 1.3, ratio(rest, found["bare"], "wall")
    )
    at_most("the role, wall of an action that does nothing", 3, ratio(found["role"], nothing, "wall"))
    at_most("the role, CPU of an action that does nothing", 3, ratio(found["role"], nothing, "cpu"))
    if scaled:
        for name in ("action", "role", "list", "nothing"):
            label = LABELS[name].replace("`", "")
            growth = median(started(scaled[name], scaled["start"]), "cpu") / median(
                started(found[name], found["start"]), "cpu"
            )
            memory = ratio(scaled[name], found[name], "memory")
            if name == "nothing":
                lines.append(
                    f"- {label}, for comparison: ten times the hosts, {growth:.1f} x CPU, {memory:.2f} x memory"
                )
                continue
            at_most(f"{label}, ten times the hosts, CPU without start-up", _STRAIGHTEST, growth)
            at_most(f"{label}, ten times the hosts, memory of the largest process", _FLATTEST, memory)
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """The document."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    system = f"{cores} cores ({platform.system()}, {platform.machine()}), Python {platform.python_version()}"
    libraries = ", ".join(f"{name} {version(name)}" for name in ("ansible-core", "msal", "requests", "urllib3"))
    turns = max(len(samples) for found in results.values() for samples in found.values())
    return f"""# Benchmarks

Written by `make bench`. Each variant makes Graph accept a synchronisation of every connector, without waiting for its
end, against the simulator: Entra ID and Graph over TLS on loopback, with the latency added to each request, and with
as many certificate authorities to read as a real bundle has.

![Wall and CPU seconds by variant, on a logarithmic scale](benchmarks.svg)

Measured on {system}, {libraries}.
The machine is shared and noisy, and the simulator runs on the same cores: read ratios, not seconds. Variants were run
in turns; figures are medians of up to {turns} turns. What takes minutes (`uri` and the sent module, from 200 connectors
on) was run once, and so was everything with 2000.

- *wall*, *CPU*: seconds until the end, and of the whole process tree; the simulator is not counted.
- *requests*, *TLS*: HTTP requests and TLS handshakes. *processes*: Python processes started or forked. *MiB*: the
  memory of the largest process.
- *less than `uri`*: how many times less wall / CPU than three `ansible.builtin.uri` tasks (token, read, request).
- *of no-op*: wall / CPU in multiples of a task of the same options whose action does nothing: the least that Ansible
  takes for a task on each host.
- *two bare requests*: an action that has a token and sends the two requests by the library requests, with TLS set up
  once for all workers: the least that a task on each host takes with that library.
- *of script*: wall / CPU without the start-up of Ansible (an empty play), in multiples of a plain script with requests
  and MSAL, in as many threads as there are forks: the least that the job takes, request by request. The script by
  `$batch` is that for one task with the list. A script's own start-up is counted.

{table(results)}

## Targets

For {TARGET}.

{targets(results)}

## What stands in the way

Per host, a task takes what Ansible takes to fork a worker for it and to gather its result (the action that does
nothing), what the library requests takes in a fresh worker for a handshake and two requests (the action of two bare
requests), and what is ours. The first two together are already above the targets for the module in process, which were
set for a library that costs less there. Most of that cost is not computing: in one process, without forks, the same two
requests take less than a third. A worker that was just forked has to copy each page of memory that it touches. Hence
the role and the list, which ask for many connectors in one process, are what a fleet should use.

The memory of the largest process, and the CPU per host, grow with the number of hosts even if the action does nothing:
Ansible keeps hosts, variables and results. Growth has to be read against that line.
"""


# The plot
_LEFT, _WIDTH, _BAR, _GAP, _TOP = 250, 520, 13, 16, 64
_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .small { font-size: 11px; fill: #57606a }
  .grid { stroke: #d0d7de }
  .wall { fill: #1f77b4 }
  .cpu { fill: #e1812c }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .small { fill: #9198a1 }
    .grid { stroke: #3d444d }
    .wall { fill: #58a6ff }
    .cpu { fill: #f0a45d }
  }
"""


def plot(found: t.Mapping[str, t.Sequence[Sample]]) -> str:
    """Bars for each variant, as SVG."""
    rows = [(name, median(found[name], "wall"), median(found[name], "cpu")) for name in LABELS if name in found]
    figures = [figure for _name, *pair in rows for figure in pair]
    low, high = math.floor(math.log10(min(figures))), math.ceil(math.log10(max(figures)))

    def across(figure: float) -> float:
        return _WIDTH * (math.log10(figure) - low) / (high - low)

    height = _TOP + len(rows) * (2 * _BAR + _GAP) + 10
    parts = [f'<text x="10" y="22">Seconds for {TARGET} per request (logarithmic)</text>']
    for n, kind in enumerate(("wall", "CPU")):
        parts.append(f'<rect class="{kind.lower()}" x="{_LEFT + n * 80}" y="33" width="12" height="12"/>')
        parts.append(f'<text class="small" x="{_LEFT + 18 + n * 80}" y="43">{kind}</text>')
    for power in range(low, high + 1):
        x = _LEFT + across(10.0**power)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 2}" y2="{height - 8}"/>')
        parts.append(f'<text class="small" x="{x:.1f}" y="{_TOP - 6}" text-anchor="middle">{10.0**power:g}</text>')
    for n, (name, *pair) in enumerate(rows):
        y = _TOP + 6 + n * (2 * _BAR + _GAP)
        label = LABELS[name].replace("`", "")
        parts.append(f'<text x="{_LEFT - 8}" y="{y + _BAR + 4}" text-anchor="end">{label}</text>')
        for kind, figure, top in zip(("wall", "cpu"), pair, (y, y + _BAR)):
            width = across(figure)
            parts.append(
                f'<rect class="{kind}" x="{_LEFT}" y="{top}" width="{width:.1f}" height="{_BAR - 1}"/>'
                f'<text class="small" x="{_LEFT + width + 5:.1f}" y="{top + _BAR - 3}">{figure:.3g}</text>'
            )
    body = "\n".join(parts)
    whole = _LEFT + _WIDTH + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {height}" width="{whole}" height="{height}"'
        f' role="img" aria-label="Wall and CPU seconds by variant">\n<style>{_STYLE}</style>\n{body}\n</svg>\n'
    )
