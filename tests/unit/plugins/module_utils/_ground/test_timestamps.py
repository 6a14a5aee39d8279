# Copyright (c) 2026, graphops.intune contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Graph's times: what is read, what means never, and what is refused."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.graphops.intune.plugins.module_utils._ground import timestamps
from hypothesis import example, given
from hypothesis import strategies as st


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # The sample of Graph's own documentation: 7 digits, cut and not rounded.
        ("2017-01-01T00:02:49.3205976-08:00", utc(2017, 1, 1, 8, 2, 49, 320597)),
        ("2026-11-22T18:00:00Z", utc(2026, 11, 22, 18)),
        ("2026-11-22t18:00:00z", utc(2026, 11, 22, 18)),
        ("2026-11-22 18:00:00Z", utc(2026, 11, 22, 18)),
        ("2026-11-22T18:00Z", utc(2026, 11, 22, 18)),
        ("2026-11-22T18:00+05:45", utc(2026, 11, 22, 12, 15)),
        ("2026-11-22T18:00:00+00:00", utc(2026, 11, 22, 18)),
        ("2026-11-22T18:00:00-00:00", utc(2026, 11, 22, 18)),
        ("2026-11-22T00:30:00+23:59", utc(2026, 11, 21, 0, 31)),
        ("2026-11-22T23:30:00-23:59", utc(2026, 11, 23, 23, 29)),
        ("2024-02-29T12:00:00Z", utc(2024, 2, 29, 12)),
        ("2026-11-22T18:00:00.1Z", utc(2026, 11, 22, 18, 0, 0, 100000)),
        ("2026-11-22T18:00:00.000001Z", utc(2026, 11, 22, 18, 0, 0, 1)),
        ("2026-11-22T18:00:00.0000009Z", utc(2026, 11, 22, 18)),
        ("2026-11-22T18:00:00.999999999999Z", utc(2026, 11, 22, 18, 0, 0, 999999)),
        ("2016-12-31T23:59:60Z", utc(2017, 1, 1)),
        ("2016-12-31T15:59:60.25-08:00", utc(2017, 1, 1, 0, 0, 0, 250000)),
        ("0002-01-02T00:00:00+23:59", utc(2, 1, 1, 0, 1)),
        (" 2026-11-22T18:00:00Z\n", utc(2026, 11, 22, 18)),
        ("2026-11-22 18:00:00 -01:00", utc(2026, 11, 22, 19)),
        ("2026-11-22T18:00:00.5", utc(2026, 11, 22, 18, 0, 0, 500000)),
        ("9999-12-31T23:59:59.9999999Z", utc(9999, 12, 31, 23, 59, 59, 999999)),
    ],
)
def test_a_time_is_read_as_utc(text: str, moment: datetime) -> None:
    read = timestamps.parse(text)
    assert read == moment
    assert read is not None
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00.0000000Z",
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00-14:00",
        "0001-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00",
        "0001-01-01T00:00:00.0000000",
        "0001-01-01 00:00:00",
        " 0001-01-01T00:00:00Z\n",
        "0001-01-01 00:00:00 +00:00",
        "0001-01-01T00:00:00+24:00",
        "0001-01-01T00:00:00+0000",
        "0001-01-01",
        "01/01/0001 00:00:00",
        "1/1/0001 12:00:00 AM +00:00",
        "0002-01-01T00:00:00+05:00",
    ],
)
def test_year_1_and_nothing_at_all_are_never(text: str | None) -> None:
    assert timestamps.parse(text) is None


@pytest.mark.parametrize(
    "rubbish",
    [
        0,
        1700000000,
        False,
        3.5,
        b"2026-11-22T18:00:00Z",
        [],
        {},
        datetime(2026, 11, 22, tzinfo=timezone.utc),
        " ",
        "never",
        "2026-11-22",
        "18:00:00Z",
        "2026-11-22T18Z",
        "20261122T180000Z",
        "2026-11-22T18:00:00.Z",
        "2026-11-22T18:00:00,5Z",
        "2026-11-22T18:00.5Z",
        "2026-11-22T18:00:00.1234567890123Z",
        "2026-11-22T18:00:00Z and more",
        "2026-11-22T18:00:00+0100",
        "2026-11-22T18:00:00+01",
        "2026-11-22T18:00:00+24:00",
        "2026-11-22T18:00:00-24:00",
        "2026-11-22T18:00:00+01:60",
        "2026-02-31T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-00-10T00:00:00Z",
        "2026-13-10T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T18:60:00Z",
        "2026-11-22T18:00:61Z",
        "0000-01-01T00:00:00Z",
        "-2026-11-22T18:00:00Z",
        "12026-11-22T18:00:00Z",
        # Arabic-Indic and full-width digits are digits to str.isdigit() and int().
        "\u0662\u0660\u0662\u0666-11-22T18:00:00Z",
        "2026-11-22T1\uff18:00:00Z",
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "/Date(1700000000000)/",
    ],
)
def test_anything_else_is_refused(rubbish: t.Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        timestamps.parse(rubbish)


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        ("2026-11-22T18:00:00", True),
        (" 2026-11-22 18:00 ", True),
        ("2026-11-22T18:00:00Z", False),
        ("2026-11-22T18:00:00 +00:00", False),
        ("0001-01-01T00:00:00", False),
        (None, False),
    ],
)
def test_a_time_without_an_offset_is_told_apart(text: str | None, lacks: bool) -> None:
    assert timestamps.lacks_offset(text) is lacks


