# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In the controller's own process a task gives what its module gives, only sooner; forks share one token."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from simulator import App, Connector, Fault

from .conftest import AS_MODULE, BIN, INFO, SEND_THE_MODULE, SYNC, Run, Site, clean_environment

pytestmark = [pytest.mark.slow, pytest.mark.skipif(AS_MODULE, reason="compares both ways by itself")]

Task = dict[str, t.Any]

# What differs from one request to the next, whoever makes it: times, ids, ages, the job of an asynchronous task.
_VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "(time)"),
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "(id)"),
    (re.compile(r'"age": \d+'), '"age": 0'),
    (re.compile(r"\d+ s ago"), "0 s ago"),
    (re.compile(r'"(ansible_job_id|results_file)": "[^"]*"'), '"job": ""'),
    (re.compile(r"127\.0\.0\.1:\d+"), "(host)"),
    # Up to ansible-core 2.18, the place that a timeout interrupted.
    (re.compile(r'"frame": "[^"]*"'), '"frame": ""'),
)


def comparable(run: Run) -> list[dict[str, t.Any]]:
    """The results without what differs by nature."""
    text = json.dumps(run.results, sort_keys=True)
    for pattern, replacement in _VARYING:
        text = pattern.sub(replacement, text)
    results: list[dict[str, t.Any]] = json.loads(text)
    for result in results:
        # Where a module is sent, Ansible tells which Python it found there.
        result.get("ansible_facts", {}).pop("discovered_interpreter_python", None)
        result.setdefault("ansible_facts", {})
    return results


def differences(here: t.Any, sent: t.Any, at: str = "") -> list[str]:
    """Where two values differ, each as one line."""
    if isinstance(here, dict) and isinstance(sent, dict):
        names = sorted(here.keys() | sent.keys())
        return [
            line for name in names for line in differences(here.get(name, "-"), sent.get(name, "-"), f"{at}.{name}")
        ]
    if isinstance(here, list) and isinstance(sent, list) and len(here) == len(sent):
        return [line for i, pair in enumerate(zip(here, sent)) for line in differences(*pair, f"{at}[{i}]")]
    return [] if here == sent else [f"{at}: here {here!r}, sent {sent!r}"]


def executions(run: Run) -> list[str]:
    """What Ansible executed and transferred, as -vvv shows it."""
    return re.findall(r"^.*> (?:EXEC|PUT) .*$", run.output, re.MULTILINE)


