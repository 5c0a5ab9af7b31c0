"""The pages of inspectors, and those of single anomalies and reports."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Form, Path, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from water2.clock import wall_clock
from water2.domain.access import INSPECTORS
from water2.domain.errors import DomainError, Invalid, NotFound
from water2.services.anomaly_detail import view_anomaly
from water2.services.idempotency import FirstAnswer, claim_key
from water2.services.regulator_reports.acknowledging import (
    AcknowledgeReport,
    WriteMessage,
    acknowledge_report,
    write_message,
)
from water2.services.report_detail import view_report
from water2.services.sign_in import MustChangePassword
from water2.web.errors import page_problem
from water2.web.inspect_page import anomaly_page, inspect_page, report_page
from water2.web.inspect_pages import Typed
from water2.web.page import PAGE_HEADERS, render
from water2.web.route import PageRoute
from water2.web.visit import CheckedForm, DeskVisit, Visit, choose_place
from water2.web.ways import INSPECT, way_back
from water2.words import words
from water2.work import Work

router = APIRouter(prefix="/inspect", route_class=PageRoute, include_in_schema=False)

Id = Annotated[str, Path(alias="id_", max_length=40)]
Words = Annotated[str, Form(max_length=5000)]
Key = Annotated[str, Form(max_length=60)]
Address = Annotated[str, Form(max_length=500)]


@asynccontextmanager
async def reading(visit: Visit) -> AsyncIterator[Work]:
    """Open a reading unit for whoever is signed in.

    Raises:
        MustChangePassword: a one-time password opens nothing but its own change.
    """
    caller = visit.signed_in()
    if caller.must_change_password:
        raise MustChangePassword
    async with visit.desk.runtime.read(caller.actor) as work:
        yield work


@router.get("")
async def show_inspection(visit: DeskVisit) -> Response:
    """Show an inspector what waits for her."""
    async with reading(visit) as work:
        frame = visit.frame("inspect", await choose_place(work, None))
        return render(await inspect_page(work, frame))


@router.get("/anomalies/{id_}")
async def show_anomaly(visit: DeskVisit, id_: Id) -> Response:
    """Show an anomaly with its clocks, its causes and all that happened."""
    async with reading(visit) as work:
        view = await view_anomaly(work, id_)
        place = await choose_place(work, view.row.utility.id)
        return render(anomaly_page(work, view, visit.frame("anomalies", place)))


@router.get("/reports/{id_}")
async def show_report(visit: DeskVisit, id_: Id) -> Response:
    """Show a report, how it went out, and what was asked about it; it prints as one sheet."""
    return await _report(visit, id_)


async def _report(visit: Visit, id_: str, typed: Typed | None = None) -> Response:
    async with reading(visit) as work:
        detail = await view_report(work, id_)
        place = await choose_place(work, detail.row.utility.id)
        section = "inspect" if visit.signed_in().actor.role in INSPECTORS else "anomalies"
        # a refused form's own address is none to come back to
        frame = replace(visit.frame(section, place), here=f"{INSPECT}/reports/{id_}")
        page = report_page(work, detail, frame, typed)
        return render(page, typed.status if typed else 200)


@router.post("/reports/{id_}/acknowledge", dependencies=[CheckedForm])
async def acknowledge(
    visit: DeskVisit, id_: Id, note: Words = "", back: Address = INSPECT
) -> Response:
    """Acknowledge a report by the inspector's account; once more changes nothing."""
    try:
        command = AcknowledgeReport(note=note.strip() or None)
        async with _acting(visit) as work:
            await acknowledge_report(work, id_, command)
    except NotFound:
        raise
    except (DomainError, ValidationError) as error:
        return await _report(visit, id_, _refused(visit, error, "acknowledge", note))
    return RedirectResponse(way_back(back), 303, PAGE_HEADERS)


@router.post("/reports/{id_}/messages", dependencies=[CheckedForm])
async def write(
    visit: DeskVisit, id_: Id, key: Key, text: Words = "", answers_id: Key = ""
) -> Response:
    """Ask about a report, or answer; the same form sent twice is taken once."""
    try:
        if not text.strip():
            raise Invalid.one("text", "missing")
        command = WriteMessage(text=text, answers_id=answers_id or None)
        said = hashlib.sha256("\n".join((key, id_, answers_id, text)).encode()).hexdigest()
        async with _acting(visit, said) as work:
            if not isinstance(await claim_key(work, said, said, wall_clock()), FirstAnswer):
                await write_message(work, id_, command)
    except NotFound:
        raise
    except (DomainError, ValidationError) as error:
        return await _report(visit, id_, _refused(visit, error, answers_id or "ask", text))
    return RedirectResponse(f"{INSPECT}/reports/{id_}#thread", 303, PAGE_HEADERS)


@asynccontextmanager
async def _acting(visit: Visit, key: str | None = None) -> AsyncIterator[Work]:
    caller = visit.signed_in()
    if caller.must_change_password:
        raise MustChangePassword
    async with visit.desk.runtime.work(caller.actor, idempotency_key=key) as work:
        yield work


def _refused(visit: Visit, error: Exception, form: str, text: str) -> Typed:
    """Return what was sent and why it was refused, in the reader's language."""
    if isinstance(error, MustChangePassword):
        raise error
    say = words(visit.language)
    problem = page_problem(visit.request, say, error)
    own = [str(one["detail"]) for one in problem.errors]  # without the name of the form's field
    told = "".join(own) or problem.detail
    if isinstance(error, ValidationError):
        told = say.text("report.not_taken")
    return Typed(told, problem.status, form, text)
