# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmarks run, and say what they should."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# It takes long, and what users run is counted by tests of its own.
pytestmark = [pytest.mark.slow, pytest.mark.exhaustive]


def test_a_quick_run() -> None:
    script = Path(__file__).with_name("run.py")
    done = subprocess.run([sys.executable, str(script), "--quick"], stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
    told, _mark, tenants = done.stdout.partition("## Tenants")
    fleet, _mark, devices = told.partition("## Devices")
    rows = {cells[1].strip(): cells for cells in (line.split("|") for line in fleet.splitlines()) if len(cells) > 2}
    requests = {name: int(cells[4]) for name, cells in rows.items() if cells[4].strip().isdigit()}
    assert requests == {
        "three `ansible.builtin.uri` tasks": 6,
        "the module, sent": 8,
        "the module, in process": 6,
        "the role, by the shipped playbook": 4,
        "an action that does nothing": 0,
        "an action of two bare requests": 4,
        "one task with `connector_ids`": 4,
        "a script, in threads": 6,
        "a script, by `$batch`": 4,
        "an empty play": 0,
    }
    # How many devices there were, how many were asked, and by how many requests.
    asked = [[cell.strip() for cell in line.split("|")[2:6]] for line in devices.splitlines() if line.startswith("| ")]
    (_count, _asked, _failed, _requests), _rule, of_module, of_uri = asked
    assert of_module[:3] == ["60", "60", "0"]
    assert int(of_module[3]) <= 6
    assert (of_uri[0], of_uri[3]) == ("2", "4")
    # Of two tenants: one sign-in each, a batch for each version of Graph, and nothing accepted once all is fresh.
    (fresh,) = [line.split("|")[4:7] for line in tenants.splitlines() if line.startswith("| the role, all fresh")]
    assert [int(cell) for cell in fresh] == [2, 4, 0]