def both_ways(site: Site, tasks: list[Task], *arguments: str, faults: t.Sequence[Fault] = (), **keywords: t.Any) -> Run:
    """Run the tasks in process and as modules, compare, and return what the first gave."""
    runs = []
    for way in ((), SEND_THE_MODULE):
        site.world.faults.clear()
        for fault in faults:
            site.world.faults.add(fault)
        for connector in site.tenant.connectors.values():
            connector.last_sync = timedelta(days=3, minutes=30)
        runs.append(site.play(tasks, *way, "-vvv", *arguments, **keywords))
        time.sleep(0 if way else site.connector.sync_delay)
    here, sent = runs
    assert executions(sent), f"the module was sent: {sent.output}"
    assert differences(comparable(here), comparable(sent)) == []
    assert here.code == sent.code
    return here


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (
            (),
            [
                ({}, True),
                ({"wait": "no", "wait_timeout": "60"}, True),
                ({"wait": "perhaps", "max_age": "long"}, None),
                ({"connector": "x", "secrets": "y"}, None),
                ({"connector_id": None}, None),
                ({"sync_type": "halfSync"}, None),
                ({"connector_id": 7}, None),
                ({"secret": ["first#1", "second#2"]}, None),
                ({"tenant": None, "tenant_id": "contoso.example", "interval": 1}, True),
                ({"tenant_id": "contoso.example", "max_age": 86400 * 30}, False),
                ({"max_age": -1}, None),
                ({"tenant": "2026-11-22T10:00:00Z"}, None),
                ({"connector_id": "00000000-0000-0000-0000-000000000000"}, None),
                ({"secret": "wrong"}, None),
                ({"ca_path": "~/no/such/file"}, None),
            ],
        ),
        (("--diff",), [({"max_age": 86400 * 30}, False)]),
        (("--check", "--diff"), [({}, True)]),
    ],
)
def test_options(
    site: Site, subtests: pytest.Subtests, arguments: tuple[str, ...], wanted: list[tuple[Task, bool | None]]
) -> None:
    tasks: list[Task] = []
    for changes, _changed in wanted:
        options = {**site.options(connector_id=site.tenant.add_connector().id), **changes}
        given = {name: value for name, value in options.items() if value is not None}
        tasks.append({SYNC: given, "ignore_errors": True})
    run = both_ways(site, tasks, *arguments)
    assert not executions(run)
    assert len(run.results) == len(wanted)
    for (changes, changed), result, failed in zip(wanted, run.results, run.failed):
        with subtests.test(changes=changes):
            assert failed is (changed is None)
            assert result["changed"] is bool(changed)
            if "tenant_id" in changes and "tenant" not in changes:
                assert result["warnings"] == ["Both option tenant and its alias tenant_id are set."]


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("get", status=403)],
        [Fault("sync", status=403)],
        [Fault("sync", cut="before", times=None)],
        [
            Fault(
                "token", status=401, body={"error": "x", "error_description": "AADSTS1: the-app's-secret-Aa0~. is bad"}
            )
        ],
    ],
    ids=["read refused", "sync refused", "answer lost", "secret repeated"],
)
def test_failures(site: Site, faults: list[Fault]) -> None:
    run = both_ways(site, [{SYNC: site.options(wait=False), "ignore_errors": True}], faults=faults)
    assert "...ignoring" in run.output
    assert not executions(run)
    assert site.app.secret not in run.output


def test_a_warning(site: Site) -> None:
    site.connector.status = "disconnected"
    run = both_ways(site, [{SYNC: site.options(max_age=86400 * 30)}])
    assert "its status is disconnected" in run.result["warnings"][0]


def test_the_other_module(site: Site) -> None:
    site.tenant.add_connector(serverName="OTHER")
    options = site.options(connector_id=None, wait_sleep=None)
    tasks = [{INFO: options}, {INFO: {**options, "status": "connected,disconnected", "server_name": "other"}}]
    run = both_ways(site, tasks)
    assert [len(result["connectors"]) for result in run.results] == [2, 1]
    assert not executions(run)


@pytest.mark.parametrize("error", ["ImportError('none')", "RuntimeError('broken')"])
@pytest.mark.parametrize("library", ["requests", "msal"])
def test_a_missing_library(site: Site, library: str, error: str, tmp_path: Path) -> None:
    (tmp_path / f"{library}.py").write_text(f"raise {error}")
    # The same but for its end: what was sent need not have been.
    task = {SYNC: site.options(), "ignore_errors": True}
    tasks = [{**task, "vars": {"graphops_intune_in_process": here}} for here in (True, False)]
    run = site.play(tasks, environment={"PYTHONPATH": str(tmp_path)})
    version = errors.LIBRARIES[library]
    for result, end in zip(run.results, (".", ", or delegate the task to localhost.")):
        assert result["msg"].startswith(f"Failed to import the required Python library ({library}) on ")
        assert str(BIN.resolve() / "python") in result["msg"]
        assert result["msg"].endswith(f"; install {library} {version} or later there{end}")


