# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.


"""What a run over many objects came to: what became of each, and the counts.

Plain values in, plain values out. Nothing here reads a clock, a file or the network.
"""

from __future__ import annotations

import json
import typing as t
from collections import Counter

from .._ground import timestamps
from .._ground.words import Words

# What can become of an object, the worst first, and what that means.
OUTCOMES = {
    "failed": "no synchronisation was seen",
    "unreadable": "it could not be read, so nothing is known of it",
    "unknown": "Graph may have accepted the request, its answers were lost",
    "obstacle": "no synchronisation helps until an administrator acts",
    "requested": "Graph accepted the request, its end was not waited for",
    "joined": "one was running already, nothing was requested",
    "synchronised": "it was requested, and its end was seen",
    "predicted": "it is due; nothing was requested, as this run only looks",
    "too_soon": "Intune takes no request yet, nothing was requested",
    "fresh": "recent enough, nothing was requested",
    "skipped": "nothing was tried",
}
# Those that an Exchange connector alone never has.
_OF_TENANTS = ("unreadable", "obstacle", "joined", "too_soon")
# The outcomes of the module's successful sync.state.
_OUTCOME_OF_STATE = {
    "completed": "synchronised",
    "requested": "requested",
    "joined": "joined",
    "predicted": "predicted",
    "too_soon": "too_soon",
    "fresh": "fresh",
}
# What a summary lists by name. No object is in two of them.
LISTS = ("failed", "unknown", "stale", "disconnected", "skipped")
# The same of tenants, where what is not connected is an obstacle; what expires soon may be in another list, too.
LISTS_OF_TENANTS = (
    "failed",
    "unreadable",
    "unknown",
    "obstacle",
    "stale",
    "expires_soon",
    "skipped",
)
# How a reason continues that was one to request, beside a result which may say otherwise of now.
_WHY = {"synchronised": "requested because ", "requested": "requested because ", "predicted": "due because "}

# The kind of a report that names no kinds.
EXCHANGE_CONNECTOR = "exchange_connector"
# The kind of an entry that is about a tenant as a whole.
TENANT = "tenant"
# What the things of several kinds are called together, one and many.
THING, THINGS = "connector or token", "connectors and tokens"
CONNECTED = "connected"

# Characters; what is longer is a dump, and the report has to stay small.
_LONGEST = 1000
# Seconds; three thousand years are no age.
OLDEST = 10**11


class Entry(t.NamedTuple):
    """What became of one object; a text that is not known is empty.

    :param host: its name in the inventory.
    :param tenant: as the user named it.
    :param connector_id: the id of the connector, or of what it is instead.
    :param server_name: the name of the Exchange server, or what another thing is called.
    :param outcome: one of :data:`OUTCOMES`.
    :param reason: why, in words, without the names of object and tenant.
    :param changed: whether Graph accepted a request, or would have, or may have.
    :param age_before: seconds since the last synchronisation when the object was read first; None if there was none or
        this is not known.
    :param age_after: the same at the end, as far as Graph showed it: 0 once a new synchronisation was seen, and else
        ``age_before``, so that the time spent waiting in vain does not count.
    :param max_age: seconds, as the task used it; None if the object could not be read.
    :param previous_sync_date_time: when it had synchronised last before the task, in UTC; None for never or not known.
    :param last_sync_date_time: the same after the task.
    :param status: the object's own, such as ``connected``.
    :param sync_type: ``deltaSync`` or ``fullSync``.
    :param request_id: what Microsoft's support asks for.
    :param kind: what it is, by the name of its kind.
    :param expires_date_time: when it ends by itself, in UTC; None for never or not known.
    :param days_left: whole days until then, rounded down: 0 on its last day, negative when it is past.
    :param expires_soon: whether that is so soon that the user wants to hear of it; not once it has ended.
    """

    host: str
    tenant: str
    connector_id: str
    server_name: str
    outcome: str
    reason: str
    changed: bool
    age_before: int | None
    age_after: int | None
    max_age: int | None
    previous_sync_date_time: str | None
    last_sync_date_time: str | None
    status: str
    sync_type: str
    request_id: str
    kind: str = EXCHANGE_CONNECTOR
    expires_date_time: str | None = None
    days_left: int | None = None
    expires_soon: bool = False


