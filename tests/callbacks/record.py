# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes each task's result as a line of JSON, so that tests and the demo read values and not a display."""

from __future__ import annotations

import json
import os
import time
import typing as t
from pathlib import Path

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: record
type: aggregate
short_description: Record results for the tests
description: Appends each result to the file that the environment variable RECORD_RESULTS names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """The callback."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "record"

    def __init__(self) -> None:
        super().__init__()
        self._starts: dict[str, float] = {}

    def v2_runner_on_start(self, host: t.Any, task: t.Any) -> None:  # noqa: ARG002
        """Note when a host begins its task."""
        self._starts[host.get_name()] = time.monotonic()

    def v2_runner_on_ok(self, result: t.Any) -> None:
        """Record a success."""
        self._record(result, failed=False)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:  # noqa: ARG002
        """Record a failure."""
        self._record(result, failed=True)

    def _record(self, result: t.Any, *, failed: bool) -> None:
        host = result._host.get_name()  # noqa: SLF001
        seconds = time.monotonic() - self._starts.get(host, time.monotonic())
        line = {"host": host, "failed": failed, "seconds": seconds, "result": result._result}  # noqa: SLF001
        with Path(os.environ["RECORD_RESULTS"]).open("a", encoding="utf-8") as file:
            json.dump(line, file, default=str)
            file.write("\n")
