# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The threat model names the test that shows each of its claims, and these tests are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = (ROOT / "docs" / "threat_model.md").read_text(encoding="utf-8").splitlines()
ROWS = [line for line in LINES if line.startswith("| ") and not line.startswith(("| They might", "| ---"))]


def test_every_test_that_is_named_is_there() -> None:
    known: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        known.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"`(test_\w+)`", "\n".join(LINES)))
    assert named
    assert named - known == set()


def test_whatever_is_stopped_is_shown() -> None:
    assert len(ROWS) > 20
    for row in ROWS:
        _start, _threat, stopped, shown, _end = (cell.strip() for cell in row.split("|"))
        assert ("test_" in shown) != stopped.startswith("Nothing"), row
