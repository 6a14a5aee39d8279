# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One token for all processes: who signs in, who waits, what is remembered, and who may read it."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import signal
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils import errors, retries, token_cache
from ansible_collections.graphops.intune.plugins.module_utils.token_cache import Sharing, Token, TokenCache

KEY = b"k" * 32
FORK = multiprocessing.get_context("fork")


class SignIn:
    """Gives token-1, token-2, ... or raises."""

    def __init__(self, *, good_for: float = 3300, error: Exception | None = None) -> None:
        self.good_for = good_for
        self.error = error
        self.calls = 0

    def __call__(self) -> Token:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return Token(f"token-{self.calls}", self.good_for)


def cache(
    folder: Path, timing: retries.Timing | None = None, identity: t.Sequence[t.Any] = ("app", "secret")
) -> TokenCache:
    found = token_cache.of_identity(Sharing(str(folder), KEY), identity, timing or retries.Timing())
    assert found is not None
    return found


def only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


# Decisions


def test_the_second_reads_what_the_first_got(tmp_path: Path, clock: t.Any) -> None:
    sign_in = SignIn()
    assert cache(tmp_path, clock.timing).token(sign_in) == Token("token-1", 3300)
    clock.pass_by(300)
    assert cache(tmp_path, clock.timing).token(sign_in) == Token("token-1", 3000)
    assert sign_in.calls == 1


def test_a_token_at_its_end_is_replaced(tmp_path: Path, clock: t.Any) -> None:
    sign_in = SignIn()
    cache(tmp_path, clock.timing).token(sign_in)
    clock.pass_by(3299)
    assert cache(tmp_path, clock.timing).token(sign_in).value == "token-1"
    clock.pass_by(1)
    assert cache(tmp_path, clock.timing).token(sign_in) == Token("token-2", 3300)
    assert cache(tmp_path, clock.timing).token(sign_in).value == "token-2"


def test_a_refused_token_is_replaced_once(tmp_path: Path, clock: t.Any) -> None:
    sign_in = SignIn()
    here, there = cache(tmp_path, clock.timing), cache(tmp_path, clock.timing)
    here.token(sign_in)
    there.token(sign_in)
    assert here.token(sign_in, refused="token-1").value == "token-2"
    assert there.token(sign_in, refused="token-1").value == "token-2"
    assert sign_in.calls == 2


def test_identities_do_not_share(tmp_path: Path, clock: t.Any) -> None:
    sign_in = SignIn()
    cache(tmp_path, clock.timing, ("app", "secret")).token(sign_in)
    assert cache(tmp_path, clock.timing, ("app", "other")).token(sign_in).value == "token-2"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_refusal_holds_for_half_a_minute(tmp_path: Path, clock: t.Any) -> None:
    refused = SignIn(error=errors.SignInError("refused", advice="check it", request_id="r-1"))
    with pytest.raises(errors.SignInError):
        cache(tmp_path, clock.timing).token(refused)
    clock.pass_by(30)
    with pytest.raises(errors.SignInError) as caught:
        cache(tmp_path, clock.timing).token(refused)
    assert (caught.value.sentence(), caught.value.request_id) == ("refused; check it.", "r-1")
    assert refused.calls == 1
    clock.pass_by(1)
    assert cache(tmp_path, clock.timing).token(SignIn()).value == "token-1"


def test_a_refusal_does_not_outlast_a_clock_that_is_set_back(tmp_path: Path, clock: t.Any) -> None:
    with pytest.raises(errors.SignInError):
        cache(tmp_path, clock.timing).token(SignIn(error=errors.SignInError("refused")))
    clock.pass_by(-3600)
    assert cache(tmp_path, clock.timing).token(SignIn()).value == "token-1"


def test_an_outage_holds_for_those_who_waited_only(tmp_path: Path, clock: t.Any) -> None:
    down = SignIn(error=errors.Unavailable("down"))
    with pytest.raises(errors.Unavailable):
        cache(tmp_path, clock.timing).token(down)
    clock.pass_by(1)
    with pytest.raises(errors.Unavailable):
        cache(tmp_path, clock.timing).token(down)
    assert down.calls == 2


