# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""From an identity and a connection to a Graph that is ready to be asked; no request is made yet."""

from __future__ import annotations

import types
import typing as t

from .._graph import graph, graph_errors
from .._ground import errors
from .._ground.clock import Clock
from .._http import connections, transport
from .._http.connection import Connection
from .._http.pace import Pace
from .._identity import token_cache, tokens
from .._identity.identity import Identity

# https://learn.microsoft.com/graph/throttling-limits counts Intune's requests within so many seconds.
PACE_SECONDS = 20


class Context(t.NamedTuple):
    """Who calls the engine, and what of the world outside the engine may use; a test hands in its own.

    :param check_mode: whether to predict only.
    :param environ: the environment of the run, which may complete the identity; not ``os.environ`` itself where
        threads share it.
    :param sent: whether the module was sent to the host that runs it.
    :param own: what the task's own ``environment`` lays over it. Whoever writes that, in an inventory say, need not
        know the credential of the run.
    :param clock: time and chance.
    :param warn: takes sentences that the user should read.
    :param progress: takes sentences about what is being waited for, some of which the user may see.
    :param hide: takes the tokens that were got, which must not be shown.
    :param shared_tokens: where the processes of a run share their tokens; None if there is only this one.
    """

    check_mode: bool
    environ: t.Mapping[str, str]
    clock: Clock
    warn: t.Callable[[str], t.Any]
    progress: t.Callable[[str], t.Any]
    hide: t.Callable[[t.Iterable[str]], t.Any]
    shared_tokens: token_cache.Sharing | None = None
    sent: bool = False
    own: t.Mapping[str, str] = types.MappingProxyType({})

    @property
    def whole_environ(self) -> dict[str, str]:
        """The environment as the task sees it."""
        return {**self.environ, **self.own}


class Session(t.NamedTuple):
    """A Graph, and what is known about who asks it.

    :param tenant: the tenant as the user named it; "" if a token or the host decides.
    :param sign_in: whose tokens must not be shown.
    """

    graph: graph.Graph
    tenant: str
    sign_in: tokens.SignIn


def open_graph(
    identity: Identity, connection: Connection, context: Context, *, permission: str, pace: int = 0
) -> Session:
    """Make of who signs in, and of how requests are made, a Graph to ask.

    :param permission: what is needed for all that is to be done.
    :param pace: how many requests to synchronise may be made within 20 seconds; 0 for as many as one likes.
    :raises OptionError: what a file holds cannot be right.
    :raises MissingLibraryError: requests or msal is missing.
    """
    missing = tokens.missing_libraries(identity)
    if missing:
        raise errors.MissingLibraryError(missing)
    environ = context.whole_environ
    http = transport.Transport(
        context=connections.tls_context(connection.ca_path, connection.validate_certs, environ),
        environ=environ,
        request_timeout=connection.request_timeout,
        retry_timeout=connection.retry_timeout,
        clock=context.clock,
    )
    sign_in = tokens.SignIn(identity, http, context.shared_tokens, environ=environ, permission=permission)
    asker = graph_errors.Asker(identity.method.asker, permission)
    places = Pace(pace, PACE_SECONDS) if pace else None
    return Session(
        graph.Graph(identity.hosts.graph_url, tokens=sign_in, http=http, asker=asker, pace=places),
        identity.tenant,
        sign_in,
    )