class About(t.NamedTuple):
    """What an entry says that a module's result does not.

    :param kind: the name of the kind.
    :param shown: the object, as results show it; empty for what could not be read.
    :param name: what it is called among others.
    :param clock: the property of ``shown`` with its last synchronisation.
    :param status: its own status.
    :param trouble: ``obstacle`` or ``unreadable``, if that is what is wrong; the result then tells no more than why.
    :param why: what to say of it instead of what the result says; "" for that.
    :param expires_date_time: as in :class:`Entry`, also the two below.
    """

    kind: str
    shown: t.Mapping[str, t.Any]
    name: str
    clock: str
    status: str
    trouble: str = ""
    why: str = ""
    expires_date_time: str | None = None
    days_left: int | None = None
    expires_soon: bool = False


def entry(host: str, result: t.Any, *, tenant: str = "", connector_id: str = "", about: About | None = None) -> Entry:
    """Read a result of a module that synchronises one object.

    :param result: as the module documents it or Ansible makes it up (unreachable, skipped); None or empty if there is
        none. Whatever else it is, nothing is raised: what does not say that all is well counts as failed.
    :param tenant: what the host's variables say; a result does not name it.
    :param connector_id: the same of the object; without it, what the result says.
    :param about: what else is known; without it, the result is one of ``intune_exchange_connector_sync``.
    """
    known = _mapping(result)
    sync, asked = _mapping(known.get("sync")), _mapping(_mapping(known.get("invocation")).get("module_args"))
    if about is None:
        connector = _mapping(known.get("connector"))
        about = About(
            EXCHANGE_CONNECTOR,
            connector,
            _text(connector.get("server_name")),
            "last_sync_date_time",
            _text(connector.get("status")),
        )
    outcome, reason = _outcome(result)
    status = _text(about.status)
    if about.trouble in ("obstacle", "unreadable"):
        outcome, reason = about.trouble, _clause(about.why) or reason
    elif about.kind == EXCHANGE_CONNECTOR and outcome == "fresh" and status not in ("", CONNECTED):
        reason += f"; but its status is {status}, so the next synchronisation fails unless that changes"
    age = _seconds(sync.get("age"))
    previous = _text(sync.get("previous_sync_date_time")) or None
    last = _text(about.shown.get(about.clock)) or None
    return Entry(
        host=_text(host),
        tenant=_text(tenant) or _text(asked.get("tenant")),
        connector_id=_text(connector_id) or _text(about.shown.get("id")) or _text(asked.get("connector_id")),
        server_name=_text(about.name),
        outcome=outcome,
        reason=reason,
        changed=bool(known.get("changed")),
        age_before=age,
        # Of what somebody else asked for, the end may have been seen as well.
        age_after=0 if outcome == "synchronised" or sync.get("completed_at") else age,
        max_age=_seconds(sync.get("max_age")),
        previous_sync_date_time=previous,
        last_sync_date_time=last or previous,
        status=status,
        sync_type=_text(sync.get("type")),
        request_id=_text(known.get("request_id")),
        kind=about.kind,
        expires_date_time=_text(about.expires_date_time) or None,
        days_left=about.days_left,
        expires_soon=about.expires_soon,
    )


def is_stale(one: Entry) -> bool:
    """Whether an object that did not fail is, for all that Graph showed, still older than its ``max_age``."""
    if one.outcome not in ("requested", "joined", "predicted", "too_soon"):
        return False
    return one.age_after is None or one.max_age is None or one.age_after >= one.max_age


def is_disconnected(one: Entry) -> bool:
    """Whether a connector is recent enough only as long as nothing has to be requested of it."""
    return one.kind == EXCHANGE_CONNECTOR and one.outcome == "fresh" and one.status not in ("", CONNECTED)


