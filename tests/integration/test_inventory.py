# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugin exchange_connectors promises: ansible-inventory and ansible-playbook, run as users do."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import subprocess
import sys
import typing as t
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from simulator import Connector, Fault, Request, Tenant
from simulator.records import Answer

from .conftest import BIN, SYNC, Site, clean_environment
from .test_secrets import SECRETS, assert_nothing_shows

PLUGIN = "graphops.intune.exchange_connectors"
DOCUMENTED = importlib.import_module(
    f"ansible_collections.{PLUGIN.rsplit('.', 1)[0]}.plugins.inventory.exchange_connectors"
)
SECRET = SECRETS["secret"]
FIRST, SECOND, THIRD = (f"{number}e1f1c00-0d6f-4c8a-9d0a-3f5b1f2c7a10" for number in (1, 2, 3))


@dataclass
class Listing:
    """What came of ansible-inventory or ansible-playbook."""

    code: int
    output: str
    errors: str

    @property
    def data(self) -> dict[str, t.Any]:
        """What ``--list`` printed, read as AWX does, which knows no marks."""
        assert self.code == 0, self.errors
        plain: dict[str, t.Any] = json.loads(self.output)
        return plain

    @property
    def hosts(self) -> dict[str, dict[str, t.Any]]:
        """The hosts with their variables, sorted by name."""
        found: dict[str, dict[str, t.Any]] = self.data["_meta"].get("hostvars", {})
        return found

    @property
    def said(self) -> str:
        """The warnings in one line; older versions of Ansible wrap them."""
        return " ".join(self.errors.split())


@dataclass
class Fleet:
    """Two tenants of a multi-tenant app, and a way to list them."""

    site: Site
    other: Tenant

    @property
    def environment(self) -> dict[str, str]:
        """What AWX's Azure credential injects, and where the simulator is."""
        return {
            "AZURE_TENANT": self.site.tenant.domain,
            "AZURE_CLIENT_ID": self.site.app.client_id,
            "AZURE_SECRET": SECRET,
            "AZURE_SUBSCRIPTION_ID": "",
            "MSGRAPH_URL": self.site.simulator.graph_url,
            "AZURE_AUTHORITY_HOST": self.site.simulator.authority_url,
            "REQUESTS_CA_BUNDLE": self.site.simulator.ca_path,
        }

    def source(self, text: str | None = None, **options: t.Any) -> str:
        path = self.site.folder / "fleet.exchange_connectors.yml"
        path.write_text(text or yaml.safe_dump({"plugin": PLUGIN, **options}), encoding="utf-8")
        return str(path)

    def run(
        self, program: str, *arguments: str, source: str, environment: t.Mapping[str, str | None] | None = None
    ) -> Listing:
        given = {**self.environment, **(environment or {})}
        done = subprocess.run(
            [str(BIN / program), "-i", source, *arguments],
            env=clean_environment(
                self.site.collections, **{name: value for name, value in given.items() if value is not None}
            ),
            cwd=self.site.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
            text=True,
        )
        for text in (done.stdout, done.stderr):
            assert "Traceback" not in text, text
            assert "DEPRECATION" not in text, text
        return Listing(done.returncode, done.stdout, done.stderr)

    def list(
        self,
        *arguments: str,
        text: str | None = None,
        environment: t.Mapping[str, str | None] | None = None,
        **options: t.Any,
    ) -> Listing:
        source = self.source(text, **options)
        return self.run("ansible-inventory", "--list", *arguments, source=source, environment=environment)


@pytest.fixture
def fleet(site: Site) -> Fleet:
    site.app.secret = SECRET
    site.tenant.connectors.clear()
    site.tenant.add_connector(FIRST, serverName="EX01", last_sync=timedelta(days=3))
    site.tenant.add_connector(SECOND, serverName="EX02", status="disconnected", exchangeConnectorType="hosted")
    other = site.world.add_tenant("fabrikam.example")
    other.add_app(site.app.client_id, secret=SECRET)
    other.add_connector(THIRD, serverName="EX01", last_sync=timedelta(days=3))
    return Fleet(site, other)


BOTH = ["contoso.example", "fabrikam.example"]
NAMES = ["EX01-1e1f1c00", "EX01-3e1f1c00", "EX02-2e1f1c00"]


# Who, and which tenants


@pytest.mark.slow
def test_an_environment_is_enough(fleet: Fleet) -> None:
    listing = fleet.list()
    assert sorted(listing.hosts) == ["EX01-1e1f1c00", "EX02-2e1f1c00"]
    assert listing.data["exchange_connectors"]["hosts"] == ["EX01-1e1f1c00", "EX02-2e1f1c00"]
    assert listing.errors == ""
    host = listing.hosts["EX01-1e1f1c00"]
    assert set(host) == {
        "ansible_connection",
        "exchange_connector",
        "exchange_connector_sync_connector_id",
        "exchange_connector_sync_tenant",
    }
    assert host["ansible_connection"] == "local"
    assert host["exchange_connector_sync_connector_id"] == FIRST
    assert host["exchange_connector_sync_tenant"] == "contoso.example"
    assert host["exchange_connector"]["server_name"] == "EX01"
    assert host["exchange_connector"]["last_sync_date_time"].endswith("Z")
    assert len(host["exchange_connector"]) == 10


