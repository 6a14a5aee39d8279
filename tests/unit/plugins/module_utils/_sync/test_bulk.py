# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Devices by the thousand: which are asked, in what pace, and what is told of them; a Graph in memory answers."""

from __future__ import annotations

import json
import random
import re
import typing as t
import uuid
from datetime import datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors, timestamps
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http.pace import Pace
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._http.transport import Transport
from ansible_collections.graphops.intune.plugins.module_utils._kinds import managed_device
from ansible_collections.graphops.intune.plugins.module_utils._sync import bulk, bulk_results, many, options, results
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context, Session
from scripted import NOW, FixedToken

KIND = managed_device.KIND
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DEFAULTS: dict[str, t.Any] = {
    "device_id": None,
    "device_ids": None,
    "all": False,
    "max_devices": None,
    "return_all": False,
    "max_age": 28800,
    "force": False,
    "wait": False,
    "wait_timeout": 900,
    "wait_sleep": 15,
    "requests_per_20_seconds": 200,
    **{one.option: None for one in KIND.filters},
}


class Tenant(Transport):
    """A Graph with devices, on a clock that sleeping and answering move; it heeds filters by age, and no others.

    :param limit: how many posts it takes within 20 seconds; the rest is refused, as a part of them is at random.
    :param comes_in: seconds after which a device that was asked checks in; None for never.
    """

    def __init__(self, *, limit: int = 200, at_random: float = 0.0, comes_in: float | None = None) -> None:
        self.devices: dict[str, dict[str, t.Any]] = {}
        self.elapsed = 0.0
        self.ahead = timedelta(0)
        self.asked: list[str] = []
        self.seen: list[str] = []
        self.forbidden: set[str] | None = set()
        self.refused = {"limit": 0, "random": 0}
        self.request_timeout, self.retry_timeout = 30, 120
        self.clock = Clock(monotonic=lambda: self.elapsed, sleep=self._sleep, now=self._now, jitter=lambda: 0.0)
        self.limit, self._at_random, self._comes_in = limit, at_random, comes_in
        self.counted: list[float] = []
        self._random = random.Random(1)  # noqa: S311
        self._coming: list[tuple[float, str]] = []

    def _now(self) -> datetime:
        return NOW + timedelta(seconds=self.elapsed)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.elapsed += seconds

    def add(self, count: int = 1, *, age: timedelta = DAY, **properties: t.Any) -> list[str]:
        usual = {"operatingSystem": "Windows", "managementAgent": "mdm", "complianceState": "compliant"}
        names = [str(uuid.UUID(int=len(self.devices) + number)) for number in range(count)]
        for name in names:
            at = timestamps.text(NOW - age)
            self.devices[name] = {"id": name, "deviceName": f"PC-{name[-4:]}", "lastSyncDateTime": at, **usual}
            self.devices[name].update(properties)
        return names

    def send(self, method: str, url: str, **request: t.Any) -> Response:
        self.elapsed += 0.2
        path = url.partition("/v1.0")[2]
        if path == "/$batch":
            items = json.loads(request["data"])["requests"]
            parts = [{"id": item["id"], **self._part(item["method"], item["url"])} for item in items]
            return self._response(200, {"responses": parts[::-1]})
        part = self._part(method, path)
        return self._response(part["status"], part.get("body"), part.get("headers"))

    def reset_connections(self) -> None:
        """Nothing is open."""

    def _response(self, status: int, body: t.Any = None, headers: t.Mapping[str, str] | None = None) -> Response:
        date = format_datetime(self._now() + self.ahead, usegmt=True)
        return Response(status, {"date": date, **(headers or {})}, b"" if body is None else json.dumps(body).encode())

    def _part(self, method: str, path: str) -> dict[str, t.Any]:
        where = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(where.query).items()}
        name = where.path.split("/")[3].lower() if where.path.count("/") > 2 else ""
        for moment, device in [one for one in self._coming if one[0] <= self.elapsed]:
            self.devices[device]["lastSyncDateTime"] = timestamps.text(NOW + timedelta(seconds=moment))
        if method == "GET":
            self.seen.append(path)
            if not name:
                return {"status": 200, "body": self.page(query)}
            if name not in self.devices:
                return {"status": 404, "body": {"error": {"code": "ResourceNotFound", "message": "no"}}}
            return {"status": 200, "body": self.devices[name]}
        assert where.path.endswith("/syncDevice")
        return self.ask(name)

    def ask(self, name: str) -> dict[str, t.Any]:
        self.counted = [moment for moment in self.counted if self.elapsed - moment < 20]
        self.counted.append(self.elapsed)
        if len(self.counted) > self.limit or self._random.random() < self._at_random:
            self.refused["limit" if len(self.counted) > self.limit else "random"] += 1
            headers = {"Retry-After": "10"} if self._random.random() < 0.5 else {}
            return {"status": 429, "headers": headers, "body": {"error": {"code": "TooManyRequests", "message": "no"}}}
        if self.forbidden is None or name in self.forbidden:
            return {"status": 403, "body": {"error": {"code": "Forbidden", "message": "not you"}}}
        self.asked.append(name)
        if self._comes_in is not None:
            self._coming.append((self.elapsed + self._comes_in, name))
        return {"status": 204}

    def page(self, query: t.Mapping[str, str]) -> dict[str, t.Any]:
        found = list(self.devices.values())
        for relation, text in re.findall(r"lastSyncDateTime (lt|gt) (\S+)", query.get("$filter", "")):
            at = timestamps.parse(text)
            assert at is not None
            times = [(timestamps.parse(device["lastSyncDateTime"]), device) for device in found]
            found = [device for time, device in times if time and (time < at if relation == "lt" else time > at)]
        start, size = int(query.get("$skip", 0)), int(query["$top"])
        page: dict[str, t.Any] = {"value": found[start : start + size]}
        if start + size < len(found):
            more = "&".join(f"{name}={value}" for name, value in query.items() if name != "$skip")
            page["@odata.nextLink"] = f"?{more}&$skip={start + size}"
        return page


