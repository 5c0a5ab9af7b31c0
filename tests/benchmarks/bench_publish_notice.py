"""Publishing a notice to 100,000 and to 1,000,000 households, against a bare set-based insert.

Run: `.venv/bin/python -m tests.benchmarks.bench_publish_notice`. Ours is `publish_outage`: it reads
the households and their addresses, freezes them, queues a delivery to each address, writes the
notice and its entries, and commits. The bare side inserts the very same rows into twins with the
same keys and indexes in the same database; it reads them, in the register's order, from tables
without an index. A row is a recipient or a delivery.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

from sqlalchemy import MetaData, Table, insert, select

from tests.benchmarks.stage import NOW, Figure, Stage, analyse, compare, run, statements
from tests.builders import Installation, a_facility
from water2.domain.delivery import Delivery
from water2.domain.facility import Building, Facility
from water2.domain.notice import NoticeRecipient
from water2.domain.outage import Outage, OutageKind, OutageReason
from water2.services.outages.drafting import CreateOutage, create_outage
from water2.services.outages.transitions import publish_outage

SIZES = (100_000, 1_000_000)
TURNS = 3
TARGET = 0.7
TABLES: tuple[Table, ...] = tuple(
    cast("Any", model).__table__ for model in (NoticeRecipient, Delivery)
)
_RANDOM = {"sqlite": "randomblob(60)", "postgresql": "decode(repeat(md5(i::text), 4), 'hex')"}
_INDEX = {"sqlite": "randomblob(32)", "postgresql": "decode(md5(i::text) || md5('x' || i), 'hex')"}
_ID = {
    "sqlite": "lower(hex(randomblob(16)))",
    "postgresql": "replace(gen_random_uuid()::text, '-', '')",
}


async def seed_estate(installation: Installation, households: int) -> Facility:
    """Insert a facility of ten buildings and its households, each with a telephone."""
    dialect, utility = installation.runtime.database.dialect, installation.utility
    async with installation.runtime.work() as work:
        facility = await a_facility(work, utility)
        for number in range(10):
            work.session.add(
                Building(
                    id=f"{number:032}",
                    utility_id=utility.id,
                    facility_id=facility.id,
                    code=f"{number}",
                )
            )
    numbers = (
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {households})"
    )
    building = {"sqlite": "printf('%032d', i % 10)", "postgresql": "lpad((i % 10)::text, 32, '0')"}
    await statements(
        installation,
        "INSERT INTO household (id, utility_id, facility_id, building_id, code, room, needs_care,"
        f" version) {numbers} SELECT {_ID[dialect]}, '{utility.id}', '{facility.id}',"
        f" {building[dialect]}, 'H' || i, '101', false, 1 FROM n",
        'INSERT INTO contact (id, utility_id, owner_type, owner_id, channel, sealed, "index")'
        f" SELECT {_ID[dialect]}, '{utility.id}', 'household', id, 'phone',"
        f" {_RANDOM[dialect]}, {_INDEX[dialect]}"
        " FROM (SELECT id, row_number() OVER () AS i FROM household) AS h",
    )
    await analyse(installation)
    return facility


def twin_of(table: Table, metadata: MetaData) -> Table:
    """Return an empty twin with the same columns, keys and indexes."""
    twin = table.to_metadata(metadata, name=f"bare_{table.name}")
    for index in twin.indexes:
        index.name = f"bare_{index.name}"
    for constraint in twin.constraints:
        constraint.name = None
    return twin


async def a_draft(installation: Installation, facility: Facility) -> Outage:
    command = CreateOutage(
        kind=OutageKind.planned,
        facility_id=facility.id,
        reason=OutageReason.construction,
        starts_at=NOW + timedelta(hours=48),
        ends_at=NOW + timedelta(hours=52),
    )
    async with installation.runtime.work(installation.manager) as work:
        return await create_outage(work, command)


async def measure(
    stage: Stage, dialect: str, sizes: Sequence[int] = SIZES, turns: int = TURNS
) -> list[Figure]:
    """Publish to each number of households and insert the same rows, in turns."""
    figures = []
    for households in sizes:
        async with stage.installation(dialect) as (installation, _):
            facility = await seed_estate(installation, households)
            metadata = MetaData()
            twins = [twin_of(table, metadata) for table in TABLES]
            async with installation.runtime.database.writer.begin() as connection:
                await connection.run_sync(metadata.create_all)
            rates = [await _turn(installation, facility, twins, households) for _ in range(turns)]
        name = f"publish to {households:,} households"
        figures.append(compare(name, dialect, rates, TARGET))
    return figures


async def _turn(
    installation: Installation, facility: Facility, twins: Sequence[Table], households: int
) -> tuple[float, float]:
    """Return rows a second of ours and of the bare insert."""
    outage = await a_draft(installation, facility)
    began = time.perf_counter()
    async with installation.runtime.work(installation.manager) as work:
        await publish_outage(work, outage.id)
    ours = time.perf_counter() - began
    await _set_aside(installation, outage)
    await analyse(installation)
    bare = await _bare(installation, twins)
    return 2 * households / ours, 2 * households / bare


async def _set_aside(installation: Installation, outage: Outage) -> None:
    """Copy the rows just written to tables without an index."""
    notice = f"(SELECT id FROM notice WHERE outage_id = '{outage.id}')"
    await statements(
        installation,
        *(f"DROP TABLE IF EXISTS rows_{table.name}" for table in TABLES),
        "CREATE TABLE rows_notice_recipient AS SELECT r.* FROM notice_recipient r JOIN household h"
        f" ON h.id = r.household_id WHERE notice_id = {notice} ORDER BY length(h.code), h.code",
        "CREATE TABLE rows_delivery AS SELECT d.* FROM delivery d JOIN notice_recipient r ON"
        " r.notice_id = source_id AND r.channel = d.channel AND r.address_index = d.address_index"
        " JOIN household h"
        f" ON h.id = r.household_id WHERE source_id = {notice} ORDER BY length(h.code), h.code",
    )


async def _bare(installation: Installation, twins: Sequence[Table]) -> float:
    database = installation.runtime.database
    began = time.perf_counter()
    async with database.writing(), database.writer.begin() as connection:
        for table, twin in zip(TABLES, twins, strict=True):
            rows = table.to_metadata(MetaData(), name=f"rows_{table.name}")
            names = [column.name for column in table.c]
            await connection.execute(insert(twin).from_select(names, select(*rows.c)))
    return time.perf_counter() - began


if __name__ == "__main__":
    run(measure)
