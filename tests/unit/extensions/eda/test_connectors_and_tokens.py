# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source through its main(), as ansible-rulebook runs it, with a Graph in memory and a clock of our own."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import logging
import random
import runpy
import threading
import time
import typing as t
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import timestamps
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._identity.identity import Identity
from ansible_collections.graphops.intune.plugins.module_utils._sync import watch
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context, Session
from scripted import NOW, FixedToken, Script

# As ansible-rulebook finds it: below a folder of collections.
FILE = Path(watch.__file__).absolute().parents[3] / "extensions/eda/plugins/event_source/connectors_and_tokens.py"
SECRET = "a client secret that nobody may see"
APP = {"client_id": "6a1e0c1c-0d6f-4c8a-9d0a-3f5b1f2c7a10", "secret": SECRET}
ONE = {"tenants": ["contoso.example"], **APP}
PATHS = {
    "vpp_token": "vppTokens",
    "enrollment_program_token": "depOnboardingSettings",
    "autopilot": "windowsAutopilotSettings",
    "managed_google_play": "androidManagedStoreAccountEnterpriseSettings",
    "exchange_connector": "exchangeConnectors",
    "mobile_threat_defense_connector": "mobileThreatDefenseConnectors",
    "apple_push_certificate": "applePushNotificationCertificate",
}
Entity = dict[str, t.Any]


class Intune:
    """What Graph shows of some tenants, at a time that passes only when somebody sleeps.

    ``things`` is by tenant and kind; ``refuses`` too, with a status for a kind, or for the tenant under the kind "".
    """

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.things: dict[str, dict[str, list[Entity]]] = {}
        self.refuses: dict[tuple[str, str], int] = {}
        self.requests: list[tuple[str, str]] = []
        self.opened: list[str] = []
        self.tells_time = True
        # Called before each answer.
        self.before: t.Callable[[], t.Any] = lambda: None
        self.clock = Clock(monotonic=lambda: self.elapsed, sleep=self.sleep, now=lambda: self.now, jitter=lambda: 0.0)

    def sleep(self, seconds: float) -> None:
        self.elapsed += seconds

    @property
    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.elapsed)

    def ago(self, **ago: float) -> str:
        return str(timestamps.text(self.now - timedelta(**ago)))

    def token(self, id_: str = "v1", **properties: t.Any) -> Entity:
        """A VPP token with which all is well."""
        well = {
            "organizationName": "Contoso",
            "state": "valid",
            "lastSyncDateTime": self.ago(hours=1),
            "lastSyncStatus": "completed",
            "expirationDateTime": self.ago(days=-200),
        }
        return {"id": id_, **well, **properties}

    def open_graph(self, identity: Identity, _connection: t.Any, context: Context, *, permission: str) -> Session:
        assert "DeviceManagement" in permission
        self.opened.append(identity.tenant)
        found = graph.Graph(
            "https://graph.example",
            tokens=FixedToken(),
            http=_Http(self, identity.tenant, context.clock),
            asker=graph_errors.Asker("", ""),
        )
        return Session(found, identity.tenant, t.cast(t.Any, None))


class _Http(Script):
    """The connection of one tenant."""

    def __init__(self, intune: Intune, tenant: str, clock: Clock) -> None:
        super().__init__(None)
        self.intune, self.tenant, self.clock = intune, tenant, clock

    def send(self, _method: str, url: str, *, data: t.Any = None, **_request: t.Any) -> Response:
        intune = self.intune
        intune.before()
        path = urlsplit(url).path
        intune.requests.append((self.tenant, path))
        headers = {"date": format_datetime(intune.now, usegmt=True)} if intune.tells_time else {}
        whole = intune.refuses.get((self.tenant, ""))
        if whole:
            return Response(whole, headers, b"{}")
        if not path.endswith("$batch"):
            status, body = self.answer(path)
            return Response(status, headers, json.dumps(body).encode())
        answers = []
        for request in json.loads(data)["requests"]:
            status, body = self.answer(request["url"])
            answers.append({"id": request["id"], "status": status, "headers": headers, "body": body})
        return Response(200, headers, json.dumps({"responses": answers}).encode())

    def answer(self, path: str) -> tuple[int, t.Any]:
        kind = next(kind for kind, part in PATHS.items() if path.endswith(part))
        refused = self.intune.refuses.get((self.tenant, kind))
        if refused:
            return refused, {"error": {"code": "Trouble", "message": "said Graph"}}
        found = self.intune.things.get(self.tenant, {}).get(kind, [])
        if kind in ("vpp_token", "enrollment_program_token", "exchange_connector", "mobile_threat_defense_connector"):
            return 200, {"value": found}
        return (200, found[0]) if found else (404, {"error": {"code": "ResourceNotFound", "message": "no"}})

    def reset_connections(self) -> None:
        pass

    def cut(self) -> None:
        pass


