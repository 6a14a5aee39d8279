# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret and no token reaches the screen, at any verbosity, in success and in failure."""

from __future__ import annotations

import contextlib
import json
import typing as t
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind
from ansible_collections.graphops.intune.plugins.module_utils._kinds.registry import KINDS
from ansible_collections.graphops.intune.plugins.module_utils._sync.options import action_of
from simulated import SENTINEL, SIMULATED, SYNCABLE, module_of, tell
from simulator import Entity, Fault, Request
from simulator.entity import TriggeredEntity
from simulator.records import Answer

from .conftest import INFO, ROOT, SEND_THE_MODULE, SYNC, Run, Site, add_site
from .test_sign_in_info import SIGN_IN

pytestmark = pytest.mark.slow

SECRETS = {
    "secret": "the-secret-0f4c",
    "x509_certificate_password": "certificate-password-81aa",
    "oidc_token": "eyJ0-oidc-token-9b1d",
    "password": "users-password-77e2",
    "refresh_token": "1.refresh-token-3c5f",
    "access_token": "eyJ0-access-token-d00d",
}


@pytest.fixture
def site(site: Site) -> Site:
    """The app's secret is one of those that are looked for."""
    site.app.secret = SECRETS["secret"]
    return site


def assert_nothing_shows(site: Site, *texts: str) -> None:
    tokens = [request.headers["Authorization"].split()[1] for request in site.requests("get") + site.requests("list")]
    for text in texts:
        for secret in (*SECRETS.values(), *tokens):
            assert secret not in text


FAULTS = {
    "none": (),
    "refused": (Fault("get", status=403),),
    "never ends": (Fault("get", skip=1, status=500, times=None),),
    "token refused": (Fault("token", status=401),),
    "token endpoint down": (Fault("token", status=503, times=None),),
    "cut": (Fault("get", cut="before", times=None),),
}


