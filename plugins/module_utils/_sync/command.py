# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What the modules do, one value for each: the module that is sent and the action share it."""

from __future__ import annotations

import typing as t

from .._ground import option_values
from .._ground.errors import IntuneError, OptionError
from .._http.connection import connection_spec, read_connection
from .._identity.identity import identity_spec, read_identity
from .._kinds.kind import Kind, UnreadableTime, shown
from . import look, many, options, overview, sign_in_report
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
        session = _open(params, context, options.action_of(kind).permission, wanted.pace)
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
            listing = session.graph.run(look.listing(kind, session.graph, one or ""))
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


class OverviewCommand:
    """Tell how all connectors and tokens of a tenant are: what ``intune_connectors_and_tokens_info`` promises.

    :param kinds: those that are known; of which a tenant has thousands are left out.
    """

    def __init__(self, kinds: t.Sequence[Kind]) -> None:
        self.kinds = {kind.name: kind for kind in kinds if not kind.large}

    def argument_spec(self) -> dict[str, t.Any]:
        """The argument spec of the module."""
        return {
            "kinds": {"type": "list", "elements": "str", "choices": list(self.kinds)},
            "warn_days": {"type": "int", "default": 30},
            **identity_spec(),
            **connection_spec(),
        }

    def subject(self, _params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""
        return f"connectors and tokens in tenant {tenant}" if tenant else "connectors and tokens"

    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Read all of the chosen kinds together; parameters and errors are those of :meth:`SyncCommand.run`."""
        option_values.at_least(0, params, ("warn_days",), "days")
        kinds = [self.kinds[name] for name in dict.fromkeys(params["kinds"] or self.kinds)]
        permissions = dict.fromkeys(kind.permission for kind in kinds)
        session = _open(params, context, " and ".join(permissions))
        try:
            found = overview.read(kinds, session.graph)
        finally:
            context.hide(session.sign_in.tokens)
        about = self.subject(params, session.tenant)
        for warning in found.warnings:
            context.warn(f"{about}: {warning}.")
        return {"changed": False, **found.as_dict(params["warn_days"])}


class SignInCommand:
    """Tell who signs in and what that allows: what ``intune_sign_in_info`` promises.

    :param kinds: those that are known.
    """

    def __init__(self, kinds: t.Sequence[Kind]) -> None:
        self.kinds = {kind.name: kind for kind in kinds}

    def argument_spec(self) -> dict[str, t.Any]:
        """The argument spec of the module."""
        troubles = list(sign_in_report.TROUBLES)
        return {
            "kinds": {"type": "list", "elements": "str", "choices": list(self.kinds)},
            "probe": {"type": "bool", "default": False},
            "fail_on": {"type": "list", "elements": "str", "choices": troubles, "default": troubles[:1]},
            **identity_spec(),
            **connection_spec(),
        }

    def subject(self, _params: t.Mapping[str, t.Any], tenant: str) -> str:
        """What a sentence about it begins with."""
        return f"tenant {tenant}" if tenant else ""

    def run(self, params: t.Mapping[str, t.Any], context: Context) -> dict[str, t.Any]:
        """Sign in and look; parameters and errors are those of :meth:`SyncCommand.run`."""
        fail_on = params["fail_on"]
        if "probe" in fail_on and not params["probe"]:
            raise OptionError("fail_on has probe, but probe is false", advice="set probe to true")
        kinds = [self.kinds[name] for name in dict.fromkeys(params["kinds"] or self.kinds)]
        found = sign_in_report.look(kinds, params, read_connection(params), context, probe=params["probe"])
        problems = sign_in_report.problems(kinds, found)
        result = sign_in_report.as_dict(kinds, found, problems)
        failing = [problem.clause for problem in problems if problem.trouble in fail_on]
        if failing:
            failure = IntuneError(failing[0], request_id=result["request_id"])
            failure.result = result
            raise failure
        for problem in problems:
            # What an app is not meant to do is no warning.
            if problem.trouble in ("", "sign_in"):
                context.warn(problem.sentence)
        return result


def _subject(kind: Kind, params: t.Mapping[str, t.Any], tenant: str) -> str:
    one = params.get(kind.words.id_option) if kind.words.id_option else ""
    return kind.words.subject(one or "", tenant)


def _open(params: t.Mapping[str, t.Any], context: Context, permission: str, pace: int = 0) -> Session:
    connection = read_connection(params)
    identity = read_identity(params, context.environ, context.own)
    return open_graph(identity, connection, context, permission=permission, pace=pace)
