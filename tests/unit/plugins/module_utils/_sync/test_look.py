# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists as Graph gives them: entries that come twice, times of all kinds, what is no connector, and none at all."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import yaml
from ansible_collections.graphops.intune.plugins.module_utils import shell
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import secrecy
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._http.transport import Transport
from ansible_collections.graphops.intune.plugins.module_utils._identity.identity import Identity
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector, managed_google_play
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import UnreadableTime, shown
from ansible_collections.graphops.intune.plugins.module_utils._sync import command, fleet, fleet_group, look, options
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context, Session
from ansible_collections.graphops.intune.plugins.modules import intune_exchange_connector_sync

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=timezone.utc)
FRESH, STALE = "2026-11-22T17:59:00Z", "2026-11-20T18:00:00Z"
TENANT = "contoso.example"
NONE = Response(501, {"request-id": "r"}, b'{"error": {"code": "NotSupported", "message": "Not supported."}}')


def guid(number: int) -> str:
    return f"{number:08}-1111-4111-8111-111111111111"


def entity(number: int, last: t.Any = STALE, **more: t.Any) -> dict[str, t.Any]:
    return {"id": guid(number), "lastSyncDateTime": last, "status": "connected", **more}


class Wire(Transport):
    """Pages of a list, and an answer for each connector; batches are not taken."""

    def __init__(
        self, *pages: t.Any, one: Response | t.Callable[[str], Response] | None = None, apart: int = 0
    ) -> None:
        self.pages = pages
        self.one = one
        self.posts: list[str] = []
        self.lists = 0
        self.request_timeout, self.retry_timeout = 30, 60
        self.elapsed = 0.0
        self.clock = Clock(monotonic=lambda: self.elapsed, sleep=self._sleep, now=self._now, jitter=lambda: 0.0)
        self.apart = timedelta(seconds=apart)

    def _sleep(self, seconds: float) -> None:
        self.elapsed += seconds

    def _now(self) -> datetime:
        return NOW + self.apart

    def send(self, method: str, url: str, **_request: t.Any) -> Response:
        date = {"date": format_datetime(NOW, usegmt=True), "request-id": "r"}
        if method == "POST":
            if "$batch" in url:
                return Response(404, date, b"")
            self.posts.append(url.split("/")[-2])
            return Response(204, date, b"")
        if not url.rpartition("/")[2].startswith("exchangeConnectors"):
            assert self.one is not None
            return self.one(url.rpartition("/")[2]) if callable(self.one) else self.one
        number = int(url.rpartition("=")[2]) if "=" in url else 0
        self.lists += 1
        page = self.pages[number]
        if isinstance(page, Response):
            return page
        body: dict[str, t.Any] = {"value": page}
        if number + 1 < len(self.pages):
            body["@odata.nextLink"] = f"https://graph.example/v1.0/deviceManagement/exchangeConnectors?s={number + 1}"
        return Response(200, date, json.dumps(body).encode())

    def reset_connections(self) -> None:
        pass


class FixedToken:
    """A token that cannot be replaced."""

    tokens: t.ClassVar[list[str]] = []

    def token(self, limit: float | None = None) -> str:  # noqa: ARG002
        return "token"

    def replace_token(self, refused: str, limit: float | None = None) -> str | None:  # noqa: ARG002
        return None


class Came(t.NamedTuple):
    """What came of a flow."""

    result: dict[str, t.Any]
    warnings: list[str]

    @property
    def msg(self) -> str:
        return t.cast(str, self.result["msg"])


def graph_of(wire: Wire) -> graph.Graph:
    return graph.Graph("https://graph.example", tokens=FixedToken(), http=wire, asker=graph_errors.Asker("", ""))


def caller_of(wire: Wire, warnings: list[str]) -> Context:
    return Context(
        check_mode=False,
        environ={},
        clock=wire.clock,
        warn=warnings.append,
        progress=print,
        hide=lambda _tokens: None,
    )


SYNC, INFO = command.SyncCommand(exchange_connector.KIND), command.InfoCommand(exchange_connector.KIND)


def perform(monkeypatch: pytest.MonkeyPatch, what: t.Any, wire: Wire, **given: t.Any) -> Came:
    """Let the engine do what a module does, from its parameters on."""
    told = graph_of(wire)
    monkeypatch.setattr(
        command, "open_graph", lambda *_all, **_more: Session(told, TENANT, t.cast(t.Any, FixedToken()))
    )
    warnings: list[str] = []
    caller = caller_of(wire, warnings)
    params = {name: how.get("default") for name, how in what.argument_spec().items()}
    return Came(shell.outcome(what, {**params, "tenant": TENANT, "access_token": "t", **given}, caller), warnings)


def listed(monkeypatch: pytest.MonkeyPatch, *pages: t.Any, **given: t.Any) -> Came:
    return perform(monkeypatch, INFO, Wire(*pages), **given)