@pytest.fixture
def intune(monkeypatch: pytest.MonkeyPatch) -> Intune:
    found = Intune()
    monkeypatch.setattr(watch, "open_graph", found.open_graph)
    monkeypatch.setattr(watch, "TIME", found.clock)
    for name in ("AZURE_TENANT", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "AZURE_SECRET"):
        monkeypatch.delenv(name, raising=False)
    return found


def loaded() -> t.Callable[..., t.Coroutine[t.Any, t.Any, None]]:
    main: t.Callable[..., t.Coroutine[t.Any, t.Any, None]] = runpy.run_path(str(FILE))["main"]
    return main


class Events:
    """The queue of a ruleset: takes events one by one, as ansible-rulebook's does."""

    def __init__(self) -> None:
        self.events: list[dict[str, t.Any]] = []

    async def put(self, event: dict[str, t.Any]) -> None:
        self.events.append(event)


async def poll(
    intune: Intune, args: t.Mapping[str, t.Any], scenes: t.Iterable[t.Callable[[], t.Any] | None], queue: t.Any = None
) -> list[list[dict[str, t.Any]]]:
    """Let the source look as often as there are scenes, each of which goes before a look, and return the events."""
    main = loaded()
    queue = queue or Events()
    found: list[list[dict[str, t.Any]]] = []
    left = iter(scenes)
    enough = asyncio.Event()

    def scene() -> bool:
        try:
            change = next(left)
        except StopIteration:
            return False
        if change:
            change()
        return True

    async def pause(seconds: float) -> None:
        found.append([event["intune"] for event in queue.events])
        queue.events.clear()
        intune.elapsed += seconds
        if not scene():
            enough.set()
            await asyncio.Event().wait()

    main.__globals__["_pause"] = pause  # type: ignore[attr-defined]
    assert scene()
    task = asyncio.ensure_future(main(queue, dict(args)))
    watching = asyncio.ensure_future(enough.wait())
    await asyncio.wait([task, watching], return_when=asyncio.FIRST_COMPLETED)
    watching.cancel()
    if task.done():
        task.result()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return found


def played(
    intune: Intune, args: t.Mapping[str, t.Any], *scenes: t.Callable[[], t.Any] | None, queue: t.Any = None
) -> list[list[str]]:
    """The edges of each look."""
    return [[event["edge"] for event in events] for events in asyncio.run(poll(intune, args, scenes, queue))]


def setting(entity: Entity, **properties: t.Any) -> t.Callable[[], None]:
    """A scene that changes properties of an object."""
    return lambda: entity.update(properties)


# Edges


def test_what_lasts_is_told_once_and_fresh_again_is_silent(intune: Intune) -> None:
    token = intune.token()
    intune.things["contoso.example"] = {"vpp_token": [token]}
    assert played(
        intune,
        ONE,
        None,
        setting(token, lastSyncDateTime=intune.ago(days=3)),
        None,
        lambda: token.update(lastSyncDateTime=intune.ago(minutes=1)),
        None,
        setting(token, lastSyncDateTime=intune.ago(days=4)),
    ) == [[], ["stale"], [], [], [], ["stale"]]


def test_an_event_has_all_that_is_promised(intune: Intune) -> None:
    intune.things["contoso.example"] = {"vpp_token": [intune.token(lastSyncDateTime=intune.ago(days=3))]}
    queue = Events()

    async def first() -> dict[str, t.Any]:
        task = asyncio.ensure_future(loaded()(queue, {**ONE, "tenants": [{"name": "Contoso Ltd", **_tenant()}]}))
        while not queue.events:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return queue.events[0]

    assert asyncio.run(first()) == {
        "intune": {
            "edge": "stale",
            "tenant": "Contoso Ltd",
            "kind": "vpp_token",
            "id": "v1",
            "name": "Contoso",
            "age": 259200,
            "days_left": 200,
            "message": "Apple VPP token Contoso (v1) in tenant Contoso Ltd: its last synchronisation ended 3 d ago,"
            " beyond max_age (2 d).",
        },
        "meta": {"hosts": "Contoso_Ltd"},
    }


