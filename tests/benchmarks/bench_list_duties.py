"""`GET /api/v1/duties` against a bare FastAPI and SQLModel endpoint returning as many rows.

Run: `.venv/bin/python -m tests.benchmarks.bench_list_duties`. Ours finds out whose request it is,
narrows it to what they may see, joins codes, and derives each state. The bare endpoint selects the
same duties through the same engine and returns as many fields through a response model, to anybody.
"""

import json
import tempfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

from fastapi import FastAPI
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from tests.benchmarks.requests import a_token, ask, our_api, rate
from tests.benchmarks.seeds import Fleet, seed_fleet
from tests.benchmarks.stage import Figure, Stage, compare, run
from tests.builders import Installation
from water2.domain.duty import Duty, EndReason, SubjectType

TANKS = 10_000
LIMITS = (500, 100)
TURNS = 8
ROWS = 8_000  # a turn
TARGET = 0.6


class BareDuty(SQLModel):
    """All 17 columns; our answer has 18 fields, counting those of its subject."""

    id: str
    utility_id: str
    obligation: str
    subject_type: SubjectType
    subject_id: str
    facility_id: str | None
    ordinal: int
    due_on: date
    opens_on: date
    runs_from: date
    opened_at: datetime | None
    wake_on: date | None
    satisfied_on: date | None
    satisfied_by: str | None
    ended_on: date | None
    end_reason: EndReason | None
    covered_periods: list[str]


class BareDuties(SQLModel):
    """A list, as ours is."""

    items: list[BareDuty]
    next: str | None = None


def bare_api(installation: Installation) -> FastAPI:
    """Return one route that selects and shows."""
    app = FastAPI()
    reader, utility_id = installation.runtime.database.reader, installation.utility.id

    @app.get("/duties", response_model=BareDuties)
    async def show(limit: int = 100) -> dict[str, object]:
        async with AsyncSession(reader, expire_on_commit=False) as session:
            rows = await session.exec(
                select(Duty)
                .where(Duty.utility_id == utility_id)
                .order_by(col(Duty.due_on), col(Duty.id))
                .limit(limit)
            )
            return {"items": rows.all()}

    return app


async def measure(
    stage: Stage,
    dialect: str,
    limits: Sequence[int] = LIMITS,
    turns: int = TURNS,
    rows: int = ROWS,
    tanks: int = TANKS,
) -> list[Figure]:
    """Ask both for pages of each size, in turns."""
    figures = []
    async with stage.installation(dialect) as (installation, _):
        await seed_fleet(installation, Fleet(tanks, date(2026, 11, 24), 180))
        token = await a_token(installation)
        with tempfile.TemporaryDirectory() as folder:
            ours, bare = our_api(installation, Path(folder)), bare_api(installation)
            for limit in limits:
                asked = rows // limit
                taken = [await _turn(ours, bare, token, limit, asked) for _ in range(turns + 1)]
                figures.append(compare(f"list duties, {limit} a page", dialect, taken[1:], TARGET))
    return figures


async def _turn(
    ours: FastAPI, bare: FastAPI, token: str, limit: int, count: int
) -> tuple[float, float]:
    async def ask_ours(_: int) -> bytes:
        return await ask(ours, "GET", f"/api/v1/duties?limit={limit}", token=token)

    async def ask_bare(_: int) -> bytes:
        return await ask(bare, "GET", f"/duties?limit={limit}")

    for one in (ask_ours, ask_bare):
        assert len(json.loads(await one(0))["items"]) == limit
    return await rate(ask_ours, 0, count), await rate(ask_bare, 0, count)


if __name__ == "__main__":
    run(measure)
