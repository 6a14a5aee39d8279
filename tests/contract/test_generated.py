# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What follows from the kinds is made from them, and is not stale."""

from __future__ import annotations

import itertools
import re
import ssl
from datetime import datetime, timezone

import generate
import messages
import pytest
import requests
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors
from ansible_collections.graphops.intune.plugins.module_utils._http import failures
from ansible_collections.graphops.intune.plugins.module_utils._identity import aadsts
from ansible_collections.graphops.intune.plugins.module_utils._kinds import registry, vpp_token
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import State
from ansible_collections.graphops.intune.plugins.module_utils._sync import options, results

FILES = generate.generated()
# What is about every kind, and carries them all.
ABOUT_ALL = (generate.OVERVIEW, generate.SIGN_IN, "fleet_sign_in", "tenant_role", "watch")


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_stale(name: str) -> None:
    path = generate.ROOT / name
    assert path.exists(), "run make generate"
    assert path.read_text(encoding="utf-8") == FILES[name], "run make generate"


def test_nothing_about_one_kind_imports_the_registry() -> None:
    """A module that is sent would carry every kind."""
    for path in (generate.ROOT / "plugins").rglob("*.py"):
        if path.stem in ABOUT_ALL:
            continue
        names = [line for line in path.read_text(encoding="utf-8").splitlines() if "import" in line]
        assert not [line for line in names if "registry" in line], path


def test_every_kind_that_can_be_synchronised_has_a_module() -> None:
    synced = {one.kind.name for one in generate.modules() if one.command == "sync"}
    assert synced == {kind.name for kind in registry.KINDS if kind.action}


def test_a_kind_is_called_as_its_file() -> None:
    assert {name: kind.name for name, kind in generate.kinds().items()} == {
        kind.name: kind.name for kind in registry.KINDS
    }


TITLES = [
    *itertools.chain(*messages.entra().values()),
    *itertools.chain(*(listed() for listed in generate.MESSAGES.values())),
]

OPTIONS = options.SyncOptions("", 3600, force=False, ignore_obstacle=False, wait=True, wait_timeout=60, wait_sleep=5)


def test_every_code_of_entra_has_a_cause_and_an_anchor_of_its_number() -> None:
    anchors: list[str] = []
    for one in itertools.chain(*messages.entra().values()):
        assert one.cause, f"{one.title}: tell in messages.CAUSES why it comes"
        anchors += re.findall(r"_`AADSTS(\d+)`", one.title)
    assert sorted(anchors) == sorted(aadsts.ADVICE)


@pytest.mark.parametrize(
    "error",
    [
        failures.no_response("h.example", requests.exceptions.ReadTimeout(), 5),
        failures.no_response("h.example", ssl.SSLCertVerificationError("x"), 5),
        failures.no_response("h.example", OSError("x"), 5),
        results.too_late(OPTIONS, datetime(2026, 1, 1, tzinfo=timezone.utc)),
        results.refused(vpp_token.KIND, OPTIONS, State(obstacle="it expired")),
        errors.MissingLibraryError(["msal"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_sentence_in_the_terminal_is_found_on_the_page(error: errors.IntuneError) -> None:
    """By the words that stay the same, and with what it says to do."""
    fitting = [one for one in TITLES if re.search(pattern_of(one.title.removeprefix("_").strip("`")), error.what)]
    assert fitting, error.what
    told = [advice for one in fitting for advice in one.advice]
    assert any(error.advice in advice or re.search(pattern_of(advice), error.advice) for advice in told), error.advice


def pattern_of(text: str) -> str:
    return re.sub(r"(?:\\\.){3}|\b[A-Z_]{4,}\b", ".*", re.escape(text.replace("\\", "")))


def test_what_is_told_of_our_own_sentences_is_of_one_that_there_is() -> None:
    titles = " ".join(one.title.replace("\\", "") for one in TITLES)
    assert [words for words in messages.MEANINGS if words not in titles] == []


def test_the_page_tells_no_title_twice() -> None:
    """An anchor leads to one place."""
    page = (generate.ROOT / "docs" / "docsite" / "rst" / "messages.rst").read_text(encoding="utf-8")
    anchors = [re.sub(r"\W+", "-", name).lower() for name in re.findall(r"_`(.+?)`(?:,|$| )", page, re.MULTILINE)]
    assert len(anchors) > 200
    assert len(anchors) == len(set(anchors))
