# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What the user wants of a kind of object: the argument specs, and the options that were read from them."""

from __future__ import annotations

import collections
import typing as t

from .._ground import option_values, tenant_ids
from .._ground.errors import OptionError
from .._http import connection
from .._identity import identity
from .._kinds.kind import Action, Entity, Kind

# What can be wrong with an object that a host of a fleet is about.
TROUBLES = ("failed", "obstacle", "unreadable")


class SyncOptions(t.NamedTuple):
    """When to ask for a synchronisation, and how to wait for it; times in seconds, names as in the modules.

    :param sync_type: one of the action's types; "" if it has none.
    :param ignore_obstacle: whether to ask although nothing can come of it.
    :param pace: how many requests may be made within 20 seconds; 0 for as many as one likes.
    """

    sync_type: str
    max_age: int
    force: bool
    ignore_obstacle: bool
    wait: bool
    wait_timeout: int
    wait_sleep: int
    pace: int = 0

    @property
    def noun(self) -> str:
        """What is asked for, in a sentence."""
        return self.sync_type or "synchronisation"


class Selection(t.NamedTuple):
    """Which objects of a kind are meant.

    :param ids: their ids, each once; of a single one, that is all there is. None with ``everything``.
    :param many: whether they were named as a list, or all are meant.
    :param everything: all of the tenant, as far as ``filters`` let them through.
    :param filters: by the property of Graph, the values of which one has to be equal, in lower case.
    :param repeated: the ids that were named more than once.
    :param clauses: what of the filters Graph may apply, too, in the words of its ``$filter``.
    :param at_most: how many may be due; None for any number.
    :param return_all: whether to tell what came of each of thousands, and not only of those that failed.
    """

    ids: tuple[str, ...]
    many: bool
    everything: bool
    filters: t.Mapping[str, t.AbstractSet[str]]
    repeated: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    at_most: int | None = None
    return_all: bool = False


def sync_spec(kind: Kind) -> dict[str, t.Any]:
    """The argument spec of the module that synchronises this kind."""
    action = action_of(kind)
    types = {"type": "str", "default": action.types[0], "choices": list(action.types)} if action.types else None
    max_age: dict[str, t.Any] = {"type": "int"}
    if not action.types:
        max_age["default"] = action.max_age[""]
    return {
        **selection_spec(kind),
        **({"sync_type": types} if types else {}),
        "max_age": max_age,
        "force": {"type": "bool", "default": False},
        **({kind.obstacle_option: {"type": "bool", "default": True}} if kind.obstacle_option else {}),
        "wait": {"type": "bool", "default": action.wait},
        "wait_timeout": {"type": "int", "default": 900},
        "wait_sleep": {"type": "int", "default": 15, "aliases": ["interval"]},
        **({"requests_per_20_seconds": {"type": "int", "default": action.pace}} if action.pace else {}),
        **identity.identity_spec(),
        **connection.connection_spec(),
    }


def selection_spec(kind: Kind) -> dict[str, t.Any]:
    """The argument spec of the options that choose among the objects of a kind; empty if a tenant has one at most.

    An id is no secret, though ansible-core takes some of these names for one.
    """
    if kind.singleton:
        return {}
    words = kind.words
    return {
        words.id_option: {"type": "str", "no_log": False},
        words.ids_option: {"type": "list", "elements": "str", "no_log": False},
        "all": {"type": "bool", "default": False},
        **filter_spec(kind),
        **({_most(kind): {"type": "int"}, "return_all": {"type": "bool", "default": False}} if kind.large else {}),
    }


def _most(kind: Kind) -> str:
    return f"max_{kind.words.short_many}"


def filter_spec(kind: Kind) -> dict[str, t.Any]:
    """The argument spec of the options that choose among all objects of a kind.

    The name of a token is no secret either.
    """
    return {
        one.option: {
            **({"type": "list", "elements": "str"} if one.takes_list else {"type": "str"}),
            **({"choices": list(one.choices)} if one.choices else {}),
            "no_log": False,
        }
        for one in kind.filters
    }


def host_spec(kind: Kind) -> dict[str, t.Any]:
    """The argument spec of one host of a fleet: that of the module for a single object."""
    of_many = {*selection_spec(kind)} - {kind.words.id_option}
    return {name: option for name, option in sync_spec(kind).items() if name not in of_many}


