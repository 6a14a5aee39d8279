# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What a kind of object is to the engine: facts, and how what Graph shows of it is read. No requests are made here."""

from __future__ import annotations

import math
import re
import typing as t
from datetime import datetime
from types import MappingProxyType

from .._ground import errors, timestamps, untrusted
from .._ground.words import Words

Entity = t.Mapping[str, t.Any]
Phase = t.Literal["idle", "running", "failed", "unknown"]
# What an answer to a request to synchronise may mean beside yes and no.
Meaning = t.Literal["running", "too_soon"]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_HALF_A_CHARACTER = re.compile("[\ud800-\udfff]")


class State(t.NamedTuple):
    """What an object shows of its synchronisations. All times in UTC, None for never or not told.

    :param succeeded: when the last one that succeeded ended.
    :param requested: when the last one was asked for by hand.
    :param ended: when the last one ended, well or not.
    :param phase: ``running``; ``failed`` if the last one did; ``idle``; ``unknown`` for a value not known here.
    :param word: Graph's own value of that, for sentences.
    :param obstacle: why a synchronisation cannot help, a clause such as ``its state is expired``; "" for nothing.
    :param expires: when the object itself ends.
    :param note: what explains that nothing comes of a synchronisation, a clause; "" for nothing.
    :param silent: what to do if no end of a synchronisation shows, a clause; "" for nothing in particular.
    """

    succeeded: datetime | None = None
    requested: datetime | None = None
    ended: datetime | None = None
    phase: Phase = "idle"
    word: str = ""
    obstacle: str = ""
    expires: datetime | None = None
    note: str = ""
    silent: str = ""

    @property
    def newest(self) -> datetime | None:
        """The newest of its times, from which the least interval between two synchronisations counts."""
        return max((time for time in (self.succeeded, self.requested, self.ended) if time), default=None)


class Filter(t.NamedTuple):
    """An option that chooses among all objects of a kind.

    :param option: its name, such as ``status``.
    :param property_: the property of Graph that has to be equal, upper and lower case being the same.
    :param choices: the values that the option takes, a list of them; none for an option that is text.
    :param several: whether the option is a list of texts, of which one has to be equal.
    :param odata: whether Graph's ``$filter`` is documented to compare the property too: ``eq`` with one value, or by
        ``or`` with several; "" for not. Whatever Graph makes of it, what it sends is filtered again here.
    """

    option: str
    property_: str
    choices: tuple[str, ...] = ()
    several: bool = False
    odata: t.Literal["", "eq", "or"] = ""

    @property
    def takes_list(self) -> bool:
        """Whether the option is a list."""
        return bool(self.choices) or self.several


class Action(t.NamedTuple):
    """How a synchronisation is asked for.

    :param path: what follows the object's own path, such as ``sync``.
    :param permissions: all that it takes, reading included, as Graph calls it.
    :param max_age: seconds for which a synchronisation is recent enough if the user does not say; by the type, if there
        are types.
    :param types: the values of ``sync_type``, the first by default, each including what those before it do.
    :param body: the content of the request, by the type; None for a request without content.
    :param answers: what an HTTP status means that is no failure by itself.
    :param interval: seconds that Intune wants between two.
    :param automatic: seconds after which Intune synchronises by itself; 0 if Microsoft does not say.
    :param repeatable_while_running: whether the service takes a request while one is running.
    :param wait: whether to wait for the end if the user does not say.
    :param end_optional: whether no failure is meant if the end does not come, as of a device that is off.
    :param pace: how many requests within 20 seconds Intune takes of an app in a tenant; 0 for as many as one likes.
    """

    path: str
    permissions: tuple[str, ...]
    max_age: t.Mapping[str, int]
    types: tuple[str, ...] = ()
    body: t.Callable[[str], t.Mapping[str, t.Any] | None] = lambda _type: None
    answers: t.Mapping[int, Meaning] = MappingProxyType({})
    interval: int = 0
    automatic: int = 0
    repeatable_while_running: bool = False
    wait: bool = True
    end_optional: bool = False
    pace: int = 0

    @property
    def permission(self) -> str:
        """All that it takes, in words."""
        return " and ".join(self.permissions)


