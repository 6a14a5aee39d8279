# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Where the value of an option comes from: the option itself, or a variable of the environment."""

from __future__ import annotations

import typing as t

from .errors import OptionError


class OptionValue(t.NamedTuple):
    """A value and who gave it: ``source`` is the option's or the variable's name, or the option's when unset.

    :param own: whether the variable is one of the task's own ``environment``.
    """

    value: str
    source: str
    from_options: bool
    own: bool = False

    @property
    def distance(self) -> int:
        """How far from the task it was written: 0 in an option, 1 in the task's ``environment``, 2 in that of the run.

        Who writes nearer, in an inventory say, need not know what stands farther away, and must not learn it.
        """
        return 0 if self.from_options else 1 if self.own else 2


def lookup(
    name: str,
    variables: t.Sequence[str],
    options: t.Mapping[str, t.Any],
    environ: t.Mapping[str, str],
    own: t.Container[str] = (),
) -> OptionValue:
    """Look an option up: the option itself, then its environment variables; empty strings count as unset.

    AWX injects an unset credential field as an empty variable, hence the last rule. Ends of lines and marks of byte
    order around a value are none of it: what makes a variable of a file, as Kubernetes does of a secret, keeps them.

    :param own: the names of the variables in ``environ`` that the task's own ``environment`` sets.
    """
    value = _without_ends(options.get(name))
    if value:
        return OptionValue(value, name, True)
    for variable in variables:
        value = _without_ends(environ.get(variable))
        if value:
            return OptionValue(value, variable, False, variable in own)
    return OptionValue("", name, False)


def _without_ends(value: t.Any) -> str:
    return str(value or "").strip("\r\n\ufeff")


def at_least(least: int, options: t.Mapping[str, t.Any], names: t.Iterable[str], unit: str = "seconds") -> None:
    """Check that the numbers among ``options`` are not too small.

    :param unit: what they are numbers of.
    :raises OptionError: one of them is set and less than ``least``.
    """
    for name in names:
        value = options.get(name)
        if value is not None and value < least:
            raise OptionError(f"{name} is {value}", advice=f"give a number of {unit} that is at least {least}")
