# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pack what is committed, and prove the package: what is in it, what Galaxy says of it, and the demo out of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import typing as t
import venv
from fnmatch import fnmatch
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".build" / "release"
BIN = Path(sys.prefix) / "bin"
MADE_BY_GALAXY = {"FILES.json", "MANIFEST.json"}
DONE = "Importer processing completed successfully"


def main() -> int:
    """Make the package and prove it; return the exit status."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    if git("status", "--porcelain"):
        print("What is not committed is not in the package.")
    source = export(FOLDER / "source")
    package = build(source, FOLDER)
    print(f"{package.relative_to(ROOT)}, of {git('describe', '--always').strip()}", flush=True)
    wrong = left_over(source) + differences(contents(package), git("ls-files").splitlines())
    wrong = wrong or complaints(import_log(package))
    if wrong:
        print(*wrong, sep="\n")
        return 1
    print("Its content is what tests/tools/package.txt says, and galaxy-importer has no complaint.", flush=True)
    return demo(package)


def git(*arguments: str) -> str:
    """What git prints."""
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def export(folder: Path) -> Path:
    """Put what is committed into the folder, and nothing else: ansible-galaxy packs whatever lies about."""
    archive = folder.with_suffix(".tar")
    git("archive", f"--output={archive}", "HEAD")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    archive.unlink()
    return folder


def build(source: Path, folder: Path) -> Path:
    """Pack the collection and return the package."""
    command = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(folder)]
    subprocess.run([*command, str(source)], stdout=subprocess.DEVNULL, check=True)
    (package,) = folder.glob("*.tar.gz")
    return package


def left_over(source: Path) -> list[str]:
    """Return one line for each fragment that no release in the changelog has."""
    changelog = yaml.safe_load((source / "changelogs" / "changelog.yaml").read_text(encoding="utf-8"))
    released = {name for entry in changelog["releases"].values() for name in entry.get("fragments", [])}
    fragments = {path.name for path in (source / "changelogs" / "fragments").iterdir()}
    return [
        f"changelogs/fragments/{name} is not in the changelog: run make changelog."
        for name in sorted(fragments - released)
    ]


def contents(package: Path) -> set[str]:
    """Return the names of the files in the package."""
    with tarfile.open(package) as archive:
        return {member.name for member in archive.getmembers() if member.isfile()}


def differences(packed: set[str], repository: t.Iterable[str]) -> list[str]:
    """Return one line for each file that is in the package and should not be, or the other way round."""
    lines = (ROOT / "tests" / "tools" / "package.txt").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if not line.startswith("#")]
    matched = {pattern: {name for name in repository if fnmatch(name, pattern)} for pattern in patterns}
    wanted = MADE_BY_GALAXY.union(*matched.values())
    return [
        *(f"{pattern} in tests/tools/package.txt matches no file." for pattern in patterns if not matched[pattern]),
        *(f"{name} is in the package, and should not be." for name in sorted(packed - wanted)),
        *(f"{name} is not in the package." for name in sorted(wanted - packed)),
    ]


def import_log(package: Path) -> str:
    """Return what galaxy-importer says of the package.

    Its flake8 stays off, as it is by default: it objects to line breaks that ruff's formatter makes.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {
        "HOME": str(FOLDER / "home"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "GALAXY_IMPORTER_CHECK_REQUIRED_TAGS": "true",
        "GALAXY_IMPORTER_REQUIRE_V1_OR_GREATER": "true",
    }
    command = [sys.executable, "-m", "galaxy_importer.main", str(package)]
    (FOLDER / "home").mkdir()
    return subprocess.run(
        command,
        cwd=FOLDER,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    ).stdout


def complaints(log: str) -> list[str]:
    """Return the lines of galaxy-importer's log that complain; its exit status is 0 with most of them."""
    found = [f"galaxy-importer: {line}" for line in log.splitlines() if re.match(r"ERROR|WARNING|CRITICAL", line)]
    if DONE not in log:
        found += ["galaxy-importer did not come to its end:", *log.splitlines()[-20:]]
    return found


def demo(package: Path) -> int:
    """Run the demo from the package, in an environment that has nothing else of ours; return its exit status."""
    environment = FOLDER / "environment"
    venv.create(environment, with_pip=True)
    files = [f"--requirement={ROOT / name}" for name in ("requirements.txt", "tests/demo/requirements.txt")]
    pip = [str(environment / "bin" / "pip"), "install", "--quiet", "--quiet"]
    subprocess.run([*pip, *files], check=True)
    path = f"{environment / 'bin'}:{os.environ['PATH']}"
    command = [str(environment / "bin" / "python"), str(ROOT / "tests" / "demo" / "run.py"), str(package)]
    return subprocess.run(command, cwd=FOLDER, env={**os.environ, "PATH": path}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