@pytest.mark.slow
def test_the_graph_shows_the_names(fleet: Fleet) -> None:
    shown = fleet.run("ansible-inventory", "--graph", source=fleet.source(tenants=BOTH))
    assert shown.code == 0
    for name in NAMES:
        assert f"|--{name}\n" in shown.output


def test_one_app_reads_many_tenants_once_each(fleet: Fleet) -> None:
    listing = fleet.list(tenants=[*BOTH, "Contoso.Example", ""])
    assert sorted(listing.hosts) == NAMES
    assert listing.hosts["EX01-3e1f1c00"]["exchange_connector_sync_tenant"] == "fabrikam.example"
    assert listing.data["exchange_connectors"]["hosts"] == ["EX01-1e1f1c00", "EX02-2e1f1c00", "EX01-3e1f1c00"]
    assert len(fleet.site.requests("token")) == len(fleet.site.requests("list")) == 2


def test_options_of_the_file(fleet: Fleet) -> None:
    options = fleet.site.options(connector_id=None, wait_sleep=None, tenant=None, secret=None)
    options |= {"tenant_id": fleet.other.id, "client_secret": SECRET}
    nothing = dict.fromkeys(fleet.environment)
    listing = fleet.list(environment=nothing, **options)
    assert list(listing.hosts) == ["EX01-3e1f1c00"]
    host = listing.hosts["EX01-3e1f1c00"]
    assert host["exchange_connector_sync_tenant"] == fleet.other.id
    assert host["exchange_connector_sync_graph_url"] == fleet.site.simulator.graph_url
    assert host["exchange_connector_sync_authority_url"] == fleet.site.simulator.authority_url
    assert not [name for name in host if name.endswith(("secret", "client_id"))]


def test_a_secret_by_option_wins_over_a_token_in_the_environment(fleet: Fleet) -> None:
    """Ansible's own merging of variables into options would take the token."""
    assert len(fleet.list(secret=SECRET, environment={"MSGRAPH_ACCESS_TOKEN": "eyJ0"}).hosts) == 2


def test_empty_counts_as_unset(fleet: Fleet) -> None:
    environment = {"AZURE_TENANT": "", "AZURE_TENANT_ID": "fabrikam.example", "AZURE_SECRET": ""}
    listing = fleet.list(
        environment={**environment, "AZURE_CLIENT_SECRET": SECRET}, tenant="", tenants="", secret="", hostname=""
    )
    assert list(listing.hosts) == ["EX01-3e1f1c00"]


def test_a_token_needs_no_tenant(fleet: Fleet) -> None:
    token = fleet.site.world.issue_access_token(fleet.site.app, fleet.site.simulator.graph_url)
    environment = {"AZURE_TENANT": None, "AZURE_SECRET": None, "MSGRAPH_ACCESS_TOKEN": token}
    listing = fleet.list(environment=environment)
    assert len(listing.hosts) == 2
    assert "exchange_connector_sync_tenant" not in listing.hosts["EX01-1e1f1c00"]


def test_every_page_is_read(fleet: Fleet) -> None:
    fleet.site.tenant.page_size = 1
    assert len(fleet.list().hosts) == 2
    assert len(fleet.site.requests("list")) == 2


@pytest.mark.slow
def test_tenants_are_read_at_the_same_time(fleet: Fleet) -> None:
    for number in range(6):
        tenant = fleet.site.world.add_tenant(f"t{number}.example")
        tenant.add_app(fleet.site.app.client_id, secret=SECRET)
        tenant.add_connector()
    fleet.site.world.faults.add(Fault("list", delay=6, times=None))
    assert len(fleet.list(tenants=[f"t{number}.example" for number in range(6)]).hosts) == 6
    times = [request.time for request in fleet.site.requests("list")]
    assert max(times) - min(times) < timedelta(seconds=6)


# Templates and vaults


@pytest.mark.slow
@pytest.mark.parametrize("by", ["environment", "extra variable"])
def test_options_may_be_templates(fleet: Fleet, by: str) -> None:
    (fleet.site.folder / "tenants").write_text("contoso.example\nfabrikam.example\n", encoding="utf-8")
    by_environment = by == "environment"
    listing = fleet.list(
        *([] if by_environment else ["-e", f"our_secret={SECRET}"]),
        secret="{{ lookup('ansible.builtin.env', 'OUR_SECRET') }}" if by_environment else "{{ our_secret }}",
        tenants="{{ lookup('ansible.builtin.file', 'tenants').splitlines() }}",
        ca_path="{{ lookup('ansible.builtin.env', 'REQUESTS_CA_BUNDLE') }}",
        environment={"AZURE_SECRET": None, "OUR_SECRET": SECRET},
    )
    assert sorted(listing.hosts) == NAMES, listing.errors


