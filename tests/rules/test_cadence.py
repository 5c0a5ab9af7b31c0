"""By when: due days, chains of duties, periods missed for good."""

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.cadence import (
    Cadence,
    Evidence,
    Link,
    chain,
    evidences_of,
    first_due,
    missed_periods,
    next_due,
)
from water2.rules.calendar import add_months

HALF_YEAR = Cadence(months=6)
WEEK = Cadence(days=7)
YEARLY = Cadence(calendar="year")
ONCE = Cadence(once=True, at_once=True)
CHECK = Cadence(months=12, at_once=True)


@pytest.mark.parametrize(
    ("cadence", "runs_from", "due"),
    [
        pytest.param(
            HALF_YEAR, date(2025, 8, 31), date(2026, 2, 28), id="six months from the first day"
        ),
        pytest.param(WEEK, date(2025, 8, 31), date(2025, 9, 7), id="a week from the first day"),
        pytest.param(YEARLY, date(2015, 1, 1), date(2015, 12, 31), id="the end of that year"),
        pytest.param(CHECK, date(2026, 11, 23), date(2026, 11, 23), id="before work means today"),
        pytest.param(ONCE, date(2026, 11, 23), date(2026, 11, 23), id="training before work too"),
    ],
)
def test_what_was_never_done_is_first_due(cadence: Cadence, runs_from: date, due: date):
    assert first_due(cadence, runs_from) == due


@pytest.mark.parametrize(
    ("cadence", "done_on", "due"),
    [
        pytest.param(HALF_YEAR, date(2025, 8, 31), date(2026, 2, 28), id="31 Aug to 28 Feb"),
        pytest.param(HALF_YEAR, date(2026, 2, 28), date(2026, 8, 28), id="then 28 Aug"),
        pytest.param(WEEK, date(2024, 2, 26), date(2024, 3, 4), id="a week over 29 Feb"),
        pytest.param(YEARLY, date(2015, 1, 1), date(2016, 12, 31), id="the year after, early"),
        pytest.param(YEARLY, date(2015, 12, 31), date(2016, 12, 31), id="the year after, late"),
        pytest.param(ONCE, date(2025, 1, 1), None, id="once is enough"),
    ],
)
def test_what_was_done_is_next_due(cadence: Cadence, done_on: date, due: date | None):
    assert next_due(cadence, done_on) == due


def cleanings(*days: date) -> tuple[Evidence, ...]:
    return evidences_of(HALF_YEAR, [(f"c{n}", day) for n, day in enumerate(days)])


def test_a_chain_without_evidence_is_one_open_link():
    assert chain(date(2026, 6, 1), ()) == (Link(1, date(2026, 6, 1)),)


def test_each_evidence_closes_a_link_and_sets_the_next_due_day():
    links = chain(date(2024, 6, 1), cleanings(date(2024, 5, 31), date(2025, 1, 10)))
    assert links == (
        Link(1, date(2024, 6, 1), date(2024, 5, 31), "c0"),
        Link(2, date(2024, 11, 30), date(2025, 1, 10), "c1"),
        Link(3, date(2025, 7, 10)),
    )


def test_two_cleanings_on_one_day_make_one_link():
    day = date(2024, 5, 31)
    links = chain(date(2024, 6, 1), [Evidence("b", day, None), Evidence("a", day, None)])
    assert links == (Link(1, date(2024, 6, 1), day, "a"),)
    assert len(chain(date(2024, 6, 1), cleanings(day, day))) == 2


def test_training_ends_its_chain():
    links = chain(date(2026, 1, 1), evidences_of(ONCE, [("t", date(2025, 5, 5))]))
    assert links == (Link(1, date(2026, 1, 1), date(2025, 5, 5), "t"),)


def test_two_inspections_of_one_year_do_not_satisfy_the_next():
    done = [("a", date(2015, 3, 1)), ("b", date(2015, 12, 30)), ("c", date(2017, 1, 2))]
    assert chain(date(2015, 12, 31), evidences_of(YEARLY, done)) == (
        Link(1, date(2015, 12, 31), date(2015, 3, 1), "a"),
        Link(2, date(2016, 12, 31), date(2017, 1, 2), "c"),
        Link(3, date(2018, 12, 31)),
    )


DAYS = st.lists(st.dates(date(2022, 11, 9), date(2030, 12, 31)), max_size=12)


@given(days=DAYS)
def test_the_next_due_day_is_never_more_than_six_months_after_what_was_credited(days: list[date]):
    links = chain(date(2023, 5, 9), cleanings(*days))
    for before, after in itertools.pairwise(links):
        assert before.satisfied_on is not None
        assert after.due_on == add_months(before.satisfied_on, 6)
        assert after.due_on - before.satisfied_on <= timedelta(days=184)


@given(days=DAYS)
def test_exactly_the_last_link_is_open(days: list[date]):
    links = chain(date(2023, 5, 9), cleanings(*days))
    assert [link.ordinal for link in links] == list(range(1, len(set(days)) + 2))
    assert [link.satisfied_on is None for link in links] == [False] * (len(links) - 1) + [True]


@given(data=st.data(), days=DAYS)
def test_the_order_of_arrival_changes_nothing(data: st.DataObject, days: list[date]):
    evidences = list(cleanings(*days))
    shuffled = data.draw(st.permutations(evidences))
    assert chain(date(2023, 5, 9), shuffled) == chain(date(2023, 5, 9), evidences)


@pytest.mark.parametrize(
    ("runs_from", "until", "today", "covered", "missed"),
    [
        pytest.param(
            date(2024, 7, 1), None, date(2025, 7, 1), [], ("2024-H2", "2025-H1"), id="over today"
        ),
        pytest.param(
            date(2024, 7, 1), None, date(2025, 6, 30), [], ("2024-H2",), id="its last day is today"
        ),
        pytest.param(
            date(2024, 7, 2), None, date(2025, 7, 1), [], ("2025-H1",), id="in use a day too late"
        ),
        pytest.param(
            date(2024, 7, 1), None, date(2025, 7, 1), ["2025-H1"], ("2024-H2",), id="one is covered"
        ),
        pytest.param(
            date(2024, 7, 1),
            date(2025, 6, 29),
            date(2026, 7, 1),
            [],
            ("2024-H2",),
            id="ended early",
        ),
        pytest.param(
            date(2024, 7, 1),
            date(2025, 6, 30),
            date(2026, 7, 1),
            [],
            ("2024-H2", "2025-H1"),
            id="ended on the last day",
        ),
    ],
)
def test_a_half_counts_as_missed_when_over_and_wholly_in_use(
    runs_from: date, until: date | None, today: date, covered: list[str], missed: tuple[str, ...]
):
    assert missed_periods("half", runs_from, until, today, covered) == missed


def test_a_year_without_inspection_is_missed():
    assert missed_periods("year", date(2015, 1, 1), None, date(2018, 1, 1), {"2015", "2017"}) == (
        "2016",
    )
