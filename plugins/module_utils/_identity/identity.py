# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Who signs in, and how: the options and variables that say so, and the choice among the ways to sign in."""

from __future__ import annotations

import re
import typing as t

from .._ground import secrecy
from .._ground.clouds import CLOUD_VARIABLES, CLOUDS
from .._ground.errors import USER, OptionError
from .._ground.option_values import OptionValue, lookup
from . import method_cli, method_client_secret, method_msi, method_refresh_token
from .method import Given, Method, listed
from .methods import METHODS

# Option -> environment variables, first set one wins. The names are those of azure.azcollection and of azure-identity;
# MSGRAPH_* where AZURE_* would be taken for a token of Azure Resource Manager.
IDENTITY_VARIABLES: t.Mapping[str, tuple[str, ...]] = {
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "x509_certificate_password": ("AZURE_X509_CERTIFICATE_PASSWORD", "AZURE_CLIENT_CERTIFICATE_PASSWORD"),
    "thumbprint": ("AZURE_THUMBPRINT",),
    "oidc_token": ("AZURE_FEDERATED_TOKEN",),
    "oidc_token_file_path": ("AZURE_FEDERATED_TOKEN_FILE",),
    "username": ("AZURE_AD_USER", "AZURE_USERNAME"),
    "password": ("AZURE_PASSWORD",),
    "refresh_token": ("MSGRAPH_REFRESH_TOKEN",),
    "access_token": ("MSGRAPH_ACCESS_TOKEN",),
}
_PROXY_VARIABLES = [spelt(f"{scheme}_proxy") for scheme in ("https", "http", "all") for spelt in (str.lower, str.upper)]
_SECRETS = ("secret", "x509_certificate_password", "oidc_token", "password", "refresh_token", "access_token")

_NAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?")

# Those that prove who we are by options.
_PROVING = [method for method in METHODS if method.credentials]
_CLIENT_SECRET, _REFRESH_TOKEN = method_client_secret.METHOD, method_refresh_token.METHOD


def identity_spec() -> dict[str, t.Any]:
    """The argument spec of the options that say who signs in, and where."""
    return {
        "auth_source": {"type": "str", "default": "auto", "choices": ["auto", *(method.source for method in METHODS)]},
        "tenant": {"type": "str", "aliases": ["tenant_id"]},
        "client_id": {"type": "str"},
        "secret": {"type": "str", "no_log": True, "aliases": ["client_secret"]},
        "x509_certificate_path": {"type": "path"},
        "x509_certificate_password": {"type": "str", "no_log": True},
        "thumbprint": {"type": "str"},
        "oidc_token": {"type": "str", "no_log": True},
        "oidc_token_file_path": {"type": "path", "no_log": False},
        "username": {"type": "str", "aliases": ["ad_user"]},
        "password": {"type": "str", "no_log": True},
        "refresh_token": {"type": "str", "no_log": True},
        "access_token": {"type": "str", "no_log": True},
        "cloud_environment": {"type": "str", "choices": list(CLOUDS)},
        "graph_url": {"type": "str"},
        "authority_url": {"type": "str"},
        "allow_environment_credential": {"type": "bool", "default": False},
    }


