# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Who signs in, and how: the options and variables that say so, and the choice among the ways to sign in."""

from __future__ import annotations

import re
import types
import typing as t

from .._ground import clouds, secrecy
from .._ground.clouds import CLOUD_VARIABLES, Endpoints
from .._ground.errors import USER, OptionError
from .._ground.option_values import OptionValue, lookup
from . import method_cli, method_msi, method_oidc, runner_token
from .method import Given, Method, is_or_are, listed
from .methods import METHODS, first_complete

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
    "oidc_audience": (),
    "service_connection_id": ("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",),
    "username": ("AZURE_AD_USER", "AZURE_USERNAME"),
    "password": ("AZURE_PASSWORD",),
    "refresh_token": ("MSGRAPH_REFRESH_TOKEN",),
    "access_token": ("MSGRAPH_ACCESS_TOKEN",),
}
_PROXY_VARIABLES = [spelt(f"{scheme}_proxy") for scheme in ("https", "http", "all") for spelt in (str.lower, str.upper)]
_SECRETS = ("secret", "x509_certificate_password", "oidc_token", "password", "refresh_token", "access_token")

_NAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?")


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
        "oidc_audience": {"type": "str"},
        "service_connection_id": {"type": "str"},
        "username": {"type": "str", "aliases": ["ad_user"]},
        "password": {"type": "str", "no_log": True},
        "refresh_token": {"type": "str", "no_log": True},
        "access_token": {"type": "str", "no_log": True},
        "cloud_environment": {"type": "str", "choices": list(clouds.CLOUDS)},
        "graph_url": {"type": "str"},
        "authority_url": {"type": "str"},
        "allow_environment_credential": {"type": "bool", "default": False},
    }


