"""GB 17051: what water takes up between inlet and outlet, judged by what is certain."""

from datetime import UTC, date, datetime

import pytest

from water2.rules.book import load_book
from water2.rules.increments import PairedSample, inlet_of, judge_increments

BOOK = load_book("lishui")
DAY = date(2025, 5, 5)


def judged(inlet: str, outlet: str, key: str = "ammonia_n", day: date = DAY):
    (item,) = judge_increments({key: outlet}, {key: inlet}, day, BOOK)
    return item


@pytest.mark.parametrize(
    ("inlet", "outlet", "verdict", "told"),
    [
        pytest.param("0.10", "0.15", "pass", "0.05", id="just inside"),
        pytest.param("0.10", "0.20", "pass", "0.10", id="at the limit is within it"),
        pytest.param("0.10", "0.21", "fail", "0.11", id="just outside"),
        pytest.param("0.30", "0.10", "pass", "-0.20", id="a fall is no rise"),
        pytest.param("<0.02", "<0.02", "pass", "<0.02", id="neither was seen"),
        pytest.param("0.30", "<0.02", "pass", "<-0.28", id="outlet below its detection limit"),
        pytest.param("<0.02", "0.10", "pass", "≤0.10", id="at most the limit, whatever came in"),
        pytest.param("<0.02", "0.11", "pending", "≤0.11", id="0.09 or 0.11, nobody knows"),
        pytest.param("<0.02", "0.12", "fail", ">0.10", id="more than the limit for certain"),
        pytest.param("≤0.02", "0.12", "pending", "≥0.10", id="the limit itself is possible"),
        pytest.param("<0.02", "0.50", "fail", ">0.48", id="far more"),
        pytest.param("0.10", ">0.30", "fail", ">0.20", id="above its range"),
        pytest.param("0.10", "<0.50", "pending", "<0.40", id="a bound too coarse"),
        pytest.param("0.10", "未检出", "pass", "-0.10", id="nothing left at the outlet"),
        pytest.param("未检出", "0.05", "pass", "≤0.05", id="within it even from nothing"),
        pytest.param("未检出", "0.30", "pending", "≤0.30", id="below what, nobody wrote"),
        pytest.param("0.10", "检出", "pending", "≥-0.10", id="found, but how much"),
    ],
)
def test_an_increment_is_judged_by_what_is_certain(inlet, outlet, verdict, told):
    item = judged(inlet, outlet)
    assert item.parameter == "ammonia_n_increment"
    assert (item.verdict, item.reading.raw) == (verdict, told)


@pytest.mark.parametrize(
    ("key", "outlet", "verdict", "shown"),
    [
        ("ammonia_n", "1.1", "pass", "≤ 0.1"),
        ("ammonia_n", "1.11", "fail", "≤ 0.1"),
        ("nitrite_n", "1.02", "pass", "≤ 0.02"),
        ("nitrite_n", "1.021", "fail", "≤ 0.02"),
        ("codmn", "2.0", "pass", "≤ 1.0"),
        ("codmn", "2.01", "fail", "≤ 1.0"),
    ],
)
def test_each_item_has_its_own_increment(key, outlet, verdict, shown):
    item = judged("1.0", outlet, key)
    assert (item.parameter, item.verdict, item.shown) == (f"{key}_increment", verdict, shown)


@pytest.mark.parametrize(
    ("day", "edition"),
    [(date(2026, 5, 31), "gb-17051-1997"), (date(2026, 6, 1), "gb-17051-2025")],
)
def test_the_increments_are_those_of_the_edition_in_force_and_marked_as_not_read(day, edition):
    limits = BOOK.increments_on(day)
    assert {limit.instrument.key for limit in limits.values()} == {edition}
    assert [limit.verified for limit in limits.values()] == [False] * 3


def test_increments_are_no_limits_of_their_own():
    assert not [key for key in BOOK.limits_on(DAY) if key.endswith("_increment")]
    assert BOOK.limits_on(date(2020, 1, 1)) == {}


def test_what_one_of_the_two_lacks_has_no_increment():
    assert judge_increments({"ammonia_n": "0.3"}, {"codmn": "1"}, DAY, BOOK) == ()
    assert judge_increments({"ammonia_n": ""}, {"ammonia_n": "0.1"}, DAY, BOOK) == ()


def a_sample(id_: str, hour: int = 9, **changes) -> PairedSample:
    given = {"on": DAY, "tank_id": None, "report_number": None} | changes
    return PairedSample(id_, at=datetime(2025, 5, 5, hour, tzinfo=UTC), **given)


OUTLET = a_sample("out", tank_id="1#", report_number="R1")


@pytest.mark.parametrize(
    ("inlets", "chosen"),
    [
        pytest.param([], None, id="none"),
        pytest.param([a_sample("a")], "a", id="of the day"),
        pytest.param([a_sample("a", on=date(2025, 5, 4))], None, id="of another day"),
        pytest.param(
            [a_sample("a", on=date(2025, 5, 4), report_number="R1")], "a", id="of the same report"
        ),
        pytest.param(
            [a_sample("a"), a_sample("b", hour=11, report_number="R1")], "b", id="report first"
        ),
        pytest.param([a_sample("a"), a_sample("b", hour=11, tank_id="1#")], "b", id="then tank"),
        pytest.param([a_sample("a", hour=7), a_sample("b", hour=10)], "b", id="then nearest"),
    ],
)
def test_an_outlet_is_compared_with_the_inlet_of_its_visit(inlets, chosen):
    found = inlet_of(OUTLET, inlets)
    assert (found.id if found else None) == chosen
