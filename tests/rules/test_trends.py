"""Which limits held over a span, and how much of what was tested met them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.test_every_limit import second_city
from water2.rules.book import load_book
from water2.rules.compliance import Rate, mean_hours
from water2.rules.limit_steps import limit_steps

BOOK = load_book("lishui")


def told(steps):
    return [(step.first, step.last, str(step.limit.upper)) for step in steps]


def test_a_limit_begins_within_the_span_with_its_edition():
    steps = limit_steps(BOOK, "turbidity", date(2023, 1, 1), date(2024, 12, 31))
    assert told(steps) == [(date(2023, 4, 1), date(2024, 12, 31), "1")]


def test_before_the_first_edition_there_is_no_limit():
    assert limit_steps(BOOK, "turbidity", date(2022, 1, 1), date(2023, 3, 31)) == ()


def test_each_edition_is_a_step_of_its_own_days():
    book = second_city()
    assert told(limit_steps(book, "turbidity", date(2023, 1, 1), date(2026, 12, 31))) == [
        (date(2023, 4, 1), date(2024, 2, 29), "1"),
        (date(2024, 3, 1), date(2025, 12, 31), "0.5"),
        (date(2026, 1, 1), date(2026, 12, 31), "0.3"),
    ]
    assert told(limit_steps(book, "iron", date(2024, 12, 1), date(2025, 1, 31))) == [
        (date(2024, 12, 1), date(2024, 12, 31), "0.2"),
        (date(2025, 1, 1), date(2025, 1, 31), "0.3"),
    ]


@given(st.dates(date(2022, 1, 1), date(2027, 12, 31)), st.integers(0, 2000))
def test_the_steps_say_of_every_day_what_the_book_says(first: date, days: int):
    book = second_city()
    last = first + timedelta(days=days)
    steps = limit_steps(book, "turbidity", first, last)
    for day in {first, last, *(first + timedelta(days=n) for n in range(0, days, 97))}:
        held = [step.limit for step in steps if step.first <= day <= step.last]
        on_the_day = book.limits_on(day).get("turbidity")
        assert held == ([] if on_the_day is None else [on_the_day])


@pytest.mark.parametrize(("disinfectant", "count"), [("chlorine", 1), ("chloramine", 0), ("uv", 0)])
def test_a_residual_has_limits_where_it_is_the_one_in_use(disinfectant, count: int):
    days = date(2025, 1, 1), date(2025, 12, 31)
    assert len(limit_steps(BOOK, "free_chlorine", *days, disinfectant)) == count


@pytest.mark.parametrize(
    ("passed", "judged", "percent"),
    [
        pytest.param(0, 0, None, id="of nothing there is no rate"),
        pytest.param(199, 200, "99.50", id="one of two hundred failed"),
        pytest.param(99_999, 100_000, "99.99", id="never rounded up to all"),
        pytest.param(200, 200, "100.00", id="all passed"),
        pytest.param(0, 3, "0.00", id="none passed"),
        pytest.param(1, 3, "33.33", id="a third"),
    ],
)
def test_a_rate_tells_what_it_was_counted_from(passed: int, judged: int, percent: str | None):
    assert Rate(passed, judged).percent == percent


def test_mean_hours_are_told_to_one_digit():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    spans = [(start, start + timedelta(hours=hours)) for hours in (1, 2, 2)]
    assert mean_hours(spans) == "1.7"
    assert mean_hours([]) is None
