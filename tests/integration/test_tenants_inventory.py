# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory plugin tenants promises: ansible-inventory and ansible-playbook, run as users do."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import typing as t
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
import yaml
from simulator import App, Fault

from .conftest import BIN, Site
from .test_inventory import Fleet, Listing
from .test_secrets import SECRETS, assert_nothing_shows

PLUGIN = "graphops.intune.tenants"
DOCUMENTED = importlib.import_module("ansible_collections.graphops.intune.plugins.inventory.tenants")
SECRET = SECRETS["secret"]
ROLE = "DelegatedAdminRelationship.Read.All"
FIRST, SECOND, THIRD, FOURTH = (f"{number}fdbff88-9d6b-42e0-9713-45c922ba8001" for number in (1, 2, 3, 4))
FAILS = {"ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"}


class Tenants(Fleet):
    """A partner with customers, and a way to list them."""

    def source(self, text: str | None = None, *, file: str = "all.tenants.yml", **options: t.Any) -> str:
        path = self.site.folder / file
        path.write_text(text or yaml.safe_dump({"plugin": PLUGIN, **options}), encoding="utf-8")
        return str(path)

    def refused(self, wanted: t.Sequence[tuple[dict[str, t.Any], str]], subtests: pytest.Subtests) -> None:
        """See that each of these options gives no inventory, and that this is said of it."""
        sources = [self.source(file=f"bad{n:02}.tenants.yml", **options) for n, (options, _said) in enumerate(wanted)]
        more = [argument for other in sources[1:] for argument in ("-i", other)]
        listing = self.run("ansible-inventory", *more, "--list", source=sources[0])
        assert listing.hosts == {}
        said = listing.said
        for options, message in wanted:
            with subtests.test(options=options):
                _before, found, after = said.partition(message)
                assert found, f"it is said of this source, after what is said of the ones before: {said}"
                said = after


@pytest.fixture
def partner(site: Site) -> Tenants:
    site.app = partner_app(site)
    for tenant, name in ((FIRST, "Two Words"), (SECOND, "!Fabrikam"), (THIRD, "Adatum"), (FOURTH, "Adatum")):
        site.tenant.add_customer(name, tenant)
    return Tenants(site, site.tenant)


def partner_app(site: Site) -> App:
    return site.tenant.add_app(site.app.client_id, secret=SECRET, roles=(ROLE,))


NAMES = ["Adatum_" + THIRD, "Adatum_" + FOURTH, "Two_Words", "_Fabrikam"]


