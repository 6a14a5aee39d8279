# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""HTTPS as this collection speaks it: connections are kept, TLS is set up once, redirects are not followed."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import io
import ipaddress
import pathlib
import platform
import re
import socket
import ssl
import time
import typing as t
import zlib
from datetime import datetime
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit

from .._ground import error_bodies, errors, secrecy, timestamps, untrusted
from .._ground.clock import Clock
from .._ground.version import VERSION
from . import retries
from .driver import Operation, Request, Sleep, run

try:
    import requests
    import requests.adapters
    import requests.utils
    import urllib3
    import urllib3.connection
    import urllib3.connectionpool
    import urllib3.exceptions
    import urllib3.util.connection
    from urllib3.util.ssl_ import create_urllib3_context
    from urllib3.util.ssl_match_hostname import CertificateError

    HAS_REQUESTS = True
    _HTTPAdapter = requests.adapters.HTTPAdapter
    _HTTPConnection = urllib3.connection.HTTPConnection
    _HTTPConnectionPool = urllib3.connectionpool.HTTPConnectionPool
    _HTTPSConnection = urllib3.connection.HTTPSConnection
    _HTTPSConnectionPool = urllib3.connectionpool.HTTPSConnectionPool
except Exception:  # noqa: BLE001
    # A broken installation raises anything, and must not end ansible-playbook, which imports this too.
    HAS_REQUESTS = False
    _HTTPAdapter = _HTTPConnection = _HTTPConnectionPool = object  # type: ignore[assignment]
    _HTTPSConnection = _HTTPSConnectionPool = object  # type: ignore[assignment]

# What is larger comes neither from Graph nor from Entra ID: a connector has half a kilobyte, a gateway's page has more,
# and an answer to a batch may have twenty of these; a page of a list has half a megabyte for a thousand connectors.
# msal makes objects of whatever it gets, which in memory are up to twenty times as large as in JSON or XML.
_LARGEST_BODY = 2 * 1024 * 1024
LARGEST_PAGE = 16 * 1024 * 1024
_CHUNK = 64 * 1024
# http.client's own limit to a header.
_LONGEST_LINE = 65536
# Python 3.9 has no name for it; the number is OpenSSL's.
_PARTIAL_CHAIN = getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)
# What to do about a certificate that no other authority would better, by OpenSSL's numbers (X509_V_ERR_...).
_OF_ANOTHER_HOST = 62
_CERTIFICATE_ADVICE = {
    **dict.fromkeys((9, 10), "check the clock of this host, and that no proxy changes the traffic"),
    **dict.fromkeys((_OF_ANOTHER_HOST, 64), "check the address, and that no proxy changes the traffic"),
    **dict.fromkeys((66, 67, 68), "ask for a stronger one where it was made, as TLS on this host wants it"),
}
_PROXYS_ANSWER = re.compile(r"Tunnel connection failed: ([0-9]{3})\b")
# Where Graph and Entra ID tell the id of a request, the first that is there.
_IDS = ("request-id", "x-ms-request-id")


class Response(t.NamedTuple):
    """An HTTP answer, read whole. Header names are in lower case."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes

    @property
    def date(self) -> datetime | None:
        """The server's clock at the time of the answer; None if it did not say."""
        return timestamps.parse_http_date(self.headers.get("date"))

    @property
    def request_id(self) -> str | None:
        """What Microsoft's support asks for."""
        return untrusted.one_line(next((self.headers[name] for name in _IDS if self.headers.get(name)), "")) or None

    def retry_after(self, now: datetime) -> float | None:
        """The seconds that the server asks to wait; ``now`` is used for dates when the server's clock is not known."""
        return retries.retry_after(self.headers.get("retry-after"), self.date or now)

    def json(self) -> t.Any:
        """The body as JSON. Raises ValueError if it is none."""
        return untrusted.json_of(self.body)


class _DeadlineReader(io.RawIOBase):
    """What arrives over a connection, for as long in all as the socket would wait for each piece of it."""

    def __init__(self, connection: t.Any, raw: t.Any) -> None:
        self._connection = connection
        self._raw = raw
        self._seconds = connection.gettimeout()
        self._deadline = None if self._seconds is None else time.monotonic() + self._seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: t.Any) -> t.Any:
        if self._deadline is None:
            return self._raw.readinto(buffer)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise socket.timeout("timed out")
        self._connection.settimeout(left)
        got = self._raw.readinto(buffer)
        # The next request over this connection has its own time.
        self._connection.settimeout(self._seconds)
        return got

    def close(self) -> None:
        self._raw.close()
        super().close()


