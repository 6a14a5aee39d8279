# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the collection awx.awx lies for the tests."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READY = ROOT / ".build" / "awx" / "collections" / "ready"


def awx_collections() -> Path:
    """The folder of collections with awx.awx in it; without it, the test that asks is skipped."""
    if not READY.exists():
        pytest.skip(f"awx.awx is not here: make {READY.relative_to(ROOT)}")
    return READY.parent