def _tenant() -> dict[str, t.Any]:
    return {"tenant": "contoso.example"}


def test_recovered_follows_all_that_is_bad_but_not_what_was_stale(intune: Intune) -> None:
    token = intune.token()
    intune.things["contoso.example"] = {"vpp_token": [token]}
    fresh = {"lastSyncStatus": "completed", "state": "valid"}
    assert played(
        intune,
        ONE,
        setting(token, lastSyncStatus="failed"),
        setting(token, **fresh),
        setting(token, state="expired"),
        setting(token, lastSyncStatus="failed"),
        setting(token, **fresh),
        setting(token, expirationDateTime=intune.ago(days=-10)),
        setting(token, state="invalid"),
        setting(token, state="valid"),
        setting(token, expirationDateTime=intune.ago(days=1)),
        setting(token, expirationDateTime=intune.ago(days=-300)),
        setting(token, lastSyncDateTime="no time at all"),
        setting(token, lastSyncDateTime=intune.ago(days=5)),
        None,
    ) == [
        ["failed"],
        ["recovered"],
        ["obstacle"],
        # What explains the failure was told.
        [],
        ["recovered"],
        ["expires_soon"],
        ["obstacle"],
        [],
        ["obstacle"],
        ["recovered"],
        ["unreadable"],
        ["recovered", "stale"],
        [],
    ]


def test_what_expires_within_warn_days_is_told_whatever_else_it_is(intune: Intune) -> None:
    token = intune.token(expirationDateTime=intune.ago(days=-10), lastSyncDateTime=intune.ago(days=3))
    intune.things["contoso.example"] = {"vpp_token": [token]}
    assert played(intune, ONE, None) == [["expires_soon", "stale"]]
    assert played(intune, {**ONE, "warn_days": 5}, None) == [["stale"]]


def test_a_kind_and_a_tenant_are_told_once_and_what_is_in_them_keeps_its_state(intune: Intune) -> None:
    token = intune.token(lastSyncDateTime=intune.ago(days=3))
    intune.things["contoso.example"] = {"vpp_token": [token]}
    kind, whole = ("contoso.example", "vpp_token"), ("contoso.example", "")
    events = asyncio.run(
        poll(
            intune,
            {**ONE, "retry_timeout": 0},
            [
                None,
                lambda: intune.refuses.update({kind: 403}),
                None,
                lambda: intune.refuses.update({whole: 503}),
                None,
                lambda: intune.refuses.pop(whole),
                lambda: intune.refuses.pop(kind),
            ],
        )
    )
    told = [[(event["edge"], event["kind"], event["id"], event["name"]) for event in some] for some in events]
    assert told == [
        [("stale", "vpp_token", "v1", "Contoso")],
        [("unreadable", "vpp_token", None, None)],
        [],
        [("unreadable", None, None, None)],
        [],
        [("recovered", None, None, None)],
        [("recovered", "vpp_token", None, None)],
    ]
    assert events[3][0]["message"].startswith("tenant contoso.example: ")
    assert events[6][0]["message"] == "Apple VPP tokens in tenant contoso.example: it is no longer unreadable."


@pytest.mark.parametrize("initial", ["all", "none"])
def test_what_is_wrong_at_first_is_told_or_taken_for_known(intune: Intune, initial: str) -> None:
    token = intune.token(state="expired")
    intune.things["contoso.example"] = {"vpp_token": [token]}
    intune.refuses["fabrikam.example", ""] = 503
    intune.things["fabrikam.example"] = {"vpp_token": [intune.token("v2", state="expired")]}
    args = {**ONE, "tenants": ["contoso.example", "fabrikam.example"], "initial": initial, "retry_timeout": 0}
    edges = played(
        intune,
        args,
        None,
        intune.refuses.clear,
        lambda: intune.things["contoso.example"]["vpp_token"].append(intune.token("v3", state="expired")),
        setting(token, state="valid"),
    )
    if initial == "all":
        assert [sorted(some) for some in edges] == [
            ["obstacle", "unreadable"],
            ["obstacle", "recovered"],
            ["obstacle"],
            ["recovered"],
        ]
    else:
        assert edges == [[], ["recovered"], ["obstacle"], ["recovered"]]