@pytest.mark.slow
def test_a_template_that_fails_is_one_sentence(fleet: Fleet) -> None:
    assert "client_id cannot be evaluated: " in fleet.list(client_id="{{ our_client }}").said
    assert "secret cannot be evaluated; give it by a lookup" in fleet.list(secret="{{ our_secret }}").said
    assert fleet.site.world.connections == 0


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["a value", "the file"])
def test_vault(fleet: Fleet, whole: bool) -> None:
    key = fleet.site.folder / "key"
    key.write_text("the key", encoding="utf-8")
    # A secret that looks like a template is none.
    fleet.site.app.secret = secret = "{{ 1 }}" + SECRET

    def vault(*arguments: str) -> str:
        command = [str(BIN / "ansible-vault"), *arguments, "--vault-password-file", str(key)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    if whole:
        source = fleet.source(secret="{% raw %}" + secret + "{% endraw %}")
        vault("encrypt", source)
    else:
        source = fleet.source(f"plugin: {PLUGIN}\n" + vault("encrypt_string", secret, "--name", "secret"))
    run = ["--list", "--vault-password-file", str(key)]
    listing = fleet.run("ansible-inventory", *run, source=source, environment={"AZURE_SECRET": None})
    assert len(listing.hosts) == 2, listing.errors
    key.write_text("another key", encoding="utf-8")
    refused = fleet.run("ansible-inventory", *run, source=source, environment={"AZURE_SECRET": None})
    assert "ecrypt" in refused.said
    assert len(fleet.site.requests("list")) == 1


# Which connectors, under which names, in which groups


@pytest.mark.slow
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"status": ["connected"]}, ["EX01-1e1f1c00", "EX01-3e1f1c00"]),
        ({"status": "connected,disconnected"}, NAMES),
        ({"status": ["none"]}, []),
        ({"status": []}, NAMES),
        ({"exchange_connector_type": ["hosted", "dedicated"]}, ["EX02-2e1f1c00"]),
        ({"exchange_connector_type": ["hosted"], "status": ["connected"]}, []),
    ],
)
def test_filters(fleet: Fleet, filters: dict[str, t.Any], found: list[str]) -> None:
    assert sorted(fleet.list(tenants=BOTH, **filters).hosts) == found


def test_no_connector_is_an_empty_group(fleet: Fleet) -> None:
    fleet.site.tenant.connectors.clear()
    source = fleet.source()
    listing = fleet.run("ansible-inventory", "--graph", source=source)
    assert "|--@exchange_connectors:" in listing.output
    assert listing.errors == ""


@pytest.mark.slow
def test_a_name_stays_when_others_come_and_go(fleet: Fleet) -> None:
    before = set(fleet.list().hosts)
    fleet.site.tenant.add_connector("4" + FIRST[1:], serverName="EX01")
    del fleet.site.tenant.connectors[SECOND]
    assert set(fleet.list().hosts) == {"EX01-1e1f1c00", "EX01-4e1f1c00"}
    assert "EX01-1e1f1c00" in before


def test_a_connector_without_a_server_has_a_name(fleet: Fleet) -> None:
    fleet.site.tenant.connectors[FIRST].properties["serverName"] = None
    assert "connector-1e1f1c00" in fleet.list().hosts


def test_hostname(fleet: Fleet) -> None:
    names = fleet.list(tenants=BOTH, hostname="exchange_connector_sync_tenant ~ ':' ~ exchange_connector.id[:1]").hosts
    assert sorted(names) == ["contoso.example_1", "contoso.example_2", "fabrikam.example_3"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hostname", "message"),
    [
        ("exchange_connector.server_name", f"the connectors {THIRD} and {FIRST} would both be the host EX01;"),
        ("exchange_connector.nothing", f"hostname cannot be used for the connector {FIRST}: "),
        ("none", f"hostname cannot be used for the connector {FIRST}: it gives nothing"),
        ("''", f"hostname cannot be used for the connector {FIRST}: it gives nothing"),
    ],
)
def test_a_hostname_that_does_not_do(fleet: Fleet, hostname: str, message: str) -> None:
    listing = fleet.list(tenants=BOTH, hostname=hostname)
    assert message in listing.said
    assert listing.hosts == {}


def test_constructed(fleet: Fleet) -> None:
    listing = fleet.list(
        "-e",
        "site=Berlin",
        tenants=BOTH,
        use_extra_vars=True,
        compose={
            "ansible_connection": "'ssh'",
            "label": "exchange_connector.server_name ~ ' of ' ~ site",
            "missing": "exchange_connector.nothing.at_all",
        },
        groups={"lost": "exchange_connector.status == 'disconnected'"},
        keyed_groups=[
            {"key": "exchange_connector_sync_tenant", "prefix": "tenant"},
            {"key": "label", "prefix": "", "separator": ""},
        ],
    )
    host = listing.hosts["EX01-1e1f1c00"]
    assert (host["ansible_connection"], host["label"]) == ("ssh", "EX01 of Berlin")
    assert "missing" not in host
    assert listing.data["lost"]["hosts"] == ["EX02-2e1f1c00"]
    assert listing.data["tenant_fabrikam_example"]["hosts"] == ["EX01-3e1f1c00"]
    assert listing.data["EX01_of_Berlin"]["hosts"] == ["EX01-1e1f1c00", "EX01-3e1f1c00"]


