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

# What is said of a host that is no more with the run when its turn comes.
_GONE = "an earlier task failed for this host, so its connector was not looked at; see that task's message"


class _Host(t.NamedTuple):
    """What a host is and wants.

    :param tenant: its tenant as far as it is named; the same for its connector.
    :param member: None if something is wrong with it.
    :param said: what is to be said of it instead of anything being done; empty for nothing.
    """

    tenant: str
    connector_id: str
    member: fleet.Member | None
    said: dict[str, t.Any]


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
        everyone = list(task_vars.get("ansible_play_hosts_all", hosts))
        began, earlier = self._earlier()
        known = {one.host for one in earlier}
        gone = [host for host in everyone if host not in {*known, *hosts, *task_vars.get("ansible_play_hosts", hosts)}]
        try:
            limit = fleet.Limit(fleet.most_failures(params["max_failures"], len(everyone)))
            limit.count(sum(one.outcome in ("failed", "unknown") or one.reason == _GONE for one in earlier) + len(gone))
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
            began = began or str(timestamps.text(caller.timing.now().replace(microsecond=0)))
            found = self._hosts([*hosts, *gone], task_vars, hidden)
            results = {name: {"changed": False, **one.said} for name, one in found.items() if one.said}
            results.update({name: {"changed": False, "skipped": True, "msg": _GONE} for name in gone})
            limit.count(sum("skipped" not in result for result in results.values()))
            members = [one.member for name, one in found.items() if one.member and name not in results]
            results.update(fleet.synchronise(members, limit, caller))
            ended = str(timestamps.text(caller.timing.now().replace(microsecond=0)))
        entries = [
            fleet_summary.entry(
                name,
                result if "msg" not in result or "skipped" in result else {**result, "failed": True},
                tenant=found[name].tenant,
                connector_id=found[name].connector_id,
            )
            for name, result in masked({name: results[name] for name in found}, hidden).items()
        ]
        everything = [*earlier, *entries]
        self._keep(began, everything)
        result = {
            # The task is shown as one of the first host only, so what changed is told by each host itself.
            "changed": False,
            "connectors": {one.host: _outcome(one, results[one.host]) for one in entries},
            **self._told(everything, params["report_path"], warned, started=began, finished=ended),
            **({"warnings": warned} if warned else {}),
        }
        return t.cast("dict[str, t.Any]", masked(in_process.json_values(result), hidden))

    def _told(
        self, entries: t.Sequence[fleet_summary.Entry], report_path: str | None, warned: list[str], **span: str
    ) -> dict[str, t.Any]:
        """Show the summary of the run so far, write the report, and return the statistics."""
        summary = fleet_summary.summary(entries, **span)
        if not self._task.no_log:
            display.display(fleet_report.table(summary))
        if report_path:
            try:
                Path(report_path).write_text(fleet_report.render(report_path, entries, **span), encoding="utf-8")
            except OSError as error:
                warned.append(
                    f"The report could not be written to {report_path}: {error.strerror}; make the folder, or name"
                    f" another file in {PREFIX}report_path."
                )
        short = fleet_summary.limited(summary)
        # What set_stats returns: AWX makes artifacts of it, and hands them on to the next nodes of a workflow.
        statistics = {"data": {"exchange_connector_sync": short}, "per_host": False, "aggregate": False}
        return {"summary": short, "ansible_stats": statistics}

    def _hosts(self, hosts: t.Sequence[str], task_vars: t.Mapping[str, t.Any], hidden: set[str]) -> dict[str, _Host]:
        """Each host's options from its own variables, as the role's user wrote them; and what is wrong with some.

        ``hostvars`` knows neither the variables of the play nor the defaults of the role, so Ansible is asked for all
        that a task of the host would see.
        """
        manager = task_vars["hostvars"]._variable_manager  # noqa: SLF001
        inventory = task_vars["hostvars"]._inventory  # noqa: SLF001
        play = self._task.get_play()
        # What the play, its blocks and the role say; Ansible has filled in for the task what the first host has for it.
        surrounding = t.cast(t.Any, self._task)._parent._get_parent_attribute("environment")  # noqa: SLF001
        surrounding = surrounding if isinstance(surrounding, list) else []
        found = {}
        for name in hosts:
            seen = manager.get_vars(play=play, host=inventory.get_host(name), task=self._task)
            templar = self._templar.copy_with_new_env(available_variables=seen)
            found[name] = self._host(name, seen, templar, surrounding, hidden)
        return found

    def _host(
        self, name: str, seen: t.Mapping[str, t.Any], templar: t.Any, surrounding: list[t.Any], hidden: set[str]
    ) -> _Host:
        spec = options.member_spec()
        nothing = templar.template(seen.get("omit"))
        values: dict[str, t.Any] = {}
        wrong: list[str] = []
        for option in (word for name_, how in spec.items() for word in (name_, *how.get("aliases", ()))):
            if PREFIX + option not in seen:
                continue
            try:
                # What is omitted is an error by itself, and left out of a mapping.
                got = templar.template({option: seen[PREFIX + option]})
            except AnsibleError as error:
                wrong.append(f"{PREFIX}{option} cannot be used: {error.message}; correct this variable of the host.")
                continue
            if got.get(option) not in (None, "", nothing):
                values[option] = got[option]
        environment: dict[str, str] = {}
        left_out = False
        try:
            environment = _environment(templar.template(surrounding))
            left_out = not self._wanted(templar, seen)
        except AnsibleError as error:
            wrong.append(f"The environment or a condition of this host cannot be used: {error.message}; correct it.")
        checked = ArgumentSpecValidator(spec).validate(in_process.json_values(values))
        params, environ = checked.validated_parameters, {**os.environ, **environment}
        hidden.update(checked._no_log_values)  # noqa: SLF001
        hidden.update(identity.secrets(params, environ))
        if checked.error_messages:
            wrong.append(f"A variable {PREFIX}... of this host is not right: {checked.errors.msg}; correct it.")
        said: dict[str, t.Any] = {"msg": wrong[0]} if wrong else {}
        return _Host(
            tenant=options.given("tenant", options.IDENTITY_VARIABLES["tenant"], params, environ).value,
            connector_id=str(params.get("connector_id") or ""),
            member=None if wrong else fleet.Member(name, params, environment),
            said={"skipped": True, "msg": "left out by a condition (when)"} if left_out else said,
        )

    def _wanted(self, templar: t.Any, seen: t.Mapping[str, t.Any]) -> bool:
        """Whether the conditions of the role hold for a host; Ansible has asked for the first one only."""
        task = t.cast(t.Any, self._task)
        if hasattr(task, "evaluate_conditional"):
            # Until ansible-core 2.18.
            return bool(task.evaluate_conditional(templar, seen))
        return all(templar.evaluate_conditional(condition) for condition in task.when)

    def _earlier(self) -> tuple[str, list[fleet_summary.Entry]]:
        """When the run began, and what this task said of earlier batches: with ``serial``, it comes once for each."""
        try:
            began, entries = json.loads(self._memory.read_text(encoding="utf-8"))
            return began, [fleet_summary.Entry(*fields) for fields in entries]
        except (OSError, ValueError, TypeError):
            return "", []

    def _keep(self, began: str, entries: t.Sequence[fleet_summary.Entry]) -> None:
        """Keep it for the next batch, of which there may be none."""
        with contextlib.suppress(OSError):
            self._memory.touch(mode=0o600)
            self._memory.write_text(json.dumps([began, entries]), encoding="utf-8")

    @property
    def _memory(self) -> Path:
        """A file in the run's own folder, as the worker of one batch leaves nothing else to that of the next."""
        return Path(_SETTINGS.DEFAULT_LOCAL_TMP) / f"graphops-intune-{self._task._uuid}"  # noqa: SLF001


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
