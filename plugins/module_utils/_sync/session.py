# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""From options and environment to a Graph that is ready to be asked; no request is made yet."""

from __future__ import annotations

import shutil
import types
import typing as t

from .._graph import graph, graph_errors
from .._ground import clouds, errors, option_values
from .._ground.clock import Clock
from .._http import connections, transport
from .._identity import identity, token_cache, tokens


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
    params: t.Mapping[str, t.Any],
    environ: t.Mapping[str, str],
    clock: Clock,
    shared_tokens: token_cache.Sharing | None = None,
    *,
    own: t.Mapping[str, str] = types.MappingProxyType({}),
    permission: str,
) -> Session:
    """Check the options that all modules share, and make of them a Graph to ask.

    :param params: a module's parameters, as :func:`identity_spec` and :func:`connection_spec` say.
    :param environ: the environment of the run.
    :param shared_tokens: where the processes of a run share their tokens; None if there is only this one.
    :param own: what the task's own ``environment`` lays over that of the run.
    :param permission: what is needed for all that is to be done.
    :raises OptionError: an option cannot be right, or no identity is complete.
    :raises MissingLibraryError: requests or msal is missing.
    """
    option_values.at_least(1, params, ("request_timeout",))
    option_values.at_least(0, params, ("retry_timeout",))
    foreign = clouds.untrusted_hosts(params, environ, own)
    environ = {**environ, **own}
    hosts = clouds.endpoints(params, environ)
    who = identity.choose(
        params, environ, has_cli=lambda: shutil.which("az", path=environ.get("PATH")) is not None, own=own
    )
    _check_credential_hosts(who, foreign, allowed=params["allow_environment_credential"])
    missing = tokens.missing_libraries(who)
    if missing:
        raise errors.MissingLibraryError(missing)
    http = transport.Transport(
        context=connections.tls_context(params["ca_path"], params["validate_certs"], environ),
        environ=environ,
        request_timeout=params["request_timeout"],
        retry_timeout=params["retry_timeout"],
        clock=clock,
    )
    sign_in = tokens.SignIn(who, hosts, http, shared_tokens, environ=environ, permission=permission)
    asker = graph_errors.Asker(who.method.asker, permission)
    return Session(graph.Graph(hosts.graph_url, tokens=sign_in, http=http, asker=asker), who.tenant, sign_in)


def _check_credential_hosts(
    who: identity.Identity, foreign: t.Iterable[option_values.OptionValue], *, allowed: bool
) -> None:
    """See that who names the host to send a credential to also gives that credential.

    :param foreign: the hosts that are none of Microsoft's, and who names them.
    :raises OptionError: the credential comes from farther away, and this is not ``allowed``.
    """
    for host in foreign:
        farther = who.from_farther_than(host.distance)
        if not farther or allowed:
            continue
        may = "set allow_environment_credential to true if that host may have it"
        if host.from_options:
            variable = clouds.CLOUD_VARIABLES[host.source][0]
            raise errors.OptionError(
                f"{host.source} is {host.value}, which is no host of Microsoft's, but the credential is not given by an"
                f" option beside it ({farther})",
                advice=f"name the host by {variable}, give the credential as an option too, or {may}",
            )
        raise errors.OptionError(
            f"{host.source} is {host.value} for this task, which is no host of Microsoft's, but the credential is not"
            f" given beside it ({farther})",
            advice=f"set that variable for the whole run, set those of the credential beside it, or {may}",
        )
