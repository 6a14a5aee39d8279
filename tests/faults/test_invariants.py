# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invariants themselves: they let pass what is true, and nothing else."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from . import matrix
from .cells import Cell, cells, impossible
from .invariants import SHOWS_A_SECRET, Task, broken
from .matrix import STRAYS, Ended, sample

SENTENCE = "Exchange connector x in tenant y: could not read it; check tenant."


def task(result: dict[str, t.Any], *, accepted: int = 0, lost: int = 0, seconds: float = 1.0) -> Task:
    return Task(result, seconds, 5.0, {"a": accepted}, lost, {"s3cret"})


def done(state: str, *, changed: bool = True, **more: t.Any) -> dict[str, t.Any]:
    return {"changed": changed, "sync": {"state": state}, **more}


@pytest.mark.parametrize(
    ("good", "keywords"),
    [
        (done("fresh", changed=False), {}),
        (done("completed"), {"accepted": 1}),
        (done("completed"), {"accepted": 2, "lost": 1}),
        (done("unknown", msg=SENTENCE), {"lost": 2}),
        (done("unknown", msg=SENTENCE), {"accepted": 1, "lost": 1}),
        ({"changed": False, "msg": SENTENCE}, {}),
        ({"changed": True, "connectors": [{"connector_id": "a", **done("requested")}]}, {"accepted": 1}),
    ],
)
def test_what_is_as_promised(good: dict[str, t.Any], keywords: dict[str, t.Any]) -> None:
    assert broken(task(good, **keywords)) == []


@pytest.mark.parametrize(
    ("bad", "keywords", "complaint"),
    [
        (done("fresh", changed=False), {"accepted": 1}, "1 were accepted, and it says that nothing changed"),
        (done("completed"), {}, "none was accepted, and it says that something changed"),
        (done("completed"), {"accepted": 3, "lost": 2}, "3 were accepted"),
        (done("completed"), {"accepted": 2}, "two were accepted, although no answer was lost"),
        (done("unknown", msg=SENTENCE), {}, "it does not know what all others know"),
        (done("unknown"), {"lost": 1}, "it does not know, and does not fail"),
        (done("requested", changed=False), {}, "it says requested, and none was accepted"),
        ({"msg": SENTENCE}, {}, "it says changed: None"),
        ({"changed": False, "connectors": [{"connector_id": "a", **done("requested")}]}, {"accepted": 1}, "the whole"),
        ({"changed": False, "msg": "No."}, {}, "its message is no sentence"),
        ({"changed": False, "msg": SENTENCE[:-1]}, {}, "its message is no sentence"),
        ({"changed": False, "msg": SENTENCE.replace(" ", "\n")}, {}, "its message is no sentence"),
        ({"changed": False, "msg": SENTENCE * 50}, {}, "its message has"),
        ({"changed": False, "msg": f"x: an error inside graphops.intune, {SENTENCE}"}, {}, "it failed where nobody"),
        ({"changed": False, "msg": SENTENCE, "x": "Traceback (most recent"}, {}, "it ended in a traceback"),
        ({"changed": False, "msg": SENTENCE, "x": [{"y": "my s3cret"}]}, {}, "it shows a secret"),
        (done("fresh", changed=False), {"seconds": 5.1}, "it took 5.1 s, more than 5.0 s"),
    ],
)
def test_what_is_not(bad: dict[str, t.Any], keywords: dict[str, t.Any], complaint: str) -> None:
    assert complaint in " | ".join(broken(task(bad, **keywords)))


def test_the_matrix_leaves_nothing_out_without_a_reason() -> None:
    whole = cells()
    assert len({cell.name for cell in whole}) == len(whole)
    assert not any(impossible(*cell) for cell in whole)
    columns = {(cell.step.name, cell.way.level, cell.way.group) for cell in whole}
    chosen = sample(whole, 400)
    assert {(cell.step.name, cell.way.level, cell.way.group) for cell in chosen} == columns
    assert len(chosen) < 500


@pytest.mark.parametrize(
    ("complaints", "runs", "left"),
    [
        # By the number of the cell: what is said of it at each try.
        ({0: ["late"]}, 2, []),
        ({0: ["late"], 1: ["late", "late"]}, 3, []),
        ({0: ["late"], 1: ["wrong", "wrong", "wrong"]}, 3, ["wrong"]),
        ({0: ["late"], 1: [SHOWS_A_SECRET]}, 1, ["late", SHOWS_A_SECRET]),
        ({number: ["late"] for number in range(STRAYS + 1)}, 1, ["late"] * (STRAYS + 1)),
    ],
)
def test_what_a_busy_machine_breaks_holds_at_another_try(
    monkeypatch: pytest.MonkeyPatch, complaints: dict[int, list[str]], runs: int, left: list[str]
) -> None:
    chosen = cells()[:20]
    said = {chosen[number].name: list(of_a_cell) for number, of_a_cell in complaints.items()}
    tried: list[int] = []

    def once(some: t.Sequence[Cell], *_how: t.Any) -> list[Ended]:
        tried.append(len(some))
        good = task(done("completed"), accepted=1)
        return [Ended(cell, good, 1, [said[cell.name].pop(0)] if said.get(cell.name) else []) for cell in some]

    monkeypatch.setattr(matrix, "_run", once)
    ended = matrix.run(chosen, way="action", collections=Path(), folder=Path())
    assert [cell.cell for cell in ended] == chosen
    assert [complaint for cell in ended for complaint in cell.broken] == left
    assert len(tried) == runs