def summary(
    entries: t.Iterable[Entry],
    *,
    started: str = "",
    finished: str = "",
    tenants: t.Mapping[str, str] | None = None,
) -> dict[str, t.Any]:
    """Sum up a run, the same whatever the order of the entries.

    :param started: a time as :func:`timestamps.text` writes it, or any text.
    :param tenants: where hosts are tenants, the tenant of each host, since one that has nothing has no entry. Hosts of
        entries count too. None if they are connectors.
    :returns: ``started``, ``finished``, ``total``, ``changed``, ``outcomes`` (a count for each of :func:`outcomes_of`),
        and :data:`LISTS`, each sorted by tenant and host: ``failed``, ``unknown``, ``skipped`` are the outcomes,
        ``stale`` is what :func:`is_stale` says, ``disconnected`` what :func:`is_disconnected` does. ``more`` counts
        what :func:`limited` has left out of each. Of tenants the lists are :data:`LISTS_OF_TENANTS`, ``total`` counts
        the things, ``kinds`` those of each kind, and ``tenants`` is what :func:`_tenants` returns.
    """
    ordered = sorted(entries, key=_by_name)
    wide = of_tenants(ordered, tenants)
    names = LISTS_OF_TENANTS if wide else LISTS
    counts = Counter(one.outcome for one in ordered)
    listed: dict[str, list[dict[str, t.Any]]] = {name: [] for name in names}
    for one in ordered:
        if is_stale(one):
            # Why it was requested is plain from its age; why it is still stale is not.
            listed["stale"].append(_listed(one, OUTCOMES[one.outcome], wide=wide))
        elif "disconnected" in listed and is_disconnected(one):
            listed["disconnected"].append(_listed(one, one.reason, wide=wide))
        elif one.outcome in listed:
            listed[one.outcome].append(_listed(one, one.reason, wide=wide))
        if wide and one.expires_soon:
            listed["expires_soon"].append(_listed(one, "", wide=wide))
    if wide:
        listed["expires_soon"].sort(key=lambda item: _or_last(item["days_left"]))
    counted_ = [one for one in ordered if is_thing(one)] if wide else ordered
    return {
        "started": started,
        "finished": finished,
        "total": len(counted_),
        "changed": sum(one.changed for one in ordered),
        "outcomes": {outcome: counts[outcome] for outcome in outcomes_of(wide)},
        **listed,
        "more": dict.fromkeys(names, 0),
        **({"kinds": dict(sorted(Counter(one.kind for one in counted_).items()))} if wide else {}),
        **({"tenants": _tenants(ordered, tenants or {})} if wide else {}),
    }


def _or_last(days: int | None) -> float:
    return float("inf") if days is None else days


def _tenants(entries: t.Sequence[Entry], tenants: t.Mapping[str, str]) -> dict[str, int]:
    """Count tenants, by their hosts.

    :returns: ``total``; ``failed``, ``unreadable`` and ``skipped``, of which nothing is known but this; ``partly``, of
        which something failed, may have, could not be read, or was skipped; ``partly_unreadable``, of which some kind
        could not be read; ``obstacle`` and ``expires_soon``, which have such a thing; ``empty``, which have nothing.
    """
    whole: dict[str, str] = {}
    parts: dict[str, set[str]] = {}
    for one in entries:
        if one.kind == TENANT:
            whole[one.host] = "failed" if one.outcome == "unknown" else one.outcome
        else:
            found = parts.setdefault(one.host, set())
            found.add(one.outcome)
            found |= {"expires_soon"} if one.expires_soon else set()
    ends = Counter(whole.values())
    return {
        "total": len({*tenants, *whole, *parts}),
        **{name: ends[name] for name in ("failed", "unreadable", "skipped")},
        "partly": sum(not found.isdisjoint(("failed", "unknown", "unreadable", "skipped")) for found in parts.values()),
        "partly_unreadable": sum("unreadable" in found for found in parts.values()),
        **{name: sum(name in found for found in parts.values()) for name in ("obstacle", "expires_soon")},
        "empty": len({*tenants} - {*whole} - {*parts}),
    }


def has_kinds(entries: t.Iterable[Entry]) -> bool:
    """Whether a report has to say what kind each object is: it is not about Exchange connectors alone."""
    return any(one.kind != EXCHANGE_CONNECTOR for one in entries)


def of_tenants(entries: t.Iterable[Entry], tenants: t.Mapping[str, str] | None) -> bool:
    """Whether a report is about tenants, as its caller says or its entries show."""
    return tenants is not None or has_kinds(entries)


def is_thing(one: Entry) -> bool:
    """Whether an entry is about one thing, and not about a tenant, or a kind that could not be read."""
    return one.kind != TENANT and (one.outcome != "unreadable" or bool(one.connector_id))


def outcomes_of(wide: bool) -> dict[str, str]:
    """The outcomes that a report tells, and their meanings: those of tenants, or of Exchange connectors alone."""
    return {name: meaning for name, meaning in OUTCOMES.items() if wide or name not in _OF_TENANTS}


def limited(of: t.Mapping[str, t.Any], most_bytes: int = 60_000) -> dict[str, t.Any]:
    """Make a summary small enough for AWX's artifacts, which end at 64 KiB with all that belongs to them.

    First the reasons are cut, then the lists, all to the same length; ``more`` counts what was left out.

    :param of: what :func:`summary` returned.
    :param most_bytes: of JSON, non-ASCII characters escaped.
    :raises ValueError: not even the counts fit.
    """
    names = [*of["more"]]

    def shortened(reason: int, items: int) -> dict[str, t.Any]:
        lists = {
            name: [{**item, "reason": _cut(item["reason"], reason)} for item in of[name][:items]] for name in names
        }
        more = {name: of["more"][name] + len(of[name]) - len(lists[name]) for name in names}
        return {**of, **lists, "more": more}

    def fits(candidate: dict[str, t.Any]) -> bool:
        return len(json.dumps(candidate)) <= most_bytes

    longest_list = max(len(of[name]) for name in names)
    for reason in (_LONGEST, 300, 150, 80):
        candidate = shortened(reason, longest_list)
        if fits(candidate):
            return candidate
    if not fits(shortened(reason, 0)):
        raise ValueError(f"a summary does not fit into {most_bytes} bytes")
    fitting, too_many = 0, longest_list
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if fits(shortened(reason, middle)):
            fitting = middle
        else:
            too_many = middle
    return shortened(reason, fitting)


