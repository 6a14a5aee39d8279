# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Azure CLI: what it is asked, and what it says."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import SignInError


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> t.Callable[[str], Path]:
    """Put a shell script on PATH as ``az``; it writes its arguments to the file that is returned."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for name in ("GITHUB_ACTIONS", "ACTIONS_ID_TOKEN_REQUEST_URL", "TF_BUILD", "SYSTEM_OIDCREQUESTURI"):
        monkeypatch.delenv(name, raising=False)

    def write(script: str) -> Path:
        arguments = tmp_path / "arguments"
        program = tmp_path / "az"
        program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {arguments}\n{script}\n', encoding="utf-8")
        program.chmod(0o755)
        return arguments

    return write


def printed(clock: t.Any, **change: t.Any) -> str:
    expires_on = int(clock.handed.now().timestamp()) + 3600
    return json.dumps({"accessToken": "of-az", "expires_on": expires_on, "tokenType": "Bearer", **change})


CLI = {"auth_source": "cli"}


@pytest.mark.parametrize("tenant", ["", "contoso.example"])
def test_the_azure_cli_is_asked(wire: t.Any, clock: t.Any, az: t.Any, tenant: str, sign_in: t.Any) -> None:
    arguments = az(f"echo '{printed(clock)}'; echo WARNING: new version >&2")
    who = sign_in(wire, {**CLI, "tenant": tenant})
    assert who.token() == "of-az"
    assert arguments.read_text().splitlines() == [
        "account", "get-access-token", "--output", "json", "--scope", "https://graph.example/.default",
        *(["--tenant", tenant] if tenant else []),
    ]  # fmt: skip
    arguments.unlink()
    clock.pass_by(3299)
    who.token()
    assert not arguments.exists()
    clock.pass_by(1)
    who.token()
    assert arguments.exists()


def test_the_azure_cli_may_write_the_end_as_a_text(wire: t.Any, clock: t.Any, az: t.Any, sign_in: t.Any) -> None:
    arguments = az(f"echo '{printed(clock, expires_on=str(int(clock.handed.now().timestamp()) + 3600))}'")
    who = sign_in(wire, CLI)
    assert who.token() == "of-az"
    arguments.unlink()
    clock.pass_by(3299)
    who.token()
    assert not arguments.exists()


def test_the_azure_cli_is_not_hurried_when_nothing_is_to_be_repeated(
    wire: t.Any, clock: t.Any, az: t.Any, sign_in: t.Any
) -> None:
    az(f"echo '{printed(clock)}'")
    wire.retry_timeout = 0
    assert sign_in(wire, CLI).token() == "of-az"


def test_the_azure_cli_is_that_of_the_environment(wire: t.Any, clock: t.Any, az: t.Any, sign_in: t.Any) -> None:
    arguments = az(f'echo "$AZURE_CONFIG_DIR" >> "$0.told"; echo \'{printed(clock)}\'')
    environ = {**os.environ, "AZURE_CONFIG_DIR": "/profile/of/the/host"}
    who = sign_in(wire, CLI, environ=environ)
    assert who.token() == "of-az"
    assert (arguments.parent / "az.told").read_text() == "/profile/of/the/host\n"


DOING = "sign-in with the Azure CLI"
LOGIN = "run 'az login' as the user of this task."


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
         f"{DOING} failed: Please run 'az login' to setup account; {LOGIN}"),
        ("echo secret; exit 3", f"{DOING} failed: az ended with 3; {LOGIN}"),
        ("printf '\\033[31mERROR: two\\nlines\\377\\n' >&2; exit 1", f"{DOING} failed: [31m two lines\ufffd; {LOGIN}"),
        ("echo nonsense", f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
        ("true", f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
        ("echo '[]'", f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
        ("echo '{\"accessToken\": \"x\", \"expiresOn\": \"2026-11-22 18:00:00\"}'",
         f"{DOING} gave no token; update the Azure CLI to 2.54.0 or later."),
    ],
)  # fmt: skip
def test_what_the_azure_cli_says_is_told(wire: t.Any, az: t.Any, script: str, sentence: str, sign_in: t.Any) -> None:
    az(script)
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == sentence


def test_an_azure_cli_that_takes_too_long(wire: t.Any, az: t.Any, sign_in: t.Any) -> None:
    az("exec sleep 60")
    wire.request_timeout = wire.retry_timeout = 1
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == f"{DOING} took longer than 1 s; raise retry_timeout."


def test_an_azure_cli_that_does_not_start(wire: t.Any, az: t.Any, tmp_path: Path, sign_in: t.Any) -> None:
    az("")
    (tmp_path / "az").write_text("#!/nowhere/python\n", encoding="utf-8")
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == f"{DOING} failed: No such file or directory; check that az runs."


def test_no_azure_cli(wire: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.sentence() == (
        f"{DOING} is not possible, because az is not installed; install it, or sign in in another way."
    )


def test_a_job_is_told_that_it_may_do_without_the_azure_cli(
    wire: t.Any, az: t.Any, monkeypatch: pytest.MonkeyPatch, sign_in: t.Any
) -> None:
    """As where all hosts of a pipeline have the CLI, and the job lacks the right to ask its runner."""
    az("exit 1")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with pytest.raises(SignInError) as caught:
        sign_in(wire, CLI).token()
    assert caught.value.advice == (
        "run 'az login' as the user of this task, or set auth_source to oidc to ask the runner of this job for a token"
    )
