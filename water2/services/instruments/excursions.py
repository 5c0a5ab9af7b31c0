"""Sustained excursions: found where readings are new, kept, and made anomalies of."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.instrument import Excursion, Instrument, Reading, ReadingVerdict
from water2.rules.anomaly import is_history
from water2.rules.excursions import Run, excursions
from water2.rules.flags import FlagCode
from water2.services.instruments.excursion_anomalies import (
    Kept,
    demanded,
    open_anomalies,
    tell,
)
from water2.services.instruments.given import Taken
from water2.services.instruments.known import meters_of
from water2.services.instruments.marks import Marks
from water2.services.instruments.meters import Meter
from water2.services.instruments.neighbourhoods import (
    Neighbourhood,
    neighbourhoods_around,
    neighbourhoods_of,
)
from water2.services.instruments.storing import instant_of, instant_text
from water2.services.rows import among, listed
from water2.work import Work

_CERTAIN = (ReadingVerdict.passed, ReadingVerdict.failed)


async def judge_around(work: Work, taken: Sequence[Taken], marks: Marks) -> list[Excursion]:
    """Judge anew what new readings may have changed; return what opened an anomaly."""
    if not marks.failing and not marks.lasting:
        return []
    kept = _settle(work, await neighbourhoods_of(work, taken, marks.failing))
    opened = await open_anomalies(work, kept)
    await _end(work, taken, marks.lasting.keys() - _going_on(taken, kept))
    return opened


async def judge_again(work: Work, meter: Meter, known: Sequence[Excursion]) -> list[Excursion]:
    """Judge known excursions of an instrument anew by all their readings."""
    kept = _settle(work, await neighbourhoods_around(work, meter, known))
    return await open_anomalies(work, kept)


def _going_on(taken: Sequence[Taken], kept: Sequence[Kept]) -> set[str]:
    """Return the excursions that the latest new reading of their instrument belongs to."""
    latest = {one.meter.id: one.excursion.last_at for one in kept}
    for one in taken:
        if one.meter.id in latest:
            latest[one.meter.id] = max(latest[one.meter.id], one.at)
    return {one.excursion.id for one in kept if one.excursion.last_at == latest[one.meter.id]}


def _settle(work: Work, found: Sequence[Neighbourhood]) -> list[Kept]:
    return [one for each in found for one in _settled(work, each)]


def _settled(work: Work, each: Neighbourhood) -> list[Kept]:
    """Keep what the readings show now; return those excursions that hold."""
    known = [_as_run(one) for one in each.unshaken]
    gauge = each.meter.gauge(each.meter.day(each.new[-1]))
    found = excursions(each.readings, each.rule, known=known, upper=gauge.upper)
    left = list(each.stored)
    kept = []
    for run in found:
        same = [one for one in left if one.began_at <= run.last and run.began <= one.last_at]
        left = [one for one in left if one not in same]
        further = _further(each, run, same)
        first, *merged = same or [_new(work, each, run, gauge.shown)]
        _grow(work, each.meter, first, run, new=not same)
        for one in merged:
            _withdraw(work, each.meter, one, into=first)
        kept.append(Kept(each.meter, first, further, each.let_go.get(first.anomaly_id)))
    for one in left:
        if each.begin <= one.began_at and one.last_at <= each.end:
            _withdraw(work, each.meter, one, into=None)
    return kept


def _further(each: Neighbourhood, run: Run, known: Sequence[Excursion]) -> list[datetime]:
    """Return the failing readings of a run after the last one that was known."""
    last = max((one.last_at for one in known), default=run.last)
    return [one.at for one in each.readings if one.out and one.counts and last < one.at <= run.last]


def _as_run(one: Excursion) -> Run:
    peak = None if one.peak is None else Decimal(one.peak)
    proven = FlagCode.out_of_calibration not in one.flags
    return Run(one.began_at, one.last_at, one.ended_at, peak, sustained=True, proven=proven)


def _new(work: Work, each: Neighbourhood, run: Run, limit: str | None) -> Excursion:
    meter = each.meter
    return Excursion(
        utility_id=meter.site.utility.id,
        facility_id=meter.site.id,
        instrument_id=meter.id,
        began_at=run.began,
        last_at=run.last,
        limit=limit,
        noticed_at=work.now,
    )


def _grow(work: Work, meter: Meter, one: Excursion, run: Run, *, new: bool) -> None:
    """Let an excursion be what its readings show; its beginning and its end are told once."""
    if run.ended is None and meter.facts.removed_on is not None:
        run = replace(run, ended=run.last)  # nothing will follow it
    ended = one.ended_at
    revised = one.began_at != run.began or ended not in (None, run.ended)
    one.began_at, one.last_at, one.ended_at = run.began, run.last, run.ended
    one.peak = None if run.peak is None else format(run.peak, "f")
    one.flags = _flags(work, meter, one, run)
    work.session.add(one)
    if new or revised:
        tell(work, meter, one, "excursion.began" if new else "excursion.revised")
    if run.ended is not None and ended is None:
        tell(work, meter, one, "excursion.ended")


def _flags(work: Work, meter: Meter, one: Excursion, run: Run) -> list[FlagCode]:
    flags = [] if run.proven else [FlagCode.out_of_calibration]
    return flags if _is_live(work, meter, one) else [*flags, FlagCode.historical]


def _is_live(work: Work, meter: Meter, one: Excursion) -> bool:
    """Tell whether it is young enough for a clock to run: older readings are history."""
    today = work.today(meter.site.utility.timezone)
    anomaly = demanded(work, meter)
    if anomaly is None:
        return True
    return not is_history(anomaly, meter.day(one.last_at), today)


def _withdraw(work: Work, meter: Meter, one: Excursion, into: Excursion | None) -> None:
    """Take back an excursion; one that it is a part of goes on for its anomaly, the later one."""
    one.withdrawn_at = work.now
    work.session.add(one)
    if into is not None and into.anomaly_id is not None and one.anomaly_id is not None:
        into.anomaly_id = one.anomaly_id
    taken_over = {"into": into.id, "anomaly": into.anomaly_id} if into else {"into": None}
    tell(work, meter, one, "excursion.withdrawn", **taken_over)


async def _end(work: Work, taken: Sequence[Taken], ids: Collection[str]) -> None:
    """End those excursions that other readings have followed since.

    A gap may lie between, which no neighbourhood reaches over.
    """
    if not ids:
        return
    found = await work.session.exec(
        select(Excursion).where(
            among(work, Excursion.id, ids),
            col(Excursion.ended_at).is_(None),
            col(Excursion.withdrawn_at).is_(None),
        )
    )
    open_ones = found.all()
    last = listed(
        work,
        excursion=[one.id for one in open_ones],
        instrument=[one.instrument_id for one in open_ones],
        at=[instant_text(work, one.last_at) for one in open_ones],
    )
    following = (
        select_columns(func.min(col(Reading.taken_at)))
        .where(
            col(Reading.instrument_id) == last.c.instrument,
            col(Reading.taken_at) > instant_of(work, last.c.at),
            col(Reading.verdict).in_(_CERTAIN),
        )
        .scalar_subquery()
    )
    rows = await work.session.execute(select_columns(last.c.excursion, following.label("ended")))
    ended = {row.excursion: row.ended for row in rows if row.ended is not None}
    meters = {one.meter.id: one.meter for one in taken}
    for one in open_ones:
        if one.id in ended:
            one.ended_at = ended[one.id]
            work.session.add(one)
            tell(work, meters[one.instrument_id], one, "excursion.ended")


async def end_at_removal(work: Work, instrument: Instrument) -> None:
    """End the open excursions of an instrument that was removed, at their last readings."""
    found = await work.session.exec(
        select(Excursion).where(
            Excursion.instrument_id == instrument.id,
            col(Excursion.ended_at).is_(None),
            col(Excursion.withdrawn_at).is_(None),
        )
    )
    open_ones = found.all()
    if not open_ones:
        return
    await work.session.flush()
    meter = (await meters_of(work, [instrument.id]))[instrument.id]
    for one in open_ones:
        one.ended_at = one.last_at
        work.session.add(one)
        tell(work, meter, one, "excursion.ended")
