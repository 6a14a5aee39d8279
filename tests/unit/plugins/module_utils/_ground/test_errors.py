# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is made of the errors of Graph, Intune and Entra ID; the bodies are those that people have reported."""

from __future__ import annotations

import json
import platform
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._graph import graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground import error_bodies, errors, untrusted
from ansible_collections.graphops.intune.plugins.module_utils._identity import method_client_secret, refusals
from ansible_collections.graphops.intune.plugins.module_utils._identity.methods import METHODS
from ansible_collections.graphops.intune.plugins.module_utils._kinds import exchange_connector
from hypothesis import given
from hypothesis import strategies as st

WORDS, NOBODY = exchange_connector.KIND.words, graph_errors.Asker("", "DeviceManagementServiceConfig.ReadWrite.All")
ACTIVITY = "1e390405-8272-b072-11f3-4f7ec9ecdf1a"
REQUEST = "aa70ba40-d13b-41d7-8a09-1af80221cd56"
TAIL = (
    " - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000"
    f" - Activity ID: {ACTIVITY}"
    " - Url: https://fef.msua04.manage.microsoft.com/DeviceFE/StatelessDeviceFEService/deviceManagement/"
    "managedDevices%28%27e0a25cd2-0000-0000-0000-000000000000%27%29?api-version=2018-05-24"
)


def intune(message: str = "An error has occurred" + TAIL, phrase: str = "", headers: str = "{}") -> str:
    """Write what Intune puts into the message of an error."""
    document = {
        "_version": 3,
        "Message": message,
        "CustomApiErrorPhrase": phrase,
        "RetryAfter": None,
        "ErrorSourceService": "",
        "HttpHeaders": headers,
    }
    return json.dumps(document, indent=2).replace("\n", "\r\n")


def graph(code: str, message: t.Any, spelling: str = "innerError", **inner: str) -> bytes:
    """Write an error body of Graph."""
    inner = inner or {"date": "2020-09-03T18:12:15", "request-id": REQUEST}
    return json.dumps({"error": {"code": code, "message": message, spelling: inner}}).encode()


# microsoft-authentication-library-for-js#7007: JSON in JSON in JSON, and the headers as JSON once more.
DOUBLE_NESTED = graph(
    "UnknownError",
    json.dumps(
        {
            "ErrorCode": "Forbidden",
            "Message": intune(
                headers=json.dumps({"WWW-Authenticate": 'Bearer realm="urn:intune:service,f0f3c450-59bf"'}),
            ),
            "Target": None,
            "Details": None,
            "InnerError": None,
            "InstanceAnnotations": [],
        }
    ),
)
# IntuneCD#36.
HTML = (
    "<!DOCTYPE html>\r\n<html><head><title>503 Service\r\n Unavailable</title><style>p {color: red}</style></head>"
    "<body><h1>Our services aren't available right now</h1></body></html>"
)


