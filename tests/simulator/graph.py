# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft Graph v1.0: the exchange connectors of Intune, and the errors around them.

Shapes: Microsoft's reference of deviceManagementExchangeConnector, the v1.0 metadata, and answers quoted in public
issue reports (Intune puts JSON strings into ``error.message``).
"""

from __future__ import annotations

import base64
import binascii
import json
import typing as t
import uuid
from urllib.parse import parse_qsl, quote

from multidict import CIMultiDict

from simulator.connector import SYNC_TYPES, Connector
from simulator.directory import Tenant
from simulator.errors import GraphError
from simulator.grants import known_resource
from simulator.records import Answer, Request
from simulator.world import AccessToken, World

WRITE_ROLES = ("DeviceManagementServiceConfig.ReadWrite.All", "DeviceManagementConfiguration.ReadWrite.All")
READ_ROLES = (
    "DeviceManagementServiceConfig.Read.All",
    "DeviceManagementConfiguration.Read.All",
    *WRITE_ROLES,
)
CONTENT_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
DIAGNOSTIC = json.dumps(
    {
        "ServerInfo": {
            "DataCenter": "West Europe",
            "Slice": "E",
            "Ring": "5",
            "ScaleUnit": "002",
            "RoleInstance": "SIMULATOR01",
        }
    },
    separators=(",", ":"),
)
_COLLECTION = "deviceManagement/exchangeConnectors"
_PATH = ("devicemanagement", "exchangeconnectors", "*", "sync")
# https://learn.microsoft.com/graph/json-batching
_MOST_IN_A_BATCH = 20
_QUERY_OPTIONS = {"list": {"$top", "$skiptoken"}, "get": set(), "sync": set()}
_ERROR_CODES = {
    400: "BadRequest",
    401: "InvalidAuthenticationToken",
    403: "Forbidden",
    404: "ResourceNotFound",
    409: "Conflict",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotSupported",
    502: "BadGateway",
    503: "ServiceUnavailable",
    504: "GatewayTimeout",
}


def locate(world: World, request: Request) -> None:
    """Note on ``request`` what it asks for, of which connector, and whose token it carries."""
    token = world.find_access_token(_bearer(request))
    request.tenant_id = token.tenant.id if token else None
    segments = _segments(request)
    if segments == ["v1.0", "$batch"] and request.method == "POST":
        request.where = "batch"
    if segments[:1] != ["v1.0"] or tuple(segment.lower() for segment in segments[1:3]) != _PATH[:2]:
        return
    rest = segments[3:]
    if not rest and request.method == "GET":
        request.where = "list"
    elif len(rest) == 1 and request.method == "GET":
        request.where = "get"
        request.object_id = rest[0].lower()
    elif len(rest) == 2 and rest[1].lower() == "sync" and request.method == "POST":
        request.where = "sync"
        request.object_id = rest[0].lower()


def batch_items(world: World, request: Request) -> list[tuple[str, Request]] | Answer:
    """Take a ``$batch`` apart into its requests, by their ids; or the answer that refuses it as a whole."""
    try:
        _authenticate(world, request)
        return [_batch_item(request, item) for item in _batch_entries(request)]
    except GraphError as e:
        return _refusal(world, request, "", e)


def batch_answer(request: Request, answers: list[tuple[str, Answer]]) -> Answer:
    """Put the answers to the items of a ``$batch`` together; as in the service, not in their order."""
    responses = []
    for number, answer in reversed(answers):
        entry: dict[str, t.Any] = {"id": number, "status": answer.status, "headers": answer.headers}
        if answer.body:
            try:
                entry["body"] = json.loads(answer.body)
            except (ValueError, RecursionError):
                entry["body"] = base64.b64encode(answer.body).decode()
        responses.append(entry)
    headers = {**common_headers(request), "Content-Type": "application/json"}
    return Answer.of_json(200, {"responses": responses}, headers)


def _batch_entries(request: Request) -> list[dict[str, t.Any]]:
    try:
        entries = json.loads(request.body)["requests"]
        numbers = [entry["id"] for entry in entries]
        complete = all(isinstance(entry[name], str) for entry in entries for name in ("id", "method", "url"))
    except (ValueError, KeyError, TypeError) as e:
        raise GraphError(400, "BadRequest", "Invalid batch payload format.") from e
    if not complete or not entries or len(set(numbers)) < len(numbers):
        raise GraphError(400, "BadRequest", "Invalid batch payload format.")
    if len(entries) > _MOST_IN_A_BATCH:
        raise GraphError(400, "BadRequest", f"Number of batch request steps exceeds the maximum of {_MOST_IN_A_BATCH}.")
    return t.cast("list[dict[str, t.Any]]", entries)


def _batch_item(outer: Request, entry: dict[str, t.Any]) -> tuple[str, Request]:
    headers = CIMultiDict(entry.get("headers") or {})
    if "body" in entry and "Content-Type" not in headers:
        raise GraphError(400, "BadRequest", "The content-type header must be set for requests with a body.")
    headers["Authorization"] = outer.headers["Authorization"]
    path, _mark, query = entry["url"].partition("?")
    return entry["id"], Request(
        host=outer.host,
        method=entry["method"],
        path="/v1.0/" + path.lstrip("/"),
        query=dict(parse_qsl(query)),
        headers=headers,
        body=json.dumps(entry["body"]).encode() if "body" in entry else b"",
        connection=outer.connection,
        time=outer.time,
        in_batch=True,
    )


def answer(world: World, request: Request, graph_url: str, entra_url: str) -> Answer:
    """Answer a request that :func:`locate` has seen; the URLs are the bases of the two hosts."""
    try:
        return _decide(world, request, graph_url)
    except GraphError as e:
        return _refusal(world, request, entra_url, e)


def fault_answer(world: World, request: Request, entra_url: str, status: int) -> Answer:
    """The body that the service sends with an error ``status`` of its own."""
    code = _ERROR_CODES.get(status, "UnknownError")
    if status == 401:
        return _refusal(world, request, entra_url, GraphError(status, code, "Access token has expired."))
    return _refusal(world, request, entra_url, GraphError(status, code, "An error has occurred", "intune"))


def common_headers(request: Request) -> dict[str, str]:
    """Headers that every answer of Graph carries, apart from ``Date``."""
    request_id = str(uuid.uuid4())
    return {
        "request-id": request_id,
        "client-request-id": request.headers.get("client-request-id") or request_id,
        "x-ms-ags-diagnostic": DIAGNOSTIC,
        "Strict-Transport-Security": "max-age=31536000",
    }


def _decide(world: World, request: Request, graph_url: str) -> Answer:
    segments = _segments(request)
    if segments[:1] != ["v1.0"]:
        raise GraphError(404, "ResourceNotFound", f"Invalid version: {segments[0] if segments else ''}")
    token = _authenticate(world, request)
    _route(request, segments[1:])
    if not token.tenant.has_intune_licence:
        raise GraphError(400, "BadRequest", "Request not applicable to target tenant.", "intune")
    roles = WRITE_ROLES if request.where == "sync" else READ_ROLES
    if not set(roles) & set(token.roles):
        raise GraphError(
            403,
            "Forbidden",
            "Application is not authorized to perform this operation. Application must have one of the following "
            f"scopes: {', '.join(roles)}",
            "intune_twice",
        )
    if not token.tenant.has_exchange_connectors:
        raise GraphError(501, "NotSupported", "The operation is not supported.", "intune")
    for name in request.query:
        if name.startswith("$") and name not in _QUERY_OPTIONS[request.where]:
            raise GraphError(400, "BadRequest", f"The query option '{name}' is not allowed.")
    headers = {**common_headers(request), "Content-Type": CONTENT_TYPE, "OData-Version": "4.0"}
    context = f"{graph_url}/v1.0/$metadata#{_COLLECTION}"
    if request.where == "list":
        return Answer.of_json(200, {"@odata.context": context, **_page(request, token.tenant, graph_url)}, headers)
    if request.where == "sync":
        sync_type = _sync_type(request)
        _connector(request, token.tenant).accept(sync_type)
        return Answer(204, common_headers(request))
    connector = _connector(request, token.tenant)
    entity = connector.as_json()
    return Answer.of_json(
        200,
        {"@odata.context": f"{context}/$entity", **({"value": entity} if connector.wrap_in_value else entity)},
        headers,
    )


def _authenticate(world: World, request: Request) -> AccessToken:
    text = _bearer(request)
    if not text:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.")
    token = world.find_access_token(text)
    if token is None:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure.")
    if token.expires <= world.clock():
        raise GraphError(401, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
    if not known_resource(world, token.resource):
        raise GraphError(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.")
    return token


def _route(request: Request, segments: list[str]) -> None:
    """Refuse a path or method that Graph v1.0, as far as it is simulated, does not have."""
    if request.where != "other":
        return
    for position, segment in enumerate(segments):
        if position >= len(_PATH) or _PATH[position] not in ("*", segment.lower()):
            raise GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
    raise GraphError(405, "MethodNotAllowed", f"The method {request.method} is not allowed for this resource.")


def _connector(request: Request, tenant: Tenant) -> Connector:
    connector = tenant.connectors.get(request.object_id or "")
    if connector is None:
        raise GraphError(404, "ResourceNotFound", "An error has occurred", "intune")
    return connector


def _sync_type(request: Request) -> str:
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise GraphError(400, "BadRequest", "Entity only allows writes with a JSON Content-Type header.")
    try:
        body = json.loads(request.body)
    except ValueError as e:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from e
    if not isinstance(body, dict) or set(body) != {"syncType"} or body["syncType"] not in SYNC_TYPES:
        raise GraphError(
            400, "BadRequest", "Invalid parameters: syncType must be fullSync or deltaSync, and nothing else."
        )
    return t.cast(str, body["syncType"])


def _page(request: Request, tenant: Tenant, graph_url: str) -> dict[str, t.Any]:
    """One page of the list; like elsewhere in Graph, ``$top`` is the size of the pages."""
    connectors = list(tenant.connectors.values())
    size = tenant.page_size or len(connectors)
    top = request.query.get("$top")
    if top is not None:
        if not top.isdigit() or int(top) < 1:
            raise GraphError(400, "BadRequest", f"Invalid value '{top}' for $top query option found.")
        size = min(size, int(top))
    start = _offset(request.query["$skiptoken"]) if "$skiptoken" in request.query else 0
    end = start + size
    page: dict[str, t.Any] = {"value": [connector.as_json() for connector in connectors[start:end]]}
    if end < len(connectors):
        base = tenant.next_link_host or graph_url
        if "://" not in base:
            base = f"https://{base}"
        link = f"{base}/v1.0/{_COLLECTION}?$skiptoken={quote(_skip_token(end))}"
        page["@odata.nextLink"] = link if top is None else f"{link}&$top={top}"
    return page


def _skip_token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _offset(skip_token: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(skip_token).decode().partition("offset:")[2])
    except (binascii.Error, ValueError) as e:
        raise GraphError(400, "BadRequest", "The $skiptoken is not valid.") from e


def _refusal(world: World, request: Request, entra_url: str, error: GraphError) -> Answer:
    headers = common_headers(request)
    code, message = error.code, str(error)
    if error.form != "plain":
        activity = headers["client-request-id"]
        message = _intune_message(request, message, activity, {} if error.form == "intune" else _CHALLENGE)
    if error.form == "intune_twice":
        message = json.dumps(
            {
                "ErrorCode": code,
                "Message": message,
                "Target": None,
                "Details": None,
                "InnerError": None,
                "InstanceAnnotations": [],
            },
            separators=(",", ":"),
        )
        code = "UnknownError"
    body = {
        "error": {
            "code": code,
            "message": message,
            "innerError": {
                "date": f"{world.clock():%Y-%m-%dT%H:%M:%S}",
                "request-id": headers["request-id"],
                "client-request-id": headers["client-request-id"],
            },
        }
    }
    if error.status == 401:
        headers["WWW-Authenticate"] = (
            f'Bearer realm="", authorization_uri="{entra_url}/common/oauth2/authorize", '
            'client_id="00000003-0000-0000-c000-000000000000"'
        )
    return Answer.of_json(error.status, body, {**headers, "Content-Type": "application/json"})


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="urn:intune:service,simulator"'}


def _intune_message(request: Request, text: str, activity: str, http_headers: dict[str, str]) -> str:
    """Intune's own error, which Graph passes on as the text of the message."""
    url = f"https://fef.simulator.example/StatelessOnboardingFEService{request.path.replace('/v1.0', '', 1)}"
    return json.dumps(
        {
            "_version": 3,
            "Message": (
                f"{text} - Operation ID (for customer support): 00000000-0000-0000-0000-000000000000"
                f" - Activity ID: {activity} - Url: {url}?api-version=2018-05-24"
            ),
            "CustomApiErrorPhrase": "",
            "RetryAfter": None,
            "ErrorSourceService": "",
            "HttpHeaders": json.dumps(http_headers),
        },
        indent=2,
    ).replace("\n", "\r\n")


def _bearer(request: Request) -> str:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _segments(request: Request) -> list[str]:
    return [segment for segment in request.path.split("/") if segment]