class Kind(t.NamedTuple):
    """A kind of object.

    :param name: its name, such as ``vpp_token``.
    :param words: what it is called.
    :param path: where the objects are, below the version; of a single one, where it is.
    :param permission: what it takes to read them, as Graph calls it.
    :param state: reads what an object shows, by Graph's clock. Raises :class:`UnreadableTime`.
    :param clock: the property with the end of the last synchronisation that succeeded.
    :param status: the property that is told beside it.
    :param status_words: what that is called in sentences.
    :param fields: the properties that may be shown; ``("*",)`` for all. An object may carry secrets.
    :param action: how a synchronisation is asked for; None for what only ages.
    :param secrets: the properties that hold secrets, at whatever depth, which are masked should Graph repeat them in an
        error.
    :param api: the version of Graph that has it.
    :param singleton: whether a tenant has one at most, without an id to choose it by.
    :param key: what an object is called in results, if that is not the name.
    :param filters: the options that choose among all.
    :param obstacle_option: the option that lets a synchronisation be requested despite an obstacle when it is false.
    :param remedy: what to do about an obstacle, a clause.
    :param sorted_by: the property by which lists are sorted, and what an object is called among others.
    :param health: the property that says whether it works, if that is not ``status``.
    :param large: whether a tenant has thousands: then Graph is asked for ``fields`` only, and for those that are old,
        and what is told of many is counts.
    """

    name: str
    words: Words
    path: str
    permission: str
    state: t.Callable[[Entity, datetime | None], State]
    clock: str
    status: str
    status_words: str
    fields: tuple[str, ...]
    action: Action | None
    secrets: tuple[str, ...] = ()
    api: str = "v1.0"
    singleton: bool = False
    key: str = ""
    filters: tuple[Filter, ...] = ()
    obstacle_option: str = ""
    remedy: str = ""
    sorted_by: str = "id"
    health: str = ""
    large: bool = False

    @property
    def result_key(self) -> str:
        """What an object is called in results, such as ``vpp_token``."""
        return self.key or self.name

    @property
    def results_key(self) -> str:
        """What many of them are called in results, such as ``vpp_tokens``."""
        return f"{self.result_key}s"

    def path_of(self, name: str) -> str:
        """Where an object is, by its id."""
        return self.path if self.singleton else f"{self.path}/{name}"

    @property
    def select(self) -> str:
        """The query option that has Graph send no more than what may be shown; "" if it is to send all."""
        return f"$select={','.join(self.fields)}" if self.large else ""

    def called(self, entity: Entity) -> str:
        """What an object is called among others of its kind."""
        return self.words.one if self.sorted_by == "id" else word_of(entity, self.sorted_by)


class UnreadableTime(errors.IntuneError):
    """A time that Graph sent cannot be read.

    :param name: the property.
    """

    def __init__(self, name: str, why: str, whose: str) -> None:
        super().__init__(
            f"Graph's {name} cannot be read: {untrusted.one_line(why)}",
            advice=f"report it to graphops.intune, because without it no one can tell when the {whose} synchronised",
        )
        # As it is called in results.
        self.name = snake_case(name)


def time_of(entity: Entity, name: str, whose: str) -> datetime | None:
    """Read a time of an object. What is no text is not repeated: it may have a secret of the object in it.

    :param whose: what the object is called, for the sentence.
    :raises UnreadableTime: it is not a time.
    """
    value = entity.get(name)
    if isinstance(value, (dict, list)):
        raise UnreadableTime(name, "it is no text", whose)
    try:
        return timestamps.parse(value)
    except ValueError as error:
        raise UnreadableTime(name, str(error), whose) from error


def expiry_of(entity: Entity, name: str) -> datetime | None:
    """Read when an object ends; None if that cannot be read, as no synchronisation depends on it."""
    try:
        return time_of(entity, name, "")
    except UnreadableTime:
        return None


def word_of(entity: Entity, name: str) -> str:
    """A value of Graph's, made safe to print; ``none`` for none. As to what is no text, see :func:`time_of`."""
    value = entity.get(name) or "none"
    return "no text" if isinstance(value, (dict, list)) else untrusted.one_line(str(value))


def snake_case(name: str) -> str:
    """Translate a property's name: ``lastSyncDateTime`` becomes ``last_sync_date_time``."""
    return _WORD_START.sub("_", name).lower()


def shown(kind: Kind, entity: Entity) -> dict[str, t.Any]:
    """What may be shown of an object: its properties in snake_case, with times in UTC and None for never.

    Where they are chosen by name, each is a single value or a list of such, whatever Graph sends: no secret may come
    along within another one.
    """
    if kind.fields == ("*",):
        found = {snake_case(name): printable(value) for name, value in entity.items() if "@" not in name}
    else:
        found = {snake_case(name): _plain(name, entity.get(name)) for name in kind.fields}
    # Names that differ in case only become one; what was checked and is counted with stays.
    found.update({"id": entity["id"], snake_case(kind.clock): _time_text(entity.get(kind.clock))})
    return found


def _plain(name: str, value: t.Any) -> t.Any:
    if name.endswith("DateTime"):
        return _time_text(value)
    if isinstance(value, list):
        return [printable(part) for part in value if not isinstance(part, (dict, list))]
    return None if isinstance(value, dict) else printable(value)


def _time_text(value: t.Any) -> str | None:
    try:
        return timestamps.text(timestamps.parse(value))
    except ValueError:
        return None


def printable(value: t.Any) -> t.Any:
    """The same, without what JSON can say and no file, pipe or other JSON can hold: halves of characters, infinity."""
    if isinstance(value, str):
        return _HALF_A_CHARACTER.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {printable(name): printable(entry) for name, entry in value.items()}
    return [printable(entry) for entry in value] if isinstance(value, list) else value
