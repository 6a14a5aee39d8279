# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in as whoever has signed in to the Azure CLI on this host."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import typing as t

from .._ground import untrusted
from .._ground.errors import SignInError
from .._ground.option_values import OptionValue
from . import runner_token
from .method import Attempt, Given, Inspection, Method


def is_installed(environ: t.Mapping[str, str]) -> bool:
    """Whether this host has it."""
    return _program(environ) is not None


def may_have_signed_in(environ: t.Mapping[str, str]) -> bool:
    """Whether somebody has signed in to it, or it cannot be told; it is not run, which takes a second.

    Where hosts come with the CLI, as those of pipelines do, that it is installed says nothing.
    """
    folder = environ.get("AZURE_CONFIG_DIR") or (f"{environ['HOME']}/.azure" if environ.get("HOME") else "")
    if not folder:
        return True
    try:
        # It writes a mark of byte order at the beginning.
        profile = json.loads(pathlib.Path(folder, "azureProfile.json").read_text(encoding="utf-8-sig"))
        return bool(profile["subscriptions"] != [])
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True


def _program(environ: t.Mapping[str, str]) -> str | None:
    return shutil.which("az", path=environ.get("PATH"))


def _sent(_given: Given) -> t.Iterator[OptionValue]:
    # What the host itself holds is nobody's who writes options.
    yield OptionValue("", METHOD.label.removeprefix("with "), False)


def _acquire(attempt: Attempt) -> t.Mapping[str, t.Any]:
    """Ask the Azure CLI, which hands the token over on its standard output.

    https://learn.microsoft.com/cli/azure/account#az-account-get-access-token
    """
    action, program = attempt.identity.action, _program(attempt.environ)
    if program is None:
        raise SignInError(
            f"{action} is not possible, because az is not installed", advice="install it, or sign in in another way"
        )
    command = [program, "account", "get-access-token", "--output", "json", "--scope", attempt.identity.hosts.scope]
    if attempt.identity.values["tenant"]:
        command += ["--tenant", attempt.identity.values["tenant"]]
    # The limit may be 0, which is no time to start a program in.
    said = _run(command, action, max(attempt.http.request_timeout, attempt.limit), attempt.environ)
    try:
        answer = json.loads(said)
        return {
            "access_token": answer["accessToken"],
            # A text where the CLI hands on what a managed identity says: azure-cli#14218.
            "expires_in": float(answer["expires_on"]) - attempt.http.clock.now().timestamp(),
        }
    except (ValueError, KeyError, TypeError):
        raise SignInError(f"{action} gave no token", advice="update the Azure CLI to 2.54.0 or later") from None


def _run(command: t.Sequence[str], action: str, budget: float, environ: t.Mapping[str, str]) -> str:
    """What a command of the Azure CLI says.

    :param action: the sign-in in words, for the sentence about a failure.
    :param budget: seconds.
    """
    try:
        # No module is at hand here, whose run_command() could take its place.
        done = subprocess.run(  # pylint: disable=ansible-bad-function
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=budget,
            check=False,
            env=environ,
            encoding="utf-8",
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        raise SignInError(f"{action} took longer than {budget:g} s", advice="raise retry_timeout") from None
    except OSError as error:
        raise SignInError(
            f"{action} failed: {untrusted.one_line(error.strerror or str(error))}", advice="check that az runs"
        ) from error
    if done.returncode:
        said = untrusted.one_line(done.stderr.replace("ERROR:", "")) or f"az ended with {done.returncode}"
        in_job = runner_token.platform(environ) is not None
        raise SignInError(
            f"{action} failed: {said.rstrip('.')}",
            advice="run 'az login' as the user of this task"
            + (", or set auth_source to oidc to ask the runner of this job for a token" if in_job else ""),
        )
    return done.stdout


def _inspect(inspection: Inspection) -> dict[str, t.Any]:
    """Tell who has signed in to the Azure CLI: https://learn.microsoft.com/cli/azure/account#az-account-show."""
    program = _program(inspection.environ)
    if program is None or inspection.http is None:
        return {}
    command = [program, "account", "show", "--output", "json"]
    try:
        found = json.loads(_run(command, "", inspection.http.request_timeout, inspection.environ))
        name, type_, tenant = found["user"]["name"], found["user"]["type"], found["tenantId"]
    except (SignInError, ValueError, KeyError, TypeError):
        return {}
    return {
        "cli_account": {
            "name": untrusted.one_line(str(name)),
            "type": untrusted.one_line(str(type_)),
            "tenant_id": untrusted.one_line(str(tenant)),
        }
    }


METHOD = Method(
    "cli",
    "with the Azure CLI",
    _acquire,
    host_variables=("AZURE_CONFIG_DIR", "HOME", "PATH"),
    uses_msal=False,
    sent=_sent,
    inspect=_inspect,
)