@pytest.mark.parametrize("error", [errors.OptionError("no file"), KeyboardInterrupt()])
def test_other_ends_are_not_remembered(tmp_path: Path, clock: t.Any, error: t.Any) -> None:
    with pytest.raises(type(error)):
        cache(tmp_path, clock.timing).token(SignIn(error=error))
    assert cache(tmp_path, clock.timing).token(SignIn()).value == "token-1"


# The file


def test_only_its_owner_can_read_it_and_its_name_tells_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        modes = []

        def sign_in() -> Token:
            modes.append(stat.S_IMODE(only_file(tmp_path).stat().st_mode))
            return Token("token", 60)

        cache(tmp_path).token(sign_in)
    finally:
        os.umask(before)
    path = only_file(tmp_path)
    assert [*modes, stat.S_IMODE(path.stat().st_mode)] == [0o600, 0o600]
    for key in (b"other" * 8, b""):
        other = token_cache.of_identity(Sharing(str(tmp_path), key), ("app", "secret"), retries.Timing())
        assert other is not None
        other.token(SignIn())
    assert len(list(tmp_path.iterdir())) == 3, "the name needs the key"


def foreign_link(path: Path) -> None:
    target = path.parent / "target"
    target.write_text(json.dumps({"token": "planted", "good_until": 1e12}))
    target.chmod(0o600)
    path.symlink_to(target)


def hard_link(path: Path) -> None:
    target = path.parent / "target"
    target.write_text(json.dumps({"token": "planted", "good_until": 1e12}))
    target.chmod(0o600)
    os.link(target, path)


def open_to_others(path: Path) -> None:
    path.write_text(json.dumps({"token": "planted", "good_until": 1e12}))
    path.chmod(0o644)


def of_another(path: Path) -> None:
    path.write_text(json.dumps({"token": "planted", "good_until": 1e12}))
    path.chmod(0o600)
    os.chown(path, 12345, 12345)


def a_folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize("plant", [foreign_link, hard_link, open_to_others, of_another, a_folder])
def test_what_is_not_ours_is_neither_read_nor_written(tmp_path: Path, plant: t.Callable[[Path], None]) -> None:
    if plant is of_another and os.getuid():
        pytest.skip("only root gives files away")
    cache(tmp_path).token(SignIn())
    path = only_file(tmp_path)
    path.unlink()
    plant(path)
    before = path.read_text() if path.is_file() else ""
    sign_in = SignIn()
    for number in (1, 2):
        assert cache(tmp_path).token(sign_in).value == f"token-{number}"
    assert (path.read_text() if path.is_file() else "") == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"token": "tok',
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"token": 7, "good_until": 1e12}',
        b'{"token": "x", "good_until": "later"}',
        b'{"failure": "refused", "at": 1e12}',
        b'{"failure": ["refused"], "said": {}}',
        b"[" * 100_000,
    ],
)
def test_what_makes_no_sense_is_ignored(tmp_path: Path, content: bytes) -> None:
    cache(tmp_path).token(SignIn())
    only_file(tmp_path).write_bytes(content)
    sign_in = SignIn()
    assert cache(tmp_path).token(sign_in).value == "token-1"
    assert cache(tmp_path).token(sign_in).value == "token-1", "and mended"


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    sign_in = SignIn()
    assert cache(tmp_path / "missing").token(sign_in).value == "token-1"
    assert cache(tmp_path / "missing").token(sign_in).value == "token-2"
    assert cache(Path("/dev/null")).token(sign_in).value == "token-3"


