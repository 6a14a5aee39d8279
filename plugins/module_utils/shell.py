# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Between Ansible and the engine: parameters in, a result or one sentence out."""

from __future__ import annotations

import contextlib
import logging
import os
import typing as t
import warnings

from ._ground import errors, option_values
from ._ground.clock import Clock
from ._identity import identity
from ._sync.session import Context

try:
    # From ansible-core 2.22 on, which no longer looks at a module's no_log_values.
    from ansible.module_utils.secrets import register_secrets  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    register_secrets = None


# By this variable, a module that was sent is told which of its environment's are the task's own.
OWN_VARIABLE = "GRAPHOPS_INTUNE_TASK_ENVIRONMENT"


class Command(t.Protocol):
    """What a module does: see :mod:`_sync.command`."""

    def argument_spec(self) -> dict[str, t.Any]:
        """The argument spec of the module."""

    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Do it and return the result."""

    def subject(self, params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""


class Hiding:
    """What makes an AnsibleModule, to be put before it, hide more than the options that are secrets by themselves.

    It does not know those of the environment, nor the password in an address.
    """

    params: t.Any
    no_log_values: t.Any

    def _load_params(self) -> None:
        """Read the arguments, before they are checked."""
        super()._load_params()  # type: ignore[misc]
        self.params = identity.without_empty(self.params)

    def hide(self, secrets: t.Iterable[str]) -> None:
        """Mask secrets in all that is returned."""
        known = {secret for secret in secrets if secret}
        self.no_log_values.update(known)
        if register_secrets is not None:
            register_secrets(known)

    def fail_json(self, msg: str, **kwargs: t.Any) -> None:
        """Fail; also while the options are still being checked, which are returned then as they are."""
        self.hide(identity.secrets(self.params, os.environ))
        super().fail_json(msg, **kwargs)  # type: ignore[misc]


@contextlib.contextmanager
def quiet_libraries() -> t.Iterator[None]:
    """Keep what msal and requests log or warn of from screen and log: it may be an answer that repeats a secret."""
    disabled = logging.root.manager.disable
    logging.disable()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def run(module: t.Any, command: Command) -> None:
    """Let ``command`` do its work and end the module with its result, or with one sentence about what failed."""
    environ = dict(os.environ)
    own = {name: environ.pop(name) for name in environ.pop(OWN_VARIABLE, "").split() if name in environ}
    module.hide(identity.secrets(module.params, {**environ, **own}))
    context = Context(
        check_mode=module.check_mode,
        environ=environ,
        own=own,
        sent=True,
        clock=Clock(),
        warn=module.warn,
        # A module has no way to say anything before its end.
        progress=lambda _text: None,
        hide=module.hide,
    )
    with quiet_libraries():
        result = outcome(command, module.params, context)
    if "msg" in result:
        module.fail_json(**result)
    module.exit_json(**result)


def outcome(command: Command, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
    """Let ``command`` do its work.

    :returns: its result; if it failed, with the sentence about that in ``msg``, and without traceback whatever happens.
    """
    try:
        return command.run(params, context)
    except errors.IntuneError as error:
        if context.sent and isinstance(error, errors.MissingLibraryError):
            # The module speaks to Graph from anywhere.
            error.advice += ", or delegate the task to localhost"
        return errors.failed(error, _about(command, params, context))
    except Exception as error:  # noqa: BLE001
        # The last net, so that an administrator gets a sentence whatever it is.
        return errors.unexpected(error).as_result(_about(command, params, context))


def _about(command: Command, params: t.Mapping[str, t.Any], context: Context) -> str:
    tenant = option_values.lookup("tenant", identity.IDENTITY_VARIABLES["tenant"], params, context.whole_environ)
    return command.subject(params, tenant.value)
