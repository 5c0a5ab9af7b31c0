"""Results as laboratories write them, and which of them can be true."""

from decimal import Decimal

import pytest

from water2.rules.book import load_book
from water2.rules.readings import plausible, read_result

BOOK = load_book("lishui")


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("0.35", "number", "0.35"),
        (" 0.35　", "number", "0.35"),
        ("０．３５", "number", "0.35"),
        ("0.35 mg/L", "number", "0.35"),
        ("-0.3", "number", "-0.3"),
        ("−0.3", "number", "-0.3"),
        ("<0.05", "below", "0.05"),
        ("＜5", "below", "5"),
        ("< 5", "below", "5"),
        ("≤5", "below", "5"),
        ("小于0.05", "below", "0.05"),
        ("0.05L", "below", "0.05"),
        ("未检出(<0.002)", "below", "0.002"),
        (">80", "above", "80"),
        (">300", "above", "300"),
        ("未检出", "not_detected", "0"),
        ("未检出/100mL", "not_detected", "0"),
        ("ND", "not_detected", "0"),
        ("0", "number", "0"),
        ("检出", "detected", None),
        ("无", "text", None),
        ("无异臭、异味", "text", None),
        ("有铁腥味", "text", None),
        ("", "empty", None),
        ("  ", "empty", None),
        ("-", "empty", None),
        ("O.3O", "unreadable", None),
        ("1.2.3", "unreadable", None),
        ("?", "unreadable", None),
        ("<", "unreadable", None),
    ],
)
def test_a_result_is_read_as_laboratories_write_it(raw: str, kind: str, value: str | None):
    reading = read_result(raw)
    assert (reading.kind, reading.raw) == (kind, raw)
    assert reading.value == (None if value is None else Decimal(value))


def test_a_censored_result_keeps_its_side_and_its_detection_limit():
    below, above = read_result("<0.05"), read_result(">80")
    assert (below.censored, below.detection_limit) == ("<", Decimal("0.05"))
    assert (above.censored, above.detection_limit) == (">", None)
    assert read_result("0.05").censored is None


@pytest.mark.parametrize(
    ("parameter", "raw", "fault"),
    [
        pytest.param("turbidity", "-0.3", "impossible", id="negative"),
        pytest.param("ph", "14", None, id="pH 14 can be"),
        pytest.param("ph", "14.1", "impossible", id="pH over 14"),
        pytest.param("ph", "70", "impossible", id="a lost decimal point"),
        pytest.param("free_chlorine", "O.3O", "unreadable", id="letters for digits"),
        pytest.param("turbidity", "约二十", "unreadable", id="words for a number"),
        pytest.param("odour_taste", "有铁腥味", None, id="words where words belong"),
        pytest.param("odour_taste", "O.3O", "unreadable", id="neither word nor number"),
        pytest.param("total_coliform", "未检出", None, id="not detected"),
        pytest.param("turbidity", "", None, id="an empty cell is no fault"),
    ],
)
def test_what_cannot_be_true_is_said(parameter: str, raw: str, fault: str | None):
    assert plausible(BOOK.parameters[parameter], read_result(raw)) == fault
