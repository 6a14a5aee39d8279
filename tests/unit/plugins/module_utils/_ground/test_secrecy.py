# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets in texts of others, in whatever way these are written."""

from __future__ import annotations

import base64
import html
import json
import threading
import time
import typing as t
from urllib.parse import quote, quote_plus
from xml.sax import saxutils

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import error_bodies, secrecy, untrusted
from ansible_collections.graphops.intune.plugins.module_utils._identity import method_client_secret, refusals
from hypothesis import example, given
from hypothesis import strategies as st

WAYS: dict[str, t.Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda secret: json.dumps(secret)[1:-1],
    "JSON in UTF-8": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "JSON, capital": lambda secret: "".join(f"\\u{unit:04X}" for unit in units(secret)),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret)[1:-1])[1:-1],
    "form": quote_plus,
    "address": lambda secret: quote(secret, safe=""),
    "address, small": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "address in an address": lambda secret: quote(quote(secret, safe=""), safe=""),
    "XML": saxutils.escape,
    "XML attribute": lambda secret: saxutils.escape(secret, {'"': "&quot;", "'": "&apos;"}),
    "HTML": html.escape,
    "HTML in XML": lambda secret: saxutils.escape(html.escape(secret)),
    "decimal": lambda secret: "".join(f"&#{ord(char)};" for char in secret),
    "hexadecimal": lambda secret: "".join(f"&#x{ord(char):X};" for char in secret),
    "HTML in JSON": lambda secret: json.dumps(html.escape(secret))[1:-1],
}


def units(secret: str) -> list[int]:
    content = secret.encode("utf-16-be")
    return [int.from_bytes(content[n : n + 2], "big") for n in range(0, len(content), 2)]


SECRETS = st.text(
    st.sampled_from("abcXYZ019<>&'\"\\/+%=~._- ") | st.characters(exclude_categories=["Cs", "Cc", "Cn"]),
    min_size=4,
    max_size=30,
)


@given(SECRETS, st.sampled_from(sorted(WAYS)))
@example("<w>&'\"", "XML")
@example("pass word+%41", "form")
@example("\U0001f600\u00e9", "JSON, capital")
@example("0<+\u00a0", "HTML in JSON")
# Found by chance: what is masked was masked again.
@example("****", "HTML")
def test_a_secret_is_masked_in_every_spelling(secret: str, way: str) -> None:
    secrecy._of_process.end()  # noqa: SLF001
    secrecy.hide([secret, ""])
    assert secrecy.masked(f"[{WAYS[way](secret)}]") == f"[{secrecy.MASK}]"


