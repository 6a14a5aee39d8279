# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""What a worker leaves to those after it: each runs one task of one host and ends."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible_collections.graphops.intune.plugins.module_utils._identity import token_cache

# Ansible makes its settings attributes of this module at run time, which no type checker sees.
_SETTINGS: t.Any = constants
_PIECE = 1024 * 1024


class RunStore:
    """Plain values under keys, in a file without a name, as that of the tokens, since options hold secrets.

    The parent of all workers opens it by loading this file, and they inherit it.

    :param folder: where the file lies.
    """

    def __init__(self, folder: str) -> None:
        self._sharing = token_cache.sharing_in(folder)
        self._folder = folder

    def append(self, key: str, value: t.Any) -> None:
        """Add a value to those under a key.

        :raises AnsibleError: it cannot be kept.
        """
        with self._locked() as file:
            self._write(file, os.fstat(file).st_size, [[key, value]])

    def values(self, key: str) -> list[t.Any]:
        """The values under a key, in the order in which they were added."""
        with self._locked() as file:
            return [value for name, value in self._read(file) if name == key]

    def take(self, key: str) -> list[t.Any]:
        """The values under a key, which is without any afterwards."""
        with self._locked() as file:
            known = self._read(file)
            os.ftruncate(file, 0)
            self._write(file, 0, [[name, value] for name, value in known if name != key])
            return [value for name, value in known if name == key]

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[int]:
        try:
            if self._sharing is None:
                raise OSError("no file can be made there")
            fcntl.lockf(self._sharing.file, fcntl.LOCK_EX)
            try:
                yield self._sharing.file
            finally:
                fcntl.lockf(self._sharing.file, fcntl.LOCK_UN)
        except OSError as error:
            raise AnsibleError(
                f"What one task leaves to the next cannot be kept in {self._folder}: {error.strerror or error}; see"
                " ANSIBLE_LOCAL_TEMP."
            ) from None

    def _read(self, file: int) -> list[t.Any]:
        content, piece = b"", os.pread(file, _PIECE, 0)
        while piece:
            content += piece
            piece = os.pread(file, _PIECE, len(content))
        return [json.loads(line) for line in content.splitlines()]

    def _write(self, file: int, place: int, entries: t.Iterable[t.Any]) -> None:
        content, begin = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries), place
        try:
            while content:
                written = os.pwrite(file, content, place)
                content, place = content[written:], place + written
        except OSError:
            # Half an entry would be none for whoever reads it.
            os.ftruncate(file, begin)
            raise


STORE = RunStore(str(_SETTINGS.DEFAULT_LOCAL_TMP))
