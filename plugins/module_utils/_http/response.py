# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""An HTTP answer, read whole, and what its headers say."""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from .._ground import timestamps, untrusted
from .._ground.timestamps import parse_http_date

# Where Graph and Entra ID tell the id of a request, the first that is there.
REQUEST_IDS = ("request-id", "x-ms-request-id")


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
        found = next((self.headers[name] for name in REQUEST_IDS if self.headers.get(name)), "")
        return untrusted.one_line(found) or None

    def retry_after(self, now: datetime) -> float | None:
        """The seconds that the server asks to wait; ``now`` is used for dates when the server's clock is not known."""
        return retry_after(self.headers.get("retry-after"), self.date or now)

    def json(self) -> t.Any:
        """The body as JSON. Raises ValueError if it is none."""
        return untrusted.json_of(self.body)


_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")


def retry_after(value: str | None, now: datetime) -> float | None:
    """Read a Retry-After header (RFC 9110, section 10.2.3).

    :param value: seconds, of which Microsoft gives parts, too (its own sample says ``2.128``), or an HTTP-date.
    :param now: the server's idea of now, or else ours; for the date.
    :returns: the seconds to wait, at least 0; None if the header is absent or says nothing.
    """
    word = (value or "").strip()
    if _SECONDS.fullmatch(word):
        # Anything above a year is "never".
        return min(1e8, float(word))
    moment = parse_http_date(word)
    return None if moment is None else max(0.0, (moment - now).total_seconds())
