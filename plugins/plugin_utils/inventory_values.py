# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""Values from elsewhere as variables of hosts, which Ansible never takes for templates."""

from __future__ import annotations

import re
import typing as t

from ansible import template
from ansible.utils.unsafe_proxy import wrap_var

# From ansible-core 2.19 on, what is not trusted is no template, and is marked in what ansible-inventory prints.
_trusted: t.Callable[[str], str] = getattr(template, "trust_as_template", str.__str__)

# No delimiter of a template; and nothing that calls or filters, should somebody evaluate what a template gave again.
_NO_TEMPLATE = re.compile(r"[\w .,:;@/&!?=+-]*")


def unsafe(value: t.Any) -> t.Any:
    """Have Ansible never take ``value``, or anything in it, for a template.

    Newer ansible-core trusts no value that it is not told to trust, but a cache may have told it so, which wrap_var()
    takes back there. Older ones need the mark. Texts that cannot be a template, nor a part of one, go without it and
    are trusted, because the mark shows in what ansible-inventory prints, and AWX would keep it. Braces do not tell: one
    that begins with ``#jinja2:`` needs none.
    """
    return _each_text(value, wrap_var)


def unmarked(value: t.Any) -> t.Any:
    """The same value, whose texts that cannot be a template go without the mark of :func:`unsafe`; others stay."""
    return _each_text(value, lambda text: text)


def _each_text(value: t.Any, other: t.Callable[[t.Any], t.Any]) -> t.Any:
    if isinstance(value, str):
        return _trusted(str.__str__(value)) if _NO_TEMPLATE.fullmatch(value) else other(value)
    if isinstance(value, dict):
        # Names have no mark in JSON.
        return {
            name if _NO_TEMPLATE.fullmatch(str(name)) else other(name): _each_text(entry, other)
            for name, entry in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_each_text(entry, other) for entry in value]
    return value