@pytest.mark.parametrize(
    ("body", "code", "message", "request_id"),
    [
        pytest.param(
            graph("BadRequest", "Request not applicable to target tenant."),
            "BadRequest",
            "Request not applicable to target tenant.",
            REQUEST,
            id="plain",
        ),
        pytest.param(
            graph("ResourceNotFound", "Invalid version: devicemanagement", spelling="innererror"),
            "ResourceNotFound",
            "Invalid version: devicemanagement",
            REQUEST,
            id="lower-case innererror",
        ),
        pytest.param(
            graph("InternalError", intune()), "InternalError", "An error has occurred", REQUEST, id="Intune, version 3"
        ),
        pytest.param(DOUBLE_NESTED, "Forbidden", "An error has occurred", REQUEST, id="twice nested"),
        pytest.param(
            graph("CancelledOnServiceTimeout", intune(phrase="CancelOnTimeout4EndExecuteAction")),
            "CancelledOnServiceTimeout",
            "An error has occurred (CancelOnTimeout4EndExecuteAction)",
            REQUEST,
            id="phrase",
        ),
        pytest.param(
            graph("BadRequest", intune("The connector is gone: ConnectorGone", phrase="ConnectorGone")),
            "BadRequest",
            "The connector is gone: ConnectorGone",
            REQUEST,
            id="phrase that the message has already",
        ),
        pytest.param(
            graph("UnknownError", HTML), "UnknownError", "503 Service Unavailable", REQUEST, id="page as message"
        ),
        pytest.param(
            json.dumps(
                {
                    "error": {
                        "code": "TooManyRequests",
                        "innerError": {
                            "code": "429",
                            "date": "2020-08-18T12:51:51",
                            "message": "Please retry after",
                            "request-id": REQUEST,
                            "status": "429",
                        },
                        "message": "Please retry again later.",
                    }
                }
            ).encode(),
            "TooManyRequests",
            "Please retry again later.",
            REQUEST,
            id="429 of Graph",
        ),
        pytest.param(
            json.dumps({"error": {"code": "TooManyRequests", "message": intune()}}).encode(),
            "TooManyRequests",
            "An error has occurred",
            ACTIVITY,
            id="429 of Intune, without an id of Graph",
        ),
        pytest.param(
            json.dumps({"Message": f"An error has occurred{TAIL} - CustomApiErrorPhrase: "}).encode(),
            "",
            "An error has occurred",
            ACTIVITY,
            id="Intune without version",
        ),
        pytest.param(
            graph("InternalError", intune(TAIL)), "InternalError", "", REQUEST, id="message that is but its tail"
        ),
        pytest.param(graph("Forbidden", ""), "Forbidden", "", REQUEST, id="no message"),
        pytest.param(graph("Forbidden", None), "Forbidden", "", REQUEST, id="null message"),
        pytest.param(
            graph("Forbidden", {"Message": "as an object"}), "Forbidden", "as an object", REQUEST, id="object message"
        ),
        pytest.param(b'{"error":"invalid_grant"}', "", "invalid_grant", "", id="error is a string"),
        pytest.param(
            b'\xef\xbb\xbf{"error":{"code":"X","message":"behind a BOM"}}',
            "X",
            "behind a BOM",
            "",
            id="byte order mark",
        ),
        pytest.param(b'{"type": "x", "title": "No.", "status": 400}', "", "No.", "", id="problem details"),
        pytest.param(b'{"title": "No.", "detail": "Bad id."}', "", "Bad id.", "", id="problem details with a detail"),
        pytest.param(b"", "", "", "", id="empty"),
        pytest.param(b" \r\n\t ", "", "", "", id="blank"),
        pytest.param(HTML.encode(), "", "503 Service Unavailable", "", id="page"),
        pytest.param(b"<html><body><h1>Bad</h1>gateway</body></html>", "", "Bad gateway", "", id="page without title"),
        pytest.param(b"upstream connect error", "", "upstream connect error", "", id="plain text"),
        pytest.param("é\u202e".encode() + b"\xff\xfe", "", "é \ufffd\ufffd", "", id="not UTF-8"),
        pytest.param(
            b"\x1b[31mred\x1b[0m\x07\r\nnext\x00line", "", "[31mred [0m next line", "", id="terminal controls"
        ),
        pytest.param(
            graph("A\nB", "a\u2028b\u0085c\ud800d"),
            "A B",
            "a b c d",
            REQUEST,
            id="line separators and a lone surrogate",
        ),
        pytest.param(b"[1, 2]", "", "[1, 2]", "", id="list"),
        pytest.param(b"42", "", "42", "", id="number"),
        pytest.param(b"null", "", "null", "", id="null"),
        pytest.param(b"{}", "", "", "", id="empty object"),
        pytest.param(b'{"error":[{"message":"x"}]}', "", "", "", id="error is a list"),
        pytest.param(b'{"error":{"code":5,"message":6,"innerError":[]}}', "", "", "", id="wrong types"),
        pytest.param(graph("X", "y", **{"request-id": "a\x1b[2J\nb"}), "X", "y", "a [2J b", id="controls in the id"),
    ],
)
def test_what_a_body_says(body: bytes, code: str, message: str, request_id: str) -> None:
    assert error_bodies.parse_error_body(body) == (code, message, request_id)


def test_a_long_message_is_cut() -> None:
    said = error_bodies.parse_error_body(graph("X", "word " * 1000))
    assert len(said.message) <= 400
    assert said.message.endswith("word wo...")


def test_a_phrase_does_not_make_a_message_longer_than_all_others() -> None:
    body = graph("X", intune("m" * 1000, phrase="p" * 1000))
    assert len(error_bodies.parse_error_body(body).message) <= 400


@pytest.mark.parametrize("depth", [100, 900, 1000, 100_000])
def test_deep_json_is_survived(depth: int) -> None:
    for body in ("[" * depth + "]" * depth, '{"error":' * depth + "1" + "}" * depth):
        assert len(error_bodies.parse_error_body(body.encode()).message) <= 400


def test_json_in_json_without_end_is_survived() -> None:
    body = "the innermost"
    for _level in range(12):
        body = json.dumps({"Message": body})
    said = error_bodies.parse_error_body(body.encode())
    assert said.message.startswith('{"Message": ')
    assert len(said.message) <= 400