def without_empty(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same arguments without options of the identity that are empty, of which some have choices.

    So a template of a credential or survey may name them all.
    """
    return {name: value for name, value in arguments.items() if value != "" or name not in identity_spec()}


class Identity(t.NamedTuple):
    """Who signs in.

    :param values: every identity option, "" where nothing is given.
    :param sent: the parts of the credential that are sent, or show who sends them, and where each comes from.
    :param spare: the options that hold only if they fit, as the certificate was named by someone else.
    """

    method: Method
    values: t.Mapping[str, str]
    sent: tuple[OptionValue, ...] = ()
    spare: frozenset[str] = frozenset()

    def from_farther_than(self, distance: int) -> str:
        """Where the credential comes from, in words, as far as that is farther away than ``distance``; "" if it is not.

        Whoever writes at that distance may not know it, and must not learn it by naming the host that it is sent to.
        """
        return listed([part.source for part in self.sent if part.distance > distance])

    @property
    def tenant(self) -> str:
        """The tenant, GUID or domain; ``organizations`` finds a user's own; "" if a token or the host decides."""
        return self.values["tenant"] or self.method.tenant

    @property
    def client_id(self) -> str:
        """The app; "" if there is none."""
        return self.values["client_id"] or self.method.client_id

    @property
    def action(self) -> str:
        """The sign-in in words."""
        return "sign-in" + (f" as client {self.client_id}" if self.client_id else "") + f" {self.method.label}"


def secrets(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> set[str]:
    """Every secret among options and environment, used or not: none of them may be shown."""
    found = {lookup(name, IDENTITY_VARIABLES[name], options, environ).value for name in _SECRETS}
    found |= {
        lookup(name, (variable,), {}, environ).value for name in _SECRETS for variable in IDENTITY_VARIABLES[name]
    }
    found |= {environ.get(variable, "") for variable in method_msi.SECRET_VARIABLES}
    for name in ("graph_url", "authority_url"):
        for address in (str(options.get(name) or ""), environ.get(CLOUD_VARIABLES[name][0], "")):
            parts = secrecy.of_address(address)
            # With its password taken out, it might be taken for one that works.
            found |= {*parts, address} if parts else parts
    for variable in _PROXY_VARIABLES:
        found |= secrecy.of_address(environ.get(variable, ""))
    return found - {""}


def choose(
    options: t.Mapping[str, t.Any],
    environ: t.Mapping[str, str],
    *,
    has_cli: t.Callable[[], bool],
    own: t.Container[str] = (),
) -> Identity:
    """Choose the way to sign in.

    ``auto`` takes the first of :data:`METHODS` that is complete: first among those whose proof (secret, certificate and
    so on) is given by options, then among those whose proof the environment gives. What the proof belongs to
    (``tenant``, ``client_id``) may come from either, the option winning. Only without any proof at all, managed
    identity (where Azure announces one) and then the Azure CLI are taken: a half-given identity must not become another
    one.

    :param options: the task's options; empty strings count as unset.
    :param environ: the environment, with the variables of :data:`IDENTITY_VARIABLES`.
    :param has_cli: tells whether the Azure CLI is installed.
    :param own: the names of the variables in ``environ`` that the task's own ``environment`` sets.
    :raises OptionError: nothing is complete, or an option cannot be right.
    """
    values = {name: lookup(name, variables, options, environ, own) for name, variables in IDENTITY_VARIABLES.items()}
    source = options.get("auth_source") or "auto"
    method = _first_complete(values, environ, has_cli) if source == "auto" else _chosen(source, values)
    given = Given(values, environ, own, bool(options.get("allow_environment_credential")))
    _check_names(values)
    method.check(given)
    settled = dict(method.settle(given))
    if method.asker == USER and not _belongs(settled["secret"], settled["client_id"], environ):
        settled["secret"] = OptionValue("", "", False)
    given = given._replace(values=settled)
    sent = [*(method.sent(given) if method.sent else method.proven_by(given.values))]
    if method.asker == USER and given.values["secret"].value:
        # The app's own proof goes along with the user's.
        sent.append(given.values["secret"])
    return Identity(method, {name: value.value for name, value in settled.items()}, tuple(sent), _spare(method, values))


def _chosen(source: str, values: t.Mapping[str, OptionValue]) -> Method:
    """The way to sign in that ``auth_source`` names."""
    method = next(method for method in METHODS if method.source == source)
    missing = method.missing(values)
    if missing:
        raise OptionError(
            f"auth_source is {source}, but {listed(missing)} {'is' if len(missing) == 1 else 'are'} not given",
            advice="give " + listed([_with_variables(name) for name in missing]),
        )
    return method


def _first_complete(
    values: t.Mapping[str, OptionValue], environ: t.Mapping[str, str], has_cli: t.Callable[[], bool]
) -> Method:
    complete = [method for method in _PROVING if not method.missing(values)]
    for method in [method for method in complete if method.proven_by_options(values)] or complete:
        beside = values["refresh_token"]
        if method is _CLIENT_SECRET and _REFRESH_TOKEN in complete and beside.distance <= values["secret"].distance:
            # It is what makes an app confidential that has a user's token.
            return _REFRESH_TOKEN
        return method
    begun = [method for method in _PROVING if method.proven_by(values)]
    if begun:
        raise OptionError(
            f"the identity is incomplete: {values_named(begun[0].proven_by(values))} is given without "
            f"{listed(begun[0].missing(values))}",
            advice=_every_way(),
        )
    if method_msi.is_announced(environ):
        return method_msi.METHOD
    if has_cli():
        return method_cli.METHOD
    known = [value for value in values.values() if value.value]
    raise OptionError(
        "no identity to sign in with is given"
        + (f" ({values_named(known)} alone {'does' if len(known) == 1 else 'do'} not suffice)" if known else ""),
        advice=_every_way(),
    )


def values_named(values: t.Iterable[OptionValue]) -> str:
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
        + "; or set auth_source to msi for a managed identity, or to cli after 'az login'"
    )


def _with_variables(names: str) -> str:
    variables = [variable for name in names.split(" or ") for variable in IDENTITY_VARIABLES[name]]
    return f"{names} (or {' or '.join(variables)})"


def _check_names(values: t.Mapping[str, OptionValue]) -> None:
    tenant, client_id = values["tenant"], values["client_id"]
    if tenant.value and not _NAME.fullmatch(tenant.value):
        raise OptionError(f"{tenant.source} is {tenant.value!r}", advice="give the tenant's GUID or one of its domains")
    if client_id.value and not _NAME.fullmatch(client_id.value):
        raise OptionError(
            f"{client_id.source} is {client_id.value!r}", advice="give the application (client) ID, a GUID"
        )


def _spare(method: Method, values: t.Mapping[str, OptionValue]) -> frozenset[str]:
    """The options that stand farther away than what they belong to, and so may belong to another."""
    return frozenset(
        name for name in method.belongings if values[name].distance > values[str(method.credentials[0])].distance
    )


def _belongs(secret: OptionValue, client_id: OptionValue, environ: t.Mapping[str, str]) -> bool:
    """Tell whether a user's app is proven by this secret: one from farther away may be that of another app there."""
    there = [lookup("client_id", (variable,), {}, environ).value for variable in IDENTITY_VARIABLES["client_id"]]
    nearer = secret.distance <= client_id.distance
    return bool(client_id.value) and (nearer or all(other in ("", client_id.value) for other in there))
