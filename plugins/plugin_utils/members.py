# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""What a host of a fleet wants, read from its variables as the role's user wrote them."""

from __future__ import annotations

import difflib
import os
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.graphops.intune.plugins.module_utils._ground import option_values
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity
from ansible_collections.graphops.intune.plugins.module_utils._sync import options
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import json_values

# How alike two names are of which one is taken for the other misspelt; 1 is the same.
_ALIKE = 0.75


def with_plain_paths(spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same argument spec with paths as texts; what makes paths of them is :func:`at_home`.

    For a path, Ansible puts in the variables of the environment, and whoever writes an inventory's values must not read
    it by them.
    """
    return {name: {**how, "type": "str"} if how["type"] == "path" else how for name, how in spec.items()}


class Variables:
    """The variables of a role over a fleet.

    :param role: its name, with which they begin.
    :param spec: the argument spec of what a host may say.
    :param others: options that the module has and the role has not.
    :param other: what to say of these, a clause.
    """

    def __init__(self, role: str, spec: t.Mapping[str, t.Any], others: t.Collection[str] = (), other: str = "") -> None:
        self.prefix = f"{role}_"
        self.spec = with_plain_paths(spec)
        self.paths = [name for name, how in spec.items() if how["type"] == "path"]
        aliases = {alias for how in spec.values() for alias in how.get("aliases", ())}
        # What they are called behind the prefix.
        self._known = sorted({*options.fleet_spec(), *spec, *aliases})
        self._others, self._other = others, other

    def misspelt(self, variables: t.Mapping[str, t.Any]) -> tuple[list[str], list[str]]:
        """What is wrong with variables that look like the role's, and what is only worth a warning."""
        wrong, warnings = [], []
        prefix = self.prefix
        for variable in sorted(name for name in variables if isinstance(name, str) and name.startswith(prefix)):
            word = variable[len(prefix) :]
            if word in self._known:
                continue
            alike = difflib.get_close_matches(word, self._known, n=1, cutoff=_ALIKE)
            if alike:
                wrong.append(f"{variable} is no variable of the role; did you mean {prefix}{alike[0]}?")
            elif word in self._others:
                wrong.append(f"{variable} is no variable of the role, {self._other}; remove it.")
            else:
                warnings.append(f"{variable} is no variable of the role, so it has no effect.")
        return wrong, warnings


class Found(t.NamedTuple):
    """What a host is and wants; plain values, so that one worker can leave it to another.

    :param tenant: its tenant as far as it is named.
    :param params: what the role's options are for it.
    :param environment: the variables that its task has beside those of the run.
    :param check_mode: whether its task predicts only.
    :param wrong: why these cannot be used, as a sentence; "" if they can.
    :param warnings: sentences that the user should read.
    :param secrets: what must not be shown.
    """

    host: str
    tenant: str
    params: dict[str, t.Any]
    environment: dict[str, str]
    check_mode: bool
    wrong: str
    warnings: list[str]
    secrets: list[str]


def read(
    of_role: Variables,
    host: str,
    variables: t.Mapping[str, t.Any],
    templar: t.Any,
    own: t.Mapping[str, str],
    *,
    check_mode: bool,
) -> Found:
    """Read what a host wants.

    :param of_role: the role's variables.
    :param variables: all that a task of the host sees.
    :param templar: Ansible's, with these variables.
    :param own: the environment that its task has beside that of the run.
    :param check_mode: whether its task predicts only.
    """
    nothing = templar.template(variables.get("omit"))
    values: dict[str, t.Any] = {}
    prefix = of_role.prefix
    wrong, warnings = of_role.misspelt(variables)
    hidden: set[str] = set()
    for option, how in of_role.spec.items():
        named: dict[str, t.Any] = {}
        for word in (option, *how.get("aliases", ())):
            raw = variables.get(prefix + word)
            if raw is None:
                continue
            if how.get("no_log"):
                hidden.add(str(raw))
            try:
                # What is omitted is an error by itself, and left out of a mapping.
                got = templar.template({word: raw}).get(word)
            except AnsibleError as error:
                # Ansible repeats what it cannot evaluate.
                why = "" if how.get("no_log") else f": {error.message}"
                wrong.append(f"{prefix}{word} cannot be used{why}; correct this variable of the host.")
                continue
            if got not in (None, "", nothing):
                named[prefix + word] = json_values(got)
        if len({str(value) for value in named.values()}) > 1:
            wrong.append(f"{' and '.join(named)} are the same option but differ for this host; set one of them.")
        if named:
            values[option] = next(iter(named.values()))
    checked = ArgumentSpecValidator(dict(of_role.spec)).validate(values)
    params = dict(checked.validated_parameters)
    params.update({name: at_home(params[name]) for name in of_role.paths if params.get(name)})
    environ = {**os.environ, **own}
    hidden.update(checked._no_log_values)  # noqa: SLF001
    hidden.update(identity.secrets(params, environ))
    if checked.error_messages:
        wrong.append(f"A variable {prefix}... of this host is not right: {checked.errors.msg}; correct it.")
    return Found(
        host=host,
        tenant=option_values.lookup("tenant", identity.IDENTITY_VARIABLES["tenant"], params, environ).value,
        params=json_values(params),
        environment=dict(own),
        check_mode=check_mode,
        wrong=wrong[0] if wrong else "",
        warnings=warnings,
        secrets=sorted(hidden),
    )


def at_home(path: str) -> str:
    """The path with its tilde replaced, if it begins with one."""
    return os.path.expanduser(path)  # noqa: PTH111 - as Ansible does, and without an error for a user that is none