def test_strict(fleet: Fleet) -> None:
    listing = fleet.list(strict=True, compose={"missing": "exchange_connector.nothing.at_all"})
    assert "Could not set missing for host EX01-1e1f1c00" in listing.said


@pytest.mark.slow
def test_a_strict_failure_leaves_no_host_behind(fleet: Fleet) -> None:
    """Not even those before it, for Ansible goes on with what there is."""
    key = "exchange_connector.exchange_organization if exchange_connector.server_name == 'EX01' else nothing"
    listing = fleet.list(strict=True, keyed_groups=[{"key": key}])
    assert "EX02-2e1f1c00" in listing.said
    assert listing.hosts == {}


@pytest.mark.slow
@pytest.mark.parametrize("verbosity", ["-v", "-vvvvv"])
def test_pages_of_a_proxy_do_not_reach_the_screen(fleet: Fleet, verbosity: str) -> None:
    page = "<html>Blocked \x1b[31m by a proxy</html>"
    fleet.site.world.faults.add(
        Fault("token", status=403, body=page, headers={"Content-Type": "text/html"}, times=None)
    )
    said = fleet.list(verbosity).said
    assert 'HTTP 403 (Forbidden): "Blocked [31m by a proxy"' in " ".join(said.split())
    assert "<html>" not in said
    assert "\x1b" not in said
    assert "Traceback" not in said


def test_a_secret_that_is_no_template_is_not_shown(fleet: Fleet) -> None:
    listing = fleet.list(secret="Hush{%Password1")
    assert "secret cannot be evaluated; give it by a lookup, or put it between" in listing.said
    assert "Password1" not in listing.said


@pytest.mark.slow
@pytest.mark.parametrize("form", ["braces", "delimiters of its own"])
def test_a_hostile_value_is_never_a_template(fleet: Fleet, form: str) -> None:
    mark = fleet.site.folder / "pwned"
    hostile = f"{{{{ lookup('pipe', 'touch {mark}') }}}}"
    if form != "braces":
        header = "#jinja2:variable_start_string:'[[', variable_end_string:']]'\n"
        hostile = f"{header}[[ lookup('pipe', 'touch {mark}') ]]"
    fleet.site.tenant.connectors[FIRST].properties.update(serverName=hostile, exchangeAlias=f"{{% {hostile} %}}")
    fleet.site.tenant.connectors[FIRST].override[hostile] = {"x": [hostile]}
    source = fleet.source(
        compose={"copied": "exchange_connector.server_name", "joined": "exchange_connector.server_name ~ '!'"},
        groups={"named": "exchange_connector.server_name"},
        keyed_groups=[{"key": "exchange_connector.server_name", "prefix": "server"}, {"key": "copied"}],
        cache=True,
        cache_plugin="ansible.builtin.jsonfile",
        cache_connection=str(fleet.site.folder / "cache"),
    )
    text = "{{ exchange_connector.server_name }} {{ copied }} {{ joined }} {{ exchange_connector.exchange_alias }}"
    play = [
        {
            "hosts": "exchange_connectors",
            "gather_facts": False,
            "tasks": [
                {"ansible.builtin.debug": {"msg": text}},
                {"ansible.builtin.debug": {"var": "exchange_connector"}},
                {"ansible.builtin.debug": {"var": "hostvars"}},
                {"ansible.builtin.debug": {"msg": "{{ group_names }} {{ inventory_hostname }}"}},
            ],
        }
    ]
    playbook = fleet.site.folder / "hostile.yml"
    playbook.write_text(json.dumps(play), encoding="utf-8")
    # Once from Graph, once from the cache.
    for _time in range(2):
        run = fleet.run("ansible-playbook", str(playbook), source=source)
        assert run.code == 0, run.output + run.errors
        assert run.output.count(f"touch {mark}") >= 4
        assert not mark.exists()
    assert len(fleet.site.requests("list")) == 1
    (name,) = (name for name in fleet.list().hosts if name.endswith("-1e1f1c00"))
    assert "__lookup__pipe____touch_" in name


def test_awx_reads_plain_texts(fleet: Fleet) -> None:
    """AWX makes host variables of the JSON as it stands, so a mark would be one of them."""
    hostile = "{{ lookup('pipe', 'id') }}"
    fleet.site.tenant.connectors[FIRST].properties.update(exchangeAlias=hostile, exchangeOrganization="Contoso, Ltd.")
    listing = fleet.list(
        compose={
            "age": "3600 * 2",
            "organization": "exchange_connector.exchange_organization",
            "ids": "[exchange_connector.id, {'server': exchange_connector.server_name}]",
            "copied": "exchange_connector.exchange_alias",
        },
    )
    host = dict(listing.hosts["EX01-1e1f1c00"])
    connector = host.pop("exchange_connector")
    marked = {"__ansible_unsafe": hostile}
    assert connector.pop("exchange_alias") == marked
    assert host.pop("copied") in (marked, hostile)
    assert host["organization"] == connector["exchange_organization"] == "Contoso, Ltd."
    assert host["ids"] == [FIRST, {"server": "EX01"}]
    assert int(host["age"]) == 7200
    assert "__ansible" not in json.dumps([host, connector])
    assert "__ansible" not in json.dumps({name: group for name, group in listing.data.items() if name != "_meta"})


