"""Rules that change: the past stays as it was judged, and what is open moves."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from tests.builders import a_certificate, a_facility, a_person, a_tank
from water2.domain.access import Role
from water2.domain.cleaning import Cleaning
from water2.domain.duty import Duty
from water2.domain.errors import RuleViolation
from water2.domain.ledger import LedgerEntry
from water2.domain.organisation import Utility
from water2.domain.staff import CertificateKind
from water2.domain.work_order import WorkOrderKind
from water2.services.duties import rederive
from water2.services.duty_queries import DutyFilters, list_duties
from water2.services.plan_days import plan_days
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.policy import set_policy
from water2.services.sweep import sweep
from water2.services.work_orders import CreateWorkOrder, create_work_order


@pytest.fixture
async def tank(runtime, lishui):
    """A tank cleaned on 2025-06-20, 2025-12-19 and 2026-06-15: due by law on 2026-12-15."""
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2025, 1, 1))
        tank = await a_tank(work, lishui.utility, facility)
        for n, day in enumerate((date(2025, 6, 20), date(2025, 12, 19), date(2026, 6, 15))):
            cleaning = Cleaning(
                utility_id=lishui.utility.id,
                facility_id=facility.id,
                subject_id=tank.id,
                tank_id=tank.id,
                cleaned_on=day,
                credited_on=day,
                code=f"QX{n}",
                recorded_at=work.now,
                record={},
            )
            work.session.add(cleaning)
        await work.session.flush()
        await rederive(work, lishui.utility, facility_ids=[facility.id])
    return tank


async def chain_of(runtime, tank):
    async with runtime.read() as work:
        rows = await work.session.exec(
            select(Duty)
            .where(Duty.subject_id == tank.id, Duty.obligation == "cleaning")
            .order_by(col(Duty.ordinal))
        )
        return [(duty.due_on, duty.satisfied_on) for duty in rows]


PAST = [
    (date(2025, 7, 1), date(2025, 6, 20)),
    (date(2025, 12, 20), date(2025, 12, 19)),
    (date(2026, 6, 19), date(2026, 6, 15)),
]


async def tighten(runtime, lishui, months):
    async with runtime.work(lishui.actor(Role.administrator)) as work:
        await set_policy(work, lishui.utility, "cleaning", "months", months)


@pytest.mark.parametrize(
    ("months", "due_on"),
    [
        pytest.param(6, date(2026, 12, 15), id="as strict as the law"),
        pytest.param(5, date(2026, 11, 23), id="passed already under the new value: due today"),
    ],
)
async def test_a_stricter_value_moves_the_open_duty_and_leaves_the_past(
    runtime, lishui, tank, months, due_on
):
    await tighten(runtime, lishui, months)
    assert await chain_of(runtime, tank) == [*PAST, (due_on, None)]


async def test_a_day_of_the_utility_s_own_is_a_target_and_refuses_no_plan(runtime, lishui, tank):
    await tighten(runtime, lishui, 5)
    async with runtime.work(lishui.manager) as work:
        crew = []
        for code in ("LS001", "LS002", "LS003"):
            person = await a_person(work, lishui.utility, code)
            training = {"kind": CertificateKind.training, "number": f"PX{code}"}
            await a_certificate(work, lishui.utility, person, date(2024, 1, 2), **training)
            await a_certificate(work, lishui.utility, person, date(2026, 3, 1))
            crew.append(code)
        command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=tank.facility_id)
        order = await create_work_order(work, command)
        shown = await list_duties(work, lishui.utility, DutyFilters(obligation="cleaning"))
        assert [duty["basis"] for duty in shown.items if duty["state"] != "satisfied"] == ["target"]
        on_the_lawful_day = PlanWorkOrder(on=date(2026, 12, 15), crew=crew, stops_supply=True)
        await plan_work_order(work, order.id, on_the_lawful_day)
        (day,) = (await plan_days(work, [order])).values()
        assert day.flags == ("planned_past_due",)
        past = PlanWorkOrder(on=date(2026, 12, 16), crew=crew, stops_supply=True)
        with pytest.raises(RuleViolation) as refused:
            await plan_work_order(work, order.id, past)
    assert refused.value.refused.facts["due_on"] == date(2026, 12, 15)


async def test_a_changed_rulebook_is_applied_by_the_next_sweep_once(runtime, lishui, tank):
    async with runtime.work() as work:  # as an older file would have left them
        await work.session.execute(update(Duty).values(due_on=date(2026, 1, 1)))
        await work.session.execute(update(Utility).values(rules_mark="of another file"))
    await sweep(runtime)
    await sweep(runtime)
    assert await chain_of(runtime, tank) == [*PAST, (date(2026, 12, 15), None)]
    async with runtime.read() as work:
        applied = await work.session.exec(
            select(LedgerEntry.seq).where(LedgerEntry.type == "rules.applied")
        )
        assert len(applied.all()) == 1


@pytest.mark.parametrize(
    ("now", "plan_by", "flags"),
    [
        pytest.param("2026-09-01", date(2026, 9, 30), (), id="before the holidays of 1 October"),
        pytest.param("2026-10-02", date(2026, 10, 2), (), id="not before today"),
        pytest.param("2026-10-20", date(2026, 10, 20), (), id="late already: today"),
    ],
)
async def test_holidays_move_the_proposed_day_earlier_only(
    runtime, lishui, clock, now, plan_by, flags
):
    clock.set(datetime.fromisoformat(f"{now}T02:00:00+00:00").astimezone(UTC))
    async with runtime.work() as work:  # due on 2026-10-05
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 4, 5))
        await a_tank(work, lishui.utility, facility)
    async with runtime.work(lishui.manager) as work:
        command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=facility.id)
        order = await create_work_order(work, command)
        (day,) = (await plan_days(work, [order])).values()
    assert (day.plan_by, day.flags) == (plan_by, flags)


async def test_a_year_without_published_holidays_is_said_to_be_so(runtime, lishui, clock):
    async with runtime.work() as work:  # due on Sunday 2027-05-23
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 11, 23))
        await a_tank(work, lishui.utility, facility)
    async with runtime.work(lishui.manager) as work:
        command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=facility.id)
        order = await create_work_order(work, command)
        (day,) = (await plan_days(work, [order])).values()
    assert (day.plan_by, day.flags) == (date(2027, 5, 21), ("holidays_not_published",))
