# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""The file of a report: a regular one and no link, as its path is a value that an inventory may set."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import time
import typing as t
from pathlib import Path

from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import visible

_KINDS: t.Sequence[tuple[t.Callable[[int], bool], str]] = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)
# What a file is called that is to take the place of another, and after how many seconds nobody writes it any more.
_BESIDE = (".graphops-intune-", ".tmp")
_ABANDONED = 3600
# Without a reader, a FIFO would be waited for; a link could have been put there since it was looked for.
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def check(path: str) -> None:
    """See, before anything is asked of Graph, that a report could be written there.

    A folder that is not there yet, or that may not be written to, is left to :func:`write`.

    :raises OptionError: no file can have this name, or what has it is no regular file.
    """
    try:
        mode = os.lstat(path).st_mode
    except ValueError:
        raise OptionError(
            f"report_path {visible(path)!r} cannot be the name of a file",
            advice="leave out the characters that do not print",
        ) from None
    except OSError:
        return
    _refuse(path, mode)


def write(path: str, text: str) -> str | None:
    """Write a report in UTF-8 over the file that is there, or into a new one that only the user may read.

    An old file keeps its mode, owner and group, by which a web server may have been let in. What could be written in
    part only is emptied, as half a report might be taken for a whole one. What ends in ``.prom`` takes the place of the
    old file at once, see :func:`_replace`.

    :returns: why it could not be written, as a sentence that warns; None if it was.
    """
    try:
        content = text.encode("utf-8")
        check(path)
        if path.lower().endswith(".prom"):
            _replace(path, content)
        else:
            _overwrite(path, content)
    except OptionError as error:
        return error.sentence("The report could not be written")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds what UTF-8 cannot"
        return (
            f"The report could not be written to {visible(path)}: {why}; make the folder, or name another file in"
            " report_path."
        )
    return None


def _overwrite(path: str, content: bytes) -> None:
    file = os.open(path, _FLAGS, 0o600)
    try:
        _refuse(path, os.fstat(file).st_mode)
        os.ftruncate(file, 0)
        _write_all(file, content)
    finally:
        os.close(file)


def _replace(path: str, content: bytes) -> None:
    """Write a file beside the old one and rename it, so that node_exporter, which looks at any time, reads no half.

    The collector is another user, so a new file can be read by all. The mode of an old one is kept; its owner and group
    are as far as the user may give files away. What a process left beside it that was killed is removed.
    """
    _remove_abandoned(Path(path).parent)
    try:
        old: os.stat_result | None = os.lstat(path)
    except FileNotFoundError:
        old = None
    # The collector reads all that ends in .prom.
    file, beside = tempfile.mkstemp(prefix=_BESIDE[0], suffix=_BESIDE[1], dir=Path(path).parent)
    try:
        try:
            if old:
                _give(file, old)
            os.fchmod(file, stat.S_IMODE(old.st_mode) & 0o777 if old else 0o644)
            _write_all(file, content)
        finally:
            os.close(file)
        Path(beside).rename(path)
    except BaseException:
        Path(beside).unlink()
        raise


def _remove_abandoned(folder: Path) -> None:
    for path in folder.glob("*".join(_BESIDE)):
        with contextlib.suppress(OSError):
            if time.time() - path.lstat().st_mtime > _ABANDONED:
                path.unlink()


def _give(file: int, old: os.stat_result) -> None:
    for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
        with contextlib.suppress(OSError):
            os.fchown(file, owner, group)


def _refuse(path: str, mode: int) -> None:
    if not stat.S_ISREG(mode):
        kind = next((words for has, words in _KINDS if has(mode)), "a device")
        raise OptionError(
            f"report_path {visible(path)!r} is {kind}", advice="name a regular file, or one that is not there yet"
        )


def _write_all(file: int, content: bytes) -> None:
    try:
        with os.fdopen(file, "wb", closefd=False) as stream:
            stream.write(content)
    except OSError:
        os.ftruncate(file, 0)
        raise
