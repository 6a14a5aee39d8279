# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invariants themselves: they let pass what is true, and nothing else."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind
from simulated import SIMULATED, SYNCABLE, decisive, unshown

from . import matrix
from .cells import Cell, cells, impossible
from .invariants import SHOWS_A_SECRET, Task, broken
from .matrix import SAMPLE, STRAYS, Ended, sample

SENTENCE = "Exchange connector x in tenant y: could not read it; check tenant."


CONNECTOR, TOKEN = SYNCABLE["exchange_connector"], SYNCABLE["vpp_token"]
DEVICE = {"kind": SYNCABLE["managed_device"]}
NONE = dict.fromkeys(
    ("found", "fresh", "left_out", "due", "predicted", "requested", "came_in", "failed", "unknown", "not_asked"), 0
)


def task(
    result: dict[str, t.Any],
    *,
    accepted: int = 0,
    lost: int = 0,
    seconds: float = 1.0,
    others: str = "",
    kind: Kind = CONNECTOR,
) -> Task:
    return Task(kind, result, seconds, 5.0, {"a": accepted}, lost, {"s3cret"}, others)


def done(state: str, *, changed: bool = True, **more: t.Any) -> dict[str, t.Any]:
    return {"changed": changed, "sync": {"state": state}, **more}


def told(counts: dict[str, int], *, changed: bool = True, state: str = "", **more: t.Any) -> dict[str, t.Any]:
    """A result of thousands, with what became of one of them."""
    entry = {"device_id": "a", "changed": changed, "state": state, "failed": "msg" in more}
    entries = [entry] if state else []
    return {"changed": changed, "counts": {**NONE, **counts}, "managed_devices": entries, **more}


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
        ({"changed": True, "vpp_tokens": [{"token_id": "a", **done("requested")}]}, {"accepted": 1, "kind": TOKEN}),
        (done("joined", changed=False), {"others": "a"}),
        (done("joined", changed=False, msg=SENTENCE), {"others": "a"}),
        (done("failed", msg=SENTENCE), {"accepted": 1}),
        (done("failed", changed=False, msg=SENTENCE), {"others": "a"}),
        (done("refused", changed=False, msg=SENTENCE), {}),
        (told({"found": 2, "fresh": 1, "due": 1, "requested": 1}), {"accepted": 1, **DEVICE}),
        (told({"found": 1, "due": 1, "requested": 1, "came_in": 1}, state="completed"), {"accepted": 1, **DEVICE}),
        (told({"found": 1, "due": 1, "unknown": 1}, state="unknown", msg=SENTENCE), {"lost": 1, **DEVICE}),
        (told({"found": 1, "failed": 1}, changed=False, state="refused", msg=SENTENCE), DEVICE),
        (told({"found": 1, "due": 1, "predicted": 1}), DEVICE),
        (done("too_soon", changed=False), {"kind": TOKEN._replace(action=TOKEN.action._replace(interval=600))}),
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
        (done("joined", changed=False), {}, "it says joined, and no other was there to join"),
        (done("joined", changed=False), {"others": "b"}, "it says joined, and no other was there to join"),
        (done("joined"), {"others": "a"}, "none was accepted, and it says that something changed (state joined)"),
        (done("joined", changed=False), {"others": "a", "accepted": 1}, "1 were accepted, and it says that nothing"),
        (done("too_soon", changed=False), {}, "it says too_soon, and no time has to pass"),
        (done("refused", changed=False), {}, "it says refused, and does not fail"),
        (done("failed"), {"accepted": 1}, "it says failed, and does not fail"),
        (done("failed", changed=False, msg=SENTENCE), {}, "it says failed, and none was there to fail"),
        (done("lost", changed=False), {}, "it says lost, which means nothing"),
        (told({"found": 2, "due": 1, "requested": 1}), {"accepted": 1, **DEVICE}, "its counts do not add up"),
        (told({"found": 1, "requested": 1}), {"accepted": 1, **DEVICE}, "not as many were due as it says"),
        (told({"found": 1, "due": 1, "requested": 1}), DEVICE, "it says that 1 were requested, and 0 were accepted"),
        (
            told({"found": 1, "fresh": 1}, changed=False),
            {"accepted": 1, **DEVICE},
            "1 were accepted, and it says that 0",
        ),
        (told({"found": 1, "due": 1, "requested": 1}, changed=False), {"accepted": 1, **DEVICE}, "the whole says"),
        (told({"found": 1, "fresh": 1}), DEVICE, "the whole says other than its parts"),
        (
            told({"found": 1, "due": 1, "unknown": 1}, state="unknown", msg=SENTENCE),
            DEVICE,
            "it does not know what all others know",
        ),
        (told({"found": 1, "due": 1, "failed": 1}, changed=False), DEVICE, "1 failed, and the task did not fail"),
        (
            told({"found": 1, "due": 1, "failed": 1}, changed=False, msg=SENTENCE),
            DEVICE,
            "it tells of 0, of which 1 failed",
        ),
        (told({"found": 1, "fresh": 1}, changed=False, state="lost"), DEVICE, "it says lost, which means nothing"),
        (
            told({"found": 1, "due": 1, "requested": 1}, state="fresh"),
            {"accepted": 1, **DEVICE},
            "it says changed: True of one that is fresh",
        ),
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


def test_every_kind_that_can_be_synchronised_is_tried() -> None:
    missing = SYNCABLE.keys() - SIMULATED.keys()
    assert not missing, f"tests/simulated.py has no line for {', '.join(sorted(missing))}"
    assert {cell.kind.name for cell in cells()} == SYNCABLE.keys()


def test_what_decides_is_found_by_reading() -> None:
    assert decisive(CONNECTOR) == ("id", "lastSyncDateTime", "status")
    times = ("lastModifiedDateTime", "expirationDateTime")
    assert {*decisive(TOKEN)} == {"id", "lastSyncDateTime", "lastSyncStatus", "state", *times}
    assert (unshown(CONNECTOR), unshown(TOKEN)) == ((), ("token",))


def test_the_matrix_leaves_nothing_out_without_a_reason() -> None:
    whole = cells()
    assert len({cell.name for cell in whole}) == len(whole)
    assert not any(impossible(cell.step, cell.way, cell.times, cell.accept) for cell in whole)


def test_the_sample_has_something_of_everything() -> None:
    whole = cells()
    # The least there is: the kinds take turns.
    small = sample(whole, 0)
    assert {cell.column for cell in small} == {cell.column for cell in whole}
    assert len(small) < 400
    assert {(cell.kind.name, cell.step.name) for cell in small} == {(cell.kind.name, cell.step.name) for cell in whole}
    # With room for it, all that each of them does.
    own = {(cell.kind.name, cell.column) for cell in whole if cell.is_of_its_kind}
    large = sample(whole, len({cell.column for cell in whole}) + len(own))
    assert {(cell.kind.name, cell.column) for cell in large if cell.is_of_its_kind} == own
    assert len(sample(whole, SAMPLE)) <= SAMPLE


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
