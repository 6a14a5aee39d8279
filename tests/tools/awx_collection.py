# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put the collection awx.awx into the folder given, out of the community's bundle on PyPI."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

BUNDLE = "ansible==13.8.0"


def download(folder: str) -> Path:
    """Download the bundle into a folder; its file."""
    # The bundle is for a newer Python than this may be; only files are taken out of it.
    choice = ["--no-deps", "--only-binary=:all:", "--python-version=3.12"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--quiet"]
    subprocess.run([*pip, *choice, f"--dest={folder}", BUNDLE], check=True)
    (wheel,) = Path(folder).glob("ansible-*.whl")
    return wheel


def main() -> None:
    """Download the bundle, and unpack what is of awx.awx."""
    folder = Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as temporary, zipfile.ZipFile(download(temporary)) as bundle:
        names = [name for name in bundle.namelist() if name.startswith("ansible_collections/awx/awx/")]
        bundle.extractall(folder, names)
    print(f"awx.awx out of {BUNDLE}: {len(names)} files")


if __name__ == "__main__":
    main()
