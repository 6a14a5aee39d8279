# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This module_utils is private to graphops.intune; it can change in any release.

"""Graph's times: DateTimeOffset <-> datetime, and "never"; all datetimes here are aware and in UTC."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

# OData 4.01 ABNF, dateTimeOffsetValue: up to 12 digits of fraction; .NET sends 7, which strptime cannot read.
_DATE_TIME_OFFSET = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt ]"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(:(?P<second>[0-9]{2})(\.(?P<fraction>[0-9]{1,12}))?)?"
    r"(?P<zone> ?(?:[Zz]|(?P<sign>[+-])(?P<zone_hour>[0-9]{2}):(?P<zone_minute>[0-9]{2})))?"
)
# The zero of .NET's calendar, in whatever form: what follows the day does not matter, as it is no time of day at all.
_NEVER = re.compile(r"0001-[0-9]{2}-[0-9]{2}(?![0-9]).*|0?1/0?1/0001(?![0-9]).*", re.DOTALL)


def parse(text: str | None) -> datetime | None:
    """Read a DateTimeOffset as Graph writes it.

    :param text: such as ``2017-01-01T00:02:49.3205976-08:00``; fractions are cut to microseconds. Without an offset it
        is taken for UTC, see :func:`lacks_offset`.
    :returns: the instant in UTC; None for "never", which Graph writes as year 1 (the property cannot be null in its
        schema), and which an absent or empty value means too.
    :raises ValueError: anything else, times that do not exist included. A leap second counts as the next second.
    """
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a time")
    # Arithmetic on year 1 may leave the calendar, so "never" is seen before the offset is applied.
    if _NEVER.fullmatch(text.strip()):
        return None
    match = _DATE_TIME_OFFSET.fullmatch(text.strip())
    if not match:
        raise ValueError(f"{text!r} is not a time")
    part = match.groupdict(default="0")
    leap = part["second"] == "60"
    try:
        local = datetime(
            year=int(part["year"]),
            month=int(part["month"]),
            day=int(part["day"]),
            hour=int(part["hour"]),
            minute=int(part["minute"]),
            second=59 if leap else int(part["second"]),
            microsecond=int(part["fraction"].ljust(6, "0")[:6]),
            tzinfo=timezone.utc,
        )
    except ValueError:
        raise ValueError(f"{text!r} does not exist") from None
    if int(part["zone_hour"]) > 23 or int(part["zone_minute"]) > 59:
        raise ValueError(f"{text!r} has an offset that does not exist")
    offset = timedelta(hours=int(part["zone_hour"]), minutes=int(part["zone_minute"]))
    try:
        moment = local + (offset if part["sign"] == "-" else -offset) + timedelta(seconds=1 if leap else 0)
    except OverflowError:
        raise ValueError(f"{text!r} is beyond the calendar") from None
    return None if moment.year == 1 else moment


def lacks_offset(text: str | None) -> bool:
    """Tell whether what :func:`parse` reads as a time does not say how far it is from UTC."""
    if parse(text) is None:
        return False
    match = _DATE_TIME_OFFSET.fullmatch((text or "").strip())
    return match is not None and not match["zone"]


def parse_http_date(text: str | None) -> datetime | None:
    """Read an HTTP-date (RFC 9110, section 5.6.7); None if there is none or it cannot be read."""
    try:
        moment = parsedate_to_datetime(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def text(moment: datetime | None) -> str | None:
    """Write an instant as ``2026-11-22T18:00:00Z``, with a fraction only if it has one; None stays None."""
    return None if moment is None else moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def within_days(days: int) -> str:
    """Say when something ends that has so many whole days left, such as ``in 3 days``."""
    return "within a day" if days == 0 else f"in {days} day{'' if days == 1 else 's'}"


def humanize(seconds: float) -> str:
    """Write a span of time for people: its largest unit and the one below, such as ``3 d 4 h``, ``2 h`` or ``45 s``."""
    rest = int(abs(seconds))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for position, (_unit, length) in enumerate(units):
        if rest >= length:
            parts = []
            for unit, size in units[position : position + 2]:
                count, rest = divmod(rest, size)
                if count:
                    parts.append(f"{count} {unit}")
            return " ".join(parts)
    return "0 s"
