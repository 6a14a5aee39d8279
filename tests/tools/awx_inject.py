# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hand a credential to a job by AWX's own code; for the environment of tests/requirements-awx.txt.

Reads JSON from standard input: ``type``, the name of a managed credential type or ``inputs`` and ``injectors`` of a
custom one; ``fields``, what was filled in; ``folder``, the job's private data folder. Writes the files of the
credential into that folder, and to standard output as JSON: ``env`` for the job, and ``safe_env``, which AWX shows.
"""

from __future__ import annotations

import json
import sys
import typing as t
from importlib.metadata import entry_points

from awx_plugins.interfaces import _temporary_private_api as api
from awx_plugins.interfaces import _temporary_private_inject_api as injection
from awx_plugins.interfaces._temporary_private_container_api import CONTAINER_ROOT


def credential_type(wanted: str | dict[str, t.Any]) -> api.ManagedCredentialType:
    """Return AWX's own type of that name, or the custom type so defined."""
    if isinstance(wanted, str):
        (found,) = entry_points(group="awx_plugins.managed_credentials.supported", name=wanted)
        return t.cast("api.ManagedCredentialType", found.load())
    return api.ManagedCredentialType(namespace="custom", name="custom", kind="cloud", **wanted)


def main() -> None:
    """Inject one credential."""
    asked = json.load(sys.stdin)
    env: dict[str, t.Any] = {}
    safe_env: dict[str, t.Any] = {}
    credential = api.Credential(asked["fields"])
    injection.inject_credential(credential_type(asked["type"]), credential, env, safe_env, [], asked["folder"])
    # The folder is mounted there in the job's container, and there is no container here.
    given = {name: str(value).replace(f"{CONTAINER_ROOT}/", f"{asked['folder']}/") for name, value in env.items()}
    json.dump({"env": given, "safe_env": safe_env}, sys.stdout)


if __name__ == "__main__":
    main()