def _by_name(one: Entry) -> tuple[t.Any, ...]:
    # The other fields only make the order of equal names certain.
    return (one.tenant, one.host, repr(one))


def by_outcome(one: Entry) -> tuple[t.Any, ...]:
    """A key to sort by: the worst first, then by tenant and host."""
    return (rank(one.outcome), *_by_name(one))


def rank(outcome: str) -> int:
    """The place of an outcome in the order of :data:`OUTCOMES`; one that is none of them comes last."""
    return [*OUTCOMES, outcome].index(outcome)


def _listed(one: Entry, reason: str, *, wide: bool) -> dict[str, t.Any]:
    ages = {
        "age": spell_age(one, one.age_after, one.last_sync_date_time),
        "age_seconds": one.age_after,
    }
    ends = {"reason": reason, "request_id": one.request_id}
    if wide:
        thing = {"kind": one.kind, "id": one.connector_id, "name": one.server_name}
        return {"host": one.host, "tenant": one.tenant, **thing, **ages, "days_left": one.days_left, **ends}
    thing = {"connector_id": one.connector_id, "server_name": one.server_name}
    return {"host": one.host, "tenant": one.tenant, **thing, **ages, **ends}


def spell_age(one: Entry, age: int | None, moment: str | None) -> str:
    """An age of ``one`` in words, or why there is none.

    :param age: seconds, ``age_before`` or ``age_after``.
    :param moment: when that synchronisation was.
    """
    if age is not None:
        return timestamps.humanize(age)
    return "not known" if moment or one.max_age is None else "never"