class Ran(t.NamedTuple):
    result: dict[str, t.Any]
    warnings: list[str]
    progress: list[str]


def run(tenant: Tenant, *, check_mode: bool = False, **params: t.Any) -> Ran:
    given = {**DEFAULTS, **params}
    wanted = options.read_sync_options(KIND, given)
    warnings, progress = list[str](), list[str]()
    context = Context(
        check_mode=check_mode,
        environ={},
        clock=tenant.clock,
        warn=warnings.append,
        progress=progress.append,
        hide=lambda _tokens: None,
    )
    graph_ = graph.Graph(
        "https://graph.example",
        tokens=FixedToken(),
        http=tenant,
        asker=graph_errors.Asker("app", "A and B"),
        pace=Pace(wanted.pace, 20),
    )
    session = Session(graph_, "contoso.example", t.cast(t.Any, FixedToken()))
    return Ran(
        many.synchronise(KIND, options.read_selection(KIND, given), wanted, session, context), warnings, progress
    )


def counts(result: t.Mapping[str, t.Any]) -> dict[str, int]:
    return {name: count for name, count in result["counts"].items() if count}


def test_all_that_are_old_are_asked() -> None:
    tenant = Tenant()
    old = tenant.add(3)
    tenant.add(2, age=HOUR)
    ran = run(tenant, all=True)
    assert tenant.asked == old
    assert counts(ran.result) == {"found": 3, "due": 3, "requested": 3}
    assert (ran.result["changed"], ran.result["managed_devices"], ran.warnings) == (True, [], [])
    assert ran.result["diff"] == {"before": {"due": 3}, "after": {"due": 0}}


def test_what_graph_is_asked_for() -> None:
    tenant = Tenant()
    tenant.add()
    run(
        tenant,
        all=True,
        operating_system=["Windows", "iOS"],
        compliance_state=["compliant"],
        ownership=["company"],
        device_name=["O'Brien's"],
        serial_number=["1", "2"],
        user_principal_name=["a@x", "b@x"],
    )
    query = parse_qs(urlsplit(tenant.seen[0]).query)
    assert query["$select"] == [",".join(KIND.fields)]
    assert query["$top"] == ["1000"]
    assert query["$filter"] == [
        "(operatingSystem eq 'Windows' or operatingSystem eq 'iOS') and complianceState eq 'compliant'"
        " and deviceName eq 'O''Brien''s' and (serialNumber eq '1' or serialNumber eq '2')"
        # Eight hours before now, and five minutes later than that for clocks that differ.
        " and lastSyncDateTime lt 2026-11-22T10:05:00Z"
    ]


