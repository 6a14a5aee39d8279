# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Many hosts, each with a connector: asked together per identity, requested first, waited for once."""

from __future__ import annotations

import threading
import typing as t
from concurrent import futures

from . import errors, options, sync
from .client import Caller, Client, connect
from .story import Story

# How many identities are at work at the same time; each has connections of its own.
_IDENTITIES_AT_ONCE = 8
# Seconds until the thread that waits for them looks about.
_LONGEST_SLEEP = 1.0
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
    groups: dict[tuple[t.Any, ...], _Group] = {}
    for member in members:
        want = _wanted(member)
        if isinstance(want, errors.OptionError):
            results[member.host] = {"changed": False, "msg": want.sentence()}
            limit.count(1)
        else:
            group = groups.setdefault(_identity_of(member.params), _Group(member.params, {}))
            group.shared.setdefault(want.connector_id, _Shared(want, [])).hosts.append(member.host)
    with futures.ThreadPoolExecutor(_IDENTITIES_AT_ONCE) as pool:
        working = [pool.submit(_of_one_identity, group, limit, caller) for group in groups.values()]
        # The system may hand a signal to any thread, but Python heeds it in this one, once it awakes.
        while futures.wait(working, timeout=_LONGEST_SLEEP).not_done:
            pass
        for done in working:
            results.update(done.result())
    return results


class _Shared(t.NamedTuple):
    """A connector: what the first host wants of it, and all the hosts that are it."""

    want: sync.Wanted
    hosts: list[str]


class _Group(t.NamedTuple):
    """What has one identity: the parameters that make it, and the connectors by their ids."""

    params: t.Mapping[str, t.Any]
    shared: dict[str, _Shared]


def _wanted(member: Member) -> sync.Wanted | errors.OptionError:
    try:
        (connector_id,) = sync.chosen_ids(member.params)
        return sync.wanted(member.params, connector_id)
    except errors.OptionError as error:
        return error


def _identity_of(params: t.Mapping[str, t.Any]) -> tuple[t.Any, ...]:
    return tuple(params[name] for name in (*options.identity_spec(), *options.connection_spec()))


def _of_one_identity(group: _Group, limit: Limit, caller: Caller) -> dict[str, dict[str, t.Any]]:
    try:
        client = connect(group.params, caller.environ, caller.timing)
    except errors.IntuneError as error:
        hosts = [host for shared in group.shared.values() for host in shared.hosts]
        limit.count(len(hosts))
        return {host: {"changed": False, "msg": error.sentence()} for host in hosts}
    try:
        ends = _ends(group.shared, client, limit, caller)
    finally:
        caller.keep_secret(client.sign_in.tokens)
    return {
        host: _result(ends.get(name), name, client) for name, shared in group.shared.items() for host in shared.hosts
    }


def _ends(connectors: t.Mapping[str, _Shared], client: Client, limit: Limit, caller: Caller) -> dict[str, t.Any]:
    """Begin all, then wait for all; by connector a result or an error, nothing for one that was not begun."""
    ids = list(connectors)
    step = _AT_A_TIME if limit.most is not None else max(1, len(ids))
    ends: dict[str, t.Any] = {}
    for start in range(0, len(ids), step):
        if limit.reached:
            break
        part = ids[start : start + step]
        begun = client.graph.tell([_begin(connectors[name].want, client, caller) for name in part])
        ends.update(zip(part, begun))
        failed = [name for name, end in zip(part, begun) if isinstance(end, errors.IntuneError)]
        limit.count(sum(len(connectors[name].hosts) for name in failed))
    waiting = [name for name, end in ends.items() if isinstance(end, sync.Waiting)]
    ends.update(zip(waiting, client.graph.tell([_finish(ends[name], client, caller) for name in waiting])))
    return ends


def _begin(want: sync.Wanted, client: Client, caller: Caller) -> Story[t.Any]:
    about = _about(want.connector_id, client)
    return sync.begin(
        want,
        client.graph,
        check_mode=caller.check_mode,
        warn=lambda text: caller.warn(f"{about}: {text}."),
    )


def _finish(waiting: sync.Waiting, client: Client, caller: Caller) -> Story[dict[str, t.Any]]:
    about = _about(waiting.want.connector_id, client)
    return sync.finish(waiting, client.graph, progress=lambda text: caller.progress(f"{about}: {text}"))


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
        return end.as_result(_about(name, client))
    return dict(end)
