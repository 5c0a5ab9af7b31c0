"""第十八条第二款: the clocks of the steps, the re-tests, and when an anomaly lets go."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from water2.rules.anomaly import (
    Failure,
    Retest,
    RetestResult,
    judge_closing,
    judge_restoring,
    judge_resume,
    retests_demanded,
    retests_outstanding,
    step_clocks,
)
from water2.rules.anomaly_flags import AnomalyFacts, ReportFacts, anomaly_flags, report_flags
from water2.rules.book import load_book
from water2.rules.flags import FlagCode
from water2.rules.provision import Allowed, Refused
from water2.rules.regulator_reports import (
    OwedReport,
    final_due,
    first_report_clock,
    judge_reports,
    progress_due,
)

LISHUI = load_book("lishui")
TODAY = date(2026, 11, 23)
ANOMALY = LISHUI.obligation("anomaly", TODAY)
REPORT = LISHUI.obligation("anomaly.report", TODAY)
AT = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
FIELD_SET = ("free_chlorine", "turbidity", "ph")
DUE = {"stop": AT + HOUR / 2, "assessment": AT + 2 * HOUR, "findings": AT + 24 * HOUR}


@pytest.mark.parametrize("step", ["stop", "assessment", "findings"])
@pytest.mark.parametrize(("past", "late"), [(-SECOND, False), (0 * SECOND, False), (SECOND, True)])
def test_a_step_is_in_time_up_to_the_very_instant(step, past, late):
    clocks = {clock.step: clock for clock in step_clocks(ANOMALY, AT, {step: DUE[step] + past})}
    assert clocks[step].due_at == DUE[step]
    assert clocks[step].late_at(AT) is late
    running = {clock.step: clock for clock in step_clocks(ANOMALY, AT, {})}
    assert running[step].late_at(DUE[step] + past) is late


def a_failure(parameter="e_coli", point="outlet", tank="t1", at=AT):
    return Failure(parameter, point, tank, at)


def places(retests):
    return {(one.parameter, one.point, one.tank_id) for one in retests}


@pytest.mark.parametrize(
    ("failures", "demanded"),
    [
        ([a_failure()], {("e_coli", "outlet", "t1"), ("e_coli", "terminal", None)}),
        ([a_failure(point="terminal", tank=None)], {("e_coli", "terminal", None)}),
        (
            [a_failure(), a_failure(tank="t2")],
            {("e_coli", "outlet", "t1"), ("e_coli", "outlet", "t2"), ("e_coli", "terminal", None)},
        ),
        (
            [a_failure(point=None, tank=None), a_failure("ph", "inlet", None)],
            {("e_coli", "terminal", None), ("ph", "inlet", None), ("ph", "terminal", None)},
        ),
        (
            [a_failure(None, None, None)],
            {(key, "terminal", None) for key in FIELD_SET},
        ),
        ([], set()),
    ],
)
def test_failed_items_are_tested_again_where_they_failed_and_at_the_terminal(failures, demanded):
    assert places(retests_demanded(failures, FIELD_SET)) == demanded


def test_everything_is_tested_after_the_last_failure_of_the_item():
    later = AT + HOUR
    failures = [a_failure(), a_failure(at=later, tank="t2"), a_failure("ph")]
    since = {(one.parameter, one.since) for one in retests_demanded(failures, FIELD_SET)}
    assert since == {("e_coli", later), ("ph", AT)}


OUTLET = Retest("e_coli", "outlet", "t1", AT)
TERMINAL = Retest("e_coli", "terminal", None, AT)


def a_result(point="outlet", tank="t1", at=AT, passed=True, parameter="e_coli"):
    return RetestResult(parameter, point, tank, at, passed)


@pytest.mark.parametrize(
    ("results", "outstanding"),
    [
        ([], {OUTLET, TERMINAL}),
        ([a_result()], {TERMINAL}),
        ([a_result(), a_result("terminal", None)], set()),
        ([a_result(tank="t2"), a_result("terminal", None)], {OUTLET}),
        ([a_result(tank=None), a_result("terminal", None)], {OUTLET}),
        ([a_result(), a_result("terminal", "t9")], set()),
        ([a_result(at=AT - SECOND), a_result("terminal", None)], {OUTLET}),
        ([a_result(), a_result(at=AT + HOUR, passed=False), a_result("terminal")], {OUTLET}),
        ([a_result(passed=False), a_result(at=AT + HOUR), a_result("terminal")], set()),
        ([a_result(), a_result(passed=False), a_result("terminal")], {OUTLET}),
        ([a_result(parameter="ph"), a_result("terminal", None)], {OUTLET}),
    ],
)
def test_a_retest_counts_where_and_when_it_was_taken_and_the_last_one_holds(results, outstanding):
    assert set(retests_outstanding([OUTLET, TERMINAL], results)) == outstanding


RESULTS = st.builds(
    RetestResult,
    st.sampled_from(["e_coli", "ph"]),
    st.sampled_from(["inlet", "outlet", "terminal"]),
    st.sampled_from([None, "t1", "t2"]),
    st.sampled_from([AT - HOUR, AT, AT + HOUR]),
    st.booleans(),
)


@given(st.lists(RESULTS, max_size=12))
def test_nothing_failed_or_early_ever_lets_supply_resume(results):
    outstanding = retests_outstanding([OUTLET, TERMINAL], results)
    if isinstance(judge_resume(ANOMALY, outstanding, []), Allowed):
        passes = [one for one in results if one.passed and one.at >= AT]
        assert any((one.point, one.tank_id) == ("outlet", "t1") for one in passes)
        assert any(one.point == "terminal" for one in passes)


def test_a_refusal_names_what_is_missing_and_the_article():
    refused = judge_resume(ANOMALY, [TERMINAL], ["ZD-1"])
    assert isinstance(refused, Refused)
    assert (refused.provision.article, refused.reason) == ("18.2", "retest_outstanding")
    assert refused.facts == {"missing": [{"parameter": "e_coli", "point": "terminal"}]}


def test_supply_stays_off_while_an_instrument_reads_bad_though_the_retests_passed():
    refused = judge_resume(ANOMALY, [], ["PH-1", "ZD-1"])
    assert isinstance(refused, Refused)
    assert (refused.provision.article, refused.reason) == ("18.2", "excursion_lasting")
    assert refused.facts == {"instruments": ["PH-1", "ZD-1"]}
    assert judge_resume(ANOMALY, [], []) == Allowed()


@pytest.mark.parametrize(
    ("resumed", "assessed", "reason"),
    [(False, True, "not_resumed"), (True, False, "not_assessed"), (True, True, None)],
)
def test_it_closes_resumed_and_assessed(resumed, assessed, reason):
    verdict = judge_closing(ANOMALY, resumed=resumed, assessed=assessed)
    assert getattr(verdict, "reason", None) == reason


def test_water_stopped_for_an_unresolved_anomaly_is_not_restored():
    assert isinstance(judge_restoring(LISHUI, TODAY, []), Allowed)
    refused = judge_restoring(LISHUI, TODAY, ["YC1"])
    assert (refused.reason, refused.facts) == ("anomaly_unresolved", {"anomalies": ["YC1"]})
    assert isinstance(judge_restoring(load_book("us-nyc"), TODAY, ["YC1"]), Allowed)


@pytest.mark.parametrize(
    ("recipient", "outbreak", "due", "phone", "law"),
    [
        ("health", False, 24 * HOUR, 2 * HOUR, False),
        ("water", False, 24 * HOUR, 2 * HOUR, False),
        ("health", True, 2 * HOUR, 2 * HOUR, True),
        ("water", True, 24 * HOUR, 2 * HOUR, False),
    ],
)
def test_only_an_outbreak_owes_the_health_department_by_law(recipient, outbreak, due, phone, law):
    clock = first_report_clock(LISHUI, TODAY, AT, recipient, outbreak=outbreak)
    assert (clock.due_at, clock.phone_due_at, clock.law) == (AT + due, AT + phone, law)


def test_progress_follows_daily():
    assert progress_due(LISHUI, TODAY, AT) == AT + 24 * HOUR


def test_the_final_report_is_due_at_the_end_of_the_twentieth_working_day():
    due = final_due(LISHUI, AT, lambda day: day.weekday() < 5)
    assert due.isoformat() == "2026-12-22T00:00:00+08:00"
    # half past midnight in Lishui is the next civil day
    late = datetime(2026, 11, 22, 16, 30, tzinfo=UTC)
    assert final_due(LISHUI, late, lambda day: day.weekday() < 5) == due
    early = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
    assert final_due(LISHUI, early, lambda day: day.weekday() < 5).day == 19


def a_report(kind="first", state="due", due_at=AT, drafted=False):
    return OwedReport("N1", kind, state, due_at, drafted)


@pytest.mark.parametrize(
    ("report", "waits"),
    [
        (a_report("first"), True),
        (a_report("first", "sent"), True),
        (a_report("first", "acknowledged"), False),
        (a_report("progress"), False),
        (a_report("progress", due_at=AT - SECOND), True),
        (a_report("progress", drafted=True), True),
        (a_report("progress", "sent"), True),
        (a_report("progress", "withdrawn"), False),
        (a_report("final"), False),
        (a_report("final", due_at=AT - SECOND), True),
        (a_report("final", "sent"), True),
        (a_report("final", "acknowledged"), False),
        (OwedReport("N1", "first", "acknowledged", AT, drafted=True, asked=True), True),
    ],
)
def test_open_reports_stand_in_the_way_of_closing(report, waits):
    verdict = judge_reports(REPORT, [report], AT)
    assert isinstance(verdict, Refused) is waits
    if waits:
        assert verdict.facts == {"reports": ["N1"]}


def facts(**changes):
    given = {
        "historical": False,
        "clocks": step_clocks(ANOMALY, AT, {"stop": AT, "assessment": AT, "findings": AT}),
        "stopped": True,
        "departed": False,
        "departure_unexplained": False,
        "controlled": True,
        "in_scope": True,
        "ended_at": AT,
        "closed": True,
    }
    return AnomalyFacts(**given | changes)


@pytest.mark.parametrize(
    ("changes", "flags"),
    [
        ({}, []),
        ({"stopped": False}, [FlagCode.supply_not_stopped]),
        ({"stopped": False, "ended_at": None}, []),
        ({"departed": True}, [FlagCode.stop_departed]),
        ({"controlled": False}, [FlagCode.resumed_without_controls]),
        ({"historical": True, "departed": True}, []),
        (
            {"clocks": step_clocks(ANOMALY, AT - 25 * HOUR, {}), "closed": False},
            [FlagCode.supply_stopped_late, FlagCode.assessed_late, FlagCode.found_out_late],
        ),
        (
            {"clocks": step_clocks(ANOMALY, AT, {"stop": AT, "assessment": AT})},
            [FlagCode.closed_without_findings],
        ),
        ({"in_scope": False}, [FlagCode.out_of_scope]),
        (
            {"clocks": step_clocks(ANOMALY, AT, dict.fromkeys(DUE, AT), {"stop": AT + HOUR})},
            [FlagCode.late_entry],
        ),
    ],
)
def test_what_is_to_be_looked_at_on_an_anomaly(changes, flags):
    assert anomaly_flags(facts(**changes), AT) == flags


@pytest.mark.parametrize(
    ("sent", "phoned", "now", "flags"),
    [
        (None, None, AT + 2 * HOUR, []),
        (None, None, AT + 2 * HOUR + SECOND, [FlagCode.phoned_late]),
        (None, AT + HOUR, AT + 3 * HOUR, []),
        (AT + HOUR, None, AT + 99 * HOUR, []),
        (None, AT + HOUR, AT + 24 * HOUR + SECOND, [FlagCode.report_late]),
        (AT + 25 * HOUR, AT, AT + 99 * HOUR, [FlagCode.report_late]),
    ],
)
def test_what_is_late_on_a_report(sent, phoned, now, flags):
    given = ReportFacts(False, AT + 24 * HOUR, sent, AT + 2 * HOUR, phoned, 0)
    assert report_flags(given, now) == flags
