# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.


"""The report of a run over many objects: a table for the screen, and files of HTML, JSON and CSV.

Every text may come from Graph or from a host, so each form makes it harmless by its own rules.
"""

from __future__ import annotations

import csv
import io
import json
import re
import typing as t
import unicodedata
from pathlib import PurePath

from .._ground import errors
from .._ground.words import Words
from .fleet_page import to_html
from .fleet_summary import (
    OUTCOMES,
    THING,
    THINGS,
    Entry,
    by_outcome,
    of_tenants,
    only_looked,
    span_of,
    summary,
    verdict,
    visible,
)
from .prometheus_text import to_prometheus
from .reasons import by_reason


def table(of: t.Mapping[str, t.Any], words: t.Mapping[str, Words], width: int = 100, most: int = 50) -> str:
    """Write a summary for people who read a job's output: counts first, then by name what needs them.

    :param of: what :func:`summary` or :func:`limited` returned.
    :param words: what the objects of each kind are called, by its name.
    :param width: columns of a line at most, 60 at least; wide characters count as two.
    :param most: rows of each list at most; the others are counted.
    :returns: lines without trailing newline, colours or control characters.
    """
    width = max(width, 60)
    lines = _wrap(verdict(of, words), width)
    span = visible(span_of(of["started"], of["finished"]))
    lines += _wrap(span, width) if span else []
    lines.append("")
    digits = max(5, len(str(of["total"])))
    names = max(map(len, of["outcomes"]))
    for outcome, count in of["outcomes"].items():
        meaning = OUTCOMES[outcome]
        cells = [f"{count:>{digits}}", outcome, meaning if count else ""]
        lines += _columns(cells, [digits, names, width - digits - names - 4])
    changed = f"{of['changed']} {'would change' if only_looked(of) else 'changed'}"
    what = f"{THING if of['total'] == 1 else THINGS}" if "tenants" in of else "in all"
    lines.append(f"{of['total']:>{digits}}  {what}, {changed}")
    if "tenants" in of:
        empty = f", {of['tenants']['empty']} of them with none of the chosen kinds" if of["tenants"]["empty"] else ""
        total = of["tenants"]["total"]
        lines.append(f"{total:>{digits}}  tenant{'' if total == 1 else 's'}{empty}")

    shown = {name: _by_reason(of[name], most) for name in of["more"]}
    columns = _OF_TENANTS if "tenants" in of else _OF_CONNECTORS
    rows = [_cells(item, columns, words) for groups in shown.values() for group in groups for item in group.shown]
    widths = _widths(rows, columns, width - 4)
    for name, groups in shown.items():
        count = len(of[name]) + of["more"][name]
        if count:
            lines.append("")
            title = f"{name.replace('_', ' ').upper()} ({count})"
            lines += _columns([title, *(one.title for one in columns[1:])], [widths[0] + 4, *widths[1:]])
        for group in groups:
            lines += ["  " + line for line in _wrap(visible(group.reason), width - 2)] if group.reason else []
            for item in group.shown:
                lines += ["    " + line for line in _columns(_cells(item, columns, words), widths)]
            if group.more:
                lines.append(f"    and {group.more} more")
        if of["more"][name]:
            lines.append(f"  and {of['more'][name]} more, each told by its own result")
    return "\n".join(lines)


class _Column(t.NamedTuple):
    """A column of the lists: its name in a summary, its title, and the least and the greatest part of a line."""

    name: str
    title: str
    least: int
    part: float


_OF_CONNECTORS = (
    _Column("host", "", 15, 0.45),
    _Column("tenant", "tenant", 6, 0.35),
    _Column("age", "age", 3, 0.2),
)
_OF_TENANTS = (
    _Column("host", "", 15, 0.3),
    _Column("kind", "kind", 4, 0.22),
    _Column("name", "name", 4, 0.25),
    _Column("age", "age", 3, 0.12),
    _Column("days_left", "days left", 9, 0.11),
)


def _cells(item: t.Mapping[str, t.Any], columns: t.Sequence[_Column], words: t.Mapping[str, Words]) -> list[str]:
    """What a list says of an object in each column."""
    found = []
    for column in columns:
        value = item[column.name]
        if column.name == "kind":
            value = words[value].one
        found.append("" if value is None else visible(str(value)))
    return found


def to_json(
    entries: t.Iterable[Entry], *, started: str = "", finished: str = "", tenants: t.Mapping[str, str] | None = None
) -> str:
    """Write a run as JSON, in ASCII: ``summary``, as :func:`summary` returns it, and ``connectors``, all entries.

    Of tenants, the entries are ``connectors_and_tokens``, and ``tenants`` names the host and the tenant of each.
    """
    ordered = sorted(entries, key=by_outcome)
    wide = of_tenants(ordered, tenants)
    fields = _fields(wide)
    document: dict[str, t.Any] = {
        "summary": summary(ordered, started=started, finished=finished, tenants=tenants),
        "connectors_and_tokens" if wide else "connectors": [
            {told: getattr(one, name) for told, name in fields.items()} for one in ordered
        ],
    }
    if wide:
        hosts = {**(tenants or {}), **{one.host: one.tenant for one in ordered}}
        document["tenants"] = [{"host": host, "tenant": hosts[host]} for host in sorted(hosts)]
    return json.dumps(document, indent=2) + "\n"