@pytest.mark.slow
def test_half_a_character_is_written_as_yaml_too(fleet: Fleet) -> None:
    fleet.site.tenant.connectors[FIRST].properties["serverName"] = "\ud800"
    listing = fleet.list("--yaml")
    assert listing.code == 0
    assert "_-1e1f1c00" in listing.output


# Names that are taken


def static(fleet: Fleet, text: str) -> str:
    path = fleet.site.folder / "static"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("db01", f"the connector {FIRST} would be the host db01, a name that another source of the inventory, or"),
        ("prod", f"the connector {FIRST} would be the host prod, a name that Ansible has for the local host, or for a"),
        ("localhost", "would be the host localhost, a name that Ansible has for the local host, or for a group; set"),
        ("all", "would be the host all, a name that Ansible has for the local host, or for a group; set hostname"),
        ("exchange_connectors", "would be the host exchange_connectors, a name that Ansible has for the local host"),
    ],
)
def test_a_connector_takes_over_no_other_name(fleet: Fleet, name: str, message: str) -> None:
    fleet.site.tenant.connectors[FIRST].properties["serverName"] = name
    hosts = static(fleet, "[prod]\ndb01 ansible_connection=ssh\n")
    plugin = fleet.source(hostname="exchange_connector.server_name")
    listing = fleet.run("ansible-inventory", "--list", "-i", plugin, source=hosts)
    assert message in listing.said
    assert listing.hosts == {"db01": {"ansible_connection": "ssh"}}
    assert listing.data["prod"] == {"hosts": ["db01"]}


@pytest.mark.slow
def test_the_same_connector_may_come_from_several_sources(fleet: Fleet) -> None:
    first = fleet.source(hostname="exchange_connector.server_name")
    second = str(fleet.site.folder / "again.exchange_connectors.yml")
    Path(second).write_text(Path(first).read_text("utf-8"), encoding="utf-8")
    hosts = static(fleet, f"EX01 exchange_connector_sync_connector_id={FIRST.upper()} size=3\n")
    more = ["-i", first, "-i", second, "-i", first]
    listing = fleet.run("ansible-inventory", "--list", *more, source=hosts)
    assert listing.errors == ""
    assert sorted(listing.hosts) == ["EX01", "EX02"]
    assert listing.hosts["EX01"]["size"] == 3
    # A connector of the same name in another tenant is another one.
    Path(second).write_text(Path(first).read_text("utf-8") + "tenant: fabrikam.example\n", encoding="utf-8")
    listing = fleet.run("ansible-inventory", "--list", *more, source=hosts)
    assert f"the connector {THIRD} would be the host EX01, a name that another source" in listing.said
    assert listing.hosts["EX01"]["exchange_connector"]["id"] == FIRST
    # The inventory is made anew.
    playbook = fleet.site.folder / "refresh.yml"
    tasks = [{"ansible.builtin.meta": "refresh_inventory"}]
    playbook.write_text(json.dumps([{"hosts": "EX01", "gather_facts": False, "tasks": tasks}]), encoding="utf-8")
    run = fleet.run("ansible-playbook", str(playbook), "-i", first, source=hosts)
    assert (run.code, run.errors) == (0, "")


@pytest.mark.slow
def test_what_graph_sends_names_no_group_of_others(fleet: Fleet) -> None:
    fleet.site.tenant.connectors[FIRST].properties["exchangeOrganization"] = "prod"
    fleet.site.tenant.connectors[SECOND].properties["exchangeOrganization"] = "EX01-1e1f1c00"
    hosts = static(fleet, "[prod]\ndb01\n[org_prod]\ndb01\n[parent]\ndb01\n[empty]\n")
    key = {"key": "exchange_connector.exchange_organization", "separator": ""}

    def groups(*keyed: dict[str, t.Any]) -> tuple[Listing, set[str]]:
        source = fleet.source(keyed_groups=list(keyed), strict=True)
        listing = fleet.run("ansible-inventory", "--list", "-i", source, source=hosts)
        return listing, {name for name, group in listing.data.items() if "EX01-1e1f1c00" in group.get("hosts", [])}

    listing, found = groups(key)
    assert (
        "keyed_groups would put the host EX01-1e1f1c00 into the group prod, but that is the name of a" in listing.said
    )
    assert (sorted(listing.hosts), found) == (["db01"], set()) or listing.data["prod"]["hosts"] == ["db01"]
    listing, found = groups({**key, "parent_group": "{{ exchange_connector.exchange_organization }}", "prefix": "x"})
    assert "into the group prod" in listing.said
    # What the user names is meant; and a group of the name of a host would be taken for it.
    listing, found = groups(
        {**key, "prefix": "org", "separator": "_", "parent_group": "parent"},
        {"key": "exchange_connector.status", "separator": ""},
    )
    assert found == {"exchange_connectors", "org_prod", "connected"}
    assert listing.errors == ""
    fleet.site.tenant.connectors[FIRST].properties["exchangeOrganization"] = "empty"
    listing, found = groups(key)
    assert "keyed_groups would put the host EX02-2e1f1c00 into the group EX01_1e1f1c00" not in listing.said
    assert "empty" in found


