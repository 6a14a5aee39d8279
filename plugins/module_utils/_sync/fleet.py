# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Many hosts, each with a connector: asked together per identity, requested first, then all waited for at once."""

from __future__ import annotations

import threading
import typing as t
from concurrent import futures
from functools import partial

from .._graph import graph_errors
from .._ground import errors
from .._ground.clock import Clock
from .._http import connection
from .._http.driver import Operation
from .._identity import identity_options
from . import options, sync
from .session import Context, Session, open_graph

# How many identities request at the same time; each has connections of its own.
_IDENTITIES_AT_ONCE = 8
# Seconds until the thread that waits for them looks about.
_LONGEST_SLEEP = 1.0
# With a limit to the failures, so many are requested before they are counted again: one batch.
_AT_A_TIME = 20


class Member(t.NamedTuple):
    """A host and what it wants.

    :param params: the parameters of the module ``intune_exchange_connector_sync``, those of a single connector.
    :param environment: variables that the host has beside those of the run.
    :param check_mode: whether to predict only, for this host.
    """

    host: str
    params: t.Mapping[str, t.Any]
    environment: t.Mapping[str, str]
    check_mode: bool = False


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


def synchronise(members: t.Sequence[Member], limit: Limit, caller: Context) -> dict[str, dict[str, t.Any]]:
    """Bring the connectors of all members up to date.

    Members with the same identity share its token and its batches; members with the same connector share its story, so
    that one request is made, the :func:`strictest` that they want, and each is told what came of it.

    :returns: by host, what the module returns for one connector; with ``msg`` if it failed, with ``skipped`` if the
        limit was reached before it was begun.
    """
    results: dict[str, dict[str, t.Any]] = {}
    groups: dict[tuple[t.Any, ...], _Group] = {}
    warnings = sync.Warnings(caller.warn)
    for member in members:
        want = _wanted(member)
        if isinstance(want, errors.OptionError):
            results[member.host] = errors.failed(want, "")
            limit.count(1)
        else:
            group = groups.setdefault(_identity_of(member), _Group(member, warnings))
            group.add(member.host, want)
    over = threading.Event()
    caller = caller._replace(clock=_until(over, caller.clock))
    _in_threads([partial(group.look, limit, caller) for group in groups.values()], _IDENTITIES_AT_ONCE, over)
    due = [group for group in groups.values() if group.due]
    _in_threads([partial(group.request, limit, caller) for group in due], _IDENTITIES_AT_ONCE, over)
    # Whoever waits is idle nearly all the time, so nobody waits in turns.
    waiting = [group for group in groups.values() if group.waiting]
    about = _these(sum(len(group.waiting) for group in waiting), len({group.tenant for group in waiting}))
    _in_threads([partial(group.finish, about, limit, caller) for group in waiting], len(waiting), over)
    for group in groups.values():
        results.update(group.results(limit))
    return results


def _in_threads(tasks: t.Sequence[t.Callable[[], None]], at_once: int, over: threading.Event) -> None:
    """Do all of it in threads, so many at the same time; if this one is told to end, they are told by ``over``."""
    pool = futures.ThreadPoolExecutor(max(1, at_once))
    try:
        working = [pool.submit(task) for task in tasks]
        # The system may hand a signal to any thread, but Python heeds it in this one, once it awakes.
        while futures.wait(working, timeout=_LONGEST_SLEEP).not_done:
            pass
        for done in working:
            done.result()
    except BaseException:
        over.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _these(connectors: int, tenants: int) -> str:
    """All that are waited for, in words."""
    one, few = "connector" if connectors == 1 else "connectors", "tenant" if tenants == 1 else "tenants"
    return f"{connectors} {one} in {tenants} {few}"


class _Over(BaseException):
    """The task is over, by its timeout or by whoever ended the run. Not an Exception, so nobody takes it for one."""


def _until(over: threading.Event, clock: Clock) -> Clock:
    """The same time, but no pause in it outlives the task."""

    def sleep(seconds: float) -> None:
        end = clock.monotonic() + seconds
        while not over.is_set():
            left = end - clock.monotonic()
            if left <= 0:
                return
            clock.sleep(min(left, _LONGEST_SLEEP))
        raise _Over

    return clock._replace(sleep=sleep)


def strictest(one: sync.Wanted, other: sync.Wanted) -> sync.Wanted:
    """What satisfies both of two hosts that are the same connector, so that one request does for them."""
    both = (one, other)
    return sync.Wanted(
        connector_id=one.connector_id,
        # A full synchronisation does what a delta does, and not the other way round.
        sync_type="fullSync" if "fullSync" in (one.sync_type, other.sync_type) else one.sync_type,
        max_age=min(want.max_age for want in both),
        force=any(want.force for want in both),
        require_connected=any(want.require_connected for want in both),
        wait=any(want.wait for want in both),
        wait_timeout=max(want.wait_timeout for want in both),
        wait_sleep=min(want.wait_sleep for want in both),
    )


def _wanted(member: Member) -> sync.Wanted | errors.OptionError:
    connector_id = member.params["connector_id"]
    if not connector_id:
        return errors.OptionError(
            "connector_id is not given, so this host is no connector",
            advice="set exchange_connector_sync_connector_id for it, or leave it out of the play",
        )
    try:
        return sync.wanted(member.params, options.connector_guid(connector_id))
    except errors.OptionError as error:
        return error