@pytest.mark.parametrize(
    ("option", "value", "property_", "match", "other"),
    [
        ("operating_system", ["WINDOWS", "macOS"], "operatingSystem", "Windows", "iOS"),
        ("compliance_state", ["noncompliant"], "complianceState", "noncompliant", "compliant"),
        ("management_agent", ["mdm"], "managementAgent", "mdm", "easMdm"),
        ("ownership", ["company"], "managedDeviceOwnerType", "company", "personal"),
        ("user_principal_name", ["ADA@x.example"], "userPrincipalName", "ada@x.example", None),
        ("device_name", ["PC-1", "PC-2"], "deviceName", "PC-2", "PC-22"),
        ("serial_number", ["77"], "serialNumber", "77", ""),
    ],
)
def test_no_device_is_asked_that_graphs_filter_should_have_left_out(
    option: str, value: list[str], property_: str, match: str, other: str | None
) -> None:
    """It ignores them all here, as it does with what it does not support."""
    tenant = Tenant()
    wanted = tenant.add(2, **{property_: match})
    tenant.add(3, **{property_: other})
    ran = run(tenant, all=True, **{option: value})
    assert tenant.asked == wanted
    assert counts(ran.result) == {"found": 2, "due": 2, "requested": 2}


def test_a_young_device_is_not_asked_though_graph_lists_it() -> None:
    tenant = Tenant()
    tenant.add(1, age=timedelta(hours=7, minutes=58))
    tenant.page = lambda _query: {"value": list(tenant.devices.values())}  # type: ignore[method-assign]
    tenant.add(1, age=timedelta(minutes=1))
    ran = run(tenant, all=True)
    assert (tenant.asked, ran.result["changed"]) == ([], False)
    assert counts(ran.result) == {"found": 2, "fresh": 2}


@pytest.mark.parametrize("how", [{"force": True}, {"max_age": 0}])
def test_all_are_asked_whatever_their_age(how: dict[str, t.Any]) -> None:
    tenant = Tenant()
    names = tenant.add(2, age=timedelta(minutes=1))
    assert counts(run(tenant, all=True, **how).result) == {"found": 2, "due": 2, "requested": 2}
    assert tenant.asked == names
    assert "$filter" not in tenant.seen[0]


def test_the_age_is_by_graphs_clock() -> None:
    """By the host's, which is two hours behind, one that is old enough would not be listed."""
    tenant = Tenant()
    tenant.ahead = 2 * HOUR
    names = tenant.add(1, age=timedelta(hours=7))
    tenant.add(1, age=timedelta(hours=5))
    ran = run(tenant, all=True)
    assert counts(ran.result) == {"found": 1, "due": 1, "requested": 1}
    assert tenant.asked == names
    clocks = "Graph's clock and that of this host are 1 h 59 min apart; the ages of synchronisations are by Graph's."
    assert ran.warnings == [f"devices in tenant contoso.example: {clocks}"]
    assert run(tenant, all=True, force=True).warnings == []


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_a_filter_that_graph_refuses_is_left_out(status: int) -> None:
    tenant = Tenant()
    names = tenant.add(1, deviceName="A")
    tenant.add(1, deviceName="B")

    def send(method: str, url: str, **request: t.Any) -> Response:
        if "filter" in url:
            return Response(status, {"request-id": "r"}, b'{"error": {"code": "x"}}')
        return Tenant.send(tenant, method, url, **request)

    tenant.send = send  # type: ignore[method-assign]
    ran = run(tenant, all=True, device_name=["A"])
    assert tenant.asked == names
    assert ran.warnings == ["Graph does not filter the devices as it was asked to, so all of them are read."]