def test_the_environment_of_play_and_task(site: Site) -> None:
    """Our own variables, and those that requests reads; the task's win, and later tasks do not have them."""
    names = ("tenant", "client_id", "secret", "ca_path", "graph_url", "authority_url")
    options = site.options(**dict.fromkeys(names))
    play = {
        **site.hosts,
        "AZURE_TENANT": "{{ domain }}",
        "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
        "AZURE_SECRET": "wrong",
    }
    task = {"AZURE_CLIENT_ID": site.app.client_id, "AZURE_SECRET": site.app.secret}
    proxy = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "", "no_proxy": ""}
    tasks = [
        {SYNC: options, "environment": task},
        {SYNC: {**options, "retry_timeout": 0}, "environment": {**task, **proxy}, "ignore_errors": True},
        {SYNC: options, "ignore_errors": True},
    ]
    variables = {"domain": site.tenant.domain}
    with_play = [{"block": tasks, "environment": play, "vars": variables}]
    run = both_ways(site, with_play)
    assert [result["changed"] for result in run.results] == [True, False, False]
    assert "the proxy to" in run.results[1]["msg"]
    assert "is given without client_id" in run.results[2]["msg"]
    assert not executions(run)


def test_keywords(site: Site) -> None:
    """module_defaults, register, loop, until, delegate_to, no_log, changed_when, check_mode."""
    options = site.options()
    given = {"connector_id": options.pop("connector_id")}
    tasks = [
        {SYNC: given, "register": "first"},
        {"ansible.builtin.debug": {"var": "first.sync.state"}},
        {
            SYNC: {"connector_id": "{{ item }}", "max_age": 7200},
            "loop": [site.connector.id, "nonsense"],
            "ignore_errors": True,
        },
        {SYNC: {**given, "secret": "wrong"}, "no_log": True, "ignore_errors": True},
        {SYNC: {**given, "force": True}, "check_mode": True, "changed_when": False},
        {SYNC: given, "delegate_to": "localhost", "until": "1 > 0", "retries": 2, "delay": 0},
    ]
    defaults = {"module_defaults": {"group/graphops.intune.intune": options}}
    run = both_ways(site, tasks, **defaults)
    assert [result.get("changed") for result in run.results] == [True, False, False, False, False, False]
    assert run.results[1]["first.sync.state"] == "completed"
    assert "censored" in run.results[3]
    assert not executions(run)


def test_the_keyword_timeout(site: Site) -> None:
    site.connector.outcome = "never"
    run = both_ways(site, [{SYNC: site.options(), "timeout": 3, "ignore_errors": True}])
    assert re.search("expected time frame|Timed out", run.result["msg"])


def test_async_goes_by_the_module(site: Site) -> None:
    run = both_ways(site, [{SYNC: site.options(), "async": 60, "poll": 1}])
    assert executions(run)
    assert run.result["sync"]["state"] == "completed"


@pytest.mark.parametrize(
    "keywords", [{"become": True, "become_method": "su"}, {"vars": {"ansible_connection": "elsewhere"}}]
)
def test_another_user_or_connection_goes_by_the_module(site: Site, keywords: Task) -> None:
    plugins = site.folder / "connection_plugins"
    plugins.mkdir()
    (plugins / "elsewhere.py").write_text(
        "from ansible.plugins.connection import local\n"
        "DOCUMENTATION = local.DOCUMENTATION.replace('name: local', 'name: elsewhere')\n"
        "class Connection(local.Connection):\n"
        "    transport = 'elsewhere'\n"
    )
    if "become" in keywords and os.getuid():
        pytest.skip("only root becomes another user without a password")
    run = site.play([{SYNC: site.options(), **keywords}], "-vvv")
    assert run.code == 0, run.output
    assert any("AnsiballZ_intune_exchange_connector_sync.py" in line for line in executions(run))


@pytest.mark.parametrize(
    ("value", "sent"), [(False, True), ("no", True), ("{{ 1 == 2 }}", True), ("{{ 1 == 1 }}", False)]
)
def test_the_module_is_sent_if_one_asks_for_it(site: Site, value: t.Any, sent: bool) -> None:
    run = site.play([{SYNC: site.options(), "vars": {"graphops_intune_in_process": value}}], "-vvv")
    assert run.code == 0
    assert bool(executions(run)) is sent


