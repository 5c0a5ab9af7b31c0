"""Where new readings can have changed what is an excursion, and all that was read around there."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import and_, bindparam, func
from sqlalchemy import select as select_columns
from sqlmodel import col, select

from water2.domain.anomaly import Anomaly, AnomalyState
from water2.domain.instrument import Excursion, Reading, ReadingVerdict
from water2.rules.excursions import ExcursionRule, Measured
from water2.rules.flags import FlagCode
from water2.services.instruments.given import Taken
from water2.services.instruments.given_rows import (
    as_instant,
    given,
    given_rows,
)
from water2.services.instruments.meters import Meter
from water2.services.instruments.storing import instant_text
from water2.services.rows import on_postgresql
from water2.work import Work

_OUT = {ReadingVerdict.failed: True, ReadingVerdict.passed: False}


@dataclass
class Neighbourhood:
    """A stretch of an instrument's time in which readings are new, `new` being their instants.

    `stored` are the excursions known there; `let_go` tells, by anomaly, since when the water of
    those anomalies that are over flows again.
    """

    meter: Meter
    rule: ExcursionRule
    new: list[datetime]
    begin: datetime
    end: datetime
    stored: list[Excursion] = field(default_factory=list)
    let_go: dict[str | None, datetime] = field(default_factory=dict)
    readings: list[Measured] = field(default_factory=list)

    @property
    def unshaken(self) -> list[Excursion]:
        """Return the known excursions in which no reading is new."""
        return [
            one
            for one in self.stored
            if not any(one.began_at <= at <= one.last_at for at in self.new)
        ]


@cache
def _excursions(postgresql: bool) -> Any:
    wanted = given_rows(postgresql, "instrument")
    over = and_(
        col(Anomaly.id) == col(Excursion.anomaly_id),
        col(Anomaly.state).in_((AnomalyState.resumed, AnomalyState.closed)),
    )
    return (
        select(Excursion, func.coalesce(Anomaly.resumed_at, Anomaly.opened_at))
        .outerjoin(Anomaly, over)
        .where(
            col(Excursion.instrument_id).in_(select_columns(wanted.c.instrument)),
            col(Excursion.last_at) >= bindparam("begin"),
            col(Excursion.began_at) <= bindparam("end"),
            col(Excursion.withdrawn_at).is_(None),
        )
        .order_by(col(Excursion.began_at))
    )


@cache
def _readings(postgresql: bool) -> Any:
    stretches = given_rows(postgresql, "place", "instrument", "begin", "end")
    columns = (Reading.taken_at, Reading.value, Reading.verdict, Reading.flags)
    within = and_(
        col(Reading.instrument_id) == stretches.c.instrument,
        col(Reading.taken_at) >= as_instant(postgresql, stretches.c.begin),
        col(Reading.taken_at) <= as_instant(postgresql, stretches.c.end),
    )
    return (
        select_columns(stretches.c.place, *(col(column) for column in columns))
        .select_from(stretches)
        .join(Reading, within)
        .order_by(col(Reading.instrument_id), col(Reading.taken_at))
    )


async def neighbourhoods_of(
    work: Work, taken: Sequence[Taken], near: Collection[str]
) -> list[Neighbourhood]:
    """Return the neighbourhoods of the new readings of some instruments."""
    by_meter: dict[str, list[Taken]] = defaultdict(list)
    for one in taken:
        if one.meter.id in near:
            by_meter[one.meter.id].append(one)
    found = [each for those in by_meter.values() for each in _stretches(those)]
    if found:
        await _add_excursions(work, found)
        await _add_readings(work, found)
    return found


async def neighbourhoods_around(
    work: Work, meter: Meter, known: Sequence[Excursion]
) -> list[Neighbourhood]:
    """Return the neighbourhoods of known excursions, as if all their readings were new."""
    found = []
    for one in known:
        rule = meter.excursion_rule(meter.day(one.last_at))
        if rule is not None:
            begin, end = one.began_at - rule.margin, one.last_at + rule.margin
            found.append(Neighbourhood(meter, rule, [one.began_at, one.last_at], begin, end))
    if found:
        await _add_excursions(work, found)
        await _add_readings(work, found)
    return found


def _stretches(taken: Sequence[Taken]) -> Iterable[Neighbourhood]:
    """Cut one instrument's new readings where their neighbourhoods do not touch."""
    taken = sorted(taken, key=lambda one: one.at)
    meter = taken[0].meter
    rule = meter.excursion_rule(taken[-1].day)
    if rule is None:
        return
    reach = 2 * rule.margin
    start = 0
    for n in range(1, len(taken) + 1):
        if n == len(taken) or taken[n].at - taken[n - 1].at > reach:
            new = [one.at for one in taken[start:n]]
            begin, end = new[0] - rule.margin, new[-1] + rule.margin
            yield Neighbourhood(meter, rule, new, begin, end)
            start = n


async def _add_excursions(work: Work, found: Sequence[Neighbourhood]) -> None:
    """Add the excursions known around there; one in which a reading is new is read as a whole."""
    around = {
        "begin": min(each.begin for each in found),
        "end": max(each.end for each in found),
        **given(work, instrument=sorted({each.meter.id for each in found})),
    }
    rows = await work.session.exec(_excursions(on_postgresql(work)), params=around)
    by_meter: dict[str, list[tuple[Excursion, datetime | None]]] = defaultdict(list)
    for one, let_go in rows:
        by_meter[one.instrument_id].append((one, let_go))
    for each in found:
        for one, let_go in by_meter[each.meter.id]:
            if one.last_at >= each.begin and one.began_at <= each.end:
                each.stored.append(one)
                if let_go is not None:
                    each.let_go[one.anomaly_id] = let_go
        shaken = [one for one in each.stored if one not in each.unshaken]
        lasting = [one.last_at for one in each.stored if one.ended_at is None]
        if not shaken and lasting and each.new[0] > lasting[-1]:
            each.begin = lasting[-1]  # no reading stands between it and the new ones
        margin = each.rule.margin
        each.begin = min([each.begin, *(one.began_at - margin for one in shaken)])
        each.end = max([each.end, *(one.last_at + margin for one in shaken)])


async def _add_readings(work: Work, found: Sequence[Neighbourhood]) -> None:
    stretches = given(
        work,
        place=[str(n) for n in range(len(found))],
        instrument=[each.meter.id for each in found],
        begin=[instant_text(work, each.begin) for each in found],
        end=[instant_text(work, each.end) for each in found],
    )
    rows = await work.session.execute(_readings(on_postgresql(work)), stretches)
    for place, at, value, verdict, flags in rows:
        found[int(place)].readings.append(
            Measured(
                at,
                _OUT.get(verdict),
                None if value is None else Decimal(value),
                FlagCode.out_of_calibration not in flags,
            )
        )