@pytest.mark.parametrize("answer", [Response(403, {"request-id": "r"}, b"{}"), Response(502, {}, b"{}")])
def test_what_is_wrong_besides_a_filter_is_not_tried_without_one(answer: Response) -> None:
    tenant = Tenant()
    tenant.retry_timeout = 0
    sent: list[str] = []

    def send(_method: str, url: str, **_request: t.Any) -> Response:
        sent.append(url)
        return answer

    tenant.send = send  # type: ignore[method-assign]
    with pytest.raises(errors.IntuneError):
        run(tenant, all=True)
    assert len(sent) == 1


def test_devices_that_cannot_be_asked_are_left_out_of_all_and_fail_by_id() -> None:
    tenant = Tenant()
    (jamf,), (mdm,) = tenant.add(1, managementAgent="jamf"), tenant.add(1)
    assert counts(run(tenant, all=True).result) == {"found": 2, "left_out": 1, "due": 1, "requested": 1}
    tenant.asked.clear()
    with pytest.raises(results.SyncFailed) as caught:
        run(tenant, device_ids=[jamf, mdm])
    assert tenant.asked == [mdm]
    assert caught.value.what == (
        f"1 of 2 failed - {jamf}: it is managed by jamf, which takes no synchronisation from Intune; leave it out"
    )
    (entry,) = caught.value.result["managed_devices"]
    assert (entry["state"], entry["failed"], entry["changed"]) == ("refused", True, False)
    assert caught.value.result["changed"] is True


def test_devices_by_id_are_read_by_id_and_one_that_is_gone_fails_alone() -> None:
    tenant = Tenant()
    names, gone = tenant.add(2, age=HOUR) + tenant.add(1), str(uuid.UUID(int=99))
    with pytest.raises(results.SyncFailed) as caught:
        run(tenant, device_ids=[*names, gone, names[0].upper()])
    assert all(f"?$select={','.join(KIND.fields)}" in path for path in tenant.seen)
    assert counts(caught.value.result) == {"found": 4, "fresh": 2, "due": 1, "requested": 1, "failed": 1}
    assert "the device is not in this tenant: check device_id and tenant" in caught.value.what
    assert [entry["device_id"] for entry in caught.value.result["managed_devices"]] == [gone]


def test_more_than_may_be_due_are_not_asked() -> None:
    tenant = Tenant()
    tenant.add(4)
    with pytest.raises(errors.IntuneError) as caught:
        run(tenant, all=True, max_devices=3)
    assert caught.value.what == "4 devices are due, more than max_devices (3) allows, so none was asked"
    assert tenant.asked == []
    assert run(tenant, all=True, max_devices=4).result["counts"]["requested"] == 4


def test_check_mode_asks_nobody() -> None:
    tenant = Tenant()
    tenant.add(3)
    ran = run(tenant, all=True, check_mode=True)
    assert (tenant.asked, ran.result["changed"]) == ([], True)
    assert counts(ran.result) == {"found": 3, "due": 3, "predicted": 3}
    assert ran.result["asked_device_ids"] == []


def test_who_does_not_come_in_is_no_failure() -> None:
    tenant = Tenant(comes_in=40)
    names = tenant.add(1200)
    for name in names[:30]:
        tenant.devices[name]["id"] = name.upper()
    ran = run(tenant, all=True, wait=True, return_all=True)
    assert counts(ran.result) == {"found": 1200, "due": 1200, "requested": 1200, "came_in": 1200}
    assert {entry["state"] for entry in ran.result["managed_devices"]} == {"completed"}
    tenant = Tenant()
    tenant.add(2)
    ran = run(tenant, all=True, wait=True, wait_timeout=60)
    assert counts(ran.result) == {"found": 2, "due": 2, "requested": 2}
    assert tenant.elapsed == pytest.approx(60, abs=3)
    # It looks by the list, at those that came in since.
    assert all(path.startswith("/deviceManagement/managedDevices?") for path in tenant.seen)
    assert "gt%202026-11-22T17:55:0" in tenant.seen[-1]
    assert ran.progress[-1].startswith("devices in tenant contoso.example: 0 of 2 came in, waiting for ")


