"""A parameter at a point over time: results in order, the limits that held, what happened."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.builders import a_facility, a_tank
from water2.domain.anomaly import Anomaly, AnomalySource, AnomalyState
from water2.domain.cleaning import Cleaning
from water2.domain.errors import Invalid, NotFound
from water2.domain.outage import Outage, OutageKind, OutageReason, OutageState
from water2.domain.water import Point, Purpose, Sample, SampleResult, SampleVerdict
from water2.rules.parameters import Point as PointKey
from water2.services.anomalies.opening import Cause, open_anomaly
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample
from water2.services.trends import lines, readings
from water2.services.trends.readings import Bucket, Line, bucket_seconds
from water2.services.trends.series import read_series
from water2.services.trends.spans import AskSpan

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 09:00 in Lishui
TURBIDITY = AskSpan("turbidity", Point.terminal)


async def sampled(lishui, facility, at: datetime, raw: str = "0.3", **changes):
    given = {
        "facility_id": facility.id,
        "point": "terminal",
        "purpose": "routine",
        "sampled_at": at,
        "results": [GivenResult(parameter="turbidity", raw=raw)],
        "late_reason": "补录" if at < NOW - timedelta(days=1) else None,
    }
    async with lishui.runtime.work(lishui.crew) as work:
        return await record_sample(work, RecordSample.model_validate(given | changes))


async def series(lishui, facility, asked: AskSpan = TURBIDITY, actor=None, **paging):
    async with lishui.runtime.read(actor or lishui.manager) as work:
        return await read_series(work, facility.id, asked, **{"limit": 500, **paging})


async def test_results_come_in_the_order_of_time_as_they_were_written(lishui, place):
    facility, _ = place
    late = await sampled(lishui, facility, NOW - timedelta(hours=1), "＜0.1")
    early = await sampled(lishui, facility, NOW - timedelta(days=40), "1.05")
    same_day = await sampled(lishui, facility, NOW - timedelta(hours=3), "0.50")
    found = await series(lishui, facility)
    assert [(p.id, p.raw, p.value, p.censored, p.verdict) for p in found.points.items] == [
        (early.id, "1.05", "1.05", None, "fail"),
        (same_day.id, "0.50", "0.50", None, "pass"),
        (late.id, "＜0.1", "0.1", "<", "pass"),
    ]
    assert {(p.purpose, p.limit) for p in found.points.items} == {(Purpose.routine, "≤ 1")}


async def test_only_what_was_asked_for_is_shown(lishui, place):
    facility, tank = place
    wanted = await sampled(lishui, facility, NOW - timedelta(hours=1), tank_id=tank.id)
    await sampled(lishui, facility, NOW - timedelta(hours=1), point="outlet")
    ph = [GivenResult(parameter="ph", raw="7")]
    await sampled(lishui, facility, NOW - timedelta(hours=1), results=ph)
    await sampled(lishui, facility, NOW - timedelta(days=366))
    elsewhere = await sampled(lishui, facility, NOW - timedelta(hours=2))
    found = await series(lishui, facility)
    assert [point.id for point in found.points.items] == [elsewhere.id, wanted.id]
    of_tank = AskSpan("turbidity", Point.terminal, tank_id=tank.id)
    assert [p.id for p in (await series(lishui, facility, of_tank)).points.items] == [wanted.id]


async def test_the_days_of_a_span_are_those_of_the_utilitys_zone_both_included(lishui, place):
    facility, _ = place
    midnight = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)  # the 20th begins in Lishui
    inside = await sampled(lishui, facility, midnight)
    await sampled(lishui, facility, midnight - timedelta(minutes=1))
    asked = AskSpan("turbidity", Point.terminal, date(2026, 11, 20), date(2026, 11, 20))
    found = await series(lishui, facility, asked)
    assert [point.id for point in found.points.items] == [inside.id]
    assert (found.span.begins_at, found.span.ends_at) == (midnight, midnight + timedelta(days=1))


async def test_a_series_is_walked_page_by_page_without_gap_or_double(lishui, place):
    facility, _ = place
    async with lishui.runtime.work() as work:
        for number in range(7):
            on = date(2026, 11, 1 + number // 3)
            sample = Sample(
                utility_id=lishui.utility.id,
                facility_id=facility.id,
                point=Point.terminal,
                purpose=Purpose.routine,
                sampled_on=on,
                # of some only the day is known: they come first on it
                sampled_at=None if number % 3 == 0 else datetime(2026, 11, on.day, 2, tzinfo=UTC),
                verdict=SampleVerdict.passed,
                recorded_at=NOW,
            )
            work.session.add(sample)
            await work.session.flush()
            given = {"raw": "0.2", "value": "0.2", "verdict": "pass"}
            work.session.add(SampleResult(sample_id=sample.id, parameter="turbidity", **given))
    whole = [point.id for point in (await series(lishui, facility)).points.items]
    walked, cursor = [], None
    while True:
        page = (await series(lishui, facility, limit=2, cursor=cursor)).points
        assert len(page.items) <= 2
        walked += [(point.sampled_on, point.sampled_at, point.id) for point in page.items]
        if (cursor := page.next) is None:
            break
    assert [id_ for *_, id_ in walked] == whole
    assert len(set(whole)) == 7
    assert [at is None for _, at, _ in walked] == [n % 3 == 0 for n in range(7)]


async def test_a_span_tells_the_limits_that_held(lishui, place):
    facility, _ = place
    asked = AskSpan("余氯", Point.terminal, date(2023, 1, 1), date(2024, 1, 1))
    found = await series(lishui, facility, asked)
    (step,) = found.limits
    assert (step.first, step.last) == (date(2023, 4, 1), date(2024, 1, 1))
    assert found.span.parameter.key == "free_chlorine"
    key: PointKey = "terminal"
    assert (step.limit.shown_at(key), step.limit.verified) == ("0.05–2", False)


async def test_what_happened_is_told_beside_it(lishui, place):
    facility, tank = place
    async with lishui.runtime.work() as work:
        work.session.add(
            Cleaning(
                utility_id=lishui.utility.id,
                facility_id=facility.id,
                tank_id=tank.id,
                subject_id=tank.id,
                code="QX1",
                cleaned_on=date(2026, 11, 3),
                record={},
                credited_on=date(2026, 11, 4),
                returned_to_service_at=NOW - timedelta(days=19),
                recorded_at=NOW,
            )
        )
        for number, state in enumerate(OutageState):
            begins = NOW - timedelta(days=10 + number)
            ran = state in (OutageState.in_effect, OutageState.restored)
            work.session.add(
                Outage(
                    utility_id=lishui.utility.id,
                    facility_id=facility.id,
                    number=f"T-{state.value}",
                    kind=OutageKind.planned,
                    state=state,
                    reason=OutageReason.tank_cleaning,
                    starts_at=begins,
                    ends_at=begins + timedelta(hours=4),
                    started_at=begins + timedelta(hours=1) if ran else None,
                    restored_at=begins + timedelta(hours=5) if state == "restored" else None,
                    created_at=begins,
                )
            )
        cause = Cause(AnomalySource.result, NOW - timedelta(days=2), "turbidity", Point.terminal)
        anomaly = await open_anomaly(work, lishui.utility, facility, [cause])
        anomaly.state, anomaly.resumed_at = AnomalyState.resumed, NOW + timedelta(hours=5)
    found = (await series(lishui, facility)).events
    told = {(e.kind.value, e.number, e.begins_at, e.ends_at, e.state) for e in found}
    assert told == {
        ("cleaning", "QX1", datetime(2026, 11, 2, 16, tzinfo=UTC), None, "credited"),
        ("returned_to_service", "QX1", *[NOW - timedelta(days=19)] * 2, None),
        (
            "outage",
            "T-published",
            NOW - timedelta(days=11),
            NOW - timedelta(days=11, hours=-4),
            "published",
        ),
        ("outage", "T-in_effect", NOW - timedelta(days=12, hours=-1), None, "in_effect"),
        (
            "outage",
            "T-restored",
            NOW - timedelta(days=13, hours=-1),
            NOW - timedelta(days=13, hours=-5),
            "restored",
        ),
        ("anomaly", anomaly.number, NOW, None, "resumed"),
        ("supply_resumed", anomaly.number, *[NOW + timedelta(hours=5)] * 2, None),
    }
    assert [e.begins_at for e in found] == sorted(e.begins_at for e in found)
    assert {tuple(e.parameters) for e in found if e.kind == "anomaly"} == {("turbidity",)}


async def test_what_was_over_before_or_began_after_is_left_out(lishui, place):
    facility, _ = place
    async with lishui.runtime.work() as work:
        for number, (found, closed, state) in enumerate(
            [
                (40, 35, AnomalyState.closed),  # over before
                (40, 25, AnomalyState.closed),  # over within
                (40, None, AnomalyState.open),  # not over
                (40, None, AnomalyState.historical),  # an instant before
                (25, None, AnomalyState.historical),
                (5, None, AnomalyState.open),  # began after
            ]
        ):
            work.session.add(
                Anomaly(
                    utility_id=lishui.utility.id,
                    facility_id=facility.id,
                    number=f"YC{number}",
                    state=state,
                    source=AnomalySource.person,
                    found_at=NOW - timedelta(days=found),
                    opened_at=NOW - timedelta(days=found),
                    closed_at=NOW - timedelta(days=closed) if closed else None,
                )
            )
    asked = AskSpan("turbidity", Point.terminal, date(2026, 10, 24), date(2026, 11, 10))
    events = (await series(lishui, facility, asked)).events
    assert [event.number for event in events] == ["YC1", "YC2", "YC4"]


async def test_a_series_of_a_tank_tells_of_that_tank_and_the_facility(lishui, place):
    facility, tank = place
    async with lishui.runtime.work() as work:
        other = await a_tank(work, lishui.utility, facility, "2#")
        for each in (tank, other):
            work.session.add(
                Cleaning(
                    utility_id=lishui.utility.id,
                    facility_id=facility.id,
                    tank_id=each.id,
                    subject_id=each.id,
                    code=each.code,
                    cleaned_on=date(2026, 11, 3),
                    record={},
                    recorded_at=NOW,
                )
            )
    asked = AskSpan("turbidity", Point.outlet, tank_id=tank.id)
    assert [e.number for e in (await series(lishui, facility, asked)).events] == ["1#"]
    assert len((await series(lishui, facility, AskSpan("ph", Point.outlet))).events) == 2


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        (AskSpan("radon", Point.outlet), "parameter", "unknown_parameter"),
        (
            AskSpan("ph", Point.outlet, date(2026, 2, 2), date(2026, 2, 1)),
            "to",
            "range_reversed",
        ),
        (
            AskSpan("ph", Point.outlet, date(2021, 1, 1), date(2026, 1, 1)),
            "from",
            "span_too_long",
        ),
    ],
)
async def test_what_cannot_be_shown_is_said(lishui, place, asked, field, code):
    facility, _ = place
    with pytest.raises(Invalid) as caught:
        await series(lishui, facility, asked)
    assert [(p.field, p.code) for p in caught.value.problems] == [(field, code)]


async def test_five_years_to_the_day_are_not_too_long(lishui, place):
    facility, _ = place
    asked = AskSpan("ph", Point.outlet, date(2021, 1, 1), date(2025, 12, 31))
    assert (await series(lishui, facility, asked)).points.items == []


async def test_another_facilitys_tank_is_refused(lishui, place):
    _, tank = place
    async with lishui.runtime.work() as work:
        other = await a_facility(work, lishui.utility, "BY-002")
    with pytest.raises(Invalid):
        await series(lishui, other, AskSpan("ph", Point.outlet, tank_id=tank.id))


async def test_inspectors_read_series_and_outsiders_find_nothing(lishui, place):
    facility, _ = place
    assert (await series(lishui, facility, actor=lishui.inspector)).span.facility.id == facility.id
    with pytest.raises(NotFound):
        await series(lishui, facility, actor=lishui.outsider)


async def test_lines_of_readings_join_the_series(lishui, place, monkeypatch):
    facility, _ = place
    bucket = Bucket(NOW, 60, 0, "0.1", "0.3", "0.2")

    async def source(_work, span):
        return [Line("i1", "NTU-1", None, bucket_seconds(span), [bucket])]

    monkeypatch.setattr(lines, "SOURCES", (source,))
    (line,) = (await series(lishui, facility)).lines
    assert line.buckets == [bucket]
    days = 366  # both ends of the usual twelve months
    assert days * 86_400 / line.bucket_seconds <= readings.MOST_BUCKETS
