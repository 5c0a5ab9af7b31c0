"""Taking a batch of readings: stored once, judged at once, one entry with the hash of its bytes."""

import asyncio
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from water2.domain.access import Action
from water2.domain.columns import deflated
from water2.domain.entry import instant_text
from water2.domain.ids import new_id
from water2.domain.instrument import Excursion
from water2.domain.ledger import PendingEntry
from water2.services.instruments.excursions import judge_around
from water2.services.instruments.given import (
    RecordReadings,
    RefusedReading,
    RowReader,
    Taken,
    names_of,
)
from water2.services.instruments.judges import Site
from water2.services.instruments.known import meters_named
from water2.services.instruments.marks import marks_around
from water2.services.instruments.signs import look_again
from water2.services.instruments.storing import (
    Held,
    KeptBatch,
    store_batches,
    store_readings,
)
from water2.work import Work

RECORDED = "readings.recorded"
_CONFLICT = "reading_conflicts"
_write = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


Written = tuple[KeptBatch, PendingEntry]


@dataclass
class Recorded:
    """What became of a batch: counts, refused rows, and what was opened by it."""

    accepted: int = 0
    duplicate: int = 0
    refused: list[RefusedReading] = field(default_factory=list)
    batch_ids: list[str] = field(default_factory=list)
    opened: list[Excursion] = field(default_factory=list)


async def record_readings(work: Work, command: RecordReadings) -> Recorded:
    """Store readings and judge them: each by the limit of its day, and with those around it.

    A row is refused by itself. What is stored already is a duplicate where it says the same, and
    refused where it says something else: nothing is overwritten.
    """
    work.require(Action.do_work)
    names = names_of(command.readings)
    meters = await meters_named(work, {name for name in names if name is not None})
    taken, refused = RowReader(meters, work.now).read(command.readings, names)
    done = Recorded(refused=refused)
    fresh: Sequence[Taken] = _first_of_each(taken, done)
    if fresh:
        batches = _batch_ids({one.meter.site.id: one.meter.site for one in fresh}.values())
        fresh, written = await _store(work, fresh, batches, done)
    if fresh:
        done.accepted = len(fresh)
        done.batch_ids = [batch.id for batch, _ in written]
        await store_batches(work, [batch for batch, _ in written])
        for _, entry in written:
            work.record(entry)
        marks = await marks_around(work, fresh)
        done.opened = await judge_around(work, fresh, marks)
        await look_again(work, fresh, marks.signed)
    done.refused.sort(key=lambda row: row.index)
    return done


def _batch_ids(sites: Iterable[Site]) -> dict[str, str]:
    """Return the id of the batch of each facility: those of a utility are one batch."""
    utilities: dict[str, str] = {}
    return {site.id: utilities.setdefault(site.utility.id, new_id()) for site in sites}


def _first_of_each(taken: Iterable[Taken], done: Recorded) -> list[Taken]:
    """Return the first row of each key."""
    first: dict[tuple[str, datetime], Taken] = {}
    for one in taken:
        earlier = first.setdefault((one.meter.id, one.at), one)
        if earlier is not one:
            _repeated(one, (earlier.judged.value, earlier.judged.censored), done)
    return list(first.values())


async def _store(
    work: Work, fresh: Sequence[Taken], batches: Mapping[str, str], done: Recorded
) -> tuple[Sequence[Taken], list[Written]]:
    """Store rows; return those that were not stored before, and their batches with their entries.

    The database inserts while the bodies are made; made anew where it had some of the rows.
    """
    under_way = asyncio.Event()
    storing = asyncio.create_task(store_readings(work, fresh, batches, under_way))
    storing.add_done_callback(lambda _: under_way.set())
    try:
        await under_way.wait()
        written = _batches(work, fresh, batches)
    finally:
        held = await storing
    if not held:
        return fresh, written
    left = _not_held(fresh, held, done)
    return left, _batches(work, left, batches)


def _not_held(fresh: Sequence[Taken], held: Held, done: Recorded) -> Sequence[Taken]:
    for one in fresh:
        stored = held.get((one.meter.id, one.at))
        if stored is not None:
            _repeated(one, stored, done)
    return [one for one in fresh if (one.meter.id, one.at) not in held]


def _repeated(one: Taken, earlier: tuple[str | None, str | None], done: Recorded) -> None:
    """Count an equal repeat; refuse one that says something else."""
    if earlier == (one.judged.value, one.judged.censored):
        done.duplicate += 1
        return
    facts = {"stored": f"{earlier[1] or ''}{earlier[0] or ''}"}
    done.refused.append(RefusedReading(one.row, "raw", one.raw[:60], _CONFLICT, facts))


def _batches(work: Work, fresh: Sequence[Taken], batches: Mapping[str, str]) -> list[Written]:
    """Return what was taken as one body for each utility, and the entry that has its hash."""
    by_batch: dict[str, list[Taken]] = defaultdict(list)
    for one in fresh:
        by_batch[batches[one.meter.site.id]].append(one)
    written = []
    for id_, those in by_batch.items():
        sites = {one.meter.site.id: one.meter.site for one in those}
        site = those[0].meter.site if len(sites) == 1 else None
        utility = those[0].meter.site.utility
        place = site.id if site else None
        body = _body(work, id_, those)
        told = sha256(body).hexdigest()
        batch = KeptBatch(id_, utility.id, place, len(those), deflated(body), told)
        subject = f"facility:{site.id}" if site else f"utility:{utility.id}"
        entry = _entry(those, batch, site.ledger_id if site else utility.ledger_id, subject)
        written.append((batch, entry))
    return written


def _body(work: Work, id_: str, those: Sequence[Taken]) -> bytes:
    readings = [[one.meter.id, one.told_at, one.raw, one.judged.verdict] for one in those]
    told = {"batch": id_, "received": instant_text(work.now), "readings": readings}
    return _write(told).encode()


def _entry(those: Sequence[Taken], batch: KeptBatch, ledger_id: str, subject: str) -> PendingEntry:
    verdicts = Counter(one.judged.verdict for one in those)
    return PendingEntry(
        ledger_id=ledger_id,
        type=RECORDED,
        subject=subject,
        occurred_at=max(one.at for one in those),
        data={
            "batch": batch.id,
            "body_sha256": batch.body_sha256,
            "count": len(those),
            "out_of_calibration": sum(not one.calibrated for one in those),
            "verdicts": dict(sorted(verdicts.items())),
        },
    )
