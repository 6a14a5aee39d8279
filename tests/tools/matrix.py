"""Run the unit tests on every supported ansible-core, each on the best Python that this machine has for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

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
}


class Outcome(NamedTuple):
    """What became of one ansible-core."""

    core: str
    python: str
    passed: bool | None
    """None where there is no Python for it."""
    output: str

    def __str__(self) -> str:
        """Return the row of the table."""
        return f"{self.core:<13} {self.python:<8} {self.output.strip().splitlines()[-1].strip('= ')}"


def environment(core: str, python: str) -> Path:
    """Return the virtual environment for this pair, made anew when what it needs has changed."""
    path = ENVIRONMENTS / f"{core}-py{python}"
    stamp = path / "requirements"
    wanted = "".join(requirements.read_text(encoding="utf-8") for requirements in REQUIREMENTS)
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(path, ignore_errors=True)
        subprocess.run([interpreters()[python], "-m", "venv", path], check=True)
        files = [f"--requirement={requirements}" for requirements in REQUIREMENTS]
        pip = str(path / "bin" / "pip")
        subprocess.run([pip, "install", "--quiet", "--quiet", f"ansible-core=={core}.*", *files], check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return path


def run(core: str) -> Outcome:
    """Run the unit tests on one ansible-core."""
    python = next((version for version in CORES[core] if version in interpreters()), None)
    if python is None:
        return Outcome(core, "-", None, f"not run: it needs Python {' or '.join(CORES[core])}, and none is here")
    try:
        path = environment(core, python)
    except subprocess.CalledProcessError as error:
        return Outcome(core, python, passed=False, output=f"no environment: {error}")
    command = [str(path / "bin" / "python"), "-m", "pytest", "tests/unit", "--ignore=tests/unit/simulator"]
    pytest = subprocess.run(
        [*command, f"--override-ini=cache_dir={path / 'cache'}"],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{path / 'bin'}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(core, python, pytest.returncode == 0, pytest.stdout)


def main() -> int:
    """Print a table of what ran, and the whole output of what failed."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        outcomes = list(pool.map(run, CORES))
    for outcome in outcomes:
        if outcome.passed is False:
            print(f"ansible-core {outcome.core} on Python {outcome.python}:\n{outcome.output}")
    print("ansible-core  Python   unit tests")
    print(*outcomes, sep="\n")
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    own_newest = [outcome for outcome in outcomes if own in CORES[outcome.core]][-1:]
    if not own_newest or own_newest[0].passed is None:
        print(f"No ansible-core ran that Python {own} takes.")
        return 1
    return int(any(outcome.passed is False for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
