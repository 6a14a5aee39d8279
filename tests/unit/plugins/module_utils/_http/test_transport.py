# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests over real TLS to a server that misbehaves on demand; and, by a clock of our own, when they are repeated."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import typing as t
import urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote_plus

import pytest
import requests
import urllib3
from ansible_collections.graphops.intune.plugins.module_utils._ground import errors, secrecy
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Cancelled, Clock, cancellable
from ansible_collections.graphops.intune.plugins.module_utils._ground.errors import NoResponse, OptionError, Unavailable
from ansible_collections.graphops.intune.plugins.module_utils._ground.version import VERSION
from ansible_collections.graphops.intune.plugins.module_utils._http import (
    connections,
    proxies,
    response,
    retries,
    transport,
)
from ansible_collections.graphops.intune.plugins.module_utils._http.driver import Request, run
from cryptography.hazmat.primitives import serialization

# The server


class Handler(BaseHTTPRequestHandler):
    """Does what the next step of the server's script says; without one it answers with an empty object."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.server.requests.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
        step = self.server.script.pop(0) if self.server.script else answer()
        step(self)

    do_GET = do_POST = do_CONNECT = _do  # noqa: N815 - the names are those of the base class

    def log_message(self, *_args: t.Any) -> None:
        pass


Step = t.Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Step] = []
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []
        self.connections = 0
        if context:
            self.socket = context.wrap_socket(self.socket, server_side=True)
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    def handle_error(self, *_args: t.Any) -> None:
        """A client that goes away is part of the test."""

    def __enter__(self) -> Server:
        self.thread.start()
        return self

    def __exit__(self, *_args: t.Any) -> None:
        self.shutdown()
        self.thread.join()
        self.server_close()


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Step:
    def step(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return step


def bytes_of_an_answer(*parts: bytes, pause: float = 0, close: bool = True) -> Step:
    """Send these bytes, and close the connection unless it is to be kept."""

    def step(handler: Handler) -> None:
        handler.close_connection = close
        for part in parts:
            handler.wfile.write(part)
            handler.wfile.flush()
            time.sleep(pause)

    return step


class Pki(t.NamedTuple):
    """A server's TLS context, and files with the authority to trust and with one that did not sign it."""

    context: ssl.SSLContext
    authority: str
    other: str


@pytest.fixture(scope="module")
def pki(key_pair: t.Any, tmp_path_factory: pytest.TempPathFactory) -> Pki:
    folder = tmp_path_factory.mktemp("pki")
    pem = serialization.Encoding.PEM
    pair, other = key_pair("127.0.0.1"), key_pair("127.0.0.1")
    key = pair.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "authority.pem").write_bytes(pair.certificate.public_bytes(pem))
    (folder / "other.pem").write_bytes(other.certificate.public_bytes(pem))
    (folder / "server.pem").write_bytes(key + pair.certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return Pki(context, str(folder / "authority.pem"), str(folder / "other.pem"))


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take proxies and authorities out of the environment."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def server(pki: Pki) -> t.Iterator[Server]:
    with Server(pki.context) as running:
        yield running


Client = t.Callable[..., transport.Transport]


@pytest.fixture
def client(pki: Pki) -> t.Iterator[Client]:
    """Make transports that trust the server."""
    made = []

    def make(
        ca_path: str | None = pki.authority,
        *,
        validate_certs: bool = True,
        request_timeout: float = 10,
        retry_timeout: float = 60,
        clock: Clock = Clock(),  # noqa: B008 - it is a tuple
        environ_: t.Mapping[str, str] | None = None,
    ) -> transport.Transport:
        chosen = os.environ if environ_ is None else environ_
        made.append(
            transport.Transport(
                context=connections.tls_context(ca_path, validate_certs, chosen),
                environ=chosen,
                request_timeout=request_timeout,
                retry_timeout=retry_timeout,
                clock=clock,
            )
        )
        return made[-1]

    yield make
    for http in made:
        http.reset_connections()


def get(http: transport.Transport, url: str, **headers: str) -> response.Response:
    return http.send("GET", url, headers=headers)


def failure(http: transport.Transport, url: str) -> NoResponse:
    with pytest.raises(NoResponse) as caught:
        get(http, url)
    return caught.value


# Answers


def test_nobody_is_asked_once_the_work_is_over(server: Server, client: Client) -> None:
    """Whatever the step, each request looks whether somebody still waits for it."""
    cancelled = threading.Event()
    http = client(clock=cancellable(Clock(), cancelled))
    get(http, server.url)
    cancelled.set()
    with pytest.raises(Cancelled):
        get(http, server.url)
    assert len(server.requests) == 1


def test_a_request_and_its_answer(server: Server, client: Client) -> None:
    server.script = [answer(404, b'{"a": 1}', Request_Id="r1", Retry_After="5")]
    reply = client().send("POST", server.url + "/x?y=z", headers={"Authorization": "Bearer t"}, data=b"content")
    assert (reply.status, reply.body, reply.json()) == (404, b'{"a": 1}', {"a": 1})
    assert reply.headers["retry-after"] == "5"
    assert reply.request_id == "r1"
    assert reply.date is not None
    assert abs((reply.date - datetime.now(timezone.utc)).total_seconds()) < 10
    ((method, path, headers, body),) = server.requests
    assert (method, path, body) == ("POST", "/x?y=z", b"content")
    assert headers["Authorization"] == "Bearer t"
    assert headers["User-Agent"].startswith(f"graphops.intune/{VERSION} python-requests/")


def test_the_id_and_the_clock_of_an_answer() -> None:
    now = datetime(2026, 11, 22, 18, tzinfo=timezone.utc)
    date = "Sun, 22 Nov 2026 18:00:30 GMT"
    silent = response.Response(200, {}, b"")
    assert (silent.date, silent.request_id, silent.retry_after(now)) == (None, None, None)
    assert response.Response(200, {"x-ms-request-id": "x"}, b"").request_id == "x"
    assert response.Response(200, {"request-id": "x\x1b[31m\ny"}, b"").request_id == "x [31m y"
    assert response.Response(200, {"x-ms-request-id": "x", "request-id": "r"}, b"").request_id == "r"
    assert response.Response(429, {"retry-after": date}, b"").retry_after(now) == 30
    # The server's clock, where there is one, measures the server's date.
    headers = {"retry-after": date, "date": "Sun, 22 Nov 2026 18:00:20 GMT"}
    assert response.Response(429, headers, b"").retry_after(now) == 10


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"[" * 100_000])
def test_a_body_that_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        response.Response(200, {}, body).json()