def test_what_lasts_is_told_again_if_that_is_wanted(intune: Intune) -> None:
    intune.things["contoso.example"] = {"vpp_token": [intune.token(state="expired")]}
    args = {**ONE, "interval": 100, "repeat_after": 300}
    assert played(intune, args, *[None] * 8) == [["obstacle"], [], [], ["obstacle"], [], [], ["obstacle"], []]


def test_what_is_gone_is_forgotten_and_new_when_it_is_back(intune: Intune) -> None:
    token = intune.token(state="expired")
    intune.things["contoso.example"] = {"vpp_token": [token]}
    assert played(
        intune,
        ONE,
        None,
        intune.things["contoso.example"].clear,
        lambda: intune.things["contoso.example"].update(vpp_token=[token]),
    ) == [["obstacle"], [], ["obstacle"]]


def test_without_the_time_nothing_is_known_to_have_changed(intune: Intune) -> None:
    token = intune.token(lastSyncDateTime=intune.ago(days=3), expirationDateTime=intune.ago(days=-10))
    intune.things["contoso.example"] = {"vpp_token": [token]}
    assert played(
        intune,
        ONE,
        None,
        lambda: setattr(intune, "tells_time", False),
        lambda: setattr(intune, "tells_time", True),
    ) == [["expires_soon", "stale"], [], []]


def test_who_does_not_synchronise_is_not_stale_unless_an_age_is_given(intune: Intune) -> None:
    intune.things["contoso.example"] = {
        "mobile_threat_defense_connector": [
            {"id": "m1", "partnerState": "enabled", "lastHeartbeatDateTime": intune.ago(days=9)},
            {"id": "m2", "partnerState": "notSetUp", "lastHeartbeatDateTime": "0001-01-01T00:00:00Z"},
        ]
    }
    args = {**ONE, "kinds": ["mobile_threat_defense_connector", "apple_push_certificate"]}
    assert played(intune, args, None) == [[]]
    args["max_age"] = {"mobile_threat_defense_connector": 86400}
    (events,) = asyncio.run(poll(intune, args, [None]))
    assert [event["id"] for event in events] == ["m1"]
    assert "its lastHeartbeatDateTime is 9 d ago, beyond max_age (1 d)" in events[0]["message"]


@pytest.mark.parametrize(
    ("kind", "hours"),
    [("vpp_token", 48), ("enrollment_program_token", 24), ("exchange_connector", 4), ("autopilot", 48)],
)
def test_by_default_twice_intunes_own_interval_is_stale(intune: Intune, kind: str, hours: int) -> None:
    clocks = {"enrollment_program_token": "lastSuccessfulSyncDateTime"}
    thing = {
        "id": "one",
        "state": "valid",
        "status": "connected",
        "lastSyncStatus": "completed",
        "syncStatus": "completed",
    }
    clock = clocks.get(kind, "lastSyncDateTime")
    intune.things["contoso.example"] = {kind: [thing]}
    assert played(
        intune,
        ONE,
        setting(thing, **{clock: intune.ago(hours=hours, seconds=-290)}),
        None,
    ) == [[], ["stale"]]
    assert played(intune, ONE, setting(thing, **{clock: None})) == [["stale"]]


# Trouble


def test_a_moment_of_trouble_is_no_event(intune: Intune) -> None:
    """What the tries of a look overcome, nobody hears of."""
    intune.things["contoso.example"] = {"vpp_token": [intune.token()]}
    before = intune.elapsed

    def heal() -> None:
        if intune.elapsed - before > 20:
            intune.refuses.clear()

    intune.refuses["contoso.example", ""] = 503
    intune.before = heal
    assert played(intune, ONE, None, None) == [[], []]


