# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module that was sent shows beside its result."""

from __future__ import annotations

import logging
import types
import typing as t
import warnings

import pytest
from ansible_collections.graphops.intune.plugins.module_utils import shell


def test_nothing_that_libraries_log_leaves_a_module(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(_params: t.Any, _caller: t.Any) -> dict[str, t.Any]:
        logging.getLogger("msal").error("Token response is not in json format: the secret")
        warnings.warn("the secret", stacklevel=1)
        return {"changed": False}

    ended: list[dict[str, t.Any]] = []
    module = types.SimpleNamespace(
        params={},
        check_mode=False,
        warn=pytest.fail,
        hide=lambda _secrets: None,
        exit_json=lambda **result: ended.append(result),
    )
    shell.run(module, t.cast(t.Any, types.SimpleNamespace(run=run)))
    assert ended == [{"changed": False}]
    assert not caplog.records
    assert capfd.readouterr().err == ""
    assert logging.root.manager.disable == logging.NOTSET
