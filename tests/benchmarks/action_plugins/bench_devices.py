# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action of ``intune_managed_device_sync``, for which time passes faster, as it does for the simulator.

``BENCH_FASTER`` is how many times, since the Unix time ``BENCH_SINCE``. The result has the most MiB that the process
took.
"""

from __future__ import annotations

import os
import resource
import time
import typing as t
from datetime import datetime, timezone

from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._kinds import managed_device
from ansible_collections.graphops.intune.plugins.module_utils._sync.command import SyncCommand
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import InProcess

FASTER = float(os.environ["BENCH_FASTER"])
SINCE = float(os.environ["BENCH_SINCE"])


def _now() -> float:
    return SINCE + (time.time() - SINCE) * FASTER


class _Faster(SyncCommand):
    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        clock = Clock(
            monotonic=_now,
            sleep=lambda seconds: time.sleep(seconds / FASTER),
            now=lambda: datetime.fromtimestamp(_now(), timezone.utc),
        )
        result = super().run(params, context._replace(clock=clock))
        return {**result, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


class ActionModule(InProcess):
    """Found by Ansible under this name."""

    command = _Faster(managed_device.KIND)
