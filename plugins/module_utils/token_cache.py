# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""One token per identity for all processes of a run: whoever comes first signs in, the others wait and read.

The token lies in a file that only this user can read, in a folder that ends with the run. The lock on that file belongs
to the kernel, so a process that dies holding it blocks nobody. Whatever does not work here (no POSIX locks, a folder
that cannot be used) leaves the sharing out, and each process signs in for itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import stat
import typing as t

from . import errors, retries

try:
    import fcntl

    HAS_FCNTL = True
except ImportError:
    HAS_FCNTL = False

# Seconds in which a refusal by Entra ID holds for all: the hosts of a fleet would repeat it one after the other.
REFUSAL_HOLDS = 30
_LARGEST_FILE = 1024 * 1024
_FAILURES = {"refused": errors.SignInError, "unavailable": errors.Unavailable}


class Token(t.NamedTuple):
    """An access token, and for how many seconds more it is to be used."""

    value: str
    good_for: float


class Sharing(t.NamedTuple):
    """What the processes of a run have in common.

    :param folder: the run's own folder, which only this user can enter and which is removed at the end.
    :param key: random bytes, made before the processes part: without it a file's name says nothing about the identity.
    """

    folder: str
    key: bytes


def of_identity(sharing: Sharing | None, identity: t.Sequence[t.Any], timing: retries.Timing) -> TokenCache | None:
    """The cache of an identity; None if this run shares none.

    :param identity: everything that makes the identity, the credential included, as JSON takes it.
    """
    if sharing is None or not HAS_FCNTL:
        return None
    name = hmac.new(sharing.key, json.dumps(identity).encode(), hashlib.sha256).hexdigest()
    return TokenCache(pathlib.Path(sharing.folder, f"graphops-intune-{name}"), timing)


class TokenCache:
    """The token of one identity, in the file ``path``. Times in it are of the wall clock, which processes share."""

    def __init__(self, path: pathlib.Path, timing: retries.Timing) -> None:
        self._path = path
        self._timing = timing

    def token(self, sign_in: t.Callable[[], Token], *, refused: str | None = None) -> Token:
        """The token that another process left, or a new one; at any time only one process signs in.

        :param sign_in: gets a new token.
        :param refused: a token that Graph has refused: it is replaced, unless someone else did so before.
        :raises SignInError: the sign-in is refused, or was within the last 30 seconds.
        :raises Unavailable: it could not be tried, or not by the process that this one has waited for.
        """
        came = self._now()
        with self._locked() as file:
            known = {} if file is None else _read(file)
            if isinstance(known.get("token"), str) and known["token"] != refused:
                good_for = _number(known.get("good_until")) - self._now()
                if good_for > 0:
                    return Token(known["token"], good_for)
            failure = self._remembered(known, came)
            if failure is not None:
                raise failure
            try:
                token = sign_in()
            except (errors.SignInError, errors.Unavailable) as error:
                kind = "refused" if isinstance(error, errors.SignInError) else "unavailable"
                said = {"what": error.what, "advice": error.advice, "request_id": error.request_id}
                _write(file, {"failure": kind, "at": self._now(), "said": said})
                raise
            _write(file, {"token": token.value, "good_until": self._now() + token.good_for})
            return token

    def _now(self) -> float:
        return self._timing.now().timestamp()

    def _remembered(self, known: t.Mapping[str, t.Any], came: float) -> errors.IntuneError | None:
        """The failure of another process, if it holds for this one too.

        Whoever waited has shared the trouble, whatever it was; a refusal holds a while longer.
        """
        kind, said = str(known.get("failure")), known.get("said")
        if kind not in _FAILURES or not isinstance(said, dict):
            return None
        since = came if kind == "unavailable" else self._now() - REFUSAL_HOLDS
        if not since <= _number(known.get("at")) <= self._now():
            return None
        return _FAILURES[kind](
            str(said.get("what")), advice=str(said.get("advice") or ""), request_id=said.get("request_id")
        )

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[int | None]:
        """The file, locked; None if that cannot be. Being closed unlocks it, and so does the end of the process."""
        file: int | None = None
        try:
            try:
                file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
                usable = _is_ours(os.fstat(file))
                if usable:
                    fcntl.flock(file, fcntl.LOCK_EX)
            except (OSError, ValueError):
                usable = False
            yield file if usable else None
        finally:
            if file is not None:
                os.close(file)


def _is_ours(status: os.stat_result) -> bool:
    return (
        stat.S_ISREG(status.st_mode)
        and status.st_uid == os.geteuid()
        and not status.st_mode & 0o077
        and status.st_nlink == 1
    )


def _read(file: int) -> dict[str, t.Any]:
    """What the file holds; nothing if it is new, or its writer died over it."""
    try:
        known = errors.json_of(os.pread(file, _LARGEST_FILE, 0))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(file: int | None, known: t.Mapping[str, t.Any]) -> None:
    if file is None:
        return
    # A full disk costs the others a sign-in of their own, and this process nothing.
    with contextlib.suppress(OSError):
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(known).encode(), 0)


def _number(value: t.Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
