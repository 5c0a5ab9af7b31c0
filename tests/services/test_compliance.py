"""The monthly figures: what counts, in which month, and that nothing is lost or counted twice."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlmodel import select

from tests.builders import a_facility, install
from water2.domain.anomaly import Anomaly, AnomalySource, AnomalyState
from water2.domain.duty import Duty, SubjectType
from water2.domain.errors import Invalid, NotFound
from water2.domain.ids import new_id
from water2.domain.water import Point, Purpose, Sample, SampleResult, SampleVerdict
from water2.rules.compliance import Rate
from water2.services.rows import insert_rows
from water2.services.trends.compliance import AskFigures, read_figures
from water2.services.trends.figures import DutyFigures, MonthFigures, SampleFigures

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
PARAMETERS = ("turbidity", "ph", "free_chlorine", "nitrite_n")


def a_sample(facility, on: date, verdict=SampleVerdict.passed, **changes):
    return {
        "id": new_id(),
        "utility_id": facility.utility_id,
        "facility_id": facility.id,
        "point": Point.terminal,
        "purpose": Purpose.routine,
        "sampled_on": on,
        "verdict": verdict,
        "counts": True,
        "recorded_at": NOW,
        "flags": [],
    } | changes


def an_item(sample, parameter="turbidity", verdict="pass"):
    own = {"id": new_id(), "sample_id": sample["id"], "raw": "0.3"}
    return own | {"parameter": parameter, "verdict": verdict}


async def stored(lishui, samples, items=()):
    async with lishui.runtime.work() as work:
        await insert_rows(work, Sample, samples)
        await insert_rows(work, SampleResult, items)


async def figures(lishui, first=date(2026, 9, 1), last=date(2026, 11, 1), actor=None, **narrowed):
    async with lishui.runtime.read(actor or lishui.manager) as work:
        found = await read_figures(work, AskFigures(first, last, **narrowed))
        return {one.month: one for one in found}


@pytest.fixture
async def facility(lishui):
    async with lishui.runtime.work() as work:
        return await a_facility(work, lishui.utility)


async def test_every_month_asked_for_is_there(lishui, facility):
    found = await figures(lishui, date(2025, 12, 31), date(2026, 2, 1))
    assert list(found) == ["2025-12", "2026-01", "2026-02"]
    assert found["2026-01"] == MonthFigures("2026-01")
    assert found["2026-01"].rate.percent is None


async def test_a_sample_counts_in_the_month_it_was_taken(lishui, facility):
    days = (date(2026, 8, 31), date(2026, 9, 1), date(2026, 9, 30), date(2026, 11, 30))
    await stored(lishui, [a_sample(facility, day) for day in (*days, date(2026, 12, 1))])
    taken = {month: one.samples.taken for month, one in (await figures(lishui)).items()}
    assert taken == {"2026-09": 2, "2026-10": 0, "2026-11": 1}


async def test_what_is_pending_is_neither_passed_nor_failed(lishui, facility):
    day = date(2026, 11, 2)
    samples = [a_sample(facility, day, verdict) for verdict in SampleVerdict]
    items = [an_item(samples[0], verdict=each) for each in ("pass", "fail", "pending")]
    items.append(an_item(samples[0], "nitrite_n", "not_judged"))
    await stored(lishui, samples, items)
    month = (await figures(lishui))["2026-11"]
    assert month.samples == SampleFigures(taken=3, passed=1, failed=1, pending=1)
    assert month.samples.judged == 2
    assert month.items == {"turbidity": Rate(1, 2)}


async def test_retests_and_what_does_not_count_are_told_apart(lishui, facility):
    day, failed = date(2026, 11, 2), SampleVerdict.failed
    retest = a_sample(facility, day, failed, purpose=Purpose.retest)
    unaccredited = a_sample(facility, day, failed, counts=False)
    again = a_sample(facility, day, purpose=Purpose.retest, counts=False)
    fine = [a_sample(facility, day, purpose=Purpose(p)) for p in ("after_cleaning", "extended")]
    samples = [retest, unaccredited, again, *fine]
    await stored(lishui, samples, [an_item(sample, verdict="fail") for sample in samples])
    month = (await figures(lishui))["2026-11"]
    assert month.retests == SampleFigures(taken=1, failed=1)
    assert month.not_counting == 2
    assert month.samples == SampleFigures(taken=2, passed=2)
    assert month.rate == Rate(0, 2)


async def test_a_test_is_in_time_up_to_its_day(lishui, facility):
    due = date(2026, 10, 31)
    satisfied = (due - timedelta(days=40), due, due + timedelta(days=1), None)
    async with lishui.runtime.work() as work:
        for number, on in enumerate(satisfied):
            other = await a_facility(work, lishui.utility, f"T-{number}")
            for duty in await work.session.exec(select(Duty).where(Duty.facility_id == other.id)):
                await work.session.delete(duty)
            await work.session.flush()
            work.session.add(
                Duty(
                    utility_id=lishui.utility.id,
                    obligation="testing",
                    subject_type=SubjectType.facility,
                    subject_id=other.id,
                    facility_id=other.id,
                    ordinal=1,
                    due_on=due,
                    opens_on=due,
                    runs_from=date(2026, 7, 31),
                    satisfied_on=on,
                )
            )
        ended = await a_facility(work, lishui.utility, "T-9", out_of_use_on=date(2026, 10, 1))
        for duty in await work.session.exec(select(Duty).where(Duty.facility_id == ended.id)):
            assert duty.ended_on is not None  # withdrawn: nobody owes it
            duty.due_on = due
    found = await figures(lishui)
    assert found["2026-10"].tests == DutyFigures(due=4, in_time=2, late=1, open=1)


async def test_anomalies_count_by_the_utilitys_months(lishui, facility):
    october_ends = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)  # midnight in Lishui
    async with lishui.runtime.work() as work:
        for number, (found, resumed, closed) in enumerate(
            [
                (october_ends - timedelta(hours=10), october_ends, None),
                (october_ends - timedelta(hours=21), october_ends - timedelta(hours=1), None),
                (october_ends, october_ends + timedelta(hours=5), october_ends),
            ]
        ):
            work.session.add(
                Anomaly(
                    utility_id=lishui.utility.id,
                    facility_id=facility.id,
                    number=f"YC{number}",
                    state=AnomalyState.resumed,
                    source=AnomalySource.result,
                    found_at=found,
                    opened_at=found,
                    resumed_at=resumed,
                    closed_at=closed,
                )
            )
        work.session.add(
            Anomaly(
                utility_id=lishui.utility.id,
                facility_id=facility.id,
                number="YC9",
                state=AnomalyState.historical,
                source=AnomalySource.result,
                found_at=october_ends,
                opened_at=october_ends,
            )
        )
    found = await figures(lishui)
    october, november = found["2026-10"].anomalies, found["2026-11"].anomalies
    assert (october.opened, october.resumed, october.closed) == (2, 1, 0)
    assert (november.opened, november.resumed, november.closed) == (1, 2, 1)
    assert (october.mean_hours_to_resume, november.mean_hours_to_resume) == ("20.0", "7.5")


def counted(samples, items) -> Counter[tuple[str, ...]]:
    """Count one by one: samples by kind, items by parameter and verdict, each by month."""
    found: Counter[tuple[str, ...]] = Counter()
    counting = {}
    for sample in samples:
        month = sample["sampled_on"].isoformat()[:7]
        kind = "retest" if sample["purpose"] == "retest" else "sample"
        found[month, kind if sample["counts"] else "not counting"] += 1
        if sample["counts"] and kind == "sample":
            counting[sample["id"]] = month
    for item in items:
        if item["sample_id"] in counting:
            found[counting[item["sample_id"]], item["parameter"], item["verdict"]] += 1
    return found


async def test_figures_are_what_counting_one_by_one_gives(lishui, facility):
    chance = Random(20260901)
    async with lishui.runtime.work() as work:
        places = [facility, await a_facility(work, lishui.utility, "BY-002")]
    places_of = {place.id: place for place in places}
    samples, items = [], []
    for _ in range(400):
        sample = a_sample(
            chance.choice(places),
            date(2026, 8, 20) + timedelta(days=chance.randrange(110)),
            chance.choice(list(SampleVerdict)),
            purpose=chance.choice(list(Purpose)),
            counts=chance.random() > 0.2,
        )
        samples.append(sample)
        items += [
            an_item(sample, key, chance.choice(("pass", "fail", "pending", "not_judged")))
            for key in PARAMETERS
            if chance.random() > 0.3
        ]
    await stored(lishui, samples, items)
    for only in (None, facility):
        own = [one for one in samples if only in (None, places_of[one["facility_id"]])]
        expected = counted(own, items)
        narrowed = {"facility_id": only.code} if only else {}
        for month, one in (await figures(lishui, **narrowed)).items():
            assert one.samples.taken == expected[month, "sample"]
            assert one.retests.taken == expected[month, "retest"]
            assert one.not_counting == expected[month, "not counting"]
            for key in PARAMETERS:
                passed, failed = (expected[month, key, each] for each in ("pass", "fail"))
                assert one.items[key] == Rate(passed, passed + failed)


async def test_another_utilitys_samples_are_not_among_them(runtime, lishui, facility):
    other = await install(runtime, code="XC")
    async with runtime.work() as work:
        theirs = await a_facility(work, other.utility)
    await stored(lishui, [a_sample(theirs, date(2026, 11, 2))])
    assert (await figures(lishui))["2026-11"].samples.taken == 0
    assert (await figures(other))["2026-11"].samples.taken == 1


async def test_inspectors_read_figures_and_outsiders_find_nothing(lishui, facility):
    utility = {"utility_id": lishui.utility.id}
    assert len(await figures(lishui, actor=lishui.inspector, **utility)) == 3
    for narrowed in (utility, {"facility_id": facility.id}):
        with pytest.raises(NotFound):
            await figures(lishui, actor=lishui.outsider, **narrowed)


@pytest.mark.parametrize(
    ("first", "last", "field", "code"),
    [
        (date(2026, 2, 1), date(2026, 1, 1), "to", "range_reversed"),
        (date(2021, 11, 1), date(2026, 11, 1), "from", "span_too_long"),
    ],
)
async def test_a_span_that_cannot_be_is_said(lishui, first, last, field, code):
    with pytest.raises(Invalid) as caught:
        await figures(lishui, first, last)
    assert [(p.field, p.code) for p in caught.value.problems] == [(field, code)]


async def test_sixty_months_are_not_too_many(lishui):
    assert len(await figures(lishui, date(2021, 12, 1), date(2026, 11, 30))) == 60
