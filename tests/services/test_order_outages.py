"""A cleaning that stops the supply brings its outage with it, and cannot begin without it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from tests.builders import a_certificate, a_person
from tests.estate import an_estate
from tests.records import a_cleaning_record
from tests.services.test_outages import act, hang
from water2.domain.cleaning import Cleaning
from water2.domain.errors import Invalid, RuleViolation
from water2.domain.household import Household
from water2.domain.outage import Outage, OutageReason, OutageState
from water2.domain.staff import CertificateKind
from water2.domain.work_order import WorkOrderKind, WorkOrderState
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.outages.transitions import publish_outage, start_outage
from water2.services.plan_days import plan_days
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.work_orders import (
    CancelWorkOrder,
    CreateWorkOrder,
    cancel_work_order,
    create_work_order,
    start_work_order,
)

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
CREW = ["LS001", "LS002", "LS003"]
DAY = date(2026, 11, 25)
STARTS = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # 09:00 in Lishui


@pytest.fixture
async def estate(lishui):
    estate = await an_estate(lishui, isolable=False)
    utility = lishui.utility
    async with lishui.runtime.work() as work:
        for code in CREW:
            person = await a_person(work, utility, code)
            trained = {"kind": CertificateKind.training, "number": f"PX{code}"}
            await a_certificate(work, utility, person, date(2024, 1, 2), **trained)
            await a_certificate(work, utility, person, date(2026, 3, 1))
    return estate


async def ordered(lishui, estate):
    command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=estate.facility.id)
    return await act(lishui, create_work_order, command)


async def planned(lishui, order, on=DAY, stops_supply=True):
    plan = PlanWorkOrder(on=on, crew=CREW, stops_supply=stops_supply)
    return await act(lishui, plan_work_order, order.id, plan)


async def outage_of(lishui, order):
    async with lishui.runtime.read() as work:
        return (await work.session.exec(select(Outage).where(Outage.id == order.outage_id))).first()


async def test_planning_it_drafts_its_outage_for_the_working_hours_of_the_day(lishui, estate):
    order = await planned(lishui, await ordered(lishui, estate))
    outage = await outage_of(lishui, order)
    assert (outage.state, outage.reason) == (OutageState.draft, OutageReason.tank_cleaning)
    assert (outage.starts_at, outage.ends_at) == (STARTS, STARTS + timedelta(hours=8))
    assert (outage.work_order_id, outage.building_ids) == (order.id, [])


async def test_it_cannot_begin_before_its_notice_is_proven(lishui, estate, clock):
    order = await planned(lishui, await ordered(lishui, estate))
    clock.set(STARTS)
    with pytest.raises(RuleViolation) as refused:
        await act(lishui, start_work_order, order.id)
    assert refused.value.refused.provision.obligation == "outage.planned"
    assert refused.value.refused.reason == "notice_too_late"


async def test_told_in_time_it_begins_and_the_water_stops_with_it(lishui, estate, clock):
    order = await planned(lishui, await ordered(lishui, estate))
    await act(lishui, publish_outage, order.outage_id)
    await hang(lishui, await outage_of(lishui, order), estate, "1幢", NOW)
    clock.set(STARTS)
    with pytest.raises(RuleViolation) as refused:
        await act(lishui, start_work_order, order.id)
    assert refused.value.refused.facts["missing_count"] == 3
    clock.set(NOW)
    await hang(lishui, await outage_of(lishui, order), estate, "2幢", NOW)
    clock.set(STARTS)
    begun = await act(lishui, start_work_order, order.id, actor=lishui.crew)
    assert begun.state is WorkOrderState.started
    assert (await outage_of(lishui, order)).state is OutageState.in_effect


async def test_an_outage_the_crew_has_started_lets_the_work_begin(lishui, estate, clock):
    order = await planned(lishui, await ordered(lishui, estate))
    await act(lishui, publish_outage, order.outage_id)
    for building in ("1幢", "2幢"):
        await hang(lishui, await outage_of(lishui, order), estate, building, NOW)
    clock.set(STARTS)
    await act(lishui, start_outage, order.outage_id, actor=lishui.crew)
    begun = await act(lishui, start_work_order, order.id, actor=lishui.crew)
    assert begun.state is WorkOrderState.started


async def test_planning_it_anew_moves_its_outage_and_without_a_stop_calls_it_off(lishui, estate):
    order = await planned(lishui, await ordered(lishui, estate))
    outage = await outage_of(lishui, order)
    order = await planned(lishui, order, on=date(2026, 11, 26))
    moved = await outage_of(lishui, order)
    assert (moved.id, moved.starts_at) == (outage.id, STARTS + timedelta(days=1))
    order = await planned(lishui, order, on=date(2026, 11, 26), stops_supply=False)
    assert order.outage_id is None
    async with lishui.runtime.read() as work:
        gone = await work.session.get(Outage, outage.id)
        days = await plan_days(work, [order])
    assert gone.state is OutageState.cancelled
    assert "tank_not_isolable" in days[order.id].flags


async def test_calling_the_work_off_calls_its_outage_off(lishui, estate):
    order = await planned(lishui, await ordered(lishui, estate))
    await act(lishui, publish_outage, order.outage_id)
    await act(lishui, cancel_work_order, order.id, CancelWorkOrder(reason="改期"))
    assert (await outage_of(lishui, order)).state is OutageState.cancelled


async def test_a_tank_that_can_be_isolated_is_cleaned_without_an_outage(lishui, estate, clock):
    async with lishui.runtime.work() as work:
        tank = await work.session.get(type(estate.tank), estate.tank.id)
        tank.isolable = True
        work.session.add(tank)
    order = await planned(lishui, await ordered(lishui, estate), on=DAY, stops_supply=False)
    clock.set(STARTS)
    begun = await act(lishui, start_work_order, order.id, actor=lishui.crew)
    assert (begun.state, begun.outage_id) == (WorkOrderState.started, None)


async def test_a_cleaning_of_a_tank_that_cannot_be_isolated_without_an_outage_is_flagged(
    lishui, estate, clock
):
    order = await planned(lishui, await ordered(lishui, estate), stops_supply=False)
    clock.set(STARTS + timedelta(hours=8))
    await act(lishui, start_work_order, order.id, actor=lishui.crew)
    record = CompleteWorkOrder(record=a_cleaning_record(STARTS + timedelta(hours=8)))
    await act(lishui, complete_work_order, order.id, record, actor=lishui.crew)
    async with lishui.runtime.read() as work:
        cleaning = (await work.session.exec(select(Cleaning))).one()
    assert "cleaning_without_outage" in cleaning.flags


async def test_its_outage_is_not_announced_to_nobody(lishui, estate):
    async with lishui.runtime.work() as work:
        for household in await work.session.exec(select(Household).order_by(col(Household.id))):
            household.moved_out_on = date(2026, 1, 1)
            work.session.add(household)
    order = await planned(lishui, await ordered(lishui, estate))
    with pytest.raises(Invalid):
        await act(lishui, publish_outage, order.outage_id)
