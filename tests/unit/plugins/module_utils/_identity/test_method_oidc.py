# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A federated token, as an option or in a file."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import OptionError

TENANT = {"tenant": "contoso.example", "client_id": "app"}


def test_a_federated_token_from_a_file_is_a_secret_like_the_option(wire: t.Any, tmp_path: Path, sign_in: t.Any) -> None:
    file = tmp_path / "federated"
    file.write_text("federated.token", encoding="ascii")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    assert {"federated.token", "token-1"} <= who.tokens


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def test_the_file_with_the_federated_token_is_read_for_each_sign_in(
    wire: t.Any, tmp_path: Path, sign_in: t.Any
) -> None:
    file = tmp_path / "token"
    file.write_text("\ufefffirst\n", encoding="utf-8")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    file.write_text("second", encoding="ascii")
    who.replace_token("token-1")
    assert [_text(request.data["client_assertion"]) for request in wire.sent("token")] == ["first", "second"]


def test_a_federated_token_as_option(wire: t.Any, sign_in: t.Any) -> None:
    sign_in(wire, {**TENANT, "oidc_token": "given", "oidc_token_file_path": "/nowhere"}).token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) == "given"


def test_the_option_with_the_federated_token_wins_over_the_environment(
    wire: t.Any, tmp_path: Path, sign_in: t.Any
) -> None:
    file = tmp_path / "token"
    file.write_text("of the option", encoding="ascii")
    options = {**TENANT, "oidc_token_file_path": str(file)}
    sign_in(wire, options, environ={"AZURE_FEDERATED_TOKEN": "of the environment"}).token()
    assert _text(wire.sent("token")[0].data["client_assertion"]) == "of the option"


@pytest.mark.parametrize(
    ("content", "clause"),
    [
        (None, "cannot be read: No such file or directory; name a file that this user may read."),
        (b"\xff\xfe", "cannot be read: it is not text; name a file that this user may read."),
        (b" \n", "is empty; see that the platform writes its token there."),
    ],
)
def test_a_token_file_that_is_no_use(
    wire: t.Any, tmp_path: Path, content: bytes | None, clause: str, sign_in: t.Any
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(OptionError) as caught:
        sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    assert caught.value.sentence() == f"oidc_token_file_path {str(file)!r} {clause}"
    file.write_text("good", encoding="ascii")
    who = sign_in(wire, {**TENANT, "oidc_token_file_path": str(file)})
    who.token()
    file.unlink()
    with pytest.raises(OptionError, match="cannot be read: No such file"):
        who.replace_token("token-1")
