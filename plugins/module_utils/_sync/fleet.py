# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Many hosts, each with an object: asked together per identity, requested first, then all waited for at once."""

from __future__ import annotations

import threading
import typing as t
from concurrent import futures
from functools import partial

from .._ground import errors
from .._ground.clock import LONGEST_SLEEP, cancellable
from .._http import connection
from .._http.driver import Operation
from .._identity import identity
from .._kinds.kind import Kind
from .operation import DueSync, PendingSync, Target, Warnings, look, request, wait_for
from .options import SyncOptions, action_of, guid, read_sync_options
from .session import Context, Session, open_graph

# How many identities request at the same time; each has connections of its own.
_IDENTITIES_AT_ONCE = 8
# With a limit to the failures, so many are requested before they are counted again: one batch.
_AT_A_TIME = 20


class FleetHost(t.NamedTuple):
    """A host and what it wants.

    :param kind: what it is.
    :param params: the parameters of the module that synchronises its kind, those of a single object.
    :param environment: variables that the host has beside those of the run.
    :param check_mode: whether to predict only, for this host.
    """

    host: str
    kind: Kind
    params: t.Mapping[str, t.Any]
    environment: t.Mapping[str, str]
    check_mode: bool = False


class FailureLimit:
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


def synchronise(hosts: t.Sequence[FleetHost], limit: FailureLimit, context: Context) -> dict[str, dict[str, t.Any]]:
    """Bring what all hosts are up to date.

    Hosts with the same identity share its token and its batches; hosts that are the same object share one request, for
    all that they want (:func:`merge_options`), and each is told what came of it.

    :returns: by host, what the module returns for one object; with ``msg`` if it failed, with ``skipped`` if the limit
        was reached before it was begun.
    """
    results: dict[str, dict[str, t.Any]] = {}
    groups: dict[tuple[t.Any, ...], _Group] = {}
    warnings = Warnings(context.warn)
    for host in hosts:
        target = _target(host)
        if isinstance(target, errors.OptionError):
            results[host.host] = errors.failed(target, "")
            limit.count(1)
        else:
            group = groups.setdefault(_identity_of(host), _Group(host, warnings))
            group.add(host.host, target)
    cancelled = threading.Event()
    context = context._replace(clock=cancellable(context.clock, cancelled))
    _in_threads([partial(group.look, limit, context) for group in groups.values()], _IDENTITIES_AT_ONCE, cancelled)
    due = [group for group in groups.values() if group.due]
    _in_threads([partial(group.request, limit, context) for group in due], _IDENTITIES_AT_ONCE, cancelled)
    # Whoever waits is idle nearly all the time, so nobody waits in turns.
    pending = [group for group in groups.values() if group.pending]
    nouns = [noun for group in pending for noun in group.nouns]
    about = _these(nouns, len({group.tenant for group in pending}))
    _in_threads([partial(group.wait, about, limit, context) for group in pending], len(pending), cancelled)
    for group in groups.values():
        results.update(group.results(limit))
    return results


def _in_threads(tasks: t.Sequence[t.Callable[[], None]], at_once: int, cancelled: threading.Event) -> None:
    """Do all of it in threads, so many at the same time; if this one is told to end, they are told by ``cancelled``."""
    pool = futures.ThreadPoolExecutor(max(1, at_once))
    try:
        working = [pool.submit(task) for task in tasks]
        # The system may hand a signal to any thread, but Python heeds it in this one, once it awakes.
        while futures.wait(working, timeout=LONGEST_SLEEP).not_done:
            pass
        for done in working:
            done.result()
    except BaseException:
        cancelled.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _these(nouns: t.Sequence[str], tenants: int) -> str:
    """All that are waited for, in words; ``nouns`` has one for each."""
    noun = nouns[0] if len({*nouns}) == 1 else "object"
    count = len(nouns)
    return f"{count} {noun}{'' if count == 1 else 's'} in {tenants} {'tenant' if tenants == 1 else 'tenants'}"


def merge_options(kind: Kind, one: SyncOptions, other: SyncOptions) -> SyncOptions:
    """What satisfies both of two hosts that are the same object, so that one request does for them."""
    both, types = (one, other), action_of(kind).types
    return SyncOptions(
        # Each type does what those before it do, and not the other way round.
        sync_type=max((want.sync_type for want in both), key=types.index) if types else "",
        max_age=min(want.max_age for want in both),
        force=any(want.force for want in both),
        ignore_obstacle=all(want.ignore_obstacle for want in both),
        wait=any(want.wait for want in both),
        wait_timeout=max(want.wait_timeout for want in both),
        wait_sleep=min(want.wait_sleep for want in both),
    )


def _target(host: FleetHost) -> Target | errors.OptionError:
    kind, words = host.kind, host.kind.words
    name = host.params.get(words.id_option) if words.id_option else ""
    if words.id_option and not name:
        return errors.OptionError(
            f"{words.id_option} is not given, so this host is no {words.short}",
            advice=f"set {kind.name}_sync_{words.id_option} for it, or leave it out of the play",
        )
    try:
        wanted = read_sync_options(kind, host.params)
        return Target(kind, guid(kind, name) if name else "", wanted)
    except errors.OptionError as error:
        return error


def _identity_of(host: FleetHost) -> tuple[t.Any, ...]:
    names = (*identity.identity_spec(), *connection.connection_spec())
    # What one only predicts must be nothing that another shares.
    return (*(host.params[name] for name in names), host.check_mode, *sorted(host.environment.items()))


class _Key(t.NamedTuple):
    """An object of a tenant, by the name of its kind and its id."""

    kind: str
    name: str


