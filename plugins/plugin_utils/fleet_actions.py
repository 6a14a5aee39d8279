# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""What the tasks of a role over a fleet do; which role that is, their action plugins say."""

from __future__ import annotations

import os
import typing as t

from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors, timestamps
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_report, fleet_summary
from ansible_collections.graphops.intune.plugins.module_utils._sync import fleet, options
from ansible_collections.graphops.intune.plugins.module_utils._sync.fleet_group import Ending, FailureLimit, FleetHost
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context
from ansible_collections.graphops.intune.plugins.plugin_utils import in_process, lineage, members, report_file
from ansible_collections.graphops.intune.plugins.plugin_utils.fleet_role import FleetRole
from ansible_collections.graphops.intune.plugins.plugin_utils.in_process import display
from ansible_collections.graphops.intune.plugins.plugin_utils.masking import masked
from ansible_collections.graphops.intune.plugins.plugin_utils.run_store import STORE

_SPEC = {**members.with_plain_paths(options.fleet_spec()), "members": {"type": "bool", "default": False}}

# What is said of hosts that Ansible did not run the role for.
_LEFT_OUT = "left out by a condition, a loop or an include"
_GONE = "left the play before the role, so nothing of it was looked at"


class FleetAction(ActionBase):
    """Synchronise what all hosts of a play are about in one task."""

    role: FleetRole

    # The hosts are gone through here: with a task per host, a fleet would be asked and waited for piece by piece.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Do it for all hosts that Ansible runs the role for, or have them say first that they are such."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        # Before 2.19, ansible-core takes a null that comes out of a template for no text.
        given = {name: value for name, value in in_process.json_values(self._task.args).items() if value is not None}
        checked = ArgumentSpecValidator(_SPEC).validate(given)
        if checked.error_messages:
            return {"failed": True, "msg": str(checked.errors.msg)}
        params = checked.validated_parameters
        try:
            self._refuse_run_once()
            everyone = [*task_vars.get("ansible_play_hosts_all", ())]
            most = fleet.most_failures(params["max_failures"], len(everyone))
            report_path = members.at_home(params["report_path"]) if params["report_path"] else None
            if report_path:
                fleet_report.form_of(report_path)
                report_file.check(report_path)
        except errors.OptionError as error:
            if lineage.all_hosts_come_by(self._task):
                return {"failed": True, "msg": error.sentence()}
            # Ansible has all hosts of the play fail along with such a task, also those that the role is not for.
            return {"changed": False, "by_host": False, "refused": error.sentence()}
        history = _History(lineage.run_key(self._task, included=params["members"]))
        batch, present = [*task_vars.get("ansible_play_batch", ())], {*task_vars.get("ansible_play_hosts", ())}
        gone = [host for host in everyone if host not in present and host not in history.known]
        if params["members"]:
            found = [members.Found(*fields) for fields in STORE.take(lineage.members_key(self._task))]
        elif not lineage.all_hosts_come_by(self._task):
            return {"changed": False, "by_host": True}
        else:
            found = self._found(batch, task_vars)
        hidden = {secret for one in found for secret in one.secrets}
        limit = FailureLimit(most, self.role.noun, history.failed)
        try:
            return self._synchronised(found, batch, gone, history, limit, report_path, hidden, task_vars)
        except Exception as error:  # noqa: BLE001
            # The last net: Ansible would show the text of the error as it is, whatever secret it quotes.
            said = errors.unexpected(error).sentence(f"The {self.role.noun} of these hosts")
            return t.cast("dict[str, t.Any]", masked({"failed": True, "changed": False, "msg": said}, hidden))

    def _refuse_run_once(self) -> None:
        """See that every host is told what came of it; the task after this one does that.

        :raises OptionError: one host stands for all.
        """
        if any(boolean(self._templar.template(value)) for value in lineage.run_once_around(self._task)):
            raise errors.OptionError(
                "run_once is set for the role or around it, so only one host would be told what came of all",
                advice="leave run_once out: the role asks for all hosts together by itself",
            )

    def _synchronised(
        self,
        found: t.Sequence[members.Found],
        batch: t.Sequence[str],
        gone: t.Sequence[str],
        history: _History,
        limit: FailureLimit,
        report_path: str | None,
        hidden: set[str],
        task_vars: t.Mapping[str, t.Any],
    ) -> dict[str, t.Any]:
        """Bring what the hosts that take part are about up to date, and tell of all.

        :param batch: the hosts that are in the play, whether they take part or not.
        :param gone: those that have left it.
        :param hidden: what must not be shown; it grows.
        """
        role = self.role
        warned = [warning for one in found for warning in one.warnings]
        endings: dict[str, t.Sequence[Ending]] = {}
        wanted = []
        for one in found:
            host = self._fleet_host(one)
            if isinstance(host, FleetHost):
                wanted.append(host)
            else:
                endings[one.host] = [host]
        limit.count(endings)
        with shell.quiet_libraries():
            context = Context(
                check_mode=bool(self._task.check_mode),
                environ=dict(os.environ),
                clock=in_process.clock(),
                warn=warned.append,
                progress=in_process.progress_of("all hosts", hidden, bool(self._task.no_log)),
                hide=hidden.update,
            )
            began = history.began or str(timestamps.text(context.clock.now().replace(microsecond=0)))
            endings.update(fleet.synchronise(wanted, limit, context))
            ended = str(timestamps.text(context.clock.now().replace(microsecond=0)))
        # What Ansible could not know is masked before anything is cut, and in the names of things as well.
        told = masked([[[one.result, one.about] for one in endings[host.host]] for host in found], hidden)
        endings = {
            host.host: [
                ending._replace(result=result, about=about)
                for ending, (result, about) in zip(endings[host.host], of_host)
            ]
            for host, of_host in zip(found, told)
        }
        known = masked([[[*role.entry(host, ending)] for ending in endings[host.host]] for host in found], hidden)
        outcomes = {
            host.host: [(fleet_summary.Entry(*fields), ending) for fields, ending in zip(of_host, endings[host.host])]
            for host, of_host in zip(found, known)
        }
        failing = {one.host for one in found if self._failed(one, outcomes[one.host])}
        entries = [entry for one in found for entry, _ending in outcomes[one.host]]
        tenants = {one.host: one.tenant for one in found}
        try:
            history.add(began, entries, tenants, len(failing), batch, gone)
        except AnsibleError as error:
            # On a full disk, say: what was done is told all the same, to later batches alone it is lost.
            warned.append(error.message)
        silent = self._found([host for host in history.known if host not in history.told], task_vars)
        left_out = [
            role.entry(one, role.ending(one, _skipped(_GONE if history.known[one.host] else _LEFT_OUT)))
            for one in silent
        ]
        everything = [*history.entries, *left_out]
        result = {
            # The task is shown as one of the first host only, so what changed is told by each host itself.
            "changed": False,
            "by_host": False,
            role.results_key: {one.host: role.told(one, outcomes[one.host], one.host in failing) for one in found},
            **self._told(everything, history.tenants, report_path, warned, started=began, finished=ended),
            **({"warnings": [*dict.fromkeys(warned)]} if warned else {}),
        }
        return t.cast("dict[str, t.Any]", masked(in_process.json_values(result), hidden))

    def _fleet_host(self, one: members.Found) -> FleetHost | Ending:
        """What the engine is to do for a host, or what is wrong with its options."""
        role = self.role
        if one.wrong:
            return role.ending(one, {"changed": False, "msg": one.wrong})
        try:
            wants = role.wants(one.params)
        except errors.OptionError as error:
            return role.ending(one, errors.failed(error, ""))
        return FleetHost(one.host, wants, one.params, one.environment, one.check_mode, role.fail_on(one.params))

    def _failed(self, one: members.Found, outcomes: t.Sequence[tuple[fleet_summary.Entry, Ending]]) -> bool:
        """Whether a host failed, by what it says itself of what makes it fail."""
        fail_on = self.role.fail_on(one.params)
        return any(
            # What is wrong with its options is not about anything of Intune, and always counts.
            ending.trouble in fail_on or (ending.trouble == "failed" and not ending.about)
            for _entry, ending in outcomes
        )

    def _told(
        self,
        entries: t.Sequence[fleet_summary.Entry],
        tenants: t.Mapping[str, str],
        report_path: str | None,
        warned: list[str],
        **span: str,
    ) -> dict[str, t.Any]:
        """Show the summary of the run so far, write the report, and return the statistics."""
        try:
            return self._summary(entries, tenants, report_path, warned, **span)
        except Exception as error:  # noqa: BLE001
            # Whatever it is, what came of the hosts is told by each of them all the same.
            warned.append(errors.unexpected(error).sentence("The summary could not be made"))
            return {}

    def _summary(
        self,
        entries: t.Sequence[fleet_summary.Entry],
        tenants: t.Mapping[str, str],
        report_path: str | None,
        warned: list[str],
        **span: str,
    ) -> dict[str, t.Any]:
        words = self.role.words
        of_tenants = tenants if self.role.kind is None else None
        summary = fleet_summary.summary(entries, tenants=of_tenants, **span)
        if not self._task.no_log and in_process.people_read():
            display.display(fleet_report.table(summary, words))
        if report_path:
            report = fleet_report.render(report_path, entries, words, tenants=of_tenants, **span)
            warning = report_file.write(report_path, report)
            if warning:
                warned.append(warning)
        short = fleet_summary.limited(summary)
        # What set_stats returns: AWX makes artifacts of it, and hands them on to the next nodes of a workflow.
        statistics = {"data": {self.role.name: short}, "per_host": False, "aggregate": False}
        return {"summary": short, "ansible_stats": statistics}

    def _found(self, hosts: t.Iterable[str], task_vars: t.Mapping[str, t.Any]) -> list[members.Found]:
        """What hosts want, by the variables that a task of each would see.

        ``hostvars`` knows neither the variables of the play nor the defaults of the role, so Ansible is asked for all.
        """
        manager = task_vars["hostvars"]._variable_manager  # noqa: SLF001
        inventory = task_vars["hostvars"]._inventory  # noqa: SLF001
        play = self._task.get_play()
        found = []
        for name in hosts:
            host = inventory.get_host(name)
            seen = manager.get_vars(play=play, host=host, task=self._task) if host else {}
            templar = self._templar.copy_with_new_env(available_variables=seen)
            found.append(
                members.read(self.role.variables, name, seen, templar, {}, check_mode=bool(self._task.check_mode))
            )
        return found


