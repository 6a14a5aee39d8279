# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a run over many connectors came to: counts, a table, and reports as HTML, JSON and CSV.

Plain values in, text out. Nothing here reads a clock, a file or the network. Every text may come from Graph or from a
host, so each form makes it harmless by its own rules.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import typing as t
import unicodedata
from base64 import b64encode
from collections import Counter
from hashlib import sha256
from html import escape
from pathlib import PurePath

from . import errors, timestamps

# What can become of a connector, the worst first, and what that means.
OUTCOMES = {
    "failed": "no synchronisation was seen",
    "unknown": "Graph may have accepted the request, its answers were lost",
    "requested": "Graph accepted the request, its end was not waited for",
    "synchronised": "it was requested, and its end was seen",
    "predicted": "it would be requested without check mode",
    "fresh": "recent enough, nothing was requested",
    "skipped": "nothing was tried",
}
# The outcomes of the module's successful sync.state.
_OUTCOME_OF_STATE = {
    "completed": "synchronised",
    "requested": "requested",
    "predicted": "predicted",
    "fresh": "fresh",
}
# What a summary lists by name. No connector is in two of them.
LISTS = ("failed", "unknown", "stale", "skipped")

# Characters; what is longer is a dump, and the report has to stay small.
_LONGEST = 1000
# Seconds; three thousand years are no age.
_OLDEST = 10**11
# The module's sentences begin so; the report names connector and tenant on its own.
_SUBJECT = re.compile(r"\AExchange connector \S+(?: in tenant \S+)?: ")


class Entry(t.NamedTuple):
    """What became of one connector; a text that is not known is empty.

    :param host: its name in the inventory.
    :param tenant: as the user named it.
    :param server_name: of the Exchange server.
    :param outcome: one of :data:`OUTCOMES`.
    :param reason: why, in words, without the names of connector and tenant.
    :param changed: whether Graph accepted a request, or would have, or may have.
    :param age_before: seconds since the last synchronisation when the connector was read first; None if there was none
        or this is not known.
    :param age_after: the same at the end, as far as Graph showed it: 0 once a new synchronisation was seen, and else
        ``age_before``, so that the time spent waiting in vain does not count.
    :param max_age: seconds, as the task used it; None if the connector could not be read.
    :param previous_sync_date_time: when it had synchronised last before the task, in UTC; None for never or not known.
    :param last_sync_date_time: the same after the task.
    :param status: the connector's own, such as ``connected``.
    :param sync_type: ``deltaSync`` or ``fullSync``.
    :param request_id: what Microsoft's support asks for.
    """

    host: str
    tenant: str
    connector_id: str
    server_name: str
    outcome: str
    reason: str
    changed: bool
    age_before: int | None
    age_after: int | None
    max_age: int | None
    previous_sync_date_time: str | None
    last_sync_date_time: str | None
    status: str
    sync_type: str
    request_id: str


def entry(host: str, result: t.Any, *, tenant: str = "", connector_id: str = "") -> Entry:
    """Read a result of ``intune_exchange_connector_sync``.

    :param result: as the module documents it or Ansible makes it up (unreachable, skipped); None or empty if there is
        none. Whatever else it is, nothing is raised: what does not say that all is well counts as failed.
    :param tenant: what the host's variables say; a result does not name it.
    :param connector_id: the same; without it, what the result says.
    """
    known = _mapping(result)
    sync, connector = _mapping(known.get("sync")), _mapping(known.get("connector"))
    asked = _mapping(_mapping(known.get("invocation")).get("module_args"))
    outcome, reason = _outcome(result)
    age = _seconds(sync.get("age"))
    previous = _text(sync.get("previous_sync_date_time")) or None
    last = _text(connector.get("last_sync_date_time")) or None
    return Entry(
        host=_text(host),
        tenant=_text(tenant) or _text(asked.get("tenant")),
        connector_id=_text(connector_id) or _text(connector.get("id")) or _text(asked.get("connector_id")),
        server_name=_text(connector.get("server_name")),
        outcome=outcome,
        reason=reason,
        changed=bool(known.get("changed")),
        age_before=age,
        age_after=0 if outcome == "synchronised" else age,
        max_age=_seconds(sync.get("max_age")),
        previous_sync_date_time=previous,
        last_sync_date_time=last or previous,
        status=_text(connector.get("status")),
        sync_type=_text(sync.get("type")),
        request_id=_text(known.get("request_id")),
    )


