"""Text as people type it."""

from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.domain import folding
from water2.domain.folding import CellError, fold

DAY = date(2025, 3, 5)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2025-03-05", id="hyphens"),
        pytest.param("2025/3/5", id="slashes"),
        pytest.param("2025.3.5", id="dots"),
        pytest.param("2025年3月5日", id="Chinese"),
        pytest.param("2025 年 3 月 5 日", id="Chinese with spaces"),
        pytest.param("20250305", id="eight digits"),
        pytest.param("45721", id="an Excel serial"),
        pytest.param("45721.604167", id="an Excel serial with a time"),
        pytest.param("2025-03-05 00:00:00", id="an export's midnight"),
        pytest.param("2025-03-05T00:00:00.000", id="an API's midnight"),
        pytest.param("２０２５－０３－０５", id="full width"),
    ],
)
def test_every_notation_of_a_day_is_the_same_day(text):
    assert folding.read_date(fold(text)) == DAY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2025-02-30", "date_impossible"),
        ("20250931", "date_impossible"),
        ("2025年13月1日", "date_impossible"),
        ("待补", "date_unreadable"),
        ("2025-03", "date_unreadable"),
        ("5/3/2025", "date_unreadable"),
        ("12", "date_unreadable"),
        ("99999", "date_unreadable"),
        ("2025-03/05", "date_unreadable"),
    ],
)
def test_a_day_that_cannot_be_says_why(text, code):
    with pytest.raises(CellError) as refused:
        folding.read_date(text)
    assert refused.value.code == code


def test_a_mapping_may_declare_another_notation():
    assert folding.read_date("07/30/2015", ("%m/%d/%Y",)) == date(2015, 7, 30)
    assert folding.read_date("07/30/2015 12:00:00 AM", ("%m/%d/%Y",)) == date(2015, 7, 30)
    assert folding.read_date("2015-07-30", ("%m/%d/%Y",)) == date(2015, 7, 30)


@pytest.mark.parametrize(
    "text",
    [
        "2023-11-01 14:50",
        "2023/11/1 14:50:00",
        "2023年11月1日14时50分",
        "20231101 14:50",
        "45231.618056",
    ],
)
def test_every_notation_of_a_moment_is_the_same_moment(text):
    assert folding.read_moment(fold(text)) == (date(2023, 11, 1), time(14, 50))


def test_a_moment_without_a_time_keeps_its_day():
    assert folding.read_moment("2023-11-01") == (date(2023, 11, 1), None)


def test_an_hour_that_does_not_exist_is_refused():
    with pytest.raises(CellError, match="time_impossible"):
        folding.read_moment("2023-11-01 25:10")


@given(st.dates(date(1971, 1, 1), date(2099, 12, 30)), st.times())
def test_an_excel_serial_gives_back_its_minute(day, clock):
    minutes = clock.hour * 60 + clock.minute
    serial = Decimal((day - folding.EXCEL_EPOCH).days) + Decimal(minutes) / 1440
    found = folding.read_moment(f"{serial:.6f}")
    wanted = time(clock.hour, clock.minute) if minutes else None
    assert found == (day, wanted)


@pytest.mark.parametrize(
    ("text", "number"),
    [("８", "8"), (" 12.50 ", "12.5"), ("1,234.5", "1234.5"), ("-3", "-3"), ("１ ０００", "1000")],
)
def test_numbers_are_read_exactly(text, number):
    assert folding.read_decimal(fold(text)) == Decimal(number)


@pytest.mark.parametrize("text", ["约二十", "O.3O", "1,23", "1e5", "12m", "--3", "NaN"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(CellError, match="number_unreadable"):
        folding.read_decimal(text)


@pytest.mark.parametrize(
    "text",
    ["19905781112", "199-0578-1112", "199 0578 1112", "+86 19905781112", "１９９０５７８１１１２"],
)
def test_telephones_are_their_digits(text):
    assert folding.read_phone(fold(text)) == "19905781112"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1990578O12X", "phone_letters"),
        ("无电话", "phone_letters"),
        ("199057811", "phone_malformed"),
        ("199057811123", "phone_malformed"),
        ("#", "phone_malformed"),
    ],
)
def test_a_telephone_that_cannot_be_dialled_says_why(text, code):
    with pytest.raises(CellError) as refused:
        folding.read_phone(text)
    assert refused.value.code == code


def test_landlines_and_several_numbers_are_taken():
    assert folding.read_phones("0578-2123456、19905781112") == ("05782123456", "19905781112")


def test_mail_addresses_need_a_host():
    assert folding.read_mail("U1@Example.COM") == "U1@example.com"
    with pytest.raises(CellError, match="mail_malformed"):
        folding.read_mail("u1.example.com")


def test_clock_ranges_end_after_they_start():
    assert folding.read_clock_range(fold("8:05～９:30")) == (time(8, 5), time(9, 30))
    for text, code in (("09:00-08:25", "range_reversed"), ("08:00", "range_unreadable")):
        with pytest.raises(CellError, match=code):
            folding.read_clock_range(text)


def test_lists_and_answers():
    assert folding.read_list("LS001、LS002") == ("LS001", "LS002")
    assert folding.read_yes_no("是")
    assert not folding.read_yes_no("N")
    with pytest.raises(CellError, match="unknown_value"):
        folding.read_yes_no("也许")


def test_folding_removes_what_nobody_sees():
    assert fold("\u3000ＢＹ-００１\u200b \ufeff") == "BY-001"
    assert fold("王䶮 ") == "王䶮"
    assert fold("两  个") == "两 个"


@pytest.mark.parametrize(
    ("text", "code"), [("a\x00b", "control_character"), ("a\ufffdb", "undecodable")]
)
def test_what_is_no_text_is_refused(text, code):
    with pytest.raises(CellError, match=code):
        fold(text)


@given(st.text())
def test_folding_twice_changes_nothing(text):
    try:
        once = fold(text)
    except CellError:
        return
    assert fold(once) == once