def fleet_spec() -> dict[str, t.Any]:
    """The argument spec of what a role over a fleet has beside the options of its hosts."""
    return {
        "max_failures": {"type": "str", "default": ""},
        "report_path": {"type": "path"},
    }


def tenant_kinds(kinds: t.Iterable[Kind]) -> dict[str, Kind]:
    """By name, the kinds that a tenant is kept up to date in: those that can be asked for, and are no thousands."""
    return {kind.name: kind for kind in kinds if kind.action and not kind.large}


def tenant_spec(kinds: t.Iterable[Kind]) -> dict[str, t.Any]:
    """The argument spec of a host that is a tenant.

    :param kinds: all that are known.
    """
    return {
        "kinds": {"type": "list", "elements": "str", "choices": list(tenant_kinds(kinds))},
        # A number, or a dictionary from kind to number.
        "max_age": {"type": "raw"},
        "force": {"type": "bool", "default": False},
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "int", "default": 900},
        "wait_sleep": {"type": "int", "default": 15, "aliases": ["interval"]},
        "fail_on": {
            "type": "list",
            "elements": "str",
            "choices": list(TROUBLES),
            "default": ["failed", "unreadable"],
        },
        "warn_days": {"type": "int", "default": 30},
        **identity.identity_spec(),
        **connection.connection_spec(),
    }


def read_tenant_options(kinds: t.Iterable[Kind], params: t.Mapping[str, t.Any]) -> list[tuple[Kind, SyncOptions]]:
    """Read what is wanted of each kind of a tenant.

    :param kinds: all that are known.
    :param params: as :func:`tenant_spec` says.
    :raises OptionError: one of them cannot be right.
    """
    option_values.at_least(1, params, ("wait_timeout", "wait_sleep"))
    option_values.at_least(0, params, ("warn_days",), "days")
    known = tenant_kinds(kinds)
    chosen = [known[name] for name in dict.fromkeys(params["kinds"] or known)]
    ages = read_max_age(known, params["max_age"])
    found = []
    for kind in chosen:
        action = action_of(kind)
        sync_type = action.types[0] if action.types else ""
        options = SyncOptions(
            sync_type=sync_type,
            max_age=ages.get(kind.name, action.max_age[sync_type]),
            force=params["force"],
            ignore_obstacle=False,
            wait=params["wait"],
            wait_timeout=params["wait_timeout"],
            wait_sleep=params["wait_sleep"],
        )
        found.append((kind, options))
    return found


def read_max_age(kinds: t.Iterable[str], value: t.Any) -> dict[str, int]:
    """Read ``max_age`` where it may be a number for all kinds, or a dictionary from kind to number, in seconds.

    :param kinds: the names of the kinds that there may be.
    :returns: the number by kind, for those for which one is given.
    :raises OptionError: it is neither.
    """
    if value in (None, ""):
        return {}
    if not isinstance(value, t.Mapping):
        return dict.fromkeys(kinds, _seconds(value, "max_age"))
    known = set(kinds)
    for name in value:
        if name not in known:
            raise OptionError(f"max_age names {name!r}, which is no kind", advice=f"give {', '.join(sorted(known))}")
    return {name: _seconds(number, f"max_age of {name}") for name, number in value.items() if number is not None}


def _seconds(value: t.Any, what: str) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not (text.isascii() and text.isdigit()):
        raise OptionError(f"{what} is {value!r}", advice="give a number of seconds, 0 or more")
    return int(text)


def info_spec(kind: Kind) -> dict[str, t.Any]:
    """The argument spec of the module that lists this kind."""
    return {
        kind.words.id_option: {"type": "str", "no_log": False},
        **filter_spec(kind),
        **identity.identity_spec(),
        **connection.connection_spec(),
    }


def action_of(kind: Kind) -> Action:
    """How this kind is synchronised, of which there has to be a way."""
    if kind.action is None:
        raise TypeError(f"{kind.name} has no action")
    return kind.action