def synced(monkeypatch: pytest.MonkeyPatch, wire: Wire, **given: t.Any) -> Came:
    return perform(monkeypatch, SYNC, wire, **{"all": True, "wait": False, **given})


# Twice


def test_what_comes_again_on_the_next_page_is_one_connector(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [entity(1), entity(2)], [entity(2), entity(3)]
    found = listed(monkeypatch, *pages)
    assert [connector["id"] for connector in found.result["connectors"]] == [guid(1), guid(2), guid(3)]
    assert found.warnings == []
    wire = Wire(*pages)
    assert [entry["connector_id"] for entry in synced(monkeypatch, wire).result["connectors"]] == [
        guid(1),
        guid(2),
        guid(3),
    ]
    assert wire.posts == [guid(1), guid(2), guid(3)]


def test_of_two_copies_the_one_that_was_read_later_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    again = {**entity(1, FRESH), "id": guid(1).upper()}
    wire = Wire([entity(1, STALE), entity(2)], [again])
    assert [entry["sync"]["state"] for entry in synced(monkeypatch, wire).result["connectors"]] == [
        "fresh",
        "requested",
    ]
    wire = Wire([entity(1, FRESH)], [entity(1, STALE)])
    assert synced(monkeypatch, wire).result["changed"] is True
    # But not if it cannot be read.
    wire = Wire([entity(1, FRESH)], [entity(1, "soon")])
    assert synced(monkeypatch, wire).result["connectors"][0]["sync"]["state"] == "fresh"


# Times


@pytest.mark.parametrize("never", ["0001-01-01T00:00:00", " 0001-01-01 00:00:00 -08:00", "0001-01-01T00:00:00Z", None])
def test_year_1_is_never(monkeypatch: pytest.MonkeyPatch, never: str | None) -> None:
    found = listed(monkeypatch, [entity(1, never)])
    assert (found.result["connectors"][0]["last_sync_date_time"], found.warnings) == (None, [])
    done = synced(monkeypatch, Wire([entity(1, never)]))
    assert done.result["connectors"][0]["sync"]["reason"] == "the connector has never synchronised"
    assert done.warnings == []


def test_a_time_without_an_offset_is_utc_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    entities = [entity(n, FRESH.rstrip("Z")) for n in (1, 2, 3)]
    found = listed(monkeypatch, entities)
    assert {connector["last_sync_date_time"] for connector in found.result["connectors"]} == {FRESH}
    (warning,) = found.warnings
    assert "does not say how far it is from UTC, and is taken for UTC." in warning
    wire = Wire(entities)
    done = synced(monkeypatch, wire)
    assert {entry["sync"]["state"] for entry in done.result["connectors"]} == {"fresh"}
    assert len(done.warnings) == 1


UNREADABLE = ["soon", 5, {"a": 1}, "2026-13-01T00:00:00Z", "\ud800", "x" * 5000]


@pytest.mark.parametrize("odd", UNREADABLE, ids=lambda odd: repr(odd)[:20])
def test_a_time_that_cannot_be_read_spoils_its_connector_alone(monkeypatch: pytest.MonkeyPatch, odd: t.Any) -> None:
    entities = [entity(1), entity(2, odd), entity(3)]
    found = listed(monkeypatch, entities)
    assert [connector["last_sync_date_time"] for connector in found.result["connectors"]] == [STALE, None, STALE]
    (warning,) = found.warnings
    assert warning.startswith(f"Exchange connector {guid(2)} in tenant {TENANT}: Graph's lastSyncDateTime cannot be re")
    assert warning.endswith("so last_sync_date_time is null.")

    wire = Wire(entities)
    done = synced(monkeypatch, wire)
    assert wire.posts == [guid(1), guid(3)]
    assert [entry["failed"] for entry in done.result["connectors"]] == [False, True, False]
    assert done.result["changed"] is True
    assert "1 of 3 failed" in done.msg
    assert f"{guid(2)}: Graph's lastSyncDateTime cannot be read" in done.msg
    assert done.result["connectors"][1]["msg"].startswith(f"Exchange connector {guid(2)} in tenant {TENANT}: ")


def test_one_connector_with_such_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Response(200, {}, json.dumps(entity(1, "soon")).encode())
    found = perform(monkeypatch, INFO, Wire(one=odd), connector_id=guid(1))
    assert found.result["connectors"][0]["last_sync_date_time"] is None
    assert len(found.warnings) == 1
    wire = Wire(one=odd)
    failed = synced(monkeypatch, wire, all=False, connector_id=guid(1), force=True)
    assert "cannot be read" in failed.msg
    assert (wire.posts, failed.result["changed"]) == ([], False)


def test_an_answer_about_another_connector_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    another = Response(200, {}, json.dumps(entity(2, FRESH)).encode())
    wire = Wire(one=another)
    failed = synced(monkeypatch, wire, all=False, connector_id=guid(1))
    assert f"Graph answered about another connector ({guid(2)}); check that no proxy changes what" in failed.msg
    assert (wire.posts, "connector" in failed.result) == ([], False)
    assert "about another connector" in perform(monkeypatch, INFO, Wire(one=another), connector_id=guid(1)).msg
    itself = Response(200, {}, json.dumps({**entity(1, FRESH), "id": guid(1).upper()}).encode())
    assert "msg" not in synced(monkeypatch, Wire(one=itself), all=False, connector_id=guid(1)).result


# What is no connector


@pytest.mark.parametrize("odd", [None, "x", 5, [], {}, {"id": None}, {"id": "../users"}, {"id": ["x"]}])
def test_what_is_no_connector_is_left_out_and_told(monkeypatch: pytest.MonkeyPatch, odd: t.Any) -> None:
    found = listed(monkeypatch, [entity(1), odd], [entity(2)])
    assert len(found.result["connectors"]) == 2
    assert found.warnings == [
        f"Exchange connectors in tenant {TENANT}: Graph's list has an entry that is none, which is left out."
    ]
    done = synced(monkeypatch, Wire([odd, entity(1), odd]))
    assert len(done.result["connectors"]) == 1
    assert done.warnings == [
        f"Exchange connectors in tenant {TENANT}: Graph's list has 2 entries that are none, which are left out."
    ]


def test_a_list_of_other_things_is_no_list_of_connectors(monkeypatch: pytest.MonkeyPatch) -> None:
    found = listed(monkeypatch, [{}, "x"])
    assert found.msg.endswith("Graph's answer is no Exchange connector; check that graph_url is a Microsoft Graph.")


def test_half_a_character_and_infinity_go_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    page = json.dumps({"value": [entity(1, serverName="\ud800x", deep={"\udfff": ["\ud83d\ude00"]}, size=5)]})
    wire = Wire(Response(200, {}, page.replace('"size": 5', '"size": 1e999').encode()))
    (connector,) = perform(monkeypatch, INFO, wire).result["connectors"]
    assert connector["server_name"] == "\ufffdx"
    assert connector["deep"] == {"\ufffd": ["\U0001f600"]}
    assert connector["size"] is None
    json.dumps(connector, allow_nan=False, ensure_ascii=False).encode()


def test_what_is_returned_is_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    documented: dict[str, t.Any] = yaml.safe_load(intune_exchange_connector_sync.RETURN)
    entry = documented["connectors"]["contains"]
    done = synced(monkeypatch, Wire([entity(1), entity(2, "soon"), entity(3, FRESH)]))
    for one in done.result["connectors"]:
        assert one.keys() <= entry.keys()
        assert {"connector_id", "changed", "failed", "request_id"} <= one.keys()
    assert done.result.keys() - {"changed", "msg"} <= documented.keys()
    # The list is not known, so what came of each is not either; and there is an id, if only a null one.
    refused = synced(monkeypatch, Wire(Response(403, {}, b"{}")))
    assert "connectors" not in refused.result
    assert refused.result["request_id"] is None
    twice = synced(monkeypatch, Wire(one=NONE), all=False, connector_ids=[guid(1), guid(1).upper(), guid(2)])
    assert [one["connector_id"] for one in twice.result["connectors"]] == [guid(1), guid(2)]
    assert "request_id" in twice.result


# None at all


def test_a_tenant_without_a_connector_has_nothing_to_list_and_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    sentence = (
        f"Exchange connectors in tenant {TENANT}: this tenant has no Exchange connector (Graph answered HTTP 501,"
        " NotSupported); Microsoft ended support for the on-premises connector on 19 February 2024, and offers hybrid"
        " modern authentication for Exchange on-premises, or Exchange Online, instead."
    )
    wire = Wire(NONE)
    found = perform(monkeypatch, INFO, wire)
    assert (found.result, found.warnings) == ({"changed": False, "connectors": []}, [sentence])
    assert wire.lists == 1
    done = synced(monkeypatch, Wire(NONE))
    assert (done.result, done.warnings) == ({"changed": False, "connectors": [], "diff": []}, [sentence])
    found = perform(monkeypatch, INFO, Wire(one=NONE), connector_id=guid(1))
    assert found.result["connectors"] == []
    assert len(found.warnings) == 1


@pytest.mark.parametrize("which", [{"connector_id": guid(1)}, {"connector_ids": [guid(1), guid(2)]}])
def test_a_connector_of_a_tenant_that_has_none_fails(monkeypatch: pytest.MonkeyPatch, which: dict[str, t.Any]) -> None:
    done = synced(monkeypatch, Wire(one=NONE), all=False, **which)
    assert "Graph answered HTTP 501" in done.msg
    assert "this tenant has no Exchange connector: check tenant (Microsoft ended support for the on-pr" in done.msg
    assert done.msg.count("hybrid modern authentication") == 1
    assert done.result["changed"] is False
    assert done.warnings == []


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (Response(501, {}, b"<html>Not here</html>"), "check that no proxy or portal stands in between"),
        (Response(501, {}, b'{"error": {"code": "NotImplemented"}}'), "run again later"),
        (
            Response(400, {}, b'{"error": {"code": "x", "message": "Request not applicable to target tenant."}}'),
            "the tenant has no Intune: check tenant and its licence",
        ),
        (
            Response(400, {}, b'{"error": {"code": "x", "message": "Resource not found for the segment \'x\'."}}'),
            "this Graph has no Exchange connectors: check graph_url and cloud_environment",
        ),
        (
            Response(404, {}, b'{"error": {"code": "x", "message": "Invalid version: v1"}}'),
            "this Graph has no Exchange connectors: check graph_url and cloud_environment",
        ),
    ],
)
def test_what_does_not_say_that_there_is_none_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, answer: Response, advice: str
) -> None:
    assert advice in listed(monkeypatch, answer).msg
    assert advice in synced(monkeypatch, Wire(answer)).msg