def is_stale(one: Entry) -> bool:
    """Whether a connector that did not fail is, for all that Graph showed, still older than its ``max_age``."""
    if one.outcome not in ("requested", "predicted"):
        return False
    return one.age_after is None or one.max_age is None or one.age_after >= one.max_age


def summary(entries: t.Iterable[Entry], *, started: str = "", finished: str = "") -> dict[str, t.Any]:
    """Sum up a run, the same whatever the order of the entries.

    :param started: a time as :func:`timestamps.text` writes it, or any text.
    :returns: ``started``, ``finished``, ``total``, ``changed``, ``outcomes`` (a count for each of :data:`OUTCOMES`),
        and :data:`LISTS`, each sorted by tenant and host: ``failed``, ``unknown``, ``skipped`` are the outcomes,
        ``stale`` is what :func:`is_stale` says. ``more`` counts what :func:`limited` has left out of each.
    """
    ordered = sorted(entries, key=_by_name)
    counts = Counter(one.outcome for one in ordered)
    listed: dict[str, list[dict[str, t.Any]]] = {name: [] for name in LISTS}
    for one in ordered:
        if is_stale(one):
            # Why it was requested is plain from its age; why it is still stale is not.
            listed["stale"].append(_listed(one, OUTCOMES[one.outcome]))
        elif one.outcome in listed:
            listed[one.outcome].append(_listed(one, one.reason))
    return {
        "started": started,
        "finished": finished,
        "total": len(ordered),
        "changed": sum(one.changed for one in ordered),
        "outcomes": {outcome: counts[outcome] for outcome in OUTCOMES},
        **listed,
        "more": dict.fromkeys(LISTS, 0),
    }


def limited(of: t.Mapping[str, t.Any], most_bytes: int = 60_000) -> dict[str, t.Any]:
    """Make a summary small enough for AWX's artifacts, which end at 64 KiB with all that belongs to them.

    First the reasons are cut, then the lists, all to the same length; ``more`` counts what was left out.

    :param of: what :func:`summary` returned.
    :param most_bytes: of JSON, non-ASCII characters escaped.
    :raises ValueError: not even the counts fit.
    """

    def shortened(reason: int, items: int) -> dict[str, t.Any]:
        lists = {
            name: [{**item, "reason": _cut(item["reason"], reason)} for item in of[name][:items]] for name in LISTS
        }
        more = {name: of["more"][name] + len(of[name]) - len(lists[name]) for name in LISTS}
        return {**of, **lists, "more": more}

    def fits(candidate: dict[str, t.Any]) -> bool:
        return len(json.dumps(candidate)) <= most_bytes

    longest_list = max(len(of[name]) for name in LISTS)
    for reason in (_LONGEST, 300, 150, 80):
        candidate = shortened(reason, longest_list)
        if fits(candidate):
            return candidate
    if not fits(shortened(reason, 0)):
        raise ValueError(f"a summary does not fit into {most_bytes} bytes")
    fitting, too_many = 0, longest_list
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if fits(shortened(reason, middle)):
            fitting = middle
        else:
            too_many = middle
    return shortened(reason, fitting)


