# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This plugin_utils is private to graphops.intune; it can change in any release.

"""A module's work in the worker process itself: no module is built, no interpreter looked for, nothing imported anew.

Ansible loads an action plugin once, in the parent of all workers, if a task has its name. So whatever is slow to load
is loaded here, where every worker inherits it - but nothing with a connection, which workers would then share.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import time
import typing as t

from ansible import constants
from ansible.errors import AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.plugins.loader import callback_loader
from ansible.utils.display import Display
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http import connections
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity, token_cache
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context
from ansible_collections.graphops.intune.plugins.plugin_utils.masking import masked

# Set to false for a task, host or group, it has the module sent, to be run by the interpreter that Ansible finds.
VARIABLE = "graphops_intune_in_process"

# Seconds between two lines about a task that waits; from -vv on, all are shown.
PROGRESS_INTERVAL = 60.0

# Seconds after which a pause looks whether the run is still there.
_LONGEST_SLEEP = 1.0

# Ansible makes its settings attributes of this module at run time, which no type checker sees.
_SETTINGS: t.Any = constants
# In the run's own folder; all workers inherit it.
_SHARING = token_cache.sharing_in(str(_SETTINGS.DEFAULT_LOCAL_TMP))

display = Display()

if connections.HAS_REQUESTS:
    # Reading the authorities takes longer than a task's requests; a bundle that cannot be read is for the task to tell.
    with contextlib.suppress(errors.OptionError):
        connections.tls_context(None, True, os.environ)


class InProcess(NormalAction):
    """The action of a module whose work is a command of the engine.

    Where the task's connection is local, the command runs here, and gives what the module gives. Everything else is
    left to Ansible's own action, which sends the module: another connection, ``become``, ``async``, and whoever sets
    :data:`VARIABLE` to false.
    """

    command: shell.Command

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Do the task. Ansible's exception for ``timeout`` is no Exception, and passes through all of this."""
        task_vars = task_vars or {}
        try:
            here = self._belongs_here(task_vars)
        except TypeError as error:
            return {"failed": True, "msg": f"{VARIABLE} is neither true nor false: {error}"}
        if not here:
            self._tell_whose_variables()
            return t.cast("dict[str, t.Any]", super().run(tmp, task_vars))  # type: ignore[no-untyped-call]
        return self._run_here(task_vars)

    def _tell_whose_variables(self) -> None:
        """Let the module tell the task's own variables from those of the host, which are one environment there."""
        own = own_environment(self)
        if own:
            self._task.environment = [*self._task.environment, {shell.OWN_VARIABLE: " ".join(own)}]

    def _belongs_here(self, task_vars: t.Mapping[str, t.Any]) -> bool:
        return (
            self._connection.transport == "local"
            and self._connection.become is None
            and not self._task.async_val
            and boolean(self._templar.template(task_vars.get(VARIABLE, True)))
        )

    def _run_here(self, task_vars: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """What AnsibleModule and :func:`shell.run` do together, without leaving the process."""
        # The module would get its arguments as JSON: no vault, tag or lazy container is left in them.
        arguments = identity.without_empty(json_values(self._task.args))
        hidden: set[str] = set()
        warned: list[str] = []
        own = own_environment(self)
        with surroundings(own):
            checked = ArgumentSpecValidator(self.command.argument_spec()).validate(arguments)
        params = {**arguments, **checked.validated_parameters}
        hidden.update(checked._no_log_values)  # noqa: SLF001
        warned += [
            f"Both option {both['option']} and its alias {both['alias']} are set."
            for both in checked._warnings  # noqa: SLF001
        ]
        complaint = self._complaint(checked.errors) if checked.error_messages else ""
        deprecations = checked._deprecations  # noqa: SLF001
        return self._outcome(params, own, hidden, warned, task_vars, complaint=complaint, deprecations=deprecations)

    def _outcome(
        self,
        params: t.Mapping[str, t.Any],
        own: t.Mapping[str, str],
        hidden: set[str],
        warned: list[str],
        task_vars: t.Mapping[str, t.Any],
        *,
        complaint: str = "",
        deprecations: t.Sequence[t.Any] = (),
    ) -> dict[str, t.Any]:
        """Let the command do its work with parameters that were checked, and give what the task returns.

        :param own: the task's own environment.
        :param hidden: what must not be shown; it grows.
        :param complaint: why these cannot be used; "" if they can.
        """
        environ = dict(os.environ)
        hidden.update(identity.secrets(params, {**environ, **own}))
        if complaint:
            result: dict[str, t.Any] = {"msg": complaint}
        else:
            host = str(task_vars.get("inventory_hostname", "localhost"))
            context = Context(
                check_mode=bool(self._task.check_mode),
                environ=environ,
                own=own,
                clock=clock(),
                warn=warned.append,
                progress=progress_of(host, hidden, bool(self._task.no_log)),
                hide=hidden.update,
                shared_tokens=_SHARING,
            )
            with surroundings(own):
                result = shell.outcome(self.command, params, context)
        if "msg" in result:
            result["failed"] = True
        if _tells_invocation(task_vars):
            result["invocation"] = {"module_args": params}
        if warned:
            result["warnings"] = warned
        if deprecations:
            result["deprecations"] = deprecations
        result = json_values(result)
        # As AnsibleModule: a secret that is spelt "True" must not hide whether something changed.
        kept = {name: value for name, value in result.items() if value is None or isinstance(value, bool)}
        return {**masked(result, hidden), **kept}

    def _complaint(self, found: t.Any) -> str:
        if isinstance(found[0], UnsupportedError):
            return f"Unsupported parameters for ({self._task.action}) module: {found.msg}"
        return str(found.msg)


def own_environment(action: t.Any) -> dict[str, str]:
    """The variables that the keyword ``environment`` gives to the task of an action, as Ansible evaluates them."""
    found: dict[str, t.Any] = {}
    action._compute_environment_string(found)  # noqa: SLF001
    return {str(name): str(value) for name, value in found.items()}


def clock() -> Clock:
    """The time of everyone, but no pause and no request outlives the run.

    Since ansible-core 2.19 a worker leaves the process group of ansible-playbook. Who kills the group, as
    ansible-runner does with a job that is cancelled, leaves the worker to go on with nobody to tell.
    """
    # Whose child it is by now may be somebody else's already.
    controller = multiprocessing.parent_process()
    parent = os.getppid() if controller is None else controller.pid

    def ensure_wanted() -> None:
        if os.getppid() != parent:
            os._exit(1)

    def sleep(seconds: float) -> None:
        end = time.monotonic() + seconds
        while True:
            ensure_wanted()
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, _LONGEST_SLEEP))

    return Clock(sleep=sleep, ensure_wanted=ensure_wanted)


