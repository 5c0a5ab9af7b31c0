"""An operator may set stricter values, never looser."""

from datetime import date
from decimal import Decimal

import pytest

from water2.rules.book import load_book
from water2.rules.limits import judge_sample
from water2.rules.provision import Allowed, Refused
from water2.rules.stricter import (
    UnknownSetting,
    UnreadableSetting,
    judge_setting,
    settable,
    with_policy,
)

BOOK = load_book("lishui")
DAY = date(2026, 5, 5)


@pytest.mark.parametrize(
    ("obligation", "key", "value", "lawful"),
    [
        pytest.param("cleaning", "months", 5, True, id="cleaned more often"),
        pytest.param("cleaning", "months", 6, True, id="as often as the law asks"),
        pytest.param("cleaning", "months", 7, False, id="cleaned less often"),
        pytest.param("staff.fitness", "months", "6", True, id="checked twice a year"),
        pytest.param("staff.fitness", "months", 24, False, id="checked every other year"),
        pytest.param("outage.planned", "notice_hours", 48, True, id="told earlier"),
        pytest.param("outage.planned", "notice_hours", 23, False, id="told later"),
        pytest.param("cleaning", "opens_ahead_days", 60, True, id="opened earlier"),
        pytest.param("cleaning", "opens_ahead_days", 30, False, id="opened later"),
        pytest.param(
            "cleaning", "remind_ahead_days", [45, 30, 15, 7, 1], True, id="one reminder more"
        ),
        pytest.param("cleaning", "remind_ahead_days", [30], False, id="reminders fewer"),
        pytest.param("staff.fitness", "months", 12, True, id="a year as the law asks"),
        pytest.param("testing", "points", "inlet outlet terminal", True, id="one more point"),
        pytest.param("testing", "points", "outlet", False, id="one point fewer"),
        pytest.param("ledger", "retention_years", 10, True, id="kept longer"),
        pytest.param("cleaning", "remind_daily_when_overdue", False, False, id="silent when late"),
        pytest.param("water.standard", "turbidity.upper", "0.5", True, id="a lower upper bound"),
        pytest.param("water.standard", "turbidity.upper", 1.5, False, id="a higher upper bound"),
        pytest.param("water.standard", "free_chlorine.lower", "0.1", True, id="a higher lower one"),
        pytest.param(
            "water.standard", "free_chlorine.lower", "0.01", False, id="a lower lower one"
        ),
    ],
)
def test_a_setting_is_as_strict_as_the_law_or_stricter(obligation, key, value, lawful: bool):
    verdict = judge_setting(BOOK, obligation, key, value, DAY)
    assert isinstance(verdict, Allowed) is lawful


def test_the_looser_setting_is_refused_with_the_provision():
    verdict = judge_setting(BOOK, "cleaning", "months", 7, DAY)
    assert isinstance(verdict, Refused)
    assert verdict.provision.quote == "每半年对二次供水设施进行一次清洗、消毒"
    assert verdict.facts == {"key": "months", "held": 6, "wanted": 7, "stricter": "smaller"}


@pytest.mark.parametrize(
    ("obligation", "key", "day"),
    [
        pytest.param("cleaning", "no_such", DAY, id="no such value"),
        pytest.param("no.such", "months", DAY, id="no such obligation"),
        pytest.param("cleaning", "months", date(2022, 11, 8), id="before the text"),
        pytest.param("staff.training", "once", DAY, id="nothing to set"),
        pytest.param("water.standard", "turbidity.lower", DAY, id="no such bound"),
        pytest.param(
            "water.standard", "turbidity.upper", date(2023, 3, 31), id="before the limits"
        ),
    ],
)
def test_there_must_be_something_of_that_name_to_set(obligation: str, key: str, day: date):
    with pytest.raises(UnknownSetting):
        judge_setting(BOOK, obligation, key, 1, day)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("months", 0, id="every 0 months"),
        pytest.param("months", -1, id="every -1 months"),
        pytest.param("months", 5.5, id="a broken month"),
        pytest.param("months", True, id="a yes for a number"),
        pytest.param("months", None, id="nothing"),
        pytest.param("remind_ahead_days", 30, id="a number for a list"),
        pytest.param("remind_ahead_days", ["30"], id="words for days"),
        pytest.param("remind_daily_when_overdue", 1, id="a number for a yes"),
    ],
)
def test_a_value_must_be_of_its_kind(key: str, value: object):
    with pytest.raises(UnreadableSetting):
        judge_setting(BOOK, "cleaning", key, value, DAY)


def test_policy_changes_the_interval_and_calls_it_a_target():
    book = with_policy(BOOK, {("cleaning", "months"): 3})
    cleaning = book.obligation("cleaning", DAY)
    assert cleaning.cadence.months == 3
    assert cleaning.values["months"].basis == "target"
    assert BOOK.obligation("cleaning", DAY).cadence.months == 6


@pytest.mark.parametrize("value", [7, "seven", None])
def test_a_looser_or_unreadable_policy_changes_nothing(value: object):
    book = with_policy(BOOK, {("cleaning", "months"): value, ("no.such", "key"): 1})
    assert book.obligation("cleaning", DAY).cadence.months == 6


def test_a_stricter_limit_is_judged_by():
    book = with_policy(BOOK, {("water.standard", "turbidity.upper"): "0.5"})
    assert settable(book, "water.standard", "turbidity.upper", DAY).value == Decimal("0.5")
    assert judge_sample({"turbidity": "0.8"}, "outlet", DAY, book).verdict == "fail"
    assert judge_sample({"turbidity": "0.8"}, "outlet", DAY, BOOK).verdict == "pass"
