"""What the board shows of anomalies: the current ones with their clocks, the reports on them."""

from sqlalchemy import and_, func
from sqlmodel import col, select

from water2.domain.anomaly import CURRENT, Anomaly, AnomalyState
from water2.domain.regulator_report import RegulatorReport, ReportState
from water2.services.anomaly_lists import (
    AnomalyRow,
    ReportRow,
    RequestRow,
    anomaly_rows,
    list_reports,
    list_requests,
)
from water2.services.board import BoardView
from water2.services.board_lists import Listed
from water2.services.paging import read_page
from water2.work import Work


async def list_current_anomalies(
    work: Work, view: BoardView, *, limit: int, cursor: str | None = None
) -> Listed[AnomalyRow]:
    """Return the anomalies that are not closed, the first found first: its clocks run out first.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    which = and_(col(Anomaly.utility_id) == view.utility.id, col(Anomaly.state).in_(CURRENT))
    total = (await work.session.exec(select(func.count(col(Anomaly.id))).where(which))).one()
    keys = [col(Anomaly.found_at), col(Anomaly.id)]
    page = await read_page(work, select(Anomaly).where(which), keys, limit, cursor)
    return Listed(await anomaly_rows(work, page.items), total, page.next)


async def count_historical(work: Work, view: BoardView) -> int:
    """Return how many anomalies are known from old files alone."""
    found = await work.session.exec(
        select(func.count(col(Anomaly.id))).where(
            col(Anomaly.utility_id) == view.utility.id,
            col(Anomaly.state) == AnomalyState.historical,
        )
    )
    return found.one()


async def list_owed_reports(work: Work, view: BoardView, *, limit: int) -> Listed[ReportRow]:
    """Return the reports that are not sent, the first due first."""
    return await _reports(work, view, ReportState.due, limit)


async def list_sent_reports(work: Work, view: BoardView, *, limit: int) -> Listed[ReportRow]:
    """Return the reports that no inspector has acknowledged yet, the first due first."""
    return await _reports(work, view, ReportState.sent, limit)


async def _reports(
    work: Work, view: BoardView, state: ReportState, limit: int
) -> Listed[ReportRow]:
    report = RegulatorReport
    which = and_(col(report.utility_id) == view.utility.id, col(report.state) == state)
    return await list_reports(work, which, col(report.due_at), limit=limit)


async def list_open_requests(work: Work, view: BoardView, *, limit: int) -> Listed[RequestRow]:
    """Return the requests of regulators that the utility has not answered."""
    return await list_requests(work, [view.utility.id], limit=limit)
