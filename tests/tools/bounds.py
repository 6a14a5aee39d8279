# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hold what requirements.txt promises: run tests with the oldest libraries, and fit in beside azure.azcollection."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from awx_collection import BUNDLE, download

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".build" / "bounds"
REQUIREMENTS = ROOT / "requirements.txt"
# The last of the line before 2, which requests still takes and which Python 3.9 often has for the sake of others.
OLD_URLLIB3 = "urllib3==1.26.20"
TESTS = ["tests/unit/plugins", "tests/integration/test_identity.py", "tests/integration/test_sync.py"]
# What the environment of the whole suite has of these needs a newer urllib3, and these tests do not need it.
LEFT_OUT = ("selenium",)


def install_the_oldest() -> None:
    """Make an environment with the oldest libraries that are promised to do."""
    oldest = REQUIREMENTS.read_text(encoding="utf-8").replace(">=", "==").split()
    files = (ROOT / "tests" / "requirements.txt", ROOT / "tests" / "unit" / "requirements.txt")
    lines = [line.partition("#")[0].strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    others = [line for line in lines if line and not line.startswith(LEFT_OUT)]
    subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
    pip = [str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", "--quiet"]
    subprocess.run([*pip, *oldest, OLD_URLLIB3, *others], check=True)


def passes_with_the_oldest() -> bool:
    """Run the tests in that environment."""
    install_the_oldest()
    path = f"{ENVIRONMENT / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [str(ENVIRONMENT / "bin" / "python"), "-m", "pytest", "--quiet", "--numprocesses=auto", *TESTS]
    cache = f"--override-ini=cache_dir={ENVIRONMENT / 'cache'}"
    return subprocess.run([*command, cache], cwd=ROOT, env={**os.environ, "PATH": path}, check=False).returncode == 0


def fits_in_beside_azure() -> bool:
    """Let pip look for versions that both collections take, which an image with both of them needs."""
    with tempfile.TemporaryDirectory() as folder:
        theirs = Path(folder, "azcollection.txt")
        with zipfile.ZipFile(download(folder)) as bundle:
            theirs.write_bytes(bundle.read("ansible_collections/azure/azcollection/requirements.txt"))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--quiet", "--dry-run", "--ignore-installed"]
        files = [f"--requirement={file}" for file in (REQUIREMENTS, theirs)]
        return subprocess.run([*pip, *files], stdout=subprocess.DEVNULL, check=False).returncode == 0


def main() -> int:
    """Do both, and tell how long each took."""
    held = True
    for what, check in (
        (f"beside azure.azcollection of {BUNDLE}", fits_in_beside_azure),
        ("the oldest libraries", passes_with_the_oldest),
    ):
        start = time.monotonic()
        passed = check()
        held = held and passed
        print(f"{what}: {'passed' if passed else 'FAILED'} in {time.monotonic() - start:.0f} s", flush=True)
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
