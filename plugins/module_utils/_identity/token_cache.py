# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""One token per identity for all processes of a run: whoever comes first signs in, the others wait and read.

The tokens lie in a file without a name, which the processes inherit: nobody else finds it, and it ends with the last of
them, however they end. Its locks belong to the kernel, so a process that dies holding one blocks nobody. Whatever does
not work here (no POSIX locks, a folder that cannot be used) leaves the sharing out, and each process signs in for
itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import typing as t

from .._ground import errors, untrusted
from .._ground.clock import Clock

try:
    import fcntl

    HAS_FCNTL = True
except ImportError:
    HAS_FCNTL = False

# Seconds in which a refusal by Entra ID holds for all: the hosts of a fleet would repeat it one after the other.
REFUSAL_HOLDS = 30
_LARGEST_FILE = 64 * 1024 * 1024
# The byte whose lock guards what the file holds; those after it stand for the identities, and need not be there.
_CONTENT = 0
_FAILURES: t.Mapping[str, type[errors.IntuneError]] = {"refused": errors.SignInError, "unavailable": errors.Unavailable}


class Token(t.NamedTuple):
    """An access token, and for how many seconds more it is to be used."""

    value: str
    good_for: float


class Sharing(t.NamedTuple):
    """What the processes of a run have in common: the descriptor of a file without a name, open as long as they are."""

    file: int


def sharing_in(folder: str) -> Sharing | None:
    """What processes share that part after this; None if they cannot share anything.

    :param folder: where the file lies.
    """
    if not HAS_FCNTL:
        return None
    try:
        with tempfile.TemporaryFile(dir=folder, prefix="graphops-intune-") as file:
            return Sharing(os.dup(file.fileno()))
    except OSError:
        return None


def of_identity(shared_tokens: Sharing | None, identity: t.Sequence[t.Any], clock: Clock) -> TokenCache | None:
    """The cache of an identity; None if this run shares none.

    :param identity: everything that makes the identity, the credential included, as JSON takes it.
    """
    if shared_tokens is None:
        return None
    return TokenCache(shared_tokens.file, hashlib.sha256(json.dumps(identity).encode()).hexdigest(), clock)


class TokenCache:
    """The token of one identity, in the file under ``name``. Times in it are of the wall clock, which processes share.

    Locks are a process's own, so its threads must not be here at the same time.
    """

    def __init__(self, file: int, name: str, clock: Clock) -> None:
        self._file = file
        self._name = name
        self._place = _CONTENT + 1 + int(name[:12], 16)
        self._clock = clock

    def token(self, sign_in: t.Callable[[], Token], *, refused: str | None = None) -> Token:
        """The token that another process left, or a new one; at any time only one process signs in.

        :param sign_in: gets a new token.
        :param refused: a token that Graph has refused: it is replaced, unless someone else did so before.
        :raises SignInError: the sign-in is refused, or was within the last 30 seconds.
        :raises Unavailable: it could not be tried, or not by the process that this one has waited for.
        """
        came = self._now()
        with self._locked(self._place) as alone:
            known = self._read() if alone else {}
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
                said |= {"code": error.code} if isinstance(error, errors.SignInError) else {}
                self._write({"failure": kind, "at": self._now(), "said": said})
                raise
            self._write({"token": token.value, "good_until": self._now() + token.good_for})
            return token

    def _now(self) -> float:
        return self._clock.now().timestamp()

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
        more = {"code": str(said.get("code") or "")} if kind == "refused" else {}
        return _FAILURES[kind](
            str(said.get("what")), advice=str(said.get("advice") or ""), request_id=said.get("request_id"), **more
        )

    @contextlib.contextmanager
    def _locked(self, place: int) -> t.Iterator[bool]:
        """Lock a byte of the file; whether that can be. The end of the process unlocks it too."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, place)
            locked = True
        except OSError:
            locked = False
        try:
            yield locked
        finally:
            if locked:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)

    def _read(self) -> dict[str, t.Any]:
        """What is known of this identity."""
        with self._locked(_CONTENT):
            known = self._content().get(self._name)
        return known if isinstance(known, dict) else {}

    def _write(self, known: t.Mapping[str, t.Any]) -> None:
        # A full disk costs the others a sign-in of their own, and this process nothing.
        with self._locked(_CONTENT) as alone, contextlib.suppress(OSError):
            if alone:
                content = json.dumps({**self._content(), self._name: known}).encode()
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, content, 0)

    def _content(self) -> dict[str, t.Any]:
        """What the file holds; nothing if it is new, or its writer died over it."""
        try:
            content = untrusted.json_of(os.pread(self._file, _LARGEST_FILE, 0))
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def _number(value: t.Any) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0
