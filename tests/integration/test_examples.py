# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples of the documentation run."""

from __future__ import annotations

import importlib
import itertools
import json
import re
import shlex
import subprocess
import textwrap
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from .conftest import BIN, ROOT, SYNC, Site, ansible_playbook, clean_environment
from .test_identity import Certificate

pytestmark = pytest.mark.slow

MODULES = "ansible_collections.graphops.intune.plugins.modules"
ALL = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("intune_*.py"))
TOKEN_ID = "11111111-1111-4111-8111-111111111111"
# The modules that may have to wait until Intune takes a request, and what the simulator calls their kinds.
INTERVALS = {f"graphops.intune.intune_{kind}_sync": kind for kind in ("autopilot", "enrollment_program_token")}


def module_text(name: str, part: str) -> str:
    text: str = getattr(importlib.import_module(f"{MODULES}.{name.rsplit('.', 1)[-1]}"), part)
    return text


@pytest.fixture
def environment(site: Site, tmp_path: Path) -> dict[str, str]:
    """The tenant, the app, the connector and the token that the documentation speaks of, at the simulator."""
    own = Certificate()
    (tmp_path / "app.pem").write_bytes(own.key_pem() + own.pem)
    site.app = site.tenant.add_app("6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10", secret="s3", certificate=own.pem.decode())
    site.world.managed_identity = site.app
    site.tenant.add_connector("e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1", exchangeOrganization="Contoso")
    site.tenant.add_vpp_token(TOKEN_ID, "Contoso", last_sync=timedelta(days=2))
    site.tenant.add_enrollment_program_token(
        "22222222-2222-4222-8222-222222222222", last_sync=timedelta(days=2), apple_identifier="ade@contoso.example"
    )
    site.tenant.add_autopilot(last_sync=timedelta(days=2))
    site.tenant.add_managed_google_play(last_sync=timedelta(days=2))
    site.tenant.add_apple_push_certificate()
    site.tenant.add_managed_device(
        "44444444-4444-4444-8444-444444444444", last_sync=timedelta(days=2), user_principal_name="ada@contoso.example"
    )
    return {
        "INTUNE_SECRET": "s3",
        "AZURE_TENANT": site.tenant.domain,
        "AZURE_CLIENT_ID": site.app.client_id,
        "AZURE_SECRET": "s3",
        "MSGRAPH_URL": site.simulator.graph_url,
        "AZURE_AUTHORITY_HOST": site.simulator.authority_url,
        "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
        "IDENTITY_ENDPOINT": site.simulator.managed_identity_url,
        "IDENTITY_HEADER": site.world.identity_header,
    }


