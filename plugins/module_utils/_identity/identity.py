# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Who signs in, and how: options and environment -> credential -> access token, by way of msal."""

from __future__ import annotations

import base64
import contextlib
import importlib.util
import json
import pathlib
import re
import shutil
import subprocess
import typing as t
import warnings

from .._ground import errors, secrecy, untrusted
from .._ground.clouds import CLOUD_VARIABLES, Endpoints
from .._ground.errors import OptionError, SignInError
from .._ground.option_values import OptionValue, lookup
from .._ground.version import VERSION
from .._http import transport
from . import msal_http, refusals, token_cache
from .identity_options import IDENTITY_VARIABLES

try:
    import msal

    HAS_MSAL = True
except Exception:  # noqa: BLE001
    # A broken installation raises anything, and must not end ansible-playbook, which imports this too.
    HAS_MSAL = False

# "Microsoft Graph Command Line Tools", the public client that Connect-MgGraph uses too: a user name and a password come
# without an app in AWX's Azure credential.
GRAPH_COMMAND_LINE_TOOLS = "14d82eec-204b-4c2f-b7e8-296a70dab67e"

_NAME = re.compile(r"[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?")
_NO_TENANT_OF_ITS_OWN = frozenset(("common", "organizations", "consumers"))
_HEADER_WORD = re.compile(r"[\x21-\x7e]+")
_PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----.+?-----END \1-----\s*", re.DOTALL)

# Seconds before its end at which a token counts as used up; Entra ID's own libraries allow the same.
_MARGIN = 300


class Method(t.NamedTuple):
    """One way to sign in.

    :param source: its name as a value of ``auth_source``.
    :param credentials: the options that prove who we are; all of them are needed, of a tuple within it one.
    :param needs: the other options that it needs.
    :param label: it in words, to follow "sign-in ...".
    """

    source: str
    credentials: tuple[str | tuple[str, ...], ...]
    needs: tuple[str, ...]
    label: str

    def missing(self, values: t.Mapping[str, OptionValue]) -> list[str]:
        """The names of the options without which this way is incomplete."""
        wanted = [(name,) if isinstance(name, str) else name for name in (*self.credentials, *self.needs)]
        return [" or ".join(names) for names in wanted if not any(values[name].value for name in names)]

    def proven_by_options(self, values: t.Mapping[str, OptionValue]) -> bool:
        """Whether options alone prove who we are, whatever else the environment gives."""
        wanted = [(name,) if isinstance(name, str) else name for name in self.credentials]
        return all(any(values[name].from_options for name in names) for names in wanted)

    def proven_by(self, values: t.Mapping[str, OptionValue]) -> list[OptionValue]:
        """The proofs that are there."""
        names = [name for entry in self.credentials for name in ((entry,) if isinstance(entry, str) else entry)]
        return [values[name] for name in names if values[name].value]


# In the order in which auth_source=auto tries them.
METHODS = (
    Method("access_token", ("access_token",), (), "with a ready access token"),
    Method("client_secret", ("secret",), ("tenant", "client_id"), "with the app's secret"),
    Method("certificate", ("x509_certificate_path",), ("tenant", "client_id"), "with the app's certificate"),
    Method("oidc", (("oidc_token", "oidc_token_file_path"),), ("tenant", "client_id"), "with a federated token"),
    Method("refresh_token", ("refresh_token",), ("tenant", "client_id"), "with a refresh token"),
    Method("password", ("username", "password"), (), "with user name and password"),
)
_CLIENT_SECRET, _REFRESH_TOKEN = METHODS[1], METHODS[4]
MSI = Method("msi", (), (), "with the managed identity of this host")
CLI = Method("cli", (), (), "with the Azure CLI")

