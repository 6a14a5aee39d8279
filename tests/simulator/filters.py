# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ``$filter`` of Intune's lists, with what it overlooks: an answer with too many objects, and no error.

Seen live, as told in public issue reports: a property or operator that is not supported is ignored, ``ne`` acts as
``eq`` where only that is supported, and ``in`` ends in an internal error.
"""

from __future__ import annotations

import re
import typing as t

from simulator.entity import read_time, trimmed_time
from simulator.errors import GraphError

Matches = t.Callable[[t.Mapping[str, t.Any]], bool]

_TOKEN = re.compile(r"\s*([(),]|'(?:[^']|'')*'|[^\s(),']+)")
_OPERATORS = ("eq", "ne", "lt", "le", "gt", "ge", "in")


class _Term(t.NamedTuple):
    """A part of a filter: whether an object matches, and the only property that it is about, if there is but one."""

    matches: Matches
    property: str | None


def compiled(text: str, properties: t.Collection[str], supported: t.Mapping[str, t.Collection[str]]) -> Matches:
    """Read a filter: which objects match, by their JSON.

    Parameters:
        properties: all that there are.
        supported: the operators that are not overlooked, by property; ``or`` for several values of it.
    """
    return _Reader(text, properties, supported).whole()


def _everything(_shown: t.Mapping[str, t.Any]) -> bool:
    return True


def _invalid(text: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: {text}")


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _invalid(f"there is an unterminated string literal at position {position}.")
        found.append(match.group(1))
        position = match.end()
    return found


class _Reader:
    def __init__(self, text: str, properties: t.Collection[str], supported: t.Mapping[str, t.Collection[str]]) -> None:
        self._tokens = _tokens(text.strip())
        self._properties = properties
        self._supported = supported

    def whole(self) -> Matches:
        term = self._any()
        if self._tokens:
            raise _invalid(f"syntax error at '{self._tokens[0]}'.")
        return term.matches

    def _any(self) -> _Term:
        terms = [self._all()]
        while self._took("or"):
            terms.append(self._all())
        if len(terms) == 1:
            return terms[0]
        (name, *others) = {term.property for term in terms}
        if others or name is None or "or" not in self._supported.get(name, ()):
            return _Term(_everything, None)
        return _Term(lambda shown: any(term.matches(shown) for term in terms), name)

    def _all(self) -> _Term:
        terms = [self._one()]
        while self._took("and"):
            terms.append(self._one())
        return terms[0] if len(terms) == 1 else _Term(lambda shown: all(term.matches(shown) for term in terms), None)

    def _one(self) -> _Term:
        if self._took("("):
            term = self._any()
            self._expect(")")
            return term
        name = self._next()
        if name == "contains":
            self._expect("(")
            name = self._known(self._next())
            self._expect(",")
            literal = self._next()
            self._expect(")")
            return self._comparison(name, "contains", literal)
        self._known(name)
        operator = self._next()
        if operator not in _OPERATORS:
            raise _invalid(f"'{operator}' is no operator.")
        if operator == "in":
            raise GraphError(500, "InternalServerError", "An error has occurred", "intune")
        return self._comparison(name, operator, self._next())

    def _comparison(self, name: str, operator: str, literal: str) -> _Term:
        supported = self._supported.get(name, ())
        if operator == "ne" and "ne" not in supported:
            operator = "eq"
        # That an empty text is overlooked as well was seen of userPrincipalName.
        if operator not in supported or literal == "''":
            return _Term(_everything, name)
        if operator in ("lt", "gt"):
            return _Term(_by_time(name, operator, literal), name)
        if not literal.startswith("'"):
            raise _invalid(f"'{literal}' is no text, as {name} is.")
        wanted = literal[1:-1].replace("''", "'").casefold()
        matches: dict[str, Matches] = {
            "eq": lambda shown: str(shown.get(name)).casefold() == wanted,
            "ne": lambda shown: str(shown.get(name)).casefold() != wanted,
            "contains": lambda shown: wanted in str(shown.get(name) or "").casefold(),
        }
        return _Term(matches[operator], name)

    def _known(self, name: str) -> str:
        if name not in self._properties:
            raise GraphError(400, "BadRequest", f"Could not find a property named '{name}'.")
        return name

    def _next(self) -> str:
        if not self._tokens:
            raise _invalid("it ends too early.")
        return self._tokens.pop(0)

    def _took(self, word: str) -> bool:
        if self._tokens[:1] != [word]:
            return False
        del self._tokens[0]
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise _invalid(f"'{word}' is missing.")


def _by_time(name: str, operator: str, literal: str) -> Matches:
    try:
        limit = trimmed_time(read_time(literal))[:-1]
    except ValueError as e:
        raise _invalid(f"'{literal}' is no time, as {name} is.") from e
    # Without the Z and the zeros before it, times are in the order of their texts.
    if operator == "lt":
        return lambda shown: str(shown.get(name)).rstrip("Z") < limit
    return lambda shown: str(shown.get(name)).rstrip("Z") > limit
