"""Outages in a calendar, read back by a calendar's parser."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest

from tests.feeds.public import ANNOUNCED, ENDS, STARTS, notice, outage
from water2.domain.outage import PUBLIC_STATES
from water2.edge.feeds.calendar import outages_ics

BASE, DOMAIN = "https://water.example", "water.example"
SHANGHAI = ZoneInfo("Asia/Shanghai")


def written(*outages, **given):
    return outages_ics(outages, base_url=BASE, domain=DOMAIN, **given)


def read(*outages, **given):
    return icalendar.Calendar.from_ical(written(*outages, **given))


def event(shown, **given):
    (found,) = read(shown, **given).events
    assert found.errors == []
    return found


def test_a_calendar_is_published_with_the_rules_of_its_zone():
    calendar = read(outage("planned"))
    assert (calendar["METHOD"], calendar["VERSION"]) == ("PUBLISH", "2.0")
    assert [zone.tz_name for zone in calendar.timezones] == ["Asia/Shanghai"]
    assert calendar.get_missing_tzids() == set()
    assert not calendar.errors


def test_a_calendar_of_no_outage_is_a_calendar():
    assert read().events == []


def test_zones_of_several_utilities_are_each_declared():
    calendar = read(outage("planned"), outage("planned", number="N-1", timezone="America/New_York"))
    assert {zone.tz_name for zone in calendar.timezones} == {"Asia/Shanghai", "America/New_York"}
    assert [one.start.astimezone(SHANGHAI) for one in calendar.events] == [STARTS, STARTS]


@pytest.mark.parametrize("state", sorted(PUBLIC_STATES))
def test_only_a_cancelled_outage_is_cancelled(state):
    found = event(outage("planned", state=state))
    assert found["STATUS"] == ("CANCELLED" if state == "cancelled" else "CONFIRMED")


def test_an_event_keeps_its_uid_and_counts_its_revisions():
    kinds = ("planned", "rescheduled", "extended", "cancelled")
    events = [event(outage(*kinds[:count])) for count in (1, 2, 3, 4)]
    assert {found["UID"] for found in events} == {f"LS-2026-0007@{DOMAIN}"}
    assert [found["SEQUENCE"] for found in events] == [0, 1, 2, 3]
    stamps = [found["DTSTAMP"].dt for found in events]
    assert stamps == sorted({*stamps})
    assert [found["LAST-MODIFIED"].dt for found in events] == stamps


def test_an_event_tells_what_where_and_who():
    shown = outage("planned")
    found = event(shown)
    assert found["SUMMARY"] == shown.latest.title_zh
    assert found["DESCRIPTION"].startswith(shown.latest.text_zh)
    assert shown.latest.text_en in found["DESCRIPTION"]
    assert found["LOCATION"] == "丽水花园，丽阳街 1 号，莲都区，楼栋 1、2"
    assert found["URL"] == f"{BASE}/notices/LS-2026-0007"
    assert found["ORGANIZER"].params["CN"] == "丽水供水"
    assert event(shown, language="en")["SUMMARY"] == shown.latest.title_en


@pytest.mark.parametrize(
    ("starts_at", "day", "stamp"),
    [
        (STARTS.replace(hour=15, minute=59), date(2026, 6, 3), "20260603T235900"),
        (STARTS.replace(hour=16), date(2026, 6, 4), "20260604T000000"),
        (STARTS.replace(hour=16, minute=1), date(2026, 6, 4), "20260604T000100"),
    ],
)
def test_an_event_falls_on_the_civil_day_of_the_zone(starts_at, day, stamp):
    shown = outage("planned", starts_at=starts_at, ends_at=starts_at + timedelta(hours=2))
    assert f"DTSTART;TZID=Asia/Shanghai:{stamp}\r\n" in written(shown).decode()
    start = event(shown).start
    assert start == starts_at
    assert start.date() == day


def test_a_restored_outage_lasted_from_its_true_start_to_its_true_end():
    began, back = STARTS + timedelta(minutes=7), ENDS - timedelta(minutes=40)
    found = event(outage("planned", "restored", started_at=began, restored_at=back))
    assert (found.start, found.end) == (began, back)


def test_an_outage_restored_at_its_start_takes_no_time():
    found = event(outage("planned", "restored", started_at=STARTS, restored_at=STARTS))
    assert "DTEND" not in found
    assert found.start == STARTS


def test_an_emergency_without_an_estimate_goes_on_an_hour_from_its_last_word():
    word = STARTS + timedelta(hours=3)
    first = notice(1, "emergency", published_at=STARTS, ends_at=None)
    second = notice(2, "update", published_at=word, ends_at=None)
    assert event(outage(notices=(first,))).end == STARTS + timedelta(hours=1)
    found = event(outage(notices=(first, second)))
    assert found.end.replace(microsecond=0) == word + timedelta(hours=1)
    assert found["DESCRIPTION"].startswith("恢复时间尚未确定")
    assert "恢复时间尚未确定" not in event(outage("emergency"))["DESCRIPTION"]


def test_lines_end_in_crlf_and_are_folded_at_75_octets():
    told = notice(1, "planned", text_zh="因清洗水箱，丽水花园停水。" * 40)
    body = written(outage(notices=(told,)))
    lines = body.split(b"\r\n")
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert event(outage(notices=(told,)))["DESCRIPTION"].startswith(told.text_zh)


def test_a_text_cannot_add_a_line_of_its_own():
    told = notice(1, "planned", title_zh="停水\r\nSTATUS:CANCELLED\x00;,\\\x7f")
    found = event(outage(notices=(told,), utility='丽水"\nATTENDEE:x'))
    assert found["SUMMARY"] == "停水\nSTATUS:CANCELLED;,\\"
    assert found["STATUS"] == "CONFIRMED"
    assert "ATTENDEE" not in found


def test_the_same_outages_make_the_same_bytes():
    shown = [outage("planned"), outage("emergency", number="E-1")]
    assert written(*shown) == written(*shown)
    assert event(shown[0])["CREATED"].dt == ANNOUNCED.replace(microsecond=0)
