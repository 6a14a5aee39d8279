# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the README has people run first shows what it says: a demo tells by its exit status whether it did."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