def test_one_connection_is_used_for_all_requests_until_it_is_renewed(server: Server, client: Client) -> None:
    http = client()
    for status in (200, 404, 500):
        server.script = [answer(status)]
        assert get(http, server.url).status == status
    assert server.connections == 1
    http.reset_connections()
    get(http, server.url)
    assert server.connections == 2


@pytest.mark.parametrize("farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"])
def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(
    server: Server, client: Client, farewell: bytes
) -> None:
    """As balancers do while a task waits, with some last words that are no answer to the next request."""
    http = client()
    server.script = [bytes_of_an_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", farewell, pause=0.05)]
    assert get(http, server.url).status == 200
    time.sleep(0.3)
    answer_ = http.send("POST", server.url, headers={}, data="{}")
    assert (answer_.status, server.connections, len(server.requests)) == (200, 2, 2)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, client: Client, status: int) -> None:
    server.script = [answer(status, b"", Location=f"{server.url}/elsewhere?secret")]
    error = failure(client(), server.url)
    assert error.sentence() == (
        f"{server.host} redirects to 127.0.0.1 (HTTP {status}), which is not followed for the credential's sake; check"
        " graph_url and authority_url, and that no proxy or portal stands in between."
    )
    assert (error.may_have_run, error.permanent) == (False, True)
    assert len(server.requests) == 1


def test_a_body_may_be_compressed_and_in_chunks(server: Server, client: Client) -> None:
    packed = gzip.compress(b'{"a": 1}' * 100)
    chunks = [b"%x\r\n%b\r\n" % (1, packed[i : i + 1]) for i in range(len(packed))]
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.script = [bytes_of_an_answer(head, *chunks, b"0\r\n\r\n")]
    assert get(client(), server.url).body == b'{"a": 1}' * 100


def test_a_body_that_is_not_what_its_header_says(server: Server, client: Client) -> None:
    server.script = [answer(200, b'{"a": 1}', Content_Encoding="gzip")]
    error = failure(client(), server.url)
    assert error.sentence() == (
        f"the answer of {server.host} could not be decoded; check that no proxy or portal stands in between."
    )
    assert (error.may_have_run, error.permanent) == (True, False)


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip, identity"])
def test_an_encoding_that_was_not_asked_for(server: Server, client: Client, encoding: str) -> None:
    server.script = [answer(200, gzip.compress(b"{}"), Content_Encoding=encoding)]
    assert "could not be decoded" in failure(client(), server.url).what
    assert server.requests[0][2]["Accept-Encoding"] == "gzip"


def test_a_compressed_body_that_is_cut(server: Server, client: Client) -> None:
    server.script = [answer(200, gzip.compress(b'{"a": 1}')[:-3], Content_Encoding="gzip")]
    assert "could not be decoded" in failure(client(), server.url).what


@pytest.mark.parametrize("size", [b"-1", b"-2", b"-ffffffffff"])
def test_a_chunk_of_a_size_below_zero(server: Server, client: Client, size: bytes) -> None:
    """For -1, urllib3 would read all that ever comes, at once."""
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    server.script = [bytes_of_an_answer(head, size + b"\r\n", *[b"0" * 2**20] * 20)]
    # Python 3.9 reads nothing then.
    sentences = (f"the answer of {server.host} contradicts itself", f"{server.host} cut the connection")
    assert failure(client(), server.url).what in sentences


def test_two_lengths(server: Server, client: Client) -> None:
    server.script = [bytes_of_an_answer(HEAD, b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}")]
    error = failure(client(), server.url)
    assert error.what == f"the answer of {server.host} contradicts itself"
    assert (error.may_have_run, error.permanent) == (True, False)


SECRET = 's3cret "ü".'


def test_an_error_quotes_no_secret(server: Server, client: Client) -> None:
    http = client()
    secrecy.hide([SECRET])
    plain = {"plain": SECRET, "form": quote_plus(SECRET)}
    bodies = [json.dumps(plain), json.dumps(plain, ensure_ascii=False), SECRET]
    for body in bodies:
        server.script = [answer(400, body.encode())]
        said = get(http, server.url).body.decode()
        assert "********" in said
        assert "s3cret" not in said
    # A success is not touched: it may bring the same token again.
    server.script = [answer(200, SECRET.encode())]
    assert get(http, server.url).body.decode() == SECRET


LARGE = bytes(2 * 1024 * 1024 + 1)


def test_the_largest_body(server: Server, client: Client) -> None:
    server.script = [answer(200, LARGE[:-1]), answer(200, LARGE)]
    assert len(get(client(), server.url).body) == len(LARGE) - 1
    assert len(client().send("GET", server.url, headers={}, largest=len(LARGE)).body) == len(LARGE)


@pytest.mark.parametrize(
    "step",
    [answer(200, LARGE), answer(200, gzip.compress(LARGE), Content_Encoding="gzip")],
    ids=["plain", "compressed"],
)
def test_a_body_that_is_too_large(server: Server, client: Client, step: Step) -> None:
    server.script = [step]
    error = failure(client(), server.url)
    assert error.sentence() == (f"{server.host} sent more than 2 MiB; check that no proxy or portal stands in between.")
    assert (error.may_have_run, error.permanent) == (True, True)


@pytest.mark.parametrize("location", ["https://[::1", "//", "\xfc"])
def test_the_address_of_a_redirect_is_not_trusted(server: Server, client: Client, location: str) -> None:
    server.script = [answer(302, b"", Location=location)]
    assert " redirects to elsewhere (HTTP 302)" in failure(client(), server.url).what


def test_the_body_of_a_redirect_is_not_read(server: Server, client: Client) -> None:
    server.script = [bytes_of_an_answer(b"HTTP/1.1 302 X\r\nLocation: /\r\n\r\n", b"x", pause=2)]
    start = time.monotonic()
    assert " redirects to " in failure(client(), server.url).what
    assert time.monotonic() - start < 1.5


# No answer

HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [b"HTTP/1.1 2"],
        [HEAD, b"Content-Length: 10\r\n\r\n"],
        [HEAD, b"Content-Length: 10\r\n\r\n{}"],
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}"],
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"],
        [HEAD, b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"],
        [b"nonsense\r\n\r\n"],
        [b"HTTP/1.1 204 No Content\r\n"],
        [b"HTTP/1.1 204 No Content\r\nrequest-id: 1\r\n"],
        [b"HTTP/1.1 204 No Content\r\nrequest-"],
    ],
)
def test_an_answer_that_is_cut(server: Server, client: Client, parts: list[bytes]) -> None:
    server.script = [bytes_of_an_answer(*parts)]
    error = failure(client(), server.url)
    assert error.sentence() == f"{server.host} cut the connection; run again later."
    assert (error.may_have_run, error.permanent) == (True, False)
    assert len(server.requests) == 1


