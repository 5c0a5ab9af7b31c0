"""Reports of pollution to the health and the water regulator (art. 18.2, 4)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.regulator_report import Regulator, RegulatorReport, ReportKind, ReportState
from water2.rules.flags import FlagCode
from water2.services.paging import Page
from water2.services.register_queries import list_rows
from water2.services.regulator_reports.acknowledging import (
    AcknowledgeReport,
    WriteMessage,
    acknowledge_report,
    write_message,
)
from water2.services.regulator_reports.drafting import (
    DraftReport,
    LogCall,
    draft_report,
    log_call,
)
from water2.services.regulator_reports.looking import (
    ReportLook,
    look_at_reports,
    receipts_of,
    shown_content,
)
from water2.services.regulator_reports.sending import SendReport, send_report
from water2.services.rows import fetch
from water2.work import Work

router = APIRouter(prefix="/regulator-reports", tags=["anomalies"], route_class=ActRoute)
AS_DRAFTED, WITHOUT_NOTE, NOW = SendReport(), AcknowledgeReport(), LogCall()


class MessageAnswer(Answer):
    """A request of a regulator, or the utility's answer to one."""

    id: str
    answers_id: str | None
    written_at: Instant
    written_by: str
    text: str


class ReportAnswer(Answer):
    """A report to one regulator; `basis` law: the State's two hours for outbreaks, else a target.

    `acknowledged_by` is the inspector's user.
    """

    id: str
    number: str
    utility_id: str
    anomaly_id: str
    regulator: Regulator
    kind: ReportKind
    ordinal: int
    state: ReportState
    basis: Literal["law", "target"]
    created_at: Instant
    due_at: Instant
    phone_due_at: Instant | None
    phoned_at: Instant | None
    sent_at: Instant | None
    sent_by: str | None
    content_sha256: str | None
    acknowledged_at: Instant | None
    acknowledged_by: str | None
    acknowledgement: str | None
    version: int
    flags: list[FlagCode]
    messages: list[MessageAnswer]


class WayAnswer(Answer):
    """How it went out by one way beside the regulator's inbox, and how surely it arrived."""

    channel: str
    state: str
    accepted_at: Instant | None
    delivered_at: Instant | None
    code: str | None


class ReportDetailAnswer(ReportAnswer):
    """A report with what it says: as sent, or as written so far."""

    content: dict[str, Any]
    receipts: list[WayAnswer]


class ReportQuery(ListQuery):
    """Narrows a list of reports."""

    anomaly_id: Annotated[str, Field(max_length=60)] | None = None
    regulator: Regulator | None = None
    kind: ReportKind | None = None
    state: ReportState | None = None


def _shown(look: ReportLook) -> dict[str, Any]:
    report = look.report
    return {
        **report.model_dump(),
        "basis": "law" if report.law else "target",
        "flags": look.flags,
        "messages": look.messages,
    }


async def _detail(work: Work, report: RegulatorReport) -> ReportDetailAnswer:
    await work.session.flush()
    (look,) = await look_at_reports(work, [report])
    more = {"content": shown_content(work, report), "receipts": await receipts_of(work, report)}
    return ReportDetailAnswer.model_validate(_shown(look) | more)


async def _answer(act: Act, report: RegulatorReport, status: int = 200) -> Response:
    return act.answer(await _detail(act.work, report), status, report.version)


@router.get("", response_model=ListAnswer[ReportAnswer])
async def show_reports(work: Reading, query: Annotated[ReportQuery, Given()]) -> Response:
    """List reports, the last owed first; each regulator sees the other's too."""
    filters = query.model_dump(include={"anomaly_id", "regulator", "kind", "state"})
    page = await list_rows(work, RegulatorReport, filters, query.page, newest_by="created_at")
    shown = [_shown(look) for look in await look_at_reports(work, page.items)]
    return page_answer(ReportAnswer, Page(shown, page.next))


@router.post("", status_code=201, response_model=ReportDetailAnswer)
async def write_report(act: Writing, command: DraftReport) -> Response:
    """Write in the report that is owed, or begin one more."""
    return await _answer(act, await draft_report(act.work, command), 201)


@router.get("/{id}", response_model=ReportDetailAnswer)
async def show_report(work: Reading, id_: Id) -> ReportDetailAnswer:
    """Show a report with what it says."""
    work.require(Action.read)
    return await _detail(work, await fetch(work, RegulatorReport, id_))


@router.post("/{id}/phone", response_model=ReportDetailAnswer)
async def phone(act: Writing, id_: Id, command: LogCall = NOW) -> Response:
    """Note that a first report was told by telephone."""
    return await _answer(act, await log_call(act.work, id_, command))


@router.post("/{id}/send", response_model=ReportDetailAnswer)
async def send(act: Writing, id_: Id, command: SendReport = AS_DRAFTED) -> Response:
    """Send a report; what is not written by hand is taken from the anomaly."""
    return await _answer(act, await send_report(act.work, id_, command))


@router.post("/{id}/acknowledge", response_model=ReportDetailAnswer)
async def acknowledge(act: Writing, id_: Id, command: AcknowledgeReport = WITHOUT_NOTE) -> Response:
    """Acknowledge a report, as an inspector of the regulator it is to."""
    return await _answer(act, await acknowledge_report(act.work, id_, command))


@router.post("/{id}/messages", status_code=201, response_model=ReportDetailAnswer)
async def write(act: Writing, id_: Id, command: WriteMessage) -> Response:
    """Ask about a report as an inspector, or answer a request as the utility."""
    await write_message(act.work, id_, command)
    return await _answer(act, await fetch(act.work, RegulatorReport, id_), 201)
