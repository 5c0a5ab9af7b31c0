"""Looking at instruments: their flags, their readings, their excursions."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.instrument import (
    Instrument,
    InstrumentCalibration,
    InstrumentSign,
    Reading,
    ReadingBatch,
    SignKind,
)
from water2.rules.flags import FlagCode
from water2.services.paging import Page, PageAsked, read_page
from water2.services.rows import among, fetch, utility_of
from water2.work import Work

_FLAGS = {
    SignKind.missing: FlagCode.readings_missing,
    SignKind.flat: FlagCode.flat_line,
}


@dataclass(frozen=True)
class Shown:
    """What is to be looked at in an instrument, and until when it is calibrated."""

    flags: list[FlagCode]
    calibrated_to: date | None


async def shown_of(work: Work, instruments: Sequence[Instrument]) -> dict[str, Shown]:
    """Return the present flags of instruments; of one that is removed none."""
    ids = [one.id for one in instruments]
    signs: dict[str, set[FlagCode]] = defaultdict(set)
    rows = await work.session.exec(
        select(col(InstrumentSign.instrument_id), col(InstrumentSign.kind)).where(
            among(work, InstrumentSign.instrument_id, ids), col(InstrumentSign.ended_at).is_(None)
        )
    )
    for id_, kind in rows:
        signs[id_].add(_FLAGS[kind])
    valid: dict[str, date] = {}
    cards = await work.session.exec(
        select(col(InstrumentCalibration.instrument_id), col(InstrumentCalibration.valid_to))
        .where(among(work, InstrumentCalibration.instrument_id, ids))
        .order_by(col(InstrumentCalibration.valid_to))
    )
    valid.update(cards.all())
    shown = {}
    for one in instruments:
        utility = await utility_of(work, one)  # the session has it
        flags = signs[one.id]
        if valid.get(one.id, date.min) < work.today(utility.timezone):
            flags.add(FlagCode.out_of_calibration)
        present = sorted(flags) if one.removed_on is None else []
        shown[one.id] = Shown(present, valid.get(one.id))
    return shown


async def list_readings(
    work: Work,
    id_: str,
    asked: PageAsked,
    begin: datetime | None = None,
    end: datetime | None = None,
) -> Page[Reading]:
    """Return a page of an instrument's readings, the earliest first; `begin` in, `end` out."""
    work.require(Action.read)
    instrument = await fetch(work, Instrument, id_)
    statement = select(Reading).where(Reading.instrument_id == instrument.id)
    if begin is not None:
        statement = statement.where(col(Reading.taken_at) >= begin)
    if end is not None:
        statement = statement.where(col(Reading.taken_at) < end)
    return await read_page(work, statement, [col(Reading.taken_at)], asked.limit, asked.cursor)


async def list_signs(work: Work, id_: str, asked: PageAsked) -> Page[InstrumentSign]:
    """Return a page of the signs an instrument ever carried, the latest first."""
    work.require(Action.read)
    instrument = await fetch(work, Instrument, id_)
    statement = select(InstrumentSign).where(InstrumentSign.instrument_id == instrument.id)
    keys = [col(InstrumentSign.began_at), col(InstrumentSign.id)]
    return await read_page(work, statement, keys, asked.limit, asked.cursor, descending=True)


async def show_batch(work: Work, id_: str) -> ReadingBatch:
    """Return a batch with its bytes: whoever hashes them finds what the ledger says."""
    work.require(Action.read)
    return await fetch(work, ReadingBatch, id_)
