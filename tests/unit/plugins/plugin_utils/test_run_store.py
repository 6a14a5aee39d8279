# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one worker leaves to the next."""

from __future__ import annotations

import errno
import multiprocessing
import os
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.graphops.intune.plugins.plugin_utils.run_store import RunStore


def test_values_are_kept_by_key_in_order(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))
    for value in ({"ü": 1}, ["two"], None):
        store.append("a", value)
        store.append("b", "other")
    assert store.values("a") == [{"ü": 1}, ["two"], None]
    assert store.take("a") == [{"ü": 1}, ["two"], None]
    assert store.take("a") == []
    assert store.values("b") == ["other"] * 3


def test_it_has_no_name(tmp_path: Path) -> None:
    RunStore(str(tmp_path)).append("a", "secret")
    assert list(tmp_path.iterdir()) == []


def test_processes_share_it(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path))

    def work(number: int) -> None:
        for turn in range(50):
            store.append("a", [number, turn, "x" * 5000])
        os._exit(0)

    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    found = store.take("a")
    assert sorted((number, turn) for number, turn, _text in found) == [
        (n, turn) for n in range(4) for turn in range(50)
    ]


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    store = RunStore(str(tmp_path / "nowhere"))
    with pytest.raises(AnsibleError, match="nowhere: no file can be made there; see ANSIBLE_LOCAL_TEMP"):
        store.append("a", 1)


def test_what_fits_in_part_only_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = RunStore(str(tmp_path))
    store.append("a", 1)
    write = os.pwrite
    left = [5]

    def pwrite(file: int, content: bytes, place: int) -> int:
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(file, content[: left.pop()], place)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(AnsibleError, match="No space left on device"):
        store.append("a", "something longer")
    monkeypatch.undo()
    store.append("a", 2)
    assert store.values("a") == [1, 2]
