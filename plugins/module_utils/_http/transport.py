# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""HTTPS as this collection speaks it: connections are kept, TLS is set up once, redirects are not followed."""

from __future__ import annotations

import platform
import ssl
import typing as t
import zlib
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

from .._ground import errors, secrecy, untrusted
from .._ground.clock import Clock
from .._ground.version import VERSION
from .connections import Adapter, requests, urllib3
from .driver import Request, run
from .failures import no_response, refuse_redirect
from .proxies import proxies_for
from .response import REQUEST_IDS, Response
from .retries import retried

# What is larger comes neither from Graph nor from Entra ID: a connector has half a kilobyte, a gateway's page has more,
# and an answer to a batch may have twenty of these; a page of a list has half a megabyte for a thousand connectors.
# msal makes objects of whatever it gets, which in memory are up to twenty times as large as in JSON or XML.
_LARGEST_BODY = 2 * 1024 * 1024
LARGEST_PAGE = 16 * 1024 * 1024
_CHUNK = 64 * 1024


class Transport:
    """Sends requests to Graph and Entra ID, one at a time, and waits for the answers.

    :param context: how TLS is done, from :func:`connections.tls_context`.
    :param environ: the environment, which may name proxies.
    :param request_timeout: seconds that a connection may take, and again an answer from its first byte to its last.
    :param retry_timeout: seconds that all tries of one call may take.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext,
        environ: t.Mapping[str, str],
        request_timeout: float,
        retry_timeout: float,
        clock: Clock,
    ) -> None:
        self._environ = environ
        self.clock = clock
        self.request_timeout = request_timeout
        self.retry_timeout = retry_timeout
        self._session = requests.Session()
        # The environment is asked here, for proxies alone: requests would also take credentials from ~/.netrc and put
        # them in the place of our token.
        self._session.trust_env = False
        self._adapters = [Adapter(context), Adapter(context)]
        for scheme, adapter in zip(("https://", "http://"), self._adapters):
            self._session.mount(scheme, adapter)
        # Not following redirects, requests still reads their whole body and their address, whatever these are.
        self._session.get_redirect_target = lambda _response: None  # type: ignore[assignment,method-assign]
        # Nobody here needs cookies, and whoever may set them could have each request carry megabytes.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        if context.verify_mode == ssl.CERT_NONE:
            # The documentation says what it means; urllib3 would say it at every request.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._session.headers["User-Agent"] = (
            f"graphops.intune/{VERSION} python-requests/{requests.__version__} Python/{platform.python_version()}"
        )
        self._session.headers["Accept-Encoding"] = "gzip"

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: t.Mapping[str, str],
        params: t.Any = None,
        data: t.Any = None,
        of_host: bool = False,
        largest: int | None = None,
    ) -> Response:
        """Send one request and read its answer, whatever its status.

        :param of_host: whether this host itself is asked, as for its managed identity: then no proxy is.
        :param largest: bytes that the content of the answer may have, if other than usual.
        :raises NoResponse: there was no answer, or not a whole one, or a redirect.
        """
        host = urlsplit(url).netloc
        self.clock.ensure_wanted()
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=self.request_timeout,
                allow_redirects=False,
                proxies={} if of_host else proxies_for(url, self._environ),
                stream=True,
            )
            try:
                refuse_redirect(response, host)
                body = self._body(response, host, largest or _LARGEST_BODY)
            except BaseException:
                response.close()
                raise
        except requests.exceptions.RequestException as error:
            raise no_response(host, error, self.request_timeout) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise no_response(host, error, self.request_timeout) from error
        headers = {k.lower(): v for k, v in response.headers.items()}
        return self.redacted(Response(response.status_code, headers, body))

    def send_with_retries(
        self,
        method: str,
        url: str,
        *,
        json_expected: bool,
        headers: t.Mapping[str, str],
        params: t.Any = None,
        data: t.Any = None,
        limit: float | None = None,
        of_host: bool = False,
        largest: int | None = None,
        passes: t.Callable[[Response], bool] = lambda _answer: False,
    ) -> Response:
        """Send a request that may be repeated without harm, as often as its time allows, and return the last answer.

        :param limit: seconds for all tries, if other than ``retry_timeout``.
        :param json_expected: whether success without a JSON object in it is to be tried again.
        :param of_host: as for :meth:`send`.
        :param largest: as for :meth:`send`.
        :param passes: tells which other answers another try may better.
        :returns: an answer that another try would not better, errors included.
        :raises Unavailable: no try got one.
        """

        def send(queue: list[Request]) -> list[t.Any]:
            try:
                return [
                    self.send(
                        request.method,
                        request.path,
                        headers=headers,
                        params=params,
                        data=data,
                        of_host=of_host,
                        largest=largest,
                    )
                    for request in queue
                ]
            except errors.NoResponse as error:
                return [error]

        operation = retried(
            Request(method, url),
            host=urlsplit(url).netloc,
            json_expected=json_expected,
            clock=self.clock,
            retry_timeout=self.retry_timeout,
            limit=limit,
            passes=passes,
        )
        return run(operation, send=send, clock=self.clock)

    @staticmethod
    def redacted(answer: Response) -> Response:
        """Take out what must not be shown: of an error all of it, as a success may bring the same token again."""
        headers = {**answer.headers}
        for name in REQUEST_IDS:
            if name in headers:
                headers[name] = secrecy.masked(headers[name])
        if answer.status < 300:
            return answer._replace(headers=headers)
        text = untrusted.text_of(answer.body)
        clean = secrecy.masked(text)
        return answer._replace(headers=headers, body=answer.body if clean == text else clean.encode())

    def reset_connections(self) -> None:
        """Let the next request open a new connection, as Graph's guide advises after a 503."""
        self._session.close()

    def cut(self) -> None:
        """End the requests that other threads are waiting for; each fails as if the server had gone."""
        for adapter in self._adapters:
            adapter.cut()

    def _body(self, response: t.Any, host: str, largest: int) -> bytes:
        """Read a body with a limit to its size, packed and unpacked: it may go on for ever, or be a bomb."""
        too_large = errors.NoResponse(
            f"{host} sent more than {largest // 2**20} MiB"
            if largest >= 2**20
            else f"{host} sent more than {largest // 2**10} KiB",
            may_have_run=True,
            advice=errors.PROXY_ADVICE,
            permanent=True,
        )
        parts, size = [], 0
        # As urllib3 2 does by itself, and 1.26 does not.
        response.raw.enforce_content_length = True
        for part in response.raw.stream(_CHUNK, decode_content=False):
            parts.append(part)
            size += len(part)
            if size > largest:
                raise too_large
        response.raw.release_conn()
        body = b"".join(parts)
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if not body or encoding in ("", "identity"):
            return body
        # What makes it out of gzip makes it out of deflate too.
        unpacker = zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)
        try:
            body = unpacker.decompress(body, largest + 1)
        except zlib.error:
            body = b""
        if len(body) > largest:
            raise too_large
        if not unpacker.eof or encoding not in ("gzip", "x-gzip", "deflate"):
            raise errors.NoResponse(
                f"the answer of {host} could not be decoded", advice=errors.PROXY_ADVICE, may_have_run=True
            )
        return body
