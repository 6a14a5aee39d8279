# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The objects of all hosts with one identity: one sign-in, lists and requests in batches, each object asked once."""

from __future__ import annotations

import threading
import typing as t

from .._ground import errors
from .._http import connection, retries
from .._http.driver import Operation
from .._identity import identity
from .._kinds.kind import Kind
from .look import Listing, Snapshot, listing
from .operation import DueSync, PendingSync, Target, Warnings, look, request, wait_for
from .options import TROUBLES, SyncOptions, action_of
from .results import Obstructed, SyncFailed
from .session import Context, Session, open_graph

# With a limit to the failures, so many are requested before they are counted again: one batch.
_AT_A_TIME = 20


class Want(t.NamedTuple):
    """What a host wants of a kind.

    :param name: the id of the one object that is meant, "" for the only one; None for all that its tenant has.
    """

    kind: Kind
    options: SyncOptions
    name: str | None


class FleetHost(t.NamedTuple):
    """A host and what it wants.

    :param wants: at least one; each kind once.
    :param params: the options of its identity and of its connection, by their names.
    :param environment: variables that the host has beside those of the run.
    :param check_mode: whether to predict only, for this host.
    :param fail_on: which of :data:`TROUBLES` make it one that failed.
    """

    host: str
    wants: t.Sequence[Want]
    params: t.Mapping[str, t.Any]
    environment: t.Mapping[str, str]
    check_mode: bool = False
    fail_on: t.AbstractSet[str] = frozenset(TROUBLES)

    @property
    def group_key(self) -> tuple[t.Any, ...]:
        """What is the same for hosts that share a sign-in."""
        names = (*identity.identity_spec(), *connection.connection_spec())
        # What one only predicts must be nothing that another shares.
        return (*(self.params[name] for name in names), self.check_mode, *sorted(self.environment.items()))


class Ending(t.NamedTuple):
    """What came of an object, or why all of a kind, or a tenant, could not be read.

    :param kind: None for a tenant as a whole.
    :param name: the object's id; "" for the only one of its kind, and for what could not be read.
    :param first: the object as it was read first; None if it was not.
    :param result: what the module returns for one object; with ``msg`` if it failed, with ``skipped`` if it was due and
        not begun.
    :param trouble: what is wrong with it, one of :data:`TROUBLES`; "" for nothing.
    :param about: what ``msg`` begins with.
    """

    kind: Kind | None
    name: str
    first: Snapshot | None
    result: t.Mapping[str, t.Any]
    trouble: str
    about: str


class FailureLimit:
    """How many hosts may fail before no more is begun; shared by the threads.

    :param most: the number that may fail; None for any.
    :param noun: what is counted, such as ``connectors``.
    :param failed: how many have failed before.
    """

    def __init__(self, most: int | None, noun: str = "hosts", failed: int = 0) -> None:
        self.most = most
        self._noun = noun
        self._before = failed
        self._failed: set[str] = set()
        self._lock = threading.Lock()

    def count(self, hosts: t.Iterable[str]) -> None:
        """Count hosts that failed, each once."""
        with self._lock:
            self._failed.update(hosts)

    @property
    def reached(self) -> bool:
        """Whether too many have failed."""
        return self.most is not None and self._before + len(self._failed) > self.most

    @property
    def why(self) -> str:
        """Why something was not begun, a clause with what to do."""
        return f"more {self._noun} failed than the {self.most} that max_failures allows; correct those and run again"


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


class _Key(t.NamedTuple):
    """An object of a tenant, by the name of its kind and its id."""

    kind: str
    name: str


class _Shared(t.NamedTuple):
    """What is wanted of an object, and all the hosts that are about it.

    :param first: the object, if it came with the list of all.
    """

    target: Target
    hosts: list[str]
    first: Snapshot | None = None