@given(
    local=st.datetimes(min_value=datetime(2, 1, 3), max_value=datetime(9999, 12, 30)),  # noqa: DTZ001 - any offset
    minutes=st.integers(-23 * 60 - 59, 23 * 60 + 59),
    digits=st.integers(6, 12),
    form=st.sampled_from(["T", "t"]),
)
def test_every_time_in_every_form_of_graph_is_read(local: datetime, minutes: int, digits: int, form: str) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    written = local.isoformat(form, timespec="microseconds").ljust(20 + digits, "7") + f"{sign}{hours:02}:{rest:02}"
    assert timestamps.parse(written) == moment


@given(st.datetimes(min_value=datetime(2, 1, 1), timezones=st.just(timezone.utc)))  # noqa: DTZ001 - made aware
def test_what_is_written_reads_back(moment: datetime) -> None:
    assert timestamps.parse(timestamps.text(moment)) == moment


@given(
    st.one_of(
        st.text(),
        st.from_regex(r"\A\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,13})?)?([Zz]|[+-]\d\d:\d\d)\n?\Z"),
    )
)
@example("0001-01-01T24:00:00Z")
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    try:
        moment = timestamps.parse(text)
    except ValueError:
        return
    assert moment is None or moment.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun Nov  6 08:49:37 1994", utc(1994, 11, 6, 8, 49, 37)),
        ("Sun, 06 Nov 1994 08:49:37 +0200", utc(1994, 11, 6, 6, 49, 37)),
        ("Sun, 06 Nov 1994 08:49:37 -0000", utc(1994, 11, 6, 8, 49, 37)),
        (None, None),
        ("", None),
        ("0", None),
        ("-5", None),
        ("soon", None),
        ("Sun, 31 Feb 2026 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 25:49:37 GMT", None),
        ("Sun, 06 Nov 99999 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 +99999999999999", None),
        ("Fri, 31 Dec 9999 23:59:59 -0100", None),
        ("1" * 5000, None),
        ("Sun, 06 Nov " + "9" * 5000 + " 08:49:37 GMT", None),
    ],
)
def test_http_dates(text: str | None, moment: datetime | None) -> None:
    read = timestamps.parse_http_date(text)
    assert read == moment
    assert read is None or read.utcoffset() == timedelta(0)


@given(st.one_of(st.text(), st.from_regex(r"\A[A-Z][a-z]{2}, \d{1,3} Nov \d{1,6} \d+:\d+:\d+ ([A-Z]{3}|[+-]\d+)\Z")))
def test_no_http_date_raises(text: str) -> None:
    read = timestamps.parse_http_date(text)
    assert read is None or read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, None),
        (utc(2026, 11, 22, 18), "2026-11-22T18:00:00Z"),
        (utc(2026, 11, 22, 18, 0, 0, 320597), "2026-11-22T18:00:00.320597Z"),
        (utc(2, 1, 1), "0002-01-01T00:00:00Z"),
        (datetime(2026, 11, 22, 18, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T16:00:00Z"),
    ],
)
def test_a_time_is_written_in_utc(moment: datetime | None, text: str | None) -> None:
    assert timestamps.text(moment) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (1, "1 s"),
        (45.7, "45 s"),
        (-45, "45 s"),
        (59.999, "59 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (3601, "1 h"),
        (3661, "1 h 1 min"),
        (7199, "1 h 59 min"),
        (86400, "1 d"),
        (86400 + 59 * 60, "1 d"),
        (3 * 86400 + 4 * 3600 + 59, "3 d 4 h"),
        (2000 * 86400, "2000 d"),
    ],
)
def test_spans_are_spelt_in_two_units(seconds: float, words: str) -> None:
    assert timestamps.humanize(seconds) == words
