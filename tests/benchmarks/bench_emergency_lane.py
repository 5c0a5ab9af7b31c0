"""How soon the households of an emergency are told while a bulk of 100,000 messages is being sent.

Run: `.venv/bin/python -m tests.benchmarks.bench_emergency_lane`. The jobs of a worker run by their
scheduler, on connections and an event loop of their own, and send the bulk over 100 connections to
an SMS gateway that takes 100 ms. In the midst of it `create_outage` declares an emergency. Measured
is the time from its commit until the gateway has accepted the message to its last household; the
baseline is the time to be kept to. The second line is the slowest of all turns.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.benchmarks.gateways_stage import (
    CONNECTIONS,
    LATENCY_MS,
    Record,
    in_a_loop_of_its_own,
    queue_bulk,
    settings_of,
    states,
    with_own_connections,
    within,
)
from tests.benchmarks.stage import Figure, Stage, run
from tests.builders import Installation, install
from tests.delivery import builders
from tests.delivery.builders import until
from tests.estate import FLATS, Estate, an_estate
from tests.sinks import http_gateway
from water2.clock import wall_clock
from water2.config import Settings
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.domain.outage import OutageKind, OutageReason
from water2.scheduler import Scheduler
from water2.services.ledger_keys import make_signing_key
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.work import Runtime

ROWS = 100_000
TURNS = 10
LIMIT_SECONDS = 2.0
PAUSE_SECONDS = 0.73  # no multiple of any pause of the worker: each turn meets it elsewhere
_TELEPHONES = frozenset(telephone for _, _, telephone, _ in FLATS if telephone)


class Told:
    """Which telephones the gateway took how many messages to."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self.ids: Counter[str] = Counter()
        self.telephones: Counter[str] = Counter()

    def look(self) -> None:
        for message in self._record.more():
            self.ids[message["id"]] += 1
            self.telephones[message["to"]] += 1

    def times(self) -> int:
        """Return of how many emergencies each of the estate's households was told by now."""
        self.look()
        return min(self.telephones[telephone] for telephone in _TELEPHONES)

    def bulk(self) -> int:
        """Return how many messages of the bulk went out by now."""
        self.look()
        return self.ids.total() - sum(self.telephones[one] for one in _TELEPHONES)


async def measure(
    stage: Stage, dialect: str, rows: int = ROWS, turns: int = TURNS, latency_ms: int = LATENCY_MS
) -> list[Figure]:
    """Declare emergencies, one after the other, while one bulk is being sent."""
    async with _installation(stage, dialect) as installation:
        async with installation.runtime.work() as work:
            others = await builders.an_estate(work, installation)
        await queue_bulk(installation, others, 0, rows)
        estate = await an_estate(installation, "BY-002")
        with http_gateway(latency_ms=latency_ms) as sink, TemporaryDirectory() as folder:
            told = Told(Record(sink))
            async with _working(installation.runtime, settings_of(sink, Path(folder))):
                seconds = [await _turn(installation, estate, told, rows)]
                for _ in range(1, turns):
                    await asyncio.sleep(PAUSE_SECONDS)
                    seconds.append(await _turn(installation, estate, told, rows))
            await _check(installation, told, rows, turns)
    return [
        within("emergency amid a bulk", dialect, median(seconds), LIMIT_SECONDS),
        within("emergency amid a bulk, slowest", dialect, max(seconds), LIMIT_SECONDS),
    ]


@asynccontextmanager
async def _installation(stage: Stage, dialect: str) -> AsyncIterator[Installation]:
    """Open an installation that goes by real time, as the scheduler's jobs do."""
    database = open_database(stage.fresh(dialect))
    try:
        yield await install(Runtime(database, wall_clock, ContactBox(bytes(32))))
    finally:
        await database.dispose()


@asynccontextmanager
async def _working(runtime: Runtime, settings: Settings) -> AsyncIterator[None]:
    """Let a worker run until this is left; what is under way then may end."""
    make_signing_key(settings.keys)
    stopped = threading.Event()

    async def work(own: Runtime) -> None:
        async with Scheduler(own, settings):
            await asyncio.to_thread(stopped.wait)

    working = asyncio.create_task(
        in_a_loop_of_its_own(partial(with_own_connections, runtime, work))
    )
    try:
        yield
    finally:
        stopped.set()
        await working


async def _turn(installation: Installation, estate: Estate, told: Told, rows: int) -> float:
    """Declare an emergency; return the seconds from its commit to the last household's message."""
    before = told.times()
    await until(lambda: told.bulk() > CONNECTIONS)
    assert told.bulk() < rows, "the bulk has ended: it takes more rows"
    await _declare(installation, estate)
    committed = time.perf_counter()
    await until(lambda: told.times() > before)
    return time.perf_counter() - committed


async def _declare(installation: Installation, estate: Estate) -> None:
    command = CreateOutage(
        kind=OutageKind.emergency,
        facility_id=estate.facility.id,
        reason=OutageReason.equipment_repair,
        starts_at=installation.runtime.now(),
        cause="水泵故障",
    )
    async with installation.runtime.work(installation.manager) as work:
        await create_outage(work, command)


async def _check(installation: Installation, told: Told, rows: int, turns: int) -> None:
    """What was sent is done and was sent once; all else still waits, and nothing is lost."""
    found = await states(installation)
    sent = found.pop("done")
    assert told.times() == turns
    assert set(told.ids.values()) == {1}
    assert len(told.ids) == sent
    assert found.keys() <= {"ready"}
    assert sent + found.get("ready", 0) == rows + turns * len(_TELEPHONES)


if __name__ == "__main__":
    run(measure)
