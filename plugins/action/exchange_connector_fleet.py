# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Synchronise the connectors of all hosts of a play in one task; the documentation is in the module."""

from __future__ import annotations

import contextlib
import json
import os
import typing as t
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase
from ansible_collections.graphops.intune.plugins.module_utils import (
    errors,
    fleet,
    fleet_report,
    fleet_summary,
    identity,
    options,
    timestamps,
)
from ansible_collections.graphops.intune.plugins.module_utils.client import Caller
from ansible_collections.graphops.intune.plugins.plugin_utils import in_process
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import display
from ansible_collections.graphops.intune.plugins.plugin_utils.masking import masked

PREFIX = "exchange_connector_sync_"

# Ansible makes its settings attributes of this module at run time, which no type checker sees.
_SETTINGS: t.Any = constants


class ActionModule(ActionBase):
    """Found by Ansible under this name."""

    # The hosts are gone through here: with a task per host, a fleet would be asked and waited for piece by piece.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Do it for all hosts of the batch that have not failed yet."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        checked = ArgumentSpecValidator(options.fleet_spec()).validate(in_process.json_values(self._task.args))
        if checked.error_messages:
            return {"failed": True, "msg": str(checked.errors.msg)}
        params = checked.validated_parameters
        hosts = list(task_vars.get("ansible_play_batch", ()))
        earlier = self._earlier()
        try:
            everyone = len(task_vars.get("ansible_play_hosts_all", hosts))
            limit = fleet.Limit(fleet.most_failures(params["max_failures"], everyone))
            limit.count(sum(one.outcome == "failed" for one in earlier))
            if params["report_path"]:
                fleet_report.form_of(params["report_path"])
        except errors.OptionError as error:
            return {"failed": True, "msg": error.sentence()}
        environment: dict[str, t.Any] = {}
        self._compute_environment_string(environment)  # type: ignore[no-untyped-call]
        hidden: set[str] = set()
        warned: list[str] = []
        with in_process.surroundings(environment):
            caller = Caller(
                check_mode=bool(self._task.check_mode),
                environ=os.environ,
                timing=in_process.timing(),
                warn=warned.append,
                progress=in_process.progress_of("all hosts", hidden, bool(self._task.no_log)),
                keep_secret=hidden.update,
            )
            started = caller.timing.now()
            members, results = self._members(hosts, task_vars, hidden)
            limit.count(len(results))
            results.update(fleet.synchronise(members, limit, caller))
            finished = caller.timing.now()
        entries = _entries({host: results[host] for host in hosts}, {one.host: one.params for one in members}, hidden)
        everything = [*earlier, *entries]
        self._keep(everything)
        span = {
            "started": str(timestamps.text(started.replace(microsecond=0))),
            "finished": str(timestamps.text(finished.replace(microsecond=0))),
        }
        summary = fleet_summary.summary(everything, **span)
        if not self._task.no_log:
            display.display(fleet_report.table(summary))
        if params["report_path"]:
            try:
                Path(params["report_path"]).write_text(
                    fleet_report.render(params["report_path"], everything, **span), encoding="utf-8"
                )
            except OSError as error:
                warned.append(f"The report could not be written to {params['report_path']}: {error.strerror}.")
        short = fleet_summary.limited(summary)
        result = {
            # The task is shown as one of the first host only, so what changed is told by each host itself.
            "changed": False,
            "connectors": {one.host: _outcome(one, results[one.host]) for one in entries},
            "summary": short,
            # What set_stats returns: AWX makes artifacts of it, and hands them on to the next nodes of a workflow.
            "ansible_stats": {"data": {"exchange_connector_sync": short}, "per_host": False, "aggregate": False},
            **({"warnings": warned} if warned else {}),
        }
        return t.cast("dict[str, t.Any]", masked(in_process.json_values(result), hidden))

    def _members(
        self, hosts: t.Sequence[str], task_vars: t.Mapping[str, t.Any], hidden: set[str]
    ) -> tuple[list[fleet.Member], dict[str, dict[str, t.Any]]]:
        """Each host's options from its own variables, as the role's user wrote them; and what is wrong with some.

        ``hostvars`` knows neither the variables of the play nor the defaults of the role, so Ansible is asked for all
        that a task of the host would see.
        """
        manager = task_vars["hostvars"]._variable_manager  # noqa: SLF001
        inventory = task_vars["hostvars"]._inventory  # noqa: SLF001
        play = self._task.get_play()
        spec = options.member_spec()
        names = [name for option, how in spec.items() for name in (option, *how.get("aliases", ()))]
        # What the play, its blocks and the role say; Ansible has filled in for the task what the first host has for it.
        surrounding = t.cast(t.Any, self._task)._parent._get_parent_attribute("environment")  # noqa: SLF001
        surrounding = surrounding if isinstance(surrounding, list) else []
        members: list[fleet.Member] = []
        wrong: dict[str, dict[str, t.Any]] = {}
        for name in hosts:
            seen = manager.get_vars(play=play, host=inventory.get_host(name), task=self._task)
            templar = self._templar.copy_with_new_env(available_variables=seen)
            nothing = templar.template(seen.get("omit"))
            given = {option: seen[PREFIX + option] for option in names if PREFIX + option in seen}
            try:
                values = {option: templar.template(value) for option, value in given.items()}
                environment = _environment(templar.template(surrounding))
            except AnsibleError as error:
                wrong[name] = {"changed": False, "msg": f"A variable of the role cannot be used: {error.message}"}
                continue
            values = {option: value for option, value in values.items() if value not in (None, "", nothing)}
            checked = ArgumentSpecValidator(spec).validate(in_process.json_values(values))
            hidden.update(checked._no_log_values)  # noqa: SLF001
            hidden.update(identity.secrets(checked.validated_parameters, {**os.environ, **environment}))
            if checked.error_messages:
                wrong[name] = {"changed": False, "msg": str(checked.errors.msg)}
            else:
                members.append(fleet.Member(name, checked.validated_parameters, environment))
        return members, wrong

    def _earlier(self) -> list[fleet_summary.Entry]:
        """What this task said of the hosts of earlier batches: with ``serial``, it runs once for each."""
        try:
            return [fleet_summary.Entry(*fields) for fields in json.loads(self._memory.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError):
            return []

    def _keep(self, entries: t.Sequence[fleet_summary.Entry]) -> None:
        """Keep it for the next batch, of which there may be none."""
        with contextlib.suppress(OSError):
            self._memory.touch(mode=0o600)
            self._memory.write_text(json.dumps(entries), encoding="utf-8")

    @property
    def _memory(self) -> Path:
        """A file in the run's own folder, as the worker of one batch leaves nothing else to that of the next."""
        return Path(_SETTINGS.DEFAULT_LOCAL_TMP) / f"graphops-intune-{self._task._uuid}"  # noqa: SLF001


def _entries(
    results: t.Mapping[str, dict[str, t.Any]],
    params: t.Mapping[str, t.Mapping[str, t.Any]],
    hidden: t.AbstractSet[str],
) -> list[fleet_summary.Entry]:
    return [
        fleet_summary.entry(
            host,
            result if "msg" not in result or "skipped" in result else {**result, "failed": True},
            tenant=str(params.get(host, {}).get("tenant") or ""),
            connector_id=str(params.get(host, {}).get("connector_id") or ""),
        )
        for host, result in masked(results, hidden).items()
    ]


def _environment(parts: t.Any) -> dict[str, str]:
    """What Ansible makes of ``environment``: mappings, of which the last one wins."""
    plain = in_process.json_values(parts)
    return {
        str(name): str(value)
        for part in (plain if isinstance(plain, list) else [plain])
        if isinstance(part, dict)
        for name, value in part.items()
    }


def _outcome(entry: fleet_summary.Entry, result: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """What one host is told: little, because the results of all hosts are one event of a job."""
    told: dict[str, t.Any] = {
        "changed": entry.changed,
        "failed": "msg" in result,
        "outcome": entry.outcome,
        "msg": result.get("msg", entry.reason),
        "last_sync_date_time": entry.last_sync_date_time,
        "request_id": entry.request_id or None,
    }
    return {**told, "diff": result["diff"]} if entry.changed and "diff" in result else told
