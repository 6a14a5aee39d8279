# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What node_exporter's textfile collector reads of a run, checked by Prometheus' own tool."""

from __future__ import annotations

import re
import shutil
import subprocess
import typing as t

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._report import prometheus_text
from ansible_collections.graphops.intune.plugins.module_utils._report.fleet_summary import Entry

PROMTOOL = shutil.which("promtool")
FINISHED = "2026-11-22T18:06:10Z"


def made(host: str = "Contoso", **changes: t.Any) -> Entry:
    values: dict[str, t.Any] = {
        "host": host,
        "tenant": "contoso.example",
        "connector_id": "id-1",
        "server_name": "Token",
        "outcome": "fresh",
        "reason": "",
        "changed": False,
        "age_before": 60,
        "age_after": 60,
        "max_age": 7200,
        "previous_sync_date_time": None,
        "last_sync_date_time": None,
        "status": "",
        "sync_type": "",
        "request_id": "",
        "kind": "vpp_token",
        "expires_date_time": "2026-12-01T00:00:00Z",
        "days_left": 8,
    }
    return Entry(**{**values, **changes})


def unread(host: str, kind: str) -> Entry:
    nothing = dict.fromkeys(("age_before", "age_after", "max_age", "expires_date_time", "days_left"))
    return made(host, outcome="unreadable", kind=kind, connector_id="", server_name="", **nothing)


def text_of(*some: Entry, tenants: dict[str, str] | None = None, report: str = "night") -> str:
    return prometheus_text.to_prometheus(some, report=report, finished=FINISHED, tenants=tenants)


def values_of(text: str, metric: str) -> dict[str, str]:
    return dict(re.findall(rf"^intune_sync_{metric}\{{(.*)\}} (\S+)$", text, re.MULTILINE))


HOSTILE = 'a "quoted"\\ name\nof 界 \\n {x="y"} 1\r\t\x00\udc80'
FLEETS = {
    "tenants": ([made(), unread("Fabrikam", "tenant")], {"Contoso": "contoso.example", "Empty": ""}),
    "connectors": ([made(kind="exchange_connector", days_left=None, expires_date_time=None)], None),
    "hostile": ([made(HOSTILE, tenant=HOSTILE, connector_id=HOSTILE, server_name=HOSTILE)], {HOSTILE: HOSTILE}),
    "nothing": ([], {}),
    "long past": ([made(days_left=-100_000, expires_date_time="garbage", age_after=10**10)], {}),
}


@pytest.mark.parametrize("name", FLEETS)
def test_prometheus_reads_it_without_complaint(name: str) -> None:
    if not PROMTOOL:
        pytest.skip("promtool is not installed; it is in Debian's package prometheus")
    some, tenants = FLEETS[name]
    text = text_of(*some, tenants=tenants, report=name)
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize("name", FLEETS)
def test_there_are_gauges_only_and_each_series_once(name: str) -> None:
    some, tenants = FLEETS[name]
    # The same thing twice, as from two batches.
    lines = text_of(*some, *some, tenants=tenants).split("\n")
    assert lines.pop() == ""
    types = [line for line in lines if line.startswith("# TYPE")]
    assert types
    assert all(line.endswith(" gauge") for line in types)
    series = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(series) == len({*series})
    # The collector takes no times, and OpenMetrics' end is a comment to it.
    assert all(re.fullmatch(r"intune_sync_[a-z_]+\{.*\} -?[0-9.e+]+", line) for line in lines if line[0] != "#")
    assert "# EOF" not in lines


def test_two_files_share_their_help_and_no_series() -> None:
    """Else node_exporter tells nothing at all of its machine."""
    one, other = (text_of(made(), tenants={}, report=report).splitlines() for report in ("a", "b"))
    assert [line for line in one if line[0] == "#"] == [line for line in other if line[0] == "#"]
    assert not {line for line in one if line[0] != "#"} & {line for line in other if line[0] != "#"}


def test_labels_are_escaped_and_nothing_else_is() -> None:
    line = next(line for line in text_of(made('a "b"\\\nc')).split("\n") if line.startswith("intune_sync_age_seconds"))
    assert r'host="a \"b\"\\\nc",' in line


def test_what_the_series_say() -> None:
    tenants = {"Contoso": "contoso.example", "Fabrikam": "", "Empty": ""}
    text = text_of(made(), unread("Contoso", "autopilot"), unread("Fabrikam", "tenant"), tenants=tenants)
    of = 'report="night",host="Contoso",tenant="contoso.example",kind="vpp_token",id="id-1",name="Token"'
    assert values_of(text, "age_seconds") == {of: "60"}
    assert values_of(text, "max_age_seconds") == {of: "7200"}
    assert values_of(text, "until_expiry_seconds") == {of: "691200"}
    assert values_of(text, "expiry_time_seconds") == {of: "1796083200"}
    assert values_of(text, "outcome") == {f'{of},outcome="fresh"': "1"}
    assert values_of(text, "run_end_time_seconds") == {'report="night"': "1795370770"}
    assert sorted(values_of(text, "tenant_unreadable").values()) == ["0", "1", "1"]
    counts = values_of(text, "results")
    assert (counts['report="night",outcome="unreadable"'], counts['report="night",outcome="failed"']) == ("2", "0")


def test_a_tenant_is_called_the_same_whether_it_can_be_read_or_not() -> None:
    """A host whose entry does not name the tenant is no second series."""
    text = text_of(unread("Contoso", "tenant")._replace(tenant=""), tenants={"Contoso": "contoso.example"})
    assert values_of(text, "tenant_unreadable") == {'report="night",host="Contoso",tenant="contoso.example"': "1"}


def test_of_two_results_of_one_thing_the_worse_is_told() -> None:
    text = text_of(made(age_after=60), made(outcome="failed", age_after=9000), tenants={})
    assert [labels.rpartition(",")[2] for labels in values_of(text, "outcome")] == ['outcome="failed"']
    assert [*values_of(text, "age_seconds").values()] == ["9000"]