def table(of: t.Mapping[str, t.Any], width: int = 100, most: int = 50) -> str:
    """Write a summary for people who read a job's output: counts first, then by name what needs them.

    :param of: what :func:`summary` or :func:`limited` returned.
    :param width: columns of a line at most, 60 at least; wide characters count as two.
    :param most: rows of each list at most; the others are counted.
    :returns: lines without trailing newline, colours or control characters.
    """
    width = max(width, 60)
    lines = _wrap(_verdict(of), width)
    span = _visible(_span(of["started"], of["finished"]))
    lines += _wrap(span, width) if span else []
    lines.append("")
    digits = max(5, len(str(of["total"])))
    names = max(map(len, OUTCOMES))
    for outcome, meaning in OUTCOMES.items():
        count = of["outcomes"][outcome]
        cells = [f"{count:>{digits}}", outcome, meaning if count else ""]
        lines += _columns(cells, [digits, names, width - digits - names - 4])
    lines.append(f"{of['total']:>{digits}}  in all, {of['changed']} changed")

    shown = {name: of[name][:most] for name in LISTS}
    widths = _widths([item for items in shown.values() for item in items], width - 4)
    for name, items in shown.items():
        more = len(of[name]) - len(items) + of["more"][name]
        if items or more:
            lines.append("")
            lines += _columns([f"{name.upper()} ({len(items) + more})", "tenant", "age"], [widths[0] + 4, *widths[1:]])
        for reason, group in _by_reason(items):
            lines += ["  " + line for line in _wrap(_visible(reason), width - 2)] if reason else []
            for item in group:
                cells = [_visible(item[column]) for column in ("host", "tenant", "age")]
                lines += ["    " + line for line in _columns(cells, widths)]
        if more:
            lines.append(f"  and {more} more")
    return "\n".join(lines)


def to_json(entries: t.Iterable[Entry], *, started: str = "", finished: str = "") -> str:
    """Write a run as JSON, in ASCII: ``summary``, as :func:`summary` returns it, and ``connectors``, all entries."""
    ordered = sorted(entries, key=_by_outcome)
    document = {
        "summary": summary(ordered, started=started, finished=finished),
        "connectors": [one._asdict() for one in ordered],
    }
    return json.dumps(document, indent=2) + "\n"


def to_csv(entries: t.Iterable[Entry]) -> str:
    r"""Write a run as CSV (RFC 4180): a header with the names of :class:`Entry`, and a line for each connector.

    A cell that a spreadsheet would take for a formula, since it begins with ``=``, ``+``, ``-``, ``@``, a tab or the
    end of a line, gets an apostrophe in front. Control characters are written as escapes, such as ``\x1b``. What is
    not known is empty.
    """
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(Entry._fields)
    for one in sorted(entries, key=_by_outcome):
        writer.writerow(_cell(value) for value in one)
    return file.getvalue()


# The last four are the wide forms of the first four, which East Asian settings take for the same.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return ("'" if text.startswith(_FORMULA) else "") + _visible(text)


def form_of(path: str) -> str:
    """Tell the form of a report, ``html``, ``json`` or ``csv``, by the extension of its path.

    :raises OptionError: it is none of them.
    """
    form = _FORMS.get(PurePath(path).suffix.lower())
    if form is None:
        raise errors.OptionError(f"the path of a report must end in .html, .json or .csv, unlike {_visible(path)!r}")
    return form


_FORMS = {".html": "html", ".htm": "html", ".json": "json", ".csv": "csv"}


def render(path: str, entries: t.Iterable[Entry], *, started: str = "", finished: str = "") -> str:
    """Write the report that belongs into the file at ``path``, which is not touched; encode it as UTF-8.

    :param started: a time as :func:`timestamps.text` writes it, or any text.
    :raises OptionError: as :func:`form_of` does.
    """
    form = form_of(path)
    if form == "csv":
        return to_csv(entries)
    return (to_json if form == "json" else to_html)(entries, started=started, finished=finished)


# --- Reading results