def test_that_it_cannot_be_seen_who_came_in_takes_nothing_back() -> None:
    tenant = Tenant()
    tenant.add(2)
    answers = iter([None, *[Response(403, {}, b"{}")] * 9])

    def send(method: str, url: str, **request: t.Any) -> Response:
        refusal = next(answers) if method == "GET" else None
        return refusal or Tenant.send(tenant, method, url, **request)

    tenant.send = send  # type: ignore[method-assign]
    ran = run(tenant, all=True, wait=True)
    assert counts(ran.result) == {"found": 2, "due": 2, "requested": 2}
    assert len(ran.warnings) == 1
    assert "whether they came in cannot be seen: could not list them, Graph answered HTTP 403" in ran.warnings[0]


def test_an_outage_makes_no_wait_longer() -> None:
    tenant = Tenant()
    tenant.add(2)
    send = tenant.send
    began = iter([True])

    def busy(method: str, url: str, **request: t.Any) -> Response:
        listed = method == "GET" and not next(began, False)
        return Response(503, {"request-id": "r"}, b"{}") if listed else send(method, url, **request)

    tenant.send = busy  # type: ignore[method-assign]
    ran = run(tenant, all=True, wait=True, wait_timeout=60)
    assert counts(ran.result) == {"found": 2, "due": 2, "requested": 2}
    assert tenant.elapsed < 70
    assert "whether they came in cannot be seen: graph.example answered HTTP 503" in ran.warnings[0]


def test_a_single_device_that_does_not_come_in_is_no_failure() -> None:
    tenant = Tenant()
    (name,) = tenant.add()
    ran = run(tenant, device_id=name, wait=True, wait_timeout=30)
    assert (ran.result["sync"]["state"], ran.result["changed"]) == ("requested", True)
    assert run(tenant, device_id=name).result["sync"]["state"] == "requested"


def test_if_the_first_are_all_forbidden_the_rest_is_not_asked() -> None:
    tenant = Tenant()
    tenant.add(1000)
    tenant.forbidden = None
    with pytest.raises(results.SyncFailed) as caught:
        run(tenant, all=True)
    assert len(tenant.counted) == 20
    assert counts(caught.value.result) == {"found": 1000, "due": 1000, "failed": 20, "not_asked": 980}
    assert caught.value.result["changed"] is False
    assert "it was not asked, because none of the first 20 was allowed: could not request a synchronisation" in (
        caught.value.what
    )
    assert "grant the app A and B with admin consent" in caught.value.what


def test_one_that_is_forbidden_stops_nobody_else() -> None:
    tenant = Tenant()
    names = tenant.add(300)
    tenant.forbidden = set(names[1:40])
    with pytest.raises(results.SyncFailed) as caught:
        run(tenant, all=True)
    assert counts(caught.value.result) == {"found": 300, "due": 300, "requested": 261, "failed": 39}


def test_an_answer_that_was_lost_is_told_of() -> None:
    tenant = Tenant()
    names = tenant.add(2)
    lost = {"status": 502, "body": {"error": {"code": "x", "message": "gone"}}}
    ask = tenant.ask
    tenant.ask = lambda name: lost if name == names[0] else ask(name)  # type: ignore[method-assign]
    with pytest.raises(results.SyncFailed) as caught:
        run(tenant, all=True)
    assert counts(caught.value.result) == {"found": 2, "due": 2, "requested": 1, "unknown": 1}
    assert "whether Graph accepted the request is not known" in caught.value.what
    assert caught.value.result["changed"] is True
    assert sorted(caught.value.result["asked_device_ids"]) == sorted(names)


def test_a_result_never_is_too_large_for_awx() -> None:
    ends = {str(uuid.UUID(int=number)): bulk_results.End("requested") for number in range(20_000)}
    failure = errors.IntuneError("what " * 100)
    ends |= {str(uuid.UUID(int=10**6 + number)): bulk_results.End("failed", error=failure) for number in range(200)}
    with pytest.raises(results.SyncFailed) as caught:
        bulk_results.result_of(KIND, ends, due=len(ends), tenant="contoso.example", return_all=False)
    assert len(caught.value.result["asked_device_ids"]) == 15_000
    # MAX_EVENT_RES of ansible-runner, beyond which it keeps nothing of a result.
    assert len(str(caught.value.result)) < 700_000


