# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them, without an AWX: its own code injects the credential, and ansible-runner runs the job."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import signal
import subprocess
import time
import typing as t
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qs, quote, quote_plus

import pytest
import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from simulator import Simulator, Tenant, World

from .conftest import BIN, ROOT, SYNC, Site, clean_environment
from .test_fleet import OPTION, PLAYBOOK, Fleet
from .test_identity import NO_HOSTS, NO_IDENTITY, Certificate, read

AWX = ROOT / ".build" / "awx" / "bin"
MATRIX = ROOT / ".build" / "matrix"
PROCESSES = Path("/proc")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (AWX / "ansible-runner").exists(), reason="ansible-runner is not here: make .build/awx/ready installs it"
    ),
]

# AWX's own image, AAP, and the newest.
CORES = ("2.15", "2.16", "newest")


@pytest.fixture(params=CORES)
def core(request: pytest.FixtureRequest) -> Path:
    """The folder of an ansible-playbook: of an environment that make units made, the newest at least of our own."""
    made = {tuple(map(int, path.name.partition("-")[0].split("."))): path / "bin" for path in MATRIX.glob("2.*-py*")}
    if request.param == "newest":
        return made[max(made)] if made else BIN
    wanted = tuple(map(int, request.param.split(".")))
    if wanted not in made:
        pytest.skip(f"ansible-core {request.param} is not here: make units installs it if there is a Python for it")
    return made[wanted]


# Credentials

# What the kubelet puts into a pod's file.
FEDERATED = "eyJ0.of-the-service-account.c2ln"


def pod(folder: Path, tenant: str, client_id: str, authority: str = "") -> dict[str, str]:
    """The environment that Azure workload identity gives a pod, with its token in a file."""
    file = folder / "pod" / "azure-identity-token"
    file.parent.mkdir(exist_ok=True)
    file.write_text(FEDERATED)
    return {
        "AZURE_CLIENT_ID": client_id,
        "AZURE_TENANT_ID": tenant,
        "AZURE_FEDERATED_TOKEN_FILE": str(file),
        "AZURE_AUTHORITY_HOST": authority,
    }


class Injected(t.NamedTuple):
    """What AWX gives a job for a credential."""

    env: dict[str, str]
    safe_env: dict[str, str]
    """As AWX shows it to everyone who may read the job."""