def visible(text: str) -> str:
    """Write what does not print (control characters, ANSI and bidi controls, odd spaces) as Python's escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def nouns_of(of: t.Mapping[str, t.Any], words: t.Mapping[str, Words]) -> Nouns:
    """What a summary counts is called.

    :param words: of each kind that there may be, by its name; without a thing of several, they are named together.
    """
    kinds = [kind for kind in of.get("kinds", {}) if kind != TENANT] or [kind for kind in words if kind != TENANT]
    if len(kinds) == 1:
        only = words[kinds[0]]
        return Nouns(only.short, only.short_many, only.many)
    return Nouns(THING, THINGS, THINGS)


class Nouns(t.NamedTuple):
    """What things are called: one of them, several, and several in full."""

    one: str
    many: str
    in_full: str

    def counted(self, number: int) -> str:
        """Name a number of them, such as ``2 connectors``."""
        return f"{number} {self.one if number == 1 else self.many}"


def _number_of_tenants(number: int) -> str:
    return f"{number} tenant{'' if number == 1 else 's'}"


def verdict(of: t.Mapping[str, t.Any], words: t.Mapping[str, Words]) -> str:
    """Say in one sentence how the run went; ``words`` as for :func:`nouns_of`."""
    total, nouns = of["total"], nouns_of(of, words)
    if "tenants" in of:
        return _verdict_on_tenants(of, nouns)
    if not total:
        return f"No {nouns.one} was looked at."
    bad = [*_bad(of, {}), *_late(of)]
    if bad:
        return f"Of {nouns.counted(total)}: {', '.join(bad)}."
    if total == 1:
        return f"The {nouns.one} is up to date."
    return f"All {nouns.counted(total)} are up to date."


def _verdict_on_tenants(of: t.Mapping[str, t.Any], nouns: Nouns) -> str:
    total, tenants = of["total"], of["tenants"]
    where = _number_of_tenants(tenants["total"])
    if not tenants["total"]:
        return "No tenant was looked at."
    bad = []
    if tenants["failed"]:
        bad.append(f"{_number_of_tenants(tenants['failed'])} failed")
    if tenants["unreadable"]:
        bad.append(f"{_number_of_tenants(tenants['unreadable'])} could not be read")
    if tenants["partly_unreadable"]:
        bad.append(f"{_number_of_tenants(tenants['partly_unreadable'])} could be read in part only")
    if tenants["skipped"]:
        bad.append(f"{_number_of_tenants(tenants['skipped'])} skipped")
    bad += _bad(of, tenants)
    if of["outcomes"]["obstacle"]:
        bad.append(f"{of['outcomes']['obstacle']} waiting for an administrator")
    bad += _late(of)
    soon = len(of["expires_soon"]) + of["more"]["expires_soon"]
    ends = [f"{soon} expire{'s' if soon == 1 else ''} soon"] if soon else []
    if bad:
        about = f"{nouns.counted(total)} in {where}" if total else where
        return f"Of {about}: {', '.join([*bad, *ends])}."
    if not total:
        return f"{where} {'has' if tenants['total'] == 1 else 'have'} no {nouns.one}."
    well = f"The {nouns.one} in {where} is" if total == 1 else f"All {nouns.counted(total)} in {where} are"
    return "; ".join([f"{well} up to date", *ends]) + "."


def _bad(of: t.Mapping[str, t.Any], tenants: t.Mapping[str, int]) -> list[str]:
    """Name the things that failed or may have, without the tenants that did as a whole."""
    counts = {name: of["outcomes"][name] - tenants.get(name, 0) for name in ("failed", "unknown", "skipped")}
    return [f"{count} {name}" for name, count in counts.items() if count > 0]


def _late(of: t.Mapping[str, t.Any]) -> list[str]:
    stale, disconnected = (len(of.get(name, ())) + of["more"].get(name, 0) for name in ("stale", "disconnected"))
    found = []
    if stale:
        found.append(f"{stale} due for a synchronisation" if only_looked(of) else f"{stale} still stale")
    if disconnected:
        found.append(f"{disconnected} not connected")
    return found


def only_looked(of: t.Mapping[str, t.Any]) -> bool:
    """Whether a run was in check mode, as far as that can be told: something is due, and was not requested."""
    return bool(of["outcomes"]["predicted"])


def span_of(started: str, finished: str) -> str:
    """Write when a run was, such as ``2026-11-22 18:00:00 to 18:06:10 UTC (6 min 10 s)``."""
    try:
        begin, end = timestamps.parse(started), timestamps.parse(finished)
    except ValueError:
        begin = end = None
    if begin is None or end is None:
        return " to ".join(part for part in (_line(started), _line(finished)) if part)
    same_day = begin.date() == end.date()
    until = end.strftime("%H:%M:%S" if same_day else "%Y-%m-%d %H:%M:%S")
    took = timestamps.humanize(max(0.0, (end - begin).total_seconds()))
    return f"{begin.strftime('%Y-%m-%d %H:%M:%S')} to {until} UTC ({took})"


def _mapping(value: t.Any) -> t.Mapping[str, t.Any]:
    return value if isinstance(value, t.Mapping) else {}


def _text(value: t.Any) -> str:
    """Make a text that can be encoded, of a bearable length; "" if it is no text."""
    if not isinstance(value, str):
        return ""
    return _cut(value.encode("utf-8", "replace").decode("utf-8"), _LONGEST)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."


def _seconds(value: t.Any) -> int | None:
    """Take a whole number that can be an age; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < OLDEST:
        return None
    return int(value)


def _outcome(result: t.Any) -> tuple[str, str]:
    """Tell the outcome and the reason that a result gives."""
    if result is None or result == {}:
        return "skipped", "it was not reached"
    known = _mapping(result)
    said = _clause(known.get("msg"))
    if known.get("unreachable"):
        return "failed", f"the host could not be reached: {said}" if said else "the host could not be reached"
    if known.get("skipped") and not known.get("failed"):
        return "skipped", said or _clause(known.get("skip_reason")) or "the task was skipped"
    sync = _mapping(known.get("sync"))
    state = _text(sync.get("state"))
    if state == "unknown":
        return "unknown", said or OUTCOMES["unknown"]
    # Only failures have a msg; a playbook may have set failed to false with failed_when.
    if known.get("failed") or said:
        return "failed", said or "it failed without a reason"
    if state in _OUTCOME_OF_STATE:
        outcome, reason = _OUTCOME_OF_STATE[state], _clause(sync.get("reason"))
        return outcome, f"{_WHY.get(outcome, '')}{reason}" if reason else ""
    return "failed", "its result does not say what was done"


def _clause(value: t.Any) -> str:
    """Make a sentence one line without end mark."""
    text = _line(value)
    return text[:-1] if text.endswith(".") and not text.endswith("..") else text


def _line(value: t.Any) -> str:
    return " ".join(_text(value).split())
