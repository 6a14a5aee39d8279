# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Sign in with a federated token: one that another issuer gives, and that an app registration trusts.

It is given, or lies in a file, or else the runner of the pipeline's job gives it (:mod:`runner_token`).
"""

from __future__ import annotations

import pathlib
import typing as t

from .._ground.errors import APP, OptionError, SignInError
from .._ground.option_values import OptionValue
from .._http.connection import RETRY_TIMEOUT
from .._http.retries import RetryBudget
from . import claims, federation, msal_app, runner_token
from .aadsts import MAY_BE_NEW
from .method import Attempt, Given, Inspection, Method, check_one_place, check_tenant_of_app, check_texts

if t.TYPE_CHECKING:
    from .identity import Identity

# How often a sign-in is tried at least, if there is time.
_TRIES = 3


def _check(given: Given) -> None:
    check_tenant_of_app(given)
    check_texts(given, "oidc_token")
    token = _settle(given)["oidc_token"]
    # msal leaves an empty one out, and so signs in without any proof.
    if token.value and not token.value.strip():
        raise OptionError(f"{token.source} is blank", advice="give the token, or leave it out")


def _settle(given: Given) -> t.Mapping[str, OptionValue]:
    """Let a file that an option names come before a token of the environment."""
    token = given.values["oidc_token"]
    if given.values["oidc_token_file_path"].from_options and not token.from_options:
        return {**given.values, "oidc_token": OptionValue("", "", False)}
    return given.values


def _sent(given: Given) -> t.Iterator[OptionValue]:
    # Of a certificate's file, only a signature for that one host is sent; of this one, its content.
    file = OptionValue("", given.values["oidc_token_file_path"].source, False)
    yield given.values["oidc_token"] if given.values["oidc_token"].value else file


def _credential(identity: Identity, hide: t.Callable[..., None]) -> dict[str, t.Any]:
    def token() -> str:
        found = identity.values["oidc_token"] or _read_token_file(identity.values["oidc_token_file_path"])
        hide(found)
        return found

    # Now to see whether it can be read, and for each sign-in, because Kubernetes replaces it every hour or so.
    token()
    return {"client_assertion": token}


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


def may_ask_runner(given: Given) -> bool:
    """Whether all is there to ask the runner of this job, and to sign in with the token that it gives."""
    if OF_RUNNER.missing(given.values):
        return False
    try:
        _check_question(given)
    except OptionError:
        return False
    return True


def _check_runner(given: Given) -> None:
    check_tenant_of_app(given)
    check_texts(given, "oidc_audience")
    _check_question(given)
    asked = runner_token.platform(given.environ)
    if asked:
        check_one_place(given, asked.address, asked.proof, "address")


def _check_question(given: Given) -> None:
    """See that the runner can be asked; for which cloud is not known yet.

    :raises OptionError: it cannot.
    """
    audience, connection = (given.values[name].value for name in ("oidc_audience", "service_connection_id"))
    runner_token.question(given.environ, audience=audience, service_connection_id=connection)


def _sent_by_runner(given: Given) -> t.Iterator[OptionValue]:
    yield runner_token.proof(given.environ, given.own)


def _acquire(attempt: Attempt) -> t.Mapping[str, t.Any]:
    return _patiently(attempt, msal_app.acquire_for_app)


def _acquire_by_runner(attempt: Attempt) -> t.Mapping[str, t.Any]:
    return _patiently(attempt, _by_runner)


def _patiently(attempt: Attempt, acquire: t.Callable[[Attempt], t.Mapping[str, t.Any]]) -> t.Mapping[str, t.Any]:
    """Sign in, again while the federated credential may not be known everywhere.

    A new one is known within minutes, so whoever wants it waited for raises ``retry_timeout``: by default, a wrong one
    would cost each user two minutes to learn of it. Some tries are made in any case, as Entra ID has been seen to
    refuse one in fifty sign-ins by a credential that had been there for weeks: kedacore/keda#8152.
    """
    patience, budget = attempt.http.retry_timeout, RetryBudget(attempt.http.clock, attempt.limit)
    while True:
        try:
            return acquire(attempt._replace(limit=budget.remaining))
        except SignInError as error:
            if error.code not in MAY_BE_NEW:
                raise
            pause = budget.next_delay(None)
            enough = budget.tries == _TRIES and patience <= RETRY_TIMEOUT
            if pause is None or enough:
                if budget.tries == 1:
                    raise
                raise SignInError(
                    f"{error.what} (tried {budget.tries} times within retry_timeout, {patience:g} s)",
                    advice=error.advice,
                    request_id=error.request_id,
                    code=error.code,
                ) from error
        attempt.http.clock.sleep(pause)


def _by_runner(attempt: Attempt) -> t.Mapping[str, t.Any]:
    identity = attempt.identity
    budget = RetryBudget(attempt.http.clock, attempt.limit)
    asked = runner_token.question(
        attempt.environ,
        audience=identity.federation_audience,
        service_connection_id=identity.values["service_connection_id"],
    )
    token = runner_token.fetch(asked, attempt.http, action=identity.action, limit=budget.remaining)
    attempt.take_assertion(token)
    return msal_app.acquire_for_app(
        attempt._replace(credential={"client_assertion": lambda: token}, limit=budget.remaining)
    )


def _inspect(inspection: Inspection) -> dict[str, t.Any]:
    identity = inspection.identity
    found = claims.claims(inspection.assertion) or {}
    return federation.described(found, identity.client_id, identity.hosts, inspection.now) if found else {}


METHOD = Method(
    "oidc",
    "with a federated token",
    _acquire,
    credentials=(("oidc_token", "oidc_token_file_path"),),
    needs=("tenant", "client_id"),
    asker=APP,
    check=_check,
    settle=_settle,
    sent=_sent,
    credential=_credential,
    inspect=_inspect,
)
# What goes by the same name where no token is given.
OF_RUNNER = Method(
    METHOD.source,
    "with a federated token of this job",
    _acquire_by_runner,
    needs=METHOD.needs,
    asker=APP,
    host_variables=tuple(name for one in runner_token.PLATFORMS for name in (one.address, one.proof)),
    check=_check_runner,
    sent=_sent_by_runner,
    inspect=_inspect,
)
