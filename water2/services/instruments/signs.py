"""Whether instruments send, and whether what they send moves: signs that begin and end once.

Nobody is written to when it is read: the watch looks at an instrument a few times an hour, when
its `look_at` comes, and a batch looks again only at those that are marked.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import bindparam, func, update
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.entry import instant_text as entry_instant
from water2.domain.instrument import Instrument, InstrumentSign, Reading, SignKind
from water2.rules.instruments import SignRule, flat_since, missing_since
from water2.services.instants import start_of_day
from water2.services.instruments.given import Taken
from water2.services.instruments.known import meters_of
from water2.services.instruments.meters import Meter
from water2.services.instruments.storing import instant_of, instant_text
from water2.services.register import record_act
from water2.services.rows import among, listed
from water2.work import Runtime, Work

BATCH = 1000  # instruments in one transaction
_TABLE = cast("Any", Instrument).__table__
_LOOK_LATER = (
    update(_TABLE).where(_TABLE.c.id == bindparam("instrument")).values(look_at=bindparam("at"))
)
_UNWATCHED = timedelta(days=1)  # where the book holds no rule; it may hold one tomorrow


@dataclass
class _Look:
    """What one look at an instrument finds."""

    meter: Meter
    rule: SignRule
    last: datetime | None = None
    value: str | None = None
    flat_from: datetime | None = None


async def watch_instruments(runtime: Runtime) -> int:
    """Look at the instruments whose time has come; return how many signs began or ended.

    Where none is due it is one look at an index. Repeating it changes nothing.
    """
    told = 0
    while True:
        async with runtime.read() as work:
            rows = await work.session.exec(
                select(Instrument.id)
                .where(col(Instrument.look_at) <= work.now)
                .order_by(col(Instrument.look_at))
                .limit(BATCH)
            )
            due = list(rows)
        if not due:
            return told
        async with runtime.work() as work:
            told += await _look(work, await meters_of(work, due))


async def look_again(work: Work, taken: Sequence[Taken], signed: Collection[str]) -> None:
    """Look at once at instruments that sent readings while they carried a sign."""
    if signed:
        await _look(work, {one.meter.id: one.meter for one in taken if one.meter.id in signed})


async def _look(work: Work, meters: Mapping[str, Meter]) -> int:
    looks = {}
    for id_, meter in meters.items():
        rule = meter.sign_rule(meter.day(work.now))
        if rule is not None:
            looks[id_] = _Look(meter, rule)
    await _read_last(work, looks)
    await _read_lines(work, [one for one in looks.values() if one.rule.flat_for and one.last])
    told = await _mark(work, looks)
    await _look_later(work, meters, looks)
    return told


async def _read_last(work: Work, looks: Mapping[str, _Look]) -> None:
    """Read the latest instant of each: one step down its key."""
    wanted = listed(work, instrument=list(looks))
    last = (
        select_columns(func.max(col(Reading.taken_at)))
        .where(col(Reading.instrument_id) == wanted.c.instrument)
        .scalar_subquery()
    )
    for row in await work.session.execute(select_columns(wanted.c.instrument, last.label("last"))):
        looks[row.instrument].last = row.last


async def _read_lines(work: Work, looks: Sequence[_Look]) -> None:
    """Find whose value stands still: only those lines without another value are read."""
    if not looks:
        return
    begins = [one.last - (one.rule.flat_for or timedelta()) for one in looks if one.last]
    lines = listed(
        work,
        instrument=[one.meter.id for one in looks],
        last=[instant_text(work, one.last) for one in looks if one.last],
        begin=[instant_text(work, begin) for begin in begins],
    )
    latest, other = (cast("Any", Reading).__table__.alias(name) for name in ("latest", "other"))
    moved = (
        select_columns(other.c.instrument_id)
        .where(
            other.c.instrument_id == lines.c.instrument,
            other.c.taken_at > instant_of(work, lines.c.begin),
            other.c.value != latest.c.value,
        )
        .exists()
    )
    rows = await work.session.execute(
        select_columns(lines.c.instrument)
        .select_from(lines)
        .join(
            latest,
            (latest.c.instrument_id == lines.c.instrument)
            & (latest.c.taken_at == instant_of(work, lines.c.last)),
        )
        .where(latest.c.value.is_not(None), ~moved)
    )
    still = {row.instrument for row in rows}
    await _read_still(work, [one for one in looks if one.meter.id in still])


async def _read_still(work: Work, looks: Sequence[_Look]) -> None:
    by_id = {one.meter.id: one for one in looks}
    if not by_id:
        return
    # as far back again as a line is long: where it began is told, or that it is older
    lines = listed(
        work,
        instrument=list(by_id),
        begin=[
            instant_text(work, one.last - 2 * one.rule.flat_for)
            for one in looks
            if one.last and one.rule.flat_for
        ],
    )
    columns = (Reading.instrument_id, Reading.taken_at, Reading.value)
    rows = await work.session.execute(
        select_columns(*(col(column) for column in columns))
        .select_from(lines)
        .join(
            Reading,
            (col(Reading.instrument_id) == lines.c.instrument)
            & (col(Reading.taken_at) >= instant_of(work, lines.c.begin)),
        )
        .order_by(col(Reading.taken_at).desc())
    )
    lines_of: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for row in rows:
        lines_of[row.instrument_id].append((row.taken_at, row.value))
    for id_, line in lines_of.items():
        by_id[id_].flat_from = flat_since(by_id[id_].rule, line)


async def _mark(work: Work, looks: Mapping[str, _Look]) -> int:
    """Begin the signs that are new and end those that are gone."""
    rows = await work.session.exec(
        select(InstrumentSign).where(
            among(work, InstrumentSign.instrument_id, looks),
            col(InstrumentSign.ended_at).is_(None),
        )
    )
    marks = {(row.instrument_id, row.kind): row for row in rows}
    told = 0
    for id_, look in looks.items():
        for kind, since in _signs(work, look).items():
            mark = marks.get((id_, kind))
            if since is not None and mark is None:
                _begin(work, look.meter, kind, since)
                told += 1
            elif since is None and mark is not None:
                _end(work, look, mark)
                told += 1
    return told


def _signs(work: Work, look: _Look) -> dict[SignKind, datetime | None]:
    meter = look.meter
    installed = start_of_day(meter.facts.installed_on, meter.site.utility.timezone)
    last = installed if look.last is None else look.last
    gone = meter.facts.removed_on is not None
    missing = None if gone else missing_since(look.rule, last, work.now)
    return {SignKind.missing: missing, SignKind.flat: None if gone else look.flat_from}


def _begin(work: Work, meter: Meter, kind: SignKind, since: datetime) -> None:
    work.session.add(
        InstrumentSign(
            utility_id=meter.site.utility.id,
            instrument_id=meter.id,
            kind=kind,
            began_at=since,
            noticed_at=work.now,
        )
    )
    _tell(work, meter, "instrument.sign_began", kind, since)


def _end(work: Work, look: _Look, mark: InstrumentSign) -> None:
    mark.ended_at = max(look.last or work.now, mark.began_at)
    work.session.add(mark)
    _tell(work, look.meter, "instrument.sign_ended", mark.kind, mark.ended_at)


def _tell(work: Work, meter: Meter, type_: str, kind: SignKind, at: datetime) -> None:
    told: dict[str, object] = {"sign": kind.value, "parameter": meter.facts.parameter}
    ledger = meter.site.ledger_id
    record_act(work, ledger, type_, f"instrument:{meter.id}", told | {"at": entry_instant(at)})


async def _look_later(work: Work, meters: Mapping[str, Meter], looks: Mapping[str, _Look]) -> None:
    """Note when to look next: one that sends is not missing before its last reading grows old."""
    rows = [
        {"instrument": id_, "at": None if meter.facts.removed_on else _next(work, looks.get(id_))}
        for id_, meter in sorted(meters.items())
    ]
    await work.session.execute(_LOOK_LATER, rows)


def _next(work: Work, look: _Look | None) -> datetime:
    if look is None:
        return work.now + _UNWATCHED
    after = look.rule.missing_after + timedelta(seconds=1)
    return max((look.last or work.now) + after, work.now + after / 2)
