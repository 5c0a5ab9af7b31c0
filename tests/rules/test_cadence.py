"""By when: due days, chains of duties, periods missed for good."""

import itertools
from collections.abc import Iterable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.cadence import (
    Cadence,
    Era,
    Evidence,
    Link,
    chain,
    due_under,
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


def one_rule(first: date, evidences: Iterable[Evidence]) -> tuple[Link, ...]:
    """Derive a chain where one rule held all along."""
    return chain([Era(date.min, first, tuple(evidences))], first, date(2031, 1, 1))


def test_a_chain_without_evidence_is_one_open_link():
    assert one_rule(date(2026, 6, 1), ()) == (Link(1, date(2026, 6, 1)),)


def test_each_evidence_closes_a_link_and_sets_the_next_due_day():
    links = one_rule(date(2024, 6, 1), cleanings(date(2024, 5, 31), date(2025, 1, 10)))
    assert links == (
        Link(1, date(2024, 6, 1), date(2024, 5, 31), "c0"),
        Link(2, date(2024, 11, 30), date(2025, 1, 10), "c1"),
        Link(3, date(2025, 7, 10)),
    )


def test_two_cleanings_on_one_day_make_one_link():
    day = date(2024, 5, 31)
    links = one_rule(date(2024, 6, 1), [Evidence("b", day, None), Evidence("a", day, None)])
    assert links == (Link(1, date(2024, 6, 1), day, "a"),)
    assert len(one_rule(date(2024, 6, 1), cleanings(day, day))) == 2


def test_training_ends_its_chain():
    links = one_rule(date(2026, 1, 1), evidences_of(ONCE, [("t", date(2025, 5, 5))]))
    assert links == (Link(1, date(2026, 1, 1), date(2025, 5, 5), "t"),)


def test_two_inspections_of_one_year_do_not_satisfy_the_next():
    done = [("a", date(2015, 3, 1)), ("b", date(2015, 12, 30)), ("c", date(2017, 1, 2))]
    assert one_rule(date(2015, 12, 31), evidences_of(YEARLY, done)) == (
        Link(1, date(2015, 12, 31), date(2015, 3, 1), "a"),
        Link(2, date(2016, 12, 31), date(2017, 1, 2), "c"),
        Link(3, date(2018, 12, 31)),
    )


SIX, THREE = Cadence(months=6), Cadence(months=3)
STRICTER_FROM = date(2026, 5, 1)


def two_rules(runs_from: date, today: date, *done_on: date) -> list[tuple[date, date | None]]:
    """Derive (due, satisfied) where three months replaced six on 1 May 2026."""
    done = [(f"c{n}", day) for n, day in enumerate(done_on)]
    eras = [
        Era(begins, first_due(cadence, runs_from), evidences_of(cadence, done))
        for begins, cadence in ((date.min, SIX), (STRICTER_FROM, THREE))
    ]
    return [(link.due_on, link.satisfied_on) for link in chain(eras, runs_from, today)]


def test_a_stricter_rule_leaves_the_past_as_it_was_judged():
    assert two_rules(
        date(2025, 1, 1), date(2026, 6, 1), date(2025, 6, 20), date(2025, 12, 19), date(2026, 4, 2)
    ) == [
        (date(2025, 7, 1), date(2025, 6, 20)),
        (date(2025, 12, 20), date(2025, 12, 19)),
        (date(2026, 6, 19), date(2026, 4, 2)),
        (date(2026, 7, 2), None),
    ]


def test_a_rule_to_come_changes_nothing_before_its_first_day():
    assert two_rules(date(2026, 3, 1), date(2026, 4, 30)) == [(date(2026, 9, 1), None)]
    assert two_rules(date(2026, 3, 1), STRICTER_FROM) == [(date(2026, 6, 1), None)]


def test_a_duty_that_begins_under_the_later_rule_knows_no_other():
    assert two_rules(date(2026, 5, 1), date(2026, 6, 1)) == [(date(2026, 8, 1), None)]


@pytest.mark.parametrize(
    ("days", "on", "due"),
    [
        pytest.param([(3, 20)], 1, 20, id="one rule alone"),
        pytest.param([(3, 20), (10, 15)], 9, 20, id="the day before the stricter one"),
        pytest.param([(3, 20), (10, 15)], 10, 15, id="on its first day"),
        pytest.param([(3, 20), (10, 8)], 10, 10, id="never late before it began"),
        pytest.param([(3, 9), (10, 8)], 10, 9, id="late already, by the rule it broke"),
        pytest.param([(3, 9), (10, 25)], 10, 9, id="a looser one forgives nothing"),
        pytest.param([(3, 20), (10, 25)], 10, 25, id="a looser one in time gives time"),
        pytest.param([(3, 20), (10, 15), (12, 13)], 12, 13, id="one after the other"),
        pytest.param([(3, 20), (5, 18), (10, 15)], 10, 15, id="the anchor lies in the second"),
        pytest.param([(3, None), (10, 15)], 10, None, id="once was enough and stays so"),
    ],
)
def test_the_due_day_as_it_stood_on_a_day(
    days: list[tuple[int, int | None]], on: int, due: int | None
):
    def day(number: int | None) -> date | None:
        return None if number is None else date(2026, 1, number)

    given_days = [(date(2026, 1, begins), day(due_on)) for begins, due_on in days]
    assert due_under(given_days, date(2026, 1, 6), date(2026, 1, on)) == day(due)


DAYS = st.lists(st.dates(date(2022, 11, 9), date(2030, 12, 31)), max_size=12)


@given(days=DAYS)
def test_the_next_due_day_is_never_more_than_six_months_after_what_was_credited(days: list[date]):
    links = one_rule(date(2023, 5, 9), cleanings(*days))
    for before, after in itertools.pairwise(links):
        assert before.satisfied_on is not None
        assert after.due_on == add_months(before.satisfied_on, 6)
        assert after.due_on - before.satisfied_on <= timedelta(days=184)


@given(days=DAYS)
def test_exactly_the_last_link_is_open(days: list[date]):
    links = one_rule(date(2023, 5, 9), cleanings(*days))
    assert [link.ordinal for link in links] == list(range(1, len(set(days)) + 2))
    assert [link.satisfied_on is None for link in links] == [False] * (len(links) - 1) + [True]


@given(data=st.data(), days=DAYS)
def test_the_order_of_arrival_changes_nothing(data: st.DataObject, days: list[date]):
    evidences = list(cleanings(*days))
    shuffled = data.draw(st.permutations(evidences))
    assert one_rule(date(2023, 5, 9), shuffled) == one_rule(date(2023, 5, 9), evidences)


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
