"""第十六条: results read as written, judged by what is certain, by the limits of their day."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.limits import (
    complete,
    judge_item,
    judge_sample,
    parameter_key,
    read_result,
)

BOOK = load_book("lishui")
DAY = date(2025, 5, 5)
LIMITS = BOOK.limits_on(DAY)


@pytest.mark.parametrize(
    ("parameter", "raw", "point", "verdict"),
    [
        pytest.param("turbidity", "0.99", "outlet", "pass", id="just inside"),
        pytest.param("turbidity", "1", "outlet", "pass", id="at the limit is within it"),
        pytest.param("turbidity", "1.01", "outlet", "fail", id="just outside"),
        pytest.param("turbidity", "<0.1", "outlet", "pass", id="below a bound inside"),
        pytest.param("turbidity", "<1", "outlet", "pass", id="below the limit itself"),
        pytest.param("turbidity", "<2", "outlet", "pending", id="below a bound outside"),
        pytest.param("turbidity", ">1", "outlet", "fail", id="above the limit itself"),
        pytest.param("turbidity", "≥1", "outlet", "pending", id="at least the limit"),
        pytest.param("turbidity", ">0.5", "outlet", "pending", id="above a bound inside"),
        pytest.param("turbidity", "-0.3", "outlet", "pending", id="a negative is no pass"),
        pytest.param("turbidity", "O.3O", "outlet", "pending", id="unreadable is no pass"),
        pytest.param("turbidity", "检出", "outlet", "pending", id="detected, but how much"),
        pytest.param("turbidity", "", "outlet", "pending", id="an empty cell is no pass"),
        pytest.param("colour", "<5", "outlet", "pass", id="<5 against 15"),
        pytest.param("ph", "6.5", "outlet", "pass", id="pH at its lower limit"),
        pytest.param("ph", "6.49", "inlet", "fail", id="pH below it at every point"),
        pytest.param("ph", "8.5", "outlet", "pass", id="pH at its upper limit"),
        pytest.param("ph", "8.51", "outlet", "fail", id="pH above it"),
        pytest.param("free_chlorine", "0.05", "terminal", "pass", id="residual at its limit"),
        pytest.param("free_chlorine", "0.04", "terminal", "fail", id="residual below it"),
        pytest.param("free_chlorine", "<0.05", "terminal", "fail", id="<0.05 against 0.05"),
        pytest.param("free_chlorine", "≤0.05", "terminal", "pending", id="at most the limit"),
        pytest.param("free_chlorine", "<0.1", "terminal", "pending", id="<0.1 against 0.05"),
        pytest.param("free_chlorine", "<0.02", "terminal", "fail", id="<0.02 against 0.05"),
        pytest.param("free_chlorine", "未检出", "terminal", "fail", id="no residual found"),
        pytest.param("free_chlorine", "<0.05", "outlet", "pass", id="no lower bound at outlet"),
        pytest.param("free_chlorine", "0.01", "inlet", "pass", id="no lower bound at inlet"),
        pytest.param("free_chlorine", "2.01", "outlet", "fail", id="too much anywhere"),
        pytest.param("total_coliform", "未检出", "terminal", "pass", id="not detected"),
        pytest.param("total_coliform", "0", "terminal", "pass", id="zero is not detected"),
        pytest.param("total_coliform", "<1", "terminal", "pass", id="a count below one"),
        pytest.param("total_coliform", "<2", "terminal", "pending", id="a count below two"),
        pytest.param("total_coliform", "2", "terminal", "fail", id="two found"),
        pytest.param("total_coliform", ">80", "terminal", "fail", id="over eighty found"),
        pytest.param("total_coliform", "检出", "terminal", "fail", id="detected"),
        pytest.param("plate_count", "100", "terminal", "pass", id="a hundred colonies"),
        pytest.param("plate_count", "101", "terminal", "fail", id="a hundred and one"),
        pytest.param("plate_count", ">300", "terminal", "fail", id="too many to count"),
        pytest.param("plate_count", "未检出", "terminal", "pass", id="no colony"),
        pytest.param("odour_taste", "无异臭、异味", "outlet", "pass", id="in the words of the law"),
        pytest.param("odour_taste", "无　", "outlet", "pass", id="none"),
        pytest.param("odour_taste", "有铁腥味", "outlet", "fail", id="it smells of iron"),
        pytest.param("visible_matter", "无", "outlet", "pass", id="nothing seen"),
        pytest.param("visible_matter", "少量铁锈", "outlet", "fail", id="rust seen"),
        pytest.param("nitrite_n", "5", "outlet", "not_judged", id="a reference binds nobody"),
    ],
)
def test_an_item_is_judged_by_what_is_certain(parameter: str, raw: str, point, verdict: str):
    assert judge_item(read_result(raw), LIMITS[parameter], point).verdict == verdict


@pytest.mark.parametrize(
    ("parameter", "point", "shown"),
    [
        ("turbidity", "outlet", "≤ 1"),
        ("ph", "outlet", "6.5–8.5"),
        ("free_chlorine", "outlet", "≤ 2"),
        ("free_chlorine", "terminal", "0.05–2"),
        ("total_coliform", "outlet", "absent"),
        ("odour_taste", "outlet", "无异臭、异味"),
    ],
)
def test_the_limit_shown_is_the_one_of_that_point(parameter: str, point, shown: str):
    assert judge_item(read_result("0"), LIMITS[parameter], point).shown == shown


GOOD = {
    "colour": "<5",
    "turbidity": "0.35",
    "odour_taste": "无",
    "visible_matter": "无",
    "ph": "7.2",
    "total_coliform": "未检出",
    "plate_count": "12",
    "free_chlorine": "0.30",
}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        pytest.param({}, "pass", id="all within"),
        pytest.param({"turbidity": "1.2"}, "fail", id="one fails"),
        pytest.param({"turbidity": "<2"}, "pending", id="one is uncertain"),
        pytest.param({"turbidity": "<2", "ph": "9"}, "fail", id="a failure outweighs doubt"),
        pytest.param({"nitrite_n": "5"}, "pass", id="a reference value is not binding"),
        pytest.param({"total_chlorine": "9"}, "pass", id="another disinfectant's residual"),
        pytest.param({"radon": "9"}, "pass", id="an item nobody set a limit for"),
    ],
)
def test_a_sample_adds_up_its_items(changes: dict[str, str], verdict: str):
    assert judge_sample(GOOD | changes, "terminal", DAY, BOOK).verdict == verdict


def test_a_sample_without_items_passes_nothing():
    assert judge_sample({}, "terminal", DAY, BOOK).verdict == "pending"


@pytest.mark.parametrize(
    ("day", "judged", "verdict"),
    [
        pytest.param(date(2023, 3, 31), False, "pending", id="the day before the standard"),
        pytest.param(date(2023, 4, 1), True, "fail", id="its first day"),
    ],
)
def test_limits_are_held_from_their_first_day(day: date, judged: bool, verdict: str):
    found = judge_sample({"turbidity": "5"}, "outlet", day, BOOK)
    assert (found.judged, found.verdict) == (judged, verdict)


@pytest.mark.parametrize(
    ("disinfectant", "key"),
    [
        ("chlorine", "free_chlorine"),
        ("chloramine", "total_chlorine"),
        ("chlorine_dioxide", "chlorine_dioxide"),
        ("ozone", "ozone"),
        ("uv", None),
    ],
)
def test_the_residual_that_counts_is_the_disinfectants(disinfectant, key: str | None):
    assert parameter_key(BOOK, "余氯", disinfectant) == key
    found = {limit.parameter.key for limit in BOOK.limits_on(DAY, disinfectant).values()}
    residuals = found & {"free_chlorine", "total_chlorine", "chlorine_dioxide", "ozone"}
    assert residuals == ({key} if key else set())


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("色度", "colour"),
        ("浑浊度", "turbidity"),
        ("ＰＨ", "ph"),
        ("高锰酸盐指数(以O₂计)", "codmn"),
        ("高锰酸盐指数（以O2计）", "codmn"),
        ("耗氧量", "codmn"),
        ("总大肠菌群", "total_coliform"),
        ("COLIFORM", "total_coliform"),
        ("ECOLI", "e_coli"),
        ("游离氯 ", "free_chlorine"),
        ("free_chlorine", "free_chlorine"),
        ("没有这一项", None),
    ],
)
def test_parameters_are_known_by_the_names_of_files(name: str, key: str | None):
    assert parameter_key(BOOK, name) == key


def test_every_name_means_one_parameter():
    names = [
        name
        for item in BOOK.parameters.values()
        for name in {item.key.lower(), item.title.lower(), *(a.lower() for a in item.aliases)}
    ]
    assert len(names) == len(set(names))


HALOFORMS = ("chloroform", "dibromochloromethane", "bromodichloromethane", "bromoform")


@pytest.mark.parametrize(
    ("raws", "verdict"),
    [
        pytest.param(("0.015", "0.025", "0.015", "0.025"), "pass", id="four quarters are one"),
        pytest.param(("0.016", "0.025", "0.015", "0.025"), "fail", id="a little over one"),
        pytest.param(("<0.001", "<0.001", "<0.001", "<0.001"), "pass", id="all below detection"),
        pytest.param(("0.05", "<0.03", "<0.001", "<0.001"), "pending", id="perhaps over one"),
        pytest.param(("0.05", "未检出", "未检出", "0.02"), "fail", id="two alone are over one"),
    ],
)
def test_the_sum_of_haloforms_is_computed(raws: tuple[str, ...], verdict: str):
    found = judge_sample(dict(zip(HALOFORMS, raws, strict=True)), "outlet", DAY, BOOK)
    assert [item.verdict for item in found.items if item.parameter == "thm_sum"] == [verdict]


def test_a_reported_sum_does_not_hide_the_computed_one():
    results = dict.fromkeys(HALOFORMS, "0.05") | {"thm_sum": "0.2"}
    assert judge_sample(results, "outlet", DAY, BOOK).verdict == "fail"


def test_a_sum_with_a_part_lacking_is_not_computed():
    found = judge_sample({"chloroform": "0.01"}, "outlet", DAY, BOOK)
    assert [item.parameter for item in found.items] == ["chloroform"]


def test_the_items_that_a_set_lacks_are_named_in_order():
    routine = BOOK.item_set("routine", DAY)
    lacking = {key: raw for key, raw in GOOD.items() if key not in ("ph", "colour")}
    assert complete(routine, GOOD) == ()
    assert complete(routine, lacking) == ("colour", "ph")
    assert complete(routine, GOOD | {"ph": " ", "turbidity": "O.3O"}) == ("turbidity", "ph")


def test_new_york_asks_for_absence_alone_and_on_any_day():
    book = load_book("us-nyc")
    clean = judge_sample(
        {"total_coliform": "absent", "e_coli": "absent"}, "outlet", date(2015, 7, 30), book
    )
    found = judge_sample({"total_coliform": "absent", "e_coli": "present"}, "outlet", DAY, book)
    assert (clean.verdict, found.verdict) == ("pass", "fail")