@pytest.mark.parametrize(
    "text",
    ["x" + " " * 50_000 + "y", "<html>" + "<title>" * 15_000, "<html>" + "<" * 100_000],
    ids=["blanks", "titles", "tags"],
)
def test_no_body_takes_long_to_read(text: str) -> None:
    start = time.process_time()
    error_bodies.parse_error_body(text)
    method = method_client_secret.METHOD
    refusals.refusal("sign-in", 400, {"error_description": text}, method=method, permission="")
    assert time.process_time() - start < 2


def is_one_printable_line(text: str) -> bool:
    return text.isprintable() and len(text) <= 400


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["error", "code", "Message", "innerError", "request-id", "CustomApiErrorPhrase"])
            | st.text(),
            inner,
        )
        | inner.map(json.dumps)
    ),
)


@given(st.binary() | JSON.map(lambda document: json.dumps(document).encode()))
def test_any_body_gives_a_printable_line(body: bytes) -> None:
    assert all(is_one_printable_line(part) for part in error_bodies.parse_error_body(body))
    for status in (200, 400, 403, 503, 999):
        error = graph_errors.graph_error("read it", status, body, None, words=WORDS, asker=NOBODY)
        assert error.sentence().isprintable()
        assert error.sentence().endswith(".")


@given(st.text())
def test_one_line(text: str) -> None:
    assert is_one_printable_line(untrusted.one_line(text))


@pytest.mark.parametrize(("length", "cut"), [(400, "a" * 400), (401, "a" * 397 + "...")])
def test_one_line_is_cut_at_400(length: int, cut: str) -> None:
    assert untrusted.one_line("a" * length) == cut


ADVICE = {
    400: "check connector_id and tenant; if they are right, give the request_id to Microsoft's support",
    401: "check that the token is meant for this Graph host and has not expired",
    403: (
        "grant the app DeviceManagementServiceConfig.ReadWrite.All with admin consent in this tenant, give a user an"
        " Intune role for Exchange connectors, such as Intune Administrator, that is active (PIM), and check that the"
        " tenant has an active Intune licence"
    ),
    404: "the connector is not in this tenant: check connector_id and tenant",
    500: "run again later; if it stays, give the request_id to Microsoft's support",
}


BETWEEN = "check that no proxy or portal stands in between; if none does,"


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (400, graph("X", "No."), f'could not read it, Graph answered HTTP 400 (Bad Request): "No."; {ADVICE[400]}.'),
        (
            400,
            graph("BadRequest", "Request not applicable to target tenant."),
            'could not read it, Graph answered HTTP 400 (Bad Request): "Request not applicable to target tenant.";'
            " the tenant has no Intune: check tenant and its licence.",
        ),
        (
            401,
            graph("InvalidAuthenticationToken", "Access token is empty."),
            f'could not read it, Graph answered HTTP 401 (Unauthorized): "Access token is empty."; {ADVICE[401]}.',
        ),
        (
            403,
            DOUBLE_NESTED,
            f'could not read it, Graph answered HTTP 403 (Forbidden): "An error has occurred"; {ADVICE[403]}.',
        ),
        (
            404,
            graph("ResourceNotFound", ""),
            f'could not read it, Graph answered HTTP 404 (Not Found): "ResourceNotFound"; {ADVICE[404]}.',
        ),
        (
            500,
            graph("InternalError", intune()),
            f'could not read it, Graph answered HTTP 500 (Internal Server Error): "An error has occurred";'
            f" {ADVICE[500]}.",
        ),
        (
            503,
            HTML.encode(),
            f'could not read it, Graph answered HTTP 503 (Service Unavailable): "503 Service Unavailable";'
            f" {BETWEEN} {ADVICE[500]}.",
        ),
        # Web filters have words of their own for what they block.
        (
            404,
            "\ufeff\r\n<html><title>Blocked by policy</title>".encode("utf-16-le"),
            f'could not read it, Graph answered HTTP 404 (Not Found): "Blocked by policy"; {BETWEEN} {ADVICE[404]}.',
        ),
        (
            418,
            b"",
            f"could not read it, Graph answered HTTP 418 (I'm a Teapot) and gave no reason; {ADVICE[400]}.",
        ),
        (
            599,
            b"",
            f"could not read it, Graph answered HTTP 599 (not a standard status) and gave no reason; {ADVICE[500]}.",
        ),
    ],
)
def test_the_errors_of_graph_in_words(status: int, body: bytes, sentence: str) -> None:
    error = graph_errors.graph_error("read it", status, body, None, words=WORDS, asker=NOBODY)
    assert error.sentence() == sentence
    assert error.status == status


@pytest.mark.parametrize(
    ("header", "body", "request_id"),
    [("of the header", graph("X", "y"), "of the header"), (None, graph("X", "y"), REQUEST), (None, b"", None)],
)
def test_the_request_id_of_the_header_wins(header: str | None, body: bytes, request_id: str | None) -> None:
    assert graph_errors.graph_error("read it", 500, body, header, words=WORDS, asker=NOBODY).request_id == request_id


