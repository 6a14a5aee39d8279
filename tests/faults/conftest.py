# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of faults share: the installed collection, and the report of those that try everything."""

from __future__ import annotations

import typing as t

import pytest
from integration.conftest import ROOT, installed

from .report import Report

__all__ = ["installed"]

_REPORT = pytest.StashKey[Report]()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Written to ``.build/faults.md`` at the end."""
    return pytestconfig.stash.setdefault(_REPORT, Report())


def pytest_terminal_summary(terminalreporter: t.Any, config: pytest.Config) -> None:
    """Write the report, and show its summary."""
    report = config.stash.get(_REPORT, None)
    if report is not None and report.summary:
        path = ROOT / ".build" / "faults.md"
        path.write_text(str(report), encoding="utf-8")
        terminalreporter.section(f"faults, in full in {path.relative_to(ROOT)}")
        terminalreporter.line(report.summary)
