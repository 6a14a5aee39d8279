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
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._identity import token_cache
from ansible_collections.graphops.intune.plugins.module_utils._identity.token_cache import Sharing, Token, TokenCache

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


@pytest.fixture
def shared(tmp_path: Path) -> t.Iterator[Sharing]:
    found = token_cache.sharing_in(str(tmp_path))
    assert found is not None
    yield found
    os.close(found.file)


def cache(shared: Sharing, clock: Clock | None = None, identity: t.Sequence[t.Any] = ("app", "secret")) -> TokenCache:
    found = token_cache.of_identity(shared, identity, clock or Clock())
    assert found is not None
    return found


# Decisions


def test_the_second_reads_what_the_first_got(shared: Sharing, clock: t.Any) -> None:
    sign_in = SignIn()
    assert cache(shared, clock.handed).token(sign_in) == Token("token-1", 3300)
    clock.pass_by(300)
    assert cache(shared, clock.handed).token(sign_in) == Token("token-1", 3000)
    assert sign_in.calls == 1


def test_a_token_at_its_end_is_replaced(shared: Sharing, clock: t.Any) -> None:
    sign_in = SignIn()
    cache(shared, clock.handed).token(sign_in)
    clock.pass_by(3299)
    assert cache(shared, clock.handed).token(sign_in).value == "token-1"
    clock.pass_by(1)
    assert cache(shared, clock.handed).token(sign_in) == Token("token-2", 3300)
    assert cache(shared, clock.handed).token(sign_in).value == "token-2"


def test_a_refused_token_is_replaced_once(shared: Sharing, clock: t.Any) -> None:
    sign_in = SignIn()
    here, there = cache(shared, clock.handed), cache(shared, clock.handed)
    here.token(sign_in)
    there.token(sign_in)
    assert here.token(sign_in, refused="token-1").value == "token-2"
    assert there.token(sign_in, refused="token-1").value == "token-2"
    assert sign_in.calls == 2


def test_identities_do_not_share(shared: Sharing, clock: t.Any) -> None:
    sign_in = SignIn()
    cache(shared, clock.handed, ("app", "secret")).token(sign_in)
    assert cache(shared, clock.handed, ("app", "other")).token(sign_in).value == "token-2"
    for identity, token in ((("app", "secret"), "token-1"), (("app", "other"), "token-2")):
        assert cache(shared, clock.handed, identity).token(sign_in).value == token


def test_a_refusal_holds_for_half_a_minute(shared: Sharing, clock: t.Any) -> None:
    refused = SignIn(error=errors.SignInError("refused", advice="check it", request_id="r-1"))
    with pytest.raises(errors.SignInError):
        cache(shared, clock.handed).token(refused)
    clock.pass_by(30)
    with pytest.raises(errors.SignInError) as caught:
        cache(shared, clock.handed).token(refused)
    assert (caught.value.sentence(), caught.value.request_id) == ("refused; check it.", "r-1")
    assert refused.calls == 1
    clock.pass_by(1)
    assert cache(shared, clock.handed).token(SignIn()).value == "token-1"


def test_a_refusal_does_not_outlast_a_clock_that_is_set_back(shared: Sharing, clock: t.Any) -> None:
    with pytest.raises(errors.SignInError):
        cache(shared, clock.handed).token(SignIn(error=errors.SignInError("refused")))
    clock.pass_by(-3600)
    assert cache(shared, clock.handed).token(SignIn()).value == "token-1"


def test_an_outage_holds_for_those_who_waited_only(shared: Sharing, clock: t.Any) -> None:
    down = SignIn(error=errors.Unavailable("down"))
    with pytest.raises(errors.Unavailable):
        cache(shared, clock.handed).token(down)
    clock.pass_by(1)
    with pytest.raises(errors.Unavailable):
        cache(shared, clock.handed).token(down)
    assert down.calls == 2


@pytest.mark.parametrize("error", [errors.OptionError("no file"), KeyboardInterrupt()])
def test_other_ends_are_not_remembered(shared: Sharing, clock: t.Any, error: t.Any) -> None:
    with pytest.raises(type(error)):
        cache(shared, clock.handed).token(SignIn(error=error))
    assert cache(shared, clock.handed).token(SignIn()).value == "token-1"


# The file


