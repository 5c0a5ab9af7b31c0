"""The shared register's laboratory rows: every result outside its limit is found, none invented.

What is outside is worked out here from practice.md's table, apart from `water2.rules` on purpose.
"""

import csv
import io
import lzma
import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from sqlmodel import select

from tests.services.register_files import take
from water2.domain.facility import Facility, Tank
from water2.domain.water import Sample, SampleResult, SampleVerdict
from water2.services.importing.source import Source

FOLDER = Path(__file__).parents[1] / "data" / "lishui-register"
POINTS = {"进水": "inlet", "水箱出水": "outlet", "末梢水": "terminal"}
MOST = {"色度": "15", "浑浊度": "1", "pH": "8.5", "菌落总数": "100", "游离氯": "2"}
KEYS = {
    "色度": "colour",
    "浑浊度": "turbidity",
    "臭和味": "odour_taste",
    "肉眼可见物": "visible_matter",
    "pH": "ph",
    "总大肠菌群": "total_coliform",
    "菌落总数": "plate_count",
    "游离氯": "free_chlorine",
}
FINE_WORDS = {"无", "无异臭、异味", "未检出"}
NUMBER = re.compile(r"[<>]?\d+(\.\d+)?")

Found = tuple[str, str, str, str, str, str]
"""Report number, facility, tank, point, parameter, raw text."""


def packed(name: str) -> Source:
    return Source(f"{name}.csv", lzma.decompress((FOLDER / f"{name}.csv.xz").read_bytes()))


def plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def rows() -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, cells without white space, in half width)."""
    text = packed("水质检测").content.decode("gb18030")
    for line, cells in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        yield line, {name: plain(cell) for name, cell in cells.items()}


def is_outside(name: str, raw: str, point: str) -> bool:
    """Judge one cell by what is certain."""
    if raw in {"", "-"}:
        return False
    if name in {"臭和味", "肉眼可见物"}:
        return raw not in FINE_WORDS
    if name == "总大肠菌群":
        return raw.split("/", maxsplit=1)[0] not in {"未检出", "0", "<1"}
    raw = "0" if raw.startswith("未检出") else raw
    if not NUMBER.fullmatch(raw):
        raise AssertionError(name, raw)
    value = Decimal(raw.strip("<>"))
    least = {"pH": Decimal("6.5")}.get(name)
    if name == "游离氯" and point == "terminal":
        least = Decimal("0.05")
    over = not raw.startswith("<") and (value > Decimal(MOST[name]))
    under = least is not None and not raw.startswith(">") and value < least
    if raw.startswith(">"):
        over = value >= Decimal(MOST[name])
    if raw.startswith("<") and least is not None:
        under = value <= least
    return over or under


def cannot_be_true(row: dict[str, str]) -> bool:
    """Tell whether a row holds a number that is none, a negative one or a pH over 14."""
    numbers = {name: row[name] for name in MOST if not row[name].startswith("未检出")}
    filled = {name: raw for name, raw in numbers.items() if raw not in {"", "-"}}
    if not all(NUMBER.fullmatch(raw) for raw in filled.values()):
        return True
    return "pH" in filled and Decimal(filled["pH"].strip("<>")) > 14


def expected(refused: set[int]) -> set[Found]:
    return {
        (row["报告编号"], row["泵房编号"], row["水箱编号"], point, KEYS[name], row[name])
        for line, row in rows()
        if line not in refused
        for point in [POINTS[row["采样点"]]]
        for name in KEYS
        if is_outside(name, row[name], point)
    }


async def stored(installation) -> set[Found]:
    async with installation.runtime.read() as work:
        found = await work.session.exec(
            select(
                Sample.report_number,
                Facility.code,
                Tank.code,
                Sample.point,
                SampleResult.parameter,
                SampleResult.raw,
            )
            .join(SampleResult, SampleResult.sample_id == Sample.id)
            .join(Facility, Facility.id == Sample.facility_id)
            .outerjoin(Tank, Tank.id == Sample.tank_id)
            .where(SampleResult.verdict == "fail")
        )
        return {
            (report or "", facility, tank or "", point.value, parameter, plain(raw))
            for report, facility, tank, point, parameter, raw in found
        }


async def failed_samples(installation) -> tuple[set[str], set[str]]:
    """Return the ids of samples that failed, and of those with an item that did."""
    async with installation.runtime.read() as work:
        failed = await work.session.exec(
            select(Sample.id).where(Sample.verdict == SampleVerdict.failed)
        )
        of_items = await work.session.exec(
            select(SampleResult.sample_id).where(SampleResult.verdict == "fail")
        )
        return set(failed), set(of_items)


async def test_every_result_outside_its_limit_is_found_and_none_invented(lishui):
    report = await take(lishui, *(packed(name) for name in ("泵房台账", "水箱台账", "水质检测")))
    file = next(file for file in report.files if file.name.startswith("水质检测"))
    refused = {rejection.line for rejection in file.rejections}
    by_result = {r.line for r in file.rejections if r.reason.startswith("result_")}
    untrue = {line for line, row in rows() if cannot_be_true(row)}
    assert by_result <= untrue <= refused
    found = await stored(lishui)
    assert found == expected(refused)
    assert len(found) == 28
    failed, of_items = await failed_samples(lishui)
    assert failed == of_items