@pytest.mark.parametrize(
    ("source", "reading", "wanted", "not_wanted"),
    [
        ("client_secret", True, ["ServiceConfig.Read.All", "application permission", "licence"], ["role", "user"]),
        ("msi", False, ["ServiceConfig.ReadWrite.All", "application permission", "in this tenant"], ["role", "user"]),
        ("password", True, ["ServiceConfig.Read.All", "delegated permission", "Intune role", "PIM"], ["application"]),
        ("refresh_token", False, ["ServiceConfig.ReadWrite.All", "delegated permission", "Intune role", "licence"], []),
        ("access_token", True, ["ServiceConfig.Read.All", "Intune role", "licence"], ["ReadWrite"]),
        ("cli", False, ["ServiceConfig.ReadWrite.All", "Intune role", "licence"], []),
    ],
)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, graph("Forbidden", "No.")),
        (403, HTML.encode()),
        # Intune says so, too.
        (401, DOUBLE_NESTED),
        (401, graph("Unauthorized", intune("Application is not authorized to perform this operation." + TAIL))),
    ],
)
def test_advice_fits_what_was_asked_and_who_asks(
    source: str, reading: bool, wanted: list[str], not_wanted: list[str], status: int, body: bytes
) -> None:
    (who,) = (method.asker for method in METHODS if method.source == source)
    asker = graph_errors.Asker(
        who,
        exchange_connector.KIND.permission if reading else exchange_connector.KIND.action.permission,
    )
    advice = graph_errors.graph_error("x", status, body, None, words=WORDS, asker=asker).advice
    assert [words for words in wanted if words not in advice] == []
    assert [words for words in not_wanted if words in advice] == []


@pytest.mark.parametrize(
    ("what", "advice", "subject", "sentence"),
    [
        ("it broke", "", "", "it broke."),
        ("it broke.", "", "", "it broke."),
        ("it broke... ", "", "", "it broke."),
        ("it broke", "mend it", "", "it broke; mend it."),
        ("it broke", "mend it.", "", "it broke; mend it."),
        ("it broke", "mend it", "The thing", "The thing: it broke; mend it."),
    ],
)
def test_a_sentence_has_one_end(what: str, advice: str, subject: str, sentence: str) -> None:
    assert errors.IntuneError(what, advice=advice).sentence(subject) == sentence


def test_the_missing_library_is_named() -> None:
    error = errors.MissingLibraryError(["requests", "msal"])
    assert error.libraries == ("requests", "msal")
    assert error.sentence() == (
        f"Failed to import the required Python library (requests, msal) on {platform.node()}'s Python {sys.executable};"
        " install requests 2.32.3 or later and msal 1.32.0 or later there."
    )


def test_the_oldest_versions_are_those_of_the_requirements() -> None:
    lines = (Path(__file__).resolve().parents[5] / "requirements.txt").read_text(encoding="utf-8").split()
    assert sorted(lines) == sorted(f"{library}>={version}" for library, version in errors.LIBRARIES.items())


def test_too_little_memory_is_not_to_be_reported() -> None:
    assert errors.unexpected(MemoryError()).sentence() == (
        "the memory that this process may use is used up; give it more, or ask for fewer connectors at once."
    )
    assert errors.unexpected(KeyError()).what == "an error inside graphops.intune, KeyError"


@pytest.mark.parametrize("body", [b'{"a":' * 100_000 + b"1" + b"}" * 100_000, b"", b"\xff", b"{", b"1" * 5000 + b"x"])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        untrusted.json_of(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_json_is_read_in_every_encoding_of_unicode(encoding: str) -> None:
    assert untrusted.json_of('{"a": "é"}'.encode(encoding)) == {"a": "é"}


@pytest.mark.parametrize("levels", [100, 101])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_json_of_a_hundred_levels_is_enough(levels: int, opening: str, closing: str) -> None:
    body = opening * (levels - 1) + "1" + closing * (levels - 1)
    if levels == 100:
        assert untrusted.json_of(body)
    else:
        with pytest.raises(ValueError, match="nested too deep"):
            untrusted.json_of(body)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_an_error_is_read_in_every_encoding_of_unicode(encoding: str) -> None:
    body = '{"error": {"code": "x", "message": "Müde."}}'.encode(encoding)
    assert error_bodies.parse_error_body(body).message == "Müde."


@pytest.mark.parametrize("body", [b"[" + b"[]," * 200_000 + b"1]", "[" + "1," * 1_000_000 + "1]"])
def test_json_in_too_many_parts_is_none(body: bytes | str) -> None:
    with pytest.raises(ValueError, match="in too many parts"):
        untrusted.json_of(body)