class _LastLineReader(io.BufferedReader):
    """Remembers the last line that was read, and gives nothing that has no end."""

    last = b""

    def readline(self, size: int | None = -1, /) -> bytes:
        # urllib3 sets no limit to the line with the size of a chunk, nor to those of trailers.
        wanted = _LONGEST_LINE + 1 if size is None or size < 0 else size
        self.last = super().readline(wanted)
        if len(self.last) > _LONGEST_LINE:
            raise http.client.LineTooLong("line")
        return self.last

    def read(self, size: int | None = -1, /) -> bytes:
        # To urllib3, a chunk may have a size of -1, and is then all that ever comes.
        if size is None or size < 0:
            raise urllib3.exceptions.InvalidHeader("a size below zero")
        return super().read(size)


class _Response(http.client.HTTPResponse):
    """An answer that has a deadline, and an end to its headers.

    http.client waits anew for every byte, and takes headers that were cut for whole: then half an answer to a request
    would be its acceptance.
    """

    def __init__(self, connection: t.Any, *args: t.Any, **kwargs: t.Any) -> None:
        super().__init__(connection, *args, **kwargs)
        self.fp: t.Any = _LastLineReader(_DeadlineReader(connection, self.fp.detach()))

    def begin(self) -> None:
        super().begin()
        if not self.fp.last:
            raise http.client.IncompleteRead(b"")

    def _read_status(self) -> tuple[str, int, str]:
        """The first status line that is not of an interim answer (RFC 9110, section 15.2): the final one is to come.

        http.client knows 100 only, and takes 103 for the answer.
        """
        while True:
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 < status < 200:
                return version, status, reason
            while self.fp.readline().strip():
                pass


class _BeforeRequest:
    """How a connection is made: in the time for one, and so that everyone knows that no request was sent yet."""

    _dns_host: t.Any
    port: t.Any
    timeout: t.Any

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except Exception as error:
            # The end of a handshake looks like the end of an answer.
            error.before_request = True  # type: ignore[attr-defined]
            raise

    def _new_conn(self) -> socket.socket:
        """Try the addresses of the name, each for its share of the time that is left.

        urllib3 gives each the whole time (urllib3#2055). Graph has some ten, so a silent firewall would take minutes.
        """
        name, timeout = self._dns_host, self.timeout
        deadline = time.monotonic() + timeout
        try:
            found = socket.getaddrinfo(
                name, self.port, urllib3.util.connection.allowed_gai_family(), socket.SOCK_STREAM
            )
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except (OSError, UnicodeError):
            # Whoever fails in the same way below says it in its own words.
            addresses = [name]
        try:
            for further, address in zip(reversed(range(len(addresses))), addresses):
                self._dns_host, self.timeout = address, max(0.1, deadline - time.monotonic()) / (further + 1)
                try:
                    made: socket.socket = super()._new_conn()  # type: ignore[misc]
                    break
                except Exception:
                    if not further:
                        raise
        finally:
            self._dns_host, self.timeout = name, timeout
        # What is left is for the handshake.
        made.settimeout(max(0.1, deadline - time.monotonic()))
        return made


class _PlainConnection(_BeforeRequest, _HTTPConnection):
    response_class = _Response


class _Connection(_BeforeRequest, _HTTPSConnection):
    response_class = _Response