def _identity_of(member: Member) -> tuple[t.Any, ...]:
    names = (*identity_options.identity_spec(), *connection.connection_spec())
    # What one only predicts must be nothing that another shares.
    return (*(member.params[name] for name in names), member.check_mode, *sorted(member.environment.items()))


class _Shared(t.NamedTuple):
    """A connector: what is wanted of it, and all the hosts that are it."""

    want: sync.Wanted
    hosts: list[str]


class _Group:
    """The connectors of one identity, and what has come of them so far.

    :param first: one of its members, as far as they are all alike.
    """

    def __init__(self, first: Member, warnings: sync.Warnings) -> None:
        self._shared: dict[str, _Shared] = {}
        self._alike = first
        self._warnings = warnings
        self._client: Session | None = None
        # A result, an error, or what is to be requested or waited for.
        self._ends: dict[str, t.Any] = {}

    def add(self, host: str, want: sync.Wanted) -> None:
        """Add a host and what it wants of its connector."""
        known = self._shared.get(want.connector_id)
        self._shared[want.connector_id] = (
            _Shared(strictest(known.want, want), [*known.hosts, host]) if known else _Shared(want, [host])
        )

    @property
    def due(self) -> list[str]:
        """The connectors that are still to be asked to synchronise."""
        return [name for name, end in self._ends.items() if isinstance(end, sync.Due)]

    @property
    def waiting(self) -> list[str]:
        """The connectors whose end is still to be seen."""
        return [name for name, end in self._ends.items() if isinstance(end, sync.Waiting)]

    def look(self, limit: Limit, caller: Context) -> None:
        """Sign in, read the connectors, and decide which are due; without a limit, these are requested at once."""
        try:
            client = self._client = open_graph(
                self._alike.params,
                caller.environ,
                caller.clock,
                own=self._alike.environment,
                permission=graph_errors.PERMISSION,
            )
        except Exception as error:  # noqa: BLE001
            self._ended(self._shared, [errors.unexpected(error)] * len(self._shared), limit)
            return
        stories = [self._begin(shared.want, client, limit) for shared in self._shared.values()]
        self._tell(self._shared, stories, limit, caller)

    def request(self, limit: Limit, caller: Context) -> None:
        """Request what is due, for as long as the limit is not reached."""
        client, due = t.cast(Session, self._client), self.due
        for start in range(0, len(due), _AT_A_TIME):
            if limit.reached:
                break
            part = due[start : start + _AT_A_TIME]
            stories = [sync.request(self._ends[name], client.graph, check_mode=self._alike.check_mode) for name in part]
            self._tell(part, stories, limit, caller)

    @property
    def tenant(self) -> str:
        """The tenant as the user named it; "" if that is not known."""
        return self._client.tenant if self._client else ""

    def finish(self, about: str, limit: Limit, caller: Context) -> None:
        """Wait for what was requested. ``about`` is what all groups wait for together."""
        client, waiting = t.cast(Session, self._client), self.waiting
        stories = [
            sync.finish(self._ends[name], client.graph, progress=lambda text: caller.progress(f"{about}: {text}"))
            for name in waiting
        ]
        self._tell(waiting, stories, limit, caller)

    def results(self, limit: Limit) -> dict[str, dict[str, t.Any]]:
        """By host, what came of its connector."""
        return {host: self._result(name, limit) for name, shared in self._shared.items() for host in shared.hosts}

    def _tell(
        self, names: t.Iterable[str], stories: t.Sequence[Operation[t.Any]], limit: Limit, caller: Context
    ) -> None:
        client = t.cast(Session, self._client)
        try:
            self._ended(names, client.graph.gather(stories), limit)
        finally:
            caller.hide(client.sign_in.tokens)
        if not self.due and not self.waiting:
            # With hundreds of tenants, every file that stays open counts.
            client.graph.http.reset_connections()

    def _ended(self, names: t.Iterable[str], ends: t.Sequence[t.Any], limit: Limit) -> None:
        for name, end in zip(names, ends):
            self._ends[name] = end
            if isinstance(end, errors.IntuneError):
                limit.count(len(self._shared[name].hosts))

    def _begin(self, want: sync.Wanted, client: Session, limit: Limit) -> Operation[t.Any]:
        about = self._about(want.connector_id)
        seen = yield from sync.look(want, client.graph, about=about, warnings=self._warnings)
        if isinstance(seen, sync.Due) and limit.most is None:
            return (yield from sync.request(seen, client.graph, check_mode=self._alike.check_mode))
        return seen

    def _about(self, name: str) -> str:
        return sync.subject({"connector_id": name}, self.tenant)

    def _result(self, name: str, limit: Limit) -> dict[str, t.Any]:
        end = self._ends[name]
        if isinstance(end, sync.Due):
            return {
                "changed": False,
                "skipped": True,
                "msg": f"{self._about(name)}: not begun, because more connectors failed than the {limit.most} that"
                " max_failures allows; correct those and run again.",
            }
        if isinstance(end, errors.IntuneError):
            return errors.failed(end, self._about(name))
        return dict(end)