class _History:
    """What the task said of earlier batches, and of other items of the same include: it comes once for each.

    :param key: what stays the same for all of them.
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self.began = ""
        self.entries: list[fleet_summary.Entry] = []
        # The tenants of the hosts that took part.
        self.tenants: dict[str, str] = {}
        # How many of the hosts failed.
        self.failed = 0
        # By host, whether it had left the play.
        self.known: dict[str, bool] = {}
        for began, entries, *rest in STORE.values(key):
            self._learn(began, [fleet_summary.Entry(*fields) for fields in entries], *rest)

    @property
    def told(self) -> set[str]:
        """The hosts of which something is told."""
        return {*self.tenants}

    def add(self, began: str, entries: t.Sequence[fleet_summary.Entry], *rest: t.Any) -> None:
        """Add what is said now.

        :param rest: the tenants of the hosts that took part, how many of these failed, the hosts of the batch, and
            those that have left the play.
        """
        self._learn(began, entries, *rest)
        STORE.append(self._key, [began, entries, *rest])

    def _learn(
        self,
        began: str,
        entries: t.Iterable[fleet_summary.Entry],
        tenants: t.Mapping[str, str],
        failed: int,
        batch: t.Iterable[str],
        gone: t.Iterable[str],
    ) -> None:
        self.began = self.began or began
        self.entries += entries
        self.tenants.update(tenants)
        self.failed += failed
        self.known.update({**dict.fromkeys(batch, False), **dict.fromkeys(gone, True)})


def _skipped(why: str) -> dict[str, t.Any]:
    return {"changed": False, "skipped": True, "msg": why}


class MemberAction(ActionBase):
    """Add a host to those that the next task is about."""

    role: FleetRole

    _VALID_ARGS: frozenset[str] = frozenset()
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Leave what this host wants, by Ansible's own evaluation, to the worker of the next task."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        name, own = str(task_vars.get("inventory_hostname")), in_process.own_environment(self)
        check_mode = bool(self._task.check_mode)
        found = members.read(self.role.variables, name, task_vars, self._templar, own, check_mode=check_mode)
        STORE.append(lineage.members_key(self._task), found)
        return {"changed": False}


class OutcomeAction(ActionBase):
    """Tell one host of a fleet what came of it."""

    role: FleetRole

    _VALID_ARGS = frozenset(("fleet",))
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return what came of this host as its result."""
        super().run(tmp, task_vars)
        task_vars = task_vars or {}
        name, host = str(self._task.args.get("fleet")), task_vars.get("inventory_hostname")
        registered = task_vars.get(name)
        registered = registered if isinstance(registered, t.Mapping) else {}
        refused = registered.get("refused") or (registered.get("failed") and registered.get("msg"))
        if refused:
            return {"failed": True, "msg": str(refused)}
        results = registered.get(self.role.results_key)
        outcome = results.get(host) if isinstance(results, t.Mapping) else None
        if outcome is None:
            return {
                "failed": True,
                "msg": f"{name} does not hold what the role's first task returned for {host}, so nothing is known of"
                " it; begin with that task.",
            }
        return t.cast("dict[str, t.Any]", in_process.json_values(outcome))