def test_neither_true_nor_false(site: Site) -> None:
    run = site.play([{SYNC: site.options(), "vars": {"graphops_intune_in_process": "perhaps"}}])
    assert "graphops_intune_in_process is neither true nor false" in run.result["msg"]


# While it waits


def waiting(run: Run) -> list[str]:
    return re.findall(r"^WAITING: \[localhost\]: Exchange connector .*$", run.output, re.MULTILINE)


def test_progress_shows_from_vv_on(site: Site) -> None:
    site.connector.sync_delay = 3
    task = {SYNC: site.options()}
    assert not waiting(site.play([task]))
    site.connector.last_sync = timedelta(days=3)
    shown = waiting(site.play([task], "-vv"))
    assert len(shown) >= 2
    assert "waiting for the end of the deltaSync" in shown[0]
    site.connector.last_sync = timedelta(days=3)
    assert not waiting(site.play([{**task, "no_log": True}], "-vv"))


def test_progress_shows_at_intervals_without_v(site: Site) -> None:
    """The interval is shortened, in the parent, from which the workers have it."""
    callbacks = site.folder / "callback_plugins"
    callbacks.mkdir()
    (callbacks / "hurry.py").write_text(
        "from ansible.plugins.callback import CallbackBase\n"
        "DOCUMENTATION = 'name: hurry\\ntype: aggregate\\nshort_description: x\\ndescription: x'\n"
        "class CallbackModule(CallbackBase):\n"
        "    CALLBACK_VERSION = 2.0\n    CALLBACK_TYPE = 'aggregate'\n    CALLBACK_NAME = 'hurry'\n"
        "    def v2_playbook_on_task_start(self, task, is_conditional):\n"
        "        from ansible_collections.graphops.intune.plugins.plugin_utils import in_process\n"
        "        in_process.PROGRESS_INTERVAL = 2.0\n"
    )
    site.connector.sync_delay = 8
    assert 1 <= len(waiting(site.play([{SYNC: site.options()}]))) <= 4


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_at_once(site: Site, number: int) -> None:
    site.connector.outcome = "never"
    playbook = site.folder / "playbook.yml"
    playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [{SYNC: site.options()}]}]))
    command = [str(BIN / "ansible-playbook"), str(playbook)]
    with subprocess.Popen(
        command,
        env=clean_environment(site.collections),
        cwd=site.folder,
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        deadline = time.monotonic() + 60
        while not site.connector.accepted and time.monotonic() < deadline:
            time.sleep(0.1)
        assert site.connector.accepted
        os.killpg(process.pid, number)
        start = time.monotonic()
        process.communicate(timeout=30)
        assert time.monotonic() - start < 15
        assert process.returncode != 0
    polls = len(site.requests("get"))
    time.sleep(3)
    assert len(site.requests("get")) == polls, "no worker goes on"


# A fleet

_COUNTING = """
import os, ssl, sys

def note(*words):
    with open(os.environ["NOTES"], "a") as file:
        print(*words, os.getpid(), os.getppid(), file=file)

def hook(event, arguments):
    if event == "import" and arguments[0].endswith("plugin_utils.in_process"):
        note("import", "plugin")

sys.addaudithook(hook)
load = ssl.SSLContext.load_verify_locations

def counting(self, cafile=None, capath=None, cadata=None):
    note("load", cafile)
    return load(self, cafile, capath, cadata)

ssl.SSLContext.load_verify_locations = counting
"""


class Fleet(t.NamedTuple):
    """What came of a run over twelve hosts, with four forks."""

    run: Run
    connectors: list[Connector]
    notes: list[list[str]]
    files: set[Path]
    """What its processes shared, as far as it could be found by a name."""


def fleet(site: Site, *others: App, strategy: str = "linear", **changes: t.Any) -> Fleet:
    """Run the twelve; the hosts sign in as the site's app and the others in turn."""
    apps = [site.app, *others]
    connectors = [site.tenant.add_connector(last_sync=timedelta(days=3)) for _number in range(12)]
    hosts = {
        f"c{number}": {
            "connector": one.id,
            "app": apps[number % len(apps)].client_id,
            "proof": apps[number % len(apps)].secret,
        }
        for number, one in enumerate(connectors)
    }
    inventory = site.folder / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": {"ansible_connection": "local"}}}))
    (site.folder / "sitecustomize.py").write_text(_COUNTING)
    notes, temporary = site.folder / "notes", site.folder / "temporary"
    temporary.mkdir()
    files: set[Path] = set()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            # Ansible removes folders while they are looked through.
            with contextlib.suppress(FileNotFoundError):
                files.update(temporary.rglob("graphops-intune-*"))

    from_host = {"connector_id": "{{ connector }}", "client_id": "{{ app }}", "secret": "{{ proof }}"}
    options = site.options(**{**from_host, "ca_path": None, "wait": False, **changes})
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        run = site.play(
            [{SYNC: options}],
            "-vvv",
            "-i",
            str(inventory),
            "--forks",
            "4",
            environment={
                "PYTHONPATH": str(site.folder),
                "NOTES": str(notes),
                "ANSIBLE_LOCAL_TEMP": str(temporary),
                "REQUESTS_CA_BUNDLE": site.simulator.ca_path,
            },
            hosts="all",
            strategy=strategy,
        )
    finally:
        over.set()
        watcher.join()
    lines = [line.split() for line in notes.read_text().splitlines()]
    return Fleet(run, connectors, lines, files)


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_a_fleet_costs_what_it_must(site: Site, strategy: str) -> None:
    came = fleet(site, strategy=strategy)
    assert came.run.code == 0, came.run.output
    assert [len(one.accepted) for one in came.connectors] == [1] * 12
    assert len(site.requests("token")) == 1
    assert len(site.requests("metadata")) == 1
    assert len(site.requests("get")) == len(site.requests("sync")) == 12
    assert site.world.connections <= 12 + 1
    assert executions(came.run) == []
    imports = [note[2:] for note in came.notes if note[:2] == ["import", "plugin"]]
    loads = [note[2:] for note in came.notes if note[:2] == ["load", site.simulator.ca_path]]
    assert len(imports) == len(loads) == 1
    assert imports == loads, "in the same process"
    assert not came.files


def test_a_fleet_that_is_refused_asks_once(site: Site) -> None:
    came = fleet(site, secret="wrong")
    assert came.run.code == 2
    assert len(site.requests("token")) == 1
    assert len(came.run.results) == 12
    sentences = {re.sub(r"connector \S+", "", result["msg"]) for result in came.run.results}
    assert len(sentences) == 1
    assert "AADSTS7000215" in sentences.pop()
    assert len({result["request_id"] for result in came.run.results}) == 1


def test_a_fleet_of_two_identities_signs_in_twice(site: Site) -> None:
    other = site.tenant.add_app(secret="another-secret-Bb1~.")
    came = fleet(site, other)
    assert came.run.code == 0, came.run.output
    assert len(site.requests("token")) == 2


def test_a_refused_token_is_replaced_for_all(site: Site) -> None:
    site.world.faults.add(Fault("get", status=401, skip=2))
    came = fleet(site)
    assert came.run.code == 0, came.run.output
    assert len(site.requests("token")) == 2


@pytest.mark.parametrize("where", ["screen", "log"])
def test_nothing_of_it_reaches_screen_or_log(site: Site, where: str) -> None:
    site.world.faults.add(Fault("token", status=503))
    log = site.folder / "log"
    run = site.play(
        [{SYNC: site.options(), "register": "result"}, {"ansible.builtin.debug": {"var": "result"}}],
        "-vvvvv",
        environment={"ANSIBLE_LOG_PATH": str(log)},
    )
    text = run.output if where == "screen" else log.read_text()
    assert "completed" in text
    tokens = {request.headers["Authorization"].split()[1] for request in site.requests("get")}
    for secret in (site.app.secret, *tokens):
        assert secret not in text
    assert "urllib3" not in text
    assert "errantly" not in text
