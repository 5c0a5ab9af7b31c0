"""第十六条: an instrument's reading is judged as a laboratory's result is, only faster."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.book import load_book
from water2.rules.limits import judge_item
from water2.rules.online import MOST_REMEMBERED, Gauge, gauge, measurable, unit_fits
from water2.rules.readings import plausible, read_result

BOOK = load_book("lishui")
DAY = date(2026, 11, 23)


def a_gauge(key: str, point: str = "terminal", day: date = DAY) -> Gauge:
    return gauge(BOOK.parameters[key], BOOK.limits_on(day).get(key), point)


NUMBERS = [key for key, item in BOOK.parameters.items() if measurable(item)]
TEXTS = st.one_of(
    st.decimals(0, 20, places=2).map(str),
    st.from_regex(r"[<>≤]?\d{1,3}(\.\d{1,3})?", fullmatch=True),
    st.sampled_from(["未检出", "检出", "无", "", "O.3O", "-0.1", "71", "0.05L", "1.0"]),
)


@given(st.sampled_from(NUMBERS), st.sampled_from(["inlet", "outlet", "terminal"]), TEXTS)
def test_a_gauge_judges_as_the_standard_does(key, point, raw):
    judged, reading = a_gauge(key, point).judge(raw), read_result(raw)
    fault = "missing" if reading.kind == "empty" else plausible(BOOK.parameters[key], reading)
    assert judged.fault == fault
    if fault is None:
        limit = BOOK.limits_on(DAY).get(key)
        wanted = judge_item(reading, limit, point).verdict if limit else "not_judged"
        assert judged.verdict == wanted
        assert judged.censored == reading.censored
        assert (judged.value is None) == (reading.value is None)
        assert judged.value is None or Decimal(judged.value) == reading.value


@pytest.mark.parametrize(
    ("key", "point", "raw", "verdict"),
    [
        pytest.param("turbidity", "outlet", "1", "pass", id="at the limit"),
        pytest.param("turbidity", "outlet", "1.01", "fail", id="just outside"),
        pytest.param("ph", "outlet", "6.49", "fail", id="below a range"),
        pytest.param("ph", "outlet", "8.5", "pass", id="at the end of a range"),
        pytest.param("free_chlorine", "terminal", "0.04", "fail", id="too little at the tap"),
        pytest.param("free_chlorine", "outlet", "0.04", "pass", id="no lower bound elsewhere"),
        pytest.param("free_chlorine", "terminal", "<0.1", "pending", id="not certain"),
    ],
)
def test_limits_hold_at_their_point(key, point, raw, verdict):
    assert a_gauge(key, point).judge(raw).verdict == verdict


def test_before_the_standard_held_nothing_is_judged():
    early = a_gauge("turbidity", "outlet", date(2023, 3, 31))
    assert early.judge("9").verdict == "not_judged"


@pytest.mark.parametrize(
    ("wanted", "given_unit", "fits"),
    [
        ("mg/L", "mg/l", True),
        ("mg/L", "ｍｇ／Ｌ", True),
        ("mg/L", "NTU", False),
        ("NTU", "ntu", True),
        ("mg/L", "µg/L", False),
        (None, "pH", True),
        (None, "", True),
        (None, "mg/L", False),
        ("mg/L", None, False),
    ],
)
def test_a_unit_fits_however_it_is_written(wanted, given_unit, fits):
    assert unit_fits(wanted, given_unit) is fits


def test_a_gauge_that_is_asked_all_day_forgets_what_it_judged():
    turbidity = a_gauge("turbidity")
    for n in range(MOST_REMEMBERED + 1):
        assert turbidity.judge(f"0.{n:06}").verdict == "pass"
    assert len(turbidity._judged) <= MOST_REMEMBERED
    assert turbidity.judge("9").verdict == "fail"
