# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft Graph, v1.0 and beta: the objects of Intune that age or can be synchronised, and the errors around them.

Shapes: Microsoft's reference, the v1.0 metadata, and answers quoted in public issue reports (Intune puts JSON strings
into ``error.message``).
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
import uuid
from urllib.parse import parse_qsl

from multidict import CIMultiDict

from simulator.directory import Tenant
from simulator.entity import Entity
from simulator.errors import GraphError, intune_error
from simulator.grants import known_resource
from simulator.listing import page, picked, selection
from simulator.records import Answer, Request
from simulator.resources import VERSIONS, Resource
from simulator.world import AccessToken, World

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
# https://learn.microsoft.com/graph/json-batching
_MOST_IN_A_BATCH = 20


def locate(world: World, request: Request) -> None:
    """Note on ``request`` what it asks for, of which object of which kind, and whose token it carries."""
    token = world.find_access_token(_bearer(request))
    request.tenant_id = token.tenant.id if token else None
    version, *segments = _segments(request) or [""]
    if version in VERSIONS and segments == ["$batch"] and request.method == "POST":
        request.where = "batch"
    for resource in world.resources.values():
        asked = resource.asked(request.method, segments) if version == resource.version else None
        if asked is not None:
            request.kind = resource.name
            request.where, request.object_id = asked


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
        # A batch has items of its own version only.
        path=f"/{_segments(outer)[0]}/{path.lstrip('/')}",
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
    error = intune_error(status, "An error has occurred")
    if status == 401:
        error = GraphError(status, error.code, "Access token has expired.")
    return _refusal(world, request, entra_url, error)


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
    if not segments or segments[0] not in VERSIONS:
        raise GraphError(404, "ResourceNotFound", f"Invalid version: {segments[0] if segments else ''}")
    token = _authenticate(world, request)
    if request.kind is None:
        raise _no_route(world, request)
    resource = world.resources[request.kind]
    throttle = world.throttles.get(resource.name) if request.where == "sync" else None
    if throttle is not None:
        throttle.count(world.clock(), token.app.client_id, token.tenant.id)
    _admit(request, resource, token)
    headers = {**common_headers(request), "Content-Type": CONTENT_TYPE, "OData-Version": "4.0"}
    metadata = f"{graph_url}/{resource.version}/$metadata#"
    names = selection(request, resource)
    path = resource.path if names is None else f"{resource.path}({','.join(names)})"
    if request.where == "list":
        shown = {"@odata.context": f"{metadata}{path}", **page(request, resource, token.tenant, graph_url)}
        return Answer.of_json(200, shown, headers)
    if request.where == "get":
        context = f"{metadata}{path}/$entity"
        entity = _object(request, resource, token.tenant)
        shown = picked(entity.as_json(), names)
    else:
        context = f"{metadata}{resource.returns}"
        asked = _asked(request, resource)
        entity = _object(request, resource, token.tenant)
        shown = entity.accept(asked)
        if resource.returns is None:
            return Answer(204, common_headers(request))
    return Answer.of_json(
        200, {"@odata.context": context, **({"value": shown} if entity.wrap_in_value else shown)}, headers
    )


def _admit(request: Request, resource: Resource, token: AccessToken) -> None:
    """Refuse what the tenant does not have, what the app may not do, and options that there are not."""
    if resource.of_intune and not token.tenant.has_intune_licence:
        raise intune_error(400, "Request not applicable to target tenant.")
    roles = resource.sync_roles if request.where == "sync" else resource.read_roles
    if not set(roles) & set(token.roles):
        if not resource.of_intune:
            # As elsewhere in Graph; what it says here is not known.
            raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
        raise GraphError(
            403,
            "Forbidden",
            "Application is not authorized to perform this operation. Application must have one of the following "
            f"scopes: {', '.join(roles)}",
            "intune_twice",
        )
    status = token.tenant.absent.get(resource.name)
    if status is not None:
        text = "The operation is not supported." if status == 501 else "An error has occurred"
        raise intune_error(status, text)
    for name in request.query:
        if name.startswith("$") and name not in resource.options[request.where]:
            raise GraphError(400, "BadRequest", f"The query option '{name}' is not allowed.")


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


def _no_route(world: World, request: Request) -> GraphError:
    """The refusal of a path or method that Graph, as far as it is simulated, does not have."""
    version, *segments = _segments(request)
    # Both versions have the folders, though one of them may hold nothing in it.
    patterns = [
        resource.pattern if resource.version == version else resource.folder for resource in world.resources.values()
    ]
    for position, segment in enumerate(segments):
        patterns = [
            pattern for pattern in patterns if position < len(pattern) and pattern[position] in ("*", segment.lower())
        ]
        if segment.lower() == "$count" and any(pattern[position] == "*" for pattern in patterns):
            route = f"~/singleton/navigation/$count with http verb {request.method}"
            return GraphError(400, "BadRequest", f"No OData route exists that match template {route}.")
        if not patterns:
            return GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
    return GraphError(405, "MethodNotAllowed", f"The method {request.method} is not allowed for this resource.")


def _object(request: Request, resource: Resource, tenant: Tenant) -> Entity:
    objects = tenant.objects[resource.name]
    entity = next(iter(objects.values()), None) if resource.singleton else objects.get(request.object_id or "")
    if entity is None:
        raise intune_error(404, "An error has occurred")
    return entity


def _asked(request: Request, resource: Resource) -> str | None:
    """Read what the action is asked for: the value of its parameter, if it has one."""
    name = resource.parameter
    if name is None:
        _check_framing(request)
        if not request.body:
            return None
    content_type = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise GraphError(400, "BadRequest", "Entity only allows writes with a JSON Content-Type header.")
    try:
        body = json.loads(request.body)
    except ValueError as e:
        raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from e
    if name is None:
        if body != {}:
            raise GraphError(400, "BadRequest", "Invalid parameters: the action has none.")
        return None
    if not isinstance(body, dict) or set(body) != {name} or body[name] not in resource.choices:
        raise GraphError(
            400,
            "BadRequest",
            f"Invalid parameters: {name} must be {' or '.join(resource.choices)}, and nothing else.",
        )
    return t.cast(str, body[name])


def _check_framing(request: Request) -> None:
    """Refuse a request without a body that does not say by its length that it has none, as parts of Intune do."""
    # One that comes in chunks has no length.
    if not request.in_batch and "Content-Length" not in request.headers:
        raise intune_error(400, "An error has occurred")


def _refusal(world: World, request: Request, entra_url: str, error: GraphError) -> Answer:
    headers = common_headers(request)
    code, message = error.code, str(error)
    if error.form.startswith("intune"):
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
            **({"details": []} if error.form == "detailed" else {}),
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
    return Answer.of_json(error.status, body, {**headers, **error.headers, "Content-Type": "application/json"})


_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="urn:intune:service,simulator"'}


def _intune_message(request: Request, text: str, activity: str, http_headers: dict[str, str]) -> str:
    """Intune's own error, which Graph passes on as the text of the message."""
    path = re.sub(r"^/(v1\.0|beta)(?=/)", "", request.path)
    url = f"https://fef.simulator.example/StatelessOnboardingFEService{path}"
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
