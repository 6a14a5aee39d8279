# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.


"""Reasons that say the same of many objects, put together."""

from __future__ import annotations

import re
import typing as t

Item = t.TypeVar("Item")

# What differs although the reason is the same: times and never, ages, days, and ids.
_PARTICULAR = re.compile(
    r"\d{4}-\d\d-\d\dT[\d:.]+Z"
    r"|(?<=\bis )never\b"
    r"|\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|(?<=\brequest id )[^\s,;()]+"
    r"|\b\d+ (?:d|h|min|s)\b(?: \d+ (?:h|min|s)\b)?"
    r"|\bin \d+ days?\b|\bwithin a day\b|\b\d+ days?(?= ago\b)"
)


def by_reason(items: t.Iterable[Item], reason_of: t.Callable[[Item], str]) -> list[tuple[str, list[Item]]]:
    """Put together what has the same reason but for times, ages, days and ids.

    :param reason_of: the reason of an item, in words.
    :returns: each reason with its items in their order, the most frequent first; what differs in it is written ``...``,
        and what all of its items share as it is.
    """
    groups: dict[tuple[str, ...], list[tuple[Item, list[str]]]] = {}
    for item in items:
        reason = reason_of(item).strip()
        groups.setdefault(tuple(_PARTICULAR.split(reason)), []).append((item, _PARTICULAR.findall(reason)))
    found = [(_shared(fixed, [said for _item, said in group]), group) for fixed, group in groups.items()]
    found.sort(key=lambda pair: (-len(pair[1]), pair[0]))
    return [(reason, [item for item, _said in group]) for reason, group in found]


def _shared(fixed: t.Sequence[str], said: t.Sequence[t.Sequence[str]]) -> str:
    """Write a reason with those of its particulars that are always the same."""
    parts = [fixed[0]]
    for values, following in zip(zip(*said), fixed[1:]):
        parts += [values[0] if len({*values}) == 1 else "...", following]
    return "".join(parts)
