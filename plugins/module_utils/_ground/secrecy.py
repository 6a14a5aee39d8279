# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What must not be shown, and what takes it out of texts that others have written, in whatever way they spell it.

Ansible masks what it knows in all that is returned. It finds a secret only whole and as it is: not what is left of one
where a text was cut or its blanks were changed, and not one that a server wrote as JSON, in an address or as XML.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import html
import re
import threading
import typing as t
from collections import Counter
from html.entities import codepoint2name
from urllib.parse import quote, unquote_plus

MASK = "********"

# A token is longer, and has none of the characters that are usually spelt in more than one way.
_LONGEST_WITH_SPELLINGS = 256
# Of a shorter one, what is left between the ends of its base64 would be found anywhere.
_SHORTEST_IN_BASE64 = 14
_BASE64 = re.compile(r"[0-9A-Za-z+/_]{16}")
_RUN_OF_BASE64 = re.compile(r"[0-9A-Za-z+/_-]{14,}")
_SPELT = re.compile(r"[\\%&+]")
# JSON in JSON in a form is more than anyone has been seen to send.
_MOST_TIMES = 3
_SHORT_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}
_JSON_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"\\/bfnrt]))")

# The characters at the end of a secret by which it is found in texts. The tokens of a thousand tenants begin alike.
_END = 8
# So many secrets are sooner looked for one by one.
_FEW = 20

# By secret, how many scopes hide it: those of all identities of this process, so that whoever quotes a text need not
# know whose it is.
_hidden: Counter[str] = Counter()
_changing = threading.Lock()
_of_thread = threading.local()


class _Ends:
    """Secrets by the ends of what is looked for of them: a text is gone through once, however many there are.

    :param pieces: what is looked for of a secret.
    """

    def __init__(self, pieces: t.Callable[[str], t.Iterable[str]]) -> None:
        self._pieces = pieces
        # By the length of an end, which is less than usual for what is short; each end, and the secrets that have it.
        self._secrets: list[dict[str, set[str]]] = [{} for _length in range(_END + 1)]

    def add(self, secret: str) -> None:
        """Have a secret found."""
        for end in self._ends(secret):
            self._secrets[len(end)].setdefault(end, set()).add(secret)

    def remove(self, secret: str) -> None:
        """Have it found no longer."""
        for end in self._ends(secret):
            having = self._secrets[len(end)].get(end, set())
            having.discard(secret)
            if not having:
                self._secrets[len(end)].pop(end, None)

    def within(self, texts: t.Iterable[str]) -> set[str]:
        """The secrets of which a piece may be in one of the texts; nothing of the others is in any."""
        if len(_hidden) <= _FEW:
            return {*list(_hidden)}
        found: set[str] = set()
        for length, secrets in enumerate(self._secrets):
            if secrets:
                for text in texts:
                    for end in {text[n : n + length] for n in range(len(text) - length + 1)}:
                        if end in secrets:
                            found.update(list(secrets.get(end, ())))
        return found

    def _ends(self, secret: str) -> set[str]:
        return {piece[-_END:] for piece in self._pieces(secret)}


class Scope:
    """Has what a thread hides while it is within the scope hidden until :meth:`end`, and not until the process ends.

    A process that runs for months meets a new token every hour.
    """

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    @contextlib.contextmanager
    def entered(self) -> t.Iterator[None]:
        """Have this thread be within the scope."""
        outer: Scope | None = getattr(_of_thread, "scope", None)
        _of_thread.scope = self
        try:
            yield
        finally:
            _of_thread.scope = outer

    def add(self, secrets: t.Iterable[str]) -> None:
        """Hide secrets."""
        with _changing:
            new = set(secrets) - self._secrets
            self._secrets |= new
            for secret in new - _hidden.keys():
                _whole.add(secret)
                _encoded.add(secret)
            _hidden.update(new)

    def end(self) -> None:
        """Hide them no longer."""
        with _changing:
            _hidden.subtract(self._secrets)
            for secret in self._secrets:
                if not _hidden[secret]:
                    del _hidden[secret]
                    _whole.remove(secret)
                    _encoded.remove(secret)
            self._secrets.clear()


_of_process = Scope()


def hide(secrets: t.Iterable[str]) -> None:
    """Let :func:`masked` know secrets, until the process ends or the :class:`Scope` that this thread is in."""
    scope: Scope = getattr(_of_thread, "scope", None) or _of_process
    scope.add(secret for secret in secrets if secret)


