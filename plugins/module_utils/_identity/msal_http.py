# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""What msal sees of the world: our transport instead of a session, and the task's environment instead of the process's.

So its requests are sent, trusted, repeated and ended as all others, and go nowhere where a credential has no business.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import typing as t
from urllib.parse import quote, urlsplit

from .._ground import clouds, error_bodies, errors, untrusted
from .._http import response, retries, transport
from .._http.local_hosts import is_this_host
from . import refusals

# https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling
# The endpoint is being updated, for up to 70 seconds.
_UPDATING = (404, 410)
# Seconds.
_SURELY_GOOD = 300

_environment = threading.Lock()


@contextlib.contextmanager
def surroundings(environ: t.Mapping[str, str]) -> t.Iterator[t.Callable[[], None]]:
    """Let libraries that read the process's environment see another instead, one thread at a time.

    It is Python's view that is exchanged. The process's own is read by C libraries in other threads, which may break
    over a change.

    :returns: what ends it early: as soon as the libraries have read what they need, the next thread may come.
    """
    with contextlib.ExitStack() as end:
        end.enter_context(_environment)
        end.callback(setattr, os, "environ", os.environ)
        os.environ = dict(environ)  # type: ignore[assignment] # noqa: B003
        yield end.close


class Answer(t.NamedTuple):
    """What msal looks at of an answer."""

    status_code: int
    text: str
    headers: t.Mapping[str, str]

    def raise_for_status(self) -> None:
        """Raise if this is an error; msal does so for answers that it does not understand."""
        if self.status_code >= 400:
            raise RuntimeError(f"HTTP {self.status_code} ({error_bodies.status_name(self.status_code)})")


