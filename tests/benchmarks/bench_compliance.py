"""Monthly figures of a whole utility against the one raw statement that counts its items.

Run: `.venv/bin/python -m tests.benchmarks.bench_compliance`. 200 facilities over three years, each
sampled every month at two points for eight items. The bare statement joins, groups and counts the
same results and no more; ours counts tests, samples and anomalies too, and finds out which count.
"""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import text

from tests.benchmarks.stage import Figure, Stage, analyse, compare, run
from tests.builders import Installation, a_facility
from water2.domain.duty import Duty, SubjectType
from water2.domain.ids import new_id
from water2.domain.water import Point, Purpose, Sample, SampleResult, SampleVerdict
from water2.services.rows import insert_rows
from water2.services.trends.compliance import AskFigures, read_figures

FACILITIES = 200
MONTHS = 36
TURNS = 10
TARGET = 0.5
FIRST = date(2023, 12, 1)
ITEMS = (
    "colour",
    "turbidity",
    "odour_taste",
    "visible_matter",
    "ph",
    "total_coliform",
    "plate_count",
    "free_chlorine",
)
_MONTH = {"sqlite": "strftime('%Y-%m', {0})", "postgresql": "to_char({0}, 'YYYY-MM')"}

Rows = list[dict[str, Any]]


def days(months: int) -> Iterator[date]:
    """Yield a day of each month."""
    for number in range(months):
        yield date(FIRST.year + (number + 11) // 12, (number + 11) % 12 + 1, 9)


async def seed(installation: Installation, facilities: int, months: int) -> None:
    """Insert facilities whose tests were done on their day and whose samples passed."""
    utility = installation.utility
    async with installation.runtime.work() as work:
        for number in range(facilities):
            facility = await a_facility(work, utility, f"BY-{number}")
            own = {"utility_id": utility.id, "facility_id": facility.id}
            samples: Rows = [
                own | {"id": new_id(), "sampled_on": day, "point": point}
                for day in days(months)
                for point in (Point.outlet, Point.terminal)
            ]
            passed = {"verdict": SampleVerdict.passed, "counts": True, "flags": []}
            passed |= {"purpose": Purpose.routine, "recorded_at": work.now}
            results: Rows = [
                {"id": new_id(), "sample_id": sample["id"], "parameter": item, "raw": "0.3"}
                for sample in samples
                for item in ITEMS
            ]
            duties: Rows = [
                own | {"id": new_id(), "ordinal": 100 + number, "due_on": day, "satisfied_on": day}
                for number, day in enumerate(days(months))
            ]
            tested = {"obligation": "testing", "subject_type": SubjectType.facility}
            tested |= {"subject_id": facility.id, "runs_from": FIRST, "covered_periods": []}
            tested |= {"opens_on": FIRST - timedelta(days=30)}
            await insert_rows(work, Sample, [row | passed for row in samples])
            await insert_rows(work, SampleResult, [row | {"verdict": "pass"} for row in results])
            await insert_rows(work, Duty, [row | tested for row in duties])
    await analyse(installation)


async def measure(
    stage: Stage,
    dialect: str,
    facilities: int = FACILITIES,
    months: int = MONTHS,
    turns: int = TURNS,
) -> list[Figure]:
    """Ask both for the whole time, in turns."""
    async with stage.installation(dialect) as (installation, _):
        await seed(installation, facilities, months)
        items = facilities * months * 2 * len(ITEMS)
        taken = [await _turn(installation, months, items) for _ in range(turns + 1)][1:]
    name = f"monthly figures, {facilities} facilities, {months} months"
    return [compare(name, dialect, taken, TARGET)]


async def _turn(installation: Installation, months: int, items: int) -> tuple[float, float]:
    began = time.perf_counter()
    assert await _ours(installation, months) == items
    ours = time.perf_counter() - began
    began = time.perf_counter()
    assert await _bare(installation) == items
    return 1 / ours, 1 / (time.perf_counter() - began)


async def _ours(installation: Installation, months: int) -> int:
    *_, last = days(months)
    asked = AskFigures(FIRST, last, utility_id=installation.utility.id)
    async with installation.runtime.read() as work:
        return sum(month.rate.judged for month in await read_figures(work, asked))


async def _bare(installation: Installation) -> int:
    database = installation.runtime.database
    month = _MONTH[database.dialect].format("s.sampled_on")
    statement = text(
        f"SELECT {month}, r.parameter, r.verdict, count(*) FROM sample s"
        " JOIN sample_result r ON r.sample_id = s.id WHERE s.utility_id = :utility"
        f" GROUP BY {month}, r.parameter, r.verdict"
    )
    async with database.reader.connect() as connection:
        rows = await connection.execute(statement, {"utility": installation.utility.id})
        return sum(row[3] for row in rows)


if __name__ == "__main__":
    run(measure)
