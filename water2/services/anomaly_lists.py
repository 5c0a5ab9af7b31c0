"""Anomalies, reports and requests as pages list them: each row with where it is, set-based."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.access import User
from water2.domain.anomaly import CURRENT, Anomaly
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.regulator_report import RegulatorReport, ReportMessage
from water2.rules.anomaly import Doing, next_step
from water2.rules.regulator_reports import ReportMark
from water2.services.anomalies.looking import AnomalyLook, looks
from water2.services.board_lists import Listed
from water2.services.regulator_reports.looking import ReportLook, look_at_reports, marks_of
from water2.services.regulator_reports.requests import unanswered
from water2.services.rows import among
from water2.work import Work


@dataclass(frozen=True)
class AnomalyRow:
    """An anomaly with where it is and what is to be done next."""

    look: AnomalyLook
    facility: Facility
    utility: Utility

    @property
    def doing(self) -> Doing | None:
        """Return what is to be done next; None once it is closed."""
        anomaly = self.look.anomaly
        if anomaly.state not in CURRENT:
            return None
        resumed = anomaly.resumed_at is not None
        controlled = anomaly.controls_at is not None
        return next_step(self.look.clocks, controlled=controlled, resumed=resumed)


@dataclass(frozen=True)
class ReportRow:
    """A report with what it is about."""

    look: ReportLook
    anomaly: Anomaly
    facility: Facility
    utility: Utility

    @property
    def marks(self) -> tuple[ReportMark, ...]:
        """Return by when it is told, by telephone and in writing."""
        return marks_of(self.look.report)


@dataclass(frozen=True)
class RequestRow:
    """A request of a regulator without an answer; `asked_by` is the account's name."""

    message: ReportMessage
    report: RegulatorReport
    facility: Facility
    utility: Utility
    asked_by: str | None


async def anomaly_rows(work: Work, anomalies: Sequence[Anomaly]) -> list[AnomalyRow]:
    """Return anomalies with where they are, in their order."""
    found = await work.session.exec(
        select(Facility, Utility)
        .join(Utility, col(Utility.id) == Facility.utility_id)
        .where(among(work, Facility.id, {one.facility_id for one in anomalies}))
    )
    places = {facility.id: (facility, utility) for facility, utility in found}
    return [
        AnomalyRow(look, *places[look.anomaly.facility_id]) for look in await looks(work, anomalies)
    ]


async def list_reports(
    work: Work, which: ColumnElement[bool], *order: Any, limit: int
) -> Listed[ReportRow]:
    """Return the first reports that fulfil a condition, and how many there are."""
    total = (
        await work.session.exec(select(func.count(col(RegulatorReport.id))).where(which))
    ).one()
    if not total:
        return Listed([], 0, None)
    found = await work.session.exec(
        select(RegulatorReport, Anomaly, Facility, Utility)
        .join(Anomaly, col(Anomaly.id) == RegulatorReport.anomaly_id)
        .join(Facility, col(Facility.id) == Anomaly.facility_id)
        .join(Utility, col(Utility.id) == RegulatorReport.utility_id)
        .where(which)
        .order_by(*order, col(RegulatorReport.number))
        .limit(limit)
    )
    rows = found.all()
    told = await look_at_reports(work, [row[0] for row in rows])
    listed = [
        ReportRow(look, anomaly, facility, utility)
        for look, (_, anomaly, facility, utility) in zip(told, rows, strict=True)
    ]
    return Listed(listed, total, None)


async def list_requests(
    work: Work, utility_ids: Iterable[str], *, limit: int
) -> Listed[RequestRow]:
    """Return the requests of regulators that have no answer, the first asked first."""
    which = (col(ReportMessage.utility_id).in_(list(utility_ids)), unanswered())
    total = (await work.session.exec(select(func.count(col(ReportMessage.id))).where(*which))).one()
    if not total:
        return Listed([], 0, None)
    found = await work.session.execute(
        select_columns(ReportMessage, RegulatorReport, Facility, Utility, col(User.username))
        .join(RegulatorReport, col(RegulatorReport.id) == ReportMessage.report_id)
        .join(Anomaly, col(Anomaly.id) == RegulatorReport.anomaly_id)
        .join(Facility, col(Facility.id) == Anomaly.facility_id)
        .join(Utility, col(Utility.id) == ReportMessage.utility_id)
        .outerjoin(User, col(User.id) == ReportMessage.written_by)
        .where(*which)
        .order_by(col(ReportMessage.written_at), col(ReportMessage.id))
        .limit(limit)
    )
    return Listed([RequestRow(*row) for row in found], total, None)


async def usernames(work: Work, ids: Iterable[str | None]) -> dict[str, str]:
    """Return the names of accounts by id; the program itself has none."""
    wanted = {id_ for id_ in ids if id_}
    if not wanted:
        return {}
    found = await work.session.exec(
        select(User.id, User.username).where(among(work, User.id, wanted))
    )
    return dict(found.all())
