# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Between Ansible and the engine: parameters in, a result or one sentence out."""

from __future__ import annotations

import os
import typing as t

from ansible.module_utils.basic import missing_required_lib

from . import errors, identity, options, retries

if t.TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


class Flow(t.Protocol):
    """What a module does: the files ``sync`` and ``info`` are such."""

    def perform(
        self,
        params: t.Mapping[str, t.Any],
        *,
        check_mode: bool,
        environ: t.Mapping[str, str],
        timing: retries.Timing,
        warn: t.Callable[[str], t.Any],
        keep_secret: t.Callable[[t.Iterable[str]], t.Any],
    ) -> dict[str, t.Any]:
        """Do it and return the result."""

    def subject(self, params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""


def run(module: AnsibleModule, flow: Flow) -> t.NoReturn:
    """Let ``flow`` do its work and end the module with its result, or with one sentence about what failed."""
    params, environ = module.params, os.environ
    # What AnsibleModule hides by itself are options; a secret from the environment it does not know.
    module.no_log_values.update(identity.secrets(params, environ))
    try:
        result = flow.perform(
            params,
            check_mode=module.check_mode,
            environ=environ,
            timing=retries.Timing(),
            warn=module.warn,
            keep_secret=module.no_log_values.update,
        )
    except errors.MissingLibraryError as error:
        module.fail_json(msg=missing_required_lib(error.library), changed=False)
    except errors.OptionError as error:
        module.fail_json(msg=error.sentence(), changed=False)
    except errors.IntuneError as error:
        tenant = options.given("tenant", options.IDENTITY_VARIABLES["tenant"], params, environ).value
        known = {"changed": False, **getattr(error, "result", {})}
        known["request_id"] = error.request_id or known.get("request_id")
        module.fail_json(msg=error.sentence(flow.subject(params, tenant)), **known)
    except Exception as error:  # noqa: BLE001
        # The last net: whatever it is, an administrator gets a sentence and no traceback.
        tenant = options.given("tenant", options.IDENTITY_VARIABLES["tenant"], params, environ).value
        module.fail_json(
            msg=f"{flow.subject(params, tenant)}: an error inside graphops.intune, {type(error).__name__}:"
            f" {errors.one_line(str(error))}; please report this with the versions of ansible-core, msal and requests.",
            changed=False,
        )
    module.exit_json(**result)
