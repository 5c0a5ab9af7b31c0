"""Orders whose work came on record without them: from a file, or as an inspection."""

import json
from datetime import date, timedelta

import pytest
from sqlmodel import col, select

from tests.builders import a_facility, a_tank, install
from tests.records import routine_results
from tests.services.register_files import as_utf8, register, take
from water2.domain.access import SYSTEM
from water2.domain.facility import Facility, FacilityKind, Tank
from water2.domain.ledger import LedgerEntry
from water2.domain.water import Point, Purpose
from water2.domain.work_order import WorkOrder, WorkOrderKind, WorkOrderState, WorkOrderTask
from water2.services.importing.take_back import take_back_import
from water2.services.inspections import RecordInspection, record_inspection
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample
from water2.services.sweep import sweep
from water2.services.work_orders import CreateWorkOrder, create_work_order

TODAY = date(2026, 11, 22)  # in New York
HEADER = (
    "记录编号,泵房编号,水箱编号,清洗日期,清洗单位,清洗人员,消毒剂,批号,浓度(mg/L),接触时间(min),"
    "放水起止,注水起止,采样日期,报告编号,检测结论,停水通知编号,录入日期,备注\n"
)


def a_file(code: str, tank: str, on: str, conclusion: str = "合格"):
    """A file of one cleaning; without a conclusion its sample is still at the laboratory."""
    how = "清洁公司,LS002,次氯酸钠,NC20260101,100,20,08:00-08:25,09:50-10:35"
    report = f"B{code}" if conclusion else ""
    row = f"{code},BY-001,{tank},{on},{how},{on},{report},{conclusion},,{on},\n"
    return as_utf8("清洗消毒记录", HEADER + row)


@pytest.fixture
async def filled(lishui):
    """The small register, with an order for both late tanks of a facility that the sweep opened."""
    await take(lishui, *register())
    await sweep(lishui.runtime)
    return lishui


async def orders_of(installation, code="BY-001"):
    """The facility's cleaning orders, each with its state and the tanks still to be done."""
    async with installation.runtime.read() as work:
        orders = await work.session.exec(
            select(WorkOrder)
            .join(Facility, col(Facility.id) == WorkOrder.facility_id)
            .where(Facility.code == code)
            .order_by(WorkOrder.created_at, WorkOrder.version.desc())
        )
        told = []
        for order in orders.all():
            tanks = await work.session.exec(
                select(Tank.code)
                .join(WorkOrderTask, col(WorkOrderTask.tank_id) == Tank.id)
                .where(WorkOrderTask.work_order_id == order.id, col(WorkOrderTask.live))
                .order_by(Tank.code)
            )
            told.append((order.state.value, list(tanks)))
        return told


async def closings(installation):
    async with installation.runtime.read() as work:
        entries = await work.session.exec(
            select(LedgerEntry).where(LedgerEntry.type == "work_order.completed")
        )
        return [json.loads(entry.body) for entry in entries]


async def test_an_order_is_done_when_a_file_tells_of_the_cleaning_of_each_of_its_tanks(filled):
    assert await orders_of(filled) == [("open", ["1#", "2#"])]
    await take(filled, a_file("QX10", "2#", "2026-11-21"))
    assert await orders_of(filled) == [("open", ["1#"])]
    await take(filled, a_file("QX11", "1#", "2026-11-22"))
    assert await orders_of(filled) == [("completed", [])]
    async with filled.runtime.read() as work:
        order = (
            await work.session.exec(
                select(WorkOrder).where(WorkOrder.state == WorkOrderState.completed)
            )
        ).one()
        tasks = await work.session.exec(
            select(WorkOrderTask.cleaning_id).where(WorkOrderTask.work_order_id == order.id)
        )
        assert None not in tasks.all()
    assert (order.version, order.completed_at) == (2, filled.runtime.now())
    (entry,) = await closings(filled)
    assert (entry["subject"], len(entry["data"]["records"])) == (f"work_order:{order.id}", 1)


@pytest.mark.parametrize(
    ("on", "conclusion"),
    [
        pytest.param("2026-11-22", "不合格", id="it failed"),
        pytest.param("2026-11-22", "", id="its sample is at the laboratory"),
        pytest.param("2025-12-01", "合格", id="it was so long ago that the next is late, too"),
    ],
)
async def test_an_order_goes_on_while_its_tank_owes_a_cleaning(filled, on, conclusion):
    await take(filled, a_file("QX10", "2#", on, conclusion))
    assert await orders_of(filled) == [("open", ["1#", "2#"])]