class Group:
    """The objects of one identity, and what has come of them so far.

    :param first: one of its hosts, as far as they are all alike.
    :param keep_open: whether its connections may stay open until all is done.
    """

    def __init__(self, first: FleetHost, warnings: Warnings, *, keep_open: bool = True) -> None:
        self._alike = first
        self._warnings = warnings
        self._keep_open = keep_open
        self._hosts: dict[str, FleetHost] = {}
        self._shared: dict[_Key, _Shared] = {}
        self._who: identity.Identity | None = None
        self._session: Session | None = None
        # Why nothing could be asked; and by kind, why its list could not be read.
        self._failure: errors.IntuneError | None = None
        self._unreadable: dict[str, errors.IntuneError] = {}
        # A result, an error, or what is to be requested or waited for.
        self._ends: dict[_Key, t.Any] = {}

    def add(self, host: FleetHost) -> None:
        """Add a host."""
        self._hosts[host.host] = host
        for want in host.wants:
            if want.name is not None:
                self._add(host.host, Target(want.kind, want.name, want.options))

    def _add(self, host: str, target: Target, first: Snapshot | None = None) -> None:
        key = _Key(target.kind.name, target.name)
        known = self._shared.get(key)
        if known:
            merged = merge_options(target.kind, known.target.options, target.options)
            self._shared[key] = known._replace(
                target=target._replace(options=merged), hosts=[*known.hosts, host], first=known.first or first
            )
        else:
            self._shared[key] = _Shared(target, [host], first)

    @property
    def wants_all(self) -> bool:
        """Whether a host wants all that its tenant has."""
        return any(want.name is None for host in self._hosts.values() for want in host.wants)

    def who(self, context: Context) -> identity.Identity:
        """Who signs in.

        :raises OptionError: nobody can, by these options.
        """
        if self._who is None:
            self._who = identity.read_identity(self._alike.params, context.environ, self._alike.environment)
        return self._who

    def refuse(self, error: errors.IntuneError) -> None:
        """Have nothing asked for."""
        self._failure = error

    @property
    def due(self) -> list[_Key]:
        """The objects that are still to be asked to synchronise."""
        return [key for key, end in self._ends.items() if isinstance(end, DueSync)]

    @property
    def pending(self) -> list[_Key]:
        """The objects whose end is still to be seen."""
        return [key for key, end in self._ends.items() if isinstance(end, PendingSync)]

    @property
    def nouns(self) -> list[str]:
        """What each of the objects is called whose end is still to be seen."""
        return [self._shared[key].target.kind.words.short for key in self.pending]

    @property
    def tenant(self) -> str:
        """The tenant as the user named it; "" if that is not known."""
        return self._session.tenant if self._session else ""

    def look(self, limit: FailureLimit, context: Context) -> None:
        """Sign in, read the objects, and decide which are due; without a limit, these are requested at once."""
        try:
            if self._failure:
                raise self._failure
            session = self._session = self._open(context)
        except Exception as error:  # noqa: BLE001
            self._failure = errors.unexpected(error)
            limit.count(self._hosts if _is_of_options(self._failure) else self._failing(self._hosts, "unreadable"))
            return
        budget = retries.RetryBudget(session.graph.http.clock, session.graph.http.retry_timeout)
        self._read_lists(limit, context)
        # What the lists take is not left for the objects.
        operations = [self._begin(key, shared, limit, budget.remaining) for key, shared in self._shared.items()]
        self._gather(self._shared, operations, limit, context)

    def _open(self, context: Context) -> Session:
        settings = connection.read_connection(self._alike.params)
        who = self.who(context)
        kinds = [want.kind for host in self._hosts.values() for want in host.wants]
        permissions = {
            words for kind in kinds for words in (action_of(kind).permissions if kind.action else [kind.permission])
        }
        # The threads of a process cannot share by a file, whose locks are the process's.
        alone = context._replace(own=self._alike.environment, shared_tokens=None)
        return open_graph(who, settings, alone, permission=" and ".join(sorted(permissions)))

    def _read_lists(self, limit: FailureLimit, context: Context) -> None:
        """Read all of the kinds of which a host wants all, in one batch for each version of Graph."""
        session = t.cast(Session, self._session)
        wanted: dict[str, list[tuple[str, Want]]] = {}
        for name, host in self._hosts.items():
            for want in host.wants:
                if want.name is None:
                    wanted.setdefault(want.kind.name, []).append((name, want))
        kinds = [entries[0][1].kind for entries in wanted.values()]
        operations = [listing(kind, session.graph.asking_for(kind.permission)) for kind in kinds]
        try:
            lists: list[Listing | errors.IntuneError] = session.graph.gather(operations)
        finally:
            context.hide(session.sign_in.tokens)
        for kind, entries, found in zip(kinds, wanted.values(), lists):
            if isinstance(found, errors.IntuneError):
                self._unreadable[kind.name] = found
                limit.count(self._failing([name for name, _want in entries], "unreadable"))
                continue
            if found.found and found.remark:
                context.warn(f"{kind.words.subject('', session.tenant)}: {found.remark}.")
            for name, want in entries:
                for one in found.found:
                    self._add(name, Target(kind, "" if kind.singleton else one.id, want.options), one)

    def request(self, limit: FailureLimit, context: Context) -> None:
        """Request what is due, for as long as the limit is not reached."""
        due = self.due
        for start in range(0, len(due), _AT_A_TIME):
            if limit.reached:
                break
            part = due[start : start + _AT_A_TIME]
            self._gather(part, [self._request(self._ends[key], context.progress) for key in part], limit, context)

    def wait(self, about: str, limit: FailureLimit, context: Context) -> None:
        """Wait for what was requested. ``about`` is what all groups wait for together."""
        session, pending = t.cast(Session, self._session), self.pending
        operations = [
            wait_for(self._ends[key], session.graph, progress=lambda text: context.progress(f"{about}: {text}"))
            for key in pending
        ]
        self._gather(pending, operations, limit, context)

    def endings(self, limit: FailureLimit) -> dict[str, list[Ending]]:
        """By host, what came of all that it wanted; nothing for a kind of which its tenant has none."""
        found = {name: self._unread_of(host) for name, host in self._hosts.items()}
        for key, shared in self._shared.items():
            ending = self._ending(key, shared, limit)
            for host_name in shared.hosts:
                found[host_name].append(ending)
        return found

    def _unread_of(self, host: FleetHost) -> list[Ending]:
        """What could not be read of a host that wants all of some kinds, in one ending if it has one reason."""
        kinds = [want.kind for want in host.wants if want.name is None]
        unread = [(kind, self._unreadable[kind.name]) for kind in kinds if kind.name in self._unreadable]
        # What there is to do tells reasons apart: one kind is read, and another one listed.
        reasons = {error.advice or error.what: error for _kind, error in unread}
        whole = self._failure or next((one for one in reasons.values() if isinstance(one, errors.SignInError)), None)
        if len(kinds) == len(unread) > len(reasons) == 1:
            whole = next(iter(reasons.values()))
        if kinds and whole:
            return [self._unread(None, whole)]
        return [self._unread(kind, error) for kind, error in unread]

    def _unread(self, kind: Kind | None, error: errors.IntuneError) -> Ending:
        if _is_of_options(error):
            return Ending(None, "", None, errors.failed(error, ""), "failed", "")
        tenant = self.tenant or str(self._alike.params["tenant"] or "")
        about = kind.words.subject("", tenant) if kind else f"tenant {tenant}" if tenant else "the tenant"
        return Ending(kind, "", None, errors.failed(error, about), "unreadable", about)

    def _gather(
        self, keys: t.Iterable[_Key], operations: t.Sequence[Operation[t.Any]], limit: FailureLimit, context: Context
    ) -> None:
        session = t.cast(Session, self._session)
        try:
            self._ended(keys, session.graph.gather(operations), limit)
        finally:
            context.hide(session.sign_in.tokens)
        if not self._keep_open or not (self.due or self.pending):
            # With hundreds of tenants, every file that stays open counts.
            session.graph.http.reset_connections()

    def _ended(self, keys: t.Iterable[_Key], ends: t.Sequence[t.Any], limit: FailureLimit) -> None:
        for key, end in zip(keys, ends):
            self._ends[key] = end
            limit.count(self._failing(self._shared[key].hosts, self._trouble(key)))

    def _failing(self, hosts: t.Iterable[str], trouble: str) -> list[str]:
        """Those of the hosts that a trouble makes fail."""
        return [host for host in hosts if trouble in self._hosts[host].fail_on]

    def _trouble(self, key: _Key) -> str:
        end, shared = self._ends[key], self._shared[key]
        if isinstance(end, errors.IntuneError):
            return (
                "obstacle" if isinstance(end, Obstructed) else "failed" if isinstance(end, SyncFailed) else "unreadable"
            )
        # Where all of a tenant is told of, what is recent enough has the obstacle all the same.
        listed = shared.first and not isinstance(end, (DueSync, PendingSync)) and end["sync"]["state"] == "fresh"
        return "obstacle" if listed and t.cast(Snapshot, shared.first).known_state().obstacle else ""

    def _begin(self, key: _Key, shared: _Shared, limit: FailureLimit, remaining: float) -> Operation[t.Any]:
        seen = yield from look(
            shared.target,
            t.cast(Session, self._session).graph,
            first=shared.first,
            limit=remaining if shared.first else None,
            check_mode=self._alike.check_mode,
            about=self._about(key),
            warnings=self._warnings,
            obstacles_told=shared.first is not None,
        )
        if isinstance(seen, DueSync) and limit.most is None:
            return (yield from self._request(seen, lambda _text: None))
        return seen

    def _request(self, due: DueSync, progress: t.Callable[[str], t.Any]) -> Operation[t.Any]:
        kind = due.target.kind
        graph = t.cast(Session, self._session).graph.asking_for(action_of(kind).permission)
        return request(due, graph, check_mode=self._alike.check_mode, progress=progress)

    def _about(self, key: _Key) -> str:
        return self._shared[key].target.kind.words.subject(key.name, self.tenant)

    def _ending(self, key: _Key, shared: _Shared, limit: FailureLimit) -> Ending:
        kind, about = shared.target.kind, self._about(key)
        if self._failure:
            return Ending(kind, key.name, None, errors.failed(self._failure, about), "unreadable", about)
        end = self._ends[key]
        if isinstance(end, DueSync):
            result = {"changed": False, "skipped": True, "msg": f"{about}: not begun, because {limit.why}."}
            return Ending(kind, key.name, end.first, result, "", about)
        result = errors.failed(end, about) if isinstance(end, errors.IntuneError) else dict(end)
        return Ending(kind, key.name, shared.first, result, self._trouble(key), about)


def _is_of_options(error: errors.IntuneError) -> bool:
    """Whether this is about how the play is written, or what is installed, and nothing of Intune."""
    return isinstance(error, (errors.OptionError, errors.MissingLibraryError))
