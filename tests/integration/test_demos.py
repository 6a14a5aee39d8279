# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README has people run first shows what it says: a demo tells by its exit status whether it did."""

from __future__ import annotations

import itertools
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from .conftest import BIN, clean_environment

pytestmark = pytest.mark.slow

DEMOS = Path(__file__).resolve().parents[1] / "demo"


@pytest.mark.parametrize("name", ["run", "tenants", pytest.param("fleet", marks=pytest.mark.exhaustive)])
def test_a_demo_shows_what_it_should(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(DEMOS / f"{name}.py")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_what_the_simulator_prints_can_be_pasted(installed: Path, tmp_path: Path) -> None:
    """Into a shell that has nothing else, and then a module asks the simulator."""
    with subprocess.Popen(
        [sys.executable, "-m", "simulator", "--directory", str(tmp_path)],
        cwd=DEMOS.parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as simulator:
        try:
            printed = t.cast("t.IO[str]", simulator.stdout)
            # Up to the first tenant's own lines.
            lines = list(itertools.takewhile(lambda line: not line.startswith("Tenant "), printed))
            exports = "".join(line for line in lines if line.startswith("export "))
            module = "graphops.intune.intune_connectors_and_tokens_info"
            done = subprocess.run(
                ["bash", "-c", f"{exports}{BIN / 'ansible'} localhost -m {module}"],
                env=clean_environment(installed),
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        finally:
            simulator.terminate()
    assert done.returncode == 0, done.stdout
    assert "Contoso Tablets" in done.stdout
