# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.


"""The report of a run over many objects as a page for a browser. Every text in it is escaped."""

from __future__ import annotations

import math
import typing as t
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html import escape

from .._ground import timestamps
from .._ground.words import Words
from .fleet_summary import (
    CONNECTED,
    OLDEST,
    OUTCOMES,
    TENANT,
    Entry,
    by_outcome,
    is_stale,
    is_thing,
    nouns_of,
    of_tenants,
    only_looked,
    rank,
    span_of,
    spell_age,
    summary,
    verdict,
    visible,
)
from .reasons import by_reason

# Pixels of the bars' column.
_BAR = 140
# Seconds, and how the scale of the bars calls them.
_TICKS = (
    (3600, "1 h"),
    (86400, "1 d"),
    (7 * 86400, "7 d"),
    (30 * 86400, "30 d"),
    (365 * 86400, "1 y"),
    (3650 * 86400, "10 y"),
    (36500 * 86400, "100 y"),
)
# Where the scale leaves the linear; an age below it is as good as none.
_MINUTE = 60


# What has a reason that somebody has to read.
_WRONG = ("failed", "unreadable", "unknown", "obstacle", "skipped")
# Days that a full bar of those that are left stands for; what has more is far away.
_FAR = 90
# Characters of the longest name that the column of the hosts takes without breaking it, and what it is then called.
_HOSTS = ((18, "narrow"), (24, "middle"), (1000, "wide"))


def to_html(
    entries: t.Iterable[Entry],
    words: t.Mapping[str, Words],
    *,
    started: str = "",
    finished: str = "",
    tenants: t.Mapping[str, str] | None = None,
    as_csv: str = "",
) -> str:
    """Write a run as one page that needs no network and, but for filters and sorting, no JavaScript.

    Its policy allows nothing but its own style and script, by their hashes; no value is part of either.

    :param words: what the objects of each kind are called, by its name.
    :param started: a time as :func:`timestamps.text` writes it, or any text.
    :param tenants: as for :func:`summary`.
    :param as_csv: what the page offers to save for a spreadsheet; "" for nothing.
    """
    ordered = sorted(entries, key=by_outcome)
    wide = of_tenants(ordered, tenants)
    of = summary(ordered, started=started, finished=finished, tenants=tenants)
    scale = _Scale.of(ordered)
    span = visible(span_of(started, finished))
    policy = (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; base-uri 'none';"
        " form-action 'none'"
    )
    nouns = nouns_of(of, words)
    number = len(ordered)
    outcomes = of["outcomes"]
    bad = outcomes["failed"] + outcomes["unknown"] + outcomes.get("unreadable", 0)
    soso = of["stale"] or of.get("disconnected") or of["skipped"] or of.get("obstacle")
    heading = nouns.many[:1].upper() + nouns.many[1:]
    row = _row_of_tenant if wide else _row
    return _PAGE.format(
        policy=escape(policy),
        style=_STYLE,
        script=_SCRIPT,
        title=escape(" ".join(part for part in (nouns.in_full, span) if part)),
        mood="bad" if bad else "soso" if soso else "good",
        verdict=escape(verdict(of, words)),
        span=escape(span),
        changed=f"{of['changed']} {'would change' if only_looked(of) else 'changed'}",
        tiles="\n".join(_tile(outcome, count) for outcome, count in outcomes.items()),
        sections=_sections(ordered, of, words, tenants or {}, as_csv) if wide else _reasons(ordered, words, wide=False),
        tenants="\n".join(_tenants(ordered, by_host=wide)),
        kinds=_kinds(ordered, words) if wide else "",
        many=escape(nouns.in_full),
        heading=escape(heading),
        one=escape(nouns.one),
        total=number,
        noun="rows" if wide and number != 1 else "row" if wide else escape(nouns.one if number == 1 else nouns.many),
        layout=_layout(ordered, wide=wide),
        headers=(_HEADERS_OF_TENANTS if wide else _HEADERS).format(axis=scale.axis()),
        rows="\n".join(row(one, scale, words[one.kind]) for one in ordered),
    )


