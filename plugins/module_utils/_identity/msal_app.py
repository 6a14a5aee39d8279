# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Let msal sign in, by an application that is new each time: msal's caches would give the old token, or refusal."""

from __future__ import annotations

import typing as t
import warnings

from .._ground import errors, untrusted
from .._ground.errors import SignInError
from .._ground.version import VERSION
from . import msal_http, refusals

try:
    import msal

    HAS_MSAL = True
except Exception:  # noqa: BLE001
    # A broken installation raises anything, and must not end ansible-playbook, which imports this too.
    HAS_MSAL = False

if t.TYPE_CHECKING:
    from .method import Attempt


def needs_thumbprint() -> bool:
    """Whether msal is older than SHA-256: azure-cli-core, which azure.azcollection needs, holds it at such a one."""
    return tuple(int(part) for part in msal.__version__.split(".")[:2]) < (1, 35)


def acquire_for_app(attempt: Attempt) -> t.Mapping[str, t.Any]:
    """Ask for a token of the app itself."""
    return acquire(attempt, lambda app, scopes: app.acquire_token_for_client(scopes=scopes))


def acquire(
    attempt: Attempt, ask: t.Callable[[t.Any, list[str]], t.Any], *, username: str = ""
) -> t.Mapping[str, t.Any]:
    """Ask Entra ID for a token.

    :param ask: gets an application of msal and the scopes.
    :param username: who signs in; "" for no user.
    """

    def signed_in(http: msal_http.Session) -> t.Any:
        return ask(_application(attempt, http), [attempt.identity.hosts.scope])

    return _token(attempt, signed_in, username=username, of_host=False)


def acquire_from_host(attempt: Attempt, ask: t.Callable[[t.Any], t.Any]) -> t.Mapping[str, t.Any]:
    """Ask the host for a token of its managed identity.

    :param ask: gets a client of msal.
    """
    user_assigned = attempt.identity.values["client_id"]

    def signed_in(http: msal_http.Session) -> t.Any:
        managed = (
            msal.UserAssignedManagedIdentity(client_id=user_assigned)
            if user_assigned
            else msal.SystemAssignedManagedIdentity()
        )
        return ask(msal.ManagedIdentityClient(managed, http_client=http))

    return _token(attempt, signed_in, username="", of_host=True)


def _application(attempt: Attempt, http: msal_http.Session) -> t.Any:
    identity = attempt.identity
    # A user's app may be a confidential one, which proves itself beside the user.
    credential = attempt.credential or identity.values["secret"] or None
    settings: dict[str, t.Any] = {
        "authority": f"{identity.hosts.authority_url}/{identity.tenant}",
        "http_client": http,
        # Never ask Microsoft's public cloud about another authority, which it may not know nor be allowed to.
        "instance_discovery": False,
        "app_name": "graphops.intune",
        "app_version": VERSION,
    }
    if credential is None:
        return msal.PublicClientApplication(identity.client_id, **settings)
    # A region found in the environment would change the endpoint behind our back.
    return msal.ConfidentialClientApplication(
        identity.client_id, client_credential=credential, azure_region=False, **settings
    )


def _token(
    attempt: Attempt, ask: t.Callable[[msal_http.Session], t.Any], *, username: str, of_host: bool
) -> t.Mapping[str, t.Any]:
    """What msal got; whatever it raises is told in our words."""
    action = attempt.identity.action
    http: msal_http.Session | None = None
    try:
        with warnings.catch_warnings(), msal_http.surroundings(attempt.environ) as seen:
            # msal warns the programmer of user name and password; the documentation warns the user.
            warnings.simplefilter("ignore", DeprecationWarning)
            http = msal_http.Session(
                attempt.http,
                attempt.identity.hosts.authority_url,
                action=action,
                limit=attempt.limit,
                username=username,
                of_host=of_host,
                before_request=seen,
                hide=attempt.hide,
            )
            result = ask(http)
    except errors.IntuneError:
        raise
    except Exception as error:
        # msal raises ValueError, RuntimeError, MsalServiceError and more; what the server said is what counts.
        raise _failure(error, http, attempt, of_host=of_host) from error
    if not isinstance(result, dict) or "access_token" not in result:
        answer = result if isinstance(result, dict) else {}
        status = http.refusal[0] if http.refusal else None
        raise _refusal(attempt, http, status, answer)
    return result


def _refusal(
    attempt: Attempt, http: msal_http.Session, status: int | None, answer: t.Mapping[str, t.Any]
) -> SignInError:
    identity = attempt.identity
    return refusals.refusal(
        identity.action,
        status,
        answer,
        method=identity.method,
        permission=attempt.permission,
        token=http.assertion if identity.method.source == "oidc" else "",
        audience=identity.federation_audience,
    )


def _failure(error: Exception, http: msal_http.Session | None, attempt: Attempt, *, of_host: bool) -> SignInError:
    action, method = attempt.identity.action, attempt.identity.method
    words = untrusted.one_line(str(error)) or type(error).__name__
    if isinstance(error, (LookupError, TypeError, AttributeError)):
        # It has found something else than it takes for granted.
        form = "a token" if of_host else "Entra ID's answers"
        words = f"what answered is not in the form of {form}"
    if http is not None and http.federated_at and http.refusal is None:
        return SignInError(
            f"{action} failed at {untrusted.one_line(http.federated_at)}: {words.rstrip('.')}",
            advice="check username and password, and that the federation server of this user's domain is well",
        )
    if http is not None and http.refusal is not None:
        return _refusal(attempt, http, *http.refusal)
    return SignInError(
        f"{action} failed: {words.rstrip('.')}",
        advice=refusals.advice("", method, attempt.permission) if of_host else "check tenant and authority_url",
    )