class Session:
    """What msal takes for a session. Being below its own cache of refusals, the repeats are not answered by that.

    :param authority_url: the origin of Entra ID.
    :param action: the sign-in in words.
    :param limit: seconds for all requests of the sign-in.
    :param username: who signs in, as msal puts it into an address; "" for no user.
    :param of_host: whether the host itself is asked, for the token of its managed identity.
    :param before_request: called before each request.
    :param hide: takes what proves who signs in, as far as msal has made it.
    """

    def __init__(
        self,
        http: transport.Transport,
        authority_url: str,
        *,
        action: str,
        limit: float,
        username: str,
        of_host: bool,
        before_request: t.Callable[[], None],
        hide: t.Callable[..., None],
    ) -> None:
        self._http = http
        self._authority_url = authority_url
        self._action = action
        self._budget = retries.RetryBudget(http.clock, limit)
        self._username = username
        self._of_host = of_host
        self._before_request = before_request
        self._hide = hide
        # What proved the app: signed here, or by another issuer.
        self.assertion = ""
        # The user's own server, once it was asked, which msal understands better; else the last refusal.
        self.federated_at = ""
        self.refusal: tuple[int, t.Mapping[str, t.Any]] | None = None

    def get(self, url: str, params: t.Any = None, headers: t.Any = None, **_unused: t.Any) -> Answer:
        """Read."""
        return self._answer("GET", url, params=params, headers=headers)

    def post(
        self, url: str, params: t.Any = None, data: t.Any = None, headers: t.Any = None, **_unused: t.Any
    ) -> Answer:
        """Send a form to Entra ID, or XML to a federated user's own server."""
        if isinstance(data, dict):
            self.assertion = untrusted.text_of(data.get("client_assertion") or "")
            # What msal has signed with a certificate, or got from a federated user's server, is good for minutes.
            proofs = (data.get(name) for name in ("client_assertion", "assertion"))
            self._hide(*(untrusted.text_of(proof) for proof in proofs if isinstance(proof, (str, bytes))))
            if not self._of_host and not clouds.same_entra(self._authority_url, url):
                raise errors.SignInError(
                    f"{self._action} was given up, because {self._authority_url} names a token endpoint at another host"
                    f" ({untrusted.one_line(urlsplit(url).netloc)}), which does not get the credential",
                    advice="check authority_url, and that no proxy changes what it answers",
                )
        return self._answer("POST", url, params=params, data=data, headers=headers)

    def close(self) -> None:
        """The transport outlives it."""

    def _answer(self, method: str, url: str, *, headers: t.Any, **request: t.Any) -> Answer:
        self._before_request()
        url, of_authority = self._address(url)
        host = urlsplit(url).netloc
        while True:
            answer = self._http.send_with_retries(
                method,
                url,
                headers=headers or {},
                # What a federated user's own server sends is XML.
                json_expected=of_authority or self._of_host,
                # A federation server locks an account after some wrong passwords, which it answers by a 500.
                limit=self._budget.remaining if of_authority or self._of_host or method == "GET" else 0,
                of_host=self._of_host,
                **request,
            )
            document = _document(answer)
            if not (of_authority or self._of_host) or not self._may_pass(answer, document):
                break
            retry_after = answer.retry_after(self._http.clock.now())
            failure = self._trouble(answer, document, host)
            pause = self._budget.next_delay(retry_after)
            if pause is None:
                raise retries.exhausted(
                    failure, tries=self._budget.tries, retry_after=retry_after, limit=self._http.retry_timeout
                )
            self._http.clock.sleep(pause)
        if of_authority and answer.status >= 400 and error_bodies.is_page(answer.body):
            # A web filter's; it says nothing of the credential, nor does msal repeat what it says.
            raise errors.Unavailable(
                error_bodies.answer_clause(host, answer.status, error_bodies.parse_error_body(answer.body)),
                advice=f"check authority_url, and {errors.PROXY_ADVICE.removeprefix('check ')}",
            )
        if not (of_authority or self._of_host):
            self.federated_at = host
        elif answer.status >= 400:
            self.refusal = (answer.status, document)
        text = untrusted.text_of(answer.body)
        if self._of_host and "expires_on" in document and not str(document["expires_on"]).isdecimal():
            # msal stumbles over a date, as some endpoints send it in forms of their own (msal-python#760). No token is
            # given that would end within the next minutes.
            text = json.dumps({**document, "expires_on": int(time.time()) + _SURELY_GOOD})
        return Answer(answer.status, text, answer.headers)

    def _address(self, url: str) -> tuple[str, bool]:
        """The address that is meant, and whether it is Entra ID's."""
        if self._username:
            # msal puts it there as it is, but a # would end the address.
            url = url.replace(f"/userrealm/{self._username}?", f"/userrealm/{quote(self._username, safe='@')}?")
        parts, authority = urlsplit(url), urlsplit(self._authority_url)
        of_authority = parts.hostname == authority.hostname
        if of_authority and parts.port is None and authority.port is not None:
            # msal drops the port of the authority when it asks what kind of account a user has.
            url = parts._replace(netloc=authority.netloc).geturl()
        if parts.scheme != "https" and not (self._of_host and is_this_host(parts.hostname or "")):
            host = untrusted.one_line(parts.netloc)
            raise errors.SignInError(
                f"{self._action} was given up, because {host} is to be asked without TLS, where others could read"
                " along",
                advice=(
                    "check the variables that name the endpoint of the managed identity"
                    if self._of_host
                    else "have the server of this user's domain announced with https"
                ),
            )
        return url, of_authority

    def _may_pass(self, answer: response.Response, document: t.Mapping[str, t.Any]) -> bool:
        """Whether an answer is no refusal, but trouble of the service that may be over at the next try."""
        if self._of_host and answer.status in _UPDATING:
            # Service Fabric says by a 404 that there is no such identity, and by its form that it is Service Fabric.
            return not isinstance(document.get("error"), dict)
        return answer.status >= 500 or refusals.may_pass(document)

    def _trouble(self, answer: response.Response, document: t.Mapping[str, t.Any], host: str) -> errors.Unavailable:
        said = refusals.said(document)
        return errors.Unavailable(
            error_bodies.answer_clause(host, answer.status, error_bodies.ErrorBody("", said.message, "")),
            advice="see that this host has a managed identity, or run again later" if self._of_host else "",
            request_id=answer.request_id or said.request_id or None,
        )


def _document(answer: response.Response) -> dict[str, t.Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
