"""The demonstration's anomalies: one closed, one dangerous, one just found, one complaint.

Each act is done at its own instant of the demonstration's past, by the accounts it has.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import col, select

from water2.domain.access import Actor, Role, User
from water2.domain.anomaly import Anomaly, AnomalySource
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportKind
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
from water2.services.demo.outages import supplied
from water2.services.regulator_reports.acknowledging import (
    ROLE_OF,
    AcknowledgeReport,
    WriteMessage,
    acknowledge_report,
    write_message,
)
from water2.services.regulator_reports.drafting import LogCall, log_call
from water2.services.regulator_reports.owing import reports_of
from water2.services.regulator_reports.sending import SendReport, send_report
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample
from water2.work import Runtime, Work

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
_FOUND = {"total_coliform": "检出", "e_coli": "检出", "turbidity": "0.6"}
_FIT = {"total_coliform": "未检出", "e_coli": "未检出", "turbidity": "0.3"}
T = TypeVar("T")


@dataclass(frozen=True)
class Story:
    """One anomaly's life: `since` is when it began, acts follow so long after."""

    runtime: Runtime
    cast: Mapping[Role, Actor]
    facility: Facility
    tank: Tank | None
    since: datetime

    async def act(self, after: timedelta, role: Role, do: Callable[[Work], Awaitable[T]]) -> T:
        """Do something in a unit of its own, as somebody, at its instant."""
        runtime = replace(self.runtime, clock=lambda: self.since + after)
        async with runtime.work(self.cast[role]) as work:
            return await do(work)

    async def sample(
        self, after: timedelta, point: Point, purpose: Purpose, raws: Mapping[str, str]
    ) -> Anomaly | None:
        """Take a sample; a failed one opens an anomaly."""
        at_tank = self.tank is not None and point is Point.outlet
        command = RecordSample(
            facility_id=self.facility.id,
            tank_id=self.tank.id if self.tank and at_tank else None,
            point=point,
            purpose=purpose,
            sampled_at=self.since + after,
            results=[GivenResult(parameter=key, raw=raw) for key, raw in raws.items()],
        )
        await self.act(after, Role.crew, lambda work: record_sample(work, command))
        return await self.act(after, Role.crew, self._current)

    async def _current(self, work: Work) -> Anomaly | None:
        found = await work.session.exec(
            select(Anomaly)
            .where(Anomaly.facility_id == self.facility.id)
            .order_by(col(Anomaly.opened_at).desc())
        )
        return found.first()

    async def report(self, anomaly: Anomaly, to: Regulator, kind: ReportKind) -> RegulatorReport:
        """Return the report of a kind that a regulator is owed."""
        found = await self.act(timedelta(), Role.manager, lambda work: reports_of(work, anomaly.id))
        return next(one for one in found if (one.regulator, one.kind) == (to, kind))


async def seed_anomalies(runtime: Runtime, utility: Utility) -> None:
    """Let anomalies be found and handled, up to now.

    Raises:
        KeyError: the installation lacks an account of some role.
    """
    async with runtime.read() as work:
        cast = await _cast(work, utility)
        *_, closed, danger, found, complaint = await supplied(work, utility)
        tanks = {one.id: await _tank(work, one) for one in (closed, danger)}
        now = work.now
    await _closed(Story(runtime, cast, closed, tanks[closed.id], now - timedelta(days=9)))
    await _dangerous(Story(runtime, cast, danger, tanks[danger.id], now - 5 * HOUR))
    await _complained(Story(runtime, cast, complaint, None, now - 3 * HOUR))
    raws = {"free_chlorine": "0.02", "turbidity": "0.4"}
    just = Story(runtime, cast, found, None, now - 10 * MINUTE)
    await just.sample(timedelta(), Point.terminal, Purpose.extended, raws)


async def _cast(work: Work, utility: Utility) -> dict[Role, Actor]:
    users = await work.session.exec(select(User).order_by(col(User.username).desc()))
    return {
        user.role: Actor(
            user.id, user.role, user.organisation_id, (utility.id,), username=user.username
        )
        for user in users
    }


async def _tank(work: Work, facility: Facility) -> Tank | None:
    found = await work.session.exec(
        select(Tank).where(Tank.facility_id == facility.id).order_by(Tank.code)
    )
    return found.first()


