# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Graph whose answers are scripted, on a clock that only sleeping moves."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

from ansible_collections.graphops.intune.plugins.module_utils._graph import graph, graph_errors
from ansible_collections.graphops.intune.plugins.module_utils._ground.clock import Clock
from ansible_collections.graphops.intune.plugins.module_utils._http.response import Response
from ansible_collections.graphops.intune.plugins.module_utils._http.transport import Transport
from ansible_collections.graphops.intune.plugins.module_utils._kinds.kind import Kind
from ansible_collections.graphops.intune.plugins.module_utils._sync import many
from ansible_collections.graphops.intune.plugins.module_utils._sync.options import Selection, SyncOptions
from ansible_collections.graphops.intune.plugins.module_utils._sync.session import Context, Session

NOW = datetime(2026, 11, 22, 18, 0, tzinfo=timezone.utc)


class Script(Transport):
    """Answers of Graph in order, on a clock that only sleeping moves. The last answer stays."""

    def __init__(self, *answers: t.Any, retry_timeout: float = 120) -> None:
        self.answers = list(answers)
        self.sent: list[str] = []
        self.elapsed = 0.0
        self.request_timeout = 30
        self.retry_timeout = retry_timeout
        self.clock = Clock(monotonic=lambda: self.elapsed, sleep=self._sleep, now=lambda: NOW, jitter=lambda: 0.0)

    def _sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.elapsed += seconds

    def send(self, method: str, _url: str, **_request: t.Any) -> Response:
        self.sent.append(method)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer()
        if isinstance(answer, Exception):
            raise answer
        date = format_datetime(NOW + timedelta(seconds=self.elapsed), usegmt=True)
        status, body, headers = answer
        return Response(status, {"date": date, **headers}, body)

    def reset_connections(self) -> None:
        self.sent.append("renew")

    def graph(self) -> graph.Graph:
        return graph.Graph("https://graph.example", tokens=FixedToken(), http=self, asker=graph_errors.Asker("", ""))


class FixedToken:
    """A token that cannot be replaced."""

    def token(self, limit: float | None = None) -> str:  # noqa: ARG002
        return "token"

    def replace_token(self, refused: str, limit: float | None = None) -> str | None:  # noqa: ARG002
        return None


def synchronise(
    kind: Kind,
    name: str,
    options: SyncOptions,
    script: Script,
    *,
    check_mode: bool = False,
    warn: t.Callable[[str], t.Any] = print,
) -> dict[str, t.Any]:
    """Let the engine bring one object up to date, as a module does, with a script for a Graph."""
    context = Context(
        check_mode=check_mode, environ={}, clock=script.clock, warn=warn, progress=print, hide=lambda _tokens: None
    )
    session = Session(script.graph(), "contoso.example", t.cast(t.Any, FixedToken()))
    return many.synchronise(
        kind, Selection((name,), many=False, everything=False, filters={}), options, session, context
    )
