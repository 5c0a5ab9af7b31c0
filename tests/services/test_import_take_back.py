"""An import taken back, while nothing has built on it."""

from datetime import timedelta

import pytest
from sqlmodel import SQLModel, func, select

from tests.services.register_files import as_utf8, register, take, text_of
from water2.domain.errors import Conflict, NotFound, NotPermitted
from water2.domain.facility import Building, Facility, Tank
from water2.domain.household import Household
from water2.domain.importing import ImportRun
from water2.domain.ledger import LedgerEntry
from water2.domain.notice import Notice
from water2.domain.organisation import Contact
from water2.domain.outage import OutageKind, OutageReason
from water2.domain.work_order import WorkOrder, WorkOrderState
from water2.services.importing.past_imports import refused_rows
from water2.services.importing.sending_back import rejections_csv
from water2.services.importing.take_back import take_back_import
from water2.services.outages.drafting import CreateOutage, create_outage, new_outage
from water2.services.outages.extent import Extent
from water2.services.outages.transitions import publish_outage
from water2.services.sweep import sweep

KEPT = {
    "import_run",
    "import_created",
    "import_changed",
    "ledger",
    "ledger_entry",
    "ledger_checkpoint",
}


async def contents(installation, without=frozenset({"version"})):
    """Every row of every table but the notes of imports and the ledgers."""
    found = {}
    async with installation.runtime.read() as work:
        for name, table in SQLModel.metadata.tables.items():
            if name in KEPT:
                continue
            columns = [column for column in table.c if column.name not in without]
            rows = await work.session.execute(select(*columns))
            found[name] = sorted(map(repr, rows.all()))
    return found


async def take_back(installation, import_id, actor=None):
    async with installation.runtime.work(actor or installation.manager) as work:
        return await take_back_import(work, import_id)


def import_ids(report):
    return {file.kind: file.import_id for file in report.files}


async def test_a_whole_register_taken_back_in_turn_leaves_nothing(lishui):
    before = await contents(lishui)
    ids = import_ids(await take(lishui, *register()))
    for kind in ("sample", "cleaning", "staff", "household", "building", "tank", "facility"):
        await take_back(lishui, ids[kind])
    assert await contents(lishui) == before


async def test_what_an_update_changed_says_again_what_it_said(lishui):
    await take(lishui, *register())
    before = await contents(lishui, without={"version", "id", "satisfied_by"})
    newer = [
        as_utf8("水箱台账", text_of("水箱台账").replace("不锈钢304,50,是", "搪瓷,55.5,否")),
        as_utf8(
            "用户",
            text_of("用户").replace("199 0578 1001", "19905789999").replace("王䶮", "王小龙"),
        ),
        as_utf8("水质检测", text_of("水质检测").replace("1.05", "0.05")),
        as_utf8(
            "清洗消毒记录",
            text_of("清洗消毒记录").replace("2026-11-20,,,,", "2026-11-20,OY20,合格,,"),
        ),
    ]
    ids = import_ids(await take(lishui, *newer))
    after = await contents(lishui, without={"version", "id", "satisfied_by"})
    assert after != before
    for import_id in ids.values():
        await take_back(lishui, import_id)
    again = await contents(lishui, without={"version", "id", "satisfied_by"})
    # a name sealed anew is another text of the same name
    sealed = {"household", "contact"}
    assert {k: v for k, v in again.items() if k not in sealed} == {
        k: v for k, v in before.items() if k not in sealed
    }
    assert (await take(lishui, *register())).updated == 0


async def test_orders_the_sweep_opened_and_nobody_touched_are_no_hindrance(lishui):
    await sweep(lishui.runtime)  # what the utility itself owes was looked at before
    before = await contents(lishui)
    ids = import_ids(await take(lishui, as_utf8("泵房台账"), as_utf8("水箱台账")))
    await sweep(lishui.runtime)
    opened = (await contents(lishui))["work_order_task"]
    assert opened
    for kind in ("tank", "facility"):
        await take_back(lishui, ids[kind])
    after = await contents(lishui)
    told = {"digest", "reminder", "job_run"}
    assert {k: v for k, v in after.items() if k not in told} == {
        k: v for k, v in before.items() if k not in told
    }


async def test_a_planned_order_is_building_on_it(lishui):
    ids = import_ids(await take(lishui, as_utf8("泵房台账"), as_utf8("水箱台账")))
    await sweep(lishui.runtime)
    async with lishui.runtime.work(lishui.manager) as work:
        for order in await work.session.exec(select(WorkOrder)):
            order.state = WorkOrderState.planned
            work.session.add(order)
    with pytest.raises(Conflict) as refused:
        await take_back(lishui, ids["tank"])
    assert set(refused.value.facts["by"]) == {"work_order_task"}


async def test_what_was_built_on_is_named_and_nothing_changes(lishui):
    ids = import_ids(await take(lishui, *register()))
    before = await contents(lishui)
    with pytest.raises(Conflict) as refused:
        await take_back(lishui, ids["facility"])
    assert refused.value.code == "import_built_on"
    assert set(refused.value.facts["by"]) >= {"tank", "building", "household", "cleaning", "sample"}
    assert await contents(lishui) == before