async def _begin(story: Story, assessed: timedelta) -> Anomaly:
    """Let a sample fail, stop the water, and judge it dangerous."""
    anomaly = await story.sample(timedelta(), Point.outlet, Purpose.extended, _FOUND)
    if anomaly is None:
        raise ValueError(story.facility.code)  # what was found fails every edition
    stop = StopSupply(health_advice="请勿直接饮用；饮用前须煮沸。")
    await story.act(14 * MINUTE, Role.crew, lambda work: stop_supply(work, anomaly.id, stop))
    danger = AssessDanger(
        endangers_health=True,
        reason="出水检出大肠埃希氏菌，可能引起肠道疾病（演示）",
        people_affected=96,
    )
    await story.act(assessed, Role.manager, lambda work: assess_danger(work, anomaly.id, danger))
    return anomaly


async def _call(story: Story, report: RegulatorReport, at: timedelta) -> None:
    call = LogCall(note="值班室接听（演示）")
    await story.act(at, Role.manager, lambda work: log_call(work, report.id, call))


async def _tell(
    story: Story,
    anomaly: Anomaly,
    to: Regulator,
    kind: ReportKind,
    at: timedelta,
    *,
    taken: timedelta | None,
    words: SendReport,
) -> RegulatorReport:
    """Send a report, and let it be acknowledged after a while."""
    report = await story.report(anomaly, to, kind)
    await story.act(at, Role.manager, lambda work: send_report(work, report.id, words))
    if taken is not None:
        note = AcknowledgeReport(note="已收悉（演示）")
        await story.act(taken, ROLE_OF[to], lambda work: acknowledge_report(work, report.id, note))
    return report


async def _closed(story: Story) -> None:
    anomaly = await _begin(story, 65 * MINUTE)
    for to in Regulator:
        first = await story.report(anomaly, to, ReportKind.first)
        await _call(story, first, 75 * MINUTE)
        await _tell(
            story, anomaly, to, ReportKind.first, 5 * HOUR, taken=7 * HOUR, words=SendReport()
        )
    await _handle(story, anomaly, 4 * HOUR)
    for point in (Point.outlet, Point.terminal):
        await story.sample(26 * HOUR, point, Purpose.retest, _FIT)
    await story.act(27 * HOUR, Role.manager, lambda work: resume_supply(work, anomaly.id))
    words = SendReport(
        cause="水箱人孔盖未锁，雨水带入污染物（演示）",
        handling="停水后清洗消毒水箱，冲洗管网，复测合格后恢复供水（演示）",
        lessons="人孔加锁并列入每月巡检；雨季前普查一次（演示）",
    )
    for to in Regulator:
        await _tell(story, anomaly, to, ReportKind.final, 28 * HOUR, taken=28.5 * HOUR, words=words)
    summary = CloseAnomaly(summary="水箱污染，清洗消毒后复测合格（演示）")
    await story.act(
        28.75 * HOUR, Role.manager, lambda work: close_anomaly(work, anomaly.id, summary)
    )


async def _handle(story: Story, anomaly: Anomaly, at: timedelta) -> None:
    findings = RecordFindings(
        text="人孔盖未锁，箱内有落叶（演示）", suspected_cause="水箱受雨水污染"
    )
    await story.act(at, Role.crew, lambda work: record_findings(work, anomaly.id, findings))
    controls = RecordControls(text="放空水箱，清洗消毒（演示）", flushed=True, disinfected=True)
    await story.act(at + HOUR, Role.crew, lambda work: record_controls(work, anomaly.id, controls))


async def _dangerous(story: Story) -> None:
    """Reported to both, by telephone to one alone; the water regulator took it and asks."""
    anomaly = await _begin(story, HOUR)
    to_health, to_water = Regulator.health, Regulator.water
    first = await story.report(anomaly, to_health, ReportKind.first)
    await _call(story, first, 90 * MINUTE)
    at, words = 3.4 * HOUR, SendReport()
    await _tell(story, anomaly, to_health, ReportKind.first, at, taken=None, words=words)
    other = await _tell(story, anomaly, to_water, ReportKind.first, at, taken=4 * HOUR, words=words)
    ask = WriteMessage(text="临时取水点设在何处？何时可供水？（演示）")
    await story.act(4.1 * HOUR, ROLE_OF[to_water], lambda work: write_message(work, other.id, ask))


async def _complained(story: Story) -> None:
    told = ReportAnomaly(
        facility_id=story.facility.id,
        source=AnomalySource.complaint,
        found_at=story.since,
        point=Point.terminal,
        note="住户来电：水有异味（演示）",
    )
    anomaly = await story.act(timedelta(), Role.crew, lambda work: report_anomaly(work, told))
    harmless = AssessDanger(endangers_health=False, reason="现场余氯、浊度正常，异味轻微（演示）")
    await story.act(HOUR, Role.manager, lambda work: assess_danger(work, anomaly.id, harmless))
