# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Many hosts: asked together per identity, requested first, then all waited for at once."""

from __future__ import annotations

import contextlib
import threading
import typing as t
from concurrent import futures
from functools import partial

from .._ground import errors
from .._ground.clock import LONGEST_SLEEP, cancellable
from .._identity.identity import Identity
from .._kinds.kind import Kind
from .fleet_group import Ending, FailureLimit, FleetHost, Group, Want
from .operation import Warnings
from .options import guid, read_sync_options
from .session import Context

# How many identities request at the same time; each has connections of its own.
_IDENTITIES_AT_ONCE = 8
# How many wait at the same time. What the others wait for goes on meanwhile, and a process may open 1,024 files only.
_WAITING_AT_ONCE = 256


def one_object(kind: Kind, params: t.Mapping[str, t.Any]) -> Want:
    """What a host wants that is an object of a kind.

    :param params: the parameters of the module that synchronises this kind, those of a single object.
    :raises OptionError: they do not say which, or one of them cannot be right.
    """
    words = kind.words
    name = params.get(words.id_option) if words.id_option else ""
    if words.id_option and not name:
        raise errors.OptionError(
            f"{words.id_option} is not given, so this host is no {words.short}",
            advice=f"set {kind.name}_sync_{words.id_option} for it, or leave it out of the play",
        )
    wanted = read_sync_options(kind, params)
    return Want(kind, wanted, guid(kind, name) if name else "")


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


def synchronise(hosts: t.Sequence[FleetHost], limit: FailureLimit, context: Context) -> dict[str, list[Ending]]:
    """Bring what all hosts are about up to date.

    Hosts with the same identity share its token and its batches; hosts that are about the same object share one
    request, for all that they want (:func:`fleet_group.merge_options`), and each is told what came of it.

    :returns: by host, what came of each object.
    """
    keys = {host.host: host.group_key for host in hosts}
    keep_open = len({*keys.values()}) <= _WAITING_AT_ONCE
    groups: dict[tuple[t.Any, ...], Group] = {}
    warnings = Warnings(context.warn)
    for host in hosts:
        key = keys[host.host]
        if key not in groups:
            groups[key] = Group(host, warnings, keep_open=keep_open)
        groups[key].add(host)
    _refuse_tenants_of_one_token(groups.values(), context)
    cancelled = threading.Event()
    context = context._replace(clock=cancellable(context.clock, cancelled))
    _in_threads([partial(group.look, limit, context) for group in groups.values()], _IDENTITIES_AT_ONCE, cancelled)
    due = [group for group in groups.values() if group.due]
    _in_threads([partial(group.request, limit, context) for group in due], _IDENTITIES_AT_ONCE, cancelled)
    # Whoever waits is idle nearly all the time, so hardly anybody waits in turns.
    pending = [group for group in groups.values() if group.pending]
    nouns = [noun for group in pending for noun in group.nouns]
    about = _these(nouns, len({group.tenant for group in pending}))
    at_once = min(len(pending), _WAITING_AT_ONCE)
    _in_threads([partial(group.wait, about, limit, context) for group in pending], at_once, cancelled)
    endings: dict[str, list[Ending]] = {}
    for group in groups.values():
        endings.update(group.endings(limit))
    return endings


def _refuse_tenants_of_one_token(groups: t.Iterable[Group], context: Context) -> None:
    """Refuse groups that want all of different tenants by a token that is of one: each would be told of that one."""
    sharing: dict[tuple[t.Any, ...], list[tuple[Group, Identity]]] = {}
    for group in groups:
        # What is wrong with one, it says itself when it looks.
        with contextlib.suppress(Exception):
            who = group.who(context)
            if group.wants_all and who.only_tenant is not None:
                sharing.setdefault(who.only_tenant, []).append((group, who))
    for together in sharing.values():
        tenants = {who.tenant.lower() for _group, who in together}
        if len(tenants) > 1:
            for group, who in together:
                group.refuse(who.reads_one_tenant(f"the hosts name {len(tenants)} tenants for it"))


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
