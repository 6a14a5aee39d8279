# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nobody foresaw in the role's task is one sentence too, and shows no secret."""

from __future__ import annotations

import errno
import os
import types
import typing as t
import uuid

import pytest
from ansible_collections.graphops.intune.plugins.action import exchange_connector_fleet
from ansible_collections.graphops.intune.plugins.plugin_utils import fleet_actions as action
from ansible_collections.graphops.intune.plugins.plugin_utils import members

SECRET = "secret-of-the-net-51ab"
FOUND = members.Found("h", "contoso.example", {}, {}, False, "wrong.", [], [SECRET])


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> t.Any:
    """The action of a play with one host, of which something is wrong."""
    task = types.SimpleNamespace(args={}, check_mode=False, no_log=False, async_val=0, environment=None)
    connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="none"))
    made = exchange_connector_fleet.ActionModule(task, connection, types.SimpleNamespace(), None, None, None)
    monkeypatch.setattr(made, "_refuse_run_once", lambda: None)
    monkeypatch.setattr(made, "_found", lambda hosts, _vars: [FOUND for _host in hosts])
    # Not the object's number, which another test's has had.
    key = str(uuid.uuid4())
    monkeypatch.setattr(action.lineage, "run_key", lambda *_all, **_more: key)
    monkeypatch.setattr(action.lineage, "all_hosts_come_by", lambda _task: True)
    inventory = types.SimpleNamespace(get_host=lambda name: name)
    hosts = {name: ["h"] for name in ("ansible_play_hosts_all", "ansible_play_hosts", "ansible_play_batch")}
    variables = {**hosts, "hostvars": types.SimpleNamespace(_inventory=inventory, _variable_manager=None)}
    return types.SimpleNamespace(run=lambda: made.run(task_vars=variables))


@pytest.mark.parametrize(
    "where", ["fleet.synchronise", "fleet_report.table", "fleet_summary.limited", "fleet_summary.entry"]
)
def test_an_error_that_quotes_a_secret(fleet: t.Any, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    def fail(*_all: t.Any, **_more: t.Any) -> t.NoReturn:
        raise ZeroDivisionError(f"about {SECRET}")

    module, name = where.split(".")
    monkeypatch.setattr(getattr(action, module), name, fail)
    result = fleet.run()
    assert SECRET not in str(result)
    assert "an error inside graphops.intune, ZeroDivisionError" in str(result)
    if where in ("fleet_report.table", "fleet_summary.limited"):
        assert result["connectors"]["h"]["msg"] == "wrong.", "what came of the host is told all the same"
    else:
        assert result["failed"] is True


def test_what_cannot_be_kept_for_later_batches_is_told_all_the_same(
    fleet: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_all: t.Any) -> t.NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    result = fleet.run()
    assert result["connectors"]["h"]["msg"] == "wrong."
    assert result["summary"]["total"] == 1
    assert [text for text in result["warnings"] if "cannot be kept in" in text and "No space left on device" in text]
