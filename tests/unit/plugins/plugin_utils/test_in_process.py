# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a task runs in the controller's process, and what of AnsibleModule is done there; without a playbook."""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
import types
import typing as t
import warnings
from datetime import date, datetime, timezone

import pytest
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.plugin_utils import in_process
from ansible_collections.graphops.intune.plugins.plugin_utils.masking import masked


class Command:
    """Answers as it is told."""

    def __init__(self, answer: t.Callable[[t.Any, t.Any], dict[str, t.Any]], spec: dict[str, t.Any] | None) -> None:
        self.answer = answer
        self.spec = spec or {"name": {"type": "str"}}

    def argument_spec(self) -> dict[str, t.Any]:
        return self.spec

    def run(self, params: t.Any, context: t.Any) -> dict[str, t.Any]:
        return self.answer(params, context)

    def subject(self, _params: t.Any, _tenant: str) -> str:
        return "It"


def make(
    answer: t.Callable[[t.Any, t.Any], dict[str, t.Any]] = lambda _params, _caller: {"changed": False},
    *,
    spec: dict[str, t.Any] | None = None,
    transport: str = "local",
    become: t.Any = None,
    environment: t.Any = None,
    **task: t.Any,
) -> in_process.InProcess:
    class Action(in_process.InProcess):
        command = Command(answer, spec)

    fields = {"args": {}, "async_val": 0, "check_mode": False, "no_log": False, "action": "a.b.c", **task}
    return Action(
        types.SimpleNamespace(environment=environment, **fields),
        types.SimpleNamespace(
            transport=transport,
            become=become,
            _shell=types.SimpleNamespace(tmpdir=None, env_prefix=lambda **_: ""),
        ),
        types.SimpleNamespace(),
        None,
        types.SimpleNamespace(template=lambda value: value),
        None,
    )


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[t.Any]:
    """The tasks that were left to Ansible's own action."""
    tasks: list[t.Any] = []

    def run(self: t.Any, _tmp: t.Any = None, _task_vars: t.Any = None) -> dict[str, t.Any]:
        tasks.append(self)
        return {"sent": True}

    monkeypatch.setattr(NormalAction, "run", run)
    return tasks


@pytest.mark.parametrize(
    ("fields", "variables", "here"),
    [
        ({}, {}, True),
        ({}, {"graphops_intune_in_process": True}, True),
        ({}, {"graphops_intune_in_process": "yes"}, True),
        ({}, {"ansible_python_interpreter": "/usr/bin/python3"}, True),
        ({}, {"graphops_intune_in_process": "false"}, False),
        ({"transport": "ssh"}, {}, False),
        ({"transport": "winrm"}, {"graphops_intune_in_process": True}, False),
        ({"become": object()}, {}, False),
        ({"async_val": 60}, {}, False),
    ],
)
def test_where_it_runs(sent: list[t.Any], fields: t.Any, variables: t.Any, here: bool) -> None:
    result = make(**fields).run(task_vars=variables)
    assert ("sent" not in result) is here
    assert len(sent) == (0 if here else 1)


def test_a_variable_that_is_neither(sent: list[t.Any]) -> None:
    result = make().run(task_vars={"graphops_intune_in_process": "perhaps"})
    assert result["failed"] is True
    assert result["msg"].startswith("graphops_intune_in_process is neither true nor false: ")
    assert not sent


def test_aliases_and_deprecations_are_told() -> None:
    spec = {
        "new": {
            "type": "str",
            "aliases": ["old"],
            "deprecated_aliases": [{"name": "old", "version": "2.0.0", "collection_name": "graphops.intune"}],
        }
    }
    result = make(lambda params, _: {"changed": False, "new": params["new"]}, spec=spec, args={"old": "x"}).run()
    assert result["new"] == "x"
    (told,) = result["deprecations"]
    assert told["version"] == "2.0.0"
    assert told["collection_name"] == "graphops.intune"
    assert "'old' is deprecated" in told["msg"]


def test_secrets_are_masked_but_what_changed_is_not() -> None:
    spec = {"hushed": {"type": "str", "no_log": True}, "name": {"type": "str"}}

    def perform(_params: t.Any, caller: t.Any) -> dict[str, t.Any]:
        caller.warn("a token of tok-123")
        caller.hide({"tok-123"})
        return {"changed": True, "text": "it is True and tok-123", "list": [{"deep": "xTruex"}]}

    result = make(perform, spec=spec, args={"hushed": "True", "name": "tok-123"}).run()
    assert result["changed"] is True
    assert "True" not in str({**result, "changed": None})
    assert "tok-123" not in str(result)


def test_what_is_empty_is_no_secret() -> None:
    result = {"changed": True, "text": "as it was", "list": [""]}
    assert masked(result, {"", "tok-123"}) == result


def test_a_failure_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "_tells_invocation", lambda _: False)

    def perform(_params: t.Any, _caller: t.Any) -> t.Any:
        raise errors.IntuneError("broken")

    assert make(perform).run() == {"changed": False, "request_id": None, "msg": "It: broken.", "failed": True}


class Timeout(BaseException):
    """As Ansible's."""


