"""第十八条(二): a spike is no excursion, what lasts is one, whatever order readings come in."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.book import load_book
from water2.rules.excursions import (
    ExcursionRule,
    Measured,
    Run,
    excursion_rule,
    excursions,
    fails_again,
)
from water2.rules.instruments import (
    SignRule,
    flat_since,
    in_calibration,
    missing_since,
    sign_rule,
)
from water2.rules.stricter import with_policy

BOOK = load_book("lishui")
DAY = date(2026, 11, 23)
START = datetime(2026, 11, 23, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RULE = ExcursionRule(window=15 * MINUTE, readings=3, gap=5 * MINUTE)


def line(signs: str, step: timedelta = MINUTE) -> list[Measured]:
    """One reading a step: `x` out of limit, `.` within, `?` not certain, `u` out, uncalibrated."""
    return [
        Measured(
            START + n * step,
            {"x": True, "u": True, ".": False, "?": None}[sign],
            Decimal("1.2") if sign in "xu" else Decimal("0.3"),
            sign != "u",
        )
        for n, sign in enumerate(signs)
        if sign != " "
    ]


def spans(found: list[Run]) -> list[tuple[int, int, int | None]]:
    """Runs as minutes: first, last, and the one that ended it."""
    return [
        (
            (run.began - START) // MINUTE,
            (run.last - START) // MINUTE,
            None if run.ended is None else (run.ended - START) // MINUTE,
        )
        for run in found
    ]


@pytest.mark.parametrize(
    ("signs", "wanted"),
    [
        pytest.param("....x....", [], id="a spike"),
        pytest.param("." + "x" * 15 + ".", [], id="fourteen minutes"),
        pytest.param("." + "x" * 16 + ".", [(1, 16, 17)], id="exactly the window"),
        pytest.param("x" * 16, [(0, 15, None)], id="still lasting"),
        pytest.param("x" * 8 + "." + "x" * 9, [], id="one good reading between"),
        pytest.param("x" * 8 + "?" + "x" * 8, [(0, 16, None)], id="one uncertain reading between"),
        pytest.param("x" * 8 + "    " + "x" * 8, [(0, 19, None)], id="the longest gap"),
        pytest.param("x" * 8 + "     " + "x" * 8, [], id="a gap that nobody knows about"),
        pytest.param("x" * 16 + " " * 9 + "x", [(0, 15, 25)], id="ended by what came after a gap"),
        pytest.param("x    x    x    x", [(0, 15, None)], id="few readings, often enough"),
        pytest.param("x" * 16 + "." + "x" * 16, [(0, 15, 16), (17, 32, None)], id="two of them"),
    ],
)
def test_what_is_sustained(signs, wanted):
    assert spans(excursions(line(signs), RULE)) == wanted


def test_a_window_of_two_readings_does_not_suffice():
    rule = ExcursionRule(window=15 * MINUTE, readings=3, gap=75 * MINUTE)
    assert excursions(line("xx", 15 * MINUTE), rule) == []
    assert spans(excursions(line("xxx", 15 * MINUTE), rule)) == [(0, 30, None)]


def test_only_what_was_measured_in_calibration_proves_it():
    (run,) = excursions(line("u" * 16), RULE)
    assert not run.proven
    (run,) = excursions(line("u" * 8 + "x" * 15), RULE)
    assert not run.proven
    (run,) = excursions(line("u" * 8 + "x" * 16), RULE)
    assert run.proven


def test_the_peak_is_the_value_furthest_out():
    high = [Measured(START + n * MINUTE, True, Decimal(1) + n % 7) for n in range(20)]
    assert excursions(high, RULE, upper=Decimal(1))[0].peak == Decimal(7)
    low = [Measured(START + n * MINUTE, True, Decimal("0.04") / (1 + n % 3)) for n in range(20)]
    assert excursions(low, RULE, upper=Decimal(2))[0].peak == Decimal("0.04") / 3


@given(st.text("xxxxxx.?u ", min_size=1, max_size=90), st.integers(0, 89))
def test_a_part_of_the_time_with_what_is_known_beyond_gives_the_same(signs, at):
    """What is read around a new reading is enough: runs known beyond the edges complete it."""
    whole = line(signs)
    new = START + at * MINUTE
    known = [
        run
        for run in excursions([one for one in whole if one.at != new], RULE)
        if not run.contains(new)
    ]
    shaken = [
        run
        for run in excursions([one for one in whole if one.at != new], RULE)
        if run.contains(new)
    ]
    begin = min([new, *(run.began for run in shaken)]) - RULE.margin
    end = max([new, *(run.last for run in shaken)]) + RULE.margin
    part = [one for one in whole if begin <= one.at <= end]
    wanted = [run for run in excursions(whole, RULE) if run.last >= begin and run.began <= end]
    found = excursions(part, RULE, known=known)
    edges = [run for run in wanted if not any(run.contains(one.at) for one in part)]
    assert [(run.began, run.last, run.proven) for run in found] == [
        (run.began, run.last, run.proven) for run in wanted if run not in edges
    ]


def test_the_numbers_are_policy_and_a_utility_may_be_stricter():
    rule = excursion_rule(BOOK, DAY, MINUTE)
    assert rule == RULE
    own = with_policy(BOOK, {("water.standard", "excursion_minutes"): 10})
    assert excursion_rule(own, DAY, MINUTE).window == 10 * MINUTE
    looser = with_policy(BOOK, {("water.standard", "excursion_minutes"): 60})
    assert excursion_rule(looser, DAY, MINUTE) == RULE


def test_a_book_without_these_numbers_knows_no_excursions_and_no_signs():
    book = load_book("us-nyc")
    assert excursion_rule(book, DAY, MINUTE) is None
    assert sign_rule(book, DAY, "turbidity", "chlorine", MINUTE) is None


@pytest.mark.parametrize(
    ("parameter", "disinfectant", "watched"),
    [
        pytest.param("turbidity", "chlorine", True, id="turbidity"),
        pytest.param("ph", "chlorine", True, id="pH"),
        pytest.param("free_chlorine", "chlorine", True, id="the residual in use"),
        pytest.param("ozone", "chlorine", False, id="another residual"),
        pytest.param("nitrate_n", "chlorine", False, id="what may well stand still"),
    ],
)
def test_a_flat_line_is_a_sign_of_some_parameters(parameter, disinfectant, watched):
    rule = sign_rule(BOOK, DAY, parameter, disinfectant, MINUTE)
    assert (rule.flat_for is not None) == watched
    assert rule.missing_after == 5 * MINUTE


SIGNS = SignRule(missing_after=5 * MINUTE, flat_for=10 * MINUTE, flat_readings=5)


def test_readings_are_missing_after_more_than_so_many_intervals():
    assert missing_since(SIGNS, START, START + 5 * MINUTE) is None
    assert missing_since(SIGNS, START, START + 5 * MINUTE + timedelta(seconds=1)) == START


@pytest.mark.parametrize(
    ("values", "step", "since"),
    [
        pytest.param("aaaaaaaaaaa", 1, 0, id="exactly as long"),
        pytest.param("aaaaaaaaaa", 1, None, id="a minute less"),
        pytest.param("baaaaaaaaaaa", 1, 1, id="another value before"),
        pytest.param("aaaaabaaaaaa", 1, None, id="it moved"),
        pytest.param("aaaa", 4, None, id="too few readings"),
        pytest.param("", 1, None, id="no reading"),
    ],
)
def test_a_line_is_flat_when_it_is_long_and_dense(values, step, since):
    readings = [(START + n * step * MINUTE, value) for n, value in enumerate(values)]
    found = flat_since(SIGNS, readings[::-1])
    assert found == (None if since is None else START + since * MINUTE)


def test_a_calibration_counts_on_both_its_days():
    valid = [(date(2026, 1, 1), date(2026, 6, 30))]
    assert in_calibration(valid, date(2026, 1, 1))
    assert in_calibration(valid, date(2026, 6, 30))
    assert not in_calibration(valid, date(2026, 7, 1))
    assert not in_calibration([], DAY)


@pytest.mark.parametrize(
    ("further", "lasting", "since"),
    [
        pytest.param([1, 2], True, 2, id="late ones of what lasts: the last"),
        pytest.param([1, 2], False, None, id="late ones of what is over: nothing new"),
        pytest.param([1, 5], False, None, id="the very instant of resuming is before it"),
        pytest.param([2, 6, 7], True, 6, id="the first one after supply resumed"),
        pytest.param([2, 6, 7], False, 6, id="also where it is over by now"),
    ],
)
def test_water_let_flow_fails_again_with_the_next_failing_reading(further, lasting, since):
    instants = [START + n * MINUTE for n in further]
    found = fails_again(instants, START + 5 * MINUTE, lasting=lasting)
    assert found == (None if since is None else START + since * MINUTE)
