# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all of ansible-test's sanity tests, and take none for passed that did not run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from configparser import RawConfigParser
from pathlib import Path

import ansible_test
from environments import pip_settings
from pythons import interpreters

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.prefix) / "bin"
# Keeps ansible-test's own environments, beside the ansible-test that made them.
HOME = Path(sys.prefix) / "home"
PIP_CONFIG = HOME / ".config" / "pip" / "pip.conf"
# ensurepip installs by the pip that it installs, which takes seconds, a dozen times. Unpacked is as good as installed.
GET_PIP = """
import ensurepip, pathlib, sysconfig, zipfile

wheels = [*pathlib.Path(ensurepip.__file__).parent.glob("_bundled/pip-*.whl")]
if wheels:
    zipfile.ZipFile(wheels[0]).extractall(sysconfig.get_path("purelib"))
else:
    ensurepip.bootstrap(default_pip=True)
"""


def copy_collection(destination: Path) -> None:
    """Copy what git has or would add: ansible-test takes no symlink, and finds nothing in a folder that git ignores."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    for name in filter(None, listing.split("\0")):
        source, target = ROOT / name, destination / name
        if source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def provide_pip() -> None:
    """Put the pip that Python brings where ansible-test would put a download of the version it wants."""
    source = Path(ansible_test.__path__[0]) / "_internal" / "python_requirements.py"
    wanted = re.search(r"\bpip='([\d.]+)'", source.read_text(encoding="utf-8"))
    assert wanted, f"{source} names no pip version"
    script = HOME / ".ansible" / "test" / "cache" / f"get_pip_{wanted[1].replace('.', '_')}.py"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(GET_PIP, encoding="utf-8")


def configure_pip() -> None:
    """Write pip's settings to a file: ansible-test hands its pip no environment, and our HOME hides the user's file."""
    config = RawConfigParser()
    # Each environment is for one program, which is run once or twice: Python compiles what that needs by itself.
    config.read_dict({"global": {}, "install": {"quiet": "2", "compile": "no"}})
    for section, option, value in pip_settings(BIN / "python"):
        config.read_dict({section: {option: value}})
    PIP_CONFIG.parent.mkdir(parents=True, exist_ok=True)
    with PIP_CONFIG.open("w", encoding="utf-8") as file:
        config.write(file)


def was_avoidable(line: str) -> bool:
    """Tell whether this line of ansible-test's speaks of a test that was left out and need not have been."""
    missing_python = re.search(r"on Python (\S+) because it could not be found", line)
    if missing_python:
        return missing_python[1] in interpreters()
    return "targets skipped" in line or "Skipping" in line


def run_tests(collection: Path) -> int:
    """Run ansible-test in that folder, and return its exit status or our own."""
    bins = [BIN, *(interpreter.parent for interpreter in interpreters().values())]
    path = os.pathsep.join([*map(str, bins), os.environ["PATH"]])
    process = subprocess.Popen(
        [BIN / "ansible-test", "sanity", "--color", "no", *sys.argv[1:]],
        cwd=collection,
        env={**os.environ, "HOME": str(HOME), "PATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    left_out = []
    with process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            if was_avoidable(line):
                left_out.append(line)
    if left_out and process.returncode == 0:
        print("Left out, though it could have run:", *left_out, sep="\n")
        return 1
    return process.returncode


def main() -> int:
    """Run the tests on a copy outside the repository."""
    provide_pip()
    configure_pip()
    try:
        with tempfile.TemporaryDirectory() as root:
            collection = Path(root) / "ansible_collections" / "graphops" / "intune"
            copy_collection(collection)
            return run_tests(collection)
    finally:
        # It may hold an index's password.
        PIP_CONFIG.unlink()


if __name__ == "__main__":
    sys.exit(main())
