"""Readings of instruments beside the samples: thinned out, and nothing of them lost."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from tests.builders import a_tank
from tests.services.test_series import TURBIDITY, series
from water2.domain.instrument import Instrument, Reading, ReadingVerdict
from water2.domain.water import Point
from water2.services.rows import insert_rows
from water2.services.trends.readings import MOST_BUCKETS
from water2.services.trends.spans import AskSpan

FIRST = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)  # the 20th begins in Lishui
A_DAY = AskSpan("turbidity", Point.terminal, date(2026, 11, 20), date(2026, 11, 20))


async def a_meter(lishui, facility, code: str = "NTU-1", **changes) -> Instrument:
    given = {"parameter": "turbidity", "point": Point.terminal, "interval_seconds": 60}
    given |= {"installed_on": date(2026, 1, 1), "utility_id": lishui.utility.id}
    async with lishui.runtime.work() as work:
        meter = Instrument(facility_id=facility.id, code=code, **(given | changes))
        work.session.add(meter)
    return meter


async def read(lishui, meter, *shown: tuple[datetime, str | None], verdict="pass"):
    rows = [
        {
            "instrument_id": meter.id,
            "taken_at": at,
            "raw": value or "--",
            "value": value,
            "verdict": ReadingVerdict(verdict),
            "flags": [],
            "batch_id": "b",
            "received_at": at,
        }
        for at, value in shown
    ]
    async with lishui.runtime.work() as work:
        await insert_rows(work, Reading, rows)


def told(line):
    return [(b.begins_at, b.count, b.failed, b.least, b.greatest, b.last) for b in line.buckets]


async def test_a_stretch_tells_its_least_greatest_and_last(lishui, place):
    facility, _ = place
    meter = await a_meter(lishui, facility)
    seconds = timedelta(seconds=1)
    await read(lishui, meter, (FIRST, "0.25"), (FIRST + 119.7 * seconds, "0.1"))
    await read(lishui, meter, (FIRST + 60 * seconds, "10.5"), verdict="fail")
    await read(lishui, meter, (FIRST + 120 * seconds, "9"), (FIRST + 86_399 * seconds, None))
    (line,) = (await series(lishui, facility, A_DAY)).lines
    assert (line.code, line.bucket_seconds) == ("NTU-1", 120)
    assert told(line) == [
        (FIRST, 3, 1, "0.1", "10.5", "0.1"),
        (FIRST + 120 * seconds, 1, 0, "9", "9", "9"),
        (FIRST + 86_280 * seconds, 1, 0, None, None, None),
    ]


async def test_only_what_was_asked_for_is_drawn(lishui, place):
    facility, tank = place
    async with lishui.runtime.work() as work:
        other = await a_tank(work, lishui.utility, facility, "2#")
    wanted = await a_meter(lishui, facility, "B", tank_id=tank.id)
    beside = await a_meter(lishui, facility, "A", tank_id=other.id)
    others = [
        await a_meter(lishui, facility, "C", parameter="ph"),
        await a_meter(lishui, facility, "D", point=Point.outlet),
    ]
    for meter in (wanted, beside, *others):
        await read(lishui, meter, (FIRST, "0.2"))
    early = (FIRST - timedelta(seconds=1), "5")
    await read(lishui, wanted, early, (FIRST + timedelta(days=1), "5"))
    silent = await a_meter(lishui, facility, "E")
    lines = (await series(lishui, facility, A_DAY)).lines
    assert [line.instrument_id for line in lines] == [beside.id, wanted.id]
    assert silent.id not in {line.instrument_id for line in lines}
    assert [len(line.buckets) for line in lines] == [1, 1]
    of_tank = AskSpan(A_DAY.parameter, A_DAY.point, A_DAY.first, A_DAY.last, tank.id)
    assert [line.code for line in (await series(lishui, facility, of_tank)).lines] == ["B"]


async def test_thinning_out_is_what_grouping_one_by_one_gives(lishui, place):
    facility, _ = place
    meter = await a_meter(lishui, facility)
    chance = Random(7)
    begins = datetime(2025, 11, 22, 16, 0, tzinfo=UTC)
    shown = {
        begins + timedelta(milliseconds=chance.randrange(366 * 86_400_000)): str(
            Decimal(chance.randrange(100_000)) / 10_000
        )
        for _ in range(3000)
    }
    await read(lishui, meter, *shown.items())
    (line,) = (await series(lishui, facility, TURBIDITY)).lines
    assert len(line.buckets) <= MOST_BUCKETS
    groups: dict[int, list[tuple[datetime, str]]] = {}
    for at, value in sorted(shown.items()):
        groups.setdefault(int((at - begins).total_seconds()) // line.bucket_seconds, []).append(
            (at, value)
        )
    assert sum(bucket.count for bucket in line.buckets) == len(shown)
    for bucket, (number, group) in zip(line.buckets, sorted(groups.items()), strict=True):
        values = [Decimal(value) for _, value in group]
        assert bucket.begins_at == begins + timedelta(seconds=number * line.bucket_seconds)
        assert (Decimal(bucket.least), Decimal(bucket.greatest)) == (min(values), max(values))
        assert bucket.last == group[-1][1]
