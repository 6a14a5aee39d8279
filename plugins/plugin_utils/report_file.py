# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""The file of a report: a regular one and no link, as its path is a value that an inventory may set."""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import visible

_KINDS: t.Sequence[tuple[t.Callable[[int], bool], str]] = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)
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
    part only is emptied, as half a report might be taken for a whole one.

    :returns: why it could not be written, as a sentence that warns; None if it was.
    """
    try:
        content = text.encode("utf-8")
        check(path)
        file = os.open(path, _FLAGS, 0o600)
        try:
            _refuse(path, os.fstat(file).st_mode)
            os.ftruncate(file, 0)
            _write_all(file, content)
        finally:
            os.close(file)
    except OptionError as error:
        return error.sentence("The report could not be written")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it holds what UTF-8 cannot"
        return (
            f"The report could not be written to {visible(path)}: {why}; make the folder, or name another file in"
            " report_path."
        )
    return None


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
