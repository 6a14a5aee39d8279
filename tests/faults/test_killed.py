# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the matrix for runs that die: wherever and however they do, the next run does what is right."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from simulated import SYNCABLE
from simulator import Hold, Simulator, World

from .killed import DEATHS, PROCESSES, TO_BEGIN, Death, Ended, Place, Way, prepare, run, runs_of, wait_for, write
from .report import Report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROCESSES.exists(), reason="processes are looked for in /proc, which is not here"),
]

ROWS: list[tuple[Way, Death]] = [(way, death) for way, deaths in DEATHS.items() for death in deaths]
# In each of these, all steps; and of each death and each kind, one.
SAMPLE: list[tuple[Way, Death, str]] = [
    *(("action", death, kind) for death, kind in zip(DEATHS["action"], SYNCABLE)),
    ("module", "module", list(SYNCABLE)[len(DEATHS["action"])]),
    ("exchange_connector_sync", "worker", "exchange_connector"),
    ("tenant_sync", "controller", "vpp_token"),
]


def complaints(ended: list[Ended]) -> str:
    """The cells that are not as they should be."""
    return "\n".join(f"{one.cell.name}: {one.broken}" for one in ended if one.broken)


def _run(kind: str, death: Death, *, way: Way, collections: Path, folder: Path) -> list[Ended]:
    ended: list[Ended] = []
    for number, cells in enumerate(runs_of(SYNCABLE[kind], way)):
        ended += run(cells, death, way=way, collections=collections, folder=folder / str(number))
    return ended


@pytest.mark.parametrize(("way", "death", "kind"), SAMPLE)
def test_a_run_that_dies(installed: Path, tmp_path: Path, way: Way, death: Death, kind: str) -> None:
    """At every step, the next run does what is right by what Graph shows, and nothing is left behind."""
    ended = _run(kind, death, way=way, collections=installed, folder=tmp_path)
    assert not complaints(ended), complaints(ended)


def test_a_module_that_dies_leaves_no_secret_with_pipelining(installed: Path, tmp_path: Path) -> None:
    """Without it, Ansible sends a module with its options in a file, which nobody removes when all of it dies."""
    ((cell, *_others),) = runs_of(SYNCABLE["vpp_token"], "module")
    ended = run([cell], "everything", way="module", collections=installed, folder=tmp_path, pipelining=True)
    assert not complaints(ended), complaints(ended)


def test_nobody_waits_for_a_lock_of_the_dead(installed: Path, tmp_path: Path) -> None:
    """One of four workers signs in for all of them when it dies, and so does their controller."""
    hold, kind = Hold(), SYNCABLE["vpp_token"]
    with Simulator(World()) as simulator:
        ((cell, *_others),) = runs_of(kind, "action")
        given, _token = prepare(simulator, cell, "contoso.example", hold, "action")
        place = Place(tmp_path, installed, "-i", "hosts.json", "playbook.yml")
        write(tmp_path, kind, "action", dict.fromkeys("abcd", given))
        controller = place.start()
        try:
            assert wait_for(lambda: hold.requests and len(place.locks()[1]) == 3, TO_BEGIN)
            os.killpg(controller.pid, signal.SIGKILL)
            (holder,) = place.locks()[0]
            os.kill(holder, signal.SIGKILL)
            assert wait_for(lambda: not list(place.processes), 10), "they wait for the dead"
        finally:
            place.processes.kill(lambda _number, _command: True)
            controller.communicate(timeout=TO_BEGIN)
        assert [request.where for request in simulator.world.requests if request.where == "token"] == ["token"]
        assert not place.left()


@pytest.mark.exhaustive
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("way", "death"), ROWS)
def test_every_run_that_dies(installed: Path, tmp_path: Path, report: Report, way: Way, death: Death) -> None:
    """The same in every way, for every kind."""
    begun = time.monotonic()
    ended = [
        one for kind in SYNCABLE for one in _run(kind, death, way=way, collections=installed, folder=tmp_path / kind)
    ]
    report.died(f"Runs that die, as {way}: {death}", ended, time.monotonic() - begun)
    assert not complaints(ended), complaints(ended)
