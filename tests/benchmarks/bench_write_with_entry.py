"""`POST /api/v1/patrols`, with its entry, against a bare endpoint of as many statements.

Run: `.venv/bin/python -m tests.benchmarks.bench_write_with_entry`. Ours finds out whose request it
is, checks it, records the round, derives the facility's duties anew and appends the entry. Its
statements are counted while it runs; the bare endpoint runs as many of each kind on a table of its
own, through the same engine, and commits once. The append is one INSERT on PostgreSQL, and a SELECT
and an INSERT on SQLite.
"""

import tempfile
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import delete, event, update
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, select

from tests.benchmarks.requests import a_token, ask, our_api, rate
from tests.benchmarks.stage import Figure, Stage, compare, run
from tests.builders import Installation, SettableClock, a_facility
from water2.domain.ids import new_id
from water2.work import WorkSession

FACILITIES = 150
TURNS = 6
TARGET = 0.6
MONTH = timedelta(days=31)  # each turn is a month later, so that every round satisfies a duty
KINDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


class Bare(SQLModel, registry=registry()):
    """The root of the bare table: no table of the product's."""


class Round(Bare, table=True):
    """A row of the bare endpoint."""

    id: str = Field(default_factory=new_id, primary_key=True)
    facility_id: str
    kind: str
    patrolled_at: datetime


class RoundBody(SQLModel):
    """What the bare endpoint is sent."""

    facility_id: str
    kind: str
    patrolled_at: datetime


def bare_api(installation: Installation, kinds: Counter[str]) -> FastAPI:
    """Return one route that runs trivial statements, so many of each kind."""
    app, database = FastAPI(), installation.runtime.database

    @app.post("/rounds", status_code=201, response_model=Round)
    async def add(body: RoundBody) -> Round:
        found = Round.model_validate(body, update={"id": new_id()})
        async with (
            database.writing(),
            WorkSession(database.writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            for _ in range(kinds["SELECT"]):
                (await session.exec(select(Round).where(Round.id == found.id))).first()
            for number in range(kinds["INSERT"]):
                session.add(Round.model_validate(body) if number else found)
                await session.flush()
            for _ in range(kinds["UPDATE"]):
                await session.execute(update(Round).where(Round.id == found.id).values(kind="b"))
            for _ in range(kinds["DELETE"]):
                await session.execute(delete(Round).where(Round.id == "none"))
        return found

    return app


async def measure(
    stage: Stage, dialect: str, facilities: int = FACILITIES, turns: int = TURNS
) -> list[Figure]:
    """Write one round for each facility on each side, in turns."""
    async with stage.installation(dialect) as (installation, clock):
        ids = await _facilities(installation, facilities)
        token = await a_token(installation)
        with tempfile.TemporaryDirectory() as folder:
            ours = our_api(installation, Path(folder))
            await _turn(ours, "/api/v1/patrols", ids, clock, token)
            kinds = await _kinds(ours, ids[0], clock, token, installation)
            bare = bare_api(installation, kinds)
            await _make_table(installation)
            taken = [
                (
                    await _turn(ours, "/api/v1/patrols", ids, clock, token),
                    await _turn(bare, "/rounds", ids, clock),
                )
                for _ in range(turns)
            ]
    counted = " ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kinds[kind])
    return [compare(f"write with entry ({counted})", dialect, taken, TARGET)]


async def _facilities(installation: Installation, count: int) -> list[str]:
    async with installation.runtime.work() as work:
        return [
            (
                await a_facility(
                    work, installation.utility, f"BY-{number}", in_service_on=date(2026, 11, 1)
                )
            ).id
            for number in range(count)
        ]


async def _make_table(installation: Installation) -> None:
    database = installation.runtime.database
    async with database.writing(), database.writer.begin() as connection:
        await connection.run_sync(Round.metadata.create_all)


async def _turn(
    app: FastAPI, path: str, ids: list[str], clock: SettableClock, token: str = ""
) -> float:
    """Write a round for each facility, a month after the last; return writes a second."""
    clock.set(clock.now + MONTH)
    at = clock.now.astimezone(UTC).isoformat()

    async def write(number: int) -> bytes:
        body = {"facility_id": ids[number], "kind": "hygiene", "patrolled_at": at}
        return await ask(app, "POST", path, token=token, body=body)

    return await rate(write, 0, len(ids))


async def _kinds(
    ours: FastAPI, id_: str, clock: SettableClock, token: str, installation: Installation
) -> Counter[str]:
    """Count the statements of one write, by kind."""
    database = installation.runtime.database
    on_sqlite = database.dialect == "sqlite"
    # the journal speaks to SQLite's driver itself, past the listener
    kinds = Counter(["SELECT", "INSERT"] if on_sqlite else [])

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        kinds["INSERT" if "ledger_append" in statement else statement.split(maxsplit=1)[0]] += 1

    engines = {database.writer.sync_engine, database.reader.sync_engine}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", count)
    await _turn(ours, "/api/v1/patrols", [id_], clock, token)
    for engine in engines:
        event.remove(engine, "before_cursor_execute", count)
    return kinds


if __name__ == "__main__":
    run(measure)
