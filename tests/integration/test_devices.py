# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices by the thousand, behind the limit that Microsoft documents. Time passes faster, for all who take part."""

from __future__ import annotations

import collections
import json
import math
import time
from datetime import datetime, timedelta, timezone

import pytest

from .conftest import ROOT, Site

pytestmark = pytest.mark.slow

# MiB that the process of the task may take, of which Ansible takes 60 for a task that does nothing.
MEMORY = 150


@pytest.mark.parametrize(
    ("devices", "faster"),
    [(1150, 10), pytest.param(10_000, 10, marks=[pytest.mark.exhaustive, pytest.mark.timeout(600)])],
)
def test_thousands_are_asked_as_fast_as_microsoft_allows(site: Site, devices: int, faster: int) -> None:
    since = time.time()
    site.world.clock = lambda: datetime.fromtimestamp(since + (time.time() - since) * faster, timezone.utc)
    for _number in range(devices):
        site.tenant.add_managed_device(last_sync=timedelta(days=1))
    limit = site.world.throttle("managed_device", most=200, seconds=20, refused_at_random=0.01)
    run = site.play(
        [{"bench_devices": site.options(connector_id=None, wait_sleep=None, all=True)}],
        "-vv",
        environment={
            "ANSIBLE_ACTION_PLUGINS": str(ROOT / "tests" / "benchmarks" / "action_plugins"),
            "BENCH_FASTER": str(faster),
            "BENCH_SINCE": str(since),
        },
        timeout=590,
    )
    assert run.code == 0, run.output[-3000:]
    counts = collections.Counter(run.result["counts"])
    assert +counts == {"found": devices, "due": devices, "requested": devices}
    accepted = [len(device.accepted) for device in site.tenant.managed_devices.values()]
    assert set(accepted) == {1}, "each is asked once"
    posts = [request.time for request in site.requests("sync")]
    took = (max(posts) - min(posts)).total_seconds()
    floor = (math.ceil(devices / 200) - 1) * 20
    memory = run.result["memory"]
    figures = (
        f"{took:.0f} s, of which the limit forces {floor}; {limit.refused} refused, {limit.refused_below} at random;"
        f" {memory:.0f} MiB"
    )
    print(figures)
    assert took <= 1.1 * floor, figures
    assert limit.refused <= 0.02 * devices, figures
    assert limit.refused_below > 0
    assert memory <= MEMORY, figures
    asked = run.result.pop("asked_device_ids")
    assert len(set(asked)) == devices
    assert len(json.dumps(asked)) <= 40 * devices
    assert len(json.dumps(run.result)) < 2000
    assert f"of {devices} were asked, 200 within 20 s, which leaves" in run.output
