"""A cleaning written down after its sample: the sample is its own, whatever stood before."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from tests.builders import Installation, SettableClock, a_facility, a_tank
from tests.records import a_cleaning_record, routine_results
from tests.services.register_files import as_utf8, take
from water2.domain.cleaning import Cleaning
from water2.domain.duty import Duty
from water2.domain.facility import Tank
from water2.domain.water import Point, Purpose
from water2.domain.work_order import WorkOrderKind
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample
from water2.services.work_orders import CreateWorkOrder, create_work_order
from water2.work import Runtime

EARLIER = datetime(2026, 8, 3, 9, tzinfo=UTC)
CLEANED = datetime(2026, 11, 3, 9, tzinfo=UTC)
WRITTEN = datetime(2026, 11, 20, 9, tzinfo=UTC)


async def cleaned(runtime: Runtime, lishui: Installation, tank: Tank, at: datetime) -> None:
    order = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=tank.facility_id)
    async with runtime.work(lishui.manager) as work:
        made = await create_work_order(work, order)
        command = CompleteWorkOrder(record=a_cleaning_record(at), late_reason="paper")
        await complete_work_order(work, made.id, command)


async def sampled(
    runtime: Runtime, lishui: Installation, tank: Tank, at: datetime, **other: str
) -> None:
    raws = routine_results() | other
    results = [GivenResult(parameter=key, raw=raw) for key, raw in raws.items()]
    command = RecordSample(
        facility_id=tank.facility_id,
        tank_id=tank.id,
        point=Point.outlet,
        purpose=Purpose.after_cleaning,
        sampled_at=at,
        results=results,
    )
    async with runtime.work(lishui.manager) as work:
        await record_sample(work, command)


async def test_a_sample_that_stood_as_an_earlier_cleanings_credits_its_own_once_that_is_written(
    runtime: Runtime, lishui: Installation, clock: SettableClock
) -> None:
    clock.set(EARLIER)
    async with runtime.work(lishui.manager) as work:
        tank = await a_tank(work, lishui.utility, await a_facility(work, lishui.utility))
    await cleaned(runtime, lishui, tank, EARLIER)  # its own sample was never taken
    clock.set(CLEANED + timedelta(hours=2))
    await sampled(runtime, lishui, tank, CLEANED + timedelta(hours=1))
    clock.set(WRITTEN)
    await cleaned(runtime, lishui, tank, CLEANED)
    async with runtime.read(lishui.manager) as work:
        cleanings = await work.session.exec(select(Cleaning).order_by(col(Cleaning.cleaned_on)))
        credited = [(one.cleaned_on, one.credited_on) for one in cleanings]
        due = await work.session.exec(
            select(Duty.due_on).where(
                Duty.subject_id == tank.id,
                Duty.obligation == "cleaning",
                col(Duty.satisfied_on).is_(None),
            )
        )
        assert due.all() == [date(2027, 5, 3)]
    assert credited == [(date(2026, 8, 3), None), (date(2026, 11, 3), date(2026, 11, 3))]


@pytest.mark.parametrize("coliform", ["未检出", "3"])
async def test_a_cleaning_a_file_credited_keeps_its_credit_when_a_later_one_claims_its_sample(
    runtime: Runtime, lishui: Installation, clock: SettableClock, coliform: str
) -> None:
    clock.set(EARLIER + timedelta(days=9))
    async with runtime.work(lishui.manager) as work:
        tank = await a_tank(work, lishui.utility, await a_facility(work, lishui.utility))
    header = "记录编号,泵房编号,水箱编号,清洗日期,清洗单位,采样日期,报告编号,检测结论\n"
    row = "QX1,BY-001,1#,2026-08-03,清洁公司,2026-08-04,B1,合格\n"
    await take(lishui, as_utf8("清洗消毒记录", header + row))
    clock.set(CLEANED + timedelta(hours=2))
    await sampled(runtime, lishui, tank, CLEANED + timedelta(hours=1), total_coliform=coliform)
    clock.set(WRITTEN)
    await cleaned(runtime, lishui, tank, CLEANED)
    async with runtime.read(lishui.manager) as work:
        first, _ = await work.session.exec(select(Cleaning).order_by(col(Cleaning.cleaned_on)))
    assert (first.sampled_on, first.credited_on) == (date(2026, 8, 4), date(2026, 8, 4))
