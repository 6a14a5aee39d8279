# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Options that no Ansible has looked at: checked against an argument spec, and read as Ansible reads them."""

from __future__ import annotations

import difflib
import os
import typing as t

from .errors import OptionError

_WORDS_OF_BOOL = {
    **dict.fromkeys(("y", "yes", "on", "1", "true", "t"), True),
    **dict.fromkeys(("n", "no", "off", "0", "false", "f"), False),
}


def read_options(given: t.Mapping[t.Any, t.Any], spec: t.Mapping[str, t.Any], where: str = "") -> dict[str, t.Any]:
    """Read options that were given in a file.

    An option that is null counts as not given, as it does in a playbook.

    :param spec: an argument spec. Of Ansible's types it may have str, path, int, bool, raw, and lists of them.
    :param where: what the sentence says after an option's name, such as ``of tenant Contoso``; "" for nothing.
    :returns: by name, all options of the spec; None for what is not given and has no default.
    :raises OptionError: an option is not known, given twice, missing, or cannot be right.
    """
    names = {alias: name for name, option in spec.items() for alias in (name, *option.get("aliases", ()))}
    found: dict[str, tuple[str, t.Any]] = {}
    for said, value in given.items():
        if said not in names:
            raise _unknown(str(said), names, where)
        if value is None:
            continue
        name = names[said]
        if name in found:
            raise OptionError(f"{found[name][0]} and {said}{_of(where)} are the same option", advice="give one of them")
        found[name] = said, value
    return {
        name: _value(*found[name], option, where) if name in found else _default(name, option, where)
        for name, option in spec.items()
    }


def _of(where: str) -> str:
    return f" {where}" if where else ""


def _unknown(said: str, names: t.Iterable[str], where: str) -> OptionError:
    close = difflib.get_close_matches(said, [*names], n=1)
    # A secret that stands where a name should be is longer than any name.
    shown = repr(said) if len(said) <= 40 else "a text of more than 40 characters"
    return OptionError(
        f"{shown}{_of(where)} is no option of this plugin",
        advice=f"is {close[0]} meant" if close else "leave it out",
    )


def _default(name: str, option: t.Mapping[str, t.Any], where: str) -> t.Any:
    if option.get("required"):
        raise OptionError(f"{name}{_of(where)} is not given", advice="give it")
    return option.get("default")


def _value(said: str, value: t.Any, option: t.Mapping[str, t.Any], where: str) -> t.Any:
    """The value of an option, in the type that it has."""
    if option["type"] == "list":
        # A text with commas is a list to Ansible too, and what a template gives.
        parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            raise _wrong(said, value, "a list", option, where)
        return [_single(said, part, option["elements"], option, where) for part in parts]
    return _single(said, value, option["type"], option, where)


def _single(said: str, value: t.Any, type_: str, option: t.Mapping[str, t.Any], where: str) -> t.Any:
    if type_ == "raw":
        return value
    if type_ in ("str", "path"):
        # A template of digits has become a number on its way here.
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise _wrong(said, value, "a text, in quotes if it looks like something else", option, where)
        text = str(value)
        if type_ == "path":
            text = os.path.expanduser(os.path.expandvars(text))  # noqa: PTH111
        choices = option.get("choices")
        if choices and text not in choices:
            raise _wrong(said, value, f"one of {', '.join(choices)}", option, where)
        return text
    if type_ == "bool":
        word = value if isinstance(value, bool) else _WORDS_OF_BOOL.get(str(value).strip().lower())
        if word is None:
            raise _wrong(said, value, "true or false", option, where)
        return word
    return _number(said, value, option, where)


def _number(said: str, value: t.Any, option: t.Mapping[str, t.Any], where: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        return int(value)
    raise _wrong(said, value, "a whole number", option, where)


def _wrong(said: str, value: t.Any, wanted: str, option: t.Mapping[str, t.Any], where: str) -> OptionError:
    simple = isinstance(value, (str, int, float)) and not option.get("no_log")
    shown = repr(value) if simple and len(str(value)) <= 60 else f"a value of the type {type(value).__name__}"
    return OptionError(f"{said}{_of(where)} is {shown}", advice=f"give {wanted}")