class _PlainPool(_HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _Pool(_HTTPSConnectionPool):
    ConnectionCls = _Connection


class _Adapter(_HTTPAdapter):
    """Lets requests use a TLS context that was made once, and connections as above.

    Left alone, requests reads the bundle of authorities anew for every connection, which costs more than all else that
    a task does; and it prefers REQUESTS_CA_BUNDLE to what its caller says.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        _use_our_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        kwargs["ssl_context"] = self._context
        if self._context.check_hostname or self._context.verify_mode == ssl.CERT_NONE:
            # With a context of others, urllib3 1.26 does not look at a proxy's name. So it uses its own there, which
            # trusts the system's authorities.
            kwargs["proxy_ssl_context"] = self._context
        return _use_our_connections(super().proxy_manager_for(proxy, **kwargs))

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        try:
            return super().proxy_headers(proxy)
        except UnicodeEncodeError:
            # requests knows Latin-1 only. Others send what the address says, which is UTF-8.
            word = ":".join(requests.utils.get_auth_from_url(proxy)).encode(errors="surrogateescape")
            return {"Proxy-Authorization": f"Basic {base64.b64encode(word).decode()}"}

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context, "cert_reqs": _cert_reqs(self._context)} if pool else pool

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:  # noqa: ARG002
        conn.cert_reqs = _cert_reqs(self._context)


def _use_our_connections(manager: t.Any) -> t.Any:
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "http": _PlainPool, "https": _Pool}
    return manager


def _cert_reqs(context: ssl.SSLContext) -> str:
    return "CERT_NONE" if context.verify_mode == ssl.CERT_NONE else "CERT_REQUIRED"


@functools.cache
def _tls_context(authorities: str | None, *further: tuple[str, str]) -> ssl.SSLContext:
    """Make a context that trusts ``authorities``, or anyone if that is None.

    :param further: more of them, a file and a folder, which need not be there.
    """
    context = create_urllib3_context()
    # What SSLKEYLOGFILE would have written lets others read along, tokens included.
    context.keylog_filename = None  # type: ignore[assignment]
    if authorities is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if pathlib.Path(authorities).is_dir():
        context.load_verify_locations(capath=authorities)
    else:
        context.load_verify_locations(cafile=authorities)
    for file, folder in further:
        with contextlib.suppress(OSError):
            context.load_verify_locations(cafile=file)
        with contextlib.suppress(OSError):
            context.load_verify_locations(capath=folder)
    # Since Python 3.13, urllib3 refuses authorities without the identifier of their key, as many companies' are, and
    # takes an authority that is none of the roots. So does curl, and so it is here with every Python.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.verify_flags |= _PARTIAL_CHAIN
    return context


def tls_context(ca_path: str | None, validate_certs: bool, environ: t.Mapping[str, str]) -> ssl.SSLContext:
    """Return the TLS context for these options, made once per process (and once for all forks, if made before them).

    :param ca_path: a file or folder of authorities in PEM; it wins over REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, and they
        over the bundle that requests brings along together with the system's store.
    :param validate_certs: False trusts anyone.
    :raises OptionError: the authorities cannot be read.
    """
    if not validate_certs:
        return _tls_context(None)
    origin, authorities = "requests' bundle of authorities", requests.utils.DEFAULT_CA_BUNDLE_PATH
    # A company's own authority is in the system's store, where AWX puts it, too. OpenSSL itself would look that up in
    # the environment of the process.
    system = ssl.get_default_verify_paths()
    further = [
        (
            environ.get(system.openssl_cafile_env) or system.openssl_cafile,
            environ.get(system.openssl_capath_env) or system.openssl_capath,
        )
    ]
    for origin_, path in (
        ("ca_path", ca_path),
        ("REQUESTS_CA_BUNDLE", environ.get("REQUESTS_CA_BUNDLE")),
        ("CURL_CA_BUNDLE", environ.get("CURL_CA_BUNDLE")),
    ):
        if path:
            origin, authorities, further = origin_, path, []
            break
    try:
        return _tls_context(authorities, *further)
    except (OSError, ValueError) as error:
        raise errors.OptionError(
            f"{origin} {authorities!r} cannot be used: {getattr(error, 'strerror', None) or error}",
            advice="name a file of certificates in PEM, or a folder of them as c_rehash makes it",
        ) from error


class Transport:
    """Sends requests to Graph and Entra ID, one at a time, and waits for the answers.

    :param context: how TLS is done, from :func:`tls_context`.
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
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Adapter(context))
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
        :param largest: bytes that the content of the answer may have, if it may be more than usual.
        :raises Unanswered: there was no answer, or not a whole one, or a redirect.
        """
        host = urlsplit(url).netloc
        try:
            response = self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=self.request_timeout,
                allow_redirects=False,
                proxies={} if of_host else proxies(url, self._environ),
                stream=True,
            )
            try:
                _refuse_redirect(response, host)
                body = self._body(response, host, largest or _LARGEST_BODY)
            except BaseException:
                response.close()
                raise
        except requests.exceptions.RequestException as error:
            raise _unanswered(host, error, self.request_timeout) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unanswered(host, error, self.request_timeout) from error
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
    ) -> Response:
        """Send a request that may be repeated without harm, as often as patience allows, and return the last answer.

        :param limit: seconds for all tries, if other than ``retry_timeout``.
        :param json_expected: whether success without a JSON object in it is to be tried again.
        :param of_host: as for :meth:`once`.
        :returns: an answer that another try would not better, errors included.
        :raises Unavailable: no try got one.
        """

        def send(asks: list[Request]) -> list[t.Any]:
            try:
                return [
                    self.send(ask.method, ask.path, headers=headers, params=params, data=data, of_host=of_host)
                    for ask in asks
                ]
            except errors.NoResponse as error:
                return [error]

        story = retried(
            Request(method, url),
            host=urlsplit(url).netloc,
            json_expected=json_expected,
            clock=self.clock,
            retry_timeout=self.retry_timeout,
            limit=limit,
        )
        return run(story, send=send, clock=self.clock)

    @staticmethod
    def redacted(answer: Response) -> Response:
        """Take out what must not be shown: of an error all of it, as a success may bring the same token again."""
        headers = {**answer.headers}
        for name in _IDS:
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

    def _body(self, response: t.Any, host: str, largest: int) -> bytes:
        """Read a body with a limit to its size, packed and unpacked: it may go on for ever, or be a bomb."""
        too_large = errors.NoResponse(
            f"{host} sent more than {largest // 2**20} MiB",
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


def retried(
    ask: Request,
    *,
    host: str,
    json_expected: bool,
    clock: Clock,
    retry_timeout: float,
    limit: float | None = None,
) -> Operation[Response]:
    """Ask until there is an answer that another try would not better; what is asked must do no harm when repeated.

    :param host: who is asked, for the sentence about a failure.
    :param json_expected: whether success without a JSON object in it is to be tried again.
    :param retry_timeout: seconds for all tries, as the user gave them.
    :param limit: what is left of that, if others have used some of it.
    :raises Unavailable: no try got such an answer.
    """
    budget = retries.RetryBudget(clock, retry_timeout if limit is None else limit)
    while True:
        asked = None
        failure: errors.Unavailable
        try:
            answer: Response = yield ask._replace(timeout=budget.remaining)
        except errors.NoResponse as error:
            if error.permanent:
                raise
            failure = error
        else:
            worth = retryable_failure(answer, host, json_expected)
            if not worth:
                return answer
            failure, asked = worth, answer.retry_after(clock.now())
        pause = budget.next_delay(asked)
        if pause is None:
            raise exhausted(failure, tries=budget.tries, asked=asked, limit=retry_timeout) from failure
        yield Sleep(pause)


def retryable_failure(answer: Response, host: str, json_expected: bool) -> errors.Unavailable | None:
    """Say what is wrong with an answer that another try may better; None if there is nothing, or nothing to better.

    :param json_expected: whether success without a JSON object in it is wrong: it is a portal's or a proxy's.
    """
    if answer.status in retries.RETRIED_STATUSES:
        return throttled(answer, host)
    if json_expected and (answer.status < 300 or answer.status >= 500):
        with contextlib.suppress(ValueError):
            document = answer.json()
            if isinstance(document, dict):
                # Graph has been seen to call an error a success: microsoft-graph-explorer-v4#870.
                no_success = answer.status < 300 and isinstance(document.get("error"), dict)
                return throttled(answer, host) if no_success or retries.is_trouble(answer.status) else None
        kind = untrusted.one_line(answer.headers.get("content-type") or "no content type")
        return errors.Unavailable(
            f"{host} answered HTTP {answer.status} with no JSON object but {len(answer.body)} bytes of {kind}",
            advice=errors.PROXY_ADVICE,
            request_id=answer.request_id,
        )
    return None


def throttled(answer: Response, host: str) -> errors.Unavailable:
    """Say that ``host`` has no time for us now, or is in trouble, in its own words."""
    said = error_bodies.parse_error_body(answer.body)
    return errors.Unavailable(
        error_bodies.answer_clause(host, answer.status, said),
        request_id=answer.request_id or said.request_id or None,
    )


def exhausted(failure: errors.Unavailable, *, tries: int, asked: float | None, limit: float) -> errors.Unavailable:
    """Say that the tries of a call came to an end with ``failure``; times in seconds.

    :param asked: what the service asked to wait, if it did: then that was too long, at least for what is left.
    """
    times = "once" if tries == 1 else f"{tries} times"
    what, advice = f"{failure.what} (tried {times} within retry_timeout, {limit:g} s)", failure.advice
    if asked:
        wait, advice = timestamps.humanize(asked), "run again after that time, or raise retry_timeout"
        what = (
            f"{failure.what}, and it asks to wait {wait}, longer than retry_timeout ({limit:g} s) allows"
            if asked > limit
            else f"{what}, and it asks to wait another {wait}"
        )
    return errors.Unavailable(what, advice=advice or "run again later", request_id=failure.request_id)


def _refuse_redirect(response: t.Any, host: str) -> None:
    """Stop at a redirect: whoever follows one takes the token or the secret along."""
    if 300 <= response.status_code < 400:
        try:
            target = urlsplit(untrusted.one_line(response.headers.get("location") or "")).hostname or "elsewhere"
        except ValueError:
            target = "elsewhere"
        raise errors.NoResponse(
            f"{host} redirects to {target} (HTTP {response.status_code}), which is not followed for the credential's"
            " sake",
            advice="check graph_url and authority_url, and that no proxy or portal stands in between",
            may_have_run=False,
            permanent=True,
        )


def proxies(url: str, environ: t.Mapping[str, str]) -> dict[str, str]:
    """The proxies by which ``environ`` has a URL asked for, as requests takes them; none for a host of NO_PROXY.

    Not found out by requests: it reads the environment of the process, which is not that of each host of a fleet, and
    on macOS asks the system, which kills a worker that was forked.

    :raises Unanswered: the address of the proxy cannot be used.
    """
    named: dict[str, str] = {}
    # Small letters come before capitals, and being empty take a proxy back, as for everyone else.
    for name in sorted(environ, key=str.islower):
        if name.lower().endswith("_proxy"):
            named[name.lower()[: -len("_proxy")]] = environ[name].strip()
    found = {scheme: address for scheme, address in named.items() if address and scheme != "no"}
    if _is_of_no_proxy(urlsplit(url), named.get("no", "")):
        return {}
    proxy = requests.utils.select_proxy(url, found)
    if proxy and not _is_http_proxy(proxy):
        raise errors.NoResponse(
            f"the address of the proxy to {urlsplit(url).netloc} cannot be used",
            advice="check that HTTPS_PROXY names an HTTP proxy, with what is neither letter nor digit in its user and"
            " password percent-encoded, and NO_PROXY",
            may_have_run=False,
            permanent=True,
        )
    return found


def _is_http_proxy(address: str) -> bool:
    """Whether an address is that of an HTTP proxy; whoever speaks SOCKS has other connections, without deadline."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        # A slash, \\, ? or # in a user or password ends the host too early, which then is the user.
        cut = "\\" in parts.netloc or "@" in parts.path + parts.query + parts.fragment
        return bool(parts.hostname) and parts.port != 0 and not cut and parts.scheme.lower() in ("http", "https")
    except ValueError:
        return False


def _is_of_no_proxy(url: t.Any, no_proxy: str) -> bool:
    """Whether NO_PROXY names a host: a name, the end of one, an address, a network, each with or without a port."""
    host = url.hostname or ""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    names = (host, f"{host}:{port}", f"[{host}]", f"[{host}]:{port}")
    for entry in no_proxy.lower().replace(",", " ").split():
        end = entry.lstrip("*.")
        if entry == "*" or any(name == end or name.endswith(f".{end}") for name in names):
            return True
        with contextlib.suppress(ValueError):
            if ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False):
                return True
    return False


def _unanswered(host: str, error: BaseException, timeout: float) -> errors.NoResponse:
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
        return _not_let_through(host, causes)
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


def _not_let_through(host: str, causes: t.Iterable[BaseException]) -> errors.NoResponse:
    """Say why a proxy makes no connection: it has answered so, or it could not be asked."""
    # http.client has no exception of its own for that answer.
    answers = (_PROXYS_ANSWER.match(str(cause)) for cause in causes if isinstance(cause, OSError))
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
