# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every sign-in that fails is explained by ``intune_sign_in_info`` at least as well as by the module that it fails."""

from __future__ import annotations

import re
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._kinds import vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SignInCommand, SyncCommand
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context
from simulator import Simulator, World

from . import fronts
from .cells import Cell, cells_of
from .matrix import SECRETS, STRAYS, prepare

pytestmark = pytest.mark.slow

KIND = vpp_token.KIND
# What differs from one try to the next: ids, ports, tenants, how often and for how long something was tried.
_OF_ITS_OWN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|tenant\d+\.example|once|\d+ times|\d+")
# A name that nobody resolves takes its time; and a connection that ends as soon as it is made, was one or was none.
LEFT_OUT = {"DNS": ("",), "connect": ("reset", "closed")}
CELLS = [
    cell
    for cell in cells_of(KIND.name)
    if cell.step.host == "entra"
    and cell.times is None
    and not cell.accept
    and not any(name in cell.way.name for name in LEFT_OUT.get(cell.way.level, ()))
]


def told(command: t.Any, options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> dict[str, t.Any]:
    """What comes of a task with these options."""
    checked = ArgumentSpecValidator(command.argument_spec()).validate(dict(options))
    assert not checked.error_messages
    context = Context(
        check_mode=True,
        environ=environ,
        clock=Clock(),
        warn=lambda _text: None,
        progress=lambda _text: None,
        hide=lambda _secrets: None,
    )
    return shell.outcome(command, checked.validated_parameters, context)


def explained_worse(cells: t.Sequence[Cell], at_once: int) -> list[tuple[Cell, str]]:
    """The cells in which the sign-in fails and is explained worse, with what both say."""
    world = World()
    sync, info = SyncCommand(KIND), SignInCommand([KIND])
    with Simulator(world) as simulator, Simulator(World()) as stranger, fronts.Fronts() as before:
        environ = {
            "IDENTITY_ENDPOINT": simulator.managed_identity_url,
            "IDENTITY_HEADER": world.identity_header,
            "NO_PROXY": "*",
        }

        def compared(number: int, cell: Cell) -> str:
            ends = []
            for turn, command in enumerate((sync, info)):
                host = prepare(2 * number + turn, cell, world, simulator, stranger, before)
                known = command.argument_spec()
                own = {name: value for name, value in host.variables.items() if name in known}
                ends.append(told(command, own, environ))
            by_module, by_info = ends
            assert not any(secret in str(by_info) for secret in SECRETS), cell.name
            if "msg" not in by_module or by_info["signed_in"]:
                # It is Graph that fails it, or something that only a synchronisation comes to.
                return ""
            words = _OF_ITS_OWN.sub("#", by_module["msg"].partition(": ")[2])
            good = words in _OF_ITS_OWN.sub("#", by_info["msg"]) and by_info["problems"]
            return "" if good else f"{cell.name}: {by_module['msg']} | {by_info['msg']}"

        with ThreadPoolExecutor(at_once) as pool:
            said = pool.map(compared, range(len(cells)), cells)
            return [(cell, both) for cell, both in zip(cells, said) if both]


def check(cells: t.Sequence[Cell]) -> None:
    """See that none is explained worse; strays of a busy machine are tried once more, in less company."""
    found = explained_worse(cells, 24)
    if len(found) <= STRAYS:
        found = explained_worse([cell for cell, _both in found], 2)
    assert not found, "\n".join(both for _cell, both in found)


def test_a_sample_of_failing_sign_ins_is_explained() -> None:
    """One of each column at each step."""
    columns = {cell.column: cell for cell in CELLS}
    assert len(columns) > 20
    check([*columns.values()])


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
def test_every_failing_sign_in_is_explained() -> None:
    """All of the matrix."""
    check(CELLS)
