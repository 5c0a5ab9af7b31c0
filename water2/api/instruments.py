"""Online instruments: their register, calibrations, and what they show."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import Field

from water2.api.acts import Act, ActRoute, ExpectedVersion, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.access import Action
from water2.domain.instrument import Excursion, Instrument, ReadingVerdict, SignKind
from water2.domain.water import Point
from water2.services.instants import Instant as GivenInstant
from water2.services.instants import read_instant
from water2.services.instruments.queries import list_readings, list_signs, shown_of
from water2.services.instruments.register import (
    AddCalibration,
    EditInstrument,
    RegisterInstrument,
    RemoveInstrument,
    add_calibration,
    calibrations_of,
    edit_instrument,
    register_instrument,
    remove_instrument,
)
from water2.services.paging import Page
from water2.services.register_queries import list_rows
from water2.services.rows import fetch, utility_of
from water2.work import Work

router = APIRouter(tags=["instruments"], route_class=ActRoute)


class InstrumentAnswer(Answer):
    """An instrument; `flags` say what is to be looked at: no readings, a flat line, calibration."""

    id: str
    facility_id: str
    tank_id: str | None
    code: str
    parameter: str
    point: Point
    unit: str | None
    interval_seconds: int
    installed_on: date
    removed_on: date | None
    version: int
    calibrated_to: date | None = None
    flags: list[str] = Field(default_factory=list)


class InstrumentQuery(ListQuery):
    """Narrows a list of instruments."""

    facility_id: str | None = None
    tank_id: str | None = None
    code: str | None = None
    parameter: str | None = None
    point: Point | None = None
    removed: bool | None = None


class CalibrationAnswer(Answer):
    """A calibration, valid on both days and between."""

    id: str
    instrument_id: str
    calibrated_on: date
    valid_to: date
    certificate_number: str
    calibrated_by: str | None
    recorded_at: Instant


class ReadingAnswer(Answer):
    """A reading: the text as it came, the decimal it was read as, its verdict."""

    taken_at: Instant
    raw: str
    value: str | None
    censored: str | None
    verdict: ReadingVerdict
    flags: list[str]
    batch_id: str
    received_at: Instant


class ReadingQuery(ListQuery):
    """Readings from an instant on, up to another one."""

    begin: GivenInstant | None = Field(None, alias="from")
    end: GivenInstant | None = Field(None, alias="to")


class SignAnswer(Answer):
    """A time without readings, or with the same value over and over."""

    id: str
    kind: SignKind
    began_at: Instant
    noticed_at: Instant
    ended_at: Instant | None


class ExcursionAnswer(Answer):
    """A time for which an instrument was out of limit without a break."""

    id: str
    facility_id: str
    instrument_id: str
    began_at: Instant
    last_at: Instant
    ended_at: Instant | None
    peak: str | None
    limit: str | None
    flags: list[str]
    anomaly_id: str | None
    noticed_at: Instant
    withdrawn_at: Instant | None


class ExcursionQuery(ListQuery):
    """Narrows a list of excursions."""

    facility_id: str | None = None
    instrument_id: str | None = None
    anomaly_id: str | None = None


async def _shown(work: Work, instruments: list[Instrument]) -> list[InstrumentAnswer]:
    await work.session.flush()
    shown = await shown_of(work, instruments)
    return [
        InstrumentAnswer.model_validate(one).model_copy(update=vars(shown[one.id]))
        for one in instruments
    ]


async def _answer(act: Act, instrument: Instrument, status: int = 200) -> Response:
    (shown,) = await _shown(act.work, [instrument])
    return act.answer(shown, status, instrument.version)


@router.get("/instruments", response_model=ListAnswer[InstrumentAnswer])
async def show_instruments(work: Reading, query: Annotated[InstrumentQuery, Given()]) -> Response:
    """List instruments by code, with what is to be looked at."""
    narrowing = {"facility_id", "tank_id", "code", "parameter", "point"}
    filters = query.model_dump(include=narrowing) | {"removed_on": query.removed}
    page = await list_rows(work, Instrument, filters, query.page)
    return page_answer(InstrumentAnswer, Page(await _shown(work, page.items), page.next))


@router.post("/instruments", status_code=201, response_model=InstrumentAnswer)
async def create_instrument(act: Writing, command: RegisterInstrument) -> Response:
    """Enter an instrument; from now on readings are expected of it."""
    return await _answer(act, await register_instrument(act.work, command), 201)


@router.get("/instruments/{id}", response_model=InstrumentAnswer)
async def show_instrument(work: Reading, id_: Id, response: Response) -> InstrumentAnswer:
    """Show an instrument."""
    work.require(Action.read)
    (shown,) = await _shown(work, [await fetch(work, Instrument, id_)])
    response.headers["ETag"] = f'"{shown.version}"'
    return shown


@router.patch("/instruments/{id}", response_model=InstrumentAnswer)
async def change_instrument(
    act: Writing, id_: Id, version: ExpectedVersion, command: EditInstrument
) -> Response:
    """Change what is given, on the version named by If-Match."""
    return await _answer(act, await edit_instrument(act.work, id_, command, version))


@router.post("/instruments/{id}/remove", response_model=InstrumentAnswer)
async def take_out(act: Writing, id_: Id, command: RemoveInstrument) -> Response:
    """Take an instrument out of use; its readings stay."""
    return await _answer(act, await remove_instrument(act.work, id_, command))


@router.get("/instruments/{id}/calibrations", response_model=ListAnswer[CalibrationAnswer])
async def show_calibrations(work: Reading, id_: Id) -> ListAnswer[CalibrationAnswer]:
    """List an instrument's calibrations, the latest first."""
    work.require(Action.read)
    found = await calibrations_of(work, await fetch(work, Instrument, id_))
    return ListAnswer(items=[CalibrationAnswer.model_validate(one) for one in found])


@router.post("/instruments/{id}/calibrations", status_code=201, response_model=CalibrationAnswer)
async def calibrate(act: Writing, id_: Id, command: AddCalibration) -> Response:
    """Enter a calibration; excursions flagged for want of it are judged anew."""
    added = await add_calibration(act.work, id_, command)
    return act.answer(CalibrationAnswer.model_validate(added), 201)


@router.get("/instruments/{id}/readings", response_model=ListAnswer[ReadingAnswer])
async def show_readings(
    work: Reading, id_: Id, query: Annotated[ReadingQuery, Given()]
) -> Response:
    """List an instrument's readings, the earliest first: `from` included, `to` not."""
    zone = (await utility_of(work, await fetch(work, Instrument, id_))).timezone
    begin, end = (None if at is None else read_instant(at, zone) for at in (query.begin, query.end))
    return page_answer(ReadingAnswer, await list_readings(work, id_, query.page, begin, end))


@router.get("/instruments/{id}/signs", response_model=ListAnswer[SignAnswer])
async def show_signs(work: Reading, id_: Id, query: Annotated[ListQuery, Given()]) -> Response:
    """List when an instrument sent nothing, or a flat line; the latest first."""
    return page_answer(SignAnswer, await list_signs(work, id_, query.page))


@router.get("/excursions", response_model=ListAnswer[ExcursionAnswer])
async def show_excursions(work: Reading, query: Annotated[ExcursionQuery, Given()]) -> Response:
    """List sustained excursions, the latest first, withdrawn ones too."""
    filters = query.model_dump(include={"facility_id", "instrument_id", "anomaly_id"})
    page = await list_rows(work, Excursion, filters, query.page, newest_by="began_at")
    return page_answer(ExcursionAnswer, page)
