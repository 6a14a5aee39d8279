# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shipped rulebooks, by a real ansible-rulebook, with the collection installed from its package."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
import time
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from simulator import Simulator, Tenant, World

from .conftest import ROOT, clean_environment

EDA = ROOT / ".build" / "eda" / "bin"
JAVA = shutil.which("java")
RULEBOOKS = ROOT / "extensions" / "eda" / "rulebooks"
DAY = timedelta(days=1)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (EDA / "ansible-rulebook").exists(),
        reason="ansible-rulebook is not here: make .build/eda/ready installs it",
    ),
]
needs_java = pytest.mark.skipif(JAVA is None, reason="Java is not here: install openjdk-17-jre-headless")

VALIDATE = """
import importlib.resources, json, sys
import jsonschema, yaml
schema = importlib.resources.files("ansible_rulebook") / "schema" / "ruleset_schema.json"
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        jsonschema.validate(yaml.safe_load(file), json.loads(schema.read_text(encoding="utf-8")))
"""


def test_the_rulebooks_are_such_by_the_schema_of_ansible_rulebook() -> None:
    rulebooks = [str(path) for path in RULEBOOKS.glob("*.yml")]
    assert rulebooks
    done = subprocess.run(
        [str(EDA / "python"), "-c", VALIDATE, *rulebooks], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


class Running:
    """An ansible-rulebook that runs, and what it has said so far."""

    def __init__(self, folder: Path, *arguments: str, environment: t.Mapping[str, str]) -> None:
        self._log = folder / "log"
        java = Path(str(JAVA)).resolve().parents[1]
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                [str(EDA / "ansible-rulebook"), *arguments],
                cwd=folder,
                env={**environment, "PATH": f"{EDA}:/usr/bin:/bin", "JAVA_HOME": str(java)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def until(self, seconds: float, done: t.Callable[[], bool]) -> None:
        """Wait until something is so, which has to be in so many seconds."""
        deadline = time.monotonic() + seconds
        while not done():
            assert self._process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def end(self) -> int:
        """End it as an administrator does, and return its exit status."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(10)
        finally:
            self.kill()

    def kill(self) -> None:
        """Leave nothing behind, whatever came of it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._process.wait(10)


def looks(world: World, tenant: Tenant) -> int:
    """How often the VPP tokens of a tenant were listed."""
    return len([one for one in world.requests if one.tenant_id == tenant.id and one.path.endswith("/vppTokens")])


def accepted(tenant: Tenant) -> int:
    """How many synchronisations were accepted in a tenant."""
    return sum(len(one.accepted) for held in tenant.objects.values() for one in held.values())


@needs_java
def test_what_is_stale_is_synchronised_once_and_in_its_tenant_alone(installed: Path, tmp_path: Path) -> None:
    world = World()
    stale, well = world.add_tenant("contoso.example"), world.add_tenant("fabrikam.example")
    app = stale.add_app(secret="the-app's-secret-Aa0~.")
    well.add_app(app.client_id, secret=app.secret)
    # Due for the role, which is not run there; not yet stale for the source.
    well.add_vpp_token(organization_name="Elsewhere", last_sync=DAY)
    tokens = [
        # Whoever administers the tenant chooses such names, and Ansible evaluates the variables of a run.
        stale.add_vpp_token(organization_name=name, last_sync=3 * DAY, expires=10.5 * DAY, sync_delay=0.5)
        for name in ("Phones", f"{{{{ lookup('ansible.builtin.pipe', 'touch {tmp_path}/evaluated') }}}}")
    ]
    # As a pattern, the first one's name would mean other hosts.
    tenants = [{"name": "Contoso, Ltd", "tenant": stale.domain}, {"name": "Fabrikam", "tenant": well.domain}]
    inventory = {"plugin": "graphops.intune.tenants", "tenants": tenants}
    (tmp_path / "all.tenants.yml").write_text(json.dumps(inventory), encoding="utf-8")
    (tmp_path / "variables.yml").write_text(json.dumps({"intune_tenants": tenants, "intune_interval": 10}), "utf-8")
    with Simulator(world) as simulator:
        running = Running(
            tmp_path,
            *("--rulebook", "graphops.intune.connectors_and_tokens"),
            *("--inventory", "all.tenants.yml", "--vars", "variables.yml"),
            environment=clean_environment(
                installed,
                AZURE_CLIENT_ID=app.client_id,
                AZURE_SECRET=str(app.secret),
                MSGRAPH_URL=simulator.graph_url,
                AZURE_AUTHORITY_HOST=simulator.authority_url,
                REQUESTS_CA_BUNDLE=simulator.ca_path,
            ),
        )
        try:
            running.until(45, lambda: "PLAY RECAP" in running.output)
            before = looks(world, well)
            # Two more looks, and the time in which rules collect events, find nothing to do.
            running.until(45, lambda: looks(world, well) >= before + 2)
            time.sleep(7)
            running.end()
        finally:
            running.kill()
    output = running.output
    assert [len(token.accepted) for token in tokens] == [1, 1], output
    assert accepted(well) == 0
    assert output.count("PLAY RECAP") == 1
    recap = output.partition("PLAY RECAP")[2]
    assert re.findall(r"^\W*(\w+).*: .*ok=", recap, re.MULTILINE) == ["Contoso__Ltd"]
    assert output.count("it expires in 10 days") == len(tokens)
    assert str(app.secret) not in output
    assert "ERROR" not in output
    assert "Traceback" not in output
    assert not (tmp_path / "evaluated").exists()
    told = [line for line in output.splitlines() if "it expires in 10 days" in line]
    assert sorted("{ { lookup(" in line for line in told) == [False, True]
    assert not [line for line in told if "{{" in line]


@needs_java
def test_intunes_logs(tmp_path: Path, installed: Path) -> None:
    rulebook = yaml.safe_load((RULEBOOKS / "intune_logs.yml").read_text(encoding="utf-8"))
    audit = {"category": "AuditLogs", "operationName": "Patch VppToken", "tenantId": "t"}
    other = {"category": "AuditLogs", "operationName": "Create ManagedDevice", "tenantId": "t"}
    messages = [{"body": {"records": [other, audit, audit]}}, {"body": {"records": [other]}}, {"body": "no JSON"}]
    rulebook[0]["sources"] = [{"eda.builtin.generic": {"payload": messages, "shutdown_after": 1}}]
    (tmp_path / "rulebook.yml").write_text(yaml.safe_dump(rulebook), encoding="utf-8")
    running = Running(tmp_path, "--rulebook", "rulebook.yml", environment=clean_environment(installed))
    try:
        running.until(20, lambda: "[debug]" in running.output)
        time.sleep(1)
    finally:
        running.kill()
    assert running.output.count("[debug]") == 1, running.output
    assert "Create ManagedDevice, Patch VppToken" in running.output
