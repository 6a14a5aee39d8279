# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Gives tokens of an identity, and signs in for them."""

from __future__ import annotations

import importlib.util
import typing as t

from .._ground import secrecy
from .._ground.errors import SignInError
from .._http import connections, transport
from . import identity, msal_app, token_cache
from .method import Attempt, is_token

# Seconds before its end at which a token counts as used up; Entra ID's own libraries allow the same.
_MARGIN = 300


def missing_libraries(who: identity.Identity) -> list[str]:
    """The libraries that signing in as this identity, and asking Graph, needs and has not."""
    missing = [] if connections.HAS_REQUESTS else ["requests"]
    if who.method.uses_msal and not msal_app.HAS_MSAL:
        # msal cannot be imported without requests, even if it is there.
        there = missing and importlib.util.find_spec("msal") is not None
        missing += [] if there else ["msal"]
    return missing


class SignIn:
    """Gives tokens of one identity; signs in when the first is asked for, unless the run shares one (token_cache).

    :param permission: what the tokens are needed for, of Graph's.
    :raises OptionError: the certificate cannot be used; read here, so that it fails before any network call.
    """

    def __init__(
        self,
        who: identity.Identity,
        http: transport.Transport,
        shared_tokens: token_cache.Sharing | None = None,
        *,
        environ: t.Mapping[str, str],
        permission: str,
    ) -> None:
        self._identity = who
        self._environ = environ
        self._permission = permission
        self._http = http
        self._token: str | None = None
        self._tokens: set[str] = set()
        # The federated token that was read last, to be sent; "" for none.
        self.assertion = ""
        secrecy.hide(identity.secrets(who.values, environ))
        self._good_until = 0.0
        self._credential = who.method.credential(who, self._take_assertion)
        # A ready token has nothing to gain from being shared.
        wanted = shared_tokens if who.method.renewable else None
        self._shared = token_cache.of_identity(wanted, self._everything(), http.clock)

    @property
    def tokens(self) -> set[str]:
        """The tokens that were got, and those that were sent for them: none of them may be shown."""
        return set(self._tokens)

    def _hide(self, *tokens: str) -> None:
        """Keep tokens from being shown: here for whoever masks results, and for all sentences."""
        self._tokens.update(tokens)
        secrecy.hide(tokens)

    def _take_assertion(self, assertion: str) -> None:
        self.assertion = assertion
        self._hide(assertion)

    def _everything(self) -> list[t.Any]:
        """All that decides which token is got, the credential included."""
        # Of the methods that read a file, this one alone keeps what it holds.
        certificate = self._credential if self._identity.method.source == "certificate" else None
        return [self._identity.key, certificate]

    def token(self, limit: float | None = None) -> str:
        """A token that should be good for some minutes more. As :meth:`replace_token`."""
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
        if not self._identity.method.renewable:
            return None
        if self._token == refused:
            self._acquire(limit, refused)
        return self._token

    def _acquire(self, limit: float | None, refused: str | None = None) -> None:
        limit = self._http.retry_timeout if limit is None else min(limit, self._http.retry_timeout)
        if self._shared is not None:
            token = self._shared.token(lambda: self._sign_in(limit), refused=refused)
        else:
            token = self._sign_in(limit)
        self._token = token.value
        self._hide(token.value)
        self._good_until = self._http.clock.monotonic() + token.good_for

    def _sign_in(self, limit: float) -> token_cache.Token:
        attempt = Attempt(
            identity=self._identity,
            credential=self._credential,
            http=self._http,
            limit=limit,
            environ=self._environ,
            permission=self._permission,
            hide=self._hide,
            take_assertion=self._take_assertion,
        )
        result = self._identity.method.acquire(attempt)
        token, lifetime = result.get("access_token"), _seconds(result.get("expires_in"))
        if not isinstance(token, str) or not is_token(token):
            raise SignInError(f"{self._identity.action} gave no token", advice="check who answers at authority_url")
        return token_cache.Token(token, max(lifetime - _MARGIN, lifetime / 2))


def _seconds(value: t.Any) -> float:
    try:
        return max(0.0, float(value))
    except (TypeError, ValueError, OverflowError):
        return 0.0
