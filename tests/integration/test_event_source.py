# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source over real HTTPS: what a look asks for, what it shows of tokens, and its end amid a request."""

from __future__ import annotations

import asyncio
import collections
import json
import logging
import runpy
import threading
import time
import typing as t
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import secrecy
from ansible_collections.graphops.intune.plugins.module_utils._sync import watch
from simulator import Fault, Request, Simulator, Tenant, World
from simulator.records import Answer

FILE = Path(watch.__file__).absolute().parents[3] / "extensions/eda/plugins/event_source/connectors_and_tokens.py"
APP, SECRET = "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10", "the client secret of the app"
Main = t.Callable[[t.Any, dict[str, t.Any]], t.Coroutine[t.Any, t.Any, None]]


class Events:
    """The queue of a ruleset."""

    def __init__(self) -> None:
        self.events: list[dict[str, t.Any]] = []

    async def put(self, event: dict[str, t.Any]) -> None:
        self.events.append(event)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def sim(world: World, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Simulator]:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Simulator(world) as simulator:
        yield simulator


def tenant(world: World, name: str = "contoso.example", *, expired: bool = False) -> Tenant:
    made = world.add_tenant(name)
    made.add_app(APP, SECRET)
    made.add_vpp_token(last_sync=timedelta(hours=1), **({"state": "expired"} if expired else {}))
    made.add_enrollment_program_token(last_sync=timedelta(hours=1))
    made.add_autopilot(last_sync=timedelta(hours=1))
    return made


def arguments(sim: Simulator, **more: t.Any) -> dict[str, t.Any]:
    where = {"graph_url": sim.graph_url, "authority_url": sim.authority_url, "ca_path": sim.ca_path}
    return {"tenants": [one.domain for one in sim.world.tenants], "client_id": APP, "secret": SECRET, **where, **more}


async def looks(args: dict[str, t.Any], after: t.Callable[[int], t.Any], count: int) -> list[dict[str, t.Any]]:
    """Let the source look so many times, and return its events; ``after`` is told of each look."""
    main: Main = runpy.run_path(str(FILE))["main"]
    queue, done, enough = Events(), 0, asyncio.Event()

    async def pause(_seconds: float) -> None:
        nonlocal done
        done += 1
        after(done)
        if done == count:
            enough.set()
            await asyncio.Event().wait()

    main.__globals__["_pause"] = pause  # type: ignore[attr-defined]
    task = asyncio.ensure_future(main(queue, args))
    waiting = asyncio.ensure_future(enough.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return queue.events


def test_a_look_is_one_batch_for_each_version_of_graph_and_one_sign_in_lasts(world: World, sim: Simulator) -> None:
    for name in ("contoso.example", "fabrikam.example", "tailspin.example"):
        tenant(world, name)
    seen: list[dict[tuple[str | None, str], int]] = []

    def after(_look: int) -> None:
        wire = [request for request in world.requests if not request.in_batch]
        seen.append(collections.Counter((request.tenant_id, request.where) for request in wire))
        world.requests.clear()

    assert asyncio.run(looks(arguments(sim), after, 3)) == []
    ids = [one.id for one in world.tenants]
    asked = {
        where: sum(count for (_id, place), count in seen[0].items() if place == where) for where in ("token", "batch")
    }
    assert asked == {"token": 3, "batch": 6}
    assert {id_ for id_, where in seen[0] if where == "token"} == {*ids}
    for look in seen[1:]:
        assert sum(look.values()) == 6
        assert {where for _id, where in look} == {"batch"}


def test_after_a_refused_token_or_secret_it_goes_on(world: World, sim: Simulator) -> None:
    contoso = tenant(world)

    def after(look: int) -> None:
        if look == 1:
            world.revoke_tokens()
        if look == 2:
            contoso.apps[APP].secret = "another one"
            world.revoke_tokens()
        if look == 4:
            contoso.apps[APP].secret = SECRET

    events = asyncio.run(looks(arguments(sim, retry_timeout=0), after, 6))
    assert [event["intune"]["edge"] for event in events] == ["unreadable", "recovered"]
    assert [event["intune"]["kind"] for event in events] == [None, None]
    assert "client secret" in events[0]["intune"]["message"]


@pytest.mark.parametrize("place", ["token", "batch"])
def test_cancelled_amid_a_request_it_ends_at_once(world: World, sim: Simulator, place: str) -> None:
    tenant(world)
    tenant(world, "fabrikam.example")
    world.faults.add(Fault(place, delay=25, times=None))
    before = {*threading.enumerate()}

    async def cancelled() -> float:
        main: Main = runpy.run_path(str(FILE))["main"]
        task = asyncio.ensure_future(main(Events(), arguments(sim)))
        while [request.where for request in world.requests].count(place) < 2:
            await asyncio.sleep(0.02)
            assert not task.done()
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    began = time.monotonic()
    assert asyncio.run(cancelled()) < 2
    # The loop's own end waits for the threads of its pool.
    assert time.monotonic() - began < 15
    left = [
        thread
        for thread in {*threading.enumerate()} - before
        if "ThreadPool" in thread.name or "graphops" in thread.name
    ]
    assert not left


def test_nothing_that_was_got_is_kept_or_shown(world: World, sim: Simulator, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    contoso = tenant(world, expired=True)
    tokens: set[str] = set()
    held: list[int] = []

    def after(_look: int) -> None:
        held.append(len(secrecy._hidden))  # noqa: SLF001

    def again(request: Request, _answer: Answer) -> Answer:
        """An error that repeats what was sent with the batch."""
        sent = [one.headers["Authorization"] for one in world.requests if one.where == "batch"]
        tokens.add(sent[-1].partition(" ")[2])
        said = {"code": "Trouble", "message": f"said {sent[-1]} of {SECRET} to {request.path}"}
        return Answer(403, {"Content-Type": "application/json"}, json.dumps({"error": said}).encode())

    world.faults.add(Fault("list", kind="enrollment_program_token", alter=again, times=None))
    contoso.add_managed_google_play(last_sync=timedelta(days=9))
    events = asyncio.run(looks(arguments(sim), after, 8))
    assert [event["intune"]["edge"] for event in events] == ["obstacle", "unreadable", "stale"]
    assert "said Bearer ********" in events[1]["intune"]["message"]
    assert len(tokens) == 8, "each look signs in anew, since something is always wrong"
    shown = json.dumps(events) + caplog.text + "".join(repr(record.__dict__) for record in caplog.records)
    for secret in (*tokens, SECRET, "secret-of-"):
        assert secret not in shown
    assert max(held) == held[0], "what was got is forgotten with the session that it was for"