def people_read() -> bool:
    """Whether people read what is displayed: Ansible's own callback for the screen, or one that is made of it.

    Another one may write JSON, or nothing at all; a line of ours would break that.
    """
    chosen = callback_loader.get(_SETTINGS.DEFAULT_STDOUT_CALLBACK, class_only=True)
    return isinstance(chosen, type) and issubclass(chosen, DefaultCallback)


def progress_of(who: str, hidden: t.AbstractSet[str], no_log: bool) -> t.Callable[[str], None]:
    """A way to say what is being waited for: every time from -vv on, else once a minute, first after a minute.

    :param who: the host, or what stands for many.
    :param hidden: what must not be shown; it may grow.
    :param no_log: whether nothing at all is said.
    """
    monotonic = Clock().monotonic
    said = monotonic()

    def say(text: str) -> None:
        nonlocal said
        if no_log or not people_read():
            return
        line = masked(f"WAITING: [{who}]: {text}", hidden)
        if display.verbosity >= 2:
            display.vv(line)
        elif monotonic() - said >= PROGRESS_INTERVAL:
            said = monotonic()
            display.display(line, color=_SETTINGS.COLOR_DEBUG)

    return say


@contextlib.contextmanager
def surroundings(own: t.Mapping[str, str]) -> t.Iterator[None]:
    """Give the block the task's environment, which Ansible gives to modules only, and keep the libraries quiet.

    A worker runs one task, so nobody else sees the changed environment.
    """
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        with shell.quiet_libraries():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def json_values(value: t.Any) -> t.Any:
    """What a module would get or give: plain values, without vault, tags or lazy containers."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: t.Any) -> t.Any:
    """What Ansible's encoder makes of what JSON does not know."""
    if isinstance(value, t.Mapping):
        return dict(value)
    if isinstance(value, t.Iterable) and not hasattr(value, "isoformat") and not isinstance(value, t.Sequence):
        return list(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _tells_invocation(task_vars: t.Mapping[str, t.Any]) -> bool:
    """Whether results carry the module's arguments: always, until ansible-core made a setting of it."""
    try:
        return bool(_SETTINGS.config.get_config_value("INJECT_INVOCATION", variables=task_vars))
    except AnsibleError:
        return True
