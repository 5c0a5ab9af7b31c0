"""By when a report is told, in which form, and whether that is law or a target."""

from datetime import UTC, datetime, timedelta

import pytest

from water2.rules.anomaly import Clock, next_step
from water2.rules.regulator_reports import ReportClock, report_marks

AT = datetime(2026, 11, 23, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TARGETS = ReportClock(AT + 24 * HOUR, AT + 2 * HOUR)


@pytest.mark.parametrize(
    ("phoned", "sent", "now", "late"),
    [
        pytest.param(None, None, 2, [False, False], id="the very instant is in time"),
        pytest.param(None, None, 3, [True, False], id="the call is late first"),
        pytest.param(None, 1, 9, [False, False], id="in writing at once, no call is needed"),
        pytest.param(1, 25, 30, [False, True], id="told in time, written late"),
        pytest.param(5, 4, 9, [True, False], id="a call after the report tells nothing sooner"),
    ],
)
def test_a_report_is_late_in_each_form_by_itself(phoned, sent, now, late):
    given = [None if hours is None else AT + hours * HOUR for hours in (phoned, sent)]
    marks = report_marks(TARGETS, *given)
    assert [mark.late_at(AT + now * HOUR) for mark in marks] == late
    assert [mark.law for mark in marks] == [False, False]


def test_an_outbreak_is_due_by_law_and_an_earlier_call_stays_a_target():
    by_law = AT + 2 * HOUR
    same = report_marks(ReportClock(by_law, by_law, law=True), None, None)
    assert [mark.law for mark in same] == [True, True]
    sooner = report_marks(ReportClock(by_law, AT + HOUR, law=True), None, None)
    assert [mark.law for mark in sooner] == [False, True]


def test_a_report_without_a_call_has_one_mark():
    (written,) = report_marks(ReportClock(AT), None, None)
    assert written.form == "written"


def clocks(**done):
    due = {"stop": 0.5, "assessment": 2, "findings": 24}
    return [
        Clock(step, AT + hours * HOUR, AT if done.get(step) else None)
        for step, hours in due.items()
    ]


@pytest.mark.parametrize(
    ("done", "controlled", "resumed", "doing"),
    [
        ({}, False, False, "stop"),
        ({"stop": True}, False, False, "assessment"),
        ({"stop": True, "assessment": True}, True, False, "findings"),
        ({"stop": True, "assessment": True, "findings": True}, False, False, "controls"),
        ({"stop": True, "assessment": True, "findings": True}, True, False, "retest"),
        ({"findings": True}, True, True, "assessment"),
        ({"assessment": True, "findings": True}, False, True, "close"),
    ],
)
def test_what_is_to_be_done_next_is_the_step_whose_clock_runs_out_first(
    done, controlled, resumed, doing
):
    assert next_step(clocks(**done), controlled=controlled, resumed=resumed) == doing
