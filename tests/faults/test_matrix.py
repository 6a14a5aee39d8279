# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The matrix of faults: wherever and however something fails, what is promised of every task holds."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from simulated import SYNCABLE

from .cells import cells, cells_of
from .matrix import SAMPLE, Ended, run, sample
from .report import Report

pytestmark = pytest.mark.slow


def complaints(ended: list[Ended]) -> str:
    """The cells that are not as promised, with all that helps to understand why."""
    return "\n".join(
        f"{cell.cell.name}: {'; '.join(cell.broken)} ({cell.task.seconds:.1f} s, {dict(cell.task.accepted)} accepted,"
        f" {cell.task.result.get('msg')})"
        for cell in ended
        if cell.broken
    )


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("way", "size"), [("action", SAMPLE), ("module", 20)])
def test_a_sample_of_the_matrix(installed: Path, tmp_path: Path, way: str, size: int) -> None:
    chosen = sample(cells(), size) if way == "action" else cells()[:: len(cells()) // size]
    ended = run(chosen, way=way, collections=installed, folder=tmp_path)
    assert not complaints(ended), complaints(ended)


@pytest.mark.exhaustive
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kind", SYNCABLE)
@pytest.mark.parametrize("way", ["action", "module"])
def test_the_whole_matrix(installed: Path, tmp_path: Path, report: Report, way: str, kind: str) -> None:
    begun = time.monotonic()
    ended = run(cells_of(kind), way=way, collections=installed, folder=tmp_path)
    report.table(f"The matrix of {SYNCABLE[kind].words.many}, as {way}", ended, time.monotonic() - begun)
    assert not complaints(ended), complaints(ended)