def test_none_after_a_page_with_some_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "HTTP 501" in listed(monkeypatch, [entity(1)], NONE).msg


# Warnings


def test_a_clock_that_is_off_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire([entity(n, FRESH) for n in range(6)], apart=1800)
    assert synced(monkeypatch, wire).warnings == [
        "Graph's clock and that of this host are 30 min apart; the ages of synchronisations are by Graph's."
    ]


def fleet_of(monkeypatch: pytest.MonkeyPatch, wire: Wire) -> tuple[dict[str, dict[str, t.Any]], list[str]]:
    """Six hosts of two tenants, as the role synchronises them."""

    def connect(who: Identity, *_all: t.Any, **_more: t.Any) -> Session:
        return Session(graph_of(wire), who.tenant, t.cast(t.Any, FixedToken()))

    monkeypatch.setattr(fleet_group, "open_graph", connect)
    spec = {name: how.get("default") for name, how in options.host_spec(exchange_connector.KIND).items()}
    given = [
        {**spec, "connector_id": guid(n), "tenant": f"t{n % 2}", "access_token": "t", "wait": False} for n in range(6)
    ]
    members = [
        fleet_group.FleetHost(f"h{n}", [fleet.one_object(exchange_connector.KIND, params)], params, {})
        for n, params in enumerate(given)
    ]
    warnings: list[str] = []
    caller = caller_of(wire, warnings)
    endings = fleet.synchronise(members, fleet_group.FailureLimit(None), caller)
    return {host: dict(ending.result) for host, (ending,) in endings.items()}, warnings


