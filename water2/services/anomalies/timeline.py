"""The timeline of an anomaly: everything that told of it and was done, in the order it happened."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import col, select

from water2.domain.anomaly import AnomalyAct, AnomalyCause
from water2.domain.notice import Notice
from water2.domain.regulator_report import RegulatorReport, ReportMessage
from water2.domain.water import Purpose, Sample
from water2.services.anomalies.standing import stand
from water2.services.anomaly_history import acts_of, causes_of
from water2.services.instants import start_of_day
from water2.services.regulator_reports.owing import reports_of
from water2.work import Work


@dataclass(frozen=True)
class Happening:
    """One thing that happened: its kind, by which user, in whose words, what it is about."""

    at: datetime
    kind: str
    by: str | None = None
    text: str | None = None
    about: dict[str, object] = field(default_factory=dict)


async def timeline_of(work: Work, id_: str) -> list[Happening]:
    """Return everything that happened about an anomaly.

    Raises:
        NotFound: there is none, or another utility's.
    """
    standing = await stand(work, id_)
    anomaly = standing.anomaly
    found = [_caused(cause) for cause in await causes_of(work, anomaly)]
    acts = await acts_of(work, anomaly)
    found += [_done(act) for act in acts]
    outages = {anomaly.outage_id, *(act.data.get("outage") for act in acts)} - {None}
    found += await _told(work, sorted(str(id_) for id_ in outages))
    found += await _retested(
        work, standing.facility.id, anomaly.opened_at, standing.utility.timezone
    )
    for report in await reports_of(work, anomaly.id):
        found += _reported(report)
        found += await _written(work, report)
    return sorted(found, key=lambda one: one.at)


def _caused(cause: AnomalyCause) -> Happening:
    about = cause.model_dump(
        mode="json",
        include={"source", "parameter", "point", "tank_id", "sample_id", "instrument_id"},
        exclude_none=True,
    )
    return Happening(cause.found_at, "cause", cause.recorded_by, cause.note, about)


def _done(act: AnomalyAct) -> Happening:
    return Happening(act.occurred_at, act.kind.value, act.recorded_by, act.text, dict(act.data))


async def _told(work: Work, outage_ids: list[str]) -> list[Happening]:
    """Return the notices residents got."""
    rows = await work.session.exec(
        select(Notice).where(col(Notice.outage_id).in_(outage_ids)).order_by(Notice.id)
    )
    return [
        Happening(
            notice.published_at,
            "notice",
            text=notice.title_zh,
            about={
                "number": notice.number,
                "revision": notice.revision,
                "kind": notice.kind.value,
                "households": notice.households,
            },
        )
        for notice in rows
    ]


async def _retested(
    work: Work, facility_id: str, since: datetime, timezone: str
) -> list[Happening]:
    rows = await work.session.exec(
        select(Sample).where(
            Sample.facility_id == facility_id,
            Sample.purpose == Purpose.retest,
            col(Sample.recorded_at) >= since,
        )
    )
    return [
        Happening(
            sample.sampled_at or start_of_day(sample.sampled_on, timezone),
            "retest",
            about={
                "sample_id": sample.id,
                "point": sample.point.value,
                "verdict": sample.verdict.value,
            },
        )
        for sample in rows
    ]


def _reported(report: RegulatorReport) -> Iterable[Happening]:
    about: dict[str, object] = {
        "number": report.number,
        "regulator": report.regulator.value,
        "kind": report.kind.value,
    }
    yield Happening(report.created_at, "report_owed", about=about)
    if report.phoned_at is not None:
        yield Happening(report.phoned_at, "report_phoned", report.phoned_by, about=about)
    if report.sent_at is not None:
        yield Happening(report.sent_at, "report_sent", report.sent_by, about=about)
    if report.acknowledged_at is not None:
        by, note = report.acknowledged_by, report.acknowledgement
        yield Happening(report.acknowledged_at, "report_acknowledged", by, note, about)


async def _written(work: Work, report: RegulatorReport) -> list[Happening]:
    rows = await work.session.exec(
        select(ReportMessage).where(ReportMessage.report_id == report.id)
    )
    return [
        Happening(
            message.written_at,
            "report_answered" if message.answers_id else "report_asked",
            message.written_by,
            message.text,
            {"number": report.number},
        )
        for message in rows
    ]
