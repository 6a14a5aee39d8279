# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of the matrix for runs that die: wherever and however they do, the next run does what is right."""

from __future__ import annotations

import time
import typing as t
from pathlib import Path

import pytest
from simulated import SYNCABLE

from .killed import DEATHS, PROCESSES, Death, Ended, Way, run, runs_of
from .report import Report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PROCESSES.exists(), reason="processes are looked for in /proc, which is not here"),
]

ROWS: list[tuple[Way, Death]] = [(way, death) for way, deaths in DEATHS.items() for death in deaths]
# In each of these, all steps; and of each death and each kind, one.
SAMPLE: list[tuple[Way, Death, str]] = [
    *(("action", death, kind) for death, kind in zip(DEATHS["action"], SYNCABLE)),
    ("module", "module", [*SYNCABLE][len(DEATHS["action"])]),
    ("exchange_connector_sync", "worker", "exchange_connector"),
    ("tenant_sync", "controller", "vpp_token"),
]


def complaints(ended: list[Ended]) -> str:
    """The cells that are not as they should be."""
    return "\n".join(f"{one.cell.name}: {one.broken}" for one in ended if one.broken)


def _run(kind: str, death: Death, *, folder: Path, **how: t.Any) -> list[Ended]:
    runs = enumerate(runs_of(SYNCABLE[kind], how["way"]))
    return [one for number, cells in runs for one in run(cells, death, folder=folder / str(number), **how)]


@pytest.mark.parametrize(("way", "death", "kind"), SAMPLE)
def test_a_run_that_dies(installed: Path, tmp_path: Path, way: Way, death: Death, kind: str) -> None:
    """At every step, the next run does what is right by what Graph shows, and nothing is left behind."""
    ended = _run(kind, death, way=way, collections=installed, folder=tmp_path)
    assert not complaints(ended), complaints(ended)


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(("way", "death"), ROWS)
def test_every_run_that_dies(installed: Path, tmp_path: Path, report: Report, way: Way, death: Death) -> None:
    """The same in every way, for every kind."""
    begun = time.monotonic()
    ended = [
        one for kind in SYNCABLE for one in _run(kind, death, way=way, collections=installed, folder=tmp_path / kind)
    ]
    report.died(f"Runs that die, as {way}: {death}", ended, time.monotonic() - begun)
    assert not complaints(ended), complaints(ended)
