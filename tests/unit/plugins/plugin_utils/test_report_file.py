# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import socket
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.plugin_utils import report_file


def link(path: Path) -> None:
    (path.parent / "victim").write_text("as it was")
    path.symlink_to(path.parent / "victim")


def bound(path: Path) -> None:
    os.chdir(path.parent)  # the name of a socket is short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(path.name)


NO_FILES: dict[str, tuple[t.Callable[[Path], None], str]] = {
    "link": (link, "is a symbolic link"),
    "dangling": (lambda path: path.symlink_to(path.parent / "nothing"), "is a symbolic link"),
    "directory": (Path.mkdir, "is a directory"),
    "fifo": (os.mkfifo, "is a FIFO"),
    "socket": (bound, "is a socket"),
}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", NO_FILES)
def test_only_a_regular_file_is_written(tmp_path: Path, name: str) -> None:
    make, said = NO_FILES[name]
    path = tmp_path / "x.json"
    make(path)
    with pytest.raises(OptionError, match=said):
        report_file.check(str(path))
    # It may have come since it was checked.
    warning = report_file.write(str(path), "{}")
    assert warning
    assert said in warning
    assert "name a regular file" in warning
    assert not (tmp_path / "nothing").exists()
    assert name != "link" or (tmp_path / "victim").read_text() == "as it was"


@pytest.mark.parametrize("where", ["looked at", "opened"])
def test_what_takes_the_place_of_the_file_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, where: str
) -> None:
    """Somebody may put a FIFO or a link there after the look."""
    fifo, hidden = tmp_path / "fifo.json", tmp_path / "link.json"
    os.mkfifo(fifo)
    link(hidden)
    if where == "opened":
        monkeypatch.setattr(report_file, "check", lambda _path: None)
    assert report_file.write(str(fifo), "{}")
    assert report_file.write(str(hidden), "{}")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    warning = report_file.write(str(fifo), "{}")
    assert warning
    assert "is a FIFO" in warning
    assert os.read(reader, 1) == b""
    os.close(reader)
    assert (tmp_path / "victim").read_text() == "as it was"


def test_a_device_is_not_opened() -> None:
    with pytest.raises(OptionError, match="is a device"):
        report_file.check(os.devnull)


@pytest.mark.parametrize("path", ["a\0.html", "\ud800.html", "folder\0/x.csv"])
def test_what_is_no_name_of_a_file_is_told_before_and_after(path: str) -> None:
    with pytest.raises(OptionError, match="cannot be the name of a file"):
        report_file.check(path)
    warning = report_file.write(path, "")
    assert warning
    assert warning.isprintable()
    assert "cannot be the name of a file" in warning


@pytest.mark.parametrize("path", ["nowhere/x.json", "x.json/x.json", f"{'x' * 300}.json"])
def test_what_may_yet_be_mended_is_a_warning_in_the_end(path: str) -> None:
    Path("x.json").touch()
    report_file.check(path)
    warning = report_file.write(path, "{}")
    assert warning
    assert f"The report could not be written to {path}: " in warning
    assert "in report_path" in warning


def test_text_that_is_none_is_a_warning() -> None:
    warning = report_file.write("x.json", "\ud800")
    assert warning
    assert "UTF-8" in warning


def test_a_new_report_is_for_the_user_alone_and_an_old_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "x.html"
    before = os.umask(0)
    try:
        report_file.check(str(path))
        assert report_file.write(str(path), "longer, ä") is None
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text(encoding="utf-8") == "longer, ä"
    path.chmod(0o644)
    assert report_file.write(str(path), "short") is None
    assert path.stat().st_mode & 0o777 == 0o644
    assert path.read_text(encoding="utf-8") == "short"


def test_half_a_report_is_none(tmp_path: Path) -> None:
    """Whether the disk is full, or the file may grow no more."""
    path = tmp_path / "x.csv"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        warning = report_file.write(str(path), "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert warning
    assert "File too large" in warning
    assert path.read_text() == ""


def test_nothing_is_left_open(tmp_path: Path) -> None:
    open_before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0
    for _time in range(5):
        report_file.write(str(tmp_path / "x.json"), "{}")
        report_file.write(str(tmp_path), "{}")
    assert not open_before or len(list(Path("/proc/self/fd").iterdir())) <= open_before


def test_a_report_for_prometheus_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    """The collector looks at any time, as another user: it reads the old or the new file, and no half."""
    path = tmp_path / "x.prom"
    before = os.umask(0o077)
    try:
        assert report_file.write(str(path), "new 1\n") is None
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o640)
    with path.open(encoding="utf-8") as reader:
        assert report_file.write(str(path), "newer 1\n") is None
        assert reader.read() == "new 1\n"
    assert path.read_text(encoding="utf-8") == "newer 1\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


def test_a_relative_path_for_prometheus_is_written_beside_itself(tmp_path: Path) -> None:
    assert report_file.write("x.prom", "a 1\n") is None
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


@pytest.mark.parametrize("name", NO_FILES)
def test_a_report_for_prometheus_replaces_only_a_regular_file(tmp_path: Path, name: str) -> None:
    make, said = NO_FILES[name]
    path = tmp_path / "x.prom"
    make(path)
    assert said in (report_file.write(str(path), "a 1\n") or "")
    assert not [one for one in tmp_path.iterdir() if one.name.endswith(".tmp")]
    assert name != "link" or (tmp_path / "victim").read_text() == "as it was"


def test_half_a_report_for_prometheus_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "x.prom"
    path.write_text("old 1\n")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        warning = report_file.write(str(path), "x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert "File too large" in (warning or "")
    assert path.read_text() == "old 1\n"
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]


def test_what_a_killed_run_left_beside_a_report_for_prometheus_is_removed(tmp_path: Path) -> None:
    """It keeps the old report whole, and is removed once nobody can be writing it any more."""
    path = tmp_path / "x.prom"
    path.write_text("old 1\n")

    def die(file: int, content: bytes) -> None:
        os.write(file, content[:3])
        os.kill(os.getpid(), signal.SIGKILL)

    def run() -> None:
        report_file._write_all = die  # noqa: SLF001
        report_file.write(str(path), "new 1\n")

    killed = multiprocessing.get_context("fork").Process(target=run)
    killed.start()
    killed.join(10)
    assert killed.exitcode == -signal.SIGKILL
    (left,) = [one for one in tmp_path.iterdir() if one != path]
    assert (path.read_text(), left.read_text()) == ("old 1\n", "new")
    report_file.write(str(path), "newer 1\n")
    assert left.exists(), "another run may be writing it"
    long_ago = time.time() - 7200
    os.utime(left, (long_ago, long_ago))
    report_file.write(str(path), "newest 1\n")
    assert [one.name for one in tmp_path.iterdir()] == ["x.prom"]
