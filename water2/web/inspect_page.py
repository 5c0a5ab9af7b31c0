"""The contexts of the pages about anomalies and reports, put together from the read queries."""

import secrets
from collections.abc import Sequence
from datetime import datetime

from water2.domain.access import INSPECTORS, Action
from water2.domain.regulator_report import Regulator, ReportState
from water2.edge.clocks import duration, mark_line, step_line
from water2.edge.happenings import happening_sentence
from water2.rules.anomaly import ANOMALY
from water2.rules.regulator_reports import REPORT
from water2.services.anomaly_detail import AnomalyPage as AnomalyView
from water2.services.anomaly_lists import AnomalyRow, ReportRow, RequestRow
from water2.services.board import BoardView
from water2.services.board_anomalies import (
    count_historical,
    list_current_anomalies,
    list_open_requests,
    list_owed_reports,
    list_sent_reports,
)
from water2.services.board_lists import Listed
from water2.services.inspecting import view_inspection
from water2.services.regulator_reports.acknowledging import ROLE_OF
from water2.services.report_detail import ReportDetail
from water2.services.report_text import (
    report_lines,
    report_title,
    salutation,
    sheet_lines,
    signatures,
)
from water2.web.inspect_pages import (
    AnomaliesPage,
    AnomalyPage,
    HappeningLine,
    InspectPage,
    ReportLine,
    ReportPage,
    RequestLine,
    Sheet,
    Typed,
)
from water2.web.page import Frame
from water2.web.pages import AnomalyLine
from water2.words import Words, words
from water2.work import Work

ROWS_OF_A_LIST = 50


def anomaly_line(row: AnomalyRow, now: datetime, say: Words) -> AnomalyLine:
    """Return an anomaly with its clocks in the reader's words."""
    zone = row.utility.timezone
    return AnomalyLine(row, [step_line(clock, now, zone, say) for clock in row.look.clocks])


def report_line(row: ReportRow, now: datetime, say: Words) -> ReportLine:
    """Return a report with its clocks in the reader's words."""
    report = row.look.report
    waits = None
    if report.state is ReportState.sent and report.sent_at is not None:
        waits = duration(now - report.sent_at, say)
    clocks = [mark_line(mark, now, row.utility.timezone, say) for mark in row.marks]
    return ReportLine(row, clocks, waits)


def _reports(found: Listed[ReportRow], now: datetime, say: Words) -> Listed[ReportLine]:
    return Listed([report_line(row, now, say) for row in found.rows], found.total, None)


def _anomalies(found: Listed[AnomalyRow], now: datetime, say: Words) -> Listed[AnomalyLine]:
    return Listed([anomaly_line(row, now, say) for row in found.rows], found.total, found.next)


def _requests(found: Listed[RequestRow], now: datetime, say: Words) -> Listed[RequestLine]:
    rows = [RequestLine(row, duration(now - row.message.written_at, say)) for row in found.rows]
    return Listed(rows, found.total, None)


async def inspect_page(work: Work, frame: Frame) -> InspectPage:
    """Return what waits for the inspector.

    Raises:
        NotPermitted: the visitor is no inspector.
    """
    found, say, now = (
        await view_inspection(work, limit=ROWS_OF_A_LIST),
        words(frame.language),
        work.now,
    )
    return InspectPage(
        frame=frame,
        regulator=found.regulator,
        other=next(one for one in Regulator if one is not found.regulator),
        waiting=_reports(found.waiting, now, say),
        owed=_reports(found.owed, now, say),
        others=_reports(found.others, now, say),
        settled=_reports(found.settled, now, say),
        anomalies=_anomalies(found.anomalies, now, say),
        requests=_requests(found.requests, now, say),
    )


async def anomalies_page(
    work: Work, view: BoardView, frame: Frame, *, limit: int, cursor: str | None
) -> AnomaliesPage:
    """Return a page of a utility's current anomalies, with the reports it owes."""
    say, now = words(frame.language), work.now
    found = await current_anomalies(work, view, frame, limit=limit, cursor=cursor)
    grounds = {id_: view.book.obligation(id_, view.today) for id_ in (ANOMALY, REPORT)}
    return AnomaliesPage(
        frame=frame,
        rows=found.rows,
        total=found.total,
        next=found.next,
        paged=cursor is not None,
        requests=_requests(await list_open_requests(work, view, limit=limit), now, say),
        owed=_reports(await list_owed_reports(work, view, limit=limit), now, say),
        sent=_reports(await list_sent_reports(work, view, limit=limit), now, say),
        historical=await count_historical(work, view),
        grounds={id_: found.provision for id_, found in grounds.items() if found is not None},
    )


async def current_anomalies(
    work: Work, view: BoardView, frame: Frame, *, limit: int, cursor: str | None = None
) -> Listed[AnomalyLine]:
    """Return the anomalies that are not closed, with their clocks in the reader's words."""
    found = await list_current_anomalies(work, view, limit=limit, cursor=cursor)
    return _anomalies(found, work.now, words(frame.language))


def anomaly_page(work: Work, view: AnomalyView, frame: Frame) -> AnomalyPage:
    """Return the page of one anomaly."""
    say, now = words(frame.language), work.now
    timeline = [
        HappeningLine(one, happening_sentence(one, say), view.names.get(one.by or ""))
        for one in view.timeline
    ]
    return AnomalyPage(
        frame=frame,
        view=view,
        line=anomaly_line(view.row, now, say),
        timeline=timeline,
        reports=[report_line(row, now, say) for row in view.reports],
    )


def report_page(
    work: Work, detail: ReportDetail, frame: Frame, typed: Typed | None = None
) -> ReportPage:
    """Return the page of one report, with the forms that are the visitor's to send."""
    look, actor = detail.row.look, work.actor
    report = look.report
    readable = report.state in (ReportState.sent, ReportState.acknowledged)
    answered = {message.answers_id for message in look.messages}
    asked = [one.id for one in look.messages if one.answers_id is None]
    own = actor.role is ROLE_OF[report.regulator]
    return ReportPage(
        frame=frame,
        detail=detail,
        line=report_line(detail.row, work.now, words(frame.language)),
        sheet=_sheet(detail),
        may_acknowledge=own and report.state is ReportState.sent,
        may_ask=readable and actor.role in INSPECTORS,
        may_answer=readable and actor.may(Action.handle_anomalies),
        unanswered=frozenset(asked) - answered,
        form_key=secrets.token_urlsafe(16),
        typed=typed,
    )


def _sheet(detail: ReportDetail) -> Sheet | None:
    """Return the report in Chinese: what it says was written so, and is kept and printed so."""
    if detail.content is None:
        return None
    report, zone = detail.row.look.report, detail.row.utility.timezone
    receiver = detail.names.get(report.acknowledged_by or "")
    ways = _ways(detail)
    return Sheet(
        report_title(detail.content),
        salutation(detail.content),
        report_lines(detail.content, zone),
        sheet_lines(report, ways, receiver, zone),
        signatures(),
    )


def _ways(detail: ReportDetail) -> Sequence[str]:
    """Return the ways it went out by beside the inbox, each once, in Chinese."""
    say = words("zh")
    return list(dict.fromkeys(say.text(f"channel.{one.channel}") for one in detail.receipts))