@pytest.mark.parametrize("user", ["", "u", "us", "app"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_masked_in_base64(user: str, encode: t.Callable[[bytes], bytes]) -> None:
    secret = "the-app's-secret\u00ff~?>"
    secrecy.hide([secret])
    content = user.encode() + b":" + secret.encode() + b"@"
    left = secrecy.masked(encode(content).decode()).replace(secrecy.MASK, "")
    assert len(left) <= 12


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("also", ["plain", "hexadecimal", "address in an address"])
def test_a_token_is_masked_however_it_is_spelt(way: str, also: str) -> None:
    """A token has nothing to be spelt in more than one way, but whoever wants it to be seen spells all of it so."""
    secrecy._of_process.end()  # noqa: SLF001
    token = "eyJ0eXAiOiJKV1QifQ." + "Abc-_0" * 250
    secrecy.hide([token])
    shown = secrecy.masked(f"You sent {WAYS[way](token)}, and {WAYS[also](token)}.")
    assert shown == f"You sent {secrecy.MASK}, and {secrecy.MASK}."


def test_what_is_no_secret_stays() -> None:
    secrecy.hide(["secret", "x"])
    text = 'A "name" \\u0041 %41 &lt; a+b'
    assert secrecy.masked(text) == text


@pytest.mark.parametrize("blanks", [0, 8180, 8192])
def test_no_part_of_a_secret_is_left_by_a_cut(blanks: int) -> None:
    secret = "0123456789<secret> \t of two words"
    secrecy.hide([secret])
    for before in (390, 400):
        texts = [
            untrusted.one_line("A" * before + " " * blanks + secret),
            error_bodies.parse_error_body(
                json.dumps({"error": {"message": "A" * before + " " * blanks + secret}})
            ).message,
            error_bodies.parse_error_body("<html><title>" + "A" * before + " " * blanks + secret).message,
            refusals.refusal(
                "sign-in",
                200,
                {"error_description": "A" * before + " " * blanks + secret},
                method=method_client_secret.METHOD,
                permission="",
            ).what,
        ]
        assert not [text for text in texts if "0123" in text]


@pytest.mark.parametrize(
    ("address", "secrets"),
    [
        ("https://host.example", set()),
        ("https://user:pass%40word@host", {"user:pass%40word", "pass%40word", "pass@word"}),
        ("user:p@ss/#w@host:8443/path", {"user:p@ss/#w", "p@ss/#w"}),
        ("https://token@host", {"token"}),
        ("https://:word@host", {":word", "word"}),
        ("https://@host", set()),
    ],
)
def test_what_is_secret_in_an_address(address: str, secrets: set[str]) -> None:
    assert secrecy.of_address(address) == secrets


def test_thousands_of_secrets_take_no_time() -> None:
    secrecy.hide(f"secret-number-{number}-{'x' * number}" for number in range(1000))
    start = time.process_time()
    for _time in range(100):
        untrusted.one_line("Exchange Server 1 of R&D + Sales")
    untrusted.one_line("a%20b&amp;c" * 10_000)
    assert time.process_time() - start < 5


@given(
    st.lists(st.text("ab<+1", min_size=1, max_size=12), min_size=1, max_size=6, unique=True),
    st.lists(st.text("ab<+1 %;&\\", max_size=30) | st.integers(0, 5), max_size=8),
    st.sampled_from(sorted(WAYS)),
)
def test_thousands_are_found_as_one_is(secrets: list[str], pieces: list[str | int], way: str) -> None:
    """Beside more than are looked for one by one, which all end alike, and one of which is part of another."""
    text = "".join(WAYS[way](secrets[one % len(secrets)]) if isinstance(one, int) else one for one in pieces)
    secrecy._of_process.end()  # noqa: SLF001
    secrecy.hide(secrets)
    few = secrecy.masked(text)
    secrecy.hide(f"another {number} that ends in {secret}" for number in range(100) for secret in secrets)
    assert secrecy.masked(text) == few
    for secret in secrets:
        assert len(secret) < 4 or secret in secrecy.MASK or secret not in secrecy.masked(text)


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_one_of_thousands_is_found_in_base64(encode: t.Callable[[bytes], bytes]) -> None:
    """As it is among a few."""
    secrets = [f"the secret {number} ~?> of an app" for number in range(1000)]
    secrecy.hide(secrets)
    for before in ("", "u", "us"):
        text = "Basic " + encode(f"{before}{secrets[500]}:".encode()).decode()
        assert secrecy.MASK in secrecy.masked(text)
        assert len(secrecy.masked(text)) <= len("Basic ") + len(secrecy.MASK) + 12


def test_twice_as_many_secrets_take_no_longer() -> None:
    """A process that asks thousands of tenants has texts and secrets of each."""

    def seconds(secrets: int) -> float:
        secrecy._of_process.end()  # noqa: SLF001
        secrecy.hide(f"secret {number:036}" for number in range(secrets))
        began = time.process_time()
        for number in range(300):
            secrecy.masked(f"the token 0a1b2c3d-3333-4ccc-8ccc-{number:012} of tenant{number}.example")
        return time.process_time() - began

    assert min(seconds(4000) for _time in range(3)) < 3 * min(seconds(250) for _time in range(3))


def test_what_is_hidden_within_a_scope_is_forgotten_with_it() -> None:
    one, other = secrecy.Scope(), secrecy.Scope()
    secrecy.hide(["for the process"])
    with one.entered():
        secrecy.hide(["for one", "for both", "for the process"])
        with other.entered():
            secrecy.hide(["for both", "for both"])
        secrecy.hide(["for one, later"])
    text = "for the process, for one, later, for both"
    assert secrecy.masked(text) == "********, ********, ********"
    one.end()
    assert secrecy.masked(text) == "********, for one, later, ********"
    other.end()
    assert secrecy.masked(text) == "********, for one, later, for both"
    with one.entered():
        secrecy.hide(["for both"])
    assert secrecy.masked(text) == "********, for one, later, ********"
    one.end()


def test_a_scope_is_that_of_its_thread() -> None:
    scope = secrecy.Scope()
    with scope.entered():
        thread = threading.Thread(target=secrecy.hide, args=(["of another thread"],))
        thread.start()
        thread.join()
    scope.end()
    assert secrecy.masked("of another thread") == "********"
