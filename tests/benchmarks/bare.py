# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The job without Ansible: read and synchronise connectors, with requests and MSAL as they come.

The first argument is the number of threads. With "batch" as the second, twenty connectors share a request.
"""

from __future__ import annotations

import json
import os
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor

import msal
import requests
from requests.adapters import HTTPAdapter

GRAPH = os.environ["MSGRAPH_URL"]
COLLECTION = "/deviceManagement/exchangeConnectors/"
DELTA = {"syncType": "deltaSync"}
IN_A_BATCH = 20


def main() -> None:
    threads, in_batches = int(sys.argv[1]), sys.argv[2] == "batch"
    ids = json.load(sys.stdin)
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=threads))
    app = msal.ConfidentialClientApplication(
        os.environ["AZURE_CLIENT_ID"],
        client_credential=os.environ["AZURE_SECRET"],
        authority=f"{os.environ['AZURE_AUTHORITY_HOST']}/{os.environ['AZURE_TENANT']}",
        instance_discovery=False,
        validate_authority=False,
        http_client=session,
    )
    token = app.acquire_token_for_client([f"{GRAPH}/.default"])["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"

    def one(name: str) -> None:
        session.get(f"{GRAPH}/v1.0{COLLECTION}{name}").raise_for_status()
        session.post(f"{GRAPH}/v1.0{COLLECTION}{name}/sync", json=DELTA).raise_for_status()

    def batch(items: list[dict[str, t.Any]]) -> None:
        answer = session.post(f"{GRAPH}/v1.0/$batch", json={"requests": items})
        answer.raise_for_status()
        if any(item["status"] >= 300 for item in answer.json()["responses"]):
            raise RuntimeError("an item of a batch failed")

    with ThreadPoolExecutor(threads) as pool:
        if not in_batches:
            list(pool.map(one, ids))
            return
        reads = [{"id": name, "method": "GET", "url": COLLECTION + name} for name in ids]
        json_body = {"headers": {"Content-Type": "application/json"}, "body": DELTA}
        posts = [{"id": name, "method": "POST", "url": f"{COLLECTION}{name}/sync", **json_body} for name in ids]
        for items in (reads, posts):
            list(pool.map(batch, [items[n : n + IN_A_BATCH] for n in range(0, len(items), IN_A_BATCH)]))


if __name__ == "__main__":
    main()
