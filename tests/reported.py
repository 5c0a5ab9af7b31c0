"""A dangerous anomaly with its reports, made through the use-cases."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select

from tests.estate import Estate
from water2.domain.access import Actor
from water2.domain.anomaly import Anomaly
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportKind
from water2.domain.water import Point, Purpose
from water2.services.anomalies.handling import AssessDanger, assess_danger
from water2.services.regulator_reports.owing import reports_of
from water2.services.regulator_reports.sending import SendReport, send_report
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample
from water2.work import Runtime, Work


@dataclass
class Reported:
    """An anomaly, and its reports by regulator and kind."""

    anomaly: Anomaly
    reports: dict[tuple[Regulator, ReportKind], RegulatorReport]

    def first(self, to: Regulator) -> RegulatorReport:
        return self.reports[to, ReportKind.first]


async def failed_sample(work: Work, estate: Estate, at: datetime, **raws: str) -> Anomaly:
    command = RecordSample(
        facility_id=estate.facility.id,
        tank_id=estate.tank.id,
        point=Point.outlet,
        purpose=Purpose.routine,
        sampled_at=at,
        results=[GivenResult(parameter=key, raw=raw) for key, raw in raws.items()],
    )
    await record_sample(work, command)
    await work.session.flush()
    found = await work.session.exec(
        select(Anomaly).where(Anomaly.facility_id == estate.facility.id)
    )
    return found.one()


async def a_reported_anomaly(
    runtime: Runtime, manager: Actor, estate: Estate, *, sent: tuple[Regulator, ...] = ()
) -> Reported:
    """E. coli at the outlet, judged dangerous at once; first reports sent to some regulators."""
    async with runtime.work(manager) as work:
        anomaly = await failed_sample(work, estate, work.now, e_coli="检出")
        danger = AssessDanger(endangers_health=True, reason="检出大肠埃希氏菌", people_affected=96)
        await assess_danger(work, anomaly.id, danger)
    async with runtime.work(manager) as work:
        owed = await reports_of(work, anomaly.id)
    found = Reported(anomaly, {(one.regulator, one.kind): one for one in owed})
    for regulator in sent:
        await send(runtime, manager, found.first(regulator))
    return found


async def send(runtime: Runtime, manager: Actor, report: RegulatorReport) -> None:
    async with runtime.work(manager) as work:
        await send_report(work, report.id, SendReport())