# Odd lists


@pytest.mark.slow
def test_a_tenant_without_connectors_and_odd_times(fleet: Fleet) -> None:
    fleet.other.has_exchange_connectors = False
    first, second = fleet.site.tenant.connectors.values()
    first.override = {"lastSyncDateTime": "soon"}
    second.override = {"lastSyncDateTime": "0001-01-01T00:00:00"}
    fleet.site.tenant.page_size = 1
    fleet.site.world.faults.add(Fault("list", alter=_first_again(first), skip=1, tenant_id=fleet.site.tenant.id))
    listing = fleet.list(tenants=BOTH)
    assert sorted(listing.hosts) == ["EX01-1e1f1c00", "EX02-2e1f1c00"]
    assert {host["exchange_connector"]["last_sync_date_time"] for host in listing.hosts.values()} == {None}
    assert listing.said.count("[WARNING]") == 2
    assert f"connector {FIRST} in tenant contoso.example: Graph's lastSyncDateTime cannot be read" in listing.said
    assert "in tenant fabrikam.example: this tenant has no Exchange connector (Graph answered HTTP 501," in listing.said
    alone = fleet.list(tenant="fabrikam.example", environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"})
    assert alone.hosts == {}


def _first_again(connector: Connector) -> t.Callable[[Request, Answer], Answer]:
    def again(_request: Request, answer: Answer) -> Answer:
        page = json.loads(answer.body)
        return dataclasses.replace(
            answer, body=json.dumps({**page, "value": [connector.as_json(), *page["value"]]}).encode()
        )

    return again


# Tenants that cannot be read


@pytest.mark.slow
def test_a_tenant_that_cannot_be_read_fails_the_inventory(fleet: Fleet) -> None:
    fleet.site.world.faults.add(Fault("list", status=403, tenant_id=fleet.other.id, times=None))
    listing = fleet.list(tenants=BOTH)
    assert (
        "Exchange connectors in tenant fabrikam.example: could not list them, Graph answered HTTP 403" in listing.said
    )
    assert "Its hosts are left out" not in listing.said
    assert listing.hosts == {}
    strict = fleet.list(tenants=BOTH, environment={"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"})
    assert strict.code != 0


@pytest.mark.slow
def test_the_others_are_not_asked_for_after_a_failure(fleet: Fleet) -> None:
    fleet.site.world.faults.add(Fault("token", status=401, times=None))
    fleet.list(tenants=[f"t{number}.example" for number in range(60)])
    assert len(fleet.site.requests("metadata")) < 60


def test_a_tenant_that_cannot_be_read_is_left_out(fleet: Fleet) -> None:
    fleet.site.world.faults.add(Fault("list", status=403, tenant_id=fleet.other.id, times=None))
    listing = fleet.list(tenants=[*BOTH, "nowhere.example"], on_unreadable_tenant="warn")
    assert sorted(listing.hosts) == ["EX01-1e1f1c00", "EX02-2e1f1c00"]
    assert (
        "Exchange connectors in tenant fabrikam.example: could not list them, Graph answered HTTP 403" in listing.said
    )
    assert "Exchange connectors in tenant nowhere.example: sign-in as client" in listing.said
    assert listing.said.count("Its hosts are left out.") == 2
    assert "The request_id is " in listing.said


def test_no_tenant_at_all_fails_in_any_case(fleet: Fleet) -> None:
    fleet.site.world.faults.add(Fault("list", status=403, times=None))
    environment = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}
    listing = fleet.list(tenants=BOTH, on_unreadable_tenant="warn", environment=environment)
    assert listing.code != 0
    assert "tenant contoso.example: could not list them" in listing.said