def test_no_answer_in_time(server: Server, client: Client) -> None:
    server.script = [bytes_of_an_answer(b"", pause=3)]
    error = failure(client(request_timeout=1), server.url)
    assert error.sentence() == (f"{server.host} did not answer within 1 s; run again later, or raise request_timeout.")
    assert (error.may_have_run, error.permanent) == (True, False)


def test_requests_that_other_threads_wait_for_are_cut(server: Server, client: Client) -> None:
    http = client()
    arrived, over = threading.Semaphore(0), threading.Event()
    server.script = [answer(), *[lambda _handler: (arrived.release(), over.wait(20), None)[-1]] * 2]
    assert get(http, server.url).status == 200
    found: list[NoResponse] = []
    waiting = [threading.Thread(target=lambda: found.append(failure(http, server.url))) for _both in range(2)]
    try:
        for thread in waiting:
            thread.start()
            assert arrived.acquire(timeout=10)
        http.cut()
        for thread in waiting:
            thread.join(2)
        assert [(error.may_have_run, error.permanent) for error in found] == [(True, False)] * 2
    finally:
        over.set()
    assert get(http, server.url).status == 200, "and goes on"


@pytest.mark.parametrize(
    "head",
    [b"Content-Length: 1000\r\n\r\n", b"\r\n", b"X: "],
    ids=["body", "body without length", "header"],
)
def test_an_answer_that_drips_in(server: Server, client: Client, head: bytes) -> None:
    server.script = [bytes_of_an_answer(HEAD + head, *[b"x"] * 60, pause=0.05)]
    start = time.monotonic()
    error = failure(client(request_timeout=1), server.url)
    assert time.monotonic() - start < 2.5
    assert (error.may_have_run, error.permanent) == (True, False)


def test_an_answer_that_drips_in_is_told(server: Server, client: Client) -> None:
    server.script = [bytes_of_an_answer(HEAD + b"\r\n", *[b"x"] * 60, pause=0.05)]
    error = failure(client(request_timeout=1), server.url)
    assert error.sentence() == (f"{server.host} did not answer within 1 s; run again later, or raise request_timeout.")


def test_the_time_of_an_answer_is_its_own(server: Server, client: Client) -> None:
    http = client(request_timeout=2)
    for _answer in range(3):
        server.script = [bytes_of_an_answer(HEAD, b"Content-Length: 2\r\n\r\n{", b"}", pause=0.35, close=False)]
        assert get(http, server.url).body == b"{}"


@pytest.mark.parametrize("hello", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", None], ids=["closed", "no TLS", "silent"])
def test_without_a_handshake_nothing_was_sent(client: Client, hello: bytes | None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            with listener.accept()[0] as connection:
                connection.recv(9999)
                if hello is None:
                    connection.recv(9999)
                else:
                    connection.sendall(hello)

        thread = threading.Thread(target=accept)
        thread.start()
        error = failure(client(request_timeout=0.4), f"https://127.0.0.1:{listener.getsockname()[1]}")
        thread.join()
    assert (error.may_have_run, error.permanent) == (False, False)


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def test_a_connection_that_is_refused(client: Client, closed_port: int) -> None:
    error = failure(client(), f"https://127.0.0.1:{closed_port}")
    assert error.sentence() == (
        f"127.0.0.1:{closed_port} could not be reached (connection refused); check the network and the proxy."
    )
    assert (error.may_have_run, error.permanent) == (False, False)


@pytest.mark.parametrize("answers", [True, False])
def test_all_addresses_of_a_name_have_the_time_of_one(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch, answers: bool
) -> None:
    silent, url = [f"127.0.0.{number}" for number in range(2, 8)], f"https://graph.example:{server.server_port}"
    all_of_it = [*silent, "127.0.0.1"] if answers else silent

    def resolve(host: str, port: int, *_how: t.Any, **_more: t.Any) -> list[t.Any]:
        names = all_of_it if host == "graph.example" else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (name, port)) for name in names]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with contextlib.ExitStack() as stack:
        for name in silent:
            listening = stack.enter_context(socket.socket())
            listening.bind((name, server.server_port))
            listening.listen(0)
            # What goes beyond the queue is not answered, as by a firewall.
            for _number in range(3):
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex((name, server.server_port))
        began = time.monotonic()
        http = client(validate_certs=False, request_timeout=2)
        if answers:
            assert get(http, url).status == 200
        else:
            error = failure(http, url)
            assert " accepted no connection within 2 s; check the network" in error.sentence()
            assert not error.may_have_run
        assert time.monotonic() - began < 4