def test_a_fleet_is_told_of_a_clock_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def one(connector_id: str) -> Response:
        shown = {**entity(1, FRESH.rstrip("Z")), "id": connector_id}
        return Response(200, {"date": format_datetime(NOW, usegmt=True)}, json.dumps(shown).encode())

    results, warnings = fleet_of(monkeypatch, Wire(one=one, apart=1800))
    assert {result["sync"]["state"] for result in results.values()} == {"fresh"}
    assert sorted(text.partition(" ")[2][:20] for text in warnings) == ["clock and that of th", "lastSyncDateTime doe"]


def test_each_host_of_a_tenant_without_connectors_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    results, warnings = fleet_of(monkeypatch, Wire(one=NONE))
    for n in range(6):
        assert results[f"h{n}"]["msg"].startswith(f"Exchange connector {guid(n)} in tenant t{n % 2}: could not read it")
        assert "this tenant has no Exchange connector: check tenant" in results[f"h{n}"]["msg"]
    assert warnings == []


def test_what_is_known_of_an_object_whose_time_cannot_be_read() -> None:
    found = look.snapshot(exchange_connector.KIND, entity(1, "soon"), NOW, None)
    assert shown(exchange_connector.KIND, found.entity)["status"] == "connected"
    with pytest.raises(UnreadableTime):
        found.known_state()


def test_secrets_at_any_depth_are_masked() -> None:
    deep: t.Any = "secret-at-the-bottom"
    for _level in range(200):
        deep = [deep]
    codes = [{"enrollmentToken": "secret-code-1", "qrCodeImage": {"value": "secret-code-2"}}, deep, 5, None, "short"]
    look.snapshot(managed_google_play.KIND, {"id": "x", "companyCodes": codes}, None, None)
    masked = secrecy.masked("secret-code-1, secret-code-2, secret-at-the-bottom, short")
    assert masked.replace("*", "") == ", , , short"