async def test_households_frozen_in_a_notice_stay(lishui):
    ids = import_ids(await take(lishui, *register()))
    async with lishui.runtime.work(lishui.manager) as work:
        outage = await create_outage(work, await an_outage(work))
        await publish_outage(work, outage.id)
    with pytest.raises(Conflict) as refused:
        await take_back(lishui, ids["household"])
    async with lishui.runtime.read() as work:
        notice = (await work.session.exec(select(Notice))).one()
    assert refused.value.facts["by"] == {"notice_recipient": notice.households}


async def test_a_building_named_in_an_outage_stays(lishui):
    ids = import_ids(await take(lishui, as_utf8("泵房台账"), as_utf8("水箱台账"), as_utf8("楼栋")))
    async with lishui.runtime.work(lishui.manager) as work:
        building = (await work.session.exec(select(Building).limit(1))).one()
        facility = (
            await work.session.exec(select(Facility).where(Facility.id == building.facility_id))
        ).one()
        work.session.add(
            new_outage(
                work,
                lishui.utility,
                facility,
                Extent((building.id,), ()),
                OutageKind.planned,
                OutageReason.construction,
            )
        )
    with pytest.raises(Conflict) as refused:
        await take_back(lishui, ids["building"])
    assert refused.value.facts["by"] == {"outage": 1}


async def an_outage(work):
    """Give a planned outage of the facility of some household."""
    household = (await work.session.exec(select(Household).limit(1))).one()
    starts_at = work.now + timedelta(hours=48)
    return CreateOutage(
        kind=OutageKind.planned,
        facility_id=household.facility_id,
        reason=OutageReason.construction,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=4),
    )


async def test_an_edit_since_is_building_on_it(lishui):
    ids = import_ids(await take(lishui, as_utf8("泵房台账"), as_utf8("水箱台账")))
    async with lishui.runtime.work(lishui.manager) as work:
        tank = (await work.session.exec(select(Tank).where(Tank.code == "2#"))).one()
        tank.material, tank.version = "搪瓷", tank.version + 1
        work.session.add(tank)
    with pytest.raises(Conflict) as refused:
        await take_back(lishui, ids["tank"])
    assert refused.value.facts["by"] == {"edited": 1}


async def test_a_later_import_of_the_same_rows_is_building_on_it(lishui, clock):
    first = import_ids(await take(lishui, as_utf8("泵房台账")))["facility"]
    clock.set(clock.now.replace(day=24))
    second = import_ids(
        await take(lishui, as_utf8("泵房台账", text_of("泵房台账").replace("听松苑", "听涛苑", 1)))
    )["facility"]
    with pytest.raises(Conflict) as refused:
        await take_back(lishui, first)
    assert "import" in refused.value.facts["by"]
    await take_back(lishui, second)
    await take_back(lishui, first)


async def test_taking_back_is_an_entry_and_happens_once(lishui):
    import_id = import_ids(await take(lishui, as_utf8("泵房台账")))["facility"]
    run = await take_back(lishui, import_id)
    assert run.taken_back_by == lishui.manager.user_id
    async with lishui.runtime.read() as work:
        told = await work.session.exec(
            select(LedgerEntry).where(LedgerEntry.type == "import.taken_back")
        )
        ledgers = {entry.ledger_id for entry in told}
        assert (await work.session.exec(select(func.count()).select_from(Contact))).one() == 0
    assert lishui.utility.ledger_id in ledgers
    assert len(ledgers) == 1 + 4
    with pytest.raises(Conflict, match="import_taken_back"):
        await take_back(lishui, import_id)


async def test_a_file_taken_back_can_be_taken_again(lishui):
    import_id = import_ids(await take(lishui, as_utf8("泵房台账")))["facility"]
    await take_back(lishui, import_id)
    assert (await take(lishui, as_utf8("泵房台账"))).accepted == 4


async def test_only_those_who_import_take_back(lishui):
    import_id = import_ids(await take(lishui, as_utf8("泵房台账")))["facility"]
    with pytest.raises(NotPermitted):
        await take_back(lishui, import_id, lishui.crew)
    with pytest.raises(NotFound):
        await take_back(lishui, import_id, lishui.outsider)
    async with lishui.runtime.read() as work:
        assert (await work.session.exec(select(func.count()).select_from(Facility))).one() == 4


async def test_refused_rows_are_kept_sealed_and_sent_back_with_reasons(lishui):
    report = await take(lishui, *register())
    import_id = import_ids(report)["household"]
    async with lishui.runtime.read(lishui.manager) as work:
        run = await work.session.get(ImportRun, import_id)
        assert "赵火".encode() not in run.refused_rows_sealed
        kept = await refused_rows(work, import_id)
    table = rejections_csv(kept, lambda reason, facts: f"!{reason}").decode("utf-8-sig")
    lines = table.splitlines()
    assert (
        lines[0]
        == "line,column,reason,户号,泵房编号,楼栋号,单元,房号,户主姓名,手机号,邮箱,特殊困难"
    )
    assert lines[1] == "6,手机号,!phone_letters,3000000004,BY-001,1幢,1,703,赵火,无电话x,,"
    assert len(lines) == 4
