"""第十七条(五): what a cleaning record and a confined-space permit must hold."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from water2.rules.book import load_book
from water2.rules.records import (
    MOST_UNKNOWN,
    implausible,
    impossible_flows,
    missing_fields,
    past_target,
    people_on,
)

BOOK = load_book("lishui")
FORM = BOOK.forms["cleaning"]
PERMIT = BOOK.forms["confined_space_permit"]
CLEANING = BOOK.obligation("cleaning", date(2026, 5, 5))


def at(hour: int, minute: int = 0) -> str:
    return datetime(2026, 5, 5, hour, minute, tzinfo=UTC).isoformat()


RECORD = {
    "firm": "洁泉环境工程有限公司",
    "people": ["JQ001", "JQ002", "JQ003"],
    "drained_from": at(0),
    "drained_to": at(0, 40),
    "cleaned_from": at(0, 40),
    "cleaned_to": at(2),
    "disinfectant_name": "次氯酸钠消毒液",
    "disinfectant_approval": "浙卫消证字",
    "disinfectant_batch": "NC20260314",
    "disinfectant_expires_on": "2026-12-31",
    "concentration_mg_l": "100",
    "dose": "2 kg",
    "prepared_by": "JQ001",
    "supervised_by": "LS042",
    "contact_minutes": 15,
    "rinsed": True,
    "refilled_from": at(2),
    "refilled_to": at(4),
    "standing_minutes": 30,
    "turbidity_ntu": "0.4",
    "residual_mg_l": "0.3",
}
SIGNED = {
    "briefed": True,
    "fit_for_entry": True,
    "inlet_closed_and_tagged": True,
    "ventilated_minutes": 120,
    "air_tested_at": at(0, 30),
    "air_test_passed": True,
    "entered_at": at(0, 40),
    "crew": ["a", "b", "c"],
    "inside": ["a", "b"],
    "watchers": ["c"],
    "protective_gear": True,
    "heads_and_tools_counted": True,
    "signatures": ["a", "b", "c"],
}


def test_a_whole_record_and_permit_lack_nothing_and_can_be_true():
    assert missing_fields(RECORD, FORM) == missing_fields(SIGNED, PERMIT) == ()
    assert implausible(RECORD, FORM, volume_m3=Decimal(40), obligation=CLEANING) == ()
    assert implausible(SIGNED, PERMIT) == ()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param({"firm": None}, ("firm", "missing"), id="empty"),
        pytest.param({"dose": "  "}, ("dose", "missing"), id="blank"),
        pytest.param({"people": []}, ("people", "missing"), id="nobody"),
        pytest.param({"rinsed": False}, ("rinsed", "not_confirmed"), id="not rinsed"),
        pytest.param({"colour_of_brush": "red"}, ("colour_of_brush", "unknown"), id="unknown"),
    ],
)
def test_the_record_says_which_field_lacks(changes: dict[str, object], fault: tuple[str, str]):
    faults = missing_fields(RECORD | changes, FORM)
    assert [(each.field, each.code) for each in faults] == [fault]


def test_a_field_left_out_lacks_too():
    record = {key: value for key, value in RECORD.items() if key != "disinfectant_batch"}
    assert [each.field for each in missing_fields(record, FORM)] == ["disinfectant_batch"]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param({"standing_minutes": 29}, ("standing_minutes", "too_small"), id="29 minutes"),
        pytest.param(
            {"concentration_mg_l": "-100"}, ("concentration_mg_l", "too_small"), id="less"
        ),
        pytest.param(
            {"owner_witnesses": ["a", "b", "c"]}, ("owner_witnesses", "too_large"), id="3"
        ),
        pytest.param({"turbidity_ntu": "low"}, ("turbidity_ntu", "unreadable"), id="a word"),
        pytest.param({"turbidity_ntu": "NaN"}, ("turbidity_ntu", "unreadable"), id="no number"),
        pytest.param({"contact_minutes": "15.5"}, ("contact_minutes", "unreadable"), id="a half"),
        pytest.param({"contact_minutes": "1_0"}, ("contact_minutes", "unreadable"), id="1_0"),
        pytest.param({"contact_minutes": True}, ("contact_minutes", "unreadable"), id="a yes"),
        pytest.param({"rinsed": "yes"}, ("rinsed", "unreadable"), id="a word for a yes"),
        pytest.param({"people": "JQ001"}, ("people", "unreadable"), id="a word for a list"),
        pytest.param({"firm": 7}, ("firm", "unreadable"), id="a number for a word"),
        pytest.param({"drained_to": "noon"}, ("drained_to", "unreadable"), id="no instant"),
        pytest.param(
            {"drained_from": "2026-05-05T00:00:00+00:00:30"},
            ("drained_from", "unreadable"),
            id="an offset of seconds",
        ),
        pytest.param({"drained_from": "20260505T00"}, ("drained_from", "unreadable"), id="basic"),
        pytest.param(
            {"drained_from": "0001-01-01T00:00+08:00"}, ("drained_from", "unreadable"), id="year 1"
        ),
        pytest.param({"people": ["JQ001"] * 101}, ("people", "too_large"), id="101 names"),
        pytest.param({"photos_after": ["a"] * 101}, ("photos_after", "too_large"), id="101 photos"),
        pytest.param(
            {"drained_from": at(0, 41)}, ("drained_to", "before"), id="ended before begun"
        ),
        pytest.param(
            {"drained_from": "2026-05-05T08:00:00"}, ("drained_to", "unreadable"), id="no zone"
        ),
        pytest.param(
            {"disinfectant_expires_on": "2026-02-30"},
            ("disinfectant_expires_on", "unreadable"),
            id="no such day",
        ),
    ],
)
def test_the_record_says_which_field_cannot_be_true(changes: dict[str, object], fault):
    faults = implausible(RECORD | changes, FORM)
    assert [(each.field, each.code) for each in faults] == [fault]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("crew", ["a", "b"]),
        ("inside", ["a"]),
        ("inside", ["a", "a "]),
        ("watchers", ["c", " b"]),
        ("ventilated_minutes", 119),
        ("signatures", ["a", "b"]),
    ],
)
def test_a_permit_short_of_practice_is_named(key: str, value: object):
    assert [each.field for each in implausible(SIGNED | {key: value}, PERMIT)] == [key]


def test_a_hundred_people_are_not_too_many():
    assert implausible(RECORD | {"people": [f"P{n}" for n in range(100)]}, FORM) == ()


def test_an_unknown_field_is_told_with_the_known_ones():
    (fault,) = missing_fields(RECORD | {"witnesses": ["x"]}, FORM)
    assert (fault.field, fault.code) == ("witnesses", "unknown")
    assert fault.facts["known"] == tuple(each.key for each in FORM.fields)
    assert len(missing_fields(RECORD | {f"x{n}": 1 for n in range(50)}, FORM)) == MOST_UNKNOWN


def test_those_who_worked_are_each_named_once_and_no_signatory_is():
    signed = SIGNED | {"watchers": ["c ", "d"], "signatures": ["x", "y", "z"]}
    assert people_on(signed, PERMIT) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("key", "value", "past"),
    [
        ("turbidity_ntu", "1", False),
        ("turbidity_ntu", "1.01", True),
        ("residual_mg_l", "0.04", True),
        ("residual_mg_l", "0.05", False),
        ("residual_mg_l", "2", False),
        ("residual_mg_l", "99", True),
    ],
)
def test_water_refilled_past_the_target_shows(key: str, value: str, past: bool):
    assert past_target({key: Decimal(value)}, FORM) is past


NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("minutes", "volume_m3", "faults"),
    [
        pytest.param(16, Decimal(40), 0, id="150 m³ an hour can be"),
        pytest.param(15, Decimal(40), 1, id="160 m³ an hour cannot"),
        pytest.param(0, Decimal(1), 1, id="no time at all cannot"),
        pytest.param(1, None, 0, id="an unknown volume proves nothing"),
    ],
)
def test_a_refill_too_fast_for_the_tank_is_named(minutes: int, volume_m3, faults: int):
    record = {"refilled_from": NOON, "refilled_to": NOON + timedelta(minutes=minutes)}
    assert len(impossible_flows(record, volume_m3, CLEANING)) == faults
