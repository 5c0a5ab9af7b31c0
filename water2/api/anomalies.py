"""Quality anomalies (art. 18.2): stop supply, find out, control, assess, re-test, resume, close."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import Act, ActRoute, Writing
from water2.api.anomaly_shapes import (
    AnomalyAnswer,
    AnomalyDetailAnswer,
    AnomalyQuery,
    HappeningAnswer,
    TimelineAnswer,
    shown_detail,
    shown_look,
)
from water2.api.callers import Reading
from water2.api.shapes import Id, ListAnswer, page_answer
from water2.domain.access import Action
from water2.domain.anomaly import Anomaly
from water2.services.anomalies.handling import (
    AssessDanger,
    RecordControls,
    RecordFindings,
    assess_danger,
    record_controls,
    record_findings,
)
from water2.services.anomalies.looking import look_at, looks
from water2.services.anomalies.noticing import ReportAnomaly, report_anomaly
from water2.services.anomalies.resuming import CloseAnomaly, close_anomaly, resume_supply
from water2.services.anomalies.stopping import StopSupply, stop_supply
from water2.services.anomalies.timeline import timeline_of
from water2.services.paging import Page
from water2.services.register_queries import list_rows

router = APIRouter(prefix="/anomalies", tags=["anomalies"], route_class=ActRoute)
NOW = StopSupply()


async def _answer(act: Act, anomaly: Anomaly, status: int = 200) -> Response:
    detail = await look_at(act.work, anomaly.id)
    return act.answer(shown_detail(detail), status, detail.look.anomaly.version)


@router.get("", response_model=ListAnswer[AnomalyAnswer])
async def show_anomalies(work: Reading, query: Annotated[AnomalyQuery, Given()]) -> Response:
    """List anomalies, the last opened first."""
    filters = query.model_dump(include={"facility_id", "state", "source"})
    page = await list_rows(work, Anomaly, filters, query.page, newest_by="opened_at")
    shown = [shown_look(look) for look in await looks(work, page.items)]
    return page_answer(AnomalyAnswer, Page(shown, page.next))


@router.post("", status_code=201, response_model=AnomalyDetailAnswer)
async def add_anomaly(act: Writing, command: ReportAnomaly) -> Response:
    """Tell of something wrong with the water; what is known already is added to its anomaly."""
    return await _answer(act, await report_anomaly(act.work, command), 201)


@router.get("/{id}", response_model=AnomalyDetailAnswer)
async def show_anomaly(work: Reading, id_: Id) -> AnomalyDetailAnswer:
    """Show an anomaly with its clocks, causes, acts and re-tests."""
    work.require(Action.read)
    return shown_detail(await look_at(work, id_))


@router.get("/{id}/timeline", response_model=TimelineAnswer)
async def show_timeline(work: Reading, id_: Id) -> TimelineAnswer:
    """Show everything that happened: causes, acts, notices, re-tests, reports, their receipts."""
    work.require(Action.read)
    items = [HappeningAnswer.model_validate(one) for one in await timeline_of(work, id_)]
    return TimelineAnswer(items=items)


@router.post("/{id}/stop-supply", response_model=AnomalyDetailAnswer)
async def stop(act: Writing, id_: Id, command: StopSupply = NOW) -> Response:
    """Record that supply is stopped: an emergency outage with its quality notice, at once."""
    return await _answer(act, await stop_supply(act.work, id_, command))


@router.post("/{id}/findings", response_model=AnomalyDetailAnswer)
async def add_findings(act: Writing, id_: Id, command: RecordFindings) -> Response:
    """Record what was found out."""
    return await _answer(act, await record_findings(act.work, id_, command))


@router.post("/{id}/controls", response_model=AnomalyDetailAnswer)
async def add_controls(act: Writing, id_: Id, command: RecordControls) -> Response:
    """Record what was done to control it."""
    return await _answer(act, await record_controls(act.work, id_, command))


@router.post("/{id}/assessment", response_model=AnomalyDetailAnswer)
async def assess(act: Writing, id_: Id, command: AssessDanger) -> Response:
    """Judge whether health may be in danger; a yes owes a report to both regulators."""
    return await _answer(act, await assess_danger(act.work, id_, command))


@router.post("/{id}/resume", response_model=AnomalyDetailAnswer)
async def resume(act: Writing, id_: Id) -> Response:
    """Resume supply; refused while a re-test is outstanding."""
    return await _answer(act, await resume_supply(act.work, id_))


@router.post("/{id}/close", response_model=AnomalyDetailAnswer)
async def close(act: Writing, id_: Id, command: CloseAnomaly) -> Response:
    """Close an anomaly; refused before supply is resumed and the reports are acknowledged."""
    return await _answer(act, await close_anomaly(act.work, id_, command))
