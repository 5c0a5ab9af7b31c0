"""Duties follow from facts: the same chain whatever the order in which the facts arrived."""

from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, select

from tests.builders import a_certificate, a_facility, a_person, a_tank
from water2.domain.cleaning import Cleaning
from water2.domain.duty import Duty
from water2.services.duties import rederive
from water2.services.duty_queries import DutyFilters, list_duties


async def cleanings_of(work, utility, tank, *days):
    for day in days:
        work.session.add(
            Cleaning(
                utility_id=utility.id,
                facility_id=tank.facility_id,
                tank_id=tank.id,
                subject_id=tank.id,
                cleaned_on=day,
                credited_on=day,
                recorded_at=work.now,
            )
        )
        await rederive(work, utility, facility_ids=[tank.facility_id])


async def chain_of(runtime, subject_id, obligation="cleaning"):
    async with runtime.read() as work:
        rows = await work.session.exec(
            select(Duty)
            .where(Duty.subject_id == subject_id, Duty.obligation == obligation)
            .order_by(col(Duty.ordinal))
        )
        return [(d.ordinal, d.due_on, d.satisfied_on) for d in rows]


async def test_a_tank_in_use_owes_its_first_cleaning_six_months_later(runtime, lishui):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2024, 8, 31))
        tank = await a_tank(work, lishui.utility, facility)
    assert await chain_of(runtime, tank.id) == [(1, date(2025, 2, 28), None)]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
async def test_history_entered_in_any_order_gives_the_same_chain(runtime, lishui, order):
    days = [date(2024, 5, 1), date(2024, 10, 31), date(2025, 6, 2)]
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility)
        tank = await a_tank(work, lishui.utility, facility)
        await cleanings_of(work, lishui.utility, tank, *[days[i] for i in order])
    assert await chain_of(runtime, tank.id) == [
        (1, date(2024, 7, 1), date(2024, 5, 1)),
        (2, date(2024, 11, 1), date(2024, 10, 31)),
        (3, date(2025, 4, 30), date(2025, 6, 2)),
        (4, date(2025, 12, 2), None),
    ]


async def test_deriving_again_changes_nothing(runtime, lishui):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility)
        tank = await a_tank(work, lishui.utility, facility)
        await cleanings_of(work, lishui.utility, tank, date(2024, 5, 1))
    async with runtime.read() as work:
        before = [d.model_dump() for d in await work.session.exec(select(Duty).order_by(Duty.id))]
    async with runtime.work() as work:
        await rederive(work, lishui.utility, facility_ids=[facility.id])
    async with runtime.read() as work:
        after = [d.model_dump() for d in await work.session.exec(select(Duty).order_by(Duty.id))]
    assert after == before


async def test_a_tank_out_of_use_ends_its_duty_on_that_day(runtime, lishui):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility)
        tank = await a_tank(work, lishui.utility, facility)
        tank.out_of_use_on = date(2025, 3, 1)
        await rederive(work, lishui.utility, facility_ids=[facility.id])
    async with runtime.read(lishui.manager) as work:
        page = await list_duties(work, lishui.utility, DutyFilters(subject=tank.id))
    assert [(d["state"], d["ended_on"], d["end_reason"]) for d in page.items] == [
        ("withdrawn", "2025-03-01", "out_of_use")
    ]


async def test_a_facility_without_a_tank_bears_the_cleaning_itself(runtime, lishui):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, tankless=True)
    assert await chain_of(runtime, facility.id) == [(1, date(2024, 7, 1), None)]


async def test_halves_without_a_credited_cleaning_stay_on_record(runtime, lishui):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility)
        tank = await a_tank(work, lishui.utility, facility)
        await cleanings_of(work, lishui.utility, tank, date(2024, 5, 1), date(2025, 6, 2))
    async with runtime.read(lishui.inspector) as work:
        page = await list_duties(work, lishui.utility, DutyFilters(subject=tank.id))
    assert [d["missed_halves"] for d in page.items] == [[], [], ["2024-H2", "2025-H2", "2026-H1"]]


async def test_a_person_owes_training_and_a_health_check_from_the_first_day(runtime, lishui):
    async with runtime.work() as work:
        person = await a_person(work, lishui.utility)
        await a_certificate(
            work, lishui.utility, person, date(2024, 2, 29), valid_to=date(2026, 2, 28)
        )
    assert await chain_of(runtime, person.id, "staff.fitness") == [
        (1, date(2024, 1, 1), date(2024, 2, 29)),
        (2, date(2025, 2, 28), None),
    ]
    assert await chain_of(runtime, person.id, "staff.training") == [(1, date(2024, 1, 1), None)]


async def test_a_duty_lasts_until_midnight_in_the_utilitys_zone(runtime, lishui, clock):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 5, 23))
        tank = await a_tank(work, lishui.utility, facility)
    states = []
    for instant in ("2026-11-23T15:59:59+00:00", "2026-11-23T16:00:00+00:00"):
        clock.set(datetime.fromisoformat(instant).astimezone(UTC))
        async with runtime.read(lishui.manager) as work:
            page = await list_duties(work, lishui.utility, DutyFilters(subject=tank.id))
            states.append((page.items[0]["state"], page.items[0]["days_overdue"]))
    assert states == [("due_soon", 0), ("overdue", 1)]


async def test_a_day_in_use_that_lies_ahead_brings_no_duty_before_it(runtime, lishui, clock):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 12, 15))
        tank = await a_tank(work, lishui.utility, facility)
    async with runtime.read(lishui.manager) as work:
        before = await list_duties(work, lishui.utility, DutyFilters(subject=tank.id))
        clock.set(datetime(2026, 12, 15, tzinfo=UTC))
    async with runtime.read(lishui.manager) as work:
        after = await list_duties(work, lishui.utility, DutyFilters(subject=tank.id))
    assert (before.items, [d["due_on"] for d in after.items]) == ([], ["2027-06-15"])


async def test_pages_of_duties_join_without_gap_or_double(runtime, lishui):
    async with runtime.work() as work:
        for number in range(5):
            facility = await a_facility(work, lishui.utility, f"BY-{number:03}")
            await a_tank(work, lishui.utility, facility)
    seen, cursor = [], None
    async with runtime.read(lishui.manager) as work:
        whole = await list_duties(work, lishui.utility, DutyFilters(limit=500))
        while True:
            page = await list_duties(work, lishui.utility, DutyFilters(limit=3, cursor=cursor))
            seen += [duty["id"] for duty in page.items]
            if (cursor := page.next) is None:
                break
    assert seen == [duty["id"] for duty in whole.items]