async def a_passing_sample(installation):
    """A sample after cleaning of the tank 2#, taken now."""
    async with installation.runtime.work(installation.crew) as work:
        tank = (await work.session.exec(select(Tank).where(Tank.code == "2#"))).one()
        command = RecordSample(
            facility_id=tank.facility_id,
            tank_id=tank.id,
            point=Point.outlet,
            purpose=Purpose.after_cleaning,
            sampled_at=work.now,
            results=[GivenResult(parameter=k, raw=v) for k, v in routine_results().items()],
        )
        await record_sample(work, command)


async def test_a_sample_that_credits_a_cleaning_from_a_file_ends_its_order_too(filled):
    await take(filled, a_file("QX10", "2#", "2026-11-21", ""))
    await a_passing_sample(filled)
    assert await orders_of(filled) == [("open", ["1#"])]


async def test_a_crew_at_work_still_records_what_its_sample_was_told_of_first(filled):
    await take(filled, a_file("QX10", "2#", "2026-11-21", ""))
    async with filled.runtime.work() as work:
        served = select(WorkOrder).join(Facility, col(Facility.id) == WorkOrder.facility_id)
        order = (await work.session.exec(served.where(Facility.code == "BY-001"))).one()
        order.state, order.started_at = WorkOrderState.started, work.now
    await a_passing_sample(filled)
    assert await orders_of(filled) == [("started", ["1#", "2#"])]


async def test_what_a_person_ordered_is_not_done_by_work_before_the_order(filled, clock):
    clock.set(clock.now + timedelta(hours=1))  # after the sweep
    async with filled.runtime.work(filled.manager) as work:
        facility = (
            await work.session.exec(select(Facility).where(Facility.code == "BY-001"))
        ).one()
        tanks = await work.session.exec(select(Tank.id).where(Tank.code == "2#"))
        wanted = CreateWorkOrder(
            kind=WorkOrderKind.cleaning, facility_id=facility.id, tank_ids=(tanks.one(),)
        )
        await create_work_order(work, wanted)
    await take(filled, a_file("QX10", "2#", "2026-11-22"))
    assert ("open", ["2#"]) in await orders_of(filled)
    await take(filled, a_file("QX11", "2#", "2026-11-23"))
    assert ("completed", []) in await orders_of(filled)


async def test_after_the_file_is_taken_back_a_crew_is_sent_again(filled):
    report = await take(filled, a_file("QX10", "2#", "2026-11-21"))
    async with filled.runtime.work(SYSTEM) as work:
        await take_back_import(work, report.files[0].import_id)
    await sweep(filled.runtime)
    assert await orders_of(filled) == [("open", ["1#", "2#"])]


async def test_an_inspection_ends_the_order_for_it_on_the_ledger(runtime):
    york = await install(runtime, place="us-nyc")
    kind = FacilityKind.rooftop_tank
    async with runtime.work(york.manager) as work:
        facility = await a_facility(work, york.utility, kind=kind, scope_clause="")
        tanks = [await a_tank(work, york.utility, facility, code) for code in ("1", "2")]
        wanted = CreateWorkOrder(kind=WorkOrderKind.inspection, facility_id=facility.id)
        order = await create_work_order(work, wanted)
    for tank, state in zip(tanks, (WorkOrderState.open, WorkOrderState.completed), strict=True):
        async with runtime.work(york.crew) as work:
            told = RecordInspection(tank_id=tank.id, inspected_on=TODAY, code=f"R/{tank.code}")
            inspection = await record_inspection(work, told)
        async with runtime.read() as work:
            order = await work.session.get_one(WorkOrder, order.id)
        assert order.state is state
    assert (order.version, order.completed_at) == (2, runtime.now())
    (entry,) = await closings(york)
    assert entry["data"] == {"kind": "inspection", "records": [inspection.id]}


async def test_an_inspection_of_an_earlier_year_leaves_the_order_of_this_one(runtime):
    york = await install(runtime, place="us-nyc")
    async with runtime.work(york.manager) as work:
        kind = FacilityKind.rooftop_tank
        facility = await a_facility(work, york.utility, kind=kind, scope_clause="")
        tank = await a_tank(work, york.utility, facility)
        wanted = CreateWorkOrder(kind=WorkOrderKind.inspection, facility_id=facility.id)
        order = await create_work_order(work, wanted)
        told = RecordInspection(tank_id=tank.id, inspected_on=date(2025, 3, 1), code="R/1")
        await record_inspection(work, told)
    async with runtime.read() as work:
        assert (await work.session.get_one(WorkOrder, order.id)).state is WorkOrderState.open