def test_it_has_no_name(shared: Sharing, tmp_path: Path) -> None:
    def sign_in() -> Token:
        assert not list(tmp_path.iterdir())
        return Token("token", 60)

    cache(shared).token(sign_in)
    assert not list(tmp_path.iterdir())
    status = os.fstat(shared.file)
    assert status.st_nlink == 0
    assert status.st_size


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
@pytest.mark.parametrize("whole", [True, False])
def test_what_makes_no_sense_is_ignored(shared: Sharing, content: bytes, whole: bool) -> None:
    cache(shared).token(SignIn())
    if not whole:
        (name,) = json.loads(os.pread(shared.file, 10_000, 0))
        content = b'{"%s": %s}' % (name.encode(), content)
    os.ftruncate(shared.file, 0)
    os.pwrite(shared.file, content, 0)
    sign_in = SignIn()
    assert cache(shared).token(sign_in).value == "token-1"
    assert cache(shared).token(sign_in).value == "token-1", "and mended"


@pytest.mark.parametrize("folder", ["/nowhere", "/dev/null"])
def test_a_folder_that_cannot_be_used(folder: str) -> None:
    assert token_cache.sharing_in(folder) is None


def test_where_locks_do_not_work(shared: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_lock(*_args: t.Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(token_cache.fcntl, "lockf", no_lock)
    sign_in = SignIn()
    assert cache(shared).token(sign_in).value == "token-1"
    assert cache(shared).token(sign_in).value == "token-2"
    assert os.fstat(shared.file).st_size == 0


def test_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "HAS_FCNTL", False)
    assert token_cache.sharing_in(str(tmp_path)) is None


def test_a_full_disk_costs_nobody_his_token(shared: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: t.Any) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(token_cache.os, "pwrite", full)
    assert cache(shared).token(SignIn()).value == "token-1"


def test_without_sharing_there_is_no_cache() -> None:
    assert token_cache.of_identity(None, ("app",), Clock()) is None


def test_no_other_program_inherits_it(shared: Sharing) -> None:
    inside: list[str] = []

    def sign_in() -> Token:
        listing = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=True)
        inside.append(listing.stdout)
        return Token("token", 60)

    cache(shared).token(sign_in)
    assert "pipe:" in inside[0]
    assert "(deleted)" not in inside[0]


# Processes


def _worker(shared: Sharing, log: Path, fails: str, start: t.Any) -> None:
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
        got = cache(shared).token(sign_in).value
    except errors.IntuneError as error:
        got = error.what
    (log.parent / f"got-{os.getpid()}").write_text(got)


@pytest.mark.parametrize("fails", ["", "refused", "down"])
def test_of_many_at_once_one_signs_in(shared: Sharing, tmp_path: Path, fails: str) -> None:
    start = FORK.Event()
    workers = [FORK.Process(target=_worker, args=(shared, tmp_path / "log", fails, start)) for _number in range(12)]
    for worker in workers:
        worker.start()
    time.sleep(0.3)
    start.set()
    for worker in workers:
        worker.join(30)
    assert len((tmp_path / "log").read_text().split()) == 1
    assert len({path.read_text() for path in tmp_path.glob("got-*")}) == 1
    assert len(list(tmp_path.glob("got-*"))) == 12


def test_the_death_of_the_one_who_signs_in_blocks_nobody(shared: Sharing) -> None:
    reached = FORK.Event()

    def hang() -> Token:
        reached.set()
        time.sleep(60)
        return Token("never", 60)

    holder = FORK.Process(target=lambda: cache(shared).token(hang))
    holder.start()
    assert reached.wait(10)
    got = FORK.Queue()
    waiter = FORK.Process(target=lambda: got.put(cache(shared).token(SignIn()).value))
    waiter.start()
    time.sleep(0.3)
    assert waiter.is_alive(), "it waits"
    os.kill(t.cast(int, holder.pid), signal.SIGKILL)
    assert got.get(timeout=10) == "token-1"
    for process in (holder, waiter):
        process.join(10)


class Alarm(BaseException):
    """What Ansible's timeout raises: no Exception."""


def test_who_waits_can_be_interrupted(shared: Sharing) -> None:
    reached = FORK.Event()

    def hang() -> Token:
        reached.set()
        time.sleep(60)
        return Token("never", 60)

    def ring(*_args: t.Any) -> None:
        raise Alarm

    holder = FORK.Process(target=lambda: cache(shared).token(hang))
    holder.start()
    assert reached.wait(10)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Alarm):
            cache(shared).token(SignIn())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        holder.kill()
        holder.join(10)


def test_a_client_secret_needs_no_cryptography() -> None:
    """It takes long to load; the certificate alone needs it."""
    code = (
        "import sys; from ansible_collections.graphops.intune.plugins.module_utils import shell;"
        "from ansible_collections.graphops.intune.plugins.module_utils._sync import command;"
        "from ansible_collections.graphops.intune.plugins.module_utils._identity import msal_app;"
        "assert msal_app.HAS_MSAL; sys.exit('cryptography' in sys.modules)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
