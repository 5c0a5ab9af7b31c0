"""第十五条: exactly 24 hours is enough, counted from when the household was told."""

from datetime import UTC, date, datetime, timedelta

import pytest

from water2.rules.book import load_book
from water2.rules.notice import (
    Told,
    earliest_lawful_start,
    judge_new_start,
    judge_publishing,
    judge_start,
    judge_widening,
    judge_window,
    notice_demand,
    start_in_question,
    told_by,
    warnings_passed,
)
from water2.rules.provision import Allowed, Refused
from water2.rules.stricter import with_policy

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)
STARTS = NOW + timedelta(hours=30)
SECOND, DAY = timedelta(seconds=1), timedelta(hours=24)
LISHUI = load_book("lishui")
DEMAND = notice_demand(LISHUI, TODAY)


def everybody(**changes):
    return Told(**({"households": 3, "in_time": 3, "latest": STARTS - DAY} | changes))


def start(told, now=STARTS, ends_at=None):
    return judge_start(DEMAND, now=now, starts_at=STARTS, ends_at=ends_at, told=told)


def test_the_places_own_rule_is_cited_where_higher_law_demands_as_much():
    assert (DEMAND.provision.obligation, DEMAND.provision.article) == ("outage.planned", "15")
    assert DEMAND.ahead == DAY


def test_where_a_place_has_no_rule_of_its_own_higher_law_holds():
    demand = notice_demand(load_book("hubei"), TODAY)
    assert (demand.provision.obligation, demand.ahead) == ("outage.approval", DAY)


def test_where_nothing_demands_notice_nothing_is_refused():
    assert notice_demand(load_book("us-nyc"), TODAY) is None
    assert judge_publishing(None, now=NOW, starts_at=NOW) == Allowed()
    nobody = Told(households=3, in_time=0)
    assert judge_start(None, now=NOW, starts_at=NOW, ends_at=None, told=nobody) == Allowed()


def test_a_utility_may_demand_more_of_itself():
    book = with_policy(LISHUI, {("outage.planned", "notice_hours"): 48})
    assert notice_demand(book, TODAY).ahead == timedelta(hours=48)


@pytest.mark.parametrize(
    ("ahead", "lawful"),
    [
        pytest.param(DAY + SECOND, True, id="a second more is enough"),
        pytest.param(DAY, True, id="exactly 24 hours is enough"),
        pytest.param(DAY - SECOND, False, id="a second less is not"),
        pytest.param(-DAY, False, id="a start in the past is not"),
    ],
)
def test_publishing(ahead, lawful):
    verdict = judge_publishing(DEMAND, now=NOW, starts_at=NOW + ahead)
    assert isinstance(verdict, Allowed) == lawful
    if isinstance(verdict, Refused):
        assert (verdict.reason, verdict.earliest) == ("notice_too_late", NOW + DAY)


@pytest.mark.parametrize(
    ("wanted", "lawful"),
    [
        pytest.param(STARTS + SECOND, True, id="later needs no new 24 hours"),
        pytest.param(STARTS, True, id="the same start needs none"),
        pytest.param(NOW + DAY, True, id="earlier, and 24 hours ahead"),
        pytest.param(NOW + DAY - SECOND, False, id="earlier, and less"),
    ],
)
def test_another_start(wanted, lawful):
    announced = {"announced": STARTS, "announced_end": STARTS + timedelta(hours=2)}
    verdict = judge_new_start(DEMAND, now=NOW, wanted=wanted, **announced)
    assert isinstance(verdict, Allowed) == lawful