class _Shared(t.NamedTuple):
    """What is wanted of an object, and all the hosts that are it."""

    target: Target
    hosts: list[str]


class _Group:
    """The objects of one identity, and what has come of them so far.

    :param first: one of its hosts, as far as they are all alike.
    """

    def __init__(self, first: FleetHost, warnings: Warnings) -> None:
        self._shared: dict[_Key, _Shared] = {}
        self._alike = first
        self._warnings = warnings
        self._session: Session | None = None
        # A result, an error, or what is to be requested or waited for.
        self._ends: dict[_Key, t.Any] = {}

    def add(self, host: str, target: Target) -> None:
        """Add a host and what it wants of its object."""
        key = _Key(target.kind.name, target.name)
        known = self._shared.get(key)
        if known:
            merged = merge_options(target.kind, known.target.options, target.options)
            self._shared[key] = _Shared(target._replace(options=merged), [*known.hosts, host])
        else:
            self._shared[key] = _Shared(target, [host])

    @property
    def due(self) -> list[_Key]:
        """The objects that are still to be asked to synchronise."""
        return [key for key, end in self._ends.items() if isinstance(end, DueSync)]

    @property
    def pending(self) -> list[_Key]:
        """The objects whose end is still to be seen."""
        return [key for key, end in self._ends.items() if isinstance(end, PendingSync)]

    def look(self, limit: FailureLimit, context: Context) -> None:
        """Sign in, read the objects, and decide which are due; without a limit, these are requested at once."""
        permissions = {action_of(shared.target.kind).permission for shared in self._shared.values()}
        try:
            own = self._alike.environment
            settings = connection.read_connection(self._alike.params)
            who = identity.read_identity(self._alike.params, context.environ, own)
            # The threads of a process cannot share by a file, whose locks are the process's.
            alone = context._replace(own=own, shared_tokens=None)
            session = self._session = open_graph(who, settings, alone, permission=", ".join(sorted(permissions)))
        except Exception as error:  # noqa: BLE001
            self._ended(self._shared, [errors.unexpected(error)] * len(self._shared), limit)
            return
        operations = [self._begin(key, shared.target, session, limit) for key, shared in self._shared.items()]
        self._gather(self._shared, operations, limit, context)

    def request(self, limit: FailureLimit, context: Context) -> None:
        """Request what is due, for as long as the limit is not reached."""
        due = self.due
        for start in range(0, len(due), _AT_A_TIME):
            if limit.reached:
                break
            part = due[start : start + _AT_A_TIME]
            self._gather(part, [self._request(self._ends[key], context.progress) for key in part], limit, context)

    @property
    def nouns(self) -> list[str]:
        """What each of the objects is called whose end is still to be seen."""
        return [self._shared[key].target.kind.words.short for key in self.pending]

    @property
    def tenant(self) -> str:
        """The tenant as the user named it; "" if that is not known."""
        return self._session.tenant if self._session else ""

    def wait(self, about: str, limit: FailureLimit, context: Context) -> None:
        """Wait for what was requested. ``about`` is what all groups wait for together."""
        session, pending = t.cast(Session, self._session), self.pending
        operations = [
            wait_for(self._ends[key], session.graph, progress=lambda text: context.progress(f"{about}: {text}"))
            for key in pending
        ]
        self._gather(pending, operations, limit, context)

    def results(self, limit: FailureLimit) -> dict[str, dict[str, t.Any]]:
        """By host, what came of its object."""
        return {host: self._result(key, limit) for key, shared in self._shared.items() for host in shared.hosts}

    def _gather(
        self, keys: t.Iterable[_Key], operations: t.Sequence[Operation[t.Any]], limit: FailureLimit, context: Context
    ) -> None:
        session = t.cast(Session, self._session)
        try:
            self._ended(keys, session.graph.gather(operations), limit)
        finally:
            context.hide(session.sign_in.tokens)
        if not self.due and not self.pending:
            # With hundreds of tenants, every file that stays open counts.
            session.graph.http.reset_connections()

    def _ended(self, keys: t.Iterable[_Key], ends: t.Sequence[t.Any], limit: FailureLimit) -> None:
        for key, end in zip(keys, ends):
            self._ends[key] = end
            if isinstance(end, errors.IntuneError):
                limit.count(len(self._shared[key].hosts))

    def _begin(self, key: _Key, target: Target, session: Session, limit: FailureLimit) -> Operation[t.Any]:
        seen = yield from look(
            target,
            session.graph,
            check_mode=self._alike.check_mode,
            about=self._about(key),
            warnings=self._warnings,
        )
        if isinstance(seen, DueSync) and limit.most is None:
            return (yield from self._request(seen, lambda _text: None))
        return seen

    def _request(self, due: DueSync, progress: t.Callable[[str], t.Any]) -> Operation[t.Any]:
        graph = t.cast(Session, self._session).graph
        return request(due, graph, check_mode=self._alike.check_mode, progress=progress)

    def _about(self, key: _Key) -> str:
        return self._shared[key].target.kind.words.subject(key.name, self.tenant)

    def _result(self, key: _Key, limit: FailureLimit) -> dict[str, t.Any]:
        end, words = self._ends[key], self._shared[key].target.kind.words
        if isinstance(end, DueSync):
            return {
                "changed": False,
                "skipped": True,
                "msg": f"{self._about(key)}: not begun, because more {words.short}s failed than the"
                f" {limit.most} that max_failures allows; correct those and run again.",
            }
        if isinstance(end, errors.IntuneError):
            return errors.failed(end, self._about(key))
        return dict(end)