def _mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def _text(value: t.Any) -> str:
    """Make a text that can be encoded, of a bearable length; "" if it is no text."""
    if not isinstance(value, str):
        return ""
    return _cut(value.encode("utf-8", "replace").decode("utf-8"), _LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _seconds(value: t.Any) -> int | None:
    """Take a whole number that can be an age; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _OLDEST:
        return None
    return int(value)


def _outcome(result: t.Any) -> tuple[str, str]:
    """Tell the outcome and the reason that a result gives."""
    if result is None or result == {}:
        return "skipped", "it was not reached"
    known = _mapping(result)
    said = _clause(known.get("msg"))
    if known.get("unreachable"):
        return "failed", f"the host could not be reached: {said}" if said else "the host could not be reached"
    if known.get("skipped") and not known.get("failed"):
        return "skipped", said or _clause(known.get("skip_reason")) or "the task was skipped"
    sync = _mapping(known.get("sync"))
    state = _text(sync.get("state"))
    if state == "unknown":
        return "unknown", said or OUTCOMES["unknown"]
    # Only failures have a msg; a playbook may have set failed to false with failed_when.
    if known.get("failed") or said:
        return "failed", said or "it failed without a reason"
    if state in _OUTCOME_OF_STATE:
        return _OUTCOME_OF_STATE[state], _clause(sync.get("reason"))
    return "failed", "its result does not say what was done"


def _clause(value: t.Any) -> str:
    """Make a sentence one line without end mark, and without the subject that the module's sentences have."""
    text = _SUBJECT.sub("", _line(value))
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def _line(value: t.Any) -> str:
    return " ".join(_text(value).split())


# --- What all forms share


def _by_name(one: Entry) -> tuple[t.Any, ...]:
    # The other fields only make the order of equal names certain.
    return (one.tenant, one.host, repr(one))


def _by_outcome(one: Entry) -> tuple[t.Any, ...]:
    return (_rank(one.outcome), *_by_name(one))


def _rank(outcome: str) -> int:
    return [*OUTCOMES, outcome].index(outcome)


def _listed(one: Entry, reason: str) -> dict[str, t.Any]:
    return {
        "host": one.host,
        "tenant": one.tenant,
        "connector_id": one.connector_id,
        "server_name": one.server_name,
        "age": _age(one, one.age_after, one.last_sync_date_time),
        "age_seconds": one.age_after,
        "reason": reason,
        "request_id": one.request_id,
    }


def _age(one: Entry, age: int | None, moment: str | None) -> str:
    if age is not None:
        return timestamps.spell(age)
    return "not known" if moment or one.max_age is None else "never"


def _visible(text: str) -> str:
    """Write what does not print (control characters, ANSI and bidi controls, odd spaces) as Python's escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _verdict(of: t.Mapping[str, t.Any]) -> str:
    """Say in one sentence how the run went."""
    total, outcomes = of["total"], of["outcomes"]
    if not total:
        return "No connector was looked at."
    bad = [f"{outcomes[name]} {word}" for name, word in _BAD if outcomes[name]]
    stale = len(of["stale"]) + of["more"]["stale"]
    if stale:
        bad.append(f"{stale} still stale")
    if bad:
        return f"Of {total} {'connector' if total == 1 else 'connectors'}: {', '.join(bad)}."
    return "The connector is up to date." if total == 1 else f"All {total} connectors are up to date."


_BAD = (("failed", "failed"), ("unknown", "unknown"), ("skipped", "skipped"))


def _span(started: str, finished: str) -> str:
    """Write when a run was, such as ``2026-11-22 18:00:00 to 18:06:10 UTC (6 min 10 s)``."""
    try:
        begin, end = timestamps.parse(started), timestamps.parse(finished)
    except ValueError:
        begin = end = None
    if begin is None or end is None:
        return " to ".join(part for part in (_line(started), _line(finished)) if part)
    same_day = begin.date() == end.date()
    until = end.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")
    took = timestamps.spell(max(0.0, (end - begin).total_seconds()))
    return f"{begin.strftime('%Y-%m-%d %H:%M:%S')} to {until} UTC ({took})"


# --- The table


def _by_reason(items: t.Sequence[dict[str, t.Any]]) -> list[tuple[str, list[dict[str, t.Any]]]]:
    """Put together what has the same reason, the most frequent first."""
    groups: dict[str, list[dict[str, t.Any]]] = {}
    for item in items:
        groups.setdefault(item["reason"], []).append(item)
    return sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))


def _widths(items: t.Sequence[dict[str, t.Any]], width: int) -> list[int]:
    """Share a line between host, tenant and age, two spaces apart."""
    room = width - 4
    widths = []
    for name, least, part in (("host", 15, 0.45), ("tenant", 6, 0.35), ("age", 3, 0.2)):
        widest = max((_columns_of(_visible(item[name])) for item in items), default=0)
        widths.append(min(max(widest, least), int(room * part)))
    return widths


def _columns(cells: t.Sequence[str], widths: t.Sequence[int]) -> list[str]:
    """Write cells next to each other, two spaces apart, each wrapped within its width."""
    wrapped = [_wrap(cell, width) for cell, width in zip(cells, widths)]
    lines = []
    for number in range(max(map(len, wrapped))):
        parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
        padded = [part + " " * (width - _columns_of(part)) for part, width in zip(parts, widths)]
        lines.append("  ".join(padded).rstrip())
    return lines


def _columns_of(text: str) -> int:
    """The columns that printable text takes on a terminal."""
    if text.isascii():
        return len(text)
    return sum(_columns_of_character(c) for c in text)


def _columns_of_character(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _wrap(text: str, width: int) -> list[str]:
    """Break text between words, and a word only if a line cannot hold it; textwrap knows no wide characters."""
    if _columns_of(text) <= width:
        return [text]
    lines = [""]
    for word in text.split():
        if _columns_of(lines[-1]) + 1 + _columns_of(word) <= width and lines[-1]:
            lines[-1] += " " + word
            continue
        if lines[-1]:
            lines.append("")
        used = 0
        for character in word:
            columns = _columns_of_character(character)
            if used + columns > width:
                lines.append("")
                used = 0
            lines[-1] += character
            used += columns
    return lines


# --- The page

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


def to_html(entries: t.Iterable[Entry], *, started: str = "", finished: str = "") -> str:
    """Write a run as one page that needs no network and, but for filters and sorting, no JavaScript.

    Its policy allows nothing but its own style and script, by their hashes; no value is part of either.

    :param started: a time as :func:`timestamps.text` writes it, or any text.
    """
    ordered = sorted(entries, key=_by_outcome)
    of = summary(ordered, started=started, finished=finished)
    scale = _Scale.of(ordered)
    span = _visible(_span(started, finished))
    policy = (
        f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; base-uri 'none';"
        " form-action 'none'"
    )
    bad = of["outcomes"]["failed"] + of["outcomes"]["unknown"]
    return _PAGE.format(
        policy=escape(policy),
        style=_STYLE,
        script=_SCRIPT,
        title=escape(" ".join(part for part in ("Exchange connectors", span) if part)),
        mood="bad" if bad else "soso" if of["stale"] or of["skipped"] else "good",
        verdict=escape(_verdict(of)),
        span=escape(span),
        changed=of["changed"],
        tiles="\n".join(_tile(outcome, of["outcomes"][outcome]) for outcome in OUTCOMES),
        tenants="\n".join(_tenants(ordered)),
        total=of["total"],
        axis=scale.axis(),
        rows="\n".join(_row(one, scale) for one in ordered),
    )


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode('utf-8')).digest()).decode('ascii')}'"


def _shown(text: str) -> str:
    return escape(_visible(text))


def _tile(outcome: str, count: int) -> str:
    none = "" if count else " none"
    return (
        f'<li class="tile {outcome}{none}" data-outcome="{outcome}"><b>{count}</b> <span class="name">{outcome}</span>'
        f" <small>{escape(OUTCOMES[outcome])}</small></li>"
    )


def _tenants(entries: t.Sequence[Entry]) -> t.Iterator[str]:
    """The choices of the filter by tenant, which show at once where the failures are."""
    total = Counter(one.tenant for one in entries)
    failed = Counter(one.tenant for one in entries if one.outcome in ("failed", "unknown"))
    for tenant in sorted(total):
        words = f"{total[tenant]}, {failed[tenant]} failed" if failed[tenant] else f"{total[tenant]}"
        yield f'<option value="{_shown(tenant)}">{_shown(tenant) or "(not known)"} ({words})</option>'


def _row(one: Entry, scale: _Scale) -> str:
    stale = " stale" if is_stale(one) else ""
    return (
        f'<tr class="{_shown(one.outcome)}{stale}">'
        f"<th scope=row>{_shown(one.host)}{_small(one.server_name)}</th>"
        f"<td>{_shown(one.tenant)}</td>"
        f'<td data-v="{_rank(one.outcome)}"><span class=pill>{_shown(one.outcome)}</span>'
        f"{_small('stale' if stale else '')}</td>"
        + _age_cell(one, one.age_before, one.previous_sync_date_time, "")
        + _age_cell(one, one.age_after, one.last_sync_date_time, _minute(one.last_sync_date_time))
        + f"<td>{scale.bars(one)}</td>"
        f"<td>{_shown(one.reason)}{_small(_ids(one))}</td></tr>"
    )


def _small(*lines: str) -> str:
    return "".join(f"<small>{_shown(line)}</small>" for line in lines if line)


def _ids(one: Entry) -> str:
    """What to look for in Intune, and, where there is reason to ask Microsoft's support, what to tell them."""
    wanted = one.outcome in ("failed", "unknown")
    ids = (("connector", one.connector_id), ("request id", one.request_id if wanted else ""))
    return ", ".join(f"{name} {value}" for name, value in ids if value)


def _age_cell(one: Entry, age: int | None, moment: str | None, below: str) -> str:
    words = _age(one, age, moment)
    # "Never" is older than any age; what is not known comes before all of them.
    order = age if age is not None else _OLDEST if words == "never" else -1
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
            elif _age(one, age, moment) == "never":
                shapes.append(f'<rect class="{kind} never" width="{_BAR - 1}"/>')
        if one.max_age:
            shapes.append(f'<path d="M{self.x(one.max_age)} 0v22"/>')
        return f'<svg aria-hidden="true">{"".join(shapes)}</svg>' if shapes else ""


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
<p class="kind">Synchronisation of Exchange connectors</p>
<h1 class="{mood}">{verdict}</h1>
<p><span id="span">{span}</span> <span class="changed">{changed} changed</span></p>
</header>
<main>
<ul id="tiles" aria-label="Connectors by outcome">
{tiles}
</ul>
<div id="filters" role="search" hidden>
<label>Search <input id="search" type="search" autocomplete="off" spellcheck="false"></label>
<label>Tenant <select id="tenant"><option value="" data-all>all tenants</option>
{tenants}
</select></label>
<button id="all" type="button">Show all</button>
</div>
<p id="line"><span id="shown" role="status">{total} connectors</span>
<span id="legend"><span><svg class="key" aria-hidden="true"><rect class="b" width="24"/></svg> age before</span>
<span><svg class="key" aria-hidden="true"><rect class="a" width="24"/></svg> after</span>
<span><svg class="key" aria-hidden="true"><rect class="a late" width="24"/></svg> after, beyond max_age</span>
<span><svg class="key" aria-hidden="true"><rect class="b never" width="24"/></svg> never</span>
<span><svg class="key" aria-hidden="true"><path d="M12 0v10"/></svg> max_age</span> (logarithmic scale)</span></p>
<table id="connectors">
<caption>Connectors, the worst first</caption>
<thead><tr>
<th scope="col" data-sort="text">Host</th>
<th scope="col" data-sort="text">Tenant</th>
<th scope="col" data-sort="number">Outcome</th>
<th scope="col" data-sort="number">Age before</th>
<th scope="col" data-sort="number">Age after</th>
<th scope="col"><span class="unseen">Ages as bars</span>{axis}</th>
<th scope="col" data-sort="text">Reason</th>
</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<p id="nothing" hidden>No connector matches the filters.</p>
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
.failed { --tone: var(--bad); } .unknown { --tone: var(--odd); } .requested { --tone: var(--wait); }
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
th:nth-child(1) { width: 11.5rem; } th:nth-child(2) { width: 10.7rem; } th:nth-child(3) { width: 8.3rem; }
th:nth-child(4) { width: 7.2rem; } th:nth-child(5) { width: 8.4rem; } th:nth-child(6) { width: calc(140px + 1.6rem); }
@media (min-width: 1400px) { th:nth-child(1) { width: 16%; } th:nth-child(2) { width: 14%; } }
td:nth-child(4), td:nth-child(5) { font-variant-numeric: tabular-nums; }
td:nth-child(5) small { white-space: nowrap; }
.pill {
  display: inline-block; padding: 0 0.5rem; border: 1px solid var(--tone); border-radius: 1rem; color: var(--tone);
  white-space: nowrap;
}
.failed .pill, .unknown .pill { background: var(--tone); color: var(--on-bad); font-weight: 600; }
.stale td:nth-child(3) small { color: var(--wait); padding-left: 0.5rem; }

svg { display: block; width: 140px; height: 22px; overflow: visible; }
svg.axis { height: 16px; font-weight: 400; }
.axis text { font-size: 11px; text-anchor: middle; fill: var(--muted); } .axis path { stroke: var(--muted); }
svg.key { display: inline-block; width: 24px; height: 10px; vertical-align: baseline; }
rect { height: 7px; rx: 1.5px; } .b { y: 3px; fill: var(--before); } .a { y: 12px; fill: var(--after); }
.key rect { y: 2px; } .late { fill: var(--late); }
.never { fill: none; stroke: var(--muted); stroke-dasharray: 3 3; }
svg > path { stroke: var(--mark); stroke-width: 1.5; }

@media screen and (max-width: 1200px) {
  table, tbody { display: block; }
  thead { display: block; } thead tr { display: flex; flex-wrap: wrap; gap: 0 1.1rem; }
  thead th { position: static; padding: 0.3rem 0; width: auto !important; } thead th:nth-child(6) { display: none; }
  tbody tr { display: grid; grid-template-columns: 1fr 1fr 140px; gap: 0.15rem 1rem; padding: 0.7rem 0; }
  tbody th, tbody td { padding: 0; width: auto !important; }
  td:nth-child(2) { color: var(--muted); }
  td:nth-child(4)::before { content: "before: "; color: var(--muted); }
  td:nth-child(5)::before { content: "after: "; color: var(--muted); }
  td:nth-child(7) { grid-column: 1 / -1; max-width: 60rem; }
}
@media screen and (max-width: 600px) {
  h1 { font-size: 1.3rem; }
  #filters label { flex-basis: 100%; } #filters input, #filters select { width: 100%; max-width: none; }
  #tiles { grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); } .tile small { display: none; }
  tbody tr { grid-template-columns: 1fr 1fr; }
  td:nth-child(3) { grid-column: 2; grid-row: 1; text-align: right; }
  td:nth-child(2), td:nth-child(6) { grid-column: 1 / -1; }
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
  th, td { padding: 1mm 2mm; } td:nth-child(6) { overflow: hidden; }
  th:nth-child(1) { width: 40mm; } th:nth-child(2) { width: 35mm; } th:nth-child(3) { width: 27mm; }
  th:nth-child(4) { width: 23mm; } th:nth-child(5) { width: 27mm; }
}
"""

_SCRIPT = """
"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const [table, search, tenant, shown] = ["connectors", "search", "tenant", "shown"].map(find);
  const body = table.tBodies[0];
  const tiles = [...document.querySelectorAll(".tile:not(.none)")];
  const rows = Array.from(body.rows, (row) => {
    const cells = Array.from(row.cells, (cell) => cell.textContent);
    return {row, cells, tenant: cells[1], outcome: row.classList[0], text: cells.join("\\n").toLowerCase()};
  });
  const pressed = (tile) => tile.firstChild.getAttribute("aria-pressed") === "true";

  function filter() {
    const outcomes = tiles.filter(pressed).map((tile) => tile.dataset.outcome);
    const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
    let count = 0;
    for (const one of rows) {
      const match = (tenant.selectedIndex < 1 || one.tenant === tenant.value)
        && (!outcomes.length || outcomes.includes(one.outcome))
        && words.every((word) => one.text.includes(word));
      one.row.hidden = !match;
      count += match;
    }
    shown.textContent = (count < rows.length ? count + " of " : "") + rows.length + " connectors";
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
  find("all").addEventListener("click", () => {
    search.value = "";
    tenant.selectedIndex = 0;
    tiles.forEach((tile) => tile.firstChild.setAttribute("aria-pressed", "false"));
    filter();
  });

  const collator = new Intl.Collator("en", {numeric: true});
  for (const header of table.tHead.querySelectorAll("[data-sort]")) {
    const column = header.cellIndex;
    const compare = header.dataset.sort === "number"
      ? (a, b) => a.row.cells[column].dataset.v - b.row.cells[column].dataset.v
      : (a, b) => collator.compare(a.cells[column], b.cells[column]);
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
