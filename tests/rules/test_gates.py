"""第十七条(四): planned days, return to service, credit."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.gates import is_credited, judge_planned_day, judge_return_to_service
from water2.rules.provision import Allowed, Refused

BOOK = load_book("lishui")
DAY = date(2026, 5, 5)
CLEANING = BOOK.obligation("cleaning", DAY)
FIELD_SET = {"free_chlorine": "0.30", "turbidity": "0.4", "ph": "7.2"}


@pytest.mark.parametrize(
    ("wanted_on", "today", "lawful"),
    [
        pytest.param(date(2026, 6, 1), date(2026, 5, 1), True, id="the due day itself"),
        pytest.param(date(2026, 5, 31), date(2026, 5, 1), True, id="the day before"),
        pytest.param(date(2026, 6, 2), date(2026, 5, 1), False, id="the day after"),
        pytest.param(date(2026, 6, 2), date(2026, 6, 1), False, id="on the due day not late yet"),
        pytest.param(date(2026, 6, 9), date(2026, 6, 2), True, id="late already"),
    ],
)
def test_a_planned_day_never_moves_past_the_legal_day_unless_late(
    wanted_on: date, today: date, lawful: bool
):
    verdict = judge_planned_day(
        date(2026, 6, 1), date(2026, 5, 20), wanted_on, today, CLEANING.provision
    )
    assert isinstance(verdict, Allowed) is lawful


def test_the_refused_plan_cites_the_cleaning_and_both_days():
    verdict = judge_planned_day(
        date(2026, 6, 1), None, date(2026, 6, 2), date(2026, 5, 1), CLEANING.provision
    )
    assert isinstance(verdict, Refused)
    assert (verdict.provision.article, verdict.reason) == ("17(4)", "planned_past_due")
    assert verdict.facts["due_on"] == date(2026, 6, 1)


@pytest.mark.parametrize(
    ("sample_taken", "changes", "reason"),
    [
        pytest.param(True, {}, None, id="sample taken, set passed"),
        pytest.param(False, {}, "sample_not_taken", id="no sample"),
        pytest.param(True, {"ph": ""}, "field_set_incomplete", id="an item lacks"),
        pytest.param(True, {"turbidity": "1.2"}, "field_set_not_passed", id="an item fails"),
        pytest.param(True, {"turbidity": "<2"}, "field_set_not_passed", id="an item is uncertain"),
        pytest.param(True, {"free_chlorine": "<0.02"}, None, id="the outlet has no lower bound"),
    ],
)
def test_a_tank_returns_on_the_sample_taken_and_the_field_set_passed(
    sample_taken: bool, changes: dict[str, str], reason: str | None
):
    verdict = judge_return_to_service(
        sample_taken=sample_taken, field_results=FIELD_SET | changes, day=DAY, book=BOOK
    )
    assert (verdict.reason if isinstance(verdict, Refused) else None) == reason


def test_the_field_set_names_what_lacks():
    verdict = judge_return_to_service(
        sample_taken=True, field_results={"ph": "7"}, day=DAY, book=BOOK
    )
    assert isinstance(verdict, Refused)
    assert verdict.facts == {"lacking": ("free_chlorine", "turbidity")}


def test_ultraviolet_leaves_no_residual_to_measure():
    verdict = judge_return_to_service(
        sample_taken=True,
        field_results={"ph": "7", "turbidity": "0.2"},
        day=DAY,
        book=BOOK,
        disinfectant="uv",
    )
    assert verdict == Allowed()


def test_where_no_cleaning_is_demanded_nothing_holds_a_tank_back():
    verdict = judge_return_to_service(
        sample_taken=False, field_results={}, day=DAY, book=load_book("us-nyc")
    )
    assert verdict == Allowed()


@pytest.mark.parametrize(
    ("sampled_on", "verdict", "lacking", "credited"),
    [
        pytest.param(DAY, "pass", (), True, id="sampled on the cleaning day"),
        pytest.param(date(2026, 5, 8), "pass", (), True, id="sampled days later"),
        pytest.param(date(2026, 5, 4), "pass", (), False, id="sampled the day before"),
        pytest.param(DAY, "fail", (), False, id="failed"),
        pytest.param(DAY, "pending", (), False, id="not out yet"),
        pytest.param(DAY, "pass", ("ph",), False, id="an item of its set lacks"),
        pytest.param(None, "pass", (), False, id="never sampled"),
    ],
)
def test_a_cleaning_is_credited_by_its_own_passing_sample(sampled_on, verdict, lacking, credited):
    assert (
        is_credited(CLEANING, done_on=DAY, sampled_on=sampled_on, verdict=verdict, lacking=lacking)
        is credited
    )


def test_an_inspection_is_credited_by_its_record():
    inspection = load_book("us-nyc").obligation("inspection", DAY)
    assert is_credited(inspection, done_on=DAY)
