"""Opening 100,000 due duties with their work orders and entries, against a bare loop.

Run: `.venv/bin/python -m tests.benchmarks.bench_open_duties`. Ours is `sweep`, as the worker calls
it: it finds the duties that wake, looks for orders that are there already, opens one for each pump
room, marks the duties, numbers the entries and grows the trees. The bare loop gets all ids from
memory; it encodes and hashes the same bytes and writes the same rows through the driver itself, in
the same order and batches of the same size, into a twin database with the same indexes and keys
and without guards. Both mark the duty rows; in the lines that say "inserts alone" the bare loop
does not even that.
"""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlmodel import col, select

from tests.benchmarks.seeds import Fleet, seed_fleet
from tests.benchmarks.stage import NOW, Figure, Stage, compare, run, statements
from tests.builders import Installation, SettableClock
from water2.domain.duty import Duty
from water2.domain.facility import Facility
from water2.domain.guards import drop_statements
from water2.domain.ids import new_id
from water2.services.sweep import BATCH, sweep

DUTIES = 100_000
DAYS = 5  # an equal part of them opens each day: a turn
TARGET = 0.5
FIRST = date(2026, 11, 24)

_ORDER = (
    "INSERT INTO work_order (id, utility_id, facility_id, kind, state, origin, created_at, version)"
    " VALUES ($1, $2, $3, 'cleaning', 'open', 'sweep', $4, 1)"
)
_TASK = (
    "INSERT INTO work_order_task (id, work_order_id, subject_id, tank_id, live)"
    " VALUES ($1, $2, $3, $3, true)"
)
_ENTRY = (
    "INSERT INTO ledger_entry (ledger_id, seq, body, hashes, type, subject, recorded_at)"
    " VALUES ($1, $2, $3, $4, 'duty.opened', $5, $6)"
)
_MARK = "UPDATE duty SET opened_at = $1, wake_on = $2 WHERE id = $3"


@dataclass
class Bare:
    """The loop one would write if only the rows and the bytes counted."""

    installation: Installation
    ledgers: Mapping[str, str]
    orders: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    async def open(self, duties: Sequence[Any], *, marks: bool) -> None:
        """Write what opening these duties writes, in one transaction."""
        database = self.installation.runtime.database
        on_sqlite = database.dialect == "sqlite"
        now: Any = NOW.isoformat(sep=" ") if on_sqlite else NOW
        today: Any = FIRST.isoformat() if on_sqlite else FIRST
        async with database.writing(), database.writer.begin() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.executemany(_ORDER, list(self._orders(duties, now)))
            await driver.executemany(_TASK, [self._task(duty) for duty in duties])
            await driver.executemany(_ENTRY, [self._entry(duty, now) for duty in duties])
            if marks:
                await driver.executemany(_MARK, [(now, today, duty.id) for duty in duties])

    def _orders(self, duties: Sequence[Any], now: Any) -> Iterator[tuple[Any, ...]]:
        for duty in duties:
            if duty.facility_id not in self.orders:
                self.orders[duty.facility_id] = order = new_id()
                yield order, self.installation.utility.id, duty.facility_id, now

    def _task(self, duty: Any) -> tuple[Any, ...]:
        return new_id(), self.orders[duty.facility_id], duty.subject_id

    def _entry(self, duty: Any, now: Any) -> tuple[Any, ...]:
        ledger = self.ledgers[duty.facility_id]
        seq = self.sizes.get(ledger, 0)
        self.sizes[ledger] = seq + 1
        body = json.dumps(_told(duty, ledger, seq), sort_keys=True, separators=(",", ":")).encode()
        leaf = hashlib.sha256(b"\x00" + body).digest()
        return ledger, seq, body, leaf, f"tank:{duty.subject_id}", now


def _told(duty: Any, ledger: str, seq: int) -> dict[str, object]:
    """Return the fields of an entry, as the ledger has them."""
    return {
        "version": 1,
        "ledger": ledger,
        "seq": seq,
        "type": "duty.opened",
        "schema": 1,
        "subject": f"tank:{duty.subject_id}",
        "occurred": "2026-11-24T01:00:00.000000Z",
        "recorded": "2026-11-24T01:00:00.000000Z",
        "actor": "system",
        "data": {
            "duty": duty.id,
            "due": duty.due_on.isoformat(),
            "obligation": duty.obligation,
            "ordinal": duty.ordinal,
        },
        "commitments": [],
        "files": [],
        "ref": None,
        "idempotency_key": None,
    }


async def measure(
    stage: Stage, dialect: str, duties: int = DUTIES, days: int = DAYS
) -> list[Figure]:
    """Open a part of the duties each day on each side, in turns."""
    fleet = Fleet(duties, FIRST, days)
    async with (
        stage.installation(dialect) as (ours, clock),
        stage.installation(dialect) as (twin, _),
    ):
        for installation in (ours, twin):
            await seed_fleet(installation, fleet)
        await statements(twin, *drop_statements(dialect))
        bare = Bare(twin, await _ledgers(twin))
        turns = [await _turn(ours, clock, bare, day) for day in range(days)]
    names = ("open duties", "open duties, inserts alone")
    return [
        compare(name, dialect, [(turn[0], turn[1 + which]) for turn in turns], TARGET)
        for which, name in enumerate(names)
    ]


async def _ledgers(installation: Installation) -> dict[str, str]:
    async with installation.runtime.read() as work:
        return dict((await work.session.exec(select(Facility.id, Facility.ledger_id))).all())


async def _turn(
    ours: Installation, clock: SettableClock, bare: Bare, day: int
) -> tuple[float, float, float]:
    """Return duties a second: of the sweep, of the bare loop with marks, and without.

    The bare loop does half of the day's duties in either way.
    """
    async with ours.runtime.read() as work:
        opening = await work.session.exec(
            select(Duty)
            .where(Duty.opens_on == FIRST + timedelta(days=day))
            .order_by(col(Duty.facility_id))
        )
        duties = opening.all()
    clock.set(NOW + timedelta(days=day + 1))
    began = time.perf_counter()
    swept = await sweep(ours.runtime)
    rate = len(duties) / (time.perf_counter() - began)
    assert swept.opened == len(duties)
    half = len(duties) // 2
    return (
        rate,
        await _bare_rate(bare, duties[:half], marks=True),
        await _bare_rate(bare, duties[half:], marks=False),
    )


async def _bare_rate(bare: Bare, duties: Sequence[Any], *, marks: bool) -> float:
    began = time.perf_counter()
    for start in range(0, len(duties), BATCH):
        await bare.open(duties[start : start + BATCH], marks=marks)
    return len(duties) / (time.perf_counter() - began)


if __name__ == "__main__":
    run(measure)
