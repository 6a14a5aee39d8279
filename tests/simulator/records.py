# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What went over the wire: one record per request, and the answer that the rules decided on."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from datetime import datetime

if t.TYPE_CHECKING:
    from simulator.faults import Fault


@dataclass
class Request:
    """One request as it reached the simulator, and how it was answered.

    ``host`` is ``entra`` or ``graph``. ``headers`` ignores the case of names. ``connection`` numbers the TLS
    connection it came over, unique in the world. ``time`` is the world's clock at arrival.

    ``where`` is the kind of request: one that a :class:`~simulator.faults.Fault` can name (``metadata``,
    ``userrealm``, ``token``, ``managed_identity``, ``runner``, ``list``, ``get``, ``sync``, ``batch``), or
    ``discovery``, ``keys``, ``other``. ``in_batch`` tells that it came as an item of the ``batch`` request recorded
    before it.

    ``kind`` names the :class:`~simulator.resources.Resource` that a ``list``, ``get`` or ``sync`` is for. ``object_id``
    is the id in the path, in lower case; a kind of which a tenant has one object only has none.

    ``status`` and ``request_id`` are ``None`` until the answer is decided, and stay so when the answer was cut.
    ``fault`` is the fault that was applied, if any.
    """

    host: str
    method: str
    path: str
    query: t.Mapping[str, str]
    headers: t.Mapping[str, str]
    body: bytes
    connection: int
    time: datetime
    where: str = "other"
    in_batch: bool = False
    tenant_id: str | None = None
    kind: str | None = None
    object_id: str | None = None
    status: int | None = None
    request_id: str | None = None
    fault: Fault | None = None


@dataclass
class Answer:
    """A complete HTTP answer, independent of the HTTP library."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of_json(cls, status: int, data: t.Any, headers: t.Mapping[str, str] | None = None) -> Answer:
        """Build an answer whose body is ``data`` as JSON; ``headers`` may replace the content type."""
        return cls(
            status,
            {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
            json.dumps(data).encode(),
        )
