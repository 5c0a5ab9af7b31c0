"""What a cleaning's record is held to, and what of it the ledger holds for good."""

from datetime import date, timedelta

import pytest
from sqlmodel import select

from tests.builders import a_facility, a_person, a_tank
from tests.records import a_cleaning_record
from water2.domain.entry import parse_entry
from water2.domain.errors import Invalid
from water2.domain.ledger import LedgerEntry
from water2.domain.work_order import WorkOrderKind
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.work_orders import CreateWorkOrder, create_work_order

PERMIT = "confined_space_permit"
STRANGER = "周不在册"


@pytest.fixture
async def order(runtime, lishui):
    """An order to clean the one tank of a facility."""
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 7, 15))
        await a_tank(work, lishui.utility, facility)
        command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=facility.id)
        return await create_work_order(work, command)


@pytest.fixture
async def staff(runtime, lishui):
    """The ids of three people on the register, by 工号; none of them was ever examined."""
    async with runtime.work(lishui.manager) as work:
        people = [await a_person(work, lishui.utility, f"LS00{n}") for n in (1, 2, 3)]
        return {person.code: person.id for person in people}


async def completed(runtime, lishui, order, permit=None, **changes):
    record = a_cleaning_record(runtime.now()) | changes
    record[PERMIT] |= permit or {}
    async with runtime.work(lishui.crew) as work:
        _, (cleaning,) = await complete_work_order(work, order.id, CompleteWorkOrder(record=record))
    return cleaning


async def refused(runtime, lishui, order, permit=None, **changes):
    with pytest.raises(Invalid) as error:
        await completed(runtime, lishui, order, permit, **changes)
    return [(problem.field, problem.code) for problem in error.value.problems]


async def entered(runtime):
    """Return the data and the text of the one entry about the cleaning."""
    found = select(LedgerEntry.body).where(LedgerEntry.type == "cleaning.completed")
    async with runtime.read() as work:
        (body,) = (await work.session.exec(found)).all()
    return parse_entry(body)["data"], body.decode()


async def test_the_ledger_holds_who_cleaned_and_the_whole_permit_by_ids_of_staff(
    runtime, lishui, order, staff
):
    await completed(
        runtime,
        lishui,
        order,
        {"crew": ["LS001", "LS002", "LS003", STRANGER]},
        people=[" LS002", "LS001", STRANGER],
        sampled_by="LS003",
        reviewed_by=STRANGER,
        owner_witnesses=["罗业主"],
        remarks="电话13805780000",
    )
    data, text = await entered(runtime)
    one, two, three = staff.values()
    told = data["record"]
    assert told["people"] == {"staff": [two, one], "others": 1}
    assert told["prepared_by"] == {"staff": [one], "others": 0}
    assert told["supervised_by"] == {"staff": [two], "others": 0}
    assert told["sampled_by"] == {"staff": [three], "others": 0}
    assert told["reviewed_by"] == told["remarks"] == {"staff": [], "others": 1}
    given = a_cleaning_record(runtime.now())[PERMIT]
    assert told[PERMIT] == given | {
        "crew": {"staff": [one, two, three], "others": 1},
        "inside": {"staff": [one, two], "others": 0},
        "watchers": {"staff": [three], "others": 0},
        "signatures": {"staff": [one, two, three], "others": 0},
    }
    for personal in (STRANGER, "罗业主", "13805780000", "LS00"):
        assert personal not in text


async def test_an_instant_without_an_offset_is_the_utilitys_beside_others_with_one(
    runtime, lishui, order
):
    naive = (runtime.now() + timedelta(hours=8, minutes=-360)).replace(tzinfo=None)
    cleaning = await completed(runtime, lishui, order, drained_from=naive.isoformat())
    assert cleaning.record["drained_from"] == naive.isoformat() + "+08:00"
    data, _ = await entered(runtime)
    assert data["record"]["drained_from"] == naive.isoformat() + "+08:00"


async def test_an_instant_without_an_offset_out_of_order_is_named_as_such(runtime, lishui, order):
    naive = (runtime.now() + timedelta(hours=8, minutes=-329)).replace(tzinfo=None)
    problems = await refused(runtime, lishui, order, drained_from=naive.isoformat())
    assert problems == [("record.drained_to", "before")]


async def test_an_entry_into_the_tank_to_come_did_not_happen(runtime, lishui, order):
    ahead = (runtime.now() + timedelta(minutes=1)).isoformat()
    problems = await refused(runtime, lishui, order, {"entered_at": ahead})
    assert problems == [(f"record.{PERMIT}.entered_at", "in_future")]


async def test_nobody_watches_at_the_manhole_and_is_inside(runtime, lishui, order):
    problems = await refused(runtime, lishui, order, {"watchers": ["LS002 "]})
    assert problems == [(f"record.{PERMIT}.watchers", "not_apart")]


async def test_a_hundred_thousand_names_are_refused(runtime, lishui, order):
    people = [f"P{n}" for n in range(100_000)]
    assert await refused(runtime, lishui, order, people=people) == [("record.people", "too_large")]


@pytest.mark.parametrize("field", ["crew", "inside", "watchers"])
async def test_a_person_on_the_permit_whom_nobody_knows_is_flagged(
    runtime, lishui, order, staff, field
):
    known = a_cleaning_record(runtime.now())[PERMIT][field]
    cleaning = await completed(runtime, lishui, order, {field: [*known, STRANGER]})
    assert "unknown_person" in cleaning.flags


async def test_nobody_unknown_is_flagged_where_all_are_on_the_register(
    runtime, lishui, order, staff
):
    cleaning = await completed(runtime, lishui, order)
    assert not {"unknown_person", "refill_past_target"} & {*cleaning.flags}


async def test_an_unfit_person_inside_is_marked_though_not_among_those_who_cleaned(
    runtime, lishui, order, staff
):
    permit = {"watchers": ["LS004"], "crew": ["LS001", "LS002", "LS004"]}
    cleaning = await completed(runtime, lishui, order, permit, people=["LS001"])
    assert {one["person"] for one in cleaning.violations} == {staff["LS001"], staff["LS002"]}


@pytest.mark.parametrize("changes", [{"residual_mg_l": "99"}, {"turbidity_ntu": 5}])
async def test_water_past_the_target_after_the_refill_is_flagged(runtime, lishui, order, changes):
    cleaning = await completed(runtime, lishui, order, **changes)
    assert "refill_past_target" in cleaning.flags
