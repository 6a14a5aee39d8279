# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""The ways to sign in, and which of them is taken."""

from __future__ import annotations

import typing as t

from .._ground.errors import OptionError
from .._ground.option_values import OptionValue
from . import (
    method_access_token,
    method_certificate,
    method_cli,
    method_client_secret,
    method_msi,
    method_oidc,
    method_password,
    method_refresh_token,
)
from .method import Given, Method, listed

# In the order in which auth_source=auto tries them.
METHODS = (
    method_access_token.METHOD,
    method_client_secret.METHOD,
    method_certificate.METHOD,
    method_oidc.METHOD,
    method_refresh_token.METHOD,
    method_password.METHOD,
    method_msi.METHOD,
    method_cli.METHOD,
)
# Those that something given proves; the others are the host's.
_PROVING = [method for method in METHODS if method.credentials]


def first_complete(given: Given, has_cli: t.Callable[[t.Mapping[str, str]], bool]) -> Method:
    """The first of :data:`METHODS` that is complete, as ``auth_source: auto`` takes it.

    First among those whose proof (secret, certificate and so on) is given by options, then among those whose proof the
    environment gives. What the proof belongs to (``tenant``, ``client_id``) may come from either, the option winning.
    Only without any proof at all, managed identity (where Azure announces one), the Azure CLI if it has signed in, the
    runner of this job, and then the Azure CLI are taken: a half-given identity must not become another one. The runner
    comes where the CLI would be refused, so that nobody signs in as somebody else than before it was asked.

    :param has_cli: tells of an environment whether the Azure CLI is installed there.
    :raises OptionError: none is complete.
    """
    values = given.values
    refreshing, beside = method_refresh_token.METHOD, values["refresh_token"]
    complete = [method for method in _PROVING if not method.missing(values)]
    for method in [method for method in complete if method.proven_by_options(values)] or complete:
        near = refreshing in complete and beside.distance <= values["secret"].distance
        # Beside a user's token, a secret is what makes the app confidential that has it.
        return refreshing if near and method is method_client_secret.METHOD else method
    begun = [method for method in _PROVING if method.proven_by(values)]
    if begun:
        raise OptionError(
            f"the identity is incomplete: {_named(begun[0].proven_by(values))} is given without "
            f"{listed(begun[0].missing(values))}",
            advice=_every_way(),
        )
    if method_msi.is_announced(given.environ):
        return method_msi.METHOD
    has = has_cli(given.environ)
    if not (has and method_cli.may_have_signed_in(given.environ)) and method_oidc.may_ask_runner(given):
        return method_oidc.OF_RUNNER
    if has:
        return method_cli.METHOD
    known = [value for value in values.values() if value.value]
    raise OptionError(
        "no identity to sign in with is given"
        + (f" ({_named(known)} alone {'does' if len(known) == 1 else 'do'} not suffice)" if known else ""),
        advice=_every_way(),
    )


def _named(values: t.Iterable[OptionValue]) -> str:
    """The names under which values were given."""
    return listed([value.source for value in values])


def _every_way() -> str:
    ways = [
        listed([" or ".join(name) if isinstance(name, tuple) else name for name in (*m.needs, *m.credentials)])
        for m in _PROVING
    ]
    return (
        "give one of these as options or by their variables (AZURE_..., MSGRAPH_ACCESS_TOKEN, MSGRAPH_REFRESH_TOKEN): "
        + "; ".join(ways)
        + "; or set auth_source to msi for a managed identity, to oidc in a job of GitHub Actions or Azure DevOps, or"
        " to cli after 'az login'"
    )
