"""第十六条: every limit of GB 5749-2022 from either side, in every way a result is written.

The table is written out from practice.md by hand: the rulebook is what it examines.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.book import load_book, make_book
from water2.rules.limits import complete, judge_item, judge_sample, read_result
from water2.rules.loading import with_layers

BOOK = load_book("lishui")
DAY = date(2025, 5, 5)
POINTS = ("inlet", "outlet", "terminal")
DISINFECTANTS = ("chlorine", "chloramine", "chlorine_dioxide", "ozone", "uv")
RESIDUALS = {
    "chlorine": "free_chlorine",
    "chloramine": "total_chlorine",
    "chlorine_dioxide": "chlorine_dioxide",
    "ozone": "ozone",
}
FULL_WIDTH = str.maketrans("0123456789.<>", "０１２３４５６７８９．＜＞")


@dataclass(frozen=True)
class Bounds:
    """One row: `lower` holds at `lower_at` alone; `step` is one more digit than the limit has."""

    key: str
    unit: str
    upper: str
    step: str
    lower: str | None = None
    lower_at: tuple[str, ...] = ()
    disinfectant: str = "chlorine"


TERMINAL = ("terminal",)
NUMBERS = {
    row.key: row
    for row in (
        Bounds("colour", "度", "15", "1"),
        Bounds("turbidity", "NTU", "1", "0.01"),
        Bounds("ph", "", "8.5", "0.01", "6.5", POINTS),
        Bounds("plate_count", "CFU/mL", "100", "1"),
        Bounds("free_chlorine", "mg/L", "2", "0.01", "0.05", TERMINAL),
        Bounds("total_chlorine", "mg/L", "3", "0.01", "0.05", TERMINAL, "chloramine"),
        Bounds("chlorine_dioxide", "mg/L", "0.8", "0.01", "0.02", TERMINAL, "chlorine_dioxide"),
        Bounds("ozone", "mg/L", "0.3", "0.01", "0.02", TERMINAL, "ozone"),
        Bounds("ammonia_n", "mg/L", "0.5", "0.01"),
        Bounds("codmn", "mg/L", "3", "0.01"),
        Bounds("nitrate_n", "mg/L", "10", "0.1"),
        Bounds("iron", "mg/L", "0.3", "0.01"),
        Bounds("manganese", "mg/L", "0.1", "0.01"),
        Bounds("aluminium", "mg/L", "0.2", "0.01"),
        Bounds("copper", "mg/L", "1.0", "0.01"),
        Bounds("zinc", "mg/L", "1.0", "0.01"),
        Bounds("chloride", "mg/L", "250", "1"),
        Bounds("sulfate", "mg/L", "250", "1"),
        Bounds("tds", "mg/L", "1000", "1"),
        Bounds("hardness", "mg/L", "450", "1"),
        Bounds("arsenic", "mg/L", "0.01", "0.001"),
        Bounds("cadmium", "mg/L", "0.005", "0.0001"),
        Bounds("chromium6", "mg/L", "0.05", "0.001"),
        Bounds("lead", "mg/L", "0.01", "0.001"),
        Bounds("mercury", "mg/L", "0.001", "0.0001"),
        Bounds("cyanide", "mg/L", "0.05", "0.001"),
        Bounds("fluoride", "mg/L", "1.0", "0.01"),
        Bounds("chloroform", "mg/L", "0.06", "0.001"),
        Bounds("dibromochloromethane", "mg/L", "0.1", "0.001"),
        Bounds("bromodichloromethane", "mg/L", "0.06", "0.001"),
        Bounds("bromoform", "mg/L", "0.1", "0.001"),
        Bounds("thm_sum", "", "1", "0.01"),
    )
}
ABSENT = ("total_coliform", "e_coli")
WORDS = {"odour_taste": "无异臭、异味", "visible_matter": "无"}
REFERENCES = {"nitrite_n": "1"}


def limit_of(key: str):
    disinfectant = NUMBERS[key].disinfectant if key in NUMBERS else "chlorine"
    return BOOK.limits_on(DAY, disinfectant)[key]


def judged(key: str, raw: str, point) -> tuple[str, str | None]:
    found = judge_item(read_result(raw), limit_of(key), point)
    return found.verdict, found.reason


def test_the_table_and_the_rulebook_name_the_same_parameters():
    held = {key for each in DISINFECTANTS for key in BOOK.limits_on(DAY, each)}
    assert held == {*NUMBERS, *ABSENT, *WORDS, *REFERENCES}


def cases_of(row: Bounds, point: str) -> Iterator[tuple[str, str, str]]:
    """Yield (what it is, raw text, verdict) for a limit at a point."""
    upper, step = Decimal(row.upper), Decimal(row.step)
    lower = Decimal(row.lower) if row.lower is not None and point in row.lower_at else None
    inside = (upper + lower) / 2 if lower is not None else upper / 2
    yield "just inside", f"{upper - step}", "pass"
    yield "at the limit", f"{upper}", "pass"
    yield "just outside", f"{upper + step}", "fail"
    yield "far outside", f"{upper * Decimal('1.5')}", "fail"
    yield "above a bound inside", f">{inside}", "pending"
    yield "at least the limit", f"≥{upper}", "pending"
    yield "above the limit", f">{upper}", "fail"
    yield "below a bound outside", f"<{upper + step}", "pending"
    yield "full width inside", f"{inside}".translate(FULL_WIDTH), "pass"
    yield "full width outside", f"{upper + step}".translate(FULL_WIDTH), "fail"
    yield "full width above", f">{upper}".translate(FULL_WIDTH), "fail"
    yield "white space around", f" {upper + step}　", "fail"
    yield "negative", f"-{upper}", "pending"
    yield "nothing said", "—", "pending"
    yield "letters for digits", "O.3O", "pending"
    yield "detected, but how much", "检出", "pending"
    yield "in words", "正常", "pending"
    if lower is None:
        yield "below a bound inside", f"<{inside}", "pass"
        yield "below the limit itself", f"<{upper}", "pass"
        yield "below it in the old notation", f"{inside}L", "pass"
        yield "zero", "0", "pass"
        if row.lower is None or point not in row.lower_at:
            yield from ((word, word, "pass") for word in ("未检出", "ND", "nd", "未检出(<0.0001)"))
        return
    yield "at the lower limit", f"{lower}", "pass"
    yield "just under it", f"{lower - Decimal('0.01')}", "fail"
    yield "below the lower limit", f"<{lower}", "fail"
    yield "at most the lower limit", f"≤{lower}", "pending"
    yield "below a bound within", f"<{inside}", "pending"
    yield "zero", "0", "fail"
    absent = "pending" if row.key == "ph" else "fail"  # there is no water without a pH
    yield from ((word, word, absent) for word in ("未检出", "ND"))


@pytest.mark.parametrize(
    ("key", "point", "raw", "verdict"),
    [
        pytest.param(row.key, point, raw, verdict, id=f"{row.key} at the {point}: {what}")
        for row in NUMBERS.values()
        for point in POINTS
        for what, raw, verdict in cases_of(row, point)
    ],
)
def test_a_limit_is_kept_from_either_side(key: str, point: str, raw: str, verdict: str):
    assert judged(key, raw, point)[0] == verdict


@pytest.mark.parametrize("key", NUMBERS)
@pytest.mark.parametrize(
    "unit", ["mg/L", "NTU", "度", "CFU/mL", "MPN/100mL", "μg/L", "ug/L", "g/L", "％"]
)
def test_a_number_in_another_unit_is_no_result(key: str, unit: str):
    row = NUMBERS[key]
    for raw in (f"{row.upper} {unit}", f"<{row.upper}{unit}"):
        verdict, reason = judged(key, raw, "inlet")
        if unit == row.unit:
            assert verdict == ("pass" if key != "ph" else "pending")
        else:
            assert (verdict, reason) == ("pending", "wrong_unit")


@pytest.mark.parametrize("key", ABSENT)
@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        ("未检出", "pass"),
        ("未检出/100mL", "pass"),
        ("ND", "pass"),
        ("0", "pass"),
        ("０", "pass"),
        ("<1", "pass"),
        ("0 CFU/100mL", "pass"),
        ("<1 MPN/100mL", "pass"),
        ("<2", "pending"),
        ("≤1", "pending"),
        ("1", "fail"),
        ("2 MPN/100mL", "fail"),
        (">0", "fail"),
        (">80", "fail"),
        ("检出", "fail"),
        ("1 CFU/mL", "pending"),
        ("0 mg/L", "pending"),
        ("少量", "pending"),
        ("-1", "pending"),
        ("", "pending"),
    ],
)
def test_bacteria_are_absent_or_they_are_not(key: str, point: str, raw: str, verdict: str):
    assert judged(key, raw, point)[0] == verdict


@pytest.mark.parametrize("key", WORDS)
@pytest.mark.parametrize("point", POINTS)
def test_what_the_senses_find_is_judged_in_words(key: str, point: str):
    for raw in (WORDS[key], "无", "　无 ", "未检出", "ND", "0", "０"):
        assert judged(key, raw, point)[0] == "pass", raw
    for raw in ("有铁腥味", "微浑", "2", "检出"):
        assert judged(key, raw, point)[0] == "fail", raw
    for raw in ("", "O.3O", "?", "0.5 NTU"):
        assert judged(key, raw, point)[0] == "pending", raw


@pytest.mark.parametrize(("raw", "told"), [("0.5", "pass"), ("1", "pass"), ("1.01", "fail")])
@pytest.mark.parametrize("point", POINTS)
def test_a_reference_value_binds_nobody(raw: str, told: str, point: str):
    assert judged("nitrite_n", raw, point) == ("not_judged", f"reference_{told}")
    alone = judge_sample({"nitrite_n": raw}, point, DAY, BOOK)
    beside = judge_sample({"nitrite_n": raw, "turbidity": "0.3"}, point, DAY, BOOK)
    assert (alone.verdict, beside.verdict) == ("pending", "pass")


@pytest.mark.parametrize("disinfectant", DISINFECTANTS)
@pytest.mark.parametrize("residual", RESIDUALS.values())
def test_only_the_residual_of_the_disinfectant_in_use_counts(disinfectant, residual: str):
    none_left = judge_sample({residual: "0"}, "terminal", DAY, BOOK, disinfectant)
    too_much = judge_sample({residual: "9"}, "inlet", DAY, BOOK, disinfectant)
    expected = "fail" if RESIDUALS.get(disinfectant) == residual else "not_judged"
    assert [each.items[0].verdict for each in (none_left, too_much)] == [expected] * 2


HALOFORMS = {
    "chloroform": Decimal("0.06"),
    "dibromochloromethane": Decimal("0.1"),
    "bromodichloromethane": Decimal("0.06"),
    "bromoform": Decimal("0.1"),
}


def sum_judged(*raws: str) -> tuple[str, str | None]:
    found = judge_sample(dict(zip(HALOFORMS, raws, strict=True)), "outlet", DAY, BOOK)
    item = next(item for item in found.items if item.parameter == "thm_sum")
    return item.verdict, item.reading.raw if item.reading else None


@pytest.mark.parametrize(
    ("raws", "verdict", "written"),
    [
        pytest.param(("0.06", "0", "0", "0"), "pass", "1.0000", id="one part at its limit"),
        pytest.param(("0", "0.1", "0", "0"), "pass", "1.0000", id="the second at its limit"),
        pytest.param(("0", "0", "0.06", "0"), "pass", "1.0000", id="the third at its limit"),
        pytest.param(("0", "0", "0", "0.1"), "pass", "1.0000", id="the fourth at its limit"),
        pytest.param(("0.02", "0", "0.04", "0"), "pass", "1.0000", id="a third and two thirds"),
        pytest.param(
            ("0.02", "0", "0.04", "0.000001"), "fail", "1.0001", id="over one by a trace is written"
        ),
        pytest.param(("0.06", "0.1", "0.06", "0.1"), "fail", "4.0000", id="each within, not all"),
        pytest.param(("<0.03", "0.05", "0", "0"), "pass", "<1.0000", id="half at most, and half"),
        pytest.param(("<0.031", "0.05", "0", "0"), "pending", "<1.0167", id="perhaps over one"),
        pytest.param(("<0.03", "0.06", "0.03", "0"), "fail", ">1.1000", id="the others are over"),
        pytest.param((">0.06", "0", "0", "0"), "fail", ">1.0000", id="over one by itself"),
        pytest.param(("≥0.06", "0", "0", "0"), "pending", None, id="one, or more"),
        pytest.param(
            (">0.03", "0.05", "0", "0"), "fail", ">1.0000", id="more than a half, and half"
        ),
        pytest.param((">0.03", "0.02", "0", "0"), "pending", None, id="more than a half, and less"),
        pytest.param(("检出", "0.05", "0.02", "0"), "pending", None, id="there, but how much"),
        pytest.param(
            ("检出", "0.05", "0.03", "0"), "fail", ">1.0000", id="the others leave no room"
        ),
        pytest.param(
            ("O.3O", "0.06", "0.05", "0"), "fail", ">1.4333", id="unreadable, all the same"
        ),
        pytest.param(("20 μg/L", "0", "0", "0"), "pending", None, id="a part in another unit"),
    ],
)
def test_the_sum_of_haloforms_is_judged_by_what_is_certain(raws, verdict: str, written):
    assert sum_judged(*raws) == (verdict, written)


THOUSANDTHS = st.integers(0, 120).map(lambda n: Decimal(n) / 1000)


@given(st.tuples(*[THOUSANDTHS] * 4))
def test_a_sum_is_exact(values):
    over = values[0] * 5 + values[1] * 3 + values[2] * 5 + values[3] * 3 > Decimal("0.3")
    assert sum_judged(*map(str, values))[0] == ("fail" if over else "pass")


@given(st.tuples(*[THOUSANDTHS] * 4), st.tuples(*[st.integers(1, 90)] * 4), st.data())
def test_what_is_said_of_a_sum_holds_for_every_true_one(values, rooms, data):
    raws = []
    for value, room in zip(values, rooms, strict=True):
        shift = Decimal(room) / 1000
        written = [str(value), f"<{value + shift}", f"≤{value}", f"≥{value}"]
        written += [f">{value - shift}"] if value > shift else []
        raws.append(data.draw(st.sampled_from(written)))
    said, truth = sum_judged(*raws)[0], sum_judged(*map(str, values))[0]
    assert said in {"pending", truth}


VALUES = st.integers(0, 4000)


@given(st.sampled_from(sorted(NUMBERS)), st.sampled_from(POINTS), VALUES, VALUES)
def test_more_never_turns_a_failure_above_into_a_pass(key: str, point: str, one: int, other: int):
    row = NUMBERS[key]
    less, more = (Decimal(n) * Decimal(row.step) / 10 for n in sorted((one, other)))
    verdicts = [judged(key, f"{value:f}", point)[0] for value in (less, more)]
    if less > Decimal(row.upper):
        assert "pass" not in verdicts
    if row.lower is None and verdicts[0] != "pass":
        assert verdicts[1] != "pass"


@given(
    st.sampled_from([*NUMBERS, *ABSENT]),
    st.sampled_from(POINTS),
    st.integers(0, 300),
    st.integers(0, 300),
    st.sampled_from("<>≤≥"),
)
def test_a_censored_verdict_is_that_of_every_true_value(key, point, true: int, room: int, sign):
    step = Decimal(NUMBERS[key].step) if key in NUMBERS else Decimal(1)
    value, shift = true * step, room * step
    if sign in "<>" and not shift:
        shift = step
    bound = value + shift if sign in "<≤" else value - shift
    said = judged(key, f"{sign}{bound:f}", point)[0]
    assert said in {"pending", judged(key, f"{value:f}", point)[0]}


@pytest.mark.parametrize("key", [*NUMBERS, *ABSENT, *WORDS, *REFERENCES])
@pytest.mark.parametrize(
    ("day", "held"), [(date(2023, 3, 31), False), (date(2023, 4, 1), True), (DAY, True)]
)
def test_every_limit_holds_from_the_first_day_of_its_edition(key: str, day: date, held: bool):
    disinfectant = NUMBERS[key].disinfectant if key in NUMBERS else "chlorine"
    bad = "有" if key in WORDS else "14" if key == "ph" else "9999"
    item = judge_sample({key: bad}, "terminal", day, BOOK, disinfectant).items[0]
    assert (item.limit is not None) is held
    assert item.limit is None or item.limit.instrument.number == "GB 5749-2022"
    assert item.verdict == ("fail" if held and key not in REFERENCES else "not_judged")
    assert item.reason == (
        None if item.verdict == "fail" else ("reference_fail" if held else "no_limit")
    )


SETS = {
    "field": ("residual", "turbidity", "ph"),
    "routine": (
        "colour",
        "turbidity",
        "odour_taste",
        "visible_matter",
        "ph",
        "total_coliform",
        "plate_count",
        "residual",
    ),
}
SETS["after_cleaning"] = SETS["routine"]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("disinfectant", DISINFECTANTS)
@pytest.mark.parametrize(
    ("day", "edition"),
    [
        (date(2023, 4, 1), "GB 17051-1997"),
        (date(2026, 5, 31), "GB 17051-1997"),
        (date(2026, 6, 1), "GB 17051-2025"),
    ],
)
def test_an_item_set_is_that_of_the_edition_of_the_day(name, disinfectant, day: date, edition):
    found = BOOK.item_set(name, day, disinfectant)
    residual = RESIDUALS.get(disinfectant)
    expected = [residual if key == "residual" else key for key in SETS[name]]
    assert [*found.keys] == [key for key in expected if key]
    number = {each.key: each.number for each in BOOK.instruments}
    assert (number[found.edition], found.verified) == (edition, False)
    assert complete(found, {}) == found.keys


FOLDER = Path(__file__).parents[1] / "data" / "books"


def second_city():
    own = tomllib.loads((FOLDER / "second-city.toml").read_text("utf-8"), parse_float=Decimal)
    return make_book("second-city", with_layers(own))


@pytest.mark.parametrize(
    ("parameter", "last_day", "before", "after"),
    [
        pytest.param("turbidity", date(2023, 3, 31), None, "1", id="the State's limit begins"),
        pytest.param("turbidity", date(2024, 2, 29), "1", "0.5", id="the city's prevails"),
        pytest.param("turbidity", date(2025, 12, 31), "0.5", "0.3", id="its next edition prevails"),
        pytest.param("iron", date(2024, 2, 29), "0.3", "0.2", id="a stricter one begins"),
        pytest.param("iron", date(2024, 12, 31), "0.2", "0.3", id="and ends: the State's again"),
    ],
)
def test_a_sample_is_judged_by_the_edition_of_its_own_day(parameter, last_day, before, after):
    book = second_city()
    for day, upper in ((last_day, before), (last_day + timedelta(days=1), after)):
        if upper is None:
            assert not judge_sample({parameter: "9"}, "outlet", day, book).judged
            continue
        over = str(Decimal(upper) + Decimal("0.01"))
        found = [judge_sample({parameter: raw}, "outlet", day, book) for raw in (upper, over)]
        assert [each.verdict for each in found] == ["pass", "fail"]


def test_the_item_set_of_the_city_prevails_from_its_day():
    book = second_city()
    assert len(book.item_set("routine", date(2025, 12, 31)).keys) == 8
    assert book.item_set("routine", date(2026, 1, 1)).keys[-1] == "iron"
    # GB 17051-2025 is the later of the two from its day on
    assert book.item_set("routine", date(2026, 6, 1)).edition == "gb-17051-2025"