def play_by_host(site: Site, tasks: t.Mapping[str, list[dict[str, t.Any]]], **how: t.Any) -> Run:
    """Run each host's own tasks, all hosts at the same time."""
    for name, some in tasks.items():
        (site.folder / f"{name}.json").write_text(json.dumps(some))
    hosts = {name: {"ansible_python_interpreter": "{{ ansible_playbook_python }}"} for name in tasks}
    (site.folder / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    return site.play(
        [{"ansible.builtin.include_tasks": "{{ inventory_hostname }}.json"}],
        *("-vvvvv", "--diff", "--forks", "8", "-i", str(site.folder / "hosts.json")),
        hosts="all",
        connection="local",
        strategy="free",
        **how,
    )


@pytest.mark.parametrize("by", ["options", "environment"])
def test_nothing_shows(site: Site, by: str) -> None:
    """Each fault has a tenant of its own."""
    environment = {
        "AZURE_SECRET": SECRETS["secret"],
        "AZURE_PASSWORD": SECRETS["password"],
        "AZURE_FEDERATED_TOKEN": SECRETS["oidc_token"],
        "AZURE_CLIENT_CERTIFICATE_PASSWORD": SECRETS["x509_certificate_password"],
        "MSGRAPH_REFRESH_TOKEN": SECRETS["refresh_token"],
        "MSGRAPH_ACCESS_TOKEN": SECRETS["access_token"],
    }
    tasks: dict[str, list[dict[str, t.Any]]] = {}
    for number, (name, faults) in enumerate(FAULTS.items()):
        place = add_site(site.simulator, f"fabrikam{number}.example", site.collections, site.folder)
        place.app.secret = SECRETS["secret"]
        for fault in faults:
            site.world.faults.add(replace(fault, tenant_id=place.tenant.id))
        options: dict[str, t.Any] = place.options(auth_source="client_secret", retry_timeout=1, wait_timeout=3)
        reading = {k: v for k, v in options.items() if k not in ("connector_id", "wait_timeout", "wait_sleep")}
        if by == "options":
            options.update(SECRETS)
            reading.update(SECRETS)
        else:
            for given in (options, reading):
                # The simulator is no host of Microsoft's.
                del given["secret"]
                given["allow_environment_credential"] = True
        tasks[name.replace(" ", "_")] = [
            {SYNC: options, "register": "result", "ignore_errors": True},
            {"ansible.builtin.debug": {"var": "result"}},
            {INFO: reading, "ignore_errors": True},
            {SIGN_IN: reading, "ignore_errors": True},
        ]
    run = play_by_host(site, tasks, environment=environment if by == "environment" else {})
    ended = {
        name: [bad for host, result, bad in zip(run.hosts, run.results, run.failed) if host == name and is_ours(result)]
        for name in tasks
    }
    assert ended == {
        "none": [False, False, False],
        "refused": [True, False, False],
        "never_ends": [True, False, False],
        # A refusal is remembered.
        "token_refused": [True, True, True],
        "token_endpoint_down": [True, True, True],
        "cut": [True, False, False],
    }, run.output
    assert_nothing_shows(site, run.output, str(run.results))


def is_ours(result: t.Mapping[str, t.Any]) -> bool:
    """Whether it is of a module, and not of what is Ansible's own."""
    return "invocation" in result


def test_a_secret_that_the_other_side_repeats_is_masked(site: Site) -> None:
    """A hostile or careless server may put what it got into its error message."""

    def message(secret: str) -> dict[str, t.Any]:
        return {"error": "invalid_client", "error_description": f"AADSTS7000215: {secret} is wrong."}

    site.world.faults.add(Fault("token", status=401, body=message(SECRETS["secret"])))
    run = site.sync("-vvvvv")
    assert "AADSTS7000215: ***" in run.result["msg"].replace("********", "***")
    assert_nothing_shows(site, run.output)


def test_the_password_in_an_address_is_not_shown(site: Site) -> None:
    addresses = {"graph_url": "https://user:in-graph%2Furl@host.example", "authority_url": "https://key-for-entra@host"}
    wrong = site.options(**addresses)
    tasks = [
        {
            module: {**wrong, **more},
            "register": "result",
            "ignore_errors": True,
            "vars": {"graphops_intune_in_process": in_process},
        }
        for in_process in (True, False)
        for module, more in ((SYNC, {}), (SYNC, {"sync_type": "none of the choices"}))
    ]
    debug = {"ansible.builtin.debug": {"var": "result"}}
    environment = {"HTTPS_PROXY": "http://user:in-proxy@host.example", "no_proxy": "*"}
    run = site.play([part for task in tasks for part in (task, debug)], "-vvvvv", environment=environment)
    messages = [result["msg"] for result in run.results if "msg" in result]
    assert ["is not the https address of a host" in message for message in messages] == [True, False, True, False]
    assert run.output.count('"graph_url"') >= 4, "the invocation is shown"
    for secret in ("in-graph", "key-for-entra", "in-proxy"):
        assert secret not in run.output


@pytest.mark.parametrize("status", [200, 401])
def test_what_is_cut_leaves_no_part_of_a_secret(site: Site, status: int) -> None:
    said = {"error": "x", "error_description": "A" * 380 + SECRETS["secret"] + " and more " * 20}
    site.world.faults.add(Fault("token", status=status, body=said))
    run = site.sync("-vvvvv", secret=SECRETS["secret"])
    assert "A" * 380 + "****" in run.result["msg"]
    assert "the-secr" not in run.output


def test_a_token_that_graph_repeats_is_masked(site: Site) -> None:
    token = site.world.issue_access_token(site.app, site.simulator.graph_url)
    fault = Fault("get", status=400, body={"error": {"code": "x", "message": f"Bad token {token[:300]}"}})
    site.world.faults.add(fault)
    run = site.sync("-vvvvv", tenant=None, client_id=None, secret=None, access_token=token[:300])
    assert "Bad token ****" in run.result["msg"]
    assert token[:300] not in run.output


def test_no_secret_is_on_a_command_line_or_in_a_file_for_others(site: Site) -> None:
    """The secret travels in the module's file, which Ansible makes for its user alone."""
    run = site.sync(
        *SEND_THE_MODULE,
        "-vvvvv",
        environment={"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_REMOTE_TMP": str(site.folder / "r")},
    )
    assert run.code == 0
    assert "EXEC" in run.output
    assert_nothing_shows(site, run.output)
    kept = [path for path in (site.folder / "r").rglob("*") if path.is_file()]
    assert kept, "the module's file was kept"
    for path in kept:
        assert path.stat().st_mode & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


def shared_tokens(folder: Path) -> t.Iterator[str]:
    """What is in the nameless files of the Ansible that runs in a folder: there its processes share their tokens."""
    for process in Path("/proc").glob("[0-9]*"):
        # It may have ended, or be none of ours.
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink() == folder:
                for file in (process / "fd").iterdir():
                    if str(file.readlink()).endswith(" (deleted)"):
                        yield file.read_text(errors="replace")


class Hidden(t.NamedTuple):
    """Objects of a kind, in whatever of which nobody may see there is a text to look for.

    :param added: the properties that have it, beside those that the object has in the simulator.
    """

    kind: Kind
    objects: list[Entity]
    added: dict[str, t.Any]


def hide(kind: Kind, objects: list[Entity]) -> Hidden:
    """Put it there; and Microsoft may add what nobody knows of yet."""
    if kind.fields == ("*",):
        return Hidden(kind, objects, {})
    added = {name: f"{SENTINEL}{name}" for name in objects[0].as_json() if name not in kind.fields}
    added |= {"added": f"{SENTINEL}text", "more": {"x": [f"{SENTINEL}object"]}}
    for entity in objects:
        entity.override.update(added)
    return Hidden(kind, objects, added)


def unselected(hidden: Hidden) -> t.Callable[[Request, Answer], Answer]:
    """Send more than was asked for."""

    def alter(_request: Request, answer: Answer) -> Answer:
        document = json.loads(answer.body)
        for entity in document.get("value", [document]):
            entity.update(hidden.added)
        return Answer(answer.status, answer.headers, json.dumps(document).encode())

    return alter


def tasks_of(site: Site, hidden: Hidden) -> list[dict[str, t.Any]]:
    """One, many and all of a kind, and its info module, in process and sent."""
    kind = hidden.kind
    options = site.options(connector_id=None, retry_timeout=1, wait_timeout=2, wait=True, force=True)
    ids = [entity.id for entity in hidden.objects]
    one = {} if kind.singleton else {kind.words.id_option: ids[0]}
    chosen: list[tuple[dict[str, t.Any], bool, bool]] = [(one, True, False), (one, False, False), (one, True, True)]
    if not kind.singleton:
        every = {"all": True, **({"return_all": True} if kind.large else {})}
        chosen += [({kind.words.ids_option: ids}, True, False), (every, True, False), (every, False, False)]
    if action_of(kind).interval:
        # That one was asked for just now is not waited for.
        chosen[1:] = [({**which, "wait": False}, *how) for which, *how in chosen[1:]]
    calls = [(module_of(kind), {**options, **which}, *how) for which, *how in chosen]
    info = module_of(kind).replace("_sync", "_info")
    if (ROOT / "plugins" / "modules" / f"{info.rpartition('.')[2]}.py").exists():
        calls += [(info, reading(site), *how) for how in ((True, False), (False, False))]
    return [task(*call) for call in calls]


def reading(site: Site) -> dict[str, t.Any]:
    return site.options(connector_id=None, retry_timeout=1, wait_sleep=None)


def task(module: str, given: dict[str, t.Any], in_process: bool, check: bool) -> dict[str, t.Any]:
    how = {"check_mode": check, "vars": {"graphops_intune_in_process": in_process}}
    return {module: given, "register": "result", "ignore_errors": True, **how}


SHOWN = {"ansible.builtin.debug": {"var": "result"}}


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the files of processes are found by /proc")
def test_nothing_of_an_object_shows_but_what_may(site: Site) -> None:
    """All kinds at the same time, each as a host of its own, and the look at all of them; all well and then not."""
    shared = set[str]()
    site.app.secret = f"{SENTINEL}the-app"
    kinds = {
        name: hide(kind, [SIMULATED[name].add_due(site.tenant) for _number in range(1 if kind.singleton else 3)])
        for name, kind in SYNCABLE.items()
    }
    assert kinds.keys() == SIMULATED.keys()
    lives = timedelta(days=100)
    aging = {
        "apple_push_certificate": site.tenant.add_apple_push_certificate(expires=lives),
        "certificate_connector": site.tenant.add_certificate_connector(),
        "mobile_threat_defense_connector": site.tenant.add_mobile_threat_defense_connector(),
    }
    assert {kind.name for kind in KINDS} == kinds.keys() | aging.keys()
    for kind in KINDS:
        if kind.name in aging:
            hide(kind, [aging[kind.name]])
    tasks = {name: tasks_of(site, hidden) for name, hidden in kinds.items()}
    tasks["overview"] = [
        task(module, {**reading(site), **more}, in_process, check=False)
        for module, more in (("graphops.intune.intune_connectors_and_tokens_info", {}), (SIGN_IN, {"probe": True}))
        for in_process in (True, False)
    ]

    def look(_request: Request) -> bool:
        shared.update(shared_tokens(site.folder))
        return False

    def play() -> dict[str, list[bool]]:
        """Run all of it; whether each has failed, by the host."""
        site.world.requests.clear()
        site.world.faults.add(Fault("sync", only_if=look))
        for where in ("get", "list"):
            alter = unselected(kinds["managed_device"])
            site.world.faults.add(Fault(where, kind="managed_device", alter=alter, times=None))
        shown = {name: [part for one in some for part in (one, SHOWN)] for name, some in tasks.items()}
        run = play_by_host(site, shown)
        tokens = {request.headers["Authorization"].split()[1] for request in site.world.requests if request.kind}
        assert tokens
        assert any(token in text for token in tokens for text in shared), "the shared tokens were seen"
        assert not [text for text in shared if SENTINEL in text]
        for text in (run.output, json.dumps(run.results)):
            assert SENTINEL not in text
            assert not [token for token in tokens if token in text]
        failed: dict[str, list[bool]] = {name: [] for name in tasks}
        for host, result, bad in zip(run.hosts, run.results, run.failed):
            if is_ours(result):
                failed[host].append(bad)
        assert {name: len(some) for name, some in failed.items()} == {name: len(some) for name, some in tasks.items()}
        return failed

    assert not any(map(any, play().values()))
    assert all(entity.accepted for hidden in kinds.values() for entity in hidden.objects)
    for name, (kind, objects, _added) in kinds.items():
        first, *others = objects
        obstacles = [telling for telling in SIMULATED[name].tells if telling[0] == "obstacle"]
        for entity, telling in zip(others, obstacles):
            tell(kind, entity, *telling)
        for entity in objects:
            # Long enough ago to be asked for again.
            if isinstance(entity, TriggeredEntity):
                entity.last_sync, entity.last_triggered = timedelta(days=3), timedelta(days=4)
        first.outcome = "fails"
        if not kind.singleton:
            site.world.faults.add(Fault("sync", cut="before", times=None, object_id=first.id, skip=3))
    failed = play()
    assert [name for name, some in failed.items() if not any(some)] == ["overview"]
