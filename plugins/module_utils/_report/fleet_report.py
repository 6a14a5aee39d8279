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
    LISTS,
    OUTCOMES,
    Entry,
    by_outcome,
    has_kinds,
    only_looked,
    span_of,
    summary,
    verdict,
    visible,
)


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
    names = max(map(len, OUTCOMES))
    for outcome, meaning in OUTCOMES.items():
        count = of["outcomes"][outcome]
        cells = [f"{count:>{digits}}", outcome, meaning if count else ""]
        lines += _columns(cells, [digits, names, width - digits - names - 4])
    lines.append(f"{of['total']:>{digits}}  in all, {of['changed']} {'would change' if only_looked(of) else 'changed'}")

    shown = {name: _by_reason(of[name], most) for name in LISTS}
    widths = _widths([item for groups in shown.values() for group in groups for item in group.shown], width - 4)
    for name, groups in shown.items():
        count = len(of[name]) + of["more"][name]
        if count:
            lines.append("")
            lines += _columns([f"{name.upper()} ({count})", "tenant", "age"], [widths[0] + 4, *widths[1:]])
        for group in groups:
            lines += ["  " + line for line in _wrap(visible(group.reason), width - 2)] if group.reason else []
            for item in group.shown:
                cells = [visible(item[column]) for column in ("host", "tenant", "age")]
                lines += ["    " + line for line in _columns(cells, widths)]
            if group.more:
                lines.append(f"    and {group.more} more")
        if of["more"][name]:
            lines.append(f"  and {of['more'][name]} more, each told by its own result")
    return "\n".join(lines)


def to_json(entries: t.Iterable[Entry], *, started: str = "", finished: str = "") -> str:
    """Write a run as JSON, in ASCII: ``summary``, as :func:`summary` returns it, and ``connectors``, all entries."""
    ordered = sorted(entries, key=by_outcome)
    fields = _fields(ordered)
    document = {
        "summary": summary(ordered, started=started, finished=finished),
        "connectors": [{name: getattr(one, name) for name in fields} for one in ordered],
    }
    return json.dumps(document, indent=2) + "\n"


def to_csv(entries: t.Iterable[Entry]) -> str:
    r"""Write a run as CSV (RFC 4180): a header with the names of :class:`Entry`, and a line for each object.

    A cell that a spreadsheet would take for a formula, since it begins with ``=``, ``+``, ``-``, ``@``, a tab or the
    end of a line, gets an apostrophe in front, and so does what would be such a cell to a spreadsheet that separates
    by semicolons, bars, colons and the like. Control characters are written as escapes, such as ``\x1b``. What is not
    known is empty.
    """
    file = io.StringIO(newline="")
    # Quoted all of it, so that one of these separates nothing in the first cell of a line, and commas nowhere.
    writer = csv.writer(file, quoting=csv.QUOTE_ALL)
    ordered = sorted(entries, key=by_outcome)
    fields = _fields(ordered)
    writer.writerow(fields)
    for one in ordered:
        writer.writerow(_cell(getattr(one, name)) for name in fields)
    return file.getvalue()


def _fields(entries: t.Iterable[Entry]) -> list[str]:
    """The fields of the entries that are told: the kind where it is not plain."""
    return [name for name in Entry._fields if name != "kind" or has_kinds(entries)]


# Where a formula begins: at the start of a cell, or behind what separates cells by the region or by choice, as quotes
# between them are taken away in reading. The last four are the wide forms of the first four signs, which East Asian
# settings take for the same.
_FORMULA = re.compile(r"""\A(?=[\t\r\n])|(?:\A|(?<=[;|,:^~]))(?=[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return visible(_FORMULA.sub("'", str(value)))


def form_of(path: str) -> str:
    """Tell the form of a report, ``html``, ``json`` or ``csv``, by the extension of its path.

    :raises OptionError: it is none of them.
    """
    form = _FORMS.get(PurePath(path).suffix.lower())
    if form is None:
        raise errors.OptionError(f"the path of a report must end in .html, .json or .csv, unlike {visible(path)!r}")
    return form


_FORMS = {".html": "html", ".htm": "html", ".json": "json", ".csv": "csv"}


def render(
    path: str, entries: t.Iterable[Entry], words: t.Mapping[str, Words], *, started: str = "", finished: str = ""
) -> str:
    """Write the report that belongs into the file at ``path``, which is not touched; encode it as UTF-8.

    :param words: what the objects of each kind are called, by its name.
    :param started: a time as :func:`timestamps.text` writes it, or any text.
    :raises OptionError: as :func:`form_of` does.
    """
    form = form_of(path)
    if form == "csv":
        return to_csv(entries)
    if form == "json":
        return to_json(entries, started=started, finished=finished)
    return to_html(entries, words, started=started, finished=finished)


class _Group(t.NamedTuple):
    """What has the same reason: some of it, and how much more there is."""

    reason: str
    shown: list[dict[str, t.Any]]
    more: int


# Times, which differ although the reason is the same.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def _by_reason(items: t.Sequence[dict[str, t.Any]], most: int) -> list[_Group]:
    """Put together what has the same reason but for times, the most frequent first, and show each reason at least once.

    :param most: rows in all, but one of each reason.
    """
    groups: dict[str, list[dict[str, t.Any]]] = {}
    for item in items:
        groups.setdefault(_TIME.sub("...", item["reason"].strip()), []).append(item)
    left = max(0, most - len(groups))
    found = []
    for reason, group in sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        rows = min(len(group), 1 + left)
        left -= rows - 1
        said = {item["reason"].strip() for item in group}
        found.append(_Group(said.pop() if len(said) == 1 else reason, group[:rows], len(group) - rows))
    return found


def _widths(items: t.Sequence[dict[str, t.Any]], width: int) -> list[int]:
    """Share a line between host, tenant and age, two spaces apart."""
    room = width - 4
    widths = []
    for name, least, part in (("host", 15, 0.45), ("tenant", 6, 0.35), ("age", 3, 0.2)):
        widest = max((_columns_of(visible(item[name])) for item in items), default=0)
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