def read_sync_options(kind: Kind, params: t.Mapping[str, t.Any]) -> SyncOptions:
    """Read a module's parameters (:func:`sync_spec`) as far as they say when to ask and how to wait.

    :raises OptionError: one of them cannot be right.
    """
    option_values.at_least(0, params, ("max_age",))
    option_values.at_least(1, params, ("wait_timeout", "wait_sleep"))
    if action_of(kind).pace:
        option_values.at_least(1, params, ("requests_per_20_seconds",))
    sync_type = params.get("sync_type") or ""
    max_age = params["max_age"]
    return SyncOptions(
        sync_type=sync_type,
        max_age=action_of(kind).max_age[sync_type] if max_age is None else max_age,
        force=params["force"],
        ignore_obstacle=bool(kind.obstacle_option) and not params[kind.obstacle_option],
        wait=params["wait"],
        wait_timeout=params["wait_timeout"],
        wait_sleep=params["wait_sleep"],
        pace=params["requests_per_20_seconds"] if action_of(kind).pace else 0,
    )


def read_selection(kind: Kind, params: t.Mapping[str, t.Any]) -> Selection:
    """Read a module's parameters as far as they say which objects are meant.

    :raises OptionError: an id is no GUID, or not one of the ways to choose is given alone.
    """
    words = kind.words
    if kind.singleton:
        return Selection(("",), many=False, everything=False, filters={})
    one, many, every = params[words.id_option], params[words.ids_option], params["all"]
    if sum((bool(one), many is not None, bool(every))) != 1:
        raise OptionError(
            f"which {words.short}s to synchronise is not clear",
            advice=f"give exactly one of {words.id_option}, {words.ids_option} and all",
        )
    given = [filter_.option for filter_ in kind.filters if params.get(filter_.option)]
    if given and not every:
        raise OptionError(f"{given[0]} chooses among all {words.short}s", advice="give it together with all only")
    for filter_ in kind.filters if kind.large else ():
        value = params.get(filter_.option)
        # Of thousands, a list that came out empty must not choose all: DeviceOffboardingManager#49.
        if value is not None and not any(value):
            raise OptionError(f"{filter_.option} is empty, so it chooses nothing", advice="leave it out to choose all")
    ids = [guid(kind, name) for name in ([one] if one else many or [])]
    at_most = params[_most(kind)] if kind.large else None
    if at_most is not None:
        option_values.at_least(1, params, (_most(kind),))
    return Selection(
        tuple(dict.fromkeys(ids)),
        many=not one,
        everything=bool(every),
        filters=read_filters(kind, params),
        repeated=tuple(name for name, count in collections.Counter(ids).items() if count > 1),
        clauses=read_clauses(kind, params),
        at_most=at_most,
        return_all=kind.large and params["return_all"],
    )


def read_filters(kind: Kind, params: t.Mapping[str, t.Any]) -> dict[str, t.AbstractSet[str]]:
    """Read the options that choose among all, by the property of Graph; empty ones count as not given."""
    found: dict[str, t.AbstractSet[str]] = {}
    for one in kind.filters:
        value = params.get(one.option)
        if value:
            texts = {text.lower() for text in ([value] if isinstance(value, str) else value) if text}
            # An enumeration's "none" is also what Graph leaves out.
            found[one.property_] = texts | {""} if one.choices and "none" in texts else texts
    return found


def read_clauses(kind: Kind, params: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Put those options that choose among all into words of Graph's ``$filter`` which it is documented to heed."""
    clauses = []
    for one in kind.filters:
        values = [value for value in params.get(one.option) or () if value] if one.odata else []
        if not values or (one.odata == "eq" and len(values) > 1):
            continue
        quoted = [value.replace("'", "''") for value in values]
        alternatives = " or ".join(f"{one.property_} eq '{value}'" for value in quoted)
        clauses.append(f"({alternatives})" if len(values) > 1 else alternatives)
    return tuple(clauses)


def guid(kind: Kind, value: str) -> str:
    """Return an object's id in lower case.

    :raises OptionError: ``value`` is not a GUID as Graph writes them (8-4-4-4-12 hexadecimal digits).
    """
    if not tenant_ids.is_guid(value):
        raise OptionError(
            f"{kind.words.id_option} {value!r} is not a GUID",
            advice=f"take the id from {kind.words.find_id}, such as e11c1de8-1de8-e11c-e81d-1ce1e81d1ce1",
        )
    return value.lower()


def matches(entity: Entity, filters: t.Mapping[str, t.AbstractSet[str]]) -> bool:
    """Tell whether an object passes the filters; all that are given must fit, upper and lower case being the same.

    Filtered here, because nothing tells whether Graph's ``$filter`` works for these collections.
    """
    return all(str(entity.get(name) or "").lower() in wanted for name, wanted in filters.items())
