"""Claiming and completing deliveries at batch 100, beside two queues on the same PostgreSQL.

Run: `.venv/bin/python -m tests.benchmarks.bench_delivery_queue`. Ours is what a worker does but for
the sending: a unit that completes a batch, with its kept outcomes and its entry in the ledger, and
claims the next. procrastinate and pgqueuer run jobs that do nothing, 100 at a time, on the same
server. The first line's baseline is the rate to be reached.
"""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
from pgqueuer import QueueManager
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.models import Job
from pgqueuer.queries import Queries
from pgqueuer.types import QueueExecutionMode
from procrastinate import App, PsycopgConnector

from tests.benchmarks.stage import NOW, Figure, Stage, analyse, compare, run, statements
from tests.builders import Installation
from tests.delivery.builders import an_estate
from water2.domain.sending import Outcome, Reply, SendingChannel
from water2.services.delivery.claiming import Claimed, claim
from water2.services.delivery.completing import Settled, complete

ROWS = 200_000
JOBS = 10_000  # of pgqueuer, in a turn
SLOWER = 10  # procrastinate takes one job at a time: so many times fewer of them
TURNS = 3
BATCH = 100
AT_ONCE = 6
TO_REACH = 20_000.0
LEASE = timedelta(minutes=2)

_COLUMNS = (
    "id, utility_id, source, source_id, channel, address_index, sealed, lane, state, due_at,"
    " attempts, lease_token"
)
_SEED = {
    "postgresql": "INSERT INTO delivery ({columns}) SELECT md5(n::text || '{turn}'), '{utility}',"
    " 'notice', '{notice}', 'sms', sha256((n::text || '{turn}')::bytea), sha256(n::text::bytea),"
    " 1, 'ready', '{due}+00', 0, 0 FROM generate_series(1, {rows}) AS n",
    "sqlite": "WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many"
    " WHERE n < {rows}) INSERT INTO delivery ({columns}) SELECT lower(hex(randomblob(16))),"
    " '{utility}', 'notice', '{notice}', 'sms', randomblob(32), randomblob(60), 1, 'ready',"
    " '{due}', 0, 0 FROM many",
}


async def measure(
    stage: Stage, dialect: str, rows: int = ROWS, jobs: int = JOBS, turns: int = TURNS
) -> list[Figure]:
    """Work through a queue on each side, in turns."""
    async with stage.installation(dialect, pool_size=AT_ONCE) as (installation, _):
        async with installation.runtime.work() as work:
            notice_id = (await an_estate(work, installation)).notice.id
        ours, procrastinate, pgqueuer = [], [], []
        for turn in range(turns):
            await _seed(installation, notice_id, rows // turns, turn)
            ours.append(await _ours(installation, rows // turns))
            if dialect == "postgresql":
                procrastinate.append(await _procrastinate(stage.fresh(dialect), jobs // SLOWER))
                pgqueuer.append(await _pgqueuer(stage.fresh(dialect), jobs))
    figures = [compare("claim and complete", dialect, [(rate, TO_REACH) for rate in ours], 1.0)]
    for name, rates in (("procrastinate", procrastinate), ("pgqueuer", pgqueuer)):
        if rates:
            turns_of = list(zip(ours, rates, strict=True))
            figures.append(compare(f"claim and complete, {name}", dialect, turns_of, 1.0))
    return figures


async def _seed(installation: Installation, notice_id: str, rows: int, turn: int) -> None:
    dialect = installation.runtime.database.dialect
    seed = _SEED[dialect].format(
        columns=_COLUMNS,
        turn=turn,
        utility=installation.utility.id,
        notice=notice_id,
        due=f"{NOW:%Y-%m-%d %H:%M:%S.%f}",
        rows=rows,
    )
    await statements(installation, seed)
    await analyse(installation)


async def _ours(installation: Installation, rows: int) -> float:
    began = time.perf_counter()
    done = await asyncio.gather(*(_work(installation) for _ in range(AT_ONCE)))
    rate = rows / (time.perf_counter() - began)
    assert sum(done) == rows
    return rate


async def _work(installation: Installation) -> int:
    """Claim and complete until nothing is left; return how many."""
    runtime, utility_id = installation.runtime, installation.utility.id
    done = 0
    claimed: Sequence[Claimed] = ()
    while True:
        async with runtime.work() as work:
            states = await complete(work, [_accepted(one) for one in claimed])
            claimed = await claim(
                work, utility_id, SendingChannel.sms, BATCH, leased_until=NOW + LEASE, at=NOW
            )
        done += states["done"]
        if not claimed:
            return done


def _accepted(claimed: Claimed) -> Settled:
    reply = Reply(Outcome.accepted, "OK", provider_id=claimed.id, body_sha256="0" * 64)
    return Settled(claimed, reply)


async def _procrastinate(url: str, jobs: int) -> float:
    app = App(connector=PsycopgConnector(conninfo=url))

    @app.task(name="nothing")
    async def nothing() -> None:
        """Do nothing."""

    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        for first in range(0, jobs, 1000):
            await nothing.batch_defer_async(*({} for _ in range(min(1000, jobs - first))))
        began = time.perf_counter()
        await app.run_worker_async(
            wait=False, concurrency=BATCH, listen_notify=False, install_signal_handlers=False
        )
        return jobs / (time.perf_counter() - began)


async def _pgqueuer(url: str, jobs: int) -> float:
    connection = await asyncpg.connect(url)
    try:
        queries = Queries(AsyncpgDriver(connection))
        await queries.install()
        manager = QueueManager(queries)

        @manager.entrypoint("nothing")
        async def nothing(job: Job) -> None:
            """Do nothing."""

        for first in range(0, jobs, 1000):
            count = min(1000, jobs - first)
            await queries.enqueue(["nothing"] * count, [None] * count, [0] * count)
        began = time.perf_counter()
        await manager.run(batch_size=BATCH, mode=QueueExecutionMode.drain)
        return jobs / (time.perf_counter() - began)
    finally:
        await connection.close()


if __name__ == "__main__":
    run(measure)