def to_csv(entries: t.Iterable[Entry], *, tenants: t.Mapping[str, str] | None = None) -> str:
    r"""Write a run as CSV (RFC 4180): a header with the names of :class:`Entry`, and a line for each object.

    Of tenants, ``id`` and ``name`` are those of a thing of any kind.

    A cell that a spreadsheet would take for a formula, since it begins with ``=``, ``+``, ``-``, ``@``, a tab or the
    end of a line, gets an apostrophe in front, and so does what would be such a cell to a spreadsheet that separates
    by semicolons, bars, colons and the like. Control characters are written as escapes, such as ``\x1b``. What is not
    known is empty.
    """
    file = io.StringIO(newline="")
    # Quoted all of it, so that one of these separates nothing in the first cell of a line, and commas nowhere.
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    ordered = sorted(entries, key=by_outcome)
    fields = _fields(of_tenants(ordered, tenants))
    writer.writerow(fields)
    for one in ordered:
        writer.writerow(_cell(getattr(one, name)) for name in fields.values())
    return file.getvalue()


# What a report of connectors alone does not tell: the kind is plain, and they do not expire.
_ONLY_OF_TENANTS = ("kind", "expires_date_time", "days_left", "expires_soon")
_TOLD_AS = {"connector_id": "id", "server_name": "name"}


def _fields(wide: bool) -> dict[str, str]:
    """The fields of the entries that are told, by what they are called there."""
    if wide:
        return {_TOLD_AS.get(name, name): name for name in Entry._fields}
    return {name: name for name in Entry._fields if name not in _ONLY_OF_TENANTS}


# Where a formula begins: at the start of a cell, or behind what separates cells by the region or by choice, as quotes
# between them are taken away in reading. The last four are the wide forms of the first four signs, which East Asian
# settings take for the same.
_FORMULA = re.compile(r"""\A(?=[\t\r\n])|(?:\A|(?<=[;|,:^~]))(?=[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    # A number is no formula, whatever its sign.
    return str(value) if isinstance(value, int) else visible(_FORMULA.sub("'", str(value)))


def form_of(path: str) -> str:
    """Tell the form of a report, ``html``, ``json``, ``csv`` or ``prom``, by the extension of its path.

    :raises OptionError: it is none of them.
    """
    form = _FORMS.get(PurePath(path).suffix.lower())
    if form is None:
        raise errors.OptionError(
            f"the path of a report must end in .html, .json, .csv or .prom, unlike {visible(path)!r}"
        )
    return form


_FORMS = {".html": "html", ".htm": "html", ".json": "json", ".csv": "csv", ".prom": "prom"}


def render(
    path: str,
    entries: t.Iterable[Entry],
    words: t.Mapping[str, Words],
    *,
    started: str = "",
    finished: str = "",
    tenants: t.Mapping[str, str] | None = None,
) -> str:
    """Write the report that belongs into the file at ``path``, which is not touched; encode it as UTF-8.

    :param words: what the objects of each kind are called, by its name.
    :param started: a time as :func:`timestamps.text` writes it, or any text.
    :param tenants: as for :func:`summary`.
    :raises OptionError: as :func:`form_of` does.
    """
    form = form_of(path)
    if form == "csv":
        return to_csv(entries, tenants=tenants)
    if form == "json":
        return to_json(entries, started=started, finished=finished, tenants=tenants)
    if form == "prom":
        return to_prometheus(entries, report=PurePath(path).stem, finished=finished, tenants=tenants)
    table_of_tenants = to_csv(entries, tenants=tenants) if of_tenants(entries, tenants) else ""
    return to_html(entries, words, started=started, finished=finished, tenants=tenants, as_csv=table_of_tenants)


class _Group(t.NamedTuple):
    """What has the same reason: some of it, and how much more there is."""

    reason: str
    shown: list[dict[str, t.Any]]
    more: int


def _by_reason(items: t.Sequence[dict[str, t.Any]], most: int) -> list[_Group]:
    """Put together what has the same reason, and show each reason at least once.

    :param most: rows in all, but one of each reason.
    """
    groups = by_reason(items, lambda item: item["reason"])
    left = max(0, most - len(groups))
    found = []
    for reason, group in groups:
        rows = min(len(group), 1 + left)
        left -= rows - 1
        found.append(_Group(reason, group[:rows], len(group) - rows))
    return found


def _widths(rows: t.Sequence[t.Sequence[str]], columns: t.Sequence[_Column], width: int) -> list[int]:
    """Share a line between columns that are two spaces apart."""
    room = width - 2 * (len(columns) - 1)
    widths = []
    for number, column in enumerate(columns):
        widest = max((_columns_of(row[number]) for row in rows), default=0)
        widths.append(min(max(widest, column.least), int(room * column.part)))
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
