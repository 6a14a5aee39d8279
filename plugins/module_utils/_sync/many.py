# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""One object, many, or all of a tenant in one task: looked at together, then asked for together, then waited for."""

from __future__ import annotations

import typing as t

from .._ground import errors
from .._http import retries
from .._kinds.kind import Kind
from . import bulk
from .look import Snapshot, read_all
from .operation import DueSync, PendingSync, Target, Warnings, look, request, wait_for
from .options import Selection, SyncOptions, matches
from .results import SyncFailed
from .session import Context, Session


def synchronise(
    kind: Kind, selection: Selection, options: SyncOptions, session: Session, context: Context
) -> dict[str, t.Any]:
    """Bring the chosen objects up to date.

    All are looked at before the first is asked for, so that nothing is begun before it is known which cannot.

    :returns: the result of a single one, or that of :func:`combine`.
    :raises IntuneError: it failed; :class:`SyncFailed` if more is known than that.
    """
    graph, warnings = session.graph, Warnings(context.warn)
    _warn_of_repeated(kind, selection, session, context)
    if kind.large and selection.many:
        return bulk.synchronise(kind, selection, options, session, context)
    # What the list takes is not left for the objects.
    budget = retries.RetryBudget(graph.http.clock, graph.http.retry_timeout)
    found = _found(kind, selection, session, context)
    ends: dict[str, t.Any] = dict.fromkeys(found)

    def about(name: str) -> str:
        return kind.words.subject(name, session.tenant)

    def say(name: str) -> t.Callable[[str], t.Any]:
        return lambda text: context.progress(f"{about(name)}: {text}")

    def gather(step: type, operation: t.Callable[[str], t.Any]) -> None:
        names = [name for name, end in ends.items() if isinstance(end, step)]
        ends.update(zip(names, graph.gather([operation(name) for name in names])))

    def begin(name: str) -> t.Any:
        return look(
            Target(kind, name, options),
            graph,
            first=found[name],
            limit=budget.remaining,
            check_mode=context.check_mode,
            about=about(name),
            warnings=warnings,
        )

    gather(type(None), begin)
    gather(DueSync, lambda name: request(ends[name], graph, check_mode=context.check_mode, progress=say(name)))
    gather(PendingSync, lambda name: wait_for(ends[name], graph, progress=say(name)))
    if selection.many:
        return combine(kind, ends, session.tenant)
    end = next(iter(ends.values()))
    if isinstance(end, errors.IntuneError):
        raise end
    return t.cast("dict[str, t.Any]", end)


def _found(kind: Kind, selection: Selection, session: Session, context: Context) -> dict[str, Snapshot | None]:
    """The chosen objects by their ids, as far as they are read already."""
    if not selection.everything:
        return dict.fromkeys(selection.ids)
    listing = session.graph.run(read_all(kind, session.graph))
    if listing.remark:
        context.warn(f"{kind.words.subject('', session.tenant)}: {listing.remark}.")
    return {entry.id: entry for entry in listing.found if matches(entry.entity, selection.filters)}


def _warn_of_repeated(kind: Kind, selection: Selection, session: Session, context: Context) -> None:
    if selection.repeated:
        context.warn(
            f"{kind.words.subject('', session.tenant)}: {', '.join(selection.repeated)} is named more than once in"
            f" {kind.words.ids_option}, and is asked for once."
        )


def combine(kind: Kind, ends: t.Mapping[str, dict[str, t.Any] | errors.IntuneError], tenant: str) -> dict[str, t.Any]:
    """Put what came of many objects into one result.

    :param ends: by the objects' ids, each its result or the error that ended it.
    :param tenant: as the user named it; "" if that is not known.
    :returns: ``changed``, ``diff`` and the objects: each the result of one, with its id and ``failed``.
    :raises SyncFailed: one or more failed; the sentence names them all, those with the same reason together.
    """
    entries, diffs = [], []
    reasons: dict[str, list[str]] = {}
    for name, end in ends.items():
        if isinstance(end, errors.IntuneError):
            entry = end.as_result(kind.words.subject(name, tenant))
            reasons.setdefault(end.sentence().rstrip("."), []).append(name)
        else:
            entry = dict(end)
        diff = entry.pop("diff", None)
        if diff is not None:
            diffs.append({**diff, "before_header": name, "after_header": name})
        entries.append({kind.words.id_option: name, "failed": isinstance(end, errors.IntuneError), **entry})
    result = {"changed": any(entry["changed"] for entry in entries), kind.results_key: entries, "diff": diffs}
    if reasons:
        failed = sum(len(names) for names in reasons.values())
        what = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
        raise SyncFailed(errors.IntuneError(f"{failed} of {len(entries)} failed - {what}"), result)
    return result
