# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python interpreters of this machine that can make virtual environments."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

PROBE = "import ensurepip, sys, venv; print(f'{sys.version_info.major}.{sys.version_info.minor}', sys.executable)"


@cache
def interpreters() -> dict[str, Path]:
    """Return one interpreter of each version from 3.9 on, as {"3.11": path}."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [getattr(sys, "_base_executable", sys.executable)]
    candidates += filter(None, (shutil.which(f"python3.{minor}") for minor in range(9, 20)))
    candidates += map(str, pyenv.glob("versions/3.*/bin/python"))
    found: dict[str, Path] = {}
    for candidate in candidates:
        # Tried, not trusted: pyenv puts a shim on PATH for every version, and those not switched on exit with 127.
        probe = subprocess.run([candidate, "-c", PROBE], capture_output=True, text=True, check=False)
        if probe.returncode == 0:
            version, executable = probe.stdout.strip().split(maxsplit=1)
            found.setdefault(version, Path(executable))
    return found