@pytest.mark.parametrize("end", [Timeout, KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_passes_and_the_surroundings_are_restored(
    end: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    def perform(_params: t.Any, caller: t.Any) -> t.Any:
        assert os.environ["GRAPHOPS_TEST"] == caller.whole_environ["GRAPHOPS_TEST"] == "1"
        logging.getLogger("msal").error("not to be seen")
        warnings.warn("not to be seen", stacklevel=1)
        raise end

    before = dict(os.environ)
    with pytest.raises(end):
        make(perform, environment=[{"GRAPHOPS_TEST": "0"}, {"GRAPHOPS_TEST": 1}]).run()
    assert dict(os.environ) == before
    assert not caplog.records
    assert logging.root.manager.disable == logging.NOTSET


def test_arguments_become_what_json_makes_of_them() -> None:
    class Tagged(str):
        __slots__ = ("origin",)

    class Vault:
        def __str__(self) -> str:
            return "decrypted"

    value = {
        "tagged": Tagged("x"),
        "vault": Vault(),
        "day": date(2026, 11, 22),
        "time": datetime(2026, 11, 22, 18, tzinfo=timezone.utc),
        "mapping": types.MappingProxyType({"a": 1}),
        "set": {1},
        "tuple": (1, None, True, 1.5),
    }
    plain = in_process.json_values(value)
    assert plain == {
        "tagged": "x",
        "vault": "decrypted",
        "day": "2026-11-22",
        "time": "2026-11-22T18:00:00+00:00",
        "mapping": {"a": 1},
        "set": [1],
        "tuple": [1, None, True, 1.5],
    }
    assert plain["tagged"].__class__ is str

    def perform(params: t.Any, _caller: t.Any) -> dict[str, t.Any]:
        return {"changed": False, "was": type(params["day"]).__name__}

    assert make(perform, spec={"day": {"type": "raw"}}, args={"day": date(2026, 11, 22)}).run()["was"] == "str"


class Screen:
    """A display that records."""

    def __init__(self, verbosity: int) -> None:
        self.verbosity = verbosity
        self.lines: list[str] = []

    def display(self, line: str, **_kwargs: t.Any) -> None:
        self.lines.append(line)

    def vv(self, line: str) -> None:
        self.lines.append("vv " + line)


@pytest.mark.parametrize(
    ("verbosity", "no_log", "shown"),
    [
        (0, False, ["WAITING: [h]: 60 ***", "WAITING: [h]: 120 ***"]),
        (1, False, ["WAITING: [h]: 60 ***", "WAITING: [h]: 120 ***"]),
        (2, False, [f"vv WAITING: [h]: {n} ***" for n in range(0, 150, 15)]),
        (2, True, []),
    ],
)
def test_progress(monkeypatch: pytest.MonkeyPatch, verbosity: int, no_log: bool, shown: list[str]) -> None:
    screen, now = Screen(verbosity), 1000.0
    monkeypatch.setattr(in_process, "display", screen)
    monkeypatch.setattr(in_process, "Clock", lambda **_: types.SimpleNamespace(monotonic=lambda: now))

    def perform(_params: t.Any, caller: t.Any) -> dict[str, t.Any]:
        nonlocal now
        caller.hide({"secret"})
        for number in range(0, 150, 15):
            caller.progress(f"{number} secret")
            now += 15
        return {"changed": False}

    make(perform, no_log=no_log).run(task_vars={"inventory_hostname": "h"})
    assert [line.replace("*****", "").replace("****", "***") for line in screen.lines] == shown


@pytest.mark.parametrize(
    ("chosen", "read"),
    [("default", True), ("minimal", False), ("oneline", False), ("no.such.one", False)],
)
def test_people_read_what_is_made_of_the_default_callback(
    monkeypatch: pytest.MonkeyPatch, chosen: str, read: bool
) -> None:
    monkeypatch.setattr(in_process._SETTINGS, "DEFAULT_STDOUT_CALLBACK", chosen, raising=False)  # noqa: SLF001
    assert in_process.people_read() is read


def test_nothing_is_said_beside_a_callback_that_people_do_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_process, "people_read", lambda: False)
    monkeypatch.setattr(in_process, "display", types.SimpleNamespace(verbosity=3, vv=pytest.fail, display=pytest.fail))
    monkeypatch.setattr(in_process, "PROGRESS_INTERVAL", 0)
    in_process.progress_of("h", set(), False)("text")


@pytest.mark.parametrize("early", [False, True])
def test_a_worker_whose_controller_died_asks_nobody(early: bool) -> None:
    """It ends before its next request, also if the controller was dead when the task began."""
    read, write = multiprocessing.Pipe(duplex=False)

    def work() -> None:
        clock = None if early else in_process.clock()
        while os.getppid() == t.cast(t.Any, multiprocessing.parent_process()).pid:
            time.sleep(0.02)
        (clock or in_process.clock()).ensure_wanted()
        write.send("it would ask")

    def control() -> None:
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        write.send(worker.pid)
        # As SIGKILL would, this leaves the worker alone.
        os._exit(0)

    controller = multiprocessing.get_context("fork").Process(target=control)
    controller.start()
    controller.join(10)
    assert read.recv() > 0
    write.close()
    with pytest.raises(EOFError):
        read.recv()