@pytest.mark.parametrize("function", ["flock", "none"])
def test_where_locks_do_not_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    def no_lock(*_args: t.Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    if function == "flock":
        monkeypatch.setattr(token_cache.fcntl, "flock", no_lock)
        sign_in = SignIn()
        assert cache(tmp_path).token(sign_in).value == "token-1"
        assert cache(tmp_path).token(sign_in).value == "token-2"
        assert only_file(tmp_path).read_bytes() == b""
    else:
        monkeypatch.setattr(token_cache, "HAS_FCNTL", False)
        assert token_cache.of_identity(Sharing(str(tmp_path), KEY), ("app",), retries.Timing()) is None


def test_a_full_disk_costs_nobody_his_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: t.Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(token_cache.os, "pwrite", full)
    assert cache(tmp_path).token(SignIn()).value == "token-1"


def test_without_sharing_there_is_no_cache() -> None:
    assert token_cache.of_identity(None, ("app",), retries.Timing()) is None


def test_no_descriptor_is_left_or_inherited(tmp_path: Path) -> None:
    inside: list[bytes] = []
    before = len(list(Path("/proc/self/fd").iterdir()))

    def sign_in() -> Token:
        inside.append(subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, check=True).stdout)
        return Token("token", 60)

    cache(tmp_path).token(sign_in)
    assert b"graphops-intune" not in inside[0]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# Processes


def _worker(folder: Path, log: Path, fails: str, start: t.Any) -> None:
    def sign_in() -> Token:
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.3)
        if fails == "refused":
            raise errors.SignInError("refused", request_id="r")
        if fails:
            raise errors.Unavailable("down")
        return Token(f"token-{os.getpid()}", 3300)

    start.wait()
    try:
        got = cache(folder).token(sign_in).value
    except errors.IntuneError as error:
        got = error.what
    (log.parent / f"got-{os.getpid()}").write_text(got)


@pytest.mark.parametrize("fails", ["", "refused", "down"])
def test_of_many_at_once_one_signs_in(tmp_path: Path, fails: str) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    start = FORK.Event()
    workers = [FORK.Process(target=_worker, args=(folder, tmp_path / "log", fails, start)) for _number in range(12)]
    for worker in workers:
        worker.start()
    time.sleep(0.3)
    start.set()
    for worker in workers:
        worker.join(30)
    assert len((tmp_path / "log").read_text().split()) == 1
    assert len({path.read_text() for path in tmp_path.glob("got-*")}) == 1
    assert len(list(tmp_path.glob("got-*"))) == 12


def test_the_death_of_the_one_who_signs_in_blocks_nobody(tmp_path: Path) -> None:
    reached = FORK.Event()

    def hang() -> Token:
        reached.set()
        time.sleep(60)
        return Token("never", 60)

    holder = FORK.Process(target=lambda: cache(tmp_path).token(hang))
    holder.start()
    assert reached.wait(10)
    got = FORK.Queue()
    waiter = FORK.Process(target=lambda: got.put(cache(tmp_path).token(SignIn()).value))
    waiter.start()
    time.sleep(0.3)
    assert waiter.is_alive(), "it waits"
    os.kill(t.cast(int, holder.pid), signal.SIGKILL)
    assert got.get(timeout=10) == "token-1"
    for process in (holder, waiter):
        process.join(10)


class Alarm(BaseException):
    """What Ansible's timeout raises: no Exception."""


def test_who_waits_can_be_interrupted(tmp_path: Path) -> None:
    reached = FORK.Event()

    def hang() -> Token:
        reached.set()
        time.sleep(60)
        return Token("never", 60)

    def ring(*_args: t.Any) -> None:
        raise Alarm

    holder = FORK.Process(target=lambda: cache(tmp_path).token(hang))
    holder.start()
    assert reached.wait(10)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Alarm):
            cache(tmp_path).token(SignIn())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        holder.kill()
        holder.join(10)


def test_a_client_secret_needs_no_cryptography() -> None:
    """It takes long to load; the certificate alone needs it."""
    code = (
        "import sys; from ansible_collections.graphops.intune.plugins.module_utils import shell, sync, identity;"
        "assert identity.HAS_MSAL; sys.exit('cryptography' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
