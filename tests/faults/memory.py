# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much memory this process takes for something."""

from __future__ import annotations

from pathlib import Path

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class Memory:
    """Measures while its ``with`` block runs; only Linux tells, elsewhere ``grown`` stays 0."""

    def __init__(self) -> None:
        self.grown = 0
        self._before = 0

    def __enter__(self) -> Memory:
        if _RESET.exists():
            # https://www.kernel.org/doc/html/latest/filesystems/proc.html: 5 sets the high water back to what is there.
            _RESET.write_text("5")
            self._before = _high_water()
        return self

    def __exit__(self, *exc_info: object) -> None:
        if _RESET.exists():
            self.grown = _high_water() - self._before


def _high_water() -> int:
    """In bytes."""
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