def inject(folder: Path, kind: str | dict[str, t.Any], fields: t.Mapping[str, str]) -> Injected:
    """Have AWX's code inject a credential into a job whose private data folder this is."""
    (folder / "env").mkdir(parents=True, exist_ok=True)
    asked = json.dumps({"type": kind, "fields": fields, "folder": str(folder)})
    script = [str(AWX / "python"), str(ROOT / "tests" / "tools" / "awx_inject.py")]
    done = subprocess.run(script, input=asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Injected(**json.loads(done.stdout))


class _Loader(yaml.SafeLoader):
    """Reads Ansible's tag for text that is no template to it."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


@pytest.fixture(scope="module")
def own_type() -> dict[str, t.Any]:
    """The credential type that the role awx_setup makes."""
    text = (ROOT / "roles" / "awx_setup" / "vars" / "main.yml").read_text(encoding="utf-8")
    variables = yaml.load(text, _Loader)  # noqa: S506
    return {name: variables[f"__awx_setup_credential_{name}"] for name in ("inputs", "injectors")}


def hosts(site: Site) -> dict[str, str]:
    """What sends a job to the simulator."""
    return {"MSGRAPH_URL": site.simulator.graph_url, "AZURE_AUTHORITY_HOST": site.simulator.authority_url}


def grants(site: Site, injected: Injected) -> list[str]:
    """Run the module in a job with this credential; the grants that it took."""
    return read(site, {**injected.env, **hosts(site)}, graph_url=None, authority_url=None)


@pytest.mark.parametrize("cloud", ["", "AzureUSGovernment"])
def test_awx_own_azure_credential_of_an_app(site: Site, cloud: str) -> None:
    fields = {
        "subscription": "",
        "tenant": site.tenant.id,
        "client": site.app.client_id,
        "secret": str(site.app.secret),
        "username": "",
        "password": "",
        "cloud_environment": cloud,
    }
    assert grants(site, inject(site.folder / "job", "azure_rm", fields)) == ["client_credentials"]


def test_awx_own_azure_credential_of_a_user(site: Site) -> None:
    site.tenant.add_app(client_id="14d82eec-204b-4c2f-b7e8-296a70dab67e", public=True)
    site.tenant.add_user("admin@contoso.example", "pass word 1")
    fields = {"subscription": "", "client": "", "tenant": "", "secret": ""}
    fields |= {"username": "admin@contoso.example", "password": "pass word 1"}
    assert grants(site, inject(site.folder / "job", "azure_rm", fields)) == ["password"]


def app_with_certificate(site: Site, form: str) -> dict[str, str]:
    """The fields for an app that signs in with a certificate."""
    own = Certificate()
    app = site.tenant.add_app(certificate=own.pem.decode())
    password = "pass phrase 2" if form.startswith("encrypted") else ""
    sealed = password.encode() or None
    pfx = form.endswith("PFX")
    text = base64.encodebytes(own.pfx(sealed)) if pfx else own.key_pem(sealed) + own.pem
    identity = {"tenant": site.tenant.id, "client_id": app.client_id}
    return {**identity, "certificate": text.decode(), "certificate_password": password}


def user_and_password(site: Site) -> dict[str, str]:
    app = site.tenant.add_app(public=True)
    user = site.tenant.add_user("admin@contoso.example", "pass word 1")
    identity = {"tenant": site.tenant.id, "client_id": app.client_id}
    return {**identity, "username": user.name, "password": user.password}


def refresh_token(site: Site) -> dict[str, str]:
    app = site.tenant.add_app(public=True)
    token = app.refresh_token(site.tenant.add_user("admin@contoso.example", "x"))
    return {"tenant": site.tenant.id, "client_id": app.client_id, "refresh_token": token}


def federated_token(site: Site) -> dict[str, str]:
    app = site.tenant.add_app(federated={"eyJ0-federated-token"})
    file = site.folder / "federated-token"
    file.write_text("eyJ0-federated-token\n")
    return {"tenant": site.tenant.id, "client_id": app.client_id, "oidc_token_file_path": str(file)}


def client_secret(site: Site) -> dict[str, str]:
    return {"tenant": site.tenant.id, "client_id": site.app.client_id, "secret": str(site.app.secret)}


VARIANTS: dict[str, tuple[t.Callable[[Site], dict[str, str]], list[str]]] = {
    "client secret": (client_secret, ["client_credentials"]),
    "other cloud": (
        lambda site: {**client_secret(site), "cloud_environment": "AzureChinaCloud"},
        ["client_credentials"],
    ),
    **{
        f"certificate as {form}": (lambda site, form=form: app_with_certificate(site, form), ["client_credentials"])
        for form in ("PEM", "encrypted PEM", "PFX", "encrypted PFX")
    },
    "user and password": (user_and_password, ["password"]),
    "refresh token": (refresh_token, ["refresh_token"]),
    "access token": (
        lambda site: {"access_token": site.world.issue_access_token(site.app, site.simulator.graph_url)},
        [],
    ),
    "federated token": (federated_token, ["client_credentials"]),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("left_out", ["absent", "empty"])
def test_own_credential(site: Site, own_type: dict[str, t.Any], variant: str, left_out: str) -> None:
    """What was not filled in is absent or an empty string, depending on how the credential was made."""
    fill_in, expected = VARIANTS[variant]
    fields = fill_in(site)
    secret = {field["id"] for field in own_type["inputs"]["fields"] if field.get("secret")}
    if left_out == "empty":
        fields = {**{field["id"]: "" for field in own_type["inputs"]["fields"]}, **fields}
    injected = inject(site.folder / "job", own_type, fields)
    assert injected.env.keys() == own_type["injectors"]["env"].keys(), "AWX passes over names that it keeps for itself"
    assert grants(site, injected) == expected
    for name, value in fields.items():
        assert name not in secret or not value or value not in "\n".join(map(str, injected.safe_env.values()))


def test_a_credential_wins_over_what_the_pod_has(site: Site, own_type: dict[str, t.Any]) -> None:
    """As does one of whose fields only the tenant is filled in: its empty client hides that of the pod."""
    of_pod = pod(site.folder, site.tenant.id, site.tenant.add_app(federated={FEDERATED}).client_id)
    fields = {
        "subscription": "",
        "tenant": site.tenant.id,
        "client": site.app.client_id,
        "secret": str(site.app.secret),
    }
    injected = inject(site.folder / "job", "azure_rm", fields)
    assert grants(site, injected._replace(env={**of_pod, **injected.env})) == ["client_credentials"]
    (form,) = [request.body.decode() for request in site.world.requests if request.where == "token"]
    assert site.app.client_id in form
    assert "client_assertion" not in form
    empty = {field["id"]: "" for field in own_type["inputs"]["fields"]}
    injected = inject(site.folder / "job", own_type, {**empty, "tenant": site.tenant.id})
    run = site.info(environment={**of_pod, **injected.env, **hosts(site)}, **NO_IDENTITY, **NO_HOSTS)
    assert run.code == 2
    assert "no identity to sign in with is given" in run.result["msg"]


def test_awx_would_accept_the_own_type(own_type: dict[str, t.Any]) -> None:
    """Checks that its API makes when a type is saved, and that are no part of the code on PyPI."""
    fields = own_type["inputs"]["fields"]
    known = {
        "id",
        "label",
        "help_text",
        "type",
        "secret",
        "multiline",
        "choices",
        "default",
        "format",
        "ask_at_runtime",
    }
    for field in fields:
        assert {"id", "label"} <= field.keys() <= known
        assert field["type"] in ("string", "boolean")
        assert field["id"].isidentifier()
        assert field["id"] != "tower"
        assert field.get("default", "") in field.get("choices", [""])
    assert len({field["id"] for field in fields}) == len(fields)
    injectors = own_type["injectors"]
    assert injectors.keys() <= {"env", "extra_vars", "file"}
    assert not [name for name in injectors["env"] if name.startswith("ANSIBLE_") or not name.isidentifier()]
    names = [name.partition(".") for name in injectors["file"]]
    assert all(kind == "template" and label.isidentifier() for kind, _dot, label in names)
    tower = {"filename": {label: "EXAMPLE_FILENAME" for _kind, _dot, label in names}}
    examples = {field["id"]: "EXAMPLE" for field in fields}
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
    for template in (*injectors["file"].values(), *injectors["env"].values()):
        assert sandbox.from_string(template).render(tower=tower, **examples)


# Jobs


@pytest.fixture
def fleet(installed: Path, tmp_path: Path) -> t.Iterator[Fleet]:
    """Two tenants with four connectors each."""
    world = World()
    with Simulator(world) as simulator:
        fleet = Fleet(world, simulator, installed, tmp_path)
        fleet.add_tenant("berlin", 4)
        fleet.add_tenant("oslo", 4)
        yield fleet


class _Unsafe(yaml.SafeDumper):
    """Writes texts as AWX does that come from whoever launches a job."""

    def represent_data(self, data: t.Any) -> yaml.Node:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


@dataclass
class Job:
    """A job, laid out as AWX does it: its private data folder, and what ansible-runner left there."""

    folder: Path
    environment: dict[str, str]

    def command(self, *words: str) -> list[str]:
        return [str(AWX / "ansible-runner"), *words]

    def start(self) -> subprocess.Popen[str]:
        """Run it."""
        return subprocess.Popen(
            self.command("run", str(self.folder), "--playbook", "site.yml", "--ident", "77"),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self) -> str:
        """Run it to its end; what it said."""
        with self.start() as process:
            return process.communicate(timeout=100)[0]

    def sent(self, **of_node: str) -> Job:
        """Have it run as AWX does it on a node or in a pod, and the events come back.

        Parameters:
            of_node: what the node or the pod has in its environment.
        """
        node, back = (self.folder.with_name(f"{self.folder.name}-{where}") for where in ("node", "back"))
        # Paths on the node: the private data folder is another one there.
        steps = (
            (self.command("transmit", str(self.folder), "--playbook", "site.yml", "--ident", "77"), {}),
            (self.command("worker", "--private-data-dir", str(node)), of_node),
            (self.command("process", str(back), "--ident", "77"), {}),
        )
        stream = b""
        for step, own in steps:
            environment = {**self.environment, **own}
            done = subprocess.run(step, input=stream, env=environment, capture_output=True, timeout=100, check=False)
            stream = done.stdout
        return Job(back, {})

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts" / "77"

    @property
    def status(self) -> str:
        return (self.artifacts / "status").read_text()

    @property
    def events(self) -> list[dict[str, t.Any]]:
        """The events in their order, as AWX stores them."""
        files = (self.artifacts / "job_events").glob("*.json")
        return sorted((json.loads(file.read_text()) for file in files), key=lambda event: int(event["counter"]))

    @property
    def summary(self) -> dict[str, t.Any]:
        """The artifact that AWX shows with the job, and hands on to the next nodes of a workflow."""
        (stats,) = (event for event in self.events if event["event"] == "playbook_on_stats")
        (summary,) = stats["event_data"]["artifact_data"].values()
        return t.cast("dict[str, t.Any]", summary)


def prepare(
    fleet: Fleet,
    core: Path,
    name: str = "job",
    *,
    part: t.Sequence[str] | None = None,
    play: dict[str, t.Any] | None = None,
    answers: t.Mapping[str, str] = MappingProxyType({}),
    limit: str = "",
) -> Job:
    """Lay out a job, with a credential for the app if that has a secret.

    :param core: where its ansible-playbook is.
    :param part: the hosts of the inventory, if not all.
    :param play: what is run, if not the playbook of the collection.
    :param answers: what whoever launched it answered to questions of the survey.
    :param limit: that of the job.
    """
    folder = fleet.folder / name
    (app,) = fleet.tenants[0].apps.values()
    fields = {"client": app.client_id, "tenant": fleet.tenants[0].id, "secret": str(app.secret)}
    injected = inject(folder, "azure_rm", fields).env if app.secret else {}
    environment = clean_environment(
        fleet.collections,
        **injected,
        PATH=os.pathsep.join((str(core), os.environ["PATH"])),
        HOME=str(folder / "home"),
        ANSIBLE_LOCAL_TEMP=str(folder / "temporary"),
        ANSIBLE_FORCE_COLOR="True",
        JOB_ID="77",
        MSGRAPH_URL=fleet.simulator.graph_url,
        REQUESTS_CA_BUNDLE=fleet.simulator.ca_path,
        **({"AZURE_AUTHORITY_HOST": fleet.simulator.authority_url} if injected else {}),
    )
    told = {"job_id": 77, "job_template_name": "Synchronise", "user_name": "admin", "schedule_name": "Nightly"}
    variables = {f"{prefix}_{key}": value for prefix in ("awx", "tower") for key, value in told.items()}
    # awx/main/utils/safe_yaml.py: what comes from whoever launches is no template.
    answered = yaml.dump_all([dict(answers)], Dumper=_Unsafe) if answers else ""
    chosen = {host: fleet.hosts[host] for host in (fleet.hosts if part is None else part)}
    inventory = {
        "all": {"hosts": list(chosen), "children": [], "vars": fleet.variables},
        "_meta": {"hostvars": chosen},
    }
    script = f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(inventory)!r})\n"
    files = {
        "env/envvars": json.dumps(environment),
        "env/extravars": yaml.dump(variables) + answered,
        "env/cmdline": shlex.join(["-u", "root", "-vvvv", *(["-l", limit] if limit else [])]),
        # How often it looks whether it is cancelled; AWX leaves it at 5 s.
        "env/settings": json.dumps({"suppress_ansible_output": True, "pexpect_timeout": 1}),
        "inventory/hosts": script,
        "project/site.yml": json.dumps([play or {"name": "Synchronise", "import_playbook": PLAYBOOK}]),
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "inventory" / "hosts").chmod(0o700)
    (folder / "home").mkdir(exist_ok=True)
    (folder / "temporary").mkdir(exist_ok=True)
    return Job(folder, {**environment, "PATH": os.environ["PATH"]})


def forms(secret: str) -> t.Iterator[str]:
    """A secret, and how it would look inside of other texts."""
    yield from {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    for shift in range(3):
        # Of three bytes base64 makes four letters; those at the ends depend on what stands beside the secret.
        text = base64.b64encode(b"x" * shift + secret.encode()).decode().rstrip("=")[shift + 1 : -1]
        yield from {text, text.replace("+", "-").replace("/", "_")}


def assert_nothing_shows(fleet: Fleet, artifacts: Path) -> None:
    """No secret and no token is in anything that a job left."""
    tokens = {request.headers["Authorization"].split()[1] for request in fleet.requests("batch")}
    apps = [app for tenant in fleet.tenants for app in tenant.apps.values()]
    secrets = {secret for app in apps for secret in (app.secret, *app.federated) if secret}
    # ansible-runner's own note of the environment that it was given, which stays on the node.
    left = [path for path in artifacts.rglob("*") if path.is_file() and path.name != "command"]
    assert any("playbook_on_stats" in path.read_text() for path in left)
    for path in left:
        text = path.read_text()
        for secret in tokens | secrets:
            for form in forms(secret):
                assert form not in text, f"{path.name} holds {secret} as {form}"


def test_what_is_looked_for_would_be_found() -> None:
    """In words around it, and encoded together with them."""
    secret = "fleet+secret/7d1e~"
    for before in ("", "a", "ab"):
        around = f"{before}{secret} after"
        for text in (around, quote(around), quote_plus(around)):
            assert any(form in text for form in forms(secret))
        assert any(form in base64.b64encode(around.encode()).decode() for form in forms(secret))
        assert any(form in base64.urlsafe_b64encode(around.encode()).decode() for form in forms(secret))


def break_one(fleet: Fleet) -> None:
    """Have the first connector be refused, so that the events hold a failure."""
    fleet.connector("berlin-0").status = "disconnected"


def test_a_job(fleet: Fleet, core: Path) -> None:
    break_one(fleet)
    job = prepare(fleet, core)
    output = job.run()
    assert job.status == "failed", output
    assert fleet.accepted == [0, 1, 1, 1, 1, 1, 1, 1]
    assert job.summary["outcomes"]["failed"] == 1
    assert [one["host"] for one in job.summary["failed"]] == ["berlin-0"]
    assert_nothing_shows(fleet, job.artifacts)
    fleet.connector("berlin-0").status = "connected"
    again = prepare(fleet, core, "again")
    again.run()
    assert again.status == "successful"
    assert fleet.accepted == [1] * 8, "the others were fresh"


def test_a_job_on_another_node(fleet: Fleet, core: Path) -> None:
    """AWX sends the job to a node, which runs it, and gets the events back."""
    break_one(fleet)
    came = prepare(fleet, core).sent()
    assert came.status == "failed"
    assert came.summary["outcomes"]["failed"] == 1
    assert fleet.accepted == [0, 1, 1, 1, 1, 1, 1, 1]
    assert_nothing_shows(fleet, came.artifacts)


TENANTS = {"name": "Synchronise", "import_playbook": "graphops.intune.sync_tenants"}


def of_tenants(fleet: Fleet) -> None:
    """Have the hosts be the tenants, each with an Apple token that is due beside its connectors."""
    fleet.hosts = {}
    for tenant in fleet.tenants:
        tenant.add_vpp_token(organization_name="Phones", last_sync=timedelta(days=2))
        fleet.hosts[tenant.domain] = {"tenant_sync_tenant": tenant.domain}


def asked_for(tenant: Tenant) -> int:
    """How many synchronisations it was asked for."""
    return sum(len(one.accepted) for held in tenant.objects.values() for one in held.values())


def test_a_job_over_tenants(fleet: Fleet, core: Path) -> None:
    """Those that the survey names, with what failed in the artifact, and no secret anywhere."""
    berlin, oslo, rome = *fleet.tenants, fleet.add_tenant("rome", 1)
    of_tenants(fleet)
    next(iter(berlin.vpp_tokens.values())).outcome = "fails"
    job = prepare(fleet, core, play=TENANTS, answers={"tenants_only": "berlin.example, oslo.example"})
    output = job.run()
    assert job.status == "failed", output
    assert [asked_for(tenant) for tenant in (berlin, oslo, rome)] == [5, 5, 0]
    assert [(one["host"], one["kind"]) for one in job.summary["failed"]] == [("berlin.example", "vpp_token")]
    assert_nothing_shows(fleet, job.artifacts)


@pytest.mark.parametrize("over", ["connectors", "tenants"])
def test_a_job_in_a_pod_signs_in_without_a_secret(fleet: Fleet, core: Path, over: str) -> None:
    """By what Azure workload identity gives the pod: nothing else holds anything to sign in with."""
    for tenant in fleet.tenants:
        (app,) = tenant.apps.values()
        tenant.add_app(client_id=app.client_id, federated={FEDERATED})
    if over == "tenants":
        of_tenants(fleet)
    job = prepare(fleet, core, play=TENANTS if over == "tenants" else None)
    assert not [name for name in job.environment if name.startswith("AZURE_")]
    assert not [path for path in job.folder.rglob("*") if path.is_file() and FEDERATED in path.read_text()]
    # With a slash, as the webhook has it.
    of_pod = pod(fleet.folder, fleet.tenants[0].id, app.client_id, f"{fleet.simulator.authority_url}/")
    came = job.sent(**of_pod)
    assert came.status == "successful", (came.artifacts / "stdout").read_text()
    assert [asked_for(tenant) for tenant in fleet.tenants] == [4 + (over == "tenants")] * 2
    forms_sent = [parse_qs(request.body.decode()) for request in fleet.requests("token")]
    assert [form["client_assertion"] for form in forms_sent] == [[FEDERATED]] * 2, "one sign-in for each tenant"
    assert_nothing_shows(fleet, came.artifacts)


# Who may only launch


def test_whoever_launches_reads_no_file_and_runs_no_template_by_the_hosts_chosen(fleet: Fleet, core: Path) -> None:
    (fleet.folder / "certificate").write_text("lineOfTheCertificate\nberlin-1\n")
    certificate = f"@{fleet.folder / 'certificate'}"
    patterns = (
        "@/proc/self/environ",
        certificate,
        f"!{certificate}",
        "{{ lookup('env', 'AZURE_SECRET') }}",
        "{{ lookup('pipe', 'touch pwned') }}",
        "$AZURE_SECRET",
        "`touch pwned`",
        "localhost[0:999999999]",
        "berlin-0",
    )
    answers = {"separated": ",".join(patterns), "as a list": str([*patterns, f"&{certificate}"])}
    for name, answer in answers.items():
        job = prepare(fleet, core, name, answers={"connectors_hosts": answer})
        output = job.run() + (job.artifacts / "stdout").read_text()
        for secret in ("fleet-secret", "lineOfTheCertificate"):
            assert secret not in output, answer
        assert not [*job.folder.rglob("pwned")]
    assert fleet.accepted == [1] + [0] * 7, "the only host that was meant"


def test_a_limit_shows_files_unless_ansible_is_silent_about_patterns(fleet: Fleet, core: Path) -> None:
    """Why launchers are not asked for a limit, and what helps templates that do ask."""
    (fleet.folder / "certificate").write_text("lineOfTheCertificate\nberlin-1\n")
    for told, shown in (("warning", True), ("ignore", False)):
        job = prepare(fleet, core, told, limit=f"@{fleet.folder / 'certificate'}")
        (job.folder / "project" / "ansible.cfg").write_text(f"[inventory]\nhost_pattern_mismatch = {told}\n")
        job.run()
        assert ("lineOfTheCertificate" in (job.artifacts / "stdout").read_text()) == shown


# Slices


def test_a_slice_without_any_of_the_hosts_chosen_ends_well(fleet: Fleet) -> None:
    names = sorted(fleet.hosts)
    chosen = {"connectors_hosts": "berlin-0"}
    jobs = [prepare(fleet, BIN, f"slice-{start}", part=names[start::2], answers=chosen) for start in range(2)]
    run_together(jobs)
    assert [job.status for job in jobs] == ["successful"] * 2
    assert fleet.accepted == [1] + [0] * 7


def slices(fleet: Fleet, core: Path, count: int) -> list[Job]:
    """The jobs of a sliced job template: the first has every n-th host from the first on, and so forth."""
    names = sorted(fleet.hosts)
    return [prepare(fleet, core, f"slice-{start}", part=names[start::count]) for start in range(count)]


def run_together(jobs: t.Sequence[Job]) -> None:
    started = [job.start() for job in jobs]
    for process in started:
        process.communicate(timeout=100)


def test_slices_request_each_connector_once(fleet: Fleet, core: Path) -> None:
    jobs = slices(fleet, core, 3)
    run_together(jobs)
    assert [job.status for job in jobs] == ["successful"] * 3
    assert [sum(job.summary["outcomes"].values()) for job in jobs] == [3, 3, 2]
    assert fleet.accepted == [1] * 8


@pytest.mark.parametrize("at_the_same_time", [False, True])
def test_slices_that_share_a_connector(fleet: Fleet, at_the_same_time: bool) -> None:
    """They know of each other only by what Graph shows.

    Until the first request shows its end there, the other slice cannot know of it and makes its own; after that,
    ``max_age`` does its work. Hosts within one slice share the request in any case.
    """
    shared = fleet.hosts["berlin-0"][OPTION + "connector_id"]
    fleet.hosts = {f"host-{number}": {**fleet.hosts["berlin-0"]} for number in range(4)}
    # Long enough for both to have read before either shows.
    fleet.connector("host-0").sync_delay = 15 if at_the_same_time else 0
    jobs = slices(fleet, BIN, 2)
    if at_the_same_time:
        run_together(jobs)
    else:
        for job in jobs:
            job.run()
    assert [job.status for job in jobs] == ["successful"] * 2
    assert all(variables[OPTION + "connector_id"] == shared for variables in fleet.hosts.values())
    assert len(fleet.connector("host-0").accepted) == (2 if at_the_same_time else 1)


# Cancellation


def processes_of(folder: Path) -> list[int]:
    """The processes that have this folder in their environment."""
    found = []
    for process in PROCESSES.glob("[0-9]*"):
        # Some belong to others, and some have just ended.
        with contextlib.suppress(OSError):
            if bytes(folder) in (process / "environ").read_bytes():
                found.append(int(process.name))
    return found


def wait_for(condition: t.Callable[[], t.Any], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


WAYS: dict[str, dict[str, t.Any] | None] = {
    "role": None,
    "module": {
        "hosts": "berlin-0",
        "gather_facts": False,
        "tasks": [
            {
                SYNC: {name: f"{{{{ {OPTION}{name} }}}}" for name in ("connector_id", "tenant")},
                "vars": {"ansible_connection": "local"},
            }
        ],
    },
}


cancelled = pytest.mark.skipif(not PROCESSES.exists(), reason="processes are looked for in /proc, which is not here")


def begin(fleet: Fleet, start: t.Callable[[], subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """Start a job, and let it wait for a synchronisation that has no end."""
    for host in fleet.hosts:
        fleet.connector(host).outcome = "never"
    process = start()
    if not wait_for(lambda: fleet.connector("berlin-0").accepted, 60):
        process.kill()
        pytest.fail(f"nothing was requested: {process.communicate()[0]}")
    time.sleep(0.5)
    return process


def assert_it_is_over(fleet: Fleet, job: Job, process: subprocess.Popen[str]) -> None:
    """Within five seconds no process is left, and no token on the disk."""
    over = wait_for(lambda: process.poll() is not None and not processes_of(job.folder), 5)
    for left_over in processes_of(job.folder):
        os.kill(left_over, signal.SIGKILL)
    output = process.communicate()[0]
    assert over, output
    assert process.returncode != 0
    tokens = {r.headers["Authorization"].split()[1].encode() for r in fleet.world.requests if r.host == "graph"}
    left = [path.read_bytes() for path in job.folder.rglob("*") if path.is_file()]
    assert not [text for text in left if any(token in text for token in tokens)]


@cancelled
@pytest.mark.parametrize("way", WAYS)
def test_a_job_that_is_cancelled(fleet: Fleet, core: Path, way: str) -> None:
    """AWX has ansible-runner kill the process group of ansible-playbook, which newer workers are not in."""
    job = prepare(fleet, core, play=WAYS[way])
    process = begin(fleet, job.start)
    process.send_signal(signal.SIGTERM)
    assert_it_is_over(fleet, job, process)
    assert job.status == "canceled"
    before = fleet.accepted
    for host in fleet.hosts:
        fleet.connector(host).outcome = "completes"
    again = prepare(fleet, core, "again", play=WAYS[way])
    again.run()
    assert again.status == "successful"
    assert fleet.accepted == [count + 1 if count else 0 for count in before]


@cancelled
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("way", WAYS)
def test_a_playbook_that_is_interrupted(fleet: Fleet, core: Path, way: str, number: int) -> None:
    """As a terminal or a container that is stopped does it."""
    job = prepare(fleet, core, play=WAYS[way])

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(core / "ansible-playbook"), "--inventory", str(job.folder / "inventory"), "project/site.yml"],
            cwd=job.folder,
            env=json.loads((job.folder / "env" / "envvars").read_text()),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    process = begin(fleet, start)
    os.killpg(process.pid, number)
    assert_it_is_over(fleet, job, process)
