# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What users read is kept in files, so that nobody changes it without seeing it."""

from __future__ import annotations

import os
from html.parser import HTMLParser
from pathlib import Path

from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._report import fleet_report, fleet_summary

HERE = Path(__file__).resolve().parent
# Set to anything, this writes the files anew instead of comparing them.
WRITE = bool(os.environ.get("GRAPHOPS_TEST_WRITE"))

WORDS = {exchange_connector.KIND.name: exchange_connector.KIND.words}
STARTED, FINISHED = "2026-11-22T18:00:00Z", "2026-11-22T18:06:10Z"


def compare(name: str, found: str) -> None:
    path = HERE / name
    if WRITE:
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8"), f"if this is meant: GRAPHOPS_TEST_WRITE=1, and read {name}"


def test_every_sentence_of_the_plugins() -> None:
    import sentences

    compare("sentences.txt", sentences.sentences())


def entries() -> list[fleet_summary.Entry]:
    """One connector for each outcome."""
    sync = {"type": "deltaSync", "age": 10_800, "max_age": 7200, "previous_sync_date_time": "2026-11-22T15:00:00Z"}
    known = {"last_sync_date_time": "2026-11-22T15:00:00Z", "status": "connected"}

    def entry(host: str, **result: object) -> fleet_summary.Entry:
        return fleet_summary.entry(host, result, tenant="contoso.example", connector_id=f"id-of-{host}")

    def done(state: str, **more: object) -> dict[str, object]:
        return {"sync": {**sync, "state": state, "reason": "it is 3 h old"}, "connector": known, **more}

    refused = "could not read it, Graph answered HTTP 404."
    return [
        entry("oslo", failed=True, msg=refused, request_id="r-1"),
        entry("rome", **done("unknown", failed=True, changed=True, msg="its answers were lost.")),
        entry("bonn", **done("requested", changed=True)),
        entry("nice", **done("completed", changed=True)),
        entry("kyiv", **done("predicted", changed=True)),
        entry("york", **done("fresh")),
        entry("graz", skipped=True, msg="not begun, as too many others had failed."),
    ]


def test_the_summary_of_a_run() -> None:
    of = fleet_summary.summary(entries(), started=STARTED, finished=FINISHED)
    well = fleet_summary.summary(entries()[3:4], started=STARTED, finished=FINISHED)
    compare(
        "summary.txt",
        "\n\n".join(fleet_report.table(one, WORDS) for one in (of, well, fleet_summary.summary([]))) + "\n",
    )


class Visible(HTMLParser):
    """The text of a page, without style and script."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside.append(tag)
        self.lines += [f"({value})" for name, value in attrs if name in ("aria-label", "title") and value]

    def handle_endtag(self, tag: str) -> None:
        self._inside.append("/" + tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and self._inside[-1] not in ("style", "script"):
            self.lines.append(" ".join(data.split()))


def test_the_page_of_a_run() -> None:
    page = Visible()
    page.feed(fleet_report.render("x.html", entries(), WORDS, started=STARTED, finished=FINISHED))
    compare("page.txt", "\n".join(page.lines) + "\n")