def without_empty(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The same arguments without options of the identity that are empty, of which some have choices.

    So a template of a credential or survey may name them all.
    """
    return {name: value for name, value in arguments.items() if value != "" or name not in identity_spec()}


# The ways to sign in whose token belongs to one tenant.
_OF_ONE_TENANT = ("access_token", "msi")


class Identity(t.NamedTuple):
    """Who signs in, and where.

    :param values: every identity option, "" where nothing is given.
    :param hosts: of Graph and of Entra ID.
    :param sent: the parts of the credential that are sent, or show who sends them, and where each comes from.
    :param spare: the options that hold only if they fit, as the certificate was named by someone else.
    :param outside: what else of the environment decides whose token it is.
    """

    method: Method
    values: t.Mapping[str, str]
    hosts: Endpoints
    sent: tuple[OptionValue, ...] = ()
    spare: frozenset[str] = frozenset()
    outside: tuple[tuple[str, str | None], ...] = ()

    @property
    def key(self) -> tuple[t.Any, ...]:
        """All that makes it the same identity as another, to be compared and not to be shown: secrets are among it.

        What a file holds that it names is not.
        """
        values = tuple(sorted(self.values.items()))
        return (self.method.source, self.hosts, values, tuple(sorted(self.spare)), self.outside)

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
    def only_tenant(self) -> tuple[t.Any, ...] | None:
        """What decides of which tenant the token is, whatever tenant is named; to be compared and not to be shown.

        None if it is of the tenant that is named.
        """
        source = self.method.source
        return (source, self.values["access_token"], self.client_id, self.outside) if source in _OF_ONE_TENANT else None

    def reads_one_tenant(self, but: str) -> OptionError:
        """What to say of a sign-in by which several tenants were to be read; ``but`` is a clause about those."""
        return OptionError(
            f"a sign-in {self.method.label} reads one tenant, but {but}",
            advice="sign in as an app that is registered for many tenants",
        )

    @property
    def federation_audience(self) -> str:
        """What a federated token is to have as its audience: as the user says, or as this Entra ID wants it."""
        return self.values["oidc_audience"] or self.hosts.federation_audience

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
    found |= {environ.get(name, "") for name in method_msi.SECRET_VARIABLES} | runner_token.secrets(environ)
    addresses = [environ.get(name, "") for name in runner_token.ADDRESS_VARIABLES]
    for name in ("graph_url", "authority_url"):
        addresses += [str(options.get(name) or ""), environ.get(CLOUD_VARIABLES[name][0], "")]
    for address in addresses:
        parts = secrecy.of_address(address)
        # With its password taken out, it might be taken for one that works.
        found |= {*parts, address} if parts else parts
    for variable in _PROXY_VARIABLES:
        found |= secrecy.of_address(environ.get(variable, ""))
    return found - {""}


def read_given(
    params: t.Mapping[str, t.Any], environ: t.Mapping[str, str], own: t.Mapping[str, str]
) -> tuple[dict[str, OptionValue], Given]:
    """What options and environment say of the hosts, and of who signs in; parameters as of :func:`read_identity`."""
    whole = {**environ, **own}
    named, values = (
        {name: lookup(name, variables, params, whole, own) for name, variables in group.items()}
        for group in (CLOUD_VARIABLES, IDENTITY_VARIABLES)
    )
    return named, Given(values, whole, own, bool(params.get("allow_environment_credential")))


def read_identity(
    params: t.Mapping[str, t.Any],
    environ: t.Mapping[str, str],
    own: t.Mapping[str, str] = types.MappingProxyType({}),
    *,
    has_cli: t.Callable[[t.Mapping[str, str]], bool] = method_cli.is_installed,
) -> Identity:
    """Read who is to sign in, and where.

    :param params: a module's parameters, as :func:`identity_spec` says; empty strings count as unset.
    :param environ: the environment of the run, with the variables of :data:`IDENTITY_VARIABLES`.
    :param own: what the task's own ``environment`` lays over it.
    :param has_cli: tells of an environment whether the Azure CLI is installed there.
    :raises OptionError: an option cannot be right, no identity is complete, or its credential is none for these hosts.
    """
    named, given = read_given(params, environ, own)
    untrusted = clouds.untrusted_hosts(named, environ, own)
    hosts = clouds.endpoints(named)
    source = params.get("auth_source") or "auto"
    method = first_complete(given, has_cli) if source == "auto" else _chosen(source, given)
    identity = _identity(method, given, hosts)
    if not given.allowed:
        _check_hosts(identity, untrusted)
    return identity


def _identity(method: Method, given: Given, hosts: Endpoints) -> Identity:
    """The identity that signs in by a method, of what is given."""
    _check_names(given.values)
    method.check(given)
    values = dict(method.settle(given))
    if method.asker == USER and not _belongs(values["secret"], values["client_id"], given.environ):
        values["secret"] = OptionValue("", "", False)
    sent = [*(method.sent(given._replace(values=values)) if method.sent else method.proven_by(values))]
    if method.asker == USER and values["secret"].value:
        # The app's own proof goes along with the user's.
        sent.append(values["secret"])
    return Identity(
        method=method,
        values={name: value.value for name, value in values.items()},
        hosts=hosts,
        sent=tuple(sent),
        spare=_spare(method, given.values),
        outside=tuple((name, given.environ.get(name)) for name in method.host_variables),
    )


def _chosen(source: str, given: Given) -> Method:
    """The way to sign in that ``auth_source`` names."""
    method = next(method for method in METHODS if method.source == source)
    if method is method_oidc.METHOD and not method.proven_by(given.values) and runner_token.platform(given.environ):
        method = method_oidc.OF_RUNNER
    missing = method.missing(given.values)
    if missing:
        raise OptionError(
            f"auth_source is {source}, but {listed(missing)} {is_or_are(missing)} not given",
            advice="give " + listed([with_variables(name) for name in missing]),
        )
    return method


def with_variables(names: str) -> str:
    """An option, or several of which one is needed, with the variables that may be set instead."""
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


def _check_hosts(identity: Identity, untrusted: t.Iterable[OptionValue]) -> None:
    """See that who names the host to send a credential to also gives that credential.

    :param untrusted: the hosts that are none of Microsoft's, and who names them.
    :raises OptionError: the credential comes from farther away.
    """
    for host in untrusted:
        farther = identity.from_farther_than(host.distance)
        if not farther:
            continue
        may = "set allow_environment_credential to true if that host may have it"
        if host.from_options:
            variable = CLOUD_VARIABLES[host.source][0]
            raise OptionError(
                f"{host.source} is {host.value}, which is no host of Microsoft's, but the credential is not given by an"
                f" option beside it ({farther})",
                advice=f"name the host by {variable}, give the credential as an option too, or {may}",
            )
        raise OptionError(
            f"{host.source} is {host.value} for this task, which is no host of Microsoft's, but the credential is not"
            f" given beside it ({farther})",
            advice=f"set that variable for the whole run, set those of the credential beside it, or {may}",
        )