def masked(text: str) -> str:
    """Return ``text`` with each secret masked in every spelling that JSON, an address, XML or base64 has for it."""
    readings = _readings(text)
    found = [secret for secret in _whole.within(readings) if any(secret in reading for reading in readings)]
    # The longest first: one may be part of another.
    for secret in sorted(found, key=len, reverse=True):
        if len(secret) <= _LONGEST_WITH_SPELLINGS:
            text = _spellings(secret).sub(MASK, text)
            continue
        text = text.replace(secret, MASK)
        while True:
            # Only an attacker spells a token in another way, and then gets to see what its text means.
            meant = next((reading for reading in _readings(text) if secret in reading), None)
            if meant is None:
                break
            text = meant.replace(secret, MASK)
    if _BASE64.search(text):
        # What base64 has of a secret is in one piece.
        found = [*_encoded.within(_RUN_OF_BASE64.findall(text))]
        for core in [core for secret in found for core in _in_base64(secret) if core in text]:
            text = text.replace(core, MASK)
    return text


def may_hide(text: str) -> bool:
    """Whether a secret may stand in ``text`` in another spelling than its own; cheaper than to look for it."""
    return bool(_SPELT.search(text) or _BASE64.search(text))


def of_address(address: str) -> set[str]:
    """What is secret in an address, if it has a user or a password in it: these, as they stand and as they are meant.

    :param address: such as ``https://user:password@host``; it need not be right.
    """
    before, at, _host = address.rpartition("@")
    if not at:
        return set()
    user_and_password = before.rpartition("://")[2]
    # A user without a password is a token, as for Git.
    word = user_and_password.partition(":")[2] or user_and_password
    return {user_and_password, word, unquote_plus(word)} - {""}


def _readings(text: str) -> set[str]:
    """What a text may mean: as it is, and once or several times decoded."""
    decoders: tuple[t.Callable[[str], str], ...] = (html.unescape, unquote_plus, _unescaped)
    found = new = {text}
    for _time in range(_MOST_TIMES):
        new = {decode(reading) for reading in new for decode in decoders} - found
        found = found | new
    return found


def _unescaped(text: str) -> str:
    """Take JSON's escapes out of a text that is a part of JSON, or JSON in JSON."""

    def meant(escape: re.Match[str]) -> str:
        if escape[1]:
            return chr(int(escape[1], 16))
        return next(char for char, letter in _SHORT_ESCAPES.items() if letter == escape[2])

    plain = _JSON_ESCAPE.sub(meant, text) if "\\" in text else text
    # Two halves of a character become it.
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


@functools.lru_cache(maxsize=1024)
def _spellings(secret: str) -> re.Pattern[str]:
    return re.compile("".join(_spelt(char) for char in secret))


def _spelt(char: str) -> str:
    """A pattern for a character in each way it may be written, also if that was written so once more."""
    number = ord(char)
    units = char.encode("utf-16-be", "surrogatepass")
    escaped = "".join(rf"\\+u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))
    percent = quote(char, safe="", errors="surrogatepass")
    if percent == char:
        percent = f"%{number:02X}"
    ways = [
        f"(?i:{escaped})",
        f"(?i:{percent.replace('%', '%(?:25)*')})",
        rf"&(?:amp;)*#0*{number};?",
        rf"(?i:&(?:amp;)*#x0*{number:x};?)",
    ]
    if char in _SHORT_ESCAPES:
        ways.insert(0, rf"\\+{re.escape(_SHORT_ESCAPES[char])}")
    name = "apos" if char == "'" else codepoint2name.get(number)
    if name:
        ways.insert(0, f"&(?:amp;)*{name};?")
    if char == " ":
        ways.append(r"\+")
    ways.append(re.escape(char))
    return f"(?:{'|'.join(ways)})"


@functools.lru_cache(maxsize=1024)
def _in_base64(secret: str) -> tuple[str, ...]:
    """What base64 of a longer text has of a secret in it, by the three places where it may begin."""
    content = secret.encode(errors="surrogatepass")
    if len(content) < _SHORTEST_IN_BASE64:
        return ()
    found = []
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + content)
        # The ends depend on what stands beside it.
        whole = encoded[(0, 2, 3)[before] : len(encoded.rstrip(b"=")) - (0 if (before + len(content)) % 3 == 0 else 1)]
        found += [whole.decode(), whole.translate(bytes.maketrans(b"+/", b"-_")).decode()]
    return tuple(dict.fromkeys(found))


# What is looked for: secrets as they are, and what base64 has of them.
_whole, _encoded = _Ends(lambda secret: (secret,)), _Ends(_in_base64)