def test_bad_options_fail_before_any_network_call(fleet: Fleet, subtests: pytest.Subtests) -> None:
    wanted: list[tuple[dict[str, t.Any], str]] = [
        ({"tenants": ["a b"]}, "tenant is 'a b'; give the tenant's GUID or one of its domains."),
        ({"tenants": ["contoso.example", "common"]}, "tenant is common, but an app signs in to one tenant"),
        ({"tenants": ["", ""]}, "tenants is empty; name the tenants, or leave it out."),
        ({"tenants": []}, "tenants is empty; name the tenants, or leave it out."),
        ({"tenants": BOTH, "tenant": "x.example"}, "both tenant and tenants are given; give one of them."),
        ({"tenants": BOTH, "access_token": "eyJ0"}, "a ready access token reads one tenant, but tenants names 2; "),
        ({"tenants": BOTH, "auth_source": "msi"}, "the managed identity of this host reads one tenant, but tenants"),
        ({"tennant": "x.example"}, "tennant is no option; see ansible-doc for those that there are."),
        ({"request_timeout": 0}, "request_timeout is 0; give a number of seconds that is at least 1."),
        ({"graph_url": "http://graph"}, "graph_url is not the https address of a host"),
        ({"ca_path": "/nowhere.pem"}, "ca_path '/nowhere.pem' cannot be used"),
        ({"x509_certificate_path": "/nowhere.pem", "auth_source": "certificate"}, "'/nowhere.pem' cannot be read"),
        ({"auth_source": "oidc"}, "auth_source is oidc, but oidc_token or oidc_token_file_path is not given"),
        ({"auth_source": "magic"}, "auth_source"),
        ({"status": ["conected"]}, "conected"),
        ({"exchange_connector_type": ["onpremise"]}, "onpremise"),
        ({"on_unreadable_tenant": "ignore"}, "ignore"),
        ({"request_timeout": "soon"}, "request_timeout"),
        ({"hostname": "(("}, "hostname is no Jinja expression: "),
        ({"strict": True, "compose": {"x": "{{ y }}"}}, "compose, x, is no Jinja expression: "),
        ({"strict": True, "groups": {"x": "y =="}}, "groups, x, is no Jinja expression: "),
        ({"strict": True, "keyed_groups": [{"key": "'"}]}, "keyed_groups, key, is no Jinja expression: "),
    ]
    sources = [fleet.site.folder / f"bad{number:02}.exchange_connectors.yml" for number in range(len(wanted))]
    for source, (options, _message) in zip(sources, wanted):
        source.write_text(yaml.safe_dump({"plugin": PLUGIN, "on_unreadable_tenant": "warn", **options}))
    first, *others = map(str, sources)
    more = [argument for other in others for argument in ("-i", other)]
    listing = fleet.run("ansible-inventory", *more, "--list", source=first)
    assert listing.hosts == {}
    assert fleet.site.world.connections == 0
    said = listing.said
    for options, message in wanted:
        with subtests.test(options=options):
            _before, found, after = said.partition(message)
            assert found, f"it is said of this source, after what is said of the ones before: {said}"
            said = after


@pytest.mark.slow
@pytest.mark.parametrize("library", ["requests", "msal"])
def test_a_missing_library_is_one_sentence(fleet: Fleet, library: str) -> None:
    (fleet.site.folder / "lib").mkdir()
    (fleet.site.folder / "lib" / f"{library}.py").write_text("raise ImportError('gone')", encoding="utf-8")
    path = f"{fleet.site.folder / 'lib'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    listing = fleet.list(environment={"PYTHONPATH": path})
    assert f"Failed to import the required Python library ({library})" in listing.said


def test_another_file_is_not_taken(fleet: Fleet) -> None:
    path = fleet.site.folder / "other.yml"
    path.write_text(f"plugin: {PLUGIN}\n", encoding="utf-8")
    listing = fleet.run("ansible-inventory", "--list", source=str(path))
    assert "could not be verified by inventory plugin" in listing.said
    assert fleet.site.world.connections == 0


# The cache


@pytest.fixture
def cache(fleet: Fleet) -> dict[str, t.Any]:
    folder = str(fleet.site.folder / "cache")
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": folder, "cache_timeout": 600}


@pytest.mark.slow
def test_a_second_run_asks_nobody(fleet: Fleet, cache: dict[str, t.Any]) -> None:
    first = fleet.list(tenants=BOTH, **cache)
    asked = len(fleet.site.world.requests)
    second = fleet.list(tenants=BOTH, **cache)
    assert asked > 0
    assert len(fleet.site.world.requests) == asked
    assert second.data == first.data
    # Filters and names are applied to what is cached.
    assert list(fleet.list(tenants=BOTH, status=["disconnected"], **cache).hosts) == ["EX02-2e1f1c00"]
    assert len(fleet.list(tenants=["fabrikam.example"], hostname="exchange_connector.id", **cache).hosts) == 1
    assert len(fleet.site.world.requests) == asked
    playbook = fleet.site.folder / "nothing.yml"
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False}]), encoding="utf-8")
    fleet.run("ansible-playbook", "--flush-cache", str(playbook), source=fleet.source(tenants=BOTH, **cache))
    assert len(fleet.site.requests("list")) == 4


@pytest.mark.slow
def test_without_the_option_nothing_is_cached(fleet: Fleet) -> None:
    fleet.list()
    fleet.list()
    assert len(fleet.site.requests("list")) == 2


@pytest.mark.slow
def test_what_one_identity_read_another_does_not_get(fleet: Fleet, cache: dict[str, t.Any]) -> None:
    fleet.list(**cache)
    another = fleet.site.tenant.add_app(secret=SECRET, roles=())
    refused = fleet.list(environment={"AZURE_CLIENT_ID": another.client_id}, **cache)
    assert refused.hosts == {}
    assert list(fleet.list(tenant="fabrikam.example", **cache).hosts) == ["EX01-3e1f1c00"]
    # Nobody can tell whose tokens they are.
    for tenant, app in ((fleet.site.tenant, fleet.site.app), (fleet.other, fleet.other.apps[fleet.site.app.client_id])):
        token = fleet.site.world.issue_access_token(app, fleet.site.simulator.graph_url)
        environment = {"AZURE_TENANT": "", "AZURE_SECRET": "", "MSGRAPH_ACCESS_TOKEN": token}
        assert len(fleet.list(environment=environment, **cache).hosts) == len(tenant.connectors)