@pytest.mark.parametrize("minutes", [0, 5])
def test_an_hour_without_graph_is_one_event_and_one_when_it_is_over(intune: Intune, minutes: int) -> None:
    intune.things["contoso.example"] = {"vpp_token": [intune.token()]}

    def down() -> None:
        intune.refuses["contoso.example", ""] = 504

    args = {**ONE, "interval": 60, "retry_timeout": 30}
    scenes = [*[None] * minutes, down, *[None] * 59, intune.refuses.clear, None]
    edges = played(intune, args, *scenes)
    assert edges == [*[[]] * minutes, ["unreadable"], *[[]] * 59, ["recovered"], []]


def test_after_trouble_the_identity_is_read_anew_and_else_once_an_hour(intune: Intune) -> None:
    intune.things["contoso.example"] = {"vpp_token": [intune.token()]}
    assert played(intune, {**ONE, "interval": 600}, *[None] * 7) == [[]] * 7
    assert len(intune.opened) == 1
    assert played(intune, {**ONE, "interval": 600}, *[None] * 9) == [[]] * 9
    assert len(intune.opened) == 1 + 2
    intune.opened.clear()
    intune.refuses["contoso.example", "vpp_token"] = 403
    assert played(intune, ONE, None, None, None) == [["unreadable"], [], []]
    assert len(intune.opened) == 3


def test_one_tenant_that_is_slow_keeps_no_other_from_being_told(intune: Intune) -> None:
    there = threading.Event()
    for tenant in ("slow.example", "fast.example"):
        intune.things[tenant] = {"vpp_token": [intune.token(state="expired")]}
    queue = Events()

    async def first() -> None:
        main = loaded()
        task = asyncio.ensure_future(main(queue, {**ONE, "tenants": ["slow.example", "fast.example"]}))
        while not queue.events:
            await asyncio.sleep(0.01)
        there.set()
        while len(queue.events) < 2:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    def wait() -> None:
        if threading.current_thread().name.endswith("-0"):
            assert there.wait(20)

    intune.before = wait
    asyncio.run(first())
    assert {event["intune"]["tenant"] for event in queue.events} == {"slow.example", "fast.example"}


def test_the_loop_is_never_blocked(intune: Intune) -> None:
    """Graph takes its time, a full queue too; whoever else runs in the loop does not notice."""
    intune.things["contoso.example"] = {"vpp_token": [intune.token(state="expired")]}
    intune.before = lambda: time.sleep(0.5)
    gaps: list[float] = []

    async def tick() -> None:
        last = time.monotonic()
        while True:
            await asyncio.sleep(0.005)
            now = time.monotonic()
            gaps.append(now - last)
            last = now

    async def both() -> None:
        ticking = asyncio.ensure_future(tick())
        assert [len(events) for events in await poll(intune, ONE, [None])] == [1]
        ticking.cancel()

    asyncio.run(both())
    # Blocked, it would be for half a second; what else this machine does may take a moment.
    assert max(gaps) < 0.25, sorted(gaps)[-3:]


# The end


def our_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("graphops.intune")]


def test_cancelled_while_it_waits_it_ends_and_says_so(intune: Intune) -> None:
    held = threading.Event()
    intune.refuses["contoso.example", ""] = 503
    # It waits between two tries: for an hour, by the clock that everyone else has.
    real = Clock(monotonic=time.monotonic, sleep=lambda seconds: (held.set(), time.sleep(min(seconds, 0.01))))

    async def cancelled() -> float:
        task = asyncio.ensure_future(loaded()(Events(), {**ONE, "retry_timeout": 3600}))
        while not held.is_set():
            await asyncio.sleep(0.01)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watch, "TIME", real)
        assert asyncio.run(cancelled()) < 2
    assert not our_threads()


def test_cancelled_while_nobody_takes_an_event_it_ends(intune: Intune) -> None:
    intune.things["contoso.example"] = {"vpp_token": [intune.token(state="expired")]}

    class Full(Events):
        async def put(self, event: dict[str, t.Any]) -> None:
            self.events.append(event)
            await asyncio.Event().wait()

    async def cancelled() -> None:
        queue = Full()
        task = asyncio.ensure_future(loaded()(queue, ONE))
        while not queue.events:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert not our_threads()


# Feedback


