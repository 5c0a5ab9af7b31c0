"""Ledger append, durable, one entry per commit, against a plain insert of the same bytes.

Run: `.venv/bin/python -m tests.benchmarks.bench_ledger_append`. Both sides take the same session,
engine and lock, in turns; the plain insert gets its bytes ready-made, the append encodes, numbers
and hashes them.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import sqlalchemy as sa
from sqlmodel.ext.asyncio.session import AsyncSession

from tests.benchmarks.stage import NOW, Figure, Stage, compare, run
from water2 import journal
from water2.database import Database
from water2.domain.entry import encode_entry
from water2.domain.ledger import Ledger, LedgerKind, PendingEntry

TURNS = 9
CLIENTS = {"sqlite": 1, "postgresql": 16}
APPENDS = {"sqlite": 600, "postgresql": 1600}  # a turn, over all clients
TARGET = {"sqlite": 0.70, "postgresql": 0.80}
FACILITIES = 400
PLAIN = sa.Table(
    "plain",
    sa.MetaData(),
    sa.Column("ledger_id", sa.String(32), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)
ACTOR, KEY = "a" * 32, "b" * 32
Write = Callable[[AsyncSession, int], Awaitable[object]]


def an_entry(number: int) -> PendingEntry:
    data = {"volume_m3": "120.5", "disinfectant": "chlorine", "crew": ["p01", "p02"], "n": number}
    ledger_id = f"{number % FACILITIES:032x}"
    return PendingEntry(ledger_id, "cleaning.completed", "tank:0001", NOW, data, ["ab" * 32])


BODY = encode_entry(an_entry(1), recorded_at=NOW, actor_id=ACTOR, idempotency_key=KEY).numbered(1)


async def append(session: AsyncSession, number: int) -> None:
    entries = [an_entry(number)]
    await journal.append(session, entries, now=NOW, actor_id=ACTOR, idempotency_key=KEY)


async def insert(session: AsyncSession, number: int) -> None:
    connection = await session.connection()
    row = {"ledger_id": f"{number % FACILITIES:032x}", "seq": number, "body": BODY}
    await connection.execute(sa.insert(PLAIN), row)


async def prepare(database: Database) -> None:
    ids = [f"{number:032x}" for number in range(FACILITIES)]
    rows = [
        Ledger(id=one, utility_id="u", kind=LedgerKind.facility, subject_id=one).model_dump()
        for one in ids
    ]
    async with database.writing(), database.writer.begin() as connection:
        await connection.run_sync(PLAIN.metadata.create_all)
        await connection.execute(sa.insert(Ledger), rows)


async def rate(database: Database, write: Write, first: int, appends: int) -> float:
    """Return writes a second, each committed by itself, by all clients together."""
    numbers = iter(range(first, first + appends))

    async def client() -> None:
        for number in numbers:
            async with (
                database.writing(),
                AsyncSession(database.writer, expire_on_commit=False) as session,
                session.begin(),
            ):
                await write(session, number)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS[database.dialect])))
    return appends / (time.perf_counter() - began)


async def measure(
    stage: Stage, dialect: str, turns: int = TURNS, appends: int | None = None
) -> list[Figure]:
    """Append and insert in turns."""
    count = appends or APPENDS[dialect]
    pool_size = CLIENTS[dialect]
    async with stage.installation(dialect, pool_size=pool_size) as (installation, _):
        database = installation.runtime.database
        await prepare(database)
        taken = []
        for turn in range(turns + 1):
            first = turn * count
            ours = await rate(database, append, first, count)
            taken.append((ours, await rate(database, insert, first, count)))
    return [compare("ledger append", dialect, taken[1:], TARGET[dialect])]


if __name__ == "__main__":
    run(measure)