@pytest.mark.slow
def test_an_unreadable_tenant_is_not_cached(fleet: Fleet, cache: dict[str, t.Any]) -> None:
    fleet.site.world.faults.add(Fault("list", status=403, tenant_id=fleet.other.id))
    assert len(fleet.list(tenants=BOTH, on_unreadable_tenant="warn", **cache).hosts) == 2
    assert len(fleet.list(tenants=BOTH, on_unreadable_tenant="warn", **cache).hosts) == 3
    assert len(fleet.site.requests("list")) == 3


# Secrets


@pytest.mark.slow
@pytest.mark.parametrize("by", ["options", "environment"])
@pytest.mark.parametrize("fault", [None, Fault("list", status=403), Fault("token", status=401)], ids=["", "403", "401"])
def test_no_secret_shows_and_none_is_cached(
    fleet: Fleet, cache: dict[str, t.Any], by: str, fault: Fault | None
) -> None:
    if fault:
        fleet.site.world.faults.add(fault)
    names = {
        "password": "AZURE_PASSWORD",
        "oidc_token": "AZURE_FEDERATED_TOKEN",
        "x509_certificate_password": "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        "refresh_token": "MSGRAPH_REFRESH_TOKEN",
        "access_token": "MSGRAPH_ACCESS_TOKEN",
        "secret": "AZURE_SECRET",
    }
    # The first line is what Ansible's other plugins stumble over when they try the file after a failure.
    first = f"secret: {SECRET}\nplugin: {PLUGIN}\nauth_source: client_secret\ntenants: [contoso.example]\n"
    text = first if by == "options" else first.partition("\n")[2]
    if by == "options":
        text += "".join(f"{name}: {SECRETS[name]}\n" for name in names if name != "secret")
    environment = {} if by == "options" else {names[name]: secret for name, secret in SECRETS.items()}
    text += "".join(f"{name}: {json.dumps(value)}\n" for name, value in cache.items())
    listing = fleet.list("-vvvvv", text=text, environment=environment)
    assert ("EX01-1e1f1c00" in listing.output) is (fault is None)
    files = [path for path in Path(cache["cache_connection"]).rglob("*") if path.is_file()]
    assert bool(files) is (fault is None)
    assert_nothing_shows(
        fleet.site, listing.output, listing.errors, *(str(path) + path.read_text("utf-8") for path in files)
    )


@pytest.mark.slow
def test_what_the_other_side_repeats_is_masked(fleet: Fleet, cache: dict[str, t.Any]) -> None:
    body = {"error": "invalid_client", "error_description": f"AADSTS7000215: {SECRET} is wrong."}
    fleet.site.world.faults.add(Fault("token", status=401, body=body))
    listing = fleet.list("-vvvvv")
    assert "AADSTS7000215: ******** is wrong" in listing.said
    assert_nothing_shows(fleet.site, listing.output, listing.errors)
    token = fleet.site.world.issue_access_token(fleet.site.app, fleet.site.simulator.graph_url)
    fleet.site.tenant.connectors[FIRST].properties["exchangeAlias"] = f"Bearer {token}"
    environment = {"AZURE_SECRET": "", "MSGRAPH_ACCESS_TOKEN": token}
    listing = fleet.list("-vvvvv", environment=environment, **cache)
    assert "Bearer ********" in listing.output
    (file,) = (path for path in Path(cache["cache_connection"]).rglob("*") if path.is_file())
    assert_nothing_shows(fleet.site, listing.output, listing.errors, file.read_text("utf-8"))


# In a playbook, and as documented


@pytest.mark.slow
def test_a_fleet_synchronises(fleet: Fleet) -> None:
    play = {
        "hosts": "exchange_connectors",
        "gather_facts": False,
        "tasks": [
            {
                SYNC: {
                    "tenant": "{{ exchange_connector_sync_tenant }}",
                    "connector_id": "{{ exchange_connector_sync_connector_id }}",
                    "wait": False,
                }
            }
        ],
    }
    playbook = fleet.site.folder / "fleet.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    source = fleet.source(tenants=BOTH)
    interpreter = f"ansible_python_interpreter={sys.executable}"
    run = fleet.run("ansible-playbook", str(playbook), "-e", interpreter, "--limit", "EX01-*", source=source)
    assert run.code == 0, run.output + run.errors
    assert sorted(request.object_id or "" for request in fleet.site.requests("sync")) == [FIRST, THIRD]


@pytest.mark.slow
@pytest.mark.parametrize("text", DOCUMENTED.EXAMPLES.split("\n---\n"), ids=lambda text: text.strip().splitlines()[0])
def test_the_example_runs(fleet: Fleet, text: str) -> None:
    app = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10"
    for tenant in (fleet.site.tenant, fleet.other):
        tenant.add_app(app, secret=SECRET)
    environment = {"AZURE_CLIENT_ID": app, "INTUNE_SECRET": SECRET, "HOME": str(fleet.site.folder)}
    listing = fleet.list(text=text, environment=environment)
    assert listing.errors == ""
    assert len(listing.hosts) == (2 if "tenants" not in text or "status" in text else 3)
    if "keyed_groups" in text:
        assert listing.data["tenant_fabrikam_example"]["hosts"] == ["EX01-3e1f1c00"]
        assert int(listing.hosts["EX01-1e1f1c00"]["exchange_connector_sync_max_age"]) == 7200
