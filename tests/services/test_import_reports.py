"""Results by file: thousands of rows with a few bad ones, increments, laboratories on register."""

import csv
import io
from datetime import date, timedelta

import openpyxl
import pytest
from sqlmodel import func, select

from tests.services.register_files import refused, take
from water2.domain.water import Sample, SampleResult
from water2.services.importing.source import Source
from water2.services.importing.take_back import take_back_import
from water2.services.laboratories import (
    RegisterAccreditation,
    RegisterLaboratory,
    register_accreditation,
    register_laboratory,
)

ITEMS = {"色度": "<5", "浑浊度": "0.30", "pH": "7.2", "总大肠菌群": "未检出", "菌落总数": "12"}
HEADER = ("报告编号", "泵房编号", "水箱编号", "采样点", "采样时间", "检测机构", "CMA编号", *ITEMS)
FIRST = date(2019, 1, 1)


def a_row(number: int, point: str = "末梢水", **changes: str) -> list[str]:
    day = FIRST + timedelta(days=number)
    values = {
        "报告编号": f"R{number}",
        "泵房编号": "BY-001",
        "采样点": point,
        "采样时间": f"{day} 09:30",
        "检测机构": "濯溪检测",
        "CMA编号": "2300",
    }
    values |= ITEMS | changes
    return [values.get(name, "") for name in HEADER]


def as_csv(rows, header=HEADER) -> Source:
    out = io.StringIO()
    csv.writer(out).writerows([header, *rows])
    return Source("水质检测.csv", out.getvalue().encode())


def as_xlsx(rows) -> Source:
    book = openpyxl.Workbook()
    for row in (HEADER, *rows):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return Source("水质检测.xlsx", out.getvalue())


BAD = {
    700: ("浑浊度", "-0.3", "result_impossible"),
    1300: ("pH", "71", "result_impossible"),
    1999: ("浑浊度", "0.5mg/L", "result_wrong_unit"),
}


def the_rows(count: int) -> list[list[str]]:
    return [a_row(n, **({BAD[n][0]: BAD[n][1]} if n in BAD else {})) for n in range(count)]


async def stored(runtime):
    async with runtime.read() as work:
        samples = (await work.session.exec(select(func.count()).select_from(Sample))).one()
        results = (await work.session.exec(select(func.count()).select_from(SampleResult))).one()
    return samples, results


async def test_a_file_of_ten_thousand_results_with_three_bad_rows_loses_three_rows(
    runtime, lishui, place
):
    rows = the_rows(2000)  # of five results each
    report = await take(lishui, as_csv(rows))
    lines = [(n + 2, column, reason) for n, (column, _, reason) in sorted(BAD.items())]
    assert refused(report) == {"水质检测": lines}
    assert (report.files[0].accepted, await stored(runtime)) == (1997, (1997, 9985))
    again = await take(lishui, as_csv(rows))
    assert (again.files[0].accepted, again.files[0].duplicate) == (0, 1997)


@pytest.mark.parametrize("shape", [as_csv, as_xlsx])
async def test_a_spreadsheet_loses_its_bad_rows_alike(runtime, lishui, place, shape):
    rows = [a_row(1), a_row(2, pH="71"), a_row(3, 菌落总数="12CFU/100mL"), a_row(4)]
    report = await take(lishui, shape(rows))
    assert refused(report) == {
        "水质检测": [(3, "pH", "result_impossible"), (4, "菌落总数", "result_wrong_unit")]
    }
    assert await stored(runtime) == (2, 10)


async def test_the_register_of_laboratories_speaks_for_files_as_well(runtime, lishui, place):
    async with runtime.work(lishui.manager) as work:
        laboratory = await register_laboratory(work, RegisterLaboratory(name="濯溪检测"))
        await work.session.flush()
        accreditation = RegisterAccreditation(
            number="2300", valid_from=FIRST, valid_to=FIRST + timedelta(days=9), items=["ph"]
        )
        await register_accreditation(work, laboratory.id, accreditation)
    await take(lishui, as_csv([a_row(9), a_row(10)]))
    async with runtime.read() as work:
        rows = await work.session.exec(select(Sample).order_by(Sample.sampled_on))
        covered, past = rows.all()
        flagged = await work.session.exec(
            select(SampleResult.parameter, SampleResult.flags).where(
                SampleResult.sample_id == covered.id
            )
        )
        assert {key for key, flags in flagged if not flags} == {"ph"}
    assert (covered.counts, "item_not_accredited" in covered.flags) == (True, True)
    assert (past.counts, past.flags[0]) == (False, "accreditation_expired")


def an_ammonia_row(point: str, raw: str, day: int = 2400) -> list[str]:
    return [*a_row(day, point, 水箱编号="1#" if point == "水箱出水" else ""), raw]


def an_ammonia_file(*rows: list[str]) -> Source:
    return as_csv(rows, (*HEADER, "氨氮"))


INLET = an_ammonia_row("进水", "0.10")


@pytest.mark.parametrize("files", [("both",), ("inlet", "outlet"), ("outlet", "inlet")])
@pytest.mark.parametrize(("raw", "verdict"), [("0.20", "pass"), ("0.21", "fail")])
async def test_increments_of_files_are_judged_in_whichever_order_they_come(
    runtime, lishui, place, files, raw, verdict
):
    outlet = an_ammonia_row("水箱出水", raw)
    content = {"both": [outlet, INLET], "inlet": [INLET], "outlet": [outlet]}
    for name in files:
        await take(lishui, an_ammonia_file(*content[name]))
    async with runtime.read() as work:
        sample = (await work.session.exec(select(Sample).where(Sample.point == "outlet"))).one()
        rows = await work.session.exec(
            select(SampleResult).where(SampleResult.sample_id == sample.id)
        )
        items = {row.parameter: row for row in rows}
    assert (sample.verdict, items["ammonia_n_increment"].verdict) == (verdict, verdict)
    again = await take(lishui, an_ammonia_file(outlet, INLET))
    assert (again.files[0].accepted, again.files[0].duplicate) == (0, 2)


async def test_an_import_with_increments_can_be_taken_back(runtime, lishui, place):
    outlet = an_ammonia_row("水箱出水", "0.30")
    await take(lishui, an_ammonia_file(outlet))
    report = await take(lishui, an_ammonia_file(INLET))
    async with runtime.work(lishui.manager) as work:
        await take_back_import(work, report.files[0].import_id)
    async with runtime.read() as work:
        sample = (await work.session.exec(select(Sample))).one()
        rows = await work.session.exec(select(SampleResult.parameter))
        assert "ammonia_n_increment" not in set(rows)
    assert sample.verdict == "pass"
