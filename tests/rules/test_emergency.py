"""By when the emergency plan is reviewed, and what of it is law."""

from datetime import date

import pytest

from water2.rules.book import load_book
from water2.rules.emergency import DRILL, PLAN, plan_evidences, review_due

LISHUI = load_book("lishui")
TODAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("review_on", "due"),
    [
        pytest.param(None, date(2027, 2, 28), id="a version without a day: a year"),
        pytest.param(date(2026, 8, 1), date(2026, 8, 1), id="its own day where it is earlier"),
        pytest.param(date(2027, 1, 1), date(2027, 1, 1), id="its own day within the year"),
        pytest.param(date(2030, 1, 1), date(2027, 2, 28), id="never later than the interval"),
    ],
)
def test_a_version_is_reviewed_by_the_earlier_of_its_own_day_and_a_year(review_on, due):
    demand = LISHUI.obligation(PLAN, TODAY)
    assert review_due(date(2026, 2, 28), review_on, demand) == due


def test_versions_are_evidence_in_the_order_of_their_days():
    versions = [("b", date(2026, 3, 1), None), ("a", date(2025, 3, 1), date(2025, 9, 1))]
    found = plan_evidences(versions, LISHUI.obligation(PLAN, TODAY))
    assert [(one.id, one.next_due) for one in found] == [
        ("a", date(2025, 9, 1)),
        ("b", date(2027, 3, 1)),
    ]


def test_that_there_is_a_plan_is_law_and_how_often_it_is_reviewed_a_target():
    demand = LISHUI.obligation(PLAN, TODAY)
    assert (demand.first_due_basis, demand.due_basis) == ("law", "target")
    assert demand.values["months"].source == "本系统的默认值：每年复审一次"


def test_drills_are_a_target_throughout():
    drills = LISHUI.obligation(DRILL, TODAY)
    assert (drills.first_due_basis, drills.due_basis) == ("target", "target")


def test_of_other_duties_the_first_day_rests_on_what_the_later_ones_do():
    for each in LISHUI.obligations_on(TODAY):
        if each.cadence and each.id != PLAN:
            assert each.first_due_basis == each.due_basis, each.id