class Rulebook(Events):
    """ansible-rulebook with event persistence: confirms what its engine has, but for what ``loses`` says."""

    def __init__(self, loses: t.Callable[[dict[str, t.Any]], bool] = lambda _event: False) -> None:
        super().__init__()
        self.feedback: asyncio.Queue[t.Any] = asyncio.Queue(1)
        self.loses = loses

    async def put(self, event: dict[str, t.Any]) -> None:
        await super().put(event)
        if not self.loses(event):
            # As if a filter had made three of it.
            for _time in range(3):
                task = asyncio.ensure_future(self.feedback.put(json.loads(json.dumps(event))))
                await asyncio.sleep(0)
                del task


def with_feedback(intune: Intune, args: t.Mapping[str, t.Any], loses: t.Any, *scenes: t.Any) -> list[list[str]]:
    async def play() -> list[list[dict[str, t.Any]]]:
        queue = Rulebook(loses)
        args_ = {**args, "feedback": True, "feedback_timeout": 1, "eda_feedback_queue": queue.feedback}
        return await poll(intune, args_, scenes, queue)

    return [[event["edge"] for event in events] for events in asyncio.run(play())]


def test_what_is_not_confirmed_is_told_again(intune: Intune) -> None:
    lost: list[str] = []

    def loses(event: dict[str, t.Any]) -> bool:
        lost.append(event["intune"]["edge"])
        return lost.count(lost[-1]) == 1

    token = intune.token()
    intune.things["contoso.example"] = {"vpp_token": [token]}
    assert with_feedback(
        intune, ONE, loses, setting(token, state="expired"), None, None, setting(token, state="valid"), None, None
    ) == [["obstacle"], ["obstacle"], [], ["recovered"], ["recovered"], []]


def test_what_was_lost_and_is_over_is_not_told(intune: Intune) -> None:
    token = intune.token()
    intune.things["contoso.example"] = {"vpp_token": [token]}
    scenes = [setting(token, state="expired"), setting(token, state="valid"), None]
    assert with_feedback(intune, ONE, lambda _event: True, *scenes) == [["obstacle"], [], []]


@pytest.mark.usefixtures("intune")
def test_feedback_that_cannot_come_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^feedback is true, but ansible-rulebook gives none; use ansible-rulebook"):
        asyncio.run(loaded()(Events(), {**ONE, "feedback": True}))


