"""What an outage is flagged for, when its messages go out, and how long a window may be."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from water2.rules.book import load_book
from water2.rules.outages import (
    OutageFacts,
    next_channel_at,
    outage_flags,
    send_at,
    too_long,
)

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)  # 09:00 in Lishui
BOOK = load_book("lishui")
RULE = BOOK.obligation("outage.planned", TODAY)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
PLANNED = OutageFacts(
    planned=True,
    starts_at=NOW + 48 * HOUR,
    ends_at=NOW + 52 * HOUR,
    published_at=NOW,
    announced_at=NOW,
    started_at=None,
    restored_at=None,
    cancelled=False,
    overran=False,
    update_missed=False,
    approval=True,
    authority_report=True,
    notice_impossible_because=True,
    water_points=True,
    emergency_supply=True,
)
EMERGENCY = replace(PLANNED, planned=False, starts_at=NOW, ends_at=NOW + 3 * HOUR, started_at=NOW)


def flags(facts, now=NOW):
    return [flag.value for flag in outage_flags(BOOK, facts, now, TODAY)]


def lasting(hours, **changes):
    return replace(PLANNED, ends_at=PLANNED.starts_at + hours * HOUR, **changes)


@pytest.mark.parametrize(
    ("facts", "now", "found"),
    [
        pytest.param(PLANNED, NOW, [], id="all in order"),
        pytest.param(replace(PLANNED, approval=False), NOW, ["approval_missing"], id="art. 22"),
        pytest.param(
            replace(PLANNED, published_at=NOW + SECOND), NOW, ["short_notice"], id="under 48 hours"
        ),
        pytest.param(lasting(12, water_points=False), NOW, [], id="12 hours need no water points"),
        pytest.param(
            lasting(12.01, water_points=False), NOW, ["water_points_missing"], id="more do"
        ),
        pytest.param(
            lasting(24.01, emergency_supply=False),
            NOW,
            ["emergency_supply_missing"],
            id="over 24 hours need emergency supply",
        ),
        pytest.param(replace(PLANNED, cancelled=True, approval=False), NOW, [], id="cancelled"),
        pytest.param(
            replace(PLANNED, started_at=PLANNED.starts_at),
            PLANNED.ends_at,
            [],
            id="the announced end itself is in time",
        ),
        pytest.param(
            replace(PLANNED, started_at=PLANNED.starts_at),
            PLANNED.ends_at + SECOND,
            ["overran"],
            id="over the announced end",
        ),
        pytest.param(EMERGENCY, NOW, [], id="an emergency in order"),
        pytest.param(
            replace(EMERGENCY, published_at=NOW + 30 * MINUTE), NOW, [], id="30 minutes are in time"
        ),
        pytest.param(
            replace(EMERGENCY, published_at=NOW + 30 * MINUTE + SECOND),
            NOW,
            ["published_late"],
            id="more are not",
        ),
        pytest.param(EMERGENCY, NOW + 2 * HOUR, [], id="two hours without an update"),
        pytest.param(EMERGENCY, NOW + 2 * HOUR + SECOND, ["update_due"], id="and a second"),
        pytest.param(
            EMERGENCY,
            NOW + 3 * HOUR + SECOND,
            ["estimate_passed", "update_due"],
            id="past its estimate",
        ),
        pytest.param(
            replace(EMERGENCY, authority_report=False, notice_impossible_because=False),
            NOW,
            ["notice_impossible_unexplained", "authority_report_missing"],
            id="what an emergency owes",
        ),
    ],
)
def test_flags(facts, now, found):
    assert flags(facts, now) == found


def local(hour, minute=0, day=23):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC) - 8 * HOUR


@pytest.mark.parametrize(
    ("now", "deadline", "sent"),
    [
        pytest.param(local(21, 59), None, local(21, 59), id="before 22 it goes out"),
        pytest.param(local(22), None, local(7, day=24), id="from 22 it waits for 7"),
        pytest.param(local(3), None, local(7), id="at night it waits for 7"),
        pytest.param(local(7), None, local(7), id="at 7 it goes out"),
        pytest.param(local(3), local(8), local(7), id="the morning is still in time"),
        pytest.param(local(3), local(7, 59), local(3), id="the morning would be too late"),
    ],
)
def test_quiet_hours(now, deadline, sent):
    assert send_at(RULE, now, deadline, "Asia/Shanghai") == sent


def test_where_no_practice_is_known_it_goes_out_at_once():
    assert send_at(None, local(3), None, "Asia/Shanghai") == local(3)


def test_the_next_channel_opens_30_hours_before_the_start():
    assert next_channel_at(RULE, NOW + 48 * HOUR) == NOW + 18 * HOUR
    assert next_channel_at(None, NOW) is None


def test_a_window_of_72_hours_is_taken_and_a_longer_one_is_not():
    assert too_long(BOOK, NOW, NOW + 72 * HOUR, TODAY) is None
    assert too_long(BOOK, NOW, NOW + 72 * HOUR + SECOND, TODAY) == 72
    assert too_long(load_book("us-nyc"), NOW, NOW + 500 * HOUR, TODAY) is None
