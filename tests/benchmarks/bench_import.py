"""Importing 40,000 households against a bare loop that reads the same file and inserts the rows.

Run: `.venv/bin/python -m tests.benchmarks.bench_import`. Both begin with the file's bytes and end
with the commit, and both seal names and telephones. The bare loop folds, checks and compares
nothing, and leaves no entry. The target is 5,000 rows a second on SQLite.
"""

import csv
import io
import time

from sqlalchemy import insert, select

from tests.benchmarks.stage import Figure, Stage, compare, run
from tests.builders import Installation
from water2.domain.access import SYSTEM
from water2.domain.facility import Building
from water2.domain.household import Household
from water2.domain.ids import new_id
from water2.domain.organisation import Contact
from water2.services.importing.import_files import ImportFiles, import_files
from water2.services.importing.shelf import table_of
from water2.services.importing.source import Source

HOUSEHOLDS, BUILDINGS, FACILITIES = 40_000, 800, 160
TURNS = 3
TARGET_ROWS = 5_000  # a second


def _file(name: str, header: str, rows: list[str]) -> Source:
    return Source(f"{name}.csv", "\n".join([header, *rows, ""]).encode("utf-8-sig"))


def _facility(number: int) -> str:
    return f"BY-{number % FACILITIES:03}"


def facilities() -> Source:
    """As many pump rooms as the households need."""
    usual = (
        "听松苑,松涛路1号,水箱+变频,高层住宅,2023-09-03,2023-10-22,2023-11-18,柳一,19905780001,33"
    )
    return _file(
        "泵房台账",
        "泵房编号,小区名称,地址,供水方式,供水对象,竣工验收日期,移交日期,投用日期,管理员,联系电话,独立电表号",
        [f"{_facility(number)},{usual}" for number in range(FACILITIES)],
    )


def buildings() -> Source:
    """Five buildings a pump room."""
    return _file(
        "楼栋",
        "泵房编号,楼栋号,单元数,层数,供水分区",
        [f"{_facility(n)},{n // FACILITIES + 1}幢,2,18,低区、高区" for n in range(BUILDINGS)],
    )


def households(count: int) -> Source:
    """Households with a name and, but for one in thirty, a telephone."""
    rows = [
        f"{3000000001 + n},{_facility(n)},{n // FACILITIES % 5 + 1}幢,1,{n % 1800 + 101},柳{n},"
        f"{'' if n % 30 == 0 else 19905780000 + n},,{'是' if n % 90 == 0 else ''}"
        for n in range(count)
    ]
    return _file("用户", "户号,泵房编号,楼栋号,单元,房号,户主姓名,手机号,邮箱,特殊困难", rows)


async def measure(
    stage: Stage, dialect: str, turns: int = TURNS, count: int = HOUSEHOLDS
) -> list[Figure]:
    """Import and insert in turns, each into a database of its own."""
    source = households(count)
    taken = []
    for _ in range(turns):
        async with (
            stage.installation(dialect) as (ours, _),
            stage.installation(dialect) as (bare, _),
        ):
            for installation in (ours, bare):
                await _import(installation, facilities(), buildings())
            seconds = await _seconds_of_import(ours, source, count)
            taken.append((count / seconds, count / await _seconds_of_loop(bare, source)))
    plain = sorted(rate for _, rate in taken)[len(taken) // 2]
    return [compare(f"import of {count:,} households", dialect, taken, TARGET_ROWS / plain)]


async def _import(installation: Installation, *sources: Source) -> int:
    command = ImportFiles(installation.utility.id, sources)
    return (await import_files(installation.runtime, SYSTEM, command)).accepted


async def _seconds_of_import(installation: Installation, source: Source, count: int) -> float:
    began = time.perf_counter()
    assert await _import(installation, source) == count
    return time.perf_counter() - began


async def _seconds_of_loop(installation: Installation, source: Source) -> float:
    began = time.perf_counter()
    async with installation.runtime.work(SYSTEM) as work:
        box, utility_id = work.contacts, installation.utility.id
        found = await work.session.execute(select(table_of(Building)))
        by_place = {(row.facility_id, row.code): row for row in found}
        codes = {row["泵房编号"]: None for row in _rows(source)}
        facility_ids = dict(zip(codes, dict.fromkeys(key for key, _ in by_place), strict=True))
        people, contacts = [], []
        for row in _rows(source):
            building = by_place[facility_ids[row["泵房编号"]], row["楼栋号"]]
            person = {
                "id": new_id(),
                "utility_id": utility_id,
                "facility_id": building.facility_id,
                "building_id": building.id,
                "code": row["户号"],
                "unit": row["单元"],
                "room": row["房号"],
                "holder_sealed": box.seal(row["户主姓名"]),
                "needs_care": row["特殊困难"] == "是",
                "version": 1,
            }
            people.append(person)
            if phone := row["手机号"]:
                sealed = {"sealed": box.seal(phone), "index": box.index(phone)}
                owner = {"owner_type": "household", "owner_id": person["id"], "channel": "phone"}
                contacts.append({"id": new_id(), "utility_id": utility_id, **owner, **sealed})
        await work.session.execute(insert(table_of(Household)), people)
        await work.session.execute(insert(table_of(Contact)), contacts)
    return time.perf_counter() - began


def _rows(source: Source) -> "csv.DictReader[str]":
    return csv.DictReader(io.StringIO(source.content.decode("utf-8-sig")))


if __name__ == "__main__":
    run(measure)
