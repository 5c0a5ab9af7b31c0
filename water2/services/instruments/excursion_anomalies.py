"""What excursions make of anomalies: one is opened, and again where the water fails on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from water2.domain.anomaly import AnomalySource
from water2.domain.entry import instant_text
from water2.domain.facility import Facility
from water2.domain.instrument import Excursion
from water2.domain.organisation import Utility
from water2.rules.anomaly import ANOMALY
from water2.rules.excursions import fails_again
from water2.rules.obligation import Obligation
from water2.services.anomalies.opening import Cause, open_anomaly
from water2.services.instruments.meters import Meter
from water2.services.register import record_act
from water2.services.rows import fetch
from water2.work import Work


@dataclass(frozen=True)
class Kept:
    """An excursion as new readings left it.

    `further` are its failing readings in calibration after the last one that was known before; one
    that is new has none. `let_go` is since when the water of its anomaly flows again, if it does.
    """

    meter: Meter
    excursion: Excursion
    further: Sequence[datetime]
    let_go: datetime | None


async def open_anomalies(work: Work, kept: Sequence[Kept]) -> list[Excursion]:
    """Open the anomalies of excursions, and again those let go; return what opened any."""
    again = _failing_again(work, kept)
    opened = [one.excursion for one in kept if await _open_first(work, one)]
    for one, at in again:
        await _open(work, one, at)
    return opened + [one.excursion for one, _ in again]


async def _open_first(work: Work, one: Kept) -> bool:
    """Open an excursion's anomaly, once: not of history, nor where only the flag tells of it."""
    if one.excursion.anomaly_id is not None or not _counts(work, one):
        return False
    await _open(work, one, one.excursion.began_at)
    return True


def _failing_again(work: Work, kept: Sequence[Kept]) -> list[tuple[Kept, datetime]]:
    """Return the excursions that go on though their anomaly was let go, and since which reading.

    One of each instrument, the latest.
    """
    latest: dict[str, tuple[Kept, datetime]] = {}
    for one in sorted(kept, key=lambda one: one.excursion.last_at):
        if one.let_go is None or not one.further or not _counts(work, one):
            continue
        at = fails_again(one.further, one.let_go, lasting=one.excursion.ended_at is None)
        if at is not None:
            latest[one.meter.id] = one, at
    return list(latest.values())


def _counts(work: Work, one: Kept) -> bool:
    return not one.excursion.flags and demanded(work, one.meter) is not None


def demanded(work: Work, meter: Meter) -> Obligation | None:
    """Return what the book of today demands of anomalies; a place may hold nothing of them."""
    today = work.today(meter.site.utility.timezone)
    return meter.site.judges.book(today).obligation(ANOMALY, today)


async def _open(work: Work, one: Kept, found_at: datetime) -> None:
    meter, excursion = one.meter, one.excursion
    cause = Cause(
        source=AnomalySource.instrument,
        found_at=found_at,
        parameter=meter.facts.parameter,
        point=meter.facts.point,
        tank_id=meter.facts.tank_id,
        instrument_id=meter.id,
    )
    facility = await fetch(work, Facility, meter.site.id)
    utility = await fetch(work, Utility, facility.utility_id)
    anomaly = await open_anomaly(work, utility, facility, [cause])
    excursion.anomaly_id = anomaly.id
    work.session.add(excursion)
    tell(work, meter, excursion, "excursion.made_anomaly", anomaly=anomaly.id)


def tell(work: Work, meter: Meter, one: Excursion, type_: str, **more: str | None) -> None:
    """Enter in the ledger what became of an excursion, and what it is now."""
    told: dict[str, object] = {
        "excursion": one.id,
        "parameter": meter.facts.parameter,
        "point": meter.facts.point.value,
        "began": instant_text(one.began_at),
        "last": instant_text(one.last_at),
        "ended": instant_text(one.ended_at) if one.ended_at else None,
        "peak": one.peak,
        "limit": one.limit,
        "flags": list(one.flags),
    }
    ledger = meter.site.ledger_id
    record_act(work, ledger, type_, f"instrument:{meter.id}", told | more)