@pytest.mark.slow
def test_ten_thousand_devices() -> None:
    tenant = Tenant(at_random=0.01)
    tenant.add(10_000)
    ran = run(tenant, all=True)
    assert counts(ran.result) == {"found": 10_000, "due": 10_000, "requested": 10_000}
    assert len(set(tenant.asked)) == len(tenant.asked) == 10_000
    floor = (10_000 / 200 - 1) * 20
    assert tenant.elapsed <= 1.1 * floor
    assert tenant.refused["random"] > 50
    assert tenant.refused["limit"] <= 200
    asked = ran.result.pop("asked_device_ids")
    assert sorted(asked) == sorted(tenant.asked)
    assert len(json.dumps(asked)) <= 40 * 10_000
    assert len(json.dumps(ran.result)) < 1000
    assert 50 < len(ran.progress) < 80
    assert re.fullmatch(
        r"devices in tenant contoso\.example: \d+ of 10000 were asked, 200 within 20 s, which leaves 1[56] min \d+ s",
        ran.progress[0],
    )


@pytest.mark.slow
def test_what_is_told_of_ten_thousand_that_fail_can_be_read() -> None:
    tenant = Tenant()
    names = tenant.add(10_000)
    tenant.limit = 10**6
    tenant.forbidden = set(names[20:])
    with pytest.raises(results.SyncFailed) as caught:
        run(tenant, all=True, requests_per_20_seconds=10**6)
    assert counts(caught.value.result) == {"found": 10_000, "due": 10_000, "requested": 20, "failed": 9980}
    assert len(caught.value.result["managed_devices"]) == 100
    assert len(json.dumps(caught.value.result)) < 100_000
    assert len(caught.value.what) < 1000
    assert "and 9975 others: could not request a synchronisation" in caught.value.what


def test_waiting_for_the_pace_is_not_of_the_time_for_tries() -> None:
    """Each has 120 seconds, and the last is asked after 180; one answer each is that there is no time."""
    tenant = Tenant()
    names, once = tenant.add(2000), set[str]()
    ask = tenant.ask

    def busy_at_first(name: str) -> dict[str, t.Any]:
        if name in names[-5:] and name not in once:
            once.add(name)
            return {"status": 429, "headers": {"Retry-After": "100"}, "body": {}}
        return ask(name)

    tenant.ask = busy_at_first  # type: ignore[method-assign]
    assert run(tenant, all=True).result["counts"]["requested"] == 2000
    assert tenant.elapsed > 280


def test_how_far_it_is() -> None:
    assert bulk.progress(1400, 10_000, 200) == "1400 of 10000 were asked, 200 within 20 s, which leaves 14 min 20 s"


@pytest.mark.parametrize("value", [[], [""]])
def test_a_list_that_came_out_empty_does_not_choose_all(value: list[str]) -> None:
    tenant = Tenant()
    tenant.add(2)
    with pytest.raises(errors.OptionError, match="serial_number is empty, so it chooses nothing"):
        run(tenant, all=True, serial_number=value)
    assert tenant.elapsed == 0


def test_an_empty_value_beside_others_chooses_nothing() -> None:
    tenant = Tenant()
    tenant.add(1, serialNumber=None)
    names = tenant.add(1, serialNumber="7")
    run(tenant, all=True, serial_number=["", "7"])
    assert tenant.asked == names


@pytest.mark.parametrize(
    ("option", "value"), [("max_devices", 0), ("requests_per_20_seconds", 0), ("device_ids", ["no guid"])]
)
def test_what_cannot_be_right_is_refused_before_any_request(option: str, value: t.Any) -> None:
    tenant = Tenant()
    with pytest.raises(errors.OptionError, match=option.rstrip("s")):
        run(tenant, **{"all": option != "device_ids", option: value})
    assert tenant.elapsed == 0
