"""Many acts at once on the same facilities, people, orders and samples: none wait in a circle.

Units of work are opened as the use-cases find them: nothing begins anew what the server breaks off.
"""

import asyncio
import random
from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, or_, select

from tests.builders import a_facility, a_tank
from tests.faults.racing import outcome
from tests.faults.test_races import (
    a_fit_person,
    cancelling,
    completing,
    creating,
    health_card,
    leaving,
    returning,
    revoking,
    rows,
    sampling,
    starting,
    sweeping,
)
from tests.records import routine_results
from water2.database import open_database
from water2.domain.cleaning import Cleaning
from water2.domain.contacts import ContactBox
from water2.domain.facility import Tank
from water2.domain.staff import Certificate, Staff
from water2.domain.water import Sample
from water2.domain.work_order import Assignment, WorkOrder, WorkOrderState
from water2.services.lab_reports import RecordLabReport, record_lab_report
from water2.services.ledger_fsck import LedgerCheck
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.sample_results import GivenResult
from water2.services.samples import AddResults, add_results
from water2.services.sweep import sweep
from water2.services.tanks import EditTank, edit_tank
from water2.work import Runtime

CODES = ("LS001", "LS002", "LS003", "LS004")
TODAY = date(2026, 12, 2)


@pytest.fixture
async def runtime(postgres_url, clock):
    """The application with a connection for each of many acts."""
    runtime = Runtime(open_database(postgres_url, pool_size=40), clock, ContactBox(bytes(32)))
    yield runtime
    await runtime.database.dispose()


@pytest.fixture
async def facilities(runtime, lishui, clock):
    """Facilities with an order of the sweep's, one completed, a sample without results."""
    clock.set(datetime(2026, 12, 2, 1, tzinfo=UTC))
    async with runtime.work() as work:
        for code in CODES:
            await a_fit_person(work, lishui.utility, code)
        made = []
        for code in ("BY-001", "BY-002", "BY-003"):
            facility = await a_facility(work, lishui.utility, code, in_service_on=date(2026, 7, 15))
            made.append((facility, await a_tank(work, lishui.utility, facility)))
    for facility, tank in made:
        order = await outcome(runtime, creating(facility))
        await outcome(runtime, completing(order))
        await outcome(runtime, sampling(facility, tank.id))
    async with runtime.work() as work:
        for facility, _ in made:
            await a_tank(work, lishui.utility, facility, "2#")
    await sweep(runtime)
    async with runtime.work() as work:
        for facility, _ in made:  # comes due, and is not yet on any order
            await a_tank(work, lishui.utility, facility, "3#")
    return made


def planning(order_id, crew):
    plan = PlanWorkOrder(on=TODAY, crew=list(crew), stops_supply=False)
    return lambda work: plan_work_order(work, order_id, plan)


def adding(sample_id, *parameters):
    results = [GivenResult(parameter=k, raw=routine_results()[k]) for k in parameters]
    return lambda work: add_results(work, sample_id, AddResults(results=results))


def reporting(number, *sample_ids):
    result = GivenResult(parameter="turbidity", raw="0.30")
    samples = [{"sample_id": id_, "results": [result]} for id_ in sample_ids]
    report = RecordLabReport(number=number, laboratory="市疾控中心", samples=samples)
    return lambda work: record_lab_report(work, report)


def editing(tank_id):
    edit = EditTank(material="不锈钢")
    return lambda work: edit_tank(work, tank_id, edit, None)


async def mixed_acts(runtime, utility, facilities):
    """Return some sixty acts that get in each other's way."""
    is_open = (WorkOrder.state == WorkOrderState.open,)
    orders = dict(await rows(runtime, WorkOrder.facility_id, WorkOrder, where=is_open))
    samples = [row[0] for row in await rows(runtime, Sample.id)]
    cleanings = [row[0] for row in await rows(runtime, Cleaning.id)]
    tanks = [row[0] for row in await rows(runtime, Tank.id)]
    acts = [sweeping(utility) for _ in range(4)]
    acts += [reporting("R1", *samples), reporting("R2", *reversed(samples))]
    for code in CODES[:2]:
        card, _ = await health_card(runtime, code)
        acts.append(revoking(card))
    acts.append(leaving((await health_card(runtime, CODES[2]))[1]))
    acts += [editing(id_) for id_ in tanks]
    acts += [returning(id_) for id_ in cleanings for _ in range(2)]
    acts += [adding(id_, "ph", "colour") for id_ in samples for _ in range(2)]
    for facility, tank in facilities:
        order = orders[facility.id]
        acts += [planning(order.id, CODES[:2]), planning(order.id, CODES[::-1])]
        acts += [creating(facility), starting(order), completing(order), cancelling(order)]
        acts += [sampling(facility, tank.id, routine_results()) for _ in range(2)]
    return acts


async def sent_though_unfit(runtime):
    """Return who is still to go on work not begun, though revoked or gone."""
    sent = (
        select(Staff.code)
        .join(Assignment, col(Assignment.staff_id) == Staff.id)
        .join(WorkOrder, col(WorkOrder.id) == Assignment.work_order_id)
        .join(Certificate, col(Certificate.staff_id) == Staff.id)
        .where(
            col(Assignment.withdrawn_at).is_(None),
            WorkOrder.state == WorkOrderState.planned,
            or_(col(Certificate.revoked_on).is_not(None), col(Staff.left_on) < TODAY),
        )
    )
    async with runtime.read() as work:
        return list(await work.session.exec(sent))


@pytest.mark.parametrize("seed", range(4))
async def test_acts_at_once_end_or_are_refused_and_leave_all_whole(
    runtime, lishui, facilities, seed
):
    acts = await mixed_acts(runtime, lishui.utility, facilities)
    random.Random(seed).shuffle(acts)
    assert len(acts) > 50

    await asyncio.gather(*(outcome(runtime, act) for act in acts))

    run = LedgerCheck()
    async with runtime.read() as work:
        assert [finding async for finding in run.findings(work)] == []
    assert await sent_though_unfit(runtime) == []