def _layout(entries: t.Iterable[Entry], *, wide: bool) -> str:
    # What stands below is smaller.
    names = [(visible(one.host), visible(one.tenant) if wide else "") for one in entries]
    longest = max((max(len(host), len(tenant) * 7 // 8) for host, tenant in names), default=0)
    column = next((name for most, name in _HOSTS if longest <= most), _HOSTS[-1][1])
    return f"things {column}" if wide else f"connectors {column}"


def _sections(
    entries: t.Sequence[Entry],
    of: t.Mapping[str, t.Any],
    words: t.Mapping[str, Words],
    tenants: t.Mapping[str, str],
    as_csv: str,
) -> str:
    """What is told of tenants before the table of all: what is wrong, what expires soon, and how each tenant is."""
    data = b64encode(as_csv.encode("utf-8")).decode("ascii")
    link = f'<p><a download="report.csv" href="data:text/csv;charset=utf-8;base64,{data}">Save as CSV</a></p>'
    return "\n".join(
        part
        for part in (
            _reasons(entries, words, wide=True),
            _expiring(of, words),
            _overview(entries, tenants),
            link if as_csv else "",
        )
        if part
    )


def _reasons(entries: t.Sequence[Entry], words: t.Mapping[str, Words], *, wide: bool) -> str:
    """Each reason once, with whom it is about beneath; nothing if no two share one and the table tells as much."""
    lines = []
    shared = False
    for outcome in _WRONG:
        for reason, group in by_reason((one for one in entries if one.outcome == outcome), lambda one: one.reason):
            shared = shared or len(group) > 1
            names = "".join(f"<li>{_called(one, words, wide=wide)}</li>" for one in group)
            said = f"<b>{len(group)}</b> <span class=pill>{outcome}</span> {_shown(reason) or '(no reason)'}"
            folded = "" if len(group) > 10 else " open"
            lines.append(f'<details class="{outcome}"{folded}><summary>{said}</summary><ul>{names}</ul></details>')
    if not lines or not (shared or wide):
        return ""
    body = "\n".join(lines)
    return f'<section id="reasons"><h2>What is wrong</h2>\n{body}\n</section>'


def _called(one: Entry, words: t.Mapping[str, Words], *, wide: bool) -> str:
    name = f"<b>{_shown(one.host)}</b>"
    if not wide or one.kind == TENANT:
        return name
    return f"{name} {_shown(_thing(one, words[one.kind]))}"


def _thing(one: Entry, words: Words) -> str:
    """What a thing is called; where a kind could not be read, all of it."""
    if not is_thing(one):
        return words.many if words.id_option else words.one
    return words.one if one.server_name in ("", words.one) else f"{words.one} {one.server_name}"


def _expiring(of: t.Mapping[str, t.Any], words: t.Mapping[str, Words]) -> str:
    """What expires soon, the first one first."""
    if not of["expires_soon"]:
        return ""
    rows = "\n".join(
        f"<tr><td>{_days(item['days_left'])}</td><th scope=row>{_shown(item['host'])}</th>"
        f"<td>{_shown(item['name'] or words[item['kind']].one)}</td><td>{_shown(words[item['kind']].one)}</td></tr>"
        for item in of["expires_soon"]
    )
    return (
        f'<details id="expiring"{" open" if len(of["expires_soon"]) <= 40 else ""}>'
        f"<summary><h2>Expires soon <small>{len(of['expires_soon'])}</small></h2></summary>\n<table><thead><tr>"
        "<th scope=col>Days left</th><th scope=col>Tenant</th><th scope=col>Name</th><th scope=col>Kind</th>"
        f"</tr></thead><tbody>\n{rows}\n</tbody></table></details>"
    )


def _days(days: int | None) -> str:
    """Days as a number above a bar, which is full when there are many."""
    if days is None:
        return ""
    late = " late" if days <= 7 else " soon" if days <= 30 else ""
    width = max(2, min(80, round(80 * days / _FAR)))
    drawn = f'<svg class=days aria-hidden="true"><rect class="left{late}" width="{width}"/></svg>'
    return f"{'expired' if days < 0 else days}{drawn}"


# The columns of the table of tenants: what is counted, by outcome.
_COUNTED = (
    ("Synchronised", ("synchronised",)),
    ("Fresh", ("fresh",)),
    ("Under way or due", ("requested", "joined", "predicted", "too_soon")),
    ("Not done", ("failed", "unknown", "skipped")),
    ("Waits for an administrator", ("obstacle",)),
    ("Could not be read", ("unreadable",)),
)


def _overview(entries: t.Sequence[Entry], tenants: t.Mapping[str, str]) -> str:
    """A row for each tenant, by the worst that there is in it."""
    found: dict[str, list[Entry]] = {host: [] for host in sorted(tenants)}
    for one in entries:
        found.setdefault(one.host, []).append(one)
    worst = {host: min((rank(one.outcome) for one in some), default=len(OUTCOMES)) for host, some in found.items()}
    order = sorted(found, key=lambda host: (worst[host], host))
    rows = []
    for host in order:
        some = found[host]
        tenant = tenants.get(host) or (some[0].tenant if some else "")
        cells = [sum(one.outcome in outcomes for one in some) for _title, outcomes in _COUNTED]
        soon = sum(one.expires_soon for one in some)
        counted = "".join(
            f'<td class="{names[0] if cell else "none"}" data-label="{title.lower()}">{cell}</td>'
            for cell, (title, names) in zip(cells, _COUNTED)
        )
        rows.append(
            f"<tr><th scope=row>{_shown(host)}{_small(tenant if tenant != host else '')}</th>{counted}"
            f'<td class="{"soon" if soon else "none"}" data-label="expires soon">{soon}</td></tr>'
        )
    if not rows:
        return ""
    titles = [*(title for title, _names in _COUNTED), "Expires soon"]
    headers = "".join(f"<th scope=col>{title}</th>" for title in titles)
    body = "\n".join(rows)
    return (
        f'<details id="tenants"{" open" if len(rows) <= 40 else ""}>'
        f"<summary><h2>Tenants <small>{len(rows)}</small></h2></summary>\n"
        f"<table><thead><tr><th scope=col>Tenant</th>{headers}</tr></thead><tbody>\n{body}\n</tbody></table></details>"
    )


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def _shown(text: str) -> str:
    return escape(visible(text))


def _tile(outcome: str, count: int) -> str:
    none = "" if count else " none"
    return (
        f'<li class="tile {outcome}{none}" data-outcome="{outcome}"><b>{count}</b>'
        f' <span class="name">{outcome.replace("_", " ")}</span> <small>{escape(OUTCOMES[outcome])}</small></li>'
    )


def _tenants(entries: t.Sequence[Entry], *, by_host: bool) -> t.Iterator[str]:
    """The choices of the filter by tenant, which show at once where the failures are."""
    named = [(one.host if by_host else one.tenant, one.outcome) for one in entries]
    total = Counter(name for name, _outcome in named)
    failed = Counter(name for name, outcome in named if outcome in ("failed", "unknown"))
    for tenant in sorted(total):
        words = f"{total[tenant]}, {failed[tenant]} failed or unknown" if failed[tenant] else f"{total[tenant]}"
        yield f'<option value="{_shown(tenant)}">{_shown(tenant) or "(not known)"} ({words})</option>'


def _kinds(entries: t.Sequence[Entry], words: t.Mapping[str, Words]) -> str:
    """The filter by kind."""
    options = "\n".join(
        f'<option value="{_shown(kind)}">{_shown(words[kind].many)} ({count})</option>'
        for kind, count in sorted(Counter(one.kind for one in entries).items())
    )
    return (
        '<label>Kind <select id="kind" autocomplete="off"><option value="" data-all>all kinds</option>\n'
        f"{options}\n</select></label>\n"
    )


def _row_of_tenant(one: Entry, scale: _Scale, words: Words) -> str:
    stale = " stale" if is_stale(one) else ""
    thing = is_thing(one)
    name = (one.server_name or words.one) if thing else ("" if one.kind == TENANT else words.many)
    kind = words.one if thing and one.server_name not in ("", words.one) else ""
    soon = "expires soon" if one.expires_soon else ""
    days = _or_far(one.days_left)
    return (
        f'<tr class="{_shown(one.outcome)}{stale}" data-tenant="{_shown(one.host)}" data-kind="{_shown(one.kind)}">'
        f"<th scope=row>{_shown(one.host)}{_small(one.tenant if one.tenant != one.host else '')}</th>"
        f"<td>{_shown(name)}{_small(kind)}</td>"
        f'<td data-v="{rank(one.outcome)}"><span class=pill>{_shown(one.outcome.replace("_", " "))}</span>'
        f"{_small('stale' if stale else '', one.status if one.status != CONNECTED else '')}</td>"
        + (_age_cell(one, one.age_before, one.previous_sync_date_time, "") if thing else '<td data-v="-1"></td>')
        + (
            _age_cell(one, one.age_after, one.last_sync_date_time, _minute(one.last_sync_date_time))
            if thing
            else '<td data-v="-1"></td>'
        )
        + f"<td>{scale.bars(one) if thing else ''}</td>"
        f'<td data-v="{days}">{_days(one.days_left)}{_small(soon)}</td>'
        f"<td>{_shown(one.reason)}{_small(_ids(one, words))}</td></tr>"
    )


def _or_far(days: int | None) -> int:
    return OLDEST if days is None else days


def _row(one: Entry, scale: _Scale, words: Words) -> str:
    stale = " stale" if is_stale(one) else ""
    return (
        f'<tr class="{_shown(one.outcome)}{stale}">'
        f"<th scope=row>{_shown(one.host)}{_small(one.server_name)}</th>"
        f"<td>{_shown(one.tenant)}</td>"
        f'<td data-v="{rank(one.outcome)}"><span class=pill>{_shown(one.outcome)}</span>'
        f"{_small('stale' if stale else '', one.status if one.status != CONNECTED else '')}</td>"
        + _age_cell(one, one.age_before, one.previous_sync_date_time, "")
        + _age_cell(one, one.age_after, one.last_sync_date_time, _minute(one.last_sync_date_time))
        + f"<td>{scale.bars(one)}</td>"
        f"<td>{_shown(one.reason)}{_small(_ids(one, words))}</td></tr>"
    )


def _small(*lines: str) -> str:
    return "".join(f"<small>{_shown(line)}</small>" for line in lines if line)


def _ids(one: Entry, words: Words) -> str:
    """What to look for in Intune, and, where there is reason to ask Microsoft's support, what to tell them."""
    wanted = one.outcome in ("failed", "unknown")
    ids = ((words.short, one.connector_id), ("request id", one.request_id if wanted else ""))
    return ", ".join(f"{name} {value}" for name, value in ids if value)


def _age_cell(one: Entry, age: int | None, moment: str | None, below: str) -> str:
    words = spell_age(one, age, moment)
    # "Never" is older than any age; what is not known comes before all of them.
    order = age if age is not None else OLDEST if words == "never" else -1
    return f'<td data-v="{order}">{words}{_small(below)}</td>'


def _minute(moment: str | None) -> str:
    """Write a time to the minute; as it is if it cannot be read."""
    try:
        parsed = timestamps.parse(moment)
    except ValueError:
        return moment or ""
    return parsed.strftime("%Y-%m-%d %H:%M") if parsed else ""


class _Scale(t.NamedTuple):
    """From ages to pixels: logarithmic, as minutes and years have to fit.

    :param top: seconds at the right end.
    """

    top: int

    @classmethod
    def of(cls, entries: t.Iterable[Entry]) -> _Scale:
        ages = [age or 0 for one in entries for age in (one.age_before, one.age_after, one.max_age)]
        longest = max([86400, *ages])
        return cls(next((seconds for seconds, _label in _TICKS if seconds >= longest), longest))

    def x(self, age: int) -> int:
        return round(_BAR * math.log1p(age / _MINUTE) / math.log1p(self.top / _MINUTE))

    def axis(self) -> str:
        """Labels of the scale, as many as have room, from the right."""
        labels: list[str] = []
        room = _BAR + 30
        for seconds, label in reversed(_TICKS):
            x = self.x(seconds)
            if seconds <= self.top and room - x >= 30:
                labels.append(f'<text x="{x}" y="9">{label}</text><path d="M{x} 12v4"/>')
                room = x
        return f'<svg class="axis" aria-hidden="true">{"".join(reversed(labels))}</svg>'

    def bars(self, one: Entry) -> str:
        """The age before, above the age after, and where ``max_age`` is; nothing for what is not known."""
        shapes = []
        for kind, age, moment in (
            ("b", one.age_before, one.previous_sync_date_time),
            ("a", one.age_after, one.last_sync_date_time),
        ):
            if age is not None:
                late = " late" if kind == "a" and one.max_age is not None and age >= one.max_age and age else ""
                shapes.append(f'<rect class="{kind}{late}" width="{max(2, self.x(age))}"/>')
            elif spell_age(one, age, moment) == "never":
                shapes.append(f'<rect class="{kind} never" width="{_BAR - 1}"/>')
        if one.max_age:
            shapes.append(f'<path d="M{self.x(one.max_age)} 0v22"/>')
        return f'<svg aria-hidden="true">{"".join(shapes)}</svg>' if shapes else ""


_HEADERS = """\
<th scope="col" data-sort="text">Host</th>
<th scope="col" data-sort="text">Tenant</th>
<th scope="col" data-sort="number">Outcome</th>
<th scope="col" data-sort="number">Age before</th>
<th scope="col" data-sort="number">Age after <small>(UTC)</small></th>
<th scope="col"><span class="unseen">Ages as bars</span>{axis}</th>
<th scope="col" data-sort="text">Reason</th>"""

_HEADERS_OF_TENANTS = """\
<th scope="col" data-sort="text">Tenant</th>
<th scope="col" data-sort="text">Name</th>
<th scope="col" data-sort="number">Outcome</th>
<th scope="col" data-sort="number">Age before</th>
<th scope="col" data-sort="number">Age after <small>(UTC)</small></th>
<th scope="col"><span class="unseen">Ages as bars</span>{axis}</th>
<th scope="col" data-sort="number">Days left</th>
<th scope="col" data-sort="text">Reason</th>"""

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<p class="kind">Synchronisation of {many}</p>
<h1 class="{mood}">{verdict}</h1>
<p><span id="span">{span}</span> <span class="changed">{changed}</span></p>
</header>
<main>
<ul id="tiles" aria-label="{heading} by outcome">
{tiles}
</ul>
{sections}
<div id="filters" role="search" hidden>
<label>Search <input id="search" type="search" autocomplete="off" spellcheck="false"></label>
<label>Tenant <select id="tenant" autocomplete="off"><option value="" data-all>all tenants</option>
{tenants}
</select></label>
{kinds}<button id="all" type="button">Show all</button>
</div>
<p id="line"><span id="shown" role="status" data-noun="{noun}">{total} {noun}</span>
<span id="legend" class="{layout}">
<span><svg class="key" aria-hidden="true"><rect class="b" width="24"/></svg> age before</span>
<span><svg class="key" aria-hidden="true"><rect class="a" width="24"/></svg> after</span>
<span><svg class="key" aria-hidden="true"><rect class="a late" width="24"/></svg> after, beyond max_age</span>
<span><svg class="key" aria-hidden="true"><rect class="b never" width="24"/></svg> never</span>
<span><svg class="key" aria-hidden="true"><path d="M12 0v10"/></svg> max_age</span> (logarithmic scale)</span></p>
<table id="results" class="{layout}">
<caption>{heading}, the worst first</caption>
<thead><tr>
{headers}
</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p id="nothing" hidden>No {one} matches the filters.</p>
</main>
<script>{script}</script>
</body>
</html>
"""

_STYLE = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f4f6f8; --line: #d5dbe1; --ink: #1b2127; --muted: #55606b; --focus: #0b5cad;
  --bad: #b3261e; --on-bad: #ffffff; --odd: #7a3e9d; --wait: #8a4b00; --good: #176b32; --busy: #0b5cad;
  --before: #a3adb8; --after: #2f81d8; --late: #c4560c; --mark: #1b2127;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #0f1419; --panel: #182028; --line: #2e3944; --ink: #e3e9ef; --muted: #9eabb8; --focus: #7cc0ff;
    --bad: #ff9d94; --on-bad: #3a0906; --odd: #d7adff; --wait: #ffb969; --good: #7fdc98; --busy: #84c3ff;
    --before: #5d6a77; --after: #58a6ff; --late: #f0883e; --mark: #e3e9ef;
  }
}
@media print { :root { color-scheme: light; } }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; padding: 1.25rem clamp(0.75rem, 2.5vw, 2.5rem) 3rem; max-width: 1680px;
  background: var(--page); color: var(--ink); font: 0.9375rem/1.4 system-ui, sans-serif;
}
p, h1, ul { margin: 0; padding: 0; }
.kind, #span, .changed, small, caption, #line { color: var(--muted); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0.1rem 0; }
h1.bad { color: var(--bad); } h1.soso { color: var(--wait); } h1.good { color: var(--good); }
#span + .changed::before { content: "\\00b7\\00a0"; }
#span:empty + .changed::before { content: none; }
small { display: block; font-size: 0.8125rem; font-weight: 400; }
small, th, td { overflow-wrap: anywhere; }
button, input, select { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 1px; }

#tiles {
  list-style: none; display: grid; gap: 0.5rem; margin: 1rem 0;
  grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
}
.tile { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; }
.tile { border-top: 4px solid var(--tone); }
.tile, .tile button { text-align: left; vertical-align: top; }
.tile:not(:has(button)), .tile button {
  display: flex; flex-wrap: wrap; align-content: flex-start; align-items: baseline; gap: 0 0.4rem;
  padding: 0.4rem 0.7rem 0.5rem;
}
.tile button { width: 100%; height: 100%; border: 0; border-radius: 3px; background: none; }
button { cursor: pointer; }
.tile button[aria-pressed=true] { background: var(--tone); color: var(--page); }
.tile button[aria-pressed=true] * { color: inherit; }
.tile b { font-size: 1.5rem; line-height: 1.2; color: var(--tone); font-variant-numeric: tabular-nums; }
.tile.none { border-top-color: var(--line); }
.tile.none b, .tile.none .name { color: var(--muted); font-weight: 400; }
.tile small { flex-basis: 100%; line-height: 1.25; }
.failed, .unreadable { --tone: var(--bad); } .unknown { --tone: var(--odd); }
.requested, .obstacle, .joined, .too_soon { --tone: var(--wait); }
.synchronised, .fresh { --tone: var(--good); } .predicted { --tone: var(--busy); } .skipped { --tone: var(--muted); }

#filters { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; margin-bottom: 0.75rem; }
#filters label { display: flex; gap: 0.4rem; align-items: center; }
#filters input, #filters select, #filters button {
  background: var(--panel); border: 1px solid var(--muted); border-radius: 4px; padding: 0.3rem 0.5rem; min-width: 0;
}
#filters input { width: 18rem; } #filters select { max-width: 22rem; }
#line { display: flex; flex-wrap: wrap; gap: 0.25rem 2rem; justify-content: space-between; margin-bottom: 0.4rem; }
#shown { font-weight: 600; color: var(--ink); }
#legend > span { white-space: nowrap; margin-right: 0.8rem; }
#nothing { padding: 1.5rem 0; text-align: center; }

h2 { font-size: 1.1rem; margin: 1.2rem 0 0.4rem; } h2 small { display: inline; }
summary { cursor: pointer; overflow-wrap: anywhere; } summary h2 { display: inline-block; }
#reasons details { border-left: 4px solid var(--tone); padding: 0.2rem 0.7rem; margin-bottom: 0.4rem; }
#reasons ul { list-style: none; columns: 22rem; margin: 0.3rem 0; overflow-wrap: anywhere; }
#tenants, #expiring { margin-bottom: 1.2rem; } a { color: var(--focus); }
#tenants td { font-variant-numeric: tabular-nums; color: var(--tone, var(--wait)); }
#tenants td.none { color: var(--muted); }
#tenants table, #expiring table { table-layout: auto; } #expiring svg { display: inline-block; margin-left: 0.5rem; }
#tenants thead th, #expiring thead th { overflow-wrap: normal; } #tenants thead th:first-child { width: 30%; }
 #expiring td:first-child { white-space: nowrap; }
svg.days { width: 80px; height: 10px; } .left { y: 2px; fill: var(--after); }
.left.soon, .left.late { fill: var(--late); }

table { border-collapse: collapse; width: 100%; table-layout: fixed; }
caption, .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 0.6rem; font-weight: 400; }
thead th {
  position: sticky; top: 0; z-index: 1; vertical-align: bottom; font-weight: 600; line-height: 1.2;
  background: var(--page); box-shadow: inset 0 -2px var(--line);
}
thead button { border: 0; background: none; padding: 0; font-weight: 600; text-align: left; }
thead button::after { content: "\\00a0\\2195"; color: var(--muted); font-weight: 400; }
th[aria-sort=ascending] button::after { content: "\\00a0\\2191"; color: inherit; }
th[aria-sort=descending] button::after { content: "\\00a0\\2193"; color: inherit; }
tbody tr { border-bottom: 1px solid var(--line); }
tbody tr:hover { background: var(--panel); }
tbody th { font-weight: 600; }
.connectors th:nth-child(1) { width: 11.5rem; } .connectors th:nth-child(2) { width: 10.7rem; }
.things th:nth-child(1) { width: 11.5rem; } .things th:nth-child(2) { width: 11rem; }
table.middle th:nth-child(1) { width: 14rem; } table.wide th:nth-child(1) { width: 18rem; }
#results th:nth-child(3) { width: 8.3rem; } #results th:nth-child(4) { width: 7.2rem; }
#results th:nth-child(5) { width: 8.4rem; } #results th:nth-child(6) { width: calc(140px + 1.6rem); }
.things th:nth-child(7) { width: calc(80px + 1.2rem); }
.things th:nth-child(4) { width: 6.2rem !important; } .things th:nth-child(6) { padding-right: 0; }
@media (min-width: 1400px) {
  .connectors.narrow th:nth-child(1) { width: 16%; } .connectors th:nth-child(2) { width: 14%; }
  table.wide th:nth-child(1) { width: 20rem; }
}
#results td:nth-child(4), #results td:nth-child(5) { font-variant-numeric: tabular-nums; }
#results td:nth-child(5) small { white-space: nowrap; }
.pill {
  display: inline-block; padding: 0 0.5rem; border: 1px solid var(--tone); border-radius: 1rem; color: var(--tone);
  white-space: nowrap;
}
.failed .pill, .unknown .pill, .unreadable .pill { background: var(--tone); color: var(--on-bad); font-weight: 600; }
.stale td:nth-child(3) small { color: var(--wait); padding-left: 0.5rem; }

svg { display: block; width: 140px; height: 22px; overflow: visible; }
svg.axis { height: 16px; font-weight: 400; }
.axis text { font-size: 11px; text-anchor: middle; fill: var(--muted); } .axis path { stroke: var(--muted); }
svg.key { display: inline-block; width: 24px; height: 10px; vertical-align: baseline; }
rect { height: 7px; rx: 1.5px; } .b { y: 3px; fill: var(--before); } .a { y: 12px; fill: var(--after); }
.key rect { y: 2px; } .late { fill: var(--late); }
.never { fill: none; stroke: var(--muted); stroke-dasharray: 3 3; }
svg > path { stroke: var(--mark); stroke-width: 1.5; }

@media screen and (min-width: 1201px) and (max-width: 1500px) {
  /* Reasons need the room more than bars do, whose numbers are there. */
  .things th:nth-child(6), .things td:nth-child(6), #legend.things { display: none; }
}
@media screen and (max-width: 1200px) {
  #results, #results tbody { display: block; }
  #results thead { display: block; } #results thead tr { display: flex; flex-wrap: wrap; gap: 0 1.1rem; }
  #results thead th { position: static; padding: 0.3rem 0; width: auto !important; }
  #results thead th:nth-child(6) { display: none; }
  #results tbody tr { display: grid; grid-template-columns: 1fr 1fr 140px; gap: 0.15rem 1rem; padding: 0.7rem 0; }
  #results tbody th, #results tbody td { padding: 0; width: auto !important; }
  #results td:nth-child(2) { color: var(--muted); } #results.things td:nth-child(2) { color: inherit; }
  #results td:nth-child(4):not(:empty)::before { content: "before: "; color: var(--muted); }
  #results td:nth-child(5):not(:empty)::before { content: "after: "; color: var(--muted); }
  .things td:nth-child(7):not(:empty)::before { content: "days left: "; color: var(--muted); }
  #results td:last-child { grid-column: 1 / -1; max-width: 60rem; }
}
@media screen and (max-width: 600px) {
  h1 { font-size: 1.3rem; }
  #filters label { flex-basis: 100%; } #filters input, #filters select { width: 100%; max-width: none; }
  #tiles { grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); } .tile small { display: none; }
  #results tbody tr { grid-template-columns: 1fr 1fr; }
  #results td:nth-child(3) { grid-column: 2; grid-row: 1; text-align: right; }
  #results td:nth-child(2), #results td:nth-child(6) { grid-column: 1 / -1; }
  #tenants tbody, #tenants table, #expiring table, #expiring tbody { display: block; }
  #tenants thead, #expiring thead {
    position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  }
  #tenants tr, #expiring tr { display: flex; flex-wrap: wrap; gap: 0.1rem 0.9rem; padding: 0.4rem 0; }
  #tenants th, #tenants td, #expiring th, #expiring td { padding: 0; }
  #tenants th, #expiring th { flex-basis: 100%; order: -1; }
  #tenants td.none { display: none; } #tenants td::after { content: "\\00a0" attr(data-label); }
}

@media print {
  @page { size: A4 landscape; margin: 12mm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { padding: 0; font-size: 8.5pt; } small { font-size: 7.5pt; } h1 { font-size: 14pt; }
  #filters, thead button::after { display: none; } thead button { display: contents; }
  #tiles { grid-template-columns: repeat(7, 1fr); margin: 3mm 0; gap: 2mm; }
  .tile b { font-size: 12pt; }
  thead { display: table-header-group; } thead th { position: static; }
  tr, .tile { break-inside: avoid; }
  .things th:nth-child(6), .things td:nth-child(6), #legend.things { display: none; }
  th, td { padding: 1mm 2mm; } #results td:nth-child(6) { overflow: hidden; }
  #results th:nth-child(1) { width: 40mm; } #results th:nth-child(2) { width: 35mm; }
  #results th:nth-child(3) { width: 27mm; } #results th:nth-child(4) { width: 23mm; }
  #results th:nth-child(5) { width: 27mm; }
}
"""

_SCRIPT = """
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const [table, search, tenant, kind, shown] = ["results", "search", "tenant", "kind", "shown"].map(find);
  const body = table.tBodies[0];
  const tiles = [...document.querySelectorAll(".tile:not(.none)")];
  const rows = Array.from(body.rows, (row) => {
    const cells = Array.from(row.cells, (cell) => cell.textContent);
    const of = row.dataset.tenant ?? cells[1];
    return {row, cells, tenant: of, outcome: row.classList[0], text: cells.join("\\n").toLowerCase()};
  });
  const pressed = (tile) => tile.firstChild.getAttribute("aria-pressed") === "true";

  function filter() {
    const outcomes = tiles.filter(pressed).map((tile) => tile.dataset.outcome);
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const one of rows) {
      const match = (tenant.selectedIndex < 1 || one.tenant === tenant.value)
        && (!kind?.value || one.row.dataset.kind === kind.value)
        && (!outcomes.length || outcomes.includes(one.outcome))
        && words.every((word) => one.text.includes(word));
      one.row.hidden = !match;
      count += match;
    }
    shown.textContent = (count < rows.length ? count + " of " : "") + rows.length
      + " " + shown.dataset.noun;
    find("nothing").hidden = count > 0 || !rows.length;
  }

  for (const tile of tiles) {
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.append(...tile.childNodes);
    button.addEventListener("click", () => {
      button.setAttribute("aria-pressed", String(!pressed(tile)));
      filter();
    });
    tile.append(button);
  }
  search.addEventListener("input", filter);
  tenant.addEventListener("change", filter);
  kind?.addEventListener("change", filter);
  find("all").addEventListener("click", () => {
    search.value = "";
    tenant.selectedIndex = 0;
    if (kind) kind.selectedIndex = 0;
    tiles.forEach((tile) => tile.firstChild.setAttribute("aria-pressed", "false"));
    filter();
  });

  const first = (one, column) => one.row.cells[column].firstChild?.textContent ?? "";
  const collator = new Intl.Collator("en", {numeric: true});
  for (const header of table.tHead.querySelectorAll("[data-sort]")) {
    const column = header.cellIndex;
    const compare = header.dataset.sort === "number"
      ? (a, b) => a.row.cells[column].dataset.v - b.row.cells[column].dataset.v
      : (a, b) => collator.compare(first(a, column), first(b, column));
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    button.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      table.tHead.querySelectorAll("[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort(up ? compare : (a, b) => compare(b, a));
      body.append(...rows.map((one) => one.row));
    });
    header.append(button);
  }
  find("filters").hidden = false;
  filter();
})();
"""