@pytest.mark.parametrize(
    ("ends_at", "wanted", "lawful"),
    [
        pytest.param(NOW + SECOND, NOW + DAY - SECOND, True, id="a second is left of the window"),
        pytest.param(NOW, NOW + DAY - SECOND, False, id="it is over: under 24 hours"),
        pytest.param(NOW, NOW + DAY, True, id="it is over: 24 hours"),
        pytest.param(None, NOW + DAY - SECOND, True, id="no end was announced"),
    ],
)
def test_of_a_window_that_passed_every_start_is_a_new_one(ends_at, wanted, lawful):
    began = NOW - timedelta(hours=2)
    verdict = judge_new_start(
        DEMAND, now=NOW, announced=began, announced_end=ends_at, wanted=wanted
    )
    assert isinstance(verdict, Allowed) == lawful
    again = judge_window(DEMAND, now=NOW, ends_at=ends_at)
    assert isinstance(again, Allowed) == (ends_at != NOW)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        pytest.param(everybody(), None, id="all told in time"),
        pytest.param(everybody(in_time=2, late=1), "households_not_told", id="one told late"),
        pytest.param(everybody(in_time=2), "households_not_told", id="one not told"),
        pytest.param(Told(0, 0), None, id="nobody to tell"),
    ],
)
def test_starting(told, reason):
    verdict = start(told)
    assert getattr(verdict, "reason", None) == reason


@pytest.mark.parametrize(
    ("now", "waiting", "started_at", "start"),
    [
        pytest.param(NOW, True, None, STARTS, id="the announced one while it is to come"),
        pytest.param(STARTS + SECOND, True, None, STARTS + SECOND, id="now, once it has passed"),
        pytest.param(STARTS + DAY, False, None, STARTS, id="the announced one of what never began"),
        pytest.param(STARTS + DAY, False, STARTS + SECOND, STARTS + SECOND, id="the real one"),
    ],
)
def test_the_start_that_notice_is_counted_to(now, waiting, started_at, start):
    found = start_in_question(STARTS, now, waiting=waiting, started_at=started_at)
    assert found == start


def test_starting_before_the_announced_start_or_after_its_end():
    assert start(everybody(), now=STARTS - SECOND).reason == "before_announced_start"
    ends_at = STARTS + timedelta(hours=2)
    assert start(everybody(), now=ends_at - SECOND, ends_at=ends_at) == Allowed()
    assert start(everybody(), now=ends_at, ends_at=ends_at).reason == "window_over"


@pytest.mark.parametrize(
    ("told", "now", "earliest"),
    [
        pytest.param(everybody(), NOW, STARTS, id="never before the announced start"),
        pytest.param(
            everybody(in_time=2, late=1, latest=STARTS - DAY + SECOND),
            NOW,
            STARTS + SECOND,
            id="24 hours after the last was told",
        ),
        pytest.param(everybody(in_time=2), NOW + DAY, NOW + 2 * DAY, id="were the rest told now"),
    ],
)
def test_the_earliest_lawful_start(told, now, earliest):
    assert earliest_lawful_start(DEMAND, now=now, starts_at=STARTS, told=told) == earliest


def test_a_wider_extent_needs_24_hours_and_none_is_lawful_once_the_water_is_off():
    wide = {"starts_at": NOW + DAY, "in_effect": False}
    assert judge_widening(DEMAND, now=NOW, **wide) == Allowed()
    assert judge_widening(DEMAND, now=NOW + SECOND, **wide).reason == "notice_too_late"
    running = judge_widening(DEMAND, now=NOW, starts_at=NOW, in_effect=True)
    assert (running.reason, running.earliest) == ("widened_in_effect", NOW + DAY)


def test_the_deadline_to_be_told_by():
    assert told_by(DEMAND, STARTS) == STARTS - DAY
    assert told_by(None, STARTS) == STARTS


@pytest.mark.parametrize(
    ("hours", "passed"), [(37, []), (36, [36]), (31, [36]), (30, [36, 30]), (26, [36, 30, 26])]
)
def test_warnings(hours, passed):
    planned = LISHUI.obligation("outage.planned", TODAY)
    now = STARTS - timedelta(hours=hours)
    assert warnings_passed(planned, now=now, starts_at=STARTS) == passed
