"""The sweep opens duties, reminds and withdraws; late, doubled or skipped runs change nothing."""

import asyncio
from datetime import UTC, date, datetime, timedelta

from sqlmodel import col, func, select

from tests.builders import a_certificate, a_facility, a_person, a_tank
from water2.domain.duty import Duty
from water2.domain.ledger import LedgerEntry
from water2.domain.reminder import Digest, Reminder
from water2.domain.staff import CertificateKind
from water2.domain.work_order import Assignment, WorkOrder, WorkOrderKind, WorkOrderTask
from water2.services.order_opening import open_work_orders
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.sweep import sweep
from water2.services.work_orders import CreateWorkOrder, create_work_order


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T01:00:00+00:00").astimezone(UTC)


async def two_tanks(runtime, lishui, in_service_on=date(2026, 11, 1)):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=in_service_on)
        tanks = [await a_tank(work, lishui.utility, facility, code) for code in ("1#", "2#")]
    return facility, tanks


async def count(runtime, table, *conditions):
    async with runtime.read() as work:
        return (
            await work.session.exec(select(func.count()).select_from(table).where(*conditions))
        ).one()


async def openings(runtime, obligation="cleaning"):
    async with runtime.read() as work:
        bodies = await work.session.exec(
            select(LedgerEntry.body).where(LedgerEntry.type == "duty.opened")
        )
        return [b for b in bodies if f'"obligation":"{obligation}"'.encode() in b]


async def test_a_cleaning_opens_45_days_ahead_and_not_a_day_before(runtime, lishui, clock):
    await two_tanks(runtime, lishui)
    clock.set(at("2027-03-16"))  # due 2027-05-01
    await sweep(runtime)
    before = await openings(runtime)
    clock.set(at("2027-03-17"))
    await sweep(runtime)
    assert (len(before), len(await openings(runtime))) == (0, 2)


async def test_all_tanks_of_a_pump_room_are_one_visit(runtime, lishui, clock):
    await two_tanks(runtime, lishui)
    clock.set(at("2027-03-17"))
    await sweep(runtime)
    assert await count(runtime, WorkOrder) == 1
    assert await count(runtime, WorkOrderTask, col(WorkOrderTask.live)) == 2


async def test_sweeps_repeated_and_in_parallel_open_each_duty_once(runtime, lishui, clock):
    await two_tanks(runtime, lishui)
    clock.set(at("2027-03-20"))
    await asyncio.gather(*(sweep(runtime) for _ in range(5)))
    await sweep(runtime)
    assert len(await openings(runtime)) == 2
    assert await count(runtime, WorkOrder) == 1


async def test_a_second_sweep_of_a_day_adds_nothing(runtime, lishui, clock):
    await two_tanks(runtime, lishui)
    clock.set(at("2027-05-02"))
    await sweep(runtime)
    first = [await count(runtime, table) for table in (LedgerEntry, Reminder, Digest, WorkOrder)]
    await sweep(runtime)
    assert [await count(runtime, t) for t in (LedgerEntry, Reminder, Digest, WorkOrder)] == first


async def test_months_of_downtime_send_one_reminder_not_all_that_were_missed(
    runtime, lishui, clock
):
    _, tanks = await two_tanks(runtime, lishui)
    clock.set(at("2027-04-28"))  # 3 days ahead: the reminders 30, 15 and 7 days ahead passed
    await sweep(runtime)
    async with runtime.read() as work:
        steps = await work.session.exec(
            select(Reminder.step)
            .join(Duty, col(Duty.id) == Reminder.duty_id)
            .where(Duty.subject_id == tanks[0].id)
        )
        assert list(steps) == ["7"]


async def test_one_person_gets_one_digest_a_day(runtime, lishui, clock):
    await two_tanks(runtime, lishui)
    clock.set(at("2027-04-24"))
    await sweep(runtime)
    async with runtime.read() as work:
        digests = await work.session.exec(select(Digest).where(Digest.made_on == date(2027, 4, 24)))
        assert [d.recipient for d in digests] == ["managers"]


async def test_what_lapsed_before_the_first_day_reminds_once_and_never_again(
    runtime, lishui, clock
):
    _, tanks = await two_tanks(runtime, lishui, in_service_on=date(2024, 1, 1))
    for day in range(4):
        clock.set(at("2026-11-23") + timedelta(days=day))
        await sweep(runtime)
    async with runtime.read() as work:
        steps = await work.session.exec(
            select(Reminder.step)
            .join(Duty, col(Duty.id) == Reminder.duty_id)
            .where(Duty.subject_id == tanks[0].id)
        )
        assert list(steps) == ["once"]


async def test_what_lapses_later_reminds_every_day(runtime, lishui, clock):
    _, tanks = await two_tanks(runtime, lishui)
    for day in range(3):
        clock.set(at("2027-05-02") + timedelta(days=day))
        await sweep(runtime)
    async with runtime.read() as work:
        steps = await work.session.exec(
            select(Reminder.step)
            .join(Duty, col(Duty.id) == Reminder.duty_id)
            .where(Duty.subject_id == tanks[0].id)
            .order_by(Reminder.step)
        )
        assert list(steps) == ["2027-05-02", "2027-05-03", "2027-05-04"]


async def test_when_a_certificate_lapses_the_person_is_withdrawn_and_named(runtime, lishui, clock):
    facility, _ = await two_tanks(runtime, lishui)
    async with runtime.work() as work:
        person = await a_person(work, lishui.utility)
        await a_certificate(
            work,
            lishui.utility,
            person,
            date(2024, 1, 2),
            kind=CertificateKind.training,
            number="PX1",
        )
        await a_certificate(work, lishui.utility, person, date(2025, 12, 1))
    async with runtime.work(lishui.manager) as work:
        order = await create_work_order(
            work, CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=facility.id)
        )
        plan = PlanWorkOrder(on=date(2026, 12, 1), crew=["LS001"], stops_supply=False)
        await plan_work_order(work, order.id, plan)
    clock.set(at("2026-12-01"))
    await sweep(runtime)
    assert await count(runtime, Assignment, col(Assignment.withdrawn_at).is_(None)) == 1
    clock.set(at("2026-12-02"))
    result = await sweep(runtime)
    async with runtime.read() as work:
        assignment = (await work.session.exec(select(Assignment))).one()
    assert result.withdrawn == 1
    assert assignment.withdrawn_because == "certificate_lapsed"


async def test_a_tank_that_joins_later_is_cleaned_on_the_same_visit(runtime, lishui, clock):
    facility, _ = await two_tanks(runtime, lishui)
    clock.set(at("2027-03-17"))
    await sweep(runtime)
    async with runtime.work() as work:
        await a_tank(work, lishui.utility, facility, "3#")
    await sweep(runtime)
    assert await count(runtime, WorkOrder) == 1
    assert await count(runtime, WorkOrderTask, col(WorkOrderTask.live)) == 3


async def test_two_workers_that_open_tanks_of_one_pump_room_send_one_visit(runtime, lishui):
    _, tanks = await two_tanks(runtime, lishui)
    async with runtime.read() as work:
        ids = [tank.id for tank in tanks]
        duties = list(await work.session.exec(select(Duty).where(col(Duty.subject_id).in_(ids))))

    async def open_one(duty: Duty) -> None:
        async with runtime.work() as work:
            await open_work_orders(work, lishui.utility, [duty])

    await asyncio.gather(*(open_one(duty) for duty in duties))
    assert await count(runtime, WorkOrder) == 1
    assert await count(runtime, WorkOrderTask, col(WorkOrderTask.live)) == 2
