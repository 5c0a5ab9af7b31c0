"""Readings of 1,000 instruments a minute for an hour, against a bare loop that inserts the rows.

Run: `.venv/bin/python -m tests.benchmarks.bench_readings` (`--day`: a day, 1,440,000 rows). Both
begin with the bytes of a request, of one minute or of five, and end with the commit. Ours is
`record_readings`: each row is checked, compared with what is stored and judged by the limit of its
day; excursions are found, the bytes are kept, and each facility's ledger gets its entry. The bare
loop parses the same JSON, instants and decimals and writes the same rows through the driver itself
into a twin of the table with the same key and index. Of two hundred instruments one is out of
limit all the time and two begin an excursion; ten stand in a facility.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, cast

from sqlalchemy import MetaData, Table

from tests.benchmarks.bench_publish_notice import twin_of
from tests.benchmarks.stage import NOW, Figure, Stage, analyse, compare, run, statements
from tests.builders import Installation, SettableClock, a_facility
from water2.domain.ids import new_id
from water2.domain.instrument import Instrument, InstrumentCalibration, Reading
from water2.domain.water import Point
from water2.services.instruments.given import RecordReadings
from water2.services.instruments.recording import record_readings
from water2.services.instruments.stamps import stamp_register
from water2.services.rows import insert_rows

INSTRUMENTS, IN_A_FACILITY, HOUR, DAY = 1000, 10, 60, 1440
SIZES = (1, 5)  # minutes in one request
TURNS = 6  # parts of the time, each with its own ratio
TARGET = 0.5
BARE = (
    "INSERT INTO bare_reading (instrument_id, taken_at, raw, value, censored, verdict, flags,"
    " batch_id, received_at) VALUES ($1, $2, $3, $4, NULL, 'pass', '[]', $5, $6)"
)
USUAL = {
    "turbidity": ("0.{:02}", 10, 90),
    "ph": ("7.{:02}", 0, 99),
    "free_chlorine": ("0.{:02}", 20, 90),
}
WRONG = {"turbidity": "1.{:02}", "ph": "8.{:02}", "free_chlorine": "2.{:02}"}


async def seed(installation: Installation, instruments: int) -> list[tuple[str, str]]:
    """Enter the instruments, calibrated; return (id, parameter) of each."""
    made, utility = [], installation.utility
    async with installation.runtime.work() as work:
        facilities = [
            await a_facility(work, utility, f"BY-{n:04}")
            for n in range(-(-instruments // IN_A_FACILITY))
        ]
        rows, cards = [], []
        for n in range(instruments):
            facility, parameter = facilities[n // IN_A_FACILITY], [*USUAL][n % 3]
            id_ = new_id()
            made.append((id_, parameter))
            rows.append(
                {
                    "id": id_,
                    "utility_id": utility.id,
                    "facility_id": facility.id,
                    "code": f"ZX-{n}",
                    "parameter": parameter,
                    "point": Point.outlet,
                    "unit": None if parameter == "ph" else "mg/L",
                    "interval_seconds": 60,
                    "installed_on": date(2026, 1, 1),
                    "version": 1,
                }
            )
            cards.append(
                {
                    "id": new_id(),
                    "utility_id": utility.id,
                    "instrument_id": id_,
                    "calibrated_on": date(2026, 6, 1),
                    "valid_to": date(2027, 5, 31),
                    "certificate_number": "JD-1",
                    "recorded_at": NOW,
                }
            )
        await insert_rows(work, Instrument, rows)
        await insert_rows(work, InstrumentCalibration, cards)
        await stamp_register(work, utility.id)
    await analyse(installation)
    return made


def requests(
    made: Sequence[tuple[str, str]], minutes: int, together: int
) -> Iterator[tuple[datetime, bytes]]:
    """Yield requests of so many minutes: every instrument once a minute, at its own second."""
    random = Random(5)
    for first in range(0, minutes, together):
        rows: list[dict[str, str]] = []
        for minute in range(first, first + together):
            rows += _minute(made, minute, minutes // 3, random)
        random.shuffle(rows)
        yield NOW + timedelta(minutes=first + together), json.dumps({"readings": rows}).encode()


def _minute(
    made: Sequence[tuple[str, str]], minute: int, begin: int, random: Random
) -> Iterator[dict[str, str]]:
    for n, (id_, parameter) in enumerate(made):
        form, low, high = USUAL[parameter]
        figure = random.randint(low, high)
        if n % 200 == 0 or (n % 100 == 1 and begin < minute < begin + 20):
            form, figure = WRONG[parameter], random.randint(51, 99)
        taken = NOW + timedelta(minutes=minute, seconds=n % 60)
        yield {"instrument": id_, "taken_at": taken.isoformat(), "raw": form.format(figure)}


async def measure(
    stage: Stage,
    dialect: str,
    instruments: int = INSTRUMENTS,
    minutes: int = HOUR,
    sizes: Sequence[int] = SIZES,
) -> list[Figure]:
    """Take the requests on both sides in turns, one request each."""
    figures = []
    for together in sizes:
        async with stage.installation(dialect) as (installation, clock):
            made = await seed(installation, instruments)
            await _create(installation, twin_of(cast("Any", Reading).__table__, MetaData()))
            batch = instruments * together
            spent = [(0.0, 0.0)] * min(TURNS, minutes // together)
            for number, (now, body) in enumerate(requests(made, minutes, together)):
                clock.set(now)
                ours = await _seconds_of_ours(installation, body, batch)
                bare = await _seconds_of_bare(installation, clock, body)
                turn = number * together * len(spent) // minutes
                spent[turn] = spent[turn][0] + ours, spent[turn][1] + bare
            rows = instruments * minutes
            part = rows / len(spent)
            name = f"{rows:,} readings in batches of {batch:,}"
            turns = [(part / a, part / b) for a, b in spent]
            figures.append(compare(name, dialect, turns, TARGET))
    return figures


async def _create(installation: Installation, twin: Table) -> None:
    async with installation.runtime.database.writer.begin() as connection:
        await connection.run_sync(twin.metadata.create_all)
    await statements(installation)


async def _seconds_of_ours(installation: Installation, body: bytes, count: int) -> float:
    began = time.perf_counter()
    async with installation.runtime.work(installation.crew) as work:
        done = await record_readings(work, RecordReadings.model_validate_json(body))
    spent = time.perf_counter() - began
    assert done.accepted == count
    return spent


async def _seconds_of_bare(installation: Installation, clock: SettableClock, body: bytes) -> float:
    database = installation.runtime.database
    on_sqlite = database.dialect == "sqlite"
    began = time.perf_counter()
    batch = new_id()
    received: Any = clock().isoformat(" ", "microseconds")[:26] if on_sqlite else clock()
    rows = []
    for row in json.loads(body)["readings"]:
        taken: Any = datetime.fromisoformat(row["taken_at"]).astimezone(UTC)
        if on_sqlite:
            taken = taken.isoformat(" ", "microseconds")[:26]
        value = str(Decimal(row["raw"]))
        rows.append((row["instrument"], taken, row["raw"], value, batch, received))
    async with database.writing(), database.writer.begin() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.executemany(BARE, rows)
    return time.perf_counter() - began


async def measure_day(stage: Stage, dialect: str) -> list[Figure]:
    """Take a day of them."""
    return await measure(stage, dialect, minutes=DAY)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--day", action="store_true", help="a day: 1,440,000 rows")
    run(measure_day if parser.parse_args().day else measure)
