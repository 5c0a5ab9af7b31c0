"""New York's self-reported tank inspections: another place, another file, the same import."""

import csv
import io
from datetime import date

import pytest
from sqlmodel import col, select

from tests.builders import install
from tests.services.register_files import as_utf8, refused, take, text_of
from water2.domain.cleaning import Inspection
from water2.domain.duty import Duty
from water2.domain.facility import Facility, Tank
from water2.domain.water import Sample, SampleVerdict
from water2.rules.book import load_book
from water2.rules.cadence import missed_periods

BLANK: dict[str, str] = dict.fromkeys(text_of("nyc").splitlines()[0].split(","), "")
REPORT = BLANK | {
    "BIN": "1000001",
    "BOROUGH": "Manhattan",
    "HOUSE_NUM": "1",
    "STREET_NAME": "Main Street",
    "CONFIRMATION_NUM": "WTI1",
    "REPORTING_YEAR": "2019",
    "TANK_NUM": "1",
    "INSPECTION_PERFORMED": "Y",
    "INSPECTION_DATE": "05/06/2019",
    "COLIFORM": "A",
    "ECOLI": "A",
}


def reports(*rows: dict[str, str], header=lambda name: name):
    """A file of reports, each given by what it has beside the usual."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([header(name) for name in BLANK])
    for row in rows:
        writer.writerow((REPORT | row).values())
    return as_utf8("nyc", out.getvalue())


@pytest.fixture
async def new_york(runtime):
    return await install(runtime, place="us-nyc", code="NYC")


async def all_of(installation, statement):
    async with installation.runtime.read() as work:
        return list((await work.session.exec(statement)).all())


async def missed(installation) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return building and tank → the years without an inspection."""
    today = date(2026, 11, 23)
    rows = await all_of(
        installation,
        select(Facility.code, Tank.code, Duty)
        .join(Tank, col(Tank.facility_id) == Facility.id)
        .join(Duty, col(Duty.subject_id) == Tank.id)
        .where(col(Duty.satisfied_on).is_(None)),
    )
    period = load_book("us-nyc").obligation("inspection", today).period
    return {
        (facility, tank): missed_periods(period, d.runs_from, None, today, d.covered_periods)
        for facility, tank, d in rows
    }


async def test_real_rows_give_buildings_tanks_and_years_missed(new_york):
    report = await take(new_york, as_utf8("nyc"))
    assert (report.accepted, report.duplicate, report.rejected) == (12, 0, 0)
    years = await missed(new_york)
    assert years["1034227", "1"] == tuple(str(y) for y in range(2017, 2026))
    assert years["1034227", "2"] == tuple(str(y) for y in range(2017, 2026))
    assert years["1078419", "1"][0] == "2016"
    assert years["1031135", "1"][0] == "2015"  # reported as not performed
    tank = (await all_of(new_york, select(Tank).where(Tank.in_use_on == date(2016, 1, 1))))[0]
    assert tank.code == "2"


async def test_bacteria_found_fail_whatever_the_report_says(new_york):
    await take(new_york, as_utf8("nyc"))
    samples = {s.report_number: s.verdict for s in await all_of(new_york, select(Sample))}
    assert samples["WTI1249652878"] is SampleVerdict.failed  # E. coli alone
    assert samples["WTI0694035597"] is SampleVerdict.passed
    assert "WTI5463421010" not in samples  # nothing was sampled


async def test_the_same_years_twice_change_nothing(new_york):
    await take(new_york, as_utf8("nyc"))
    again = await take(new_york, as_utf8("nyc"))
    assert (again.accepted, again.duplicate) == (0, 12)


async def test_years_in_any_order_give_the_same_duties(runtime, new_york):
    header, *lines = text_of("nyc").splitlines()
    years = [
        as_utf8("nyc", "\n".join([header, *(x for x in lines if f",{year}," in x)]))
        for year in (2015, 2016)
    ]
    other = await install(runtime, place="us-nyc", code="NY2")
    await take(new_york, *years)
    for source in reversed(years):
        await take(other, source)
    chains = []
    for installation in (new_york, other):
        duties = await all_of(
            installation, select(Duty).where(Duty.utility_id == installation.utility.id)
        )
        chains.append(
            sorted(
                (d.ordinal, d.due_on, str(d.satisfied_on), d.runs_from, d.covered_periods)
                for d in duties
            )
        )
    assert chains[0] == chains[1]


async def test_later_years_write_things_otherwise(new_york):
    report = await take(
        new_york,
        reports(
            {"INSPECTION_PERFORMED": "y", "COLIFORM": "a", "ECOLI": "p"},
            {"TANK_NUM": "02", "INSPECTION_DATE": "2019-05-06T00:00:00.000"},
            {"TANK_NUM": "3.0", "INSPECTION_DATE": "12/20/2018"},
            {"TANK_NUM": "4", "INSPECTION_DATE": ""},
            {"TANK_NUM": "5", "REPORTING_YEAR": "2020", "INSPECTION_DATE": "01/10/2021"},
            {"TANK_NUM": "6", "INSPECTION_DATE": "5/6/19", "INSPECTION_PERFORMED": ""},
            {"TANK_NUM": "7", "INSPECTION_DATE": "05/06/1919", "COLIFORM": "Absent"},
            header=str.lower,
        ),
    )
    assert report.rejected == 0
    years = await missed(new_york)
    assert [years["1000001", str(tank)][0] for tank in range(1, 8)] == [
        "2020",
        "2020",
        "2019",  # counts in the year it was done, and was seen first in 2018
        "2019",  # performed, but nobody knows when
        "2020",
        "2020",  # the day says that it was performed
        "2019",  # a slip of the pen: the tank is not a hundred years old
    ]
    flags = {i.code: i.flags for i in await all_of(new_york, select(Inspection))}
    assert flags["WTI1/3"] == ["inspected_in_another_year"]
    assert flags["WTI1/4"] == ["inspection_undated"]


async def test_rows_that_cannot_be_true_are_refused(new_york):
    report = await take(
        new_york,
        reports(
            {"TANK_NUM": ""},
            {"CONFIRMATION_NUM": ""},
            {"BIN": ""},
            {"INSPECTION_DATE": "13/40/2019"},
            {"INSPECTION_DATE": "05/06/2107"},
            {"REPORTING_YEAR": "2027"},
            {"COLIFORM": "X"},
            {"REPORTING_YEAR": "", "INSPECTION_DATE": ""},
            {},
            {"HOUSE_NUM": "2"},
        ),
    )
    assert [(line, column, reason) for line, column, reason in refused(report)["nyc"]] == [
        (2, "TANK_NUM", "empty"),
        (3, "CONFIRMATION_NUM", "empty"),
        (4, "BIN", "empty"),
        (5, "INSPECTION_DATE", "date_unreadable"),
        (6, "INSPECTION_DATE", "in_future"),
        (7, "REPORTING_YEAR", "in_future"),
        (8, "COLIFORM", "result_unreadable"),
        (9, "REPORTING_YEAR", "empty"),
        (11, "TANK_NUM", "identity_repeated"),
    ]
    assert report.accepted == 1
