# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Why a request got no answer, in words, and whether it may have been carried out all the same."""

from __future__ import annotations

import re
import socket
import ssl
import typing as t
from urllib.parse import urlsplit

from .._ground import error_bodies, errors, untrusted
from .connections import CertificateError, requests, urllib3

# What to do about a certificate that no other authority would better, by OpenSSL's numbers (X509_V_ERR_...).
_OF_ANOTHER_HOST = 62
_CERTIFICATE_ADVICE = {
    **dict.fromkeys((9, 10), "check the clock of this host, and that no proxy changes the traffic"),
    **dict.fromkeys((_OF_ANOTHER_HOST, 64), "check the address, and that no proxy changes the traffic"),
    **dict.fromkeys((66, 67, 68), "ask for a stronger one where it was made, as TLS on this host wants it"),
}
_PROXY_ANSWER = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")


def refuse_redirect(response: t.Any, host: str) -> None:
    """Stop at a redirect: whoever follows one takes the token or the secret along."""
    if 300 <= response.status_code < 400:
        try:
            target = urlsplit(untrusted.one_line(response.headers.get("location") or "")).hostname or "elsewhere"
        except ValueError:
            target = "elsewhere"
        raise errors.Redirected(
            f"{host} redirects to {target} (HTTP {response.status_code}), which is not followed for the credential's"
            " sake",
            advice="check graph_url and authority_url, and that no proxy or portal stands in between",
            may_have_run=False,
            permanent=True,
        )


def no_response(host: str, error: BaseException, timeout: float) -> errors.NoResponse:
    """Say in words why there was no answer. The texts of the libraries stay out: they may hold a proxy's password."""
    causes = list(_causes(error))
    sent = not any(getattr(cause, "before_request", False) for cause in causes)

    def caused_by(*kinds: type) -> BaseException | None:
        return next((cause for cause in causes if isinstance(cause, kinds)), None)

    # The second is urllib3's own, which 1.26 has for a name that does not fit.
    mistrusted = caused_by(ssl.SSLCertVerificationError, CertificateError)
    if mistrusted is not None:
        why = getattr(mistrusted, "verify_message", "") or "it does not fit"
        whose = f"the proxy to {host}" if caused_by(requests.exceptions.ProxyError) else host
        return errors.NoResponse(
            f"the TLS certificate of {whose} is not trusted ({untrusted.one_line(why)})",
            advice=_CERTIFICATE_ADVICE.get(
                getattr(mistrusted, "verify_code", _OF_ANOTHER_HOST),
                "name the authority that signed it with ca_path, or ask who changes the traffic",
            ),
            may_have_run=False,
            permanent=True,
        )
    # A connection through a proxy that ends after the request was sent is a ProxyError, too.
    if (not sent and caused_by(requests.exceptions.ProxyError)) or caused_by(requests.exceptions.InvalidProxyURL):
        return _proxy_failure(host, causes)
    if caused_by(urllib3.exceptions.InvalidHeader):
        return errors.NoResponse(
            f"the answer of {host} contradicts itself", advice=errors.PROXY_ADVICE, may_have_run=True
        )
    if caused_by(requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, requests.exceptions.InvalidSchema):
        return errors.NoResponse(
            f"the request to {host} could not be built", advice="check the options", may_have_run=False, permanent=True
        )
    # A resolver that has just begun, or a VPN that is not up yet, knows no such name either: another try may.
    if caused_by(socket.gaierror):
        return errors.NoResponse(
            f"the name {host} cannot be resolved",
            advice="check the address, and DNS on this host",
            may_have_run=False,
        )
    if caused_by(urllib3.exceptions.NewConnectionError):
        # The exceptions of requests are OSErrors too, but only the system's own have a text.
        texts = [cause.strerror for cause in causes if isinstance(cause, OSError) and isinstance(cause.strerror, str)]
        why = texts[0].lower() if texts else "no connection"
        return errors.NoResponse(
            f"{host} could not be reached ({untrusted.one_line(why)})",
            advice="check the network and the proxy",
            may_have_run=False,
        )
    late = caused_by(requests.exceptions.Timeout, urllib3.exceptions.ReadTimeoutError, socket.timeout)
    connecting = caused_by(requests.exceptions.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError)
    if connecting or (late and not sent):
        return errors.NoResponse(
            f"{host} accepted no connection within {timeout:g} s",
            advice="check the network and the proxy",
            may_have_run=False,
        )
    if late:
        return errors.NoResponse(
            f"{host} did not answer within {timeout:g} s",
            advice="run again later, or raise request_timeout",
            may_have_run=True,
        )
    if caused_by(ssl.SSLError):
        return errors.NoResponse(f"the TLS connection to {host} failed", advice=errors.PROXY_ADVICE, may_have_run=sent)
    return errors.NoResponse(f"{host} cut the connection", advice="run again later", may_have_run=sent)


def _proxy_failure(host: str, causes: t.Iterable[BaseException]) -> errors.NoResponse:
    """Say why a proxy makes no connection: it has answered so, or it could not be asked."""
    # http.client has no exception of its own for that answer.
    answers = (_PROXY_ANSWER.match(str(cause)) for cause in causes if isinstance(cause, OSError))
    status = next((int(answer[1]) for answer in answers if answer), None)
    what, advice = f"the proxy to {host} did not let the request through", "check HTTPS_PROXY and NO_PROXY"
    if status is None and any(isinstance(cause, ssl.SSLError) for cause in causes):
        advice = "check HTTPS_PROXY, which begins with http:// unless TLS is spoken with the proxy itself, and NO_PROXY"
    if status == 407:
        advice = "give its user and password in HTTPS_PROXY, percent-encoded, or check NO_PROXY"
    return errors.NoResponse(
        what if status is None else f"{what} (HTTP {status}, {error_bodies.status_name(status)})",
        advice=advice,
        may_have_run=False,
        # A wrong password that is sent again and again may lock an account.
        permanent=status is not None and status < 500 and status not in (408, 429),
    )


def _causes(error: BaseException | None) -> t.Iterator[BaseException]:
    """Walk through an exception and all that it wraps, outermost first."""
    todo, seen = [error], set()
    while todo:
        cause = todo.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            todo += [getattr(cause, "reason", None), cause.__cause__, cause.__context__, *cause.args]