@pytest.fixture
def cache(partner: Tenants) -> dict[str, t.Any]:
    folder = str(partner.site.folder / "cache")
    return {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": folder, "cache_timeout": 600}


def files(cache: dict[str, t.Any]) -> list[Path]:
    return [path for path in Path(cache["cache_connection"]).rglob("*") if path.is_file()]


def expire(cache: dict[str, t.Any]) -> None:
    """Let what is kept have been read a day before the clock began."""
    (file,) = files(cache)
    text, count = re.subn(r"(?<=read)(\\*\": \\*\")[^\"\\]+", r"\g<1>2026-11-22T18:00:00Z", file.read_text("utf-8"))
    assert count == 1
    file.write_text(text, encoding="utf-8")
    # Ansible itself goes by this.
    os.utime(file, (0, 0))


# Lists and files


def test_a_list_asks_nobody(partner: Tenants) -> None:
    listing = partner.list(
        tenants=["contoso.example", {"tenant": SECOND, "name": "Two Words", "vars": {"region": "us", "tier": 1}}],
        cloud_environment="AzureUSGovernment",
        allow_environment_credential=True,
        keyed_groups=[{"key": "region", "prefix": "region"}],
        compose={"tenant_sync_max_age": "tier | default(2) * 3600", "label": "intune_tenant.name ~ '!'"},
        groups={"gold": "tier is defined"},
        environment=dict.fromkeys(partner.environment),
    )
    assert listing.errors == ""
    assert listing.data["tenants"]["hosts"] == ["contoso.example", "Two_Words"]
    assert listing.data["region_us"]["hosts"] == listing.data["gold"]["hosts"] == ["Two_Words"]
    host = listing.hosts["Two_Words"]
    assert int(host.pop("tenant_sync_max_age")) == 3600
    assert host == {
        "ansible_connection": "local",
        "intune_tenant": {"id": SECOND, "name": "Two Words"},
        "label": "Two Words!",
        "region": "us",
        "tenant_sync_allow_environment_credential": True,
        "tenant_sync_cloud_environment": "AzureUSGovernment",
        "tenant_sync_tenant": SECOND,
        "tier": 1,
    }
    assert partner.site.world.connections == 0


@pytest.mark.exhaustive
def test_files_beside_the_inventory(partner: Tenants) -> None:
    folder = partner.site.folder / "lists"
    folder.mkdir()
    (folder / "lines.txt").write_text("# ours\ncontoso.example\n\nfabrikam.example\n", encoding="utf-8")
    hostile = "{{ lookup('pipe', 'touch pwned') }}"
    more = [{"tenant": FIRST, "name": hostile, "vars": {"x": hostile}}]
    (folder / "more.yml").write_text(yaml.safe_dump(more), encoding="utf-8")
    key = partner.site.folder / "key"
    key.write_text("the key", encoding="utf-8")
    encrypt = [str(BIN / "ansible-vault"), "encrypt", "--vault-password-file", str(key), str(folder / "more.yml")]
    subprocess.run(encrypt, check=True, capture_output=True)
    partner.source(file="lists/a.tenants.yml", tenants_file="lines.txt")
    source = partner.source(file="lists/b.tenants.yml", tenants_file="{{ 'more' }}.yml")
    more_sources = ["-i", "lists/a.tenants.yml", "--vault-password-file", str(key)]
    listing = partner.run("ansible-inventory", "--list", *more_sources, source=source)
    (odd,) = set(listing.hosts) - {"contoso.example", "fabrikam.example"}
    assert "__lookup__pipe___" in odd
    assert listing.hosts[odd]["x"] == {"__ansible_unsafe": hostile}
    playbook = partner.site.folder / "show.yml"
    show = [{"ansible.builtin.debug": {"msg": "{{ x }} {{ intune_tenant.name }}"}}]
    playbook.write_text(json.dumps([{"hosts": "tenants", "gather_facts": False, "tasks": show}]), encoding="utf-8")
    run = partner.run("ansible-playbook", str(playbook), "--limit", odd, *more_sources, source=source)
    assert (run.code, run.output.count("touch pwned") >= 2, "contoso" in run.output) == (0, True, False)
    assert not (partner.site.folder / "pwned").exists()


def test_options_that_cannot_be_right(partner: Tenants, subtests: pytest.Subtests) -> None:
    (partner.site.folder / "none.txt").write_text("# none yet\n", encoding="utf-8")
    (partner.site.folder / "header.csv").write_text("tenant\ncontoso.example\n", encoding="utf-8")
    one = ["contoso.example"]
    hush = yaml.safe_load("a: {tenant: contoso.example, secret: hush}")["a"]
    partner.refused(
        [
            ({}, "nothing says where the tenants come from; give one of tenants, tenants_file, partner_center."),
            ({"tenants": one, "partner_center": True}, "tenants and partner_center are given; give one of tenants, "),
            ({"tenants": one, "client_id": "x"}, "client_id is given, but with tenants nobody is asked; give the"),
            ({"tenants": ["contoso"]}, "in tenants, contoso names no tenant; give the tenant's GUID or one of its"),
            ({"tenants": [hush]}, "in tenants, contoso.example has secret; give it tenant, name and vars, and the id"),
            ({"tenants": [*one, {"tenant": "CONTOSO.example", "name": "x"}]}, "CONTOSO.example is named twice, as"),
            ({"tenants": []}, "tenants is empty; name the tenants."),
            ({"tenants_file": "none.txt"}, "tenants_file is empty; name the tenants."),
            ({"tenants_file": "header.csv"}, "in tenants_file, tenant names no tenant; give the tenant's GUID"),
            ({"tenants_file": "nowhere.txt"}, "tenants_file nowhere.txt cannot be used: "),
            ({"tenants": one, "include": ["fabrikam*"]}, "include and exclude leave none of 1 tenants; name at least"),
            ({"tenants": one, "graph_url": "http://graph"}, "graph_url is not the https address of a host"),
            ({"tenants": one, "tennants": one}, "tennants is no option; see ansible-doc"),
            ({"tenants": one, "strict": True, "groups": {"x": "(("}}, "groups, x, is no Jinja expression: "),
            ({"tenants": one, "on_unreadable": "ignore"}, "ignore"),
            ({"partner_center": True, "names": {"contoso.example": "x"}}, "names has contoso.example; give a name by"),
            ({"partner_center": True, "auth_source": "oidc"}, "auth_source is oidc, but oidc_token or"),
            ({"partner_center": True, "ca_path": "/nowhere.pem", "on_unreadable": "warn"}, "ca_path '/nowhere.pem'"),
        ],
        subtests,
    )
    assert partner.site.world.connections == 0


@pytest.mark.exhaustive
def test_an_encrypted_value_does_not_become_a_variable(partner: Tenants) -> None:
    key = partner.site.folder / "key"
    key.write_text("the key", encoding="utf-8")
    encrypt = [str(BIN / "ansible-vault"), "encrypt_string", SECRET, "--name", "x", "--vault-password-file", str(key)]
    value = subprocess.run(encrypt, check=True, capture_output=True, text=True).stdout.replace("\n", "\n        ")
    text = f"plugin: {PLUGIN}\ntenants:\n  - tenant: contoso.example\n    vars:\n        {value}"
    listing = partner.list("--vault-password-file", str(key), text=text)
    assert "in tenants, vars has x, which is encrypted, and the inventory would show it; put it into" in listing.said
    assert listing.hosts == {}
    assert_nothing_shows(partner.site, listing.output, listing.errors)


def test_a_tenant_takes_over_no_other_name(partner: Tenants, subtests: pytest.Subtests) -> None:
    static = partner.site.folder / "static"
    static.write_text("[prod]\ndb01 ansible_connection=ssh\n", encoding="utf-8")
    taken = "a name that Ansible has for the local host, or for a group; give it another name, by names"

    def named(name: str, **more: t.Any) -> dict[str, t.Any]:
        return {"tenants": ["a.example", {"tenant": "b.example", "name": name, "vars": {"k": name}}], **more}

    wanted = [
        (named("db01"), "the tenant b.example would be the host db01, a name that another source of the inventory, or"),
        (named("prod"), f"the tenant b.example would be the host prod, {taken}"),
        (named("tenants"), f"the tenant b.example would be the host tenants, {taken}"),
        (named("gold", groups={"gold": "true"}), f"the tenant b.example would be the host gold, {taken}"),
        (named("k_x", keyed_groups=[{"key": "'x'", "prefix": "k"}]), "the tenant k_x has the name of a group that"),
        (named("z", keyed_groups=[{"key": "'prod'", "separator": ""}]), "into the group prod, but that is the name of"),
    ]
    sources = [partner.source(file=f"t{n}.tenants.yml", **options) for n, (options, _said) in enumerate(wanted)]
    # The same tenant may come from two sources.
    sources += [partner.source(file=f"u{n}.tenants.yml", tenants=["C.example", "c.example"]) for n in range(2)]
    more = [argument for source in sources for argument in ("-i", source)]
    listing = partner.run("ansible-inventory", "--list", *more, source=str(static))
    for _options, message in wanted:
        with subtests.test(message=message):
            assert message in listing.said
    assert sorted(listing.hosts) == ["C.example", "db01"]
    assert listing.hosts["db01"] == {"ansible_connection": "ssh"}
    assert listing.data["prod"] == {"hosts": ["db01"]}


# Partner Center


def test_partner_center(partner: Tenants) -> None:
    partner.site.tenant.page_size = 1
    listing = partner.list(partner_center=True, names={FIRST.upper(): "Northwind"}, exclude=[FOURTH, "nobody"])
    assert sorted(listing.hosts) == ["Adatum_" + THIRD, "Northwind", "_Fabrikam"]
    assert listing.hosts["Northwind"] == {
        "ansible_connection": "local",
        "intune_tenant": {"id": FIRST, "name": "Northwind", "display_name": "Two Words"},
        "tenant_sync_tenant": FIRST,
    }
    assert listing.hosts["_Fabrikam"]["intune_tenant"]["name"] == {"__ansible_unsafe": "!Fabrikam"} or (
        listing.hosts["_Fabrikam"]["intune_tenant"]["name"] == "!Fabrikam"
    )
    assert listing.said.count("WARNING") == 1
    assert "exclude has nobody, which fits no tenant." in listing.said
    asked = [request.path for request in partner.site.requests("list")]
    assert asked == ["/v1.0/tenantRelationships/delegatedAdminCustomers"] * 4
    assert len(partner.site.requests("token")) == 1


@pytest.mark.slow
def test_a_part_is_never_the_whole(partner: Tenants, cache: dict[str, t.Any], subtests: pytest.Subtests) -> None:
    partner.site.tenant.page_size = 1
    options = {"partner_center": True, "retry_timeout": 0, "on_unreadable": "warn", **cache}
    wanted = [
        (Fault("list", status=403, skip=2, times=None), "could not list them, Graph answered HTTP 403"),
        (Fault("list", cut="body", skip=3, times=None), "tenant contoso.example: 127.0.0.1:"),
        (Fault("list", body={"value": [{"id": THIRD}]}, skip=1), "one whose tenantId is no GUID"),
        (Fault("list", body={"value": []}), "Graph's list is empty; check that tenant is the partner's own"),
        (Fault("token", status=401, times=None), "sign-in as client"),
    ]
    fault, message = wanted[0]
    partner.site.world.faults.add(fault)
    failed = partner.list(environment=FAILS, **options)
    assert failed.code != 0
    assert message in failed.said
    assert "The cache has no customers either." in failed.said
    assert files(cache) == []
    partner.site.world.faults.clear()
    assert sorted(partner.list(**options).hosts) == NAMES
    expire(cache)
    for fault, message in wanted:
        partner.site.world.faults.clear()
        partner.site.world.faults.add(fault)
        with subtests.test(message=message):
            kept = partner.list(environment=FAILS, **options)
            assert sorted(kept.hosts) == NAMES
            assert message in kept.said
            assert "Those 4 are kept that were read at 2026-11-22T18:00:00Z." in kept.said
    # Where that is not wanted, nothing stands in.
    assert partner.list(environment=FAILS, **{**options, "on_unreadable": "fail"}).code != 0


@pytest.mark.slow
def test_the_cache_is_for_the_identity_and_its_time(partner: Tenants, cache: dict[str, t.Any]) -> None:
    first = partner.list(partner_center=True, **cache)
    assert sorted(first.hosts) == NAMES
    asked = len(partner.site.world.requests)
    assert partner.list(partner_center=True, **cache).data == first.data
    assert sorted(partner.list(partner_center=True, include=["two*"], **cache).hosts) == ["Two_Words"]
    assert len(partner.site.world.requests) == asked
    another = partner.site.tenant.add_app(secret=SECRET, roles=())
    refused = partner.list(environment={"AZURE_CLIENT_ID": another.client_id}, partner_center=True, **cache)
    assert refused.hosts == {}
    assert f"grant the app {ROLE} with admin consent in the partner's tenant, as an application" in refused.said
    expire(cache)
    before = datetime.now(timezone.utc).replace(microsecond=0)
    partner.site.tenant.add_customer("New", "5" + FIRST[1:])
    assert "New" in partner.list(partner_center=True, **cache).hosts
    (file,) = files(cache)
    assert f"{before:%Y-%m-%dT%H}" in file.read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, Fault("list", status=403), Fault("token", status=401)], ids=["", "403", "401"])
