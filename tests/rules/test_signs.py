"""Signs of a made-up record: flags to look at."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from water2.rules import signs
from water2.rules.book import load_book

BOOK = load_book("lishui")
DAY = date(2026, 5, 5)
CLEANING = BOOK.obligation("cleaning", DAY)
WATER = BOOK.obligation("water.standard", DAY)
LEDGER = BOOK.obligation("ledger", DAY)
MORNING = datetime(2026, 5, 5, 8, 35, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "flagged"),
    [
        pytest.param((DAY, DAY, DAY), False, id="all on one day"),
        pytest.param((DAY, None, date(2026, 5, 9)), False, id="the unknown is passed over"),
        pytest.param((DAY, date(2026, 5, 4)), True, id="received before sampled"),
        pytest.param((MORNING, DAY), False, id="an instant on the same day"),
    ],
)
def test_dates_out_of_order_are_flagged(days, flagged: bool):
    assert signs.order_signs(*days) == (("dates_out_of_order",) if flagged else ())


@pytest.mark.parametrize(
    ("sampled", "reported", "flagged"),
    [
        pytest.param(DAY, date(2026, 5, 6), True, id="the next day"),
        pytest.param(DAY, date(2026, 5, 7), False, id="two days on it can be"),
        pytest.param(MORNING, date(2026, 5, 7), False, id="late on the second day it can be"),
        pytest.param(MORNING, MORNING + timedelta(hours=48), False, id="exactly 48 hours"),
        pytest.param(MORNING, MORNING + timedelta(hours=47), True, id="47 hours"),
        pytest.param(DAY, date(2026, 5, 3), True, id="before it was sampled"),
    ],
)
def test_a_plate_count_before_incubation_is_flagged(sampled, reported, flagged: bool):
    expected = ("plate_count_too_early",) if flagged else ()
    assert signs.incubation_signs(BOOK, {"plate_count", "ph"}, sampled, reported) == expected


@pytest.mark.parametrize("item", ["total_coliform", "e_coli"])
@pytest.mark.parametrize(
    ("sampled", "known", "flagged"),
    [
        pytest.param(DAY, DAY, True, id="the same day"),
        pytest.param(DAY, date(2026, 5, 6), False, id="the next day they can be"),
        pytest.param(MORNING, MORNING + timedelta(hours=24), False, id="exactly 24 hours"),
        pytest.param(MORNING, MORNING + timedelta(hours=23), True, id="23 hours"),
    ],
)
def test_coliforms_known_before_incubation_are_flagged(item, sampled, known, flagged: bool):
    expected = ("coliform_too_early",) if flagged else ()
    assert signs.incubation_signs(BOOK, {item: "0"}, sampled, known) == expected


def test_what_needs_no_incubation_may_be_known_at_once():
    assert signs.incubation_signs(BOOK, {"ph", "turbidity"}, MORNING, MORNING) == ()


@pytest.mark.parametrize(
    ("cleaned", "sampled", "flagged"),
    [
        (DAY, DAY, False),
        (DAY, date(2026, 5, 4), True),
        (MORNING, MORNING - timedelta(minutes=1), True),
        (MORNING, DAY, False),
        (DAY, None, False),
    ],
)
def test_a_sample_before_the_cleaning_ended_is_flagged(cleaned, sampled, flagged: bool):
    expected = ("sampled_before_cleaning_ended",) if flagged else ()
    assert signs.sample_order_signs(cleaned, sampled) == expected


@pytest.mark.parametrize(
    ("number", "valid_to", "flags"),
    [
        pytest.param("190000000202", DAY, (), id="its last day"),
        pytest.param("190000000202", date(2026, 5, 4), ("accreditation_expired",), id="over"),
        pytest.param("190000000202", None, (), id="no end known"),
        pytest.param("", None, ("accreditation_lacking",), id="none"),
    ],
)
def test_a_laboratory_without_accreditation_that_day_is_flagged(number, valid_to, flags):
    assert signs.accreditation_signs(number, valid_to, DAY) == flags


@pytest.mark.parametrize(
    ("batch", "expires_on", "flags"),
    [
        pytest.param("NC20260314", None, (), id="fresh"),
        pytest.param("NC20260505", None, (), id="made that day"),
        pytest.param("NC20260506", None, ("batch_made_after_use",), id="made the day after"),
        pytest.param("NC20250505", None, (), id="the last day of its shelf life"),
        pytest.param("NC20250504", None, ("batch_expired",), id="a day past it"),
        pytest.param("NC20260314", DAY, (), id="its printed last day"),
        pytest.param("NC20260314", date(2026, 5, 4), ("batch_expired",), id="past the printed"),
        pytest.param("NC20251340", None, (), id="not a day"),
        pytest.param(None, None, (), id="no batch"),
    ],
)
def test_an_expired_or_impossible_batch_is_flagged(batch, expires_on, flags):
    assert signs.batch_signs(DAY, CLEANING, batch=batch, expires_on=expires_on) == flags


@pytest.mark.parametrize(
    ("minutes", "flags"),
    [(9, ("contact_time_short",)), (10, ()), (30, ()), (None, ())],
)
def test_a_short_contact_time_is_flagged(minutes, flags):
    assert signs.contact_signs(minutes, CLEANING) == flags


def test_a_refill_in_ten_minutes_is_flagged():
    record = {"refilled_from": MORNING, "refilled_to": MORNING + timedelta(minutes=10)}
    assert signs.flow_signs(record, Decimal(60), CLEANING) == ("impossible_flow",)


@pytest.mark.parametrize(
    ("isolable", "notice", "flagged"),
    [(True, None, False), (False, "TS2026050501", False), (False, None, True), (False, "", True)],
)
def test_a_cleaning_that_must_stop_supply_without_notice_is_flagged(isolable, notice, flagged):
    expected = ("cleaning_without_outage",) if flagged else ()
    assert signs.outage_signs(isolable=isolable, notice_number=notice) == expected


@pytest.mark.parametrize(
    ("after", "late"),
    [
        pytest.param(timedelta(hours=24), False, id="exactly a day after"),
        pytest.param(timedelta(hours=24, seconds=1), True, id="a second more"),
        pytest.param(timedelta(hours=-1), False, id="a clock that ran ahead"),
    ],
)
def test_a_late_entry_is_one_a_day_after(after: timedelta, late: bool):
    assert signs.is_late_entry(BOOK, MORNING, MORNING + after, DAY) is late


def test_before_the_rules_no_entry_is_late():
    day = date(2022, 11, 8)
    assert not signs.is_late_entry(BOOK, MORNING, MORNING + timedelta(days=9), day)


@pytest.mark.parametrize(
    ("entered_on", "flags"),
    [
        (date(2026, 6, 4), ()),
        (date(2026, 6, 5), ("entered_long_after",)),
        (date(2026, 5, 4), ("dates_out_of_order",)),
    ],
)
def test_a_record_typed_in_long_after_is_flagged(entered_on: date, flags):
    assert signs.entry_signs(DAY, entered_on, LEDGER) == flags
