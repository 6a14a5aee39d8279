# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was tried, and what came of it: a table for the reader of ``make test-all``."""

from __future__ import annotations

import collections
import typing as t

from . import killed
from .matrix import Ended


class Report:
    """Collects what the exhaustive tests have to say."""

    def __init__(self) -> None:
        self._sentences: list[str] = []
        self._sections: list[str] = []

    def say(self, sentence: str) -> None:
        """Add a line to the summary."""
        self._sentences.append(sentence)

    def table(self, title: str, ended: t.Sequence[Ended], seconds: float) -> None:
        """Add a table: at each step, for each group of ways to fail, how the cells ended."""
        outcomes = collections.Counter(cell.task.outcome for cell in ended)
        counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
        broken = sum(bool(cell.broken) for cell in ended)
        self.say(f"{title}: {len(ended)} cells in {seconds:.0f} s: {counted}; {broken} against the invariants.")
        rows: dict[tuple[str, str], list[Ended]] = {}
        for cell in ended:
            level = "" if cell.cell.way.level == "answer" else f"{cell.cell.way.level} for "
            rows.setdefault((level + cell.cell.step.name, cell.cell.way.group), []).append(cell)
        lines = [
            f"## {title}",
            "",
            "| where | what | cells | outcomes | longest, s |",
            "| --- | --- | --: | --- | --: |",
        ]
        for (where, what), cells in sorted(rows.items()):
            kinds = collections.Counter(cell.outcome for cell in cells)
            words = ", ".join(f"{count} {outcome}" for outcome, count in sorted(kinds.items()))
            lines.append(
                f"| {where} | {what} | {len(cells)} | {words} | {max(cell.task.seconds for cell in cells):.1f} |"
            )
        self._sections.append("\n".join(lines))

    def died(self, title: str, ended: t.Sequence[killed.Ended], seconds: float) -> None:
        """Add a table: at each step, for each kind, what the run after one that died made of it."""
        broken = sum(bool(one.broken) for one in ended)
        self.say(f"{title}: {len(ended)} cells in {seconds:.0f} s; {broken} not right.")
        lines = [
            f"## {title}",
            "",
            "| where | accepted | the next run says | accepted then |",
            "| --- | --: | --- | --: |",
        ]
        lines += [f"| {one.cell.name} | {one.came.dead} | {one.came.state} | {one.came.accepted} |" for one in ended]
        self._sections.append("\n".join(lines))

    @property
    def summary(self) -> str:
        """The lines of the summary."""
        return "\n".join(self._sentences)

    def __str__(self) -> str:
        summary = "\n".join(f"- {sentence}" for sentence in self._sentences)
        return "\n\n".join(["# What was tried", summary, *self._sections]) + "\n"
