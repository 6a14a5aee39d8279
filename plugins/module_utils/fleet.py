# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Many hosts, each with a connector: asked together per identity, requested first, waited for once."""

from __future__ import annotations

import threading
import typing as t
from concurrent.futures import ThreadPoolExecutor

from . import errors, options, sync
from .client import Caller, Client, connect
from .story import Story

# How many identities are at work at the same time; each has connections of its own.
_IDENTITIES_AT_ONCE = 8
# With a limit to the failures, so many are begun before they are counted again: one batch.
_AT_A_TIME = 20


class Member(t.NamedTuple):
    """A host and what it wants: the parameters of the module ``intune_exchange_connector_sync``."""

    host: str
    params: t.Mapping[str, t.Any]


class Limit:
    """How many may fail before no more is begun; shared by the threads.

    :param most: the number that may fail; None for any.
    """

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._failed = 0
        self._lock = threading.Lock()

    def count(self, failed: int) -> None:
        """Count further failures."""
        with self._lock:
            self._failed += failed

    @property
    def reached(self) -> bool:
        """Whether too many have failed."""
        return self.most is not None and self._failed > self.most


def most_failures(text: str, hosts: int) -> int | None:
    """Read ``max_failures``: a number, or a percentage of the hosts such as ``10%``; "" for no limit.

    :raises OptionError: it is neither.
    """
    word = text.strip()
    if not word:
        return None
    number = word[:-1].strip() if word.endswith("%") else word
    if not (number.isascii() and number.isdigit()) or (word.endswith("%") and int(number) > 100):
        raise errors.OptionError(f"max_failures is {text!r}", advice="give a number, or a percentage such as 10%")
    return int(number) * hosts // 100 if word.endswith("%") else int(number)


def synchronise(members: t.Sequence[Member], limit: Limit, caller: Caller) -> dict[str, dict[str, t.Any]]:
    """Bring the connectors of all members up to date.

    Members with the same identity share its token and its batches; members with the same connector share its story, so
    that one request is made and each is told what came of it.

    :returns: by host, what the module returns for one connector; with ``msg`` if it failed, with ``skipped`` if the
        limit was reached before it was begun.
    """
    results: dict[str, dict[str, t.Any]] = {}
    groups: dict[tuple[t.Any, ...], list[Member]] = {}
    for member in members:
        complaint = _complaint(member)
        if complaint:
            results[member.host] = {"changed": False, "msg": complaint}
            limit.count(1)
        else:
            groups.setdefault(_identity_of(member.params), []).append(member)
    with ThreadPoolExecutor(_IDENTITIES_AT_ONCE) as pool:
        for found in pool.map(lambda group: _of_one_identity(group, limit, caller), groups.values()):
            results.update(found)
    return results


def _complaint(member: Member) -> str:
    try:
        (connector_id,) = sync.chosen_ids(member.params)
        sync.wanted(member.params, connector_id)
    except errors.OptionError as error:
        return error.sentence()
    return ""


def _identity_of(params: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    return tuple(params[name] for name in (*options.identity_spec(), *options.connection_spec()))


def _of_one_identity(members: t.Sequence[Member], limit: Limit, caller: Caller) -> dict[str, dict[str, t.Any]]:
    try:
        client = connect(members[0].params, caller.environ, caller.timing)
    except errors.IntuneError as error:
        limit.count(len(members))
        return {member.host: {"changed": False, "msg": error.sentence()} for member in members}
    by_connector: dict[str, list[Member]] = {}
    for member in members:
        by_connector.setdefault(sync.chosen_ids(member.params)[0], []).append(member)
    try:
        ends = _ends(by_connector, client, limit, caller)
    finally:
        caller.keep_secret(client.sign_in.tokens)
    return {
        member.host: _result(ends.get(connector_id), connector_id, client)
        for connector_id, sharers in by_connector.items()
        for member in sharers
    }


def _ends(
    by_connector: t.Mapping[str, t.Sequence[Member]], client: Client, limit: Limit, caller: Caller
) -> dict[str, t.Any]:
    """Begin all, then wait for all; by connector a result or an error, nothing for one that was not begun."""
    ids = list(by_connector)
    step = _AT_A_TIME if limit.most is not None else max(1, len(ids))
    ends: dict[str, t.Any] = {}
    for start in range(0, len(ids), step):
        if limit.reached:
            break
        part = ids[start : start + step]
        begun = client.graph.tell([_begin(name, by_connector[name][0], client, caller) for name in part])
        ends.update(zip(part, begun))
        limit.count(
            sum(len(by_connector[name]) for name, end in zip(part, begun) if isinstance(end, errors.IntuneError))
        )
    waiting = [name for name, end in ends.items() if isinstance(end, sync.Waiting)]
    ends.update(zip(waiting, client.graph.tell([_finish(name, ends[name], client, caller) for name in waiting])))
    return ends


def _begin(name: str, member: Member, client: Client, caller: Caller) -> Story[t.Any]:
    return sync.begin(
        sync.wanted(member.params, name),
        client.graph,
        check_mode=caller.check_mode,
        warn=lambda text: caller.warn(f"{_about(name, client)}: {text}."),
    )


def _finish(name: str, waiting: sync.Waiting, client: Client, caller: Caller) -> Story[dict[str, t.Any]]:
    return sync.finish(waiting, client.graph, progress=lambda text: caller.progress(f"{_about(name, client)}: {text}"))


def _about(name: str, client: Client) -> str:
    return sync.subject({"connector_id": name}, client.tenant)


def _result(end: t.Any, name: str, client: Client) -> dict[str, t.Any]:
    if end is None:
        return {
            "changed": False,
            "skipped": True,
            "msg": f"{_about(name, client)}: not begun, as too many others had failed.",
        }
    if isinstance(end, errors.IntuneError):
        return sync.failure(end, _about(name, client))
    return dict(end)