def test_no_secret_shows_and_none_is_kept(partner: Tenants, cache: dict[str, t.Any], fault: Fault | None) -> None:
    if fault:
        partner.site.world.faults.add(fault)
    given = {name: secret for name, secret in SECRETS.items() if name in DOCUMENTED.spec()}
    where = {"graph_url": partner.site.simulator.graph_url, "authority_url": partner.site.simulator.authority_url}
    options = {**given, **where, "partner_center": True, "auth_source": "client_secret", **cache}
    listing = partner.list("-vvvvv", **options)
    assert ("Two_Words" in listing.output) is (fault is None)
    if fault is None:
        assert f'"tenant_sync_graph_url": "{where["graph_url"]}"' in listing.output
    kept = [str(path) + path.read_text("utf-8") for path in files(cache)]
    assert bool(kept) is (fault is None)
    assert_nothing_shows(partner.site, listing.output, listing.errors, *kept)


# In a playbook, and as documented


@pytest.mark.slow
def test_a_customer_without_consent_is_told_by_the_role(partner: Tenants) -> None:
    """And of that tenant alone; a limit runs the one that it names."""
    world = partner.site.world
    tokens = []
    for domain, tenant_id, consented in (("northwind.example", FIRST, True), ("fabrikam.example", SECOND, False)):
        tenant = world.add_tenant(domain, tenant_id)
        if consented:
            tenant.add_app(partner.site.app.client_id, secret=SECRET)
        tokens.append(tenant.add_vpp_token(last_sync=timedelta(days=2)))
    source = partner.source(partner_center=True, include=[FIRST, SECOND])
    python = f"ansible_python_interpreter={sys.executable}"
    run = ["-e", "tenant_sync_kinds=vpp_token tenant_sync_wait=false", "-e", python, "graphops.intune.sync_tenants"]
    alone = partner.run("ansible-playbook", *run, "--limit", "_Fabrikam", source=source)
    assert (alone.code != 0, [len(token.accepted) for token in tokens]) == (True, [0, 0])
    assert "Two_Words" not in alone.output
    both = partner.run("ansible-playbook", *run, source=source)
    assert (both.code != 0, [len(token.accepted) for token in tokens]) == (True, [1, 0])
    for said in (alone.output, both.output):
        assert f"tenant {SECOND}" in said
        assert "AADSTS700016" in said
        assert f"tenant {FIRST}: " not in said


@pytest.mark.slow
@pytest.mark.parametrize("text", DOCUMENTED.EXAMPLES.split("\n---\n"), ids=lambda text: text.strip().splitlines()[0])
def test_the_example_runs(partner: Tenants, text: str) -> None:
    lines = "contoso.example\neu.northwind.example\nadatum.example\nfabrikam.example\n"
    (partner.site.folder / "tenants.txt").write_text(lines, encoding="utf-8")
    names = yaml.safe_load(text).get("names", {})
    for tenant in set(names) - {FIRST, SECOND, THIRD, FOURTH}:
        partner.site.tenant.add_customer("X", tenant)
    listing: Listing = partner.list(text=text, environment={"HOME": str(partner.site.folder)})
    assert listing.errors == ""
    found = sorted(listing.hosts)
    if "partner_center" in text:
        assert sorted(listing.data["pilot"]["hosts"]) == ["Contoso_EU", "Fabrikam"]
    elif "region" in text:
        assert listing.data["region_us"]["hosts"] == ["Fabrikam_Inc."]
        assert found == ["Contoso", "Fabrikam_Inc."]
    else:
        assert found == ["contoso.example", "fabrikam.example"]
