"""What a report says beside its values: units, printed limits, the laboratory's accreditation."""

from datetime import date

import pytest

from water2.rules.accreditation import Accreditation, Stated, judge_accreditation
from water2.rules.book import load_book
from water2.rules.printed_limits import printed_limit_signs
from water2.rules.readings import plausible, read_result
from water2.rules.units import is_unit_of

BOOK = load_book("lishui")
DAY = date(2025, 5, 5)


@pytest.mark.parametrize(
    ("parameter", "written", "fit"),
    [
        ("iron", "mg/L", "same"),
        ("iron", "mg/l", "same"),
        ("iron", "㎎/L", "same"),
        ("iron", "ｍｇ／Ｌ", "same"),
        ("hardness", "mg/L(以CaCO3计)", "same"),
        ("iron", "µg/L", "wrong_unit"),
        ("iron", "ug/L", "wrong_unit"),
        ("iron", "NTU", "wrong_unit"),
        ("turbidity", "NTU", "same"),
        ("turbidity", "度", "wrong_unit"),
        ("turbidity", "mg/L", "wrong_unit"),
        ("turbidity", "µg/L", "wrong_unit"),
        ("colour", "度", "same"),
        ("colour", "NTU", "wrong_unit"),
        ("plate_count", "CFU/mL", "same"),
        ("plate_count", "CFU/100mL", "wrong_unit"),
        ("total_coliform", "MPN/100mL", "same"),
        ("total_coliform", "CFU/100 mL", "same"),
        ("total_coliform", "CFU/mL", "wrong_unit"),
        ("ph", "无量纲", "same"),
        ("ph", "mg/L", "wrong_unit"),
        ("odour_taste", "-", "same"),
    ],
)
def test_a_unit_as_written_is_the_parameters_or_not(parameter, written, fit):
    assert is_unit_of(BOOK.parameters[parameter], written) is (fit == "same")


@pytest.mark.parametrize(
    ("parameter", "raw", "fault"),
    [
        ("iron", "0.1mg/L", None),
        ("iron", "5µg/L", "wrong_unit"),
        ("turbidity", "0.5 mg/L", "wrong_unit"),
        ("turbidity", "0.5NTU", None),
        ("total_coliform", "未检出/100mL", None),
        ("total_coliform", "未检出CFU/mL", "wrong_unit"),
        ("odour_taste", "轻度", None),
    ],
)
def test_a_unit_behind_the_value_must_fit_as_well(parameter, raw, fault):
    assert plausible(BOOK.parameters[parameter], read_result(raw)) == fault


@pytest.mark.parametrize(
    ("parameter", "printed", "flag"),
    [
        ("turbidity", "≤1", None),
        ("turbidity", "1.0 NTU", None),
        ("turbidity", "≤ 3", "printed_limit_differs"),
        ("turbidity", "/", None),
        ("turbidity", "见标准", "printed_limit_differs"),
        ("ph", "6.5~8.5", None),
        ("ph", "不小于6.5且不大于8.5", None),
        ("ph", "6.0-9.0", "printed_limit_differs"),
        ("free_chlorine", "≥0.05", None),
        ("free_chlorine", "0.05～2", None),
        ("free_chlorine", "≥0.3", "printed_limit_differs"),
        ("ammonia_n", "≤0.5mg/L", None),
        ("ammonia_n", "0.6", "limit_plus_increment"),
        ("ammonia_n", "0.7", "printed_limit_differs"),
        ("codmn", "≤4", "limit_plus_increment"),
        ("codmn", "≤3", None),
        ("nitrite_n", "1.02", "limit_plus_increment"),
        ("total_coliform", "不得检出", None),
        ("total_coliform", "不应检出/100mL", None),
        ("total_coliform", "≤3", "printed_limit_differs"),
        ("odour_taste", "无异臭、异味", None),
        ("odour_taste", "轻微", "printed_limit_differs"),
    ],
)
def test_a_printed_limit_is_the_one_in_force_or_flagged(parameter, printed, flag):
    limit = BOOK.limits_on(DAY)[parameter]
    found = printed_limit_signs(printed, limit, BOOK.increments_on(DAY))
    assert [*found] == ([flag] if flag else [])


HELD = Accreditation("2200", date(2024, 1, 1), date(2025, 5, 5))
EARLIER = Accreditation("1100", date(2018, 1, 1), date(2023, 12, 31))
SCOPED = Accreditation("2200", date(2024, 1, 1), None, frozenset({"ph"}))


@pytest.mark.parametrize(
    ("stated", "register", "flags", "outside"),
    [
        pytest.param(Stated("9", date(2025, 5, 5)), (), [], [], id="stated, on its last day"),
        pytest.param(
            Stated("9", date(2025, 5, 4)), (), ["accreditation_expired"], [], id="stated, ended"
        ),
        pytest.param(Stated(None, None), (), ["accreditation_lacking"], [], id="nobody says"),
        pytest.param(Stated(None, None), (HELD,), [], [], id="on register, its last day"),
        pytest.param(Stated("2200", None), (EARLIER, HELD), [], [], id="of several, the one"),
        pytest.param(
            Stated("1100", date(2030, 1, 1)),
            (EARLIER, HELD),
            ["accreditation_expired"],
            [],
            id="the register is believed, not the report",
        ),
        pytest.param(
            Stated("777", date(2030, 1, 1)),
            (HELD,),
            ["accreditation_lacking"],
            [],
            id="a number nobody knows",
        ),
        pytest.param(
            Stated(None, None), (EARLIER,), ["accreditation_expired"], [], id="ended on register"
        ),
        pytest.param(
            Stated(None, None),
            (Accreditation("3", date(2025, 6, 1)),),
            ["accreditation_lacking"],
            [],
            id="not begun",
        ),
        pytest.param(Stated("2200", None), (SCOPED,), [], ["turbidity"], id="an item outside"),
        pytest.param(Stated(None, None), (SCOPED, HELD), [], [], id="one of unknown scope"),
    ],
)
def test_an_accreditation_counts_on_its_days_and_for_its_items(stated, register, flags, outside):
    standing = judge_accreditation(DAY, stated, register)
    assert [*standing.flags] == flags
    assert sorted(standing.outside(["ph", "turbidity"])) == outside
