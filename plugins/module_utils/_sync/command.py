# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What the modules do, one value for each: the module that is sent and the action share it."""

from __future__ import annotations

import typing as t

from .._http.connection import read_connection
from .._identity.identity import read_identity
from .._kinds.kind import Kind, UnreadableTime, shown
from . import look, many, options
from .session import Context, Session, open_graph


class SyncCommand:
    """Synchronise objects of a kind: what ``intune_<kind>_sync`` promises.

    :param kind: one with an action.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def argument_spec(self) -> dict[str, t.Any]:
        """The argument spec of the module."""
        return options.sync_spec(self.kind)

    def subject(self, params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""
        return _subject(self.kind, params, tenant)

    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Validate, identify, and bring the chosen objects up to date.

        :param params: the module's parameters, as :meth:`argument_spec` says.
        :returns: the module's result.
        :raises IntuneError: it failed; :class:`results.SyncFailed` if more is known than that.
        """
        kind = self.kind
        selection = options.read_selection(kind, params)
        wanted = options.read_sync_options(kind, params)
        session = _open(params, context, options.action_of(kind).permission)
        try:
            return many.synchronise(kind, selection, wanted, session, context)
        finally:
            context.hide(session.sign_in.tokens)


class InfoCommand:
    """List objects of a kind: what ``intune_<kind>_info`` promises. Check mode reads as well.

    :param kind: one of which a tenant may have many.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def argument_spec(self) -> dict[str, t.Any]:
        """The argument spec of the module."""
        return options.info_spec(self.kind)

    def subject(self, params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""
        return _subject(self.kind, params, tenant)

    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Read the chosen objects; parameters and errors are those of :meth:`SyncCommand.run`."""
        kind, words = self.kind, self.kind.words
        one = options.guid(kind, params[words.id_option]) if params[words.id_option] else None
        filters = options.read_filters(kind, params)
        session = _open(params, context, kind.permission)
        try:
            listing = look.read_some(kind, session.graph, one) if one else look.read_all(kind, session.graph)
        finally:
            context.hide(session.sign_in.tokens)
        about = _subject(kind, params, session.tenant)
        if listing.remark:
            context.warn(f"{about}: {listing.remark}.")
        chosen = [entry for entry in listing.found if options.matches(entry.entity, filters)]
        for entry in chosen:
            if isinstance(entry.state, UnreadableTime):
                one_of_them = words.subject(entry.id, session.tenant)
                context.warn(f"{one_of_them}: {entry.state.what}, so {entry.state.name} is null.")
        if any(entry.assumed_utc for entry in chosen):
            context.warn(f"{about}: {look.assumed_utc(kind)}.")
        ordered = sorted(chosen, key=lambda entry: (str(entry.entity.get(kind.sorted_by) or "").lower(), entry.id))
        return {"changed": False, kind.results_key: [shown(kind, entry.entity) for entry in ordered]}


def _subject(kind: Kind, params: t.Mapping[str, t.Any], tenant: str) -> str:
    one = params.get(kind.words.id_option) if kind.words.id_option else ""
    return kind.words.subject(one or "", tenant)


def _open(params: t.Mapping[str, t.Any], context: Context, permission: str) -> Session:
    connection = read_connection(params)
    identity = read_identity(params, context.environ, context.own)
    return open_graph(identity, connection, context, permission=permission)
