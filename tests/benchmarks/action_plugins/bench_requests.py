# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An action that only sends the two requests, by a token that is there: what requests takes in a forked worker."""

from __future__ import annotations

import os
import typing as t

import requests
from ansible.plugins.action import ActionBase
from ansible_collections.graphops.intune.plugins.module_utils._http.connections import Adapter, tls_context

_CONTEXT = tls_context(None, True, os.environ)
_COLLECTION = f"{os.environ['MSGRAPH_URL']}/v1.0/deviceManagement/exchangeConnectors"
# As much as the collection gives a request that nobody gave another time.
_SECONDS = 30


class ActionModule(ActionBase):
    """Found by Ansible under this name."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Read and synchronise a connector."""
        super().run(tmp, task_vars)
        connector = f"{_COLLECTION}/{self._task.args['connector_id']}"
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", Adapter(_CONTEXT))
            session.headers["Authorization"] = f"Bearer {os.environ['BENCH_TOKEN']}"
            session.get(connector, timeout=_SECONDS).raise_for_status()
            session.post(f"{connector}/sync", json={"syncType": "deltaSync"}, timeout=_SECONDS).raise_for_status()
        return {"changed": True}
