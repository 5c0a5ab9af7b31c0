"""Civil days: clamped months, anniversaries, periods, plans off holidays."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.calendar import (
    add_months,
    anniversary,
    move_to_working_day,
    period_keys,
    period_of,
    periods_between,
)

DAYS = st.dates(date(1990, 1, 1), date(2090, 1, 1))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        pytest.param(date(2025, 8, 31), 6, date(2026, 2, 28), id="31 Aug clamps to 28 Feb"),
        pytest.param(date(2023, 8, 31), 6, date(2024, 2, 29), id="31 Aug clamps to 29 Feb"),
        pytest.param(date(2026, 2, 28), 6, date(2026, 8, 28), id="28 Feb goes on to 28 Aug"),
        pytest.param(date(2025, 8, 30), 6, date(2026, 2, 28), id="30 Aug clamps too"),
        pytest.param(date(2025, 12, 31), 6, date(2026, 6, 30), id="31 Dec clamps to 30 Jun"),
        pytest.param(date(2026, 6, 30), 6, date(2026, 12, 30), id="30 Jun does not grow"),
        pytest.param(date(2024, 2, 29), 12, date(2025, 2, 28), id="29 Feb clamps in a year"),
        pytest.param(date(2026, 3, 15), -3, date(2025, 12, 15), id="months go back too"),
    ],
)
def test_months_are_added_from_the_anchor_and_clamped(day: date, months: int, expected: date):
    assert add_months(day, months) == expected


@pytest.mark.parametrize(
    ("day", "last"),
    [
        pytest.param(date(2024, 3, 5), date(2025, 3, 5), id="the anniversary itself still counts"),
        pytest.param(date(2024, 2, 29), date(2025, 2, 28), id="29 Feb ends on 28 Feb"),
        pytest.param(date(2023, 2, 28), date(2024, 2, 28), id="28 Feb does not grow to 29 Feb"),
    ],
)
def test_a_year_lasts_to_the_anniversary(day: date, last: date):
    assert anniversary(day) == last


@given(day=DAYS, months=st.integers(0, 240))
def test_added_months_land_in_the_right_month_and_never_on_a_later_day(day: date, months: int):
    landed = add_months(day, months)
    assert (landed.year * 12 + landed.month) - (day.year * 12 + day.month) == months
    assert landed.day <= day.day
    assert landed.day == day.day or (landed + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("kind", "key", "first", "last"),
    [
        ("half", "2025-H1", date(2025, 1, 1), date(2025, 6, 30)),
        ("quarter", "2025-Q2", date(2025, 4, 1), date(2025, 6, 30)),
        ("month", "2025-06", date(2025, 6, 1), date(2025, 6, 30)),
        ("year", "2025", date(2025, 1, 1), date(2025, 12, 31)),
    ],
)
def test_30_june_lies_in_its_periods(kind, key: str, first: date, last: date):
    period = period_of(date(2025, 6, 30), kind)
    assert (period.key, period.first, period.last) == (key, first, last)


@pytest.mark.parametrize(
    ("first", "last", "keys"),
    [
        pytest.param(
            date(2025, 1, 1), date(2025, 12, 31), ["2025-H1", "2025-H2"], id="both days included"
        ),
        pytest.param(date(2025, 1, 2), date(2025, 12, 31), ["2025-H2"], id="begun a day late"),
        pytest.param(date(2025, 1, 1), date(2025, 12, 30), ["2025-H1"], id="ended a day early"),
        pytest.param(date(2025, 2, 1), date(2025, 3, 1), [], id="inside one half"),
        pytest.param(date(2025, 3, 1), date(2025, 2, 1), [], id="ended before begun"),
    ],
)
def test_only_whole_periods_lie_between(first: date, last: date, keys: list[str]):
    assert [period.key for period in periods_between(first, last, "half")] == keys


@given(day=DAYS, kind=st.sampled_from(["month", "quarter", "half", "year"]))
def test_every_day_lies_in_exactly_its_own_period(day: date, kind):
    period = period_of(day, kind)
    assert period.first <= day <= period.last
    assert period_keys([period.first, day, period.last], kind) == {period.key}


def test_a_plan_moves_back_over_a_holiday_never_on():
    holiday = {date(2026, 10, day) for day in range(1, 9)}
    assert move_to_working_day(date(2026, 10, 5), lambda day: day not in holiday) == date(
        2026, 9, 30
    )


def test_a_plan_on_a_working_day_stays():
    assert move_to_working_day(date(2026, 10, 9), lambda _: True) == date(2026, 10, 9)


def test_a_plan_stays_where_no_working_day_is_known():
    assert move_to_working_day(date(2026, 10, 9), lambda _: False) == date(2026, 10, 9)