# Options


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tenants": None}, "which tenants to look at is not said; name them in tenants."),
        ({"tenants": []}, "tenants is empty; name at least one tenant."),
        ({"tenants": {"name": "a"}}, "tenants is a value of the type dict; give a list."),
        (
            {"tenants": [{"tenant": "a"}]},
            "tenants has an entry without a name; give each as a name, or as a dictionary",
        ),
        ({"tenants": ["a", "a"]}, "tenants has 'a' twice; give each tenant a name of its own, once."),
        ({"tenants": ["Two Words"]}, "tenant Two Words: tenant is 'Two Words'; give the tenant's GUID or one of its"),
        (
            {"tenants": [{"name": "a", "interval": 5}]},
            "'interval' of tenant a is no option of this plugin; leave it out.",
        ),
        ({"tenant": "a"}, "tenant and tenants are both given; name all tenants in tenants."),
        ({"kinds": ["managed_device"]}, "kinds is 'managed_device'; give one of apple_push_certificate, autopilot,"),
        ({"kinds": []}, "kinds is empty; leave it out for those that a tenant has."),
        ({"max_age": "a day"}, "max_age is 'a day'; give a whole number."),
        ({"max_age": 0}, "max_age is 0; give a number of seconds that is at least 1."),
        ({"max_age": {"vpp_tokens": 5}}, "'vpp_tokens' in max_age is no option of this plugin; is vpp_token meant."),
        ({"max_age": {"vpp_token": -1}}, "vpp_token in max_age is -1; give a number of seconds that is at least 1."),
        ({"warn_days": -1}, "warn_days is -1; give a number of days, at least 0."),
        ({"interval": 9}, "interval is 9; give a number of seconds that is at least 10."),
        ({"interval": "1.5"}, "interval is '1.5'; give a whole number."),
        ({"initial": "some"}, "initial is 'some'; give one of all, none."),
        ({"repeat_after": -1}, "repeat_after is -1; give a number of seconds that is at least 0."),
        ({"feedback_timeout": 0}, "feedback_timeout is 0; give a number of seconds that is at least 1."),
        ({"retry_timeout": -1}, "retry_timeout is -1; give a number of seconds that is at least 0."),
        ({"validate_certs": "perhaps"}, "validate_certs is 'perhaps'; give true or false."),
        ({"tenats": ["a"]}, "'tenats' is no option of this plugin; is tenants meant."),
        ({"client_secret": "b"}, "secret and client_secret are the same option; give one of them."),
        ({"secret": [SECRET]}, "secret is a value of the type list; give a text, in quotes if it looks like"),
        ({"secret": True}, "secret is a value of the type bool; give a text, in quotes if it looks like"),
        ({"auth_source": SECRET}, "auth_source is '********'; give one of auto, access_token,"),
        ({SECRET: 1}, "'********' is no option of this plugin; leave it out."),
        ({"access_token": f"{SECRET}\n{SECRET}"}, "tenant contoso.example: access_token has characters that no token"),
        ({"secret": None}, "tenant contoso.example: no identity to sign in with is given"),
        (
            {"tenants": ["a", "b"], "access_token": "of.one.tenant"},
            "a sign-in with a ready access token reads one tenant, but a and b share one; sign in as an app",
        ),
        ({"ca_path": "/nowhere/ca.pem"}, "tenant contoso.example: ca_path '/nowhere/ca.pem' cannot be used: No such"),
    ],
)
def test_an_option_that_cannot_be_right_is_one_sentence_and_no_request(
    wrong: dict[str, t.Any], sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_args: pytest.fail("a request was made"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"^[^\n]+[.]$") as caught:
        asyncio.run(asyncio.wait_for(loaded()(Events(), {**ONE, **wrong}), 20))
    assert str(caught.value).startswith(sentence), caught.value
    assert SECRET not in str(caught.value)
    assert caught.type is ValueError
    assert caught.value.__suppress_context__


def seen_by(args: dict[str, t.Any]) -> dict[str, tuple[str, str, str, str]]:
    """By the name of each tenant, who signs in there: host, tenant, app and method."""
    return {
        tenant.name: (tenant.host, tenant.identity.tenant, tenant.identity.client_id, tenant.identity.method.source)
        for tenant in watch.read_settings(args, {}).tenants
    }


def test_each_tenant_may_have_an_identity_of_its_own() -> None:
    own = {"name": "Two: Words", "tenant_id": "b.example", "client_id": "other", "client_secret": "of b"}
    token = {"name": "c.example", "access_token": "a.token"}
    found = seen_by({**APP, "auth_source": "client_secret", "tenants": ["a.example", own, token]})
    app = APP["client_id"]
    assert found == {
        "a.example": ("a.example", "a.example", app, "client_secret"),
        "Two: Words": ("Two__Words", "b.example", "other", "client_secret"),
        "c.example": ("c.example", "c.example", app, "access_token"),
    }


def test_two_tenants_are_two_hosts_whatever_their_names() -> None:
    found = seen_by({**APP, "tenants": [{"name": name, "tenant": "a.example"} for name in ("a b", "a,b", "all")]})
    hosts = [host for host, *_identity in found.values()]
    assert len({*hosts}) == 3
    assert not {"", "all"} & {*hosts}


def test_templates_may_give_texts_and_one_tenant_may_be_named_as_for_a_module() -> None:
    args = {**APP, "tenant": "a.example", "kinds": "vpp_token,autopilot", "interval": "60", "max_age": "7200"}
    settings = watch.read_settings({**args, "validate_certs": "no", "cloud_environment": ""}, {})
    assert [kind.name for kind in settings.kinds] == ["vpp_token", "autopilot"]
    assert (settings.interval, settings.max_age["autopilot"]) == (60, 7200)
    assert settings.connection.validate_certs is False
    assert [tenant.host for tenant in settings.tenants] == ["a.example"]
    assert [tenant.name for tenant in watch.read_settings(APP, {"AZURE_TENANT": "b.example"}).tenants] == ["b.example"]


# Secrets


def test_no_secret_is_in_an_event_or_a_log(intune: Intune, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever Graph sends back, also as a name."""
    caplog.set_level(logging.DEBUG)
    intune.things["contoso.example"] = {
        "vpp_token": [intune.token(organizationName=f"of {SECRET}", state="expired", token="apple's own secret")],
        "autopilot": [{"id": "a1", "syncStatus": f"{SECRET} apple's own secret"}],
    }
    intune.refuses["fabrikam.example", ""] = 503
    args = {**ONE, "tenants": ["contoso.example", "fabrikam.example"], "retry_timeout": 0}
    events = asyncio.run(poll(intune, args, [None, intune.refuses.clear]))
    text = json.dumps(events) + caplog.text + repr([record.__dict__ for record in caplog.records])
    assert SECRET not in text
    assert "apple's own" not in text
    assert "********" in json.dumps(events)


# For months


class Told:
    """A queue of which only what is told of in a look is kept."""

    def __init__(self) -> None:
        self.events: list[t.Any] = []
        self.told: set[tuple[str, str]] = set()

    async def put(self, event: dict[str, t.Any]) -> None:
        edge = event["intune"]
        assert (edge["edge"], edge["id"] or "") not in self.told, "once"
        self.told.add((edge["edge"], edge["id"] or ""))


def condition(token: Entity, long_ago: str) -> str:
    """What is wrong with a token, by a simple reading."""
    if token["state"] == "expired":
        return "obstacle"
    if token["lastSyncStatus"] == "failed":
        return "failed"
    return "stale" if token["lastSyncDateTime"] < long_ago else ""


class Record:
    """A simple record of what was told last, of a kind in a tenant and of its tokens."""

    def __init__(self) -> None:
        self.readable = True
        self.known: dict[str, str] = {}

    def expected(self, tokens: t.Mapping[str, Entity], long_ago: str, *, readable: bool) -> set[tuple[str, str]]:
        """What is to be told now."""
        told = set()
        if readable != self.readable:
            told.add(("recovered" if readable else "unreadable", ""))
        self.readable = readable
        if not readable:
            return told
        before, self.known = self.known, {}
        for name, token in tokens.items():
            now, last = condition(token, long_ago), before.get(name, "")
            self.known[name] = now
            if now and now != last:
                told.add((now, name))
            if last in ("obstacle", "failed") and now in ("stale", ""):
                told.add(("recovered", name))
        return told


@pytest.mark.slow
@pytest.mark.parametrize("looks", [2_000, pytest.param(10_000, marks=pytest.mark.exhaustive)])
def test_thousands_of_looks(intune: Intune, looks: int) -> None:
    """Things come and go, break and heal; each look tells what a simple record of the last one says, memory is flat."""
    chance = random.Random(1)  # noqa: S311
    tokens: dict[str, Entity] = {}
    intune.things["contoso.example"] = {"vpp_token": []}
    record, queue, held = Record(), Told(), []
    wanted: set[tuple[str, str]] = set()
    edges = 0

    def change(number: int) -> None:
        nonlocal wanted, edges
        assert queue.told == wanted, number
        edges += len(wanted)
        queue.told.clear()
        intune.requests.clear()
        if number in (looks // 5, looks):
            gc.collect()
            held.append(len(gc.get_objects()))
        if chance.random() < 0.3 and len(tokens) < 6:
            tokens[f"t{number}"] = intune.token(f"t{number}")
        if chance.random() < 0.2 and tokens:
            del tokens[chance.choice(sorted(tokens))]
        for token in tokens.values():
            if chance.random() < 0.2:
                token.update(chance.choice([{"state": "expired"}, {"lastSyncStatus": "failed"}, {"state": "valid"}]))
            if chance.random() < 0.2:
                token.update(lastSyncStatus="completed", state="valid")
            token["lastSyncDateTime"] = intune.ago(hours=chance.choice([1, 90]))
            token["expirationDateTime"] = intune.ago(days=-100)
        intune.things["contoso.example"]["vpp_token"] = list(tokens.values())
        readable = chance.random() < 0.9
        intune.refuses.clear()
        if not readable:
            intune.refuses["contoso.example", "vpp_token"] = 403
        wanted = record.expected(tokens, intune.ago(hours=48), readable=readable)

    args = {**ONE, "kinds": ["vpp_token", "autopilot"], "retry_timeout": 0}
    scenes = (functools.partial(change, number) for number in range(looks + 1))
    asyncio.run(poll(intune, args, scenes, queue))
    assert edges > looks // 2
    # The test itself keeps a list for each look.
    assert held[1] - held[0] < looks - looks // 5 + 500
