# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Text from elsewhere: made safe to print, and read as JSON within limits."""

from __future__ import annotations

import json
import re
import typing as t

from . import secrecy

# A longer message is cut: it is a page or a dump, and the task's output is read by people.
_LONGEST = 400


# Graph's deepest answer, that to a batch, has ten levels; Python, Ansible and msal all stumble over hundreds.
_MOST_LEVELS = 100


# A page of a thousand devices has some thousand objects with 60 values each. In Python's memory, the smallest object
# takes a hundred times what it takes in JSON.
_MOST_CONTAINERS = 200_000


_MOST_VALUES = 1_000_000


# Of three braces, two are left if only the first is parted.
_TEMPLATE = re.compile(r"\{(?=[{%#])")


# What is searched of text that is no JSON: patterns take their time over megabytes.
SEARCHED = 8192


def one_line(text: str) -> str:
    """Make text from elsewhere safe to print: one line, no control characters, not too long, no part of a secret."""
    line = _on_one_line(text)
    # What stays as it is gets masked with all that is returned.
    if line != text or len(line) > _LONGEST or secrecy.may_hide(line):
        line = _on_one_line(secrecy.masked(text))
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3].rstrip() + "..."


def no_template(text: str) -> str:
    """Make text from elsewhere mean itself where Ansible evaluates it, such as in variables of a run.

    What begins a template is parted by a blank; people read it as it was.
    """
    return _TEMPLATE.sub("{ ", text)


def _on_one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def json_of(body: bytes | str) -> t.Any:
    """Read JSON in any of its Unicode encodings.

    :raises ValueError: it is none, or one nested so deep, or in so many parts, that only an attacker would.
    """
    many = [body.count(sign if isinstance(body, str) else sign.encode()) for sign in "[{,"]  # type: ignore[arg-type]
    if many[0] + many[1] > _MOST_CONTAINERS or sum(many) > _MOST_VALUES:
        raise ValueError("in too many parts")
    try:
        document = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    level, levels = [document], 0
    while level:
        levels += 1
        if levels > _MOST_LEVELS:
            raise ValueError("nested too deep")
        level = [value for part in level for value in _values(part)]
    return document


def _values(part: t.Any) -> t.Iterable[t.Any]:
    if isinstance(part, dict):
        return part.values()
    return part if isinstance(part, list) else ()


def text_of(body: bytes | str) -> str:
    """Read text in any of the Unicode encodings of JSON; what is none is replaced."""
    return body if isinstance(body, str) else body.decode(json.detect_encoding(body), errors="replace")
