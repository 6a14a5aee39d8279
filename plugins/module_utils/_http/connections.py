# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Connections of requests and urllib3 with deadlines, and TLS that is set up once. No other file imports requests."""

from __future__ import annotations

import base64
import contextlib
import functools
import http.client
import io
import pathlib
import socket
import ssl
import time
import typing as t
import weakref

from .._ground import errors

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
    requests = urllib3 = None  # type: ignore[assignment]
    CertificateError = OSError  # type: ignore[assignment,misc]
    _HTTPAdapter = _HTTPConnection = _HTTPConnectionPool = object  # type: ignore[assignment]
    _HTTPSConnection = _HTTPSConnectionPool = object  # type: ignore[assignment]


# What others use of these libraries, they take from here.
__all__ = ("HAS_REQUESTS", "Adapter", "CertificateError", "requests", "tls_context", "trusted", "urllib3")

_BUNDLED = "requests' bundle of authorities"

# http.client's own limit to a header.
_LONGEST_LINE = 65536


# Python 3.9 has no name for it; the number is OpenSSL's.
_PARTIAL_CHAIN = getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0x80000)


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


class _KnowsItsConnections:
    """Remembers the connections that it makes: those in use are nowhere else in urllib3."""

    def __init__(self, *args: t.Any, **kwargs: t.Any) -> None:
        self.made: list[weakref.ref[t.Any]] = []
        super().__init__(*args, **kwargs)

    def _new_conn(self) -> t.Any:
        made = super()._new_conn()  # type: ignore[misc]
        self.made = [*(one for one in self.made if one() is not None), weakref.ref(made)]
        return made


class _PlainPool(_KnowsItsConnections, _HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _Pool(_KnowsItsConnections, _HTTPSConnectionPool):
    ConnectionCls = _Connection


class Adapter(_HTTPAdapter):
    """Lets requests use a TLS context that was made once, and connections as above.

    Left alone, requests reads the bundle of authorities anew for every connection, which costs more than all else that
    a task does; and it prefers REQUESTS_CA_BUNDLE to what its caller says.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        """Make connections directly with the context."""
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        _use_our_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **kwargs: t.Any) -> t.Any:
        """Make connections through a proxy with the context."""
        kwargs["ssl_context"] = self._context
        if self._context.check_hostname or self._context.verify_mode == ssl.CERT_NONE:
            # With a context of others, urllib3 1.26 does not look at a proxy's name. So it uses its own there, which
            # trusts the system's authorities.
            kwargs["proxy_ssl_context"] = self._context
        return _use_our_connections(super().proxy_manager_for(proxy, **kwargs))

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        """Sign in to a proxy in whatever letters."""
        try:
            return super().proxy_headers(proxy)
        except UnicodeEncodeError:
            # requests knows Latin-1 only. Others send what the address says, which is UTF-8.
            word = ":".join(requests.utils.get_auth_from_url(proxy)).encode(errors="surrogateescape")
            return {"Proxy-Authorization": f"Basic {base64.b64encode(word).decode()}"}

    def cut(self) -> None:
        """End all connections, also those on which another thread waits for an answer: to that, the server has gone."""
        for manager in (self.poolmanager, *self.proxy_manager.values()):
            for key in [*manager.pools.keys()]:
                pool = manager.pools.get(key)
                for made in [one() for one in getattr(pool, "made", ())]:
                    # Through a proxy that speaks TLS itself, the socket is within another one.
                    outer = getattr(made, "sock", None)
                    inner = getattr(outer, "socket", outer)
                    if inner is not None:
                        with contextlib.suppress(OSError):
                            # TLS's own way to do this is not for two threads.
                            socket.socket.shutdown(inner, socket.SHUT_RDWR)

    def build_connection_pool_key_attributes(self, request: t.Any, verify: t.Any, cert: t.Any = None) -> t.Any:
        """Keep connections apart by the context."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context, "cert_reqs": _cert_reqs(self._context)} if pool else pool

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:  # noqa: ARG002
        """Look at no bundle of authorities."""
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


def trusted(ca_path: str | None, environ: t.Mapping[str, str]) -> tuple[str, str]:
    """Which authorities are trusted: who names them, and their file or folder.

    Where nobody does, the system's store counts beside the bundle that requests brings along.
    """
    for origin, path in (
        ("ca_path", ca_path),
        ("REQUESTS_CA_BUNDLE", environ.get("REQUESTS_CA_BUNDLE")),
        ("CURL_CA_BUNDLE", environ.get("CURL_CA_BUNDLE")),
    ):
        if path:
            return origin, path
    return _BUNDLED, requests.utils.DEFAULT_CA_BUNDLE_PATH


def tls_context(ca_path: str | None, validate_certs: bool, environ: t.Mapping[str, str]) -> ssl.SSLContext:
    """Return the TLS context for these options, made once per process (and once for all forks, if made before them).

    :param ca_path: a file or folder of authorities in PEM; it wins over REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, and they
        over the bundle that requests brings along together with the system's store.
    :param validate_certs: False trusts anyone.
    :raises OptionError: the authorities cannot be read.
    """
    if not validate_certs:
        return _tls_context(None)
    origin, authorities = trusted(ca_path, environ)
    further = []
    if origin == _BUNDLED:
        # A company's own authority is in the system's store, where AWX puts it, too. OpenSSL itself would look that up
        # in the environment of the process.
        system = ssl.get_default_verify_paths()
        further = [
            (
                environ.get(system.openssl_cafile_env) or system.openssl_cafile,
                environ.get(system.openssl_capath_env) or system.openssl_capath,
            )
        ]
    try:
        return _tls_context(authorities, *further)
    except (OSError, ValueError) as error:
        raise errors.OptionError(
            f"{origin} {authorities!r} cannot be used: {getattr(error, 'strerror', None) or error}",
            advice="name a file of certificates in PEM, or a folder of them as c_rehash makes it",
        ) from error