@pytest.mark.parametrize(("number", "permanent"), [(socket.EAI_NONAME, False), (socket.EAI_AGAIN, False)])
def test_a_name_that_cannot_be_resolved(
    client: Client, monkeypatch: pytest.MonkeyPatch, number: int, permanent: bool
) -> None:
    def fail(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise socket.gaierror(number, "the text")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = failure(client(), "https://graph.invalid")
    assert error.sentence() == ("the name graph.invalid cannot be resolved; check the address, and DNS on this host.")
    assert (error.may_have_run, error.permanent) == (False, permanent)


# Trust


@pytest.mark.parametrize(
    ("ca_path", "variables"),
    [
        ("authority", {}),
        ("authority", {"REQUESTS_CA_BUNDLE": "other", "CURL_CA_BUNDLE": "other"}),
        (None, {"REQUESTS_CA_BUNDLE": "authority", "CURL_CA_BUNDLE": "other"}),
        (None, {"CURL_CA_BUNDLE": "authority"}),
        ("", {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "authority"}),
    ],
)
def test_the_authority_that_is_trusted(
    server: Server, client: Client, pki: Pki, environ: t.Any, ca_path: str | None, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        environ.setenv(name, getattr(pki, value, ""))
    assert get(client(ca_path and getattr(pki, ca_path)), server.url).status == 200


@pytest.mark.parametrize(
    ("ca_path", "variables"),
    [
        (None, {}),
        ("other", {}),
        ("other", {"REQUESTS_CA_BUNDLE": "authority", "CURL_CA_BUNDLE": "authority"}),
        (None, {"REQUESTS_CA_BUNDLE": "other", "CURL_CA_BUNDLE": "authority"}),
    ],
)
def test_a_certificate_that_is_not_trusted(
    server: Server, client: Client, pki: Pki, environ: t.Any, ca_path: str | None, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        environ.setenv(name, getattr(pki, value))
    error = failure(client(ca_path and getattr(pki, ca_path)), server.url)
    assert error.what.startswith(f"the TLS certificate of {server.host} is not trusted (self")
    assert error.advice == "name the authority that signed it with ca_path, or ask who changes the traffic"
    assert (error.may_have_run, error.permanent) == (False, True)
    assert server.requests == []


def test_a_certificate_of_another_host(server: Server, client: Client) -> None:
    error = failure(client(), f"https://localhost:{server.server_port}")
    assert error.what in (
        f"the TLS certificate of localhost:{server.server_port} is not trusted ({why})"
        for why in ("Hostname mismatch, certificate is not valid for 'localhost'.", "it does not fit")
    )
    assert error.advice == "check the address, and that no proxy changes the traffic"
    assert (error.may_have_run, error.permanent) == (False, True)
    assert server.requests == []


def test_anyone_is_trusted_without_validation(server: Server, client: Client) -> None:
    # urllib3 would warn on every request; who set validate_certs to false has been told by the documentation.
    http = client(None, validate_certs=False)
    assert get(http, f"https://localhost:{server.server_port}").status == 200
    assert get(http, server.url).status == 200


def test_a_folder_of_authorities(client: Client, server: Server, pki: Pki, tmp_path: Path) -> None:
    assert failure(client(str(tmp_path)), server.url).permanent
    context = connections.tls_context(str(tmp_path), True, {})
    assert context is not connections.tls_context(pki.authority, True, {})
    assert context.verify_mode == ssl.CERT_REQUIRED


def test_tls_is_set_up_once_per_authority(pki: Pki) -> None:
    context = connections.tls_context(pki.authority, True, {})
    assert context is connections.tls_context(pki.authority, True, {})
    assert context is connections.tls_context(None, True, {"REQUESTS_CA_BUNDLE": pki.authority})
    assert context is not connections.tls_context(pki.other, True, {})
    assert context is not connections.tls_context(pki.authority, False, {})
    assert connections.tls_context(None, True, {}) is connections.tls_context("", True, {"CURL_CA_BUNDLE": ""})


def test_no_authority_is_read_for_a_connection(server: Server, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    http = client()

    def fail(*_args: t.Any, **_kwargs: t.Any) -> t.NoReturn:
        raise AssertionError("read again")

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", fail)
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", fail)
    for _try in range(2):
        assert get(http, server.url).status == 200
        http.reset_connections()


ADVICE = "name a file of certificates in PEM, or a folder of them as c_rehash makes it."


@pytest.mark.parametrize("name", ["ca_path", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    path = str(tmp_path / "missing")
    with pytest.raises(OptionError) as caught:
        connections.tls_context(path if name == "ca_path" else None, True, {name: path})
    assert caught.value.sentence() == f"{name} {path!r} cannot be used: No such file or directory; {ADVICE}"


def test_authorities_that_are_no_certificates(tmp_path: Path) -> None:
    file = tmp_path / "garbage"
    file.write_text("garbage", encoding="ascii")
    with pytest.raises(OptionError) as caught:
        connections.tls_context(str(file), True, {})
    assert caught.value.sentence().startswith(f"ca_path {str(file)!r} cannot be used: ")
    assert caught.value.sentence().endswith(f"; {ADVICE}")


# Environment


def test_no_cookie_is_kept(server: Server, client: Client) -> None:
    server.script = [answer(Set_Cookie="a=b")]
    http = client()
    get(http, server.url)
    get(http, server.url)
    assert [headers.get("Cookie") for _method, _path, headers, _body in server.requests] == [None, None]


def test_credentials_of_netrc_are_not_used(server: Server, client: Client, environ: t.Any, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n", encoding="ascii")
    netrc.chmod(0o600)
    environ.setenv("HOME", str(tmp_path))
    environ.setenv("NETRC", str(netrc))
    http = client()
    get(http, server.url, Authorization="Bearer ours")
    get(http, server.url)
    assert [headers.get("Authorization") for _method, _path, headers, _body in server.requests] == ["Bearer ours", None]


@pytest.fixture
def proxy() -> t.Iterator[Server]:
    with Server() as running:
        yield running


@pytest.mark.parametrize(
    ("status", "says", "permanent"),
    [
        # Tried again and again, a wrong password locks its account.
        (
            407,
            "(HTTP 407, Proxy Authentication Required); give its user and password in HTTPS_PROXY, percent-encoded, or"
            " check NO_PROXY.",
            True,
        ),
        (403, "(HTTP 403, Forbidden); check HTTPS_PROXY and NO_PROXY.", True),
        (302, "(HTTP 302, Found); check HTTPS_PROXY and NO_PROXY.", True),
        (429, "(HTTP 429, Too Many Requests); check HTTPS_PROXY and NO_PROXY.", False),
        (502, "(HTTP 502, Bad Gateway); check HTTPS_PROXY and NO_PROXY.", False),
    ],
)
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_of_the_environment_is_used_and_its_password_not_told(
    server: Server,
    proxy: Server,
    client: Client,
    environ: t.Any,
    variable: str,
    status: int,
    says: str,
    permanent: bool,
) -> None:
    proxy.script = [answer(status)]
    environ.setenv(variable, f"http://user:hunter2@{proxy.host}")
    error = failure(client(), server.url)
    assert error.sentence() == f"the proxy to {server.host} did not let the request through {says}"
    assert (error.may_have_run, error.permanent) == (False, permanent)
    assert server.requests == []
    ((method, target, headers, _body),) = proxy.requests
    assert (method, target) == ("CONNECT", server.host)
    assert headers["Proxy-Authorization"].startswith("Basic ")


@pytest.mark.parametrize("spelt", ["p%E2%82%ACss", "p€ss"])
def test_the_password_of_a_proxy_may_be_any_text(
    server: Server, proxy: Server, client: Client, environ: t.Any, spelt: str
) -> None:
    proxy.script = [answer(407)]
    environ.setenv("HTTPS_PROXY", f"http://user:{spelt}@{proxy.host}")
    failure(client(), server.url)
    ((_method, _target, headers, _body),) = proxy.requests
    assert base64.b64decode(headers["Proxy-Authorization"].partition(" ")[2]).decode() == "user:p€ss"


def through(handler: Handler) -> None:
    """As a proxy, connect to the host that is asked for, and hand on what comes from either side."""
    handler.close_connection = True
    host, _colon, port = handler.path.partition(":")
    handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    with socket.create_connection((host, int(port))) as there:

        def back() -> None:
            with contextlib.suppress(OSError):
                while part := there.recv(65536):
                    handler.connection.sendall(part)
                handler.connection.shutdown(socket.SHUT_RDWR)

        returning = threading.Thread(target=back)
        returning.start()
        with contextlib.suppress(OSError):
            while part := handler.connection.recv(65536):
                there.sendall(part)
        returning.join()


@pytest.mark.parametrize("parts", [[], [b"HTTP/1.1 204 No"]])
def test_an_answer_that_is_cut_behind_a_proxy_may_have_been_yes(
    server: Server, proxy: Server, client: Client, environ: t.Any, parts: list[bytes]
) -> None:
    proxy.script = [through]
    server.script = [bytes_of_an_answer(*parts)]
    environ.setenv("HTTPS_PROXY", f"http://{proxy.host}")
    error = failure(client(), server.url)
    assert error.sentence() == f"{server.host} cut the connection; run again later."
    assert (error.may_have_run, error.permanent) == (True, False)
    assert len(server.requests) == len(proxy.requests) == 1


def test_a_handshake_that_is_cut_behind_a_proxy_was_no_request(
    server: Server, proxy: Server, client: Client, environ: t.Any
) -> None:
    proxy.script = [bytes_of_an_answer(b"HTTP/1.1 200 Connection established\r\n\r\n")]
    environ.setenv("HTTPS_PROXY", f"http://{proxy.host}")
    assert not failure(client(), server.url).may_have_run
    assert server.requests == []


@pytest.mark.parametrize(
    "address",
    [
        *(f"{scheme}://user:hunter2@127.0.0.1:1" for scheme in ("socks5", "socks5h", "ftp")),
        # Read as they stand, these name a host "user", or none (azure-cli#15305).
        *(f"http://user:hun{sign}ter2@127.0.0.1:1" for sign in "#/?[\\"),
        *(f"http://dom\\user:hun{sign}ter2@127.0.0.1:1" for sign in "#1"),
        "'http://127.0.0.1:1'",
        "http:127.0.0.1:1",
    ],
)
def test_proxies_of_other_kinds_are_refused(client: Client, environ: t.Any, address: str) -> None:
    environ.setenv("HTTPS_PROXY", address)
    error = failure(client(), "https://graph.example")
    assert error.sentence() == (
        "the address of the proxy to graph.example cannot be used; check that HTTPS_PROXY names an HTTP proxy, with"
        " what is neither letter nor digit in its user and password percent-encoded, and NO_PROXY."
    )
    assert (error.may_have_run, error.permanent) == (False, True)


@pytest.mark.parametrize(
    "address", ["http://user:hunter2@127.0.0.1:{port}", "http://user:hunter2@127.0.0.1:99999", "http://user:hunter2@"]
)
def test_a_proxy_that_is_not_there(
    server: Server, client: Client, environ: t.Any, closed_port: int, address: str
) -> None:
    environ.setenv("HTTPS_PROXY", address.format(port=closed_port))
    error = failure(client(), server.url)
    assert "hunter2" not in error.sentence()
    assert not error.may_have_run
    assert server.requests == []


def test_a_proxy_without_tls_that_is_named_by_https(
    server: Server, proxy: Server, client: Client, environ: t.Any
) -> None:
    environ.setenv("HTTPS_PROXY", f"https://user:hunter2@{proxy.host}")
    assert failure(client(), server.url).sentence() == (
        f"the proxy to {server.host} did not let the request through; check HTTPS_PROXY, which begins with http://"
        " unless TLS is spoken with the proxy itself, and NO_PROXY."
    )


def test_blanks_around_the_address_of_a_proxy(server: Server, proxy: Server, client: Client, environ: t.Any) -> None:
    proxy.script = [through]
    # As of a secret that was made by echo: kubernetes#23404.
    environ.setenv("HTTPS_PROXY", f" http://{proxy.host}\n")
    assert get(client(), server.url).status == 200
    assert len(proxy.requests) == 1


def test_the_proxy_is_not_asked_for_hosts_of_no_proxy(
    server: Server, proxy: Server, client: Client, environ: t.Any
) -> None:
    environ.setenv("HTTPS_PROXY", f"http://{proxy.host}")
    environ.setenv("NO_PROXY", "127.0.0.1")
    assert get(client(), server.url).status == 200
    assert proxy.requests == []


def test_no_proxy_is_asked_for_the_host_s_own_identity(
    server: Server, proxy: Server, client: Client, environ: t.Any
) -> None:
    environ.setenv("HTTPS_PROXY", f"http://{proxy.host}")
    assert client().send("GET", server.url, headers={}, of_host=True).status == 200
    assert client().send_with_retries("GET", server.url, headers={}, of_host=True, json_expected=False).status == 200
    assert proxy.requests == []


@pytest.mark.skipif(urllib3.__version__ < "2", reason="urllib3 1.26 does not look at the proxy's name then")
def test_a_proxy_with_tls_is_trusted_as_others_are(
    server: Server, client: Client, pki: Pki, environ: t.Any, tmp_path: Path
) -> None:
    log = tmp_path / "keys"
    environ.setenv("SSLKEYLOGFILE", str(log))
    with Server(pki.context) as proxy:
        environ.setenv("HTTPS_PROXY", f"https://{proxy.host}")
        proxy.script = [through]
        assert get(client(), server.url).status == 200
        assert f"of the proxy to {server.host} is not trusted" in failure(client(pki.other), server.url).sentence()
        assert [method for method, *_request in proxy.requests] == ["CONNECT"]
    assert not log.exists() or b"CLIENT" not in log.read_bytes()


PROXY = {"HTTPS_PROXY": "http://a", "https_proxy": "http://b", "ALL_PROXY": "http://c", "HTTP_PROXY": "http://d"}


@pytest.mark.parametrize(
    ("url", "environ_", "proxy_"),
    [
        ("https://graph.example", PROXY, "http://b"),
        ("http://graph.example", PROXY, "http://d"),
        ("https://graph.example", {"all_proxy": "http://c"}, "http://c"),
        ("https://graph.example", {**PROXY, "https_proxy": "", "ALL_PROXY": ""}, None),
        ("https://graph.example", {**PROXY, "NO_PROXY": "graph.example", "no_proxy": ""}, "http://b"),
        ("https://graph.example", {**PROXY, "NO_PROXY": "*"}, None),
        ("https://graph.example", {**PROXY, "NO_PROXY": "other.example, .example"}, None),
        ("https://graph.example", {**PROXY, "NO_PROXY": "*.example"}, None),
        ("https://graph.example:444", {**PROXY, "NO_PROXY": "graph.example:443"}, "http://b"),
        ("https://graph.example:444", {**PROXY, "NO_PROXY": "graph.example:444"}, None),
        ("https://graph.example", {**PROXY, "NO_PROXY": "graph.example:443"}, None),
        ("http://graph.example", {**PROXY, "NO_PROXY": "graph.example:443"}, "http://d"),
        ("https://notgraph.example", {**PROXY, "NO_PROXY": "graph.example"}, "http://b"),
        ("https://10.1.2.3", {**PROXY, "NO_PROXY": "localhost,10.0.0.0/8"}, None),
        ("https://10.1.2.3", {**PROXY, "NO_PROXY": "10.2.0.0/16,10/"}, "http://b"),
        ("https://[fd00::1]", {**PROXY, "NO_PROXY": "fd00::/8"}, None),
        ("https://[fd00::1]", {**PROXY, "NO_PROXY": "[fd00::1]"}, None),
        ("https://[fd00::1]:444", {**PROXY, "NO_PROXY": "[fd00::1]:444"}, None),
        ("https://[fd00::1]:444", {**PROXY, "NO_PROXY": "[fd00::1]:443"}, "http://b"),
    ],
)
def test_proxies_are_those_of_the_environment_that_is_given(
    monkeypatch: pytest.MonkeyPatch, url: str, environ_: dict[str, str], proxy_: str | None
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://the-process.example")
    assert requests.utils.select_proxy(url, proxies.proxies_for(url, environ_)) == proxy_


@pytest.fixture
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever asks the system for proxies fail, as a worker does that macOS kills for it."""
    for module in (urllib.request, requests.utils, requests.sessions):
        for name in ("getproxies", "proxy_bypass", "get_environ_proxies", "should_bypass_proxies"):
            monkeypatch.setattr(module, name, lambda *_: pytest.fail("the system's own look-up"), raising=False)


@pytest.mark.usefixtures("unasked")
def test_the_system_is_not_asked_for_proxies(server: Server, proxy: Server, client: Client) -> None:
    assert get(client(environ_={}), server.url).status == 200
    proxy.script = [through]
    assert get(client(environ_={"HTTPS_PROXY": f"http://{proxy.host}"}), server.url).status == 200
    assert len(proxy.requests) == 1


# What an attacker may send


@pytest.mark.parametrize(
    "interim", [b"100 Continue", b"101 Switching Protocols", b"102 Processing", b"103 Early Hints"]
)
def test_an_interim_answer_is_none(server: Server, client: Client, interim: bytes) -> None:
    final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
    server.script = [bytes_of_an_answer(b"HTTP/1.1 " + interim + b"\r\nLink: <x>\r\n\r\n", final, close=False)]
    http = client()
    assert get(http, server.url).status == 403
    assert get(http, server.url).status == 200, "the late answer is not that of the next request"
    server.script = [bytes_of_an_answer(b"HTTP/1.1 " + interim + b"\r\n\r\n")]
    assert failure(http, server.url).may_have_run


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx: ",
        b"HTTP/1.1 200 OK\r\nx: ",
        b"HTTP/1.1 103 x\r\nx: ",
        b"HTTP/1.1 200 ",
    ],
)
def test_a_line_without_an_end_is_not_read_to_its_end(server: Server, client: Client, head: bytes) -> None:
    server.script = [bytes_of_an_answer(head, b"0" * 80_000, pause=0.5)]
    began = time.monotonic()
    assert failure(client(request_timeout=20), server.url).may_have_run
    assert time.monotonic() - began < 10


def test_plain_http_has_a_deadline_too(client: Client) -> None:
    drip = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 30]
    with Server() as server:
        server.script = [bytes_of_an_answer(*drip, pause=0.3)]
        began = time.monotonic()
        error = failure(client(request_timeout=1), f"http://{server.host}")
        assert (
            error.sentence() == f"{server.host} did not answer within 1 s; run again later, or raise request_timeout."
        )
        assert time.monotonic() - began < 5


ATTACKS = """
import sys
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import clouds, errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._http import connections, transport
from ansible_collections.graphops.intune.plugins.module_utils._identity import identity, tokens
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from ansible_collections.graphops.intune.plugins.module_utils._sync import look

class Tokens:
    def token(self, limit=None): return "t"
    def replace_token(self, refused, limit=None): return None

def http():
    times = {"request_timeout": 20, "retry_timeout": 0, "clock": Clock()}
    return transport.Transport(context=connections.tls_context(sys.argv[2], True, {}), environ={}, **times)

def high_water():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))

before = high_water()
for attack in ("line", "chunk", "arrays", "objects", "texts", "pages", "bomb", "sign-in"):
    url = sys.argv[1] + "/" + attack
    asks = Tokens()
    if attack == "sign-in":
        who = identity.read_identity({"tenant": "t", "client_id": "c", "secret": "s"}, {})
        asks = tokens.SignIn(who._replace(hosts=clouds.Endpoints(url, sys.argv[1])), http(), environ={}, permission="")
    graph_ = graph.Graph(url, tokens=asks, http=http(), asker=graph_errors.Asker("", ""))
    try:
        graph_.run(look.read_all(exchange_connector.KIND, graph_))
    except errors.IntuneError as error:
        print(attack, type(error).__name__, error.what[:150])
    else:
        print(attack, "was believed")
print(high_water() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is measured by /proc")
def test_the_memory_of_the_process_stays_small(server: Server, pki: Pki) -> None:
    many = {
        "arrays": b"[" + b"[]," * 5_000_000 + b"[]]",
        "objects": b'{"value": [' + b'{"id":"a"},' * 1_400_000 + b"{}]}",
        "texts": b'{"value": [' + b'"ab",' * 3_000_000 + b'""]}',
        "bomb": b"0" * 200 * 2**20,
    }
    packed = {name: gzip.compress(body, 1) for name, body in many.items()}

    def attack(handler: Handler) -> None:
        name, self_ = handler.path.split("/")[1], f"{server.url}{handler.path}x"
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        if name == "line":
            bytes_of_an_answer(chunked, *[b"0" * 2**20] * 300)(handler)
        elif name == "chunk":
            bytes_of_an_answer(chunked, b"-1\r\n", *[b"0" * 2**20] * 300)(handler)
        elif name == "pages":
            page = {"value": [{"id": "a" * 30 + str(n)} for n in range(5000)], "@odata.nextLink": self_}
            answer(body=gzip.compress(json.dumps(page).encode(), 1), Content_Encoding="gzip")(handler)
        elif handler.path.endswith("openid-configuration"):
            names = ("issuer", "authorization_endpoint", "token_endpoint")
            answer(body=json.dumps(dict.fromkeys(names, f"{server.url}/t")).encode())(handler)
        else:
            status, name = (400, "arrays") if name == "t" else (200, name)
            answer(status, packed[name], Content_Encoding="gzip")(handler)

    server.script = [attack] * 200
    run = [sys.executable, "-c", ATTACKS, server.url, pki.authority]
    done = subprocess.run(
        run,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    *lines, grown = done.stdout.splitlines()
    assert len(lines) == 8
    assert not [line for line in lines if "was believed" in line], lines
    assert int(grown) < 150, lines


# Authorities


def serving(folder: Path, *chain: t.Any) -> ssl.SSLContext:
    """The TLS of a server that shows these certificates, its own first."""
    pem = serialization.Encoding.PEM
    key = chain[0].key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "chain.pem").write_bytes(key + b"".join(one.certificate.public_bytes(pem) for one in chain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "chain.pem")
    return context


def test_an_authority_that_python_3_13_finds_too_sloppy_is_one_all_the_same(
    client: Client, key_pair: t.Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connections.create_urllib3_context

    def strict() -> ssl.SSLContext:
        context = made()
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(connections, "create_urllib3_context", strict)
    sloppy = key_pair("sloppy")
    (tmp_path / "sloppy.pem").write_bytes(sloppy.certificate.public_bytes(serialization.Encoding.PEM))
    with Server(serving(tmp_path, key_pair("127.0.0.1", issuer=sloppy))) as server:
        assert get(client(str(tmp_path / "sloppy.pem")), server.url).status == 200


def test_an_authority_need_not_be_a_root(client: Client, key_pair: t.Any, tmp_path: Path) -> None:
    root = key_pair("root")
    middle = key_pair("middle", issuer=root)
    (tmp_path / "middle.pem").write_bytes(middle.certificate.public_bytes(serialization.Encoding.PEM))
    with Server(serving(tmp_path, key_pair("127.0.0.1", issuer=middle), middle)) as server:
        assert get(client(str(tmp_path / "middle.pem")), server.url).status == 200


def test_for_a_certificate_that_is_over_no_authority_is_asked_for(
    client: Client, key_pair: t.Any, tmp_path: Path
) -> None:
    over = key_pair("127.0.0.1", days=-1)
    (tmp_path / "over.pem").write_bytes(over.certificate.public_bytes(serialization.Encoding.PEM))
    with Server(serving(tmp_path, over)) as server:
        assert failure(client(str(tmp_path / "over.pem")), server.url).sentence() == (
            f"the TLS certificate of {server.host} is not trusted (certificate has expired); check the clock of this"
            " host, and that no proxy changes the traffic."
        )


def test_the_system_s_store_counts_beside_the_bundle_of_requests(
    pki: Pki, server: Server, client: Client, environ: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # The variables of the process are not those of each host of a fleet.
    environ.setenv("SSL_CERT_FILE", pki.other)
    store = {"SSL_CERT_FILE": pki.authority, "SSL_CERT_DIR": str(tmp_path / "none")}
    assert get(client(None, environ_=store), server.url).status == 200
    assert "is not trusted" in failure(client(None), server.url).sentence()
    assert "is not trusted" in failure(client(pki.other, environ_=store), server.url).sentence()


def test_no_keys_of_connections_are_written(
    pki: Pki, server: Server, client: Client, tmp_path: Path, environ: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys"
    environ.setenv("SSLKEYLOGFILE", str(log))
    own = tmp_path / "own.pem"
    own.write_bytes(Path(pki.authority).read_bytes())
    assert get(client(str(own)), server.url).status == 200
    assert not log.exists() or b"CLIENT" not in log.read_bytes()


# Repeats


def reply(status: int = 200, body: bytes = b"{}", **headers: str) -> response.Response:
    return response.Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


LOST = NoResponse("graph.example cut the connection", advice="run again later", may_have_run=True)


class Calls:
    """Plays answers and failures in turn, the last one for ever; counts the calls."""

    def __init__(self, *plays: response.Response | Exception) -> None:
        self.plays = list(plays)
        self.count = 0

    def __call__(self, method: str, url: str, **_request: t.Any) -> response.Response:
        assert (method, url) == ("GET", "https://graph.example/x")
        self.count += 1
        play = self.plays.pop(0) if len(self.plays) > 1 else self.plays[0]
        if isinstance(play, Exception):
            raise play
        return play


def call(
    http: transport.Transport, calls: Calls, *, json_expected: bool = True, limit: float | None = None
) -> response.Response:
    def send(requests_: list[Request]) -> list[t.Any]:
        try:
            return [calls(requests_[0].method, requests_[0].path)]
        except NoResponse as error:
            return [error]

    operation = retries.retried(
        Request("GET", "https://graph.example/x"),
        host="graph.example",
        json_expected=json_expected,
        clock=http.clock,
        retry_timeout=http.retry_timeout,
        limit=limit,
    )
    return run(operation, send=send, clock=http.clock)


@pytest.mark.parametrize(
    "first",
    [
        reply(429),
        reply(503),
        reply(504),
        reply(200, b"<html>"),
        reply(200, b""),
        reply(200, b"[]"),
        reply(204, b""),
        reply(500, b"<html>"),
        reply(502, b"<html>"),
        reply(200, b'{"error": {"code": "UnknownError"}}'),
        reply(500, b'{"error": {}}'),
        reply(502, b'{"error": {}}'),
        reply(520, b'{"error": {}}'),
        LOST,
        NoResponse("graph.example could not be reached", may_have_run=False),
    ],
)
def test_what_is_worth_another_try(client: Client, clock: t.Any, first: response.Response | Exception) -> None:
    calls = Calls(first, first, reply(200, b'{"a": 1}'))
    assert call(client(clock=clock.handed), calls).json() == {"a": 1}
    assert calls.count == 3
    assert clock.slept == [1, 2]


@pytest.mark.parametrize(
    "only",
    [
        reply(200),
        reply(400),
        reply(401, b""),
        reply(403, b"<html>"),
        reply(404, b"<html>"),
        reply(409),
        reply(501, b'{"error": {}}'),
    ],
)
def test_what_another_try_would_not_better(client: Client, clock: t.Any, only: response.Response) -> None:
    calls = Calls(only)
    assert call(client(clock=clock.handed), calls) is only
    assert calls.count == 1


@pytest.mark.parametrize("only", [reply(200, b"<xml>"), reply(500, b"<xml>"), reply(204, b"")])
def test_json_is_not_always_expected(client: Client, clock: t.Any, only: response.Response) -> None:
    assert call(client(clock=clock.handed), Calls(only), json_expected=False) is only


def test_a_lasting_failure_ends_at_once(client: Client, clock: t.Any) -> None:
    calls = Calls(NoResponse("no such host", may_have_run=False, permanent=True))
    with pytest.raises(NoResponse, match=r"^no such host$"):
        call(client(clock=clock.handed), calls)
    assert calls.count == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "soon"}, 1),
        ({"retry_after": "Sun, 22 Nov 2026 18:00:09 GMT"}, 9),
        ({"retry_after": "Sun, 22 Nov 2026 18:00:09 GMT", "date": "Sun, 22 Nov 2026 18:00:05 GMT"}, 4),
    ],
)
def test_retry_after_is_honoured(client: Client, clock: t.Any, headers: dict[str, str], slept: float) -> None:
    call(client(clock=clock.handed), Calls(reply(429, **headers), reply()))
    assert clock.slept == [slept]


def gives_up(http: transport.Transport, calls: Calls, **how: t.Any) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        call(http, calls, **how)
    return caught.value


BUSY = json.dumps(
    {"error": {"code": "TooManyRequests", "message": "Busy.", "innerError": {"request-id": "r1"}}}
).encode()


def test_a_wait_that_is_too_long_ends_the_call_at_once(client: Client, clock: t.Any) -> None:
    calls = Calls(reply(429, BUSY, retry_after="3600"))
    error = gives_up(client(clock=clock.handed), calls)
    assert error.sentence() == (
        'graph.example answered HTTP 429 (Too Many Requests): "Busy.", and it asks to wait 1 h, longer than'
        " retry_timeout (60 s) allows; run again after that time, or raise retry_timeout."
    )
    assert error.request_id == "r1"
    assert calls.count == 1
    assert clock.slept == []


@pytest.mark.parametrize(
    ("plays", "limit", "tries", "sentence"),
    [
        (
            [reply(503, b"")],
            60,
            6,
            "graph.example answered HTTP 503 (Service Unavailable) and gave no reason (tried 6 times within"
            " retry_timeout, 60 s); run again later.",
        ),
        (
            [LOST],
            60,
            6,
            "graph.example cut the connection (tried 6 times within retry_timeout, 60 s); run again later.",
        ),
        ([LOST], 2, 2, "graph.example cut the connection (tried 2 times within retry_timeout, 2 s); run again later."),
        ([LOST], 0, 1, "graph.example cut the connection (tried once within retry_timeout, 0 s); run again later."),
        (
            [reply(200, b"<html>", content_type="text/html\x1b")],
            0,
            1,
            "graph.example answered HTTP 200 with no JSON object but 6 bytes of text/html (tried once within"
            " retry_timeout, 0 s); check that no proxy or portal stands in between.",
        ),
        (
            [reply(200, b"")],
            0,
            1,
            "graph.example answered HTTP 200 with no JSON object but 0 bytes of no content type (tried once within"
            " retry_timeout, 0 s); check that no proxy or portal stands in between.",
        ),
        (
            # As Graph does that says so each time: msgraph-sdk-javascript#297.
            [reply(429, BUSY, retry_after="1")],
            3,
            4,
            'graph.example answered HTTP 429 (Too Many Requests): "Busy." (tried 4 times within retry_timeout, 3 s),'
            " and it asks to wait another 1 s; run again after that time, or raise retry_timeout.",
        ),
        (
            # The last failure is the one that is told.
            [reply(503), LOST],
            1,
            2,
            "graph.example cut the connection (tried 2 times within retry_timeout, 1 s); run again later.",
        ),
    ],
)
def test_the_end_of_budget(
    client: Client, clock: t.Any, plays: list[t.Any], limit: float, tries: int, sentence: str
) -> None:
    calls = Calls(*plays)
    error = gives_up(client(retry_timeout=limit, clock=clock.handed), calls)
    assert error.sentence() == sentence
    assert calls.count == tries
    assert clock.elapsed <= limit


def test_the_time_that_tries_take_counts(client: Client, clock: t.Any) -> None:
    class Slow(Calls):
        def __call__(self, *args: t.Any, **request: t.Any) -> response.Response:
            clock.pass_by(25)
            return super().__call__(*args, **request)

    calls = Slow(LOST)
    gives_up(client(clock=clock.handed), calls)
    assert calls.count == 3
    assert clock.slept == [1, 2]


def test_a_limit_of_its_own(client: Client, clock: t.Any) -> None:
    http = client(clock=clock.handed)
    # What is told is the option that the user knows.
    assert "(tried 2 times within retry_timeout, 60 s)" in gives_up(http, Calls(LOST), limit=1).what
    assert "(tried once within retry_timeout, 60 s)" in gives_up(http, Calls(LOST), limit=0).what


def test_a_call_goes_over_the_wire(server: Server, client: Client, clock: t.Any) -> None:
    server.script = [answer(503), bytes_of_an_answer(), answer(200, b'{"a": 1}')]
    reply_ = client(clock=clock.handed).send_with_retries("GET", server.url, json_expected=True, headers={"X": "y"})
    assert reply_.json() == {"a": 1}
    assert [headers["X"] for _method, _path, headers, _body in server.requests] == ["y", "y", "y"]


def test_the_id_of_a_throttled_request() -> None:
    assert retries.throttled(reply(429, BUSY), "h").request_id == "r1"
    assert retries.throttled(reply(429, BUSY, request_id="of the header"), "h").request_id == "of the header"
    assert isinstance(retries.throttled(reply(429), "h"), errors.Unavailable)