# Azure's services announce a managed identity by these; a plain virtual machine does not, so there it must be chosen.
# https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
_MSI_VARIABLES = ("IDENTITY_ENDPOINT", "MSI_ENDPOINT")
# What else decides whose token the host gives; msal and az read these themselves.
_HOST_VARIABLES = {
    "msi": (
        *_MSI_VARIABLES,
        "IDENTITY_HEADER",
        "IDENTITY_SERVER_THUMBPRINT",
        "IMDS_ENDPOINT",
        "MSI_SECRET",
        "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    ),
    "cli": ("AZURE_CONFIG_DIR", "HOME", "PATH"),
}
# What a host proves itself by to the endpoint of its managed identity.
_SECRET_VARIABLES = ("IDENTITY_HEADER", "MSI_SECRET")
_PROXY_VARIABLES = [spelt(f"{scheme}_proxy") for scheme in ("https", "http", "all") for spelt in (str.lower, str.upper)]
_SECRETS = ("secret", "x509_certificate_password", "oidc_token", "password", "refresh_token", "access_token")


class Identity(t.NamedTuple):
    """Who signs in.

    :param values: every identity option, "" where nothing is given.
    :param sent: the parts of the credential that are sent, or show who sends them, and where each comes from.
    :param spare: the options that hold only if they fit, as the certificate was named by someone else.
    """

    way: Method
    values: t.Mapping[str, str]
    sent: tuple[OptionValue, ...] = ()
    spare: frozenset[str] = frozenset()

    def from_farther_than(self, distance: int) -> str:
        """Where the credential comes from, in words, as far as that is farther away than ``distance``; "" if it is not.

        Whoever writes at that distance may not know it, and must not learn it by naming the host that it is sent to.
        """
        return _listed([part.source for part in self.sent if part.distance > distance])

    @property
    def tenant(self) -> str:
        """The tenant, GUID or domain; ``organizations`` finds a user's own; "" if a token or the host decides."""
        return self.values["tenant"] or ("organizations" if self.way.source == "password" else "")

    @property
    def client_id(self) -> str:
        """The app; "" if there is none."""
        return self.values["client_id"] or (GRAPH_COMMAND_LINE_TOOLS if self.way.source == "password" else "")

    @property
    def action(self) -> str:
        """The sign-in in words."""
        return "sign-in" + (f" as client {self.client_id}" if self.client_id else "") + f" {self.way.label}"


def secrets(options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> set[str]:
    """Every secret among options and environment, used or not: none of them may be shown."""
    found = {lookup(name, IDENTITY_VARIABLES[name], options, environ).value for name in _SECRETS}
    found |= {
        lookup(name, (variable,), {}, environ).value for name in _SECRETS for variable in IDENTITY_VARIABLES[name]
    }
    found |= {environ.get(variable, "") for variable in _SECRET_VARIABLES}
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

    ``auto`` takes the first of :data:`WAYS` that is complete: first among those whose proof (secret, certificate, ...)
    is given by options, then among those whose proof the environment gives. What the proof belongs to (``tenant``,
    ``client_id``) may come from either, the option winning. Only without any proof at all, managed identity (where
    Azure announces one) and then the Azure CLI are taken: a half-given identity must not become another one.

    :param options: the task's options; empty strings count as unset.
    :param environ: the environment, with the variables of :data:`identity_options.IDENTITY_VARIABLES`.
    :param has_cli: tells whether the Azure CLI is installed.
    :param own: the names of the variables in ``environ`` that the task's own ``environment`` sets.
    :raises OptionError: nothing is complete, or an option cannot be right.
    """
    values = {name: lookup(name, variables, options, environ, own) for name, variables in IDENTITY_VARIABLES.items()}
    nothing = OptionValue("", "", False)
    path = values["x509_certificate_path"]
    # What stands farther away than the path may belong to another file.
    spare = {name for name in ("x509_certificate_password", "thumbprint") if values[name].distance > path.distance}
    source = options.get("auth_source") or "auto"
    if source == "auto":
        way = _first_complete(values, environ, has_cli)
    else:
        way = next(way for way in (*METHODS, MSI, CLI) if way.source == source)
        missing = way.missing(values)
        if missing:
            raise OptionError(
                f"auth_source is {source}, but {_listed(missing)} {'is' if len(missing) == 1 else 'are'} not given",
                advice="give " + _listed([_with_variables(name) for name in missing]),
            )
    _check(way, values)
    allowed = bool(options.get("allow_environment_credential"))
    _check_user(way, values, allowed=allowed)
    if way is MSI:
        _refuse_service_fabric(environ)
        if not allowed:
            _check_managed_identity(environ, own)
    if values["oidc_token_file_path"].from_options and not values["oidc_token"].from_options:
        values["oidc_token"] = nothing
    if way.source in ("refresh_token", "password") and not _belongs(values["secret"], values["client_id"], environ):
        values["secret"] = nothing
    return Identity(
        way, {name: value.value for name, value in values.items()}, tuple(_sent(way, values, own)), frozenset(spare)
    )


def _sent(way: Method, values: t.Mapping[str, OptionValue], own: t.Container[str]) -> t.Iterator[OptionValue]:
    """What of the credential leaves this host. What a file or the host itself holds is nobody's who writes options."""
    if way in (MSI, CLI):
        announced = way is MSI and any(name in own for name in _MSI_VARIABLES)
        yield OptionValue("", way.label.removeprefix("with "), False, announced)
    elif way.source == "oidc":
        # Of a certificate's file, only a signature for that one host is sent; of this one, its content.
        file = OptionValue("", values["oidc_token_file_path"].source, False)
        yield values["oidc_token"] if values["oidc_token"].value else file
    else:
        yield from way.proven_by(values)
    if way.source in ("refresh_token", "password") and values["secret"].value:
        # The app's own proof goes along with the user's.
        yield values["secret"]


def _check_user(way: Method, values: t.Mapping[str, OptionValue], *, allowed: bool) -> None:
    """See that who names the user also gives the password, as a user's domain may have it sent to a server of its own.

    https://learn.microsoft.com/entra/identity/hybrid/connect/whatis-fed
    """
    user, password = values["username"], values["password"]
    if way.source == "password" and user.distance < password.distance and not allowed:
        if user.from_options:
            said, where = "username is given as an option", "as an option too"
        else:
            said, where = f"{user.source} is set for this task", "beside it"
        raise OptionError(
            f"{said}, but the password is that of the environment ({password.source})",
            advice=f"give the password {where}, or set allow_environment_credential to true if the server of this"
            " user's domain may have it",
        )


def _refuse_service_fabric(environ: t.Mapping[str, str]) -> None:
    """See that this is no Service Fabric, whose endpoint msal asks by connections of its own, without our time limits.

    https://learn.microsoft.com/azure/service-fabric/how-to-managed-identity-service-fabric-app-code
    """
    if all(environ.get(name) for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IDENTITY_SERVER_THUMBPRINT")):
        raise OptionError(
            "the managed identity of Service Fabric (IDENTITY_SERVER_THUMBPRINT) is not supported",
            advice="sign in in another way, such as with a certificate",
        )


def _check_managed_identity(environ: t.Mapping[str, str], own: t.Container[str]) -> None:
    """See that who names the endpoint of a managed identity also gives the proof that is sent there."""
    for endpoint, proof in (("IDENTITY_ENDPOINT", "IDENTITY_HEADER"), ("MSI_ENDPOINT", "MSI_SECRET")):
        if endpoint in own and environ.get(proof) and proof not in own:
            raise OptionError(
                f"{endpoint} is set for this task, but {proof} is that of the run",
                advice="set both in the same place, or set allow_environment_credential to true if that endpoint may"
                " have it",
            )


def _belongs(secret: OptionValue, client_id: OptionValue, environ: t.Mapping[str, str]) -> bool:
    """Tell whether a user's app is proven by this secret: one from farther away may be that of another app there."""
    there = [lookup("client_id", (variable,), {}, environ).value for variable in IDENTITY_VARIABLES["client_id"]]
    nearer = secret.distance <= client_id.distance
    return bool(client_id.value) and (nearer or all(other in ("", client_id.value) for other in there))


def _first_complete(
    values: t.Mapping[str, OptionValue], environ: t.Mapping[str, str], has_cli: t.Callable[[], bool]
) -> Method:
    complete = [way for way in METHODS if not way.missing(values)]
    for way in [way for way in complete if way.proven_by_options(values)] or complete:
        beside = values["refresh_token"]
        if way is _CLIENT_SECRET and _REFRESH_TOKEN in complete and beside.distance <= values["secret"].distance:
            # It is what makes an app confidential that has a user's token.
            return _REFRESH_TOKEN
        return way
    begun = [way for way in METHODS if way.proven_by(values)]
    if begun:
        raise OptionError(
            f"the identity is incomplete: {values_named(begun[0].proven_by(values))} is given without "
            f"{_listed(begun[0].missing(values))}",
            advice=_every_way(),
        )
    if any(environ.get(name) for name in _MSI_VARIABLES):
        return MSI
    if has_cli():
        return CLI
    known = [value for value in values.values() if value.value]
    raise OptionError(
        "no identity to sign in with is given"
        + (f" ({values_named(known)} alone {'does' if len(known) == 1 else 'do'} not suffice)" if known else ""),
        advice=_every_way(),
    )


def values_named(values: t.Iterable[OptionValue]) -> str:
    """The names under which values were given."""
    return _listed([value.source for value in values])


def _every_way() -> str:
    ways = [
        _listed([" or ".join(name) if isinstance(name, tuple) else name for name in (*w.needs, *w.credentials)])
        for w in METHODS
    ]
    return (
        "give one of these as options or by their variables (AZURE_..., MSGRAPH_ACCESS_TOKEN, MSGRAPH_REFRESH_TOKEN): "
        + "; ".join(ways)
        + "; or set auth_source to msi for a managed identity, or to cli after 'az login'"
    )


def _with_variables(names: str) -> str:
    variables = [variable for name in names.split(" or ") for variable in IDENTITY_VARIABLES[name]]
    return f"{names} (or {' or '.join(variables)})"


def _listed(words: t.Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _check(way: Method, values: t.Mapping[str, OptionValue]) -> None:
    tenant = values["tenant"]
    if tenant.value and not _NAME.fullmatch(tenant.value):
        raise OptionError(f"{tenant.source} is {tenant.value!r}", advice="give the tenant's GUID or one of its domains")
    client_id = values["client_id"]
    if client_id.value and not _NAME.fullmatch(client_id.value):
        raise OptionError(
            f"{client_id.source} is {client_id.value!r}", advice="give the application (client) ID, a GUID"
        )
    if way.source in ("client_secret", "certificate", "oidc") and tenant.value.lower() in _NO_TENANT_OF_ITS_OWN:
        raise OptionError(
            f"{tenant.source} is {tenant.value}, but an app signs in to one tenant",
            advice="give the tenant's GUID or one of its domains",
        )
    # The environment's bytes that are no UTF-8 are halves of characters here, which no request can be made of.
    texts = [part for part in way.proven_by(values) if not part.source.lower().endswith(("_path", "_file"))]
    texts += [values["x509_certificate_password"]] if way.source == "certificate" else []
    for text in texts:
        if any("\ud800" <= char <= "\udfff" for char in text.value):
            raise OptionError(f"{text.source} is no text in UTF-8", advice="write it anew, in UTF-8")
    if way.source == "access_token" and not _HEADER_WORD.fullmatch(values["access_token"].value):
        raise OptionError(
            f"{values['access_token'].source} has characters that no token has",
            advice="give the bare token, without 'Bearer'",
        )


def missing_libraries(who: Identity) -> list[str]:
    """The libraries that signing in as this identity, and asking Graph, needs and has not."""
    missing = [] if transport.HAS_REQUESTS else ["requests"]
    if who.way.source not in ("access_token", "cli") and not HAS_MSAL:
        # msal cannot be imported without requests, even if it is there.
        there = missing and importlib.util.find_spec("msal") is not None
        missing += [] if there else ["msal"]
    return missing


class SignIn:
    """Gives tokens of one identity; signs in when the first is asked for, unless the run shares one (token_cache).

    :raises OptionError: the certificate cannot be used; read here, so that it fails before any network call.
    """

    def __init__(
        self,
        identity: Identity,
        hosts: Endpoints,
        http: transport.Transport,
        shared_tokens: token_cache.Sharing | None = None,
        *,
        environ: t.Mapping[str, str],
    ) -> None:
        self._identity = identity
        self._environ = environ
        self._hosts = hosts
        self._http = http
        self._token: str | None = None
        self._tokens: set[str] = set()
        secrecy.hide(secrets(identity.values, environ))
        self._good_until = 0.0
        source = identity.way.source
        self._credential = self._client_credential() if source in ("client_secret", "certificate", "oidc") else None
        # A ready token has nothing to gain from being shared.
        wanted = shared_tokens if source != "access_token" else None
        self._shared = token_cache.of_identity(wanted, self._everything(), http.clock)

    @property
    def tokens(self) -> set[str]:
        """The tokens that were got, and those that were sent for them: none of them may be shown."""
        return set(self._tokens)

    def _hide(self, *tokens: str) -> None:
        """Keep tokens from being shown: here for whoever masks results, and for all sentences."""
        self._tokens.update(tokens)
        secrecy.hide(tokens)

    def _everything(self) -> list[t.Any]:
        """All that decides which token is got, the credential included."""
        source = self._identity.way.source
        certificate_ = self._credential if source == "certificate" else None
        outside = {name: self._environ.get(name) for name in _HOST_VARIABLES.get(source, ())}
        return [source, [*self._hosts], sorted(self._identity.values.items()), certificate_, outside]

    def token(self, limit: float | None = None) -> str:
        """A token that should be good for some minutes more. As :meth:`another_token`."""
        if self._token is None or self._http.clock.monotonic() >= self._good_until:
            self._acquire(limit)
        return t.cast(str, self._token)

    def replace_token(self, refused: str, limit: float | None = None) -> str | None:
        """A new token in the place of one that Graph refused; None if only that one was given.

        :param limit: seconds for all tries to get it, if other than ``retry_timeout``.
        :raises SignInError: Entra ID refuses the sign-in.
        :raises Unavailable: it could not be reached, or had no time.
        :raises OptionError: the file with the federated token cannot be read.
        """
        if self._identity.way.source == "access_token":
            return None
        if self._token == refused:
            self._acquire(limit, refused)
        return self._token

    def _acquire(self, limit: float | None, refused: str | None = None) -> None:
        limit = self._http.retry_timeout if limit is None else min(limit, self._http.retry_timeout)
        if self._identity.way.source == "access_token":
            token = token_cache.Token(self._identity.values["access_token"], float("inf"))
        elif self._shared is not None:
            token = self._shared.token(lambda: self._sign_in(limit), refused=refused)
        else:
            token = self._sign_in(limit)
        self._token = token.value
        self._hide(token.value)
        self._good_until = self._http.clock.monotonic() + token.good_for

    def _sign_in(self, limit: float) -> token_cache.Token:
        result = self._from_cli(limit) if self._identity.way.source == "cli" else self._from_msal(limit)
        token, lifetime = result.get("access_token"), _seconds(result.get("expires_in"))
        if not isinstance(token, str) or not _HEADER_WORD.fullmatch(token):
            raise SignInError(f"{self._identity.action} gave no token", advice="check who answers at authority_url")
        return token_cache.Token(token, max(lifetime - _MARGIN, lifetime / 2))

    def _from_msal(self, limit: float) -> t.Mapping[str, t.Any]:
        action, source = self._identity.action, self._identity.way.source
        http: msal_http.Session | None = None
        try:
            with warnings.catch_warnings(), msal_http.surroundings(self._environ) as seen:
                # msal warns the programmer of user name and password; the documentation warns the user.
                warnings.simplefilter("ignore", DeprecationWarning)
                http = msal_http.Session(
                    self._http,
                    self._hosts.authority_url,
                    action=action,
                    limit=limit,
                    username=self._identity.values["username"] if source == "password" else "",
                    of_host=source == "msi",
                    before_request=seen,
                    hide=self._hide,
                )
                result = self._ask_msal(http)
        except errors.IntuneError:
            raise
        except Exception as error:
            # msal raises ValueError, RuntimeError, MsalServiceError and more; what the server said is what counts.
            words = untrusted.one_line(str(error)) or type(error).__name__
            if isinstance(error, (LookupError, TypeError, AttributeError)):
                # It has found something else than it takes for granted.
                form = "a token" if source == "msi" else "Entra ID's answers"
                words = f"what answered is not in the form of {form}"
            if http is not None and http.federated_at and http.refusal is None:
                raise SignInError(
                    f"{action} failed at {untrusted.one_line(http.federated_at)}: {words.rstrip('.')}",
                    advice="check username and password, and that the federation server of this user's domain is well",
                ) from error
            if http is not None and http.refusal is not None:
                raise refusals.refusal(action, *http.refusal, source=source) from error
            raise SignInError(
                f"{action} failed: {words.rstrip('.')}",
                advice=refusals.advice("", source) if source == "msi" else "check tenant and authority_url",
            ) from error
        if not isinstance(result, dict) or "access_token" not in result:
            answer = result if isinstance(result, dict) else {}
            raise refusals.refusal(action, http.refusal[0] if http.refusal else None, answer, source=source)
        return result

    def _ask_msal(self, http: msal_http.Session) -> t.Any:
        """Ask for a token with a new msal application: its caches would give the old token, or the old refusal."""
        source, values, scopes = self._identity.way.source, self._identity.values, [self._hosts.scope]
        if source == "msi":
            user_assigned = values["client_id"]
            managed = (
                msal.UserAssignedManagedIdentity(client_id=user_assigned)
                if user_assigned
                else msal.SystemAssignedManagedIdentity()
            )
            return msal.ManagedIdentityClient(managed, http_client=http).acquire_token_for_client(
                resource=self._hosts.graph_url
            )
        # A user's app may be a confidential one, which proves itself beside the user.
        credential = self._credential or values["secret"] or None
        settings: dict[str, t.Any] = {
            "authority": f"{self._hosts.authority_url}/{self._identity.tenant}",
            "http_client": http,
            # Never ask Microsoft's public cloud about another authority, which it may not know nor be allowed to.
            "instance_discovery": False,
            "app_name": "graphops.intune",
            "app_version": VERSION,
        }
        app: t.Any
        if credential is None:
            app = msal.PublicClientApplication(self._identity.client_id, **settings)
        else:
            # A region found in the environment would change the endpoint behind our back.
            app = msal.ConfidentialClientApplication(
                self._identity.client_id, client_credential=credential, azure_region=False, **settings
            )
        if source == "refresh_token":
            return app.acquire_token_by_refresh_token(values["refresh_token"], scopes=scopes)
        if source == "password":
            return app.acquire_token_by_username_password(values["username"], values["password"], scopes=scopes)
        return app.acquire_token_for_client(scopes=scopes)

    def _client_credential(self) -> t.Any:
        values = self._identity.values
        if self._identity.way.source == "client_secret":
            return values["secret"]
        if self._identity.way.source == "certificate":
            return certificate(
                values["x509_certificate_path"],
                values["x509_certificate_password"],
                values["thumbprint"],
                spare=self._identity.spare,
            )
        # Now to see whether it can be read, and for each sign-in, because Kubernetes replaces it every hour or so.
        self._federated_token()
        return {"client_assertion": self._federated_token}

    def _federated_token(self) -> str:
        values = self._identity.values
        token = values["oidc_token"] or _read_token_file(values["oidc_token_file_path"])
        self._hide(token)
        return token

    def _from_cli(self, limit: float) -> t.Mapping[str, t.Any]:
        """Ask the Azure CLI, which hands the token over on its standard output.

        https://learn.microsoft.com/cli/azure/account#az-account-get-access-token
        """
        action, program = self._identity.action, shutil.which("az", path=self._environ.get("PATH"))
        if program is None:
            raise SignInError(
                f"{action} is not possible, because az is not installed", advice="install it, or sign in in another way"
            )
        # The limit may be 0, which is no time to start a program in.
        budget = max(self._http.request_timeout, limit)
        command = [program, "account", "get-access-token", "--output", "json", "--scope", self._hosts.scope]
        if self._identity.values["tenant"]:
            command += ["--tenant", self._identity.values["tenant"]]
        try:
            # No module is at hand here, whose run_command() could take its place.
            done = subprocess.run(  # pylint: disable=ansible-bad-function
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=budget,
                check=False,
                env=self._environ,
                encoding="utf-8",
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            raise SignInError(f"{action} took longer than {budget:g} s", advice="raise retry_timeout") from None
        except OSError as error:
            raise SignInError(
                f"{action} failed: {untrusted.one_line(error.strerror or str(error))}", advice="check that az runs"
            ) from error
        if done.returncode:
            said = untrusted.one_line(done.stderr.replace("ERROR:", "")) or f"az ended with {done.returncode}"
            raise SignInError(f"{action} failed: {said.rstrip('.')}", advice="run 'az login' as the user of this task")
        try:
            answer = json.loads(done.stdout)
            return {
                "access_token": answer["accessToken"],
                # A text where the CLI hands on what a managed identity says: azure-cli#14218.
                "expires_in": float(answer["expires_on"]) - self._http.clock.now().timestamp(),
            }
        except (ValueError, KeyError, TypeError):
            raise SignInError(f"{action} gave no token", advice="update the Azure CLI to 2.54.0 or later") from None


# PKCS #12's ways to encrypt by RC4 and RC2, which OpenSSL 3 has for those alone who load its legacy provider: RFC 7292,
# appendix C, pkcs-12PbeIds 1, 2, 5 and 6.
_OUTDATED_ENCRYPTION = re.compile(rb"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01[\x01\x02\x05\x06]")


def certificate(path: str, password: str, thumbprint: str, *, spare: t.Container[str] = ()) -> dict[str, t.Any]:
    """Read an app's certificate and its key for msal.

    :param path: a file in PEM, with the key and (unless ``thumbprint`` is given) the certificate, or in PKCS #12 (PFX),
        which may be in base64.
    :param password: the password of the key or the PFX; "" for none.
    :param thumbprint: the certificate's SHA-1 in hexadecimal, colons, spaces and the like allowed; "" to use SHA-256 of
        the certificate, which Microsoft recommends, if msal is 1.35 or newer.
    :param spare: those of the options that hold only if they fit: ``x509_certificate_password``, ``thumbprint``.
    :raises OptionError: the file cannot be read or does not fit.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    try:
        content = pathlib.Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise OptionError(
            f"x509_certificate_path {path!r} cannot be read: {getattr(error, 'strerror', None) or error}",
            advice="name a file that this user may read",
        ) from error
    key, chain = _opened(path, content, password, or_without="x509_certificate_password" in spare)
    if not isinstance(key, RSAPrivateKey):
        raise OptionError(
            f"x509_certificate_path {path!r} holds no RSA private key", advice="put key and certificate into it"
        )
    encoding, public = serialization.Encoding.PEM, _public(key.public_key())
    own = [cert for cert in chain if _public_of(cert) == public]
    # Copied from Windows, it may begin with a mark that nobody sees: dotnet/corefx#31463.
    wanted = re.sub(r"[^0-9A-Za-z]", "", thumbprint).lower()
    right = re.fullmatch(r"[0-9a-f]{40}", wanted)
    # SHA-1 identifies the certificate here, as Entra ID defines x5t; it secures nothing.
    meant = [cert for cert in own if right and _sha1(cert, "leave thumbprint out") == wanted]
    if "thumbprint" in spare and not (meant or (right and not own)):
        wanted = ""
    if not own and not wanted:
        raise OptionError(
            f"x509_certificate_path {path!r} holds no certificate for its key",
            advice="put the certificate into it, or give thumbprint",
        )
    if wanted and (not right or (own and not meant)):
        raise OptionError(
            f"thumbprint is not the SHA-1 of the certificate in {path!r}",
            advice="leave thumbprint out" if own else "give 40 hexadecimal digits",
        )
    result: dict[str, t.Any] = {
        "private_key": key.private_bytes(
            encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
    }
    if own:
        leaf = (meant or own)[0]
        result["public_certificate"] = leaf.public_bytes(encoding).decode()
        if _msal_needs_thumbprint():
            result["thumbprint"] = _sha1(leaf, "install msal 1.35 or later, which does without it")
    if wanted:
        result["thumbprint"] = wanted
    return result


def _opened(path: str, content: bytes, password: str, *, or_without: bool) -> tuple[t.Any, list[t.Any]]:
    """The private key in a file, None if there is none, and its certificates.

    :param or_without: whether the password may be meant for something else.
    """
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs12

    secret = password.encode() or None
    der = b""
    try:
        if b"-----BEGIN" in content:
            blocks = [(match.group(1), match.group(0)) for match in _PEM_BLOCK.finditer(content)]
            sealed = [block for kind, block in blocks if kind.endswith(b"PRIVATE KEY")]
            chain = [x509.load_pem_x509_certificate(block) for kind, block in blocks if kind == b"CERTIFICATE"]
            return (_private_key(sealed[0], secret) if sealed else None), chain
        # AWX's credentials are texts, so a PFX gets through them in base64 only. DER begins with the tag SEQUENCE.
        der = content if content.startswith(b"\x30") else base64.b64decode(b"".join(content.split()), validate=True)
        key, leaf, _others = pkcs12.load_key_and_certificates(der, secret)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        if or_without and password:
            with contextlib.suppress(OptionError):
                return _opened(path, content, "", or_without=False)
        if _OUTDATED_ENCRYPTION.search(der) and not _reads_outdated_encryption():
            raise OptionError(
                f"x509_certificate_path {path!r} is encrypted by RC2 or RC4, as by older tools and Windows, which the"
                " OpenSSL of this host does not read",
                advice="encrypt it anew: openssl pkcs12 -legacy -in old.pfx -nodes -out both.pem, and openssl pkcs12"
                " -export -in both.pem -out new.pfx",
            ) from error
        raise OptionError(
            f"x509_certificate_path {path!r} cannot be opened",
            advice="check x509_certificate_password, and that the file is PEM or PFX",
        ) from error
    return key, [leaf] if leaf else []


def _reads_outdated_encryption() -> bool:
    """Whether OpenSSL's legacy provider is at hand here."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.ciphers import Cipher, modes

    try:
        from cryptography.hazmat.decrepit.ciphers.algorithms import RC2

        Cipher(RC2(bytes(16)), modes.CBC(bytes(8))).encryptor()
    except (ImportError, UnsupportedAlgorithm):
        return False
    return True


def _sha1(certificate_: t.Any, instead: str) -> str:
    """The certificate's SHA-1 in hexadecimal.

    :param instead: what to do where SHA-1 cannot be computed, as on a host in FIPS mode.
    """
    from cryptography.hazmat.primitives import hashes

    try:
        return t.cast(str, certificate_.fingerprint(hashes.SHA1()).hex())  # noqa: S303
    except Exception as error:
        # UnsupportedAlgorithm, ValueError or OpenSSL's own, by what forbids it.
        raise OptionError(
            "the certificate's thumbprint cannot be computed, because this host does not allow SHA-1", advice=instead
        ) from error


def _public(key: t.Any) -> bytes:
    from cryptography.hazmat.primitives import serialization

    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return t.cast(bytes, key.public_bytes(serialization.Encoding.PEM, form))


def _public_of(certificate_: t.Any) -> bytes | None:
    """The public key of a certificate; None if it is of a kind that cryptography does not know."""
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return _public(certificate_.public_key())
    except (ValueError, UnsupportedAlgorithm):
        return None


def _msal_needs_thumbprint() -> bool:
    """Whether msal is older than SHA-256: azure-cli-core, which azure.azcollection needs, holds it at such a one."""
    return tuple(int(part) for part in msal.__version__.split(".")[:2]) < (1, 35)


def _private_key(block: bytes, password: bytes | None) -> t.Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key(block, password)
    except TypeError:
        if password is None:
            raise
        # A password for a key that has none: a credential form with a field left over.
        return load_pem_private_key(block, None)


def _read_token_file(path: str) -> str:
    try:
        token = pathlib.Path(path).read_text(encoding="utf-8-sig").strip()
        token.encode("ascii")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise OptionError(
            f"oidc_token_file_path {path!r} cannot be read: {reason}", advice="name a file that this user may read"
        ) from error
    if not token:
        raise OptionError(
            f"oidc_token_file_path {path!r} is empty", advice="see that the platform writes its token there"
        )
    return token


def _seconds(value: t.Any) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError, OverflowError):
        return 0.0
