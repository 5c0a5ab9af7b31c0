"""Any course of acts on the anomalies of a facility: bad water never flows again unproven.

An oracle beside the database keeps, in plain Python, what failed, what passed a re-test and which
reports were acknowledged, and says after each act what may have happened.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col, select

from tests.estate import Estate, an_estate
from water2.domain.access import Actor, Role
from water2.domain.anomaly import CURRENT, Anomaly, AnomalyCause, AnomalySource
from water2.domain.errors import Conflict, Invalid, NotPermitted, RuleViolation
from water2.domain.outage import Outage
from water2.domain.regulator_report import RegulatorReport
from water2.domain.water import Point, Purpose
from water2.services.anomalies.handling import (
    AssessDanger,
    RecordControls,
    RecordFindings,
    assess_danger,
    record_controls,
    record_findings,
)
from water2.services.anomalies.noticing import ReportAnomaly, report_anomaly
from water2.services.anomalies.resuming import CloseAnomaly, close_anomaly, resume_supply
from water2.services.anomalies.stopping import StopSupply, stop_supply
from water2.services.outages.transitions import RestoreSupply, restore_supply
from water2.services.regulator_reports.acknowledging import (
    AcknowledgeReport,
    acknowledge_report,
)
from water2.services.regulator_reports.sending import SendReport, send_report
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
NUMBERS = count(1)
REFUSALS = (RuleViolation, Conflict, Invalid, NotPermitted)
RAW = {"turbidity": ("1.2", "0.3"), "e_coli": ("检出", "未检出")}
ACTS = (
    *(f"fail {item} {point}" for item in RAW for point in ("outlet", "terminal")),
    *(f"pass {item} {point}" for item in RAW for point in ("outlet", "terminal")),
    "pass_all",
    "pass_all",
    "notice",
    "stop",
    "stop_part",
    "find_out",
    "control",
    "danger",
    "no_danger",
    "send",
    "send",
    "acknowledge health",
    "acknowledge water",
    "acknowledge health",
    "acknowledge water",
    "resume",
    "resume",
    "restore",
    "close",
    "close",
    "wait",
)
LAWFUL = {
    "open": {"open", "supply_stopped", "resumed"},
    "supply_stopped": {"supply_stopped", "resumed"},
    "resumed": {"resumed", "open", "closed"},
    "closed": {"closed"},
}


@dataclass
class Oracle:
    """What failed and passed, newest last: item → point → whether it passed."""

    failed: dict[str, set[str]] = field(default_factory=dict)
    last: dict[tuple[str, str], bool] = field(default_factory=dict)

    def fail(self, item: str, point: str) -> None:
        self.failed.setdefault(item, set()).update({point, "terminal"})
        for place in self.failed[item]:
            self.last[item, place] = False

    def fit(self) -> bool:
        return all(
            self.last[item, point] for item, points in self.failed.items() for point in points
        )


@dataclass
class Course:
    """The anomalies of one facility, and the acts on them."""

    lishui: object
    clock: object
    estate: Estate
    oracle: Oracle = field(default_factory=Oracle)

    async def act(self, use_case, *arguments, actor=None):
        async with self.lishui.runtime.work(actor or self.lishui.manager) as work:
            return await use_case(work, *arguments)

    async def rows(self, table, *conditions):
        async with self.lishui.runtime.read() as work:
            found = await work.session.exec(select(table).where(*conditions).order_by(table.id))
            return list(found)

    async def anomalies(self):
        return await self.rows(Anomaly, Anomaly.facility_id == self.estate.facility.id)

    async def every(self, use_case, *arguments):
        for anomaly in await self.anomalies():
            try:
                await self.act(use_case, anomaly.id, *arguments)
            except REFUSALS:
                continue

    async def take(self, name: str) -> None:
        self.clock.set(self.clock.now + timedelta(minutes=1))
        verb, *arguments = name.split()
        await getattr(self, f"do_{verb}")(*arguments)

    async def sample(self, item, point, *, passes, purpose):
        command = RecordSample(
            facility_id=self.estate.facility.id,
            tank_id=self.estate.tank.id if point == "outlet" else None,
            point=Point(point),
            purpose=purpose,
            sampled_at=self.clock.now,
            results=[GivenResult(parameter=item, raw=RAW[item][passes])],
        )
        await self.act(record_sample, command)

    async def do_fail(self, item, point):
        await self.sample(item, point, passes=False, purpose=Purpose.routine)
        self.oracle.fail(item, point)

    async def do_pass(self, item, point):
        await self.sample(item, point, passes=True, purpose=Purpose.retest)
        self.oracle.last[item, point] = True

    async def do_pass_all(self):
        for item in RAW:
            for point in ("outlet", "terminal"):
                await self.do_pass(item, point)

    async def do_notice(self):
        command = ReportAnomaly(
            facility_id=self.estate.facility.id,
            source=AnomalySource.complaint,
            parameter="turbidity",
            point=Point.terminal,
            note="浑",
        )
        await self.act(report_anomaly, command)
        self.oracle.fail("turbidity", "terminal")

    async def do_stop(self):
        await self.every(stop_supply, StopSupply())

    async def do_stop_part(self):
        await self.every(stop_supply, StopSupply(building_ids=["1幢"]))

    async def do_find_out(self):
        await self.every(record_findings, RecordFindings(text="查"))

    async def do_control(self):
        await self.every(record_controls, RecordControls(text="冲洗"))

    async def do_danger(self):
        await self.every(assess_danger, AssessDanger(endangers_health=True, reason="检出"))

    async def do_no_danger(self):
        await self.every(assess_danger, AssessDanger(endangers_health=False, reason="未饮用"))

    async def do_send(self):
        for report in await self.reports():
            try:
                await self.act(send_report, report.id, SendReport())
            except REFUSALS:
                continue

    async def do_acknowledge(self, regulator):
        inspector = Actor(
            user_id=self.lishui.manager.user_id,
            role=Role(f"{regulator}_inspector"),
            utility_ids=(self.lishui.utility.id,),
        )
        for report in await self.reports():
            try:
                await self.act(acknowledge_report, report.id, AcknowledgeReport(), actor=inspector)
            except REFUSALS:
                continue

    async def reports(self):
        ids = [anomaly.id for anomaly in await self.anomalies()]
        return await self.rows(RegulatorReport, col(RegulatorReport.anomaly_id).in_(ids))

    async def do_resume(self):
        await self.every(resume_supply)

    async def do_restore(self):
        outages = await self.rows(Outage, Outage.facility_id == self.estate.facility.id)
        for outage in outages:
            try:
                await self.act(restore_supply, outage.id, RestoreSupply())
            except REFUSALS:
                continue

    async def do_close(self):
        await self.every(close_anomaly, CloseAnomaly(summary="完"))

    async def do_wait(self):
        self.clock.set(self.clock.now + timedelta(hours=30))


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(st.sampled_from(ACTS), min_size=6, max_size=16))
async def test_bad_water_never_flows_again_unproven_whatever_is_done(lishui, clock, steps):
    clock.set(NOW)
    estate = await an_estate(lishui, f"P-{next(NUMBERS)}")
    course = Course(lishui, clock, estate)
    for step in ("fail e_coli outlet", *steps):
        before = {one.id: one for one in await course.anomalies()}
        await course.take(step)
        await compare(course, before)


async def compare(course: Course, before: dict[str, Anomaly]) -> None:
    """Hold what became of the anomalies against what is known."""
    now = await course.anomalies()
    for anomaly in now:
        earlier = before.get(anomaly.id)
        if earlier is None or earlier.state is anomaly.state:
            continue
        assert anomaly.state.value in LAWFUL[earlier.state.value]
        if anomaly.state.value == "resumed":
            assert course.oracle.fit()
        if anomaly.state.value == "closed":
            await closed_in_right(course, anomaly)
    await no_two_of_one_cause(course, now)


async def closed_in_right(course: Course, anomaly: Anomaly) -> None:
    assert anomaly.assessed_at is not None
    reports = [one for one in await course.reports() if one.anomaly_id == anomaly.id]
    assert not any(one.state.value == "sent" for one in reports)
    firsts = {one.regulator.value: one.state.value for one in reports if one.kind == "first"}
    dangerous = anomaly.danger_at is not None
    assert firsts == (dict.fromkeys(("health", "water"), "acknowledged") if dangerous else {})


async def no_two_of_one_cause(course: Course, anomalies: list[Anomaly]) -> None:
    current = {one.id for one in anomalies if one.state in CURRENT}
    causes = await course.rows(AnomalyCause, col(AnomalyCause.anomaly_id).in_(current))
    owners = {(cause.parameter, cause.anomaly_id) for cause in causes}
    assert not [item for item, found in Counter(item for item, _ in owners).items() if found > 1]
