# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Why a way to sign in is taken and no other, and where each of the options comes from: names, and no values."""

from __future__ import annotations

import typing as t

from .._ground.option_values import OptionValue
from . import method_cli, method_msi, method_oidc
from .identity import with_variables
from .method import Given, Method, is_or_are, listed
from .methods import METHODS


def sources(values: t.Mapping[str, OptionValue]) -> dict[str, str]:
    """Where the value of each option comes from: ``option``, the name of a variable, or ``default``."""
    return {
        name: "option" if value.from_options else value.source if value.value else "default"
        for name, value in values.items()
    }


def passed_over(given: Given, taken: Method | None) -> list[dict[str, t.Any]]:
    """The ways that ``auth_source: auto`` comes to before the one that it takes, and for which something is given.

    :param taken: None if no way is complete.
    :returns: of each, what is given and missing of it, by the names of options and variables, and why it is not taken.
    """
    found = []
    for method in METHODS[: METHODS.index(taken)] if taken in METHODS else METHODS:
        there = [given.values[name].source for name in method.options if given.values[name].value]
        missing = method.missing(given.values)
        if not there or not (missing or taken):
            continue
        lacks = listed([with_variables(name) for name in missing])
        why = f"{lacks} {is_or_are(missing)} not given"
        if not missing:
            why = "the environment proves it, and an option proves the one that is taken"
        found.append({"auth_source": method.source, "given": there, "missing": missing, "why": why})
    return found


def reason(auth_source: str, given: Given, taken: Method) -> str:
    """Why a way is taken, as a clause.

    :param auth_source: what the user says, ``auto`` included.
    """
    if auth_source != "auto":
        return f"auth_source is {auth_source}"
    if taken is method_msi.METHOD:
        return "nothing is given that proves who signs in, and Azure announces a managed identity on this host"
    if taken is method_cli.METHOD:
        return "nothing is given that proves who signs in, and the program az is installed"
    if taken is method_oidc.OF_RUNNER:
        return "nothing is given that proves who signs in, and the runner of this job gives federated tokens"
    proofs = listed([value.source for value in taken.proven_by(given.values)])
    return f"it is the first in the order of auth_source auto that is complete, by {proofs}"