def readme_blocks() -> list[str]:
    return re.findall(r"```yaml\n(- .*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)


def playbooks_of(guide: str) -> list[str]:
    """The playbooks in a guide."""
    text = (ROOT / "docs" / "docsite" / "rst" / f"{guide}.rst").read_text(encoding="utf-8")
    blocks = re.findall(r"^   # \w+\.yml\n(.*?)\n\n(?=\S)", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in blocks]


def guide_playbook() -> str:
    """The playbook in AWX's guide that is whole."""
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_awx.rst").read_text(encoding="utf-8")
    return textwrap.dedent(re.findall(r"^ +# vpp_tokens\.yml\n(.*?)\n\n(?=   \S)", guide, re.MULTILINE | re.DOTALL)[0])


@pytest.mark.parametrize(
    "text",
    [
        *(module_text(name, "EXAMPLES") for name in ALL),
        *readme_blocks(),
        *playbooks_of("guide_tenant"),
        *playbooks_of("guide_scripts"),
        guide_playbook(),
    ],
    ids=lambda text: text.strip().splitlines()[0],
)
def test_the_example_runs(site: Site, environment: dict[str, str], tmp_path: Path, text: str) -> None:
    entries = yaml.safe_load(text.replace("/etc/pki/intune/app.pem", str(tmp_path / "app.pem")))
    (play,) = entries if "hosts" in entries[0] else [{"tasks": entries}]
    # The identity of the managed identity's example is the system-assigned one.
    for task in play["tasks"]:
        if task.get(SYNC, {}).get("auth_source") == "msi":
            task["environment"] = {"AZURE_CLIENT_ID": ""}
    # Intune takes no second request within minutes of the first, for which a test does not wait.
    forced = [task for task in play["tasks"] if any("force" in (task.get(name) or {}) for name in INTERVALS)]
    for tasks in filter(None, ([task for task in play["tasks"] if task not in forced], forced)):
        for entity in itertools.chain(*(site.tenant.objects[kind].values() for kind in INTERVALS.values())):
            entity.last_triggered = entity.last_sync = timedelta(days=2)
        run = site.play(tasks, "-e", "intune_secret=s3", environment=environment, **keywords(play))
        assert run.code == 0, run.output
        assert len(run.results) >= len(tasks)


def keywords(play: dict[str, t.Any]) -> dict[str, t.Any]:
    return {name: value for name, value in play.items() if name == "module_defaults"}


def test_what_the_readme_runs_without_a_playbook_runs(site: Site, environment: dict[str, str]) -> None:
    commands = re.findall(
        r"^\$ (ansible localhost .*)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert re.findall(r"graphops\.intune\.intune_(\w+)", " ".join(commands)) == [
        "connectors_and_tokens_info",
        "vpp_token_sync",
    ]
    (token,) = site.tenant.vpp_tokens.values()
    for command in commands:
        program, *arguments = shlex.split(command)
        done = subprocess.run(
            [str(BIN / program), *arguments],
            env=clean_environment(site.collections, **environment),
            cwd=site.folder,
            capture_output=True,
            check=False,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert token.id in done.stdout
        assert len(token.accepted) == (command == commands[-1])


def test_a_token_that_has_expired_fails_as_the_guide_says(site: Site, environment: dict[str, str]) -> None:
    (token,) = site.tenant.vpp_tokens.values()
    token.state = "expired"
    others = [site.tenant.add_vpp_token() for _number in range(2)]
    (play,) = yaml.safe_load(guide_playbook().replace("state: [valid]", ""))
    run = site.play(play["tasks"], environment=environment)
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_awx.rst").read_text(encoding="utf-8")
    assert run.results[0]["msg"] in " ".join(guide.split())
    assert [len(one.accepted) for one in others] == [1, 1]


def test_whoever_is_on_call_hears_of_a_tenant_that_failed(
    site: Site, environment: dict[str, str], tmp_path: Path
) -> None:
    """By the playbook of the guide, without mail. The host stays failed, and the run ends as the guide says."""
    ((play,),) = map(yaml.safe_load, playbooks_of("guide_schedule"))
    (block,) = play["tasks"]
    mail = block["rescue"][0].pop("community.general.mail")
    block["rescue"][0]["ansible.builtin.debug"] = {"msg": "{{ mail.subject }} - {{ mail.body }}"}
    play["vars"] = {"mail": mail}
    site.world.add_tenant("fabrikam.example")
    inventory = {"plugin": "graphops.intune.tenants", "tenants": [site.tenant.domain, "fabrikam.example"]}
    (tmp_path / "all.tenants.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    (tmp_path / "on_call.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
    app = {name: value for name, value in environment.items() if name != "AZURE_TENANT"}
    done = ansible_playbook("-i", "all.tenants.yml", "on_call.yml", site=site, environment=app)
    assert done.code == 2, done.output
    (told,) = (result["msg"] for result in done.results if str(result.get("msg")).startswith("Intune: "))
    assert told.startswith("Intune: fabrikam.example - ")
    assert "AADSTS700016" in told


@pytest.mark.parametrize(
    ("tenants", "variable", "extra", "code"),
    [([], "false", "", 0), ([], "true", "", 1), (["a.example"], "true", "tenants_only=b.example", 4)],
)
def test_a_run_that_looks_at_nothing_ends_as_the_guide_says(
    site: Site, tmp_path: Path, tenants: list[str], variable: str, extra: str, code: int
) -> None:
    """With an inventory that cannot be read, and with a name that it does not have."""
    inventory = {"plugin": "graphops.intune.tenants", "tenants": tenants}
    (tmp_path / "all.tenants.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    environment = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": variable}
    command = ("-i", "all.tenants.yml", "graphops.intune.tenant_report", "-e", extra)
    assert ansible_playbook(*command, site=site, environment=environment).code == code


def test_the_guide_of_many_tenants_leads_to_a_page_about_all(
    site: Site, environment: dict[str, str], tmp_path: Path
) -> None:
    """Its inventories, commands and options, in their order."""
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_tenants.rst").read_text(encoding="utf-8")
    found = re.findall(r"^ +# (\S+\.yml)\n(.*?)\n\n(?=\s*\S)", guide, re.MULTILINE | re.DOTALL)
    files = {name: textwrap.dedent(text) for name, text in found}
    look, page, gauges = re.findall(r"\$ ansible-playbook (.*)", re.sub(r"\\\n *", "", guide))
    gauges = gauges.replace("/var/lib/prometheus/node-exporter", str(tmp_path))
    # The identity is the app's; the tenants are the inventory's.
    environment = {name: value for name, value in environment.items() if name not in ("AZURE_TENANT", "INTUNE_SECRET")}
    fabrikam = site.world.add_tenant("fabrikam.example")
    fabrikam.add_app(site.app.client_id, secret="s3")
    # What the guide says is enough to look.
    roles = ("DeviceManagementServiceConfig.Read.All", "DeviceManagementConfiguration.Read.All")
    reader = site.tenant.add_app(secret="s5", roles=roles)
    fabrikam.add_app(reader.client_id, secret="s5", roles=roles)
    look_only = {"AZURE_CLIENT_ID": reader.client_id, "AZURE_SECRET": "s5"}
    token = fabrikam.add_vpp_token(organization_name="Phones", last_sync=timedelta(days=2), expires=timedelta(days=50))
    google = fabrikam.add_managed_google_play(last_sync=timedelta(days=2))
    (late,) = site.tenant.vpp_tokens.values()
    late.state = "expired"

    def run(command: str, **changes: str) -> tuple[int, dict[str, t.Any]]:
        done = ansible_playbook(*shlex.split(command), site=site, environment={**environment, **changes})
        assert done.code in (0, 2), done.output
        (summary,) = (result["summary"] for result in done.results if "summary" in result)
        return done.code, summary

    (tmp_path / "all.tenants.yml").write_text(files["all.tenants.yml"], encoding="utf-8")
    code, summary = run(look, **look_only)
    assert (code, len(token.accepted), [one["name"] for one in summary["expires_soon"]]) == (0, 0, ["Phones"])
    code, summary = run(page)
    assert (code, len(token.accepted), len(google.accepted)) == (0, 1, 1)
    assert "Fabrikam_Inc." in (tmp_path / "tenants.html").read_text(encoding="utf-8")
    run(gauges)
    assert 'host="Fabrikam_Inc."' in (tmp_path / "intune.prom").read_text(encoding="utf-8")
    # The values of the group are for tenants that say nothing themselves.
    for name in ("group_vars/tenants.yml", "nightly.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(files[name], encoding="utf-8")
    token.last_sync = timedelta(hours=22)
    code, summary = run("-i all.tenants.yml nightly.yml")
    assert (code, len(token.accepted), {*summary["kinds"]}) == (
        0,
        1,
        {"vpp_token", "enrollment_program_token", "autopilot"},
    )
    assert (summary["outcomes"]["skipped"], [one["host"] for one in summary["obstacle"]]) == (0, ["contoso.example"])

    # A partner is another app.
    partner = site.tenant.add_app(secret="s4", roles=("DelegatedAdminRelationship.Read.All",))
    site.tenant.add_customer("Fabrikam Inc.", fabrikam.id)
    (tmp_path / "partner.tenants.yml").write_text(files["partner.tenants.yml"], encoding="utf-8")
    identity = {"AZURE_TENANT": site.tenant.domain, "AZURE_CLIENT_ID": partner.client_id, "AZURE_SECRET": "s4"}
    listed = subprocess.run(
        [str(BIN / "ansible-inventory"), "-i", "partner.tenants.yml", "--list"],
        env=clean_environment(site.collections, **{**environment, **identity, "HOME": str(tmp_path)}),
        cwd=tmp_path,
        capture_output=True,
        check=True,
        text=True,
    )
    assert json.loads(listed.stdout)["tenants"]["hosts"] == ["Fabrikam_Inc."]
