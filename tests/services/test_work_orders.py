"""Work orders: gates stop what has not happened yet, and what happened is recorded and marked."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import col, select

from tests.records import a_cleaning_record, routine_results
from water2.domain.cleaning import Cleaning
from water2.domain.errors import Conflict, Invalid, NotFound, NotPermitted, RuleViolation
from water2.domain.staff import Staff
from water2.domain.water import Point, Purpose
from water2.domain.work_order import WorkOrder, WorkOrderKind, WorkOrderState, WorkOrderTask
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.credit import ReturnToService, return_to_service
from water2.services.duty_queries import DutyFilters, list_duties
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.sample_results import GivenResult
from water2.services.samples import AddResults, RecordSample, add_results, record_sample
from water2.services.sweep import sweep
from water2.services.work_orders import (
    CancelWorkOrder,
    CreateWorkOrder,
    cancel_work_order,
    create_work_order,
    start_work_order,
)
from water2.services.work_queries import parts_of_orders

TODAY = date(2026, 11, 23)


async def an_order(runtime, lishui, facility):
    async with runtime.work(lishui.manager) as work:
        command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=facility.id)
        return await create_work_order(work, command)


async def planned(runtime, lishui, order, on=TODAY, crew=("LS001", "LS002", "LS003")):
    async with runtime.work(lishui.manager) as work:
        plan = PlanWorkOrder(on=on, crew=list(crew), stops_supply=False)
        return await plan_work_order(work, order.id, plan)


async def started(runtime, lishui, order):
    async with runtime.work(lishui.crew) as work:
        return await start_work_order(work, order.id)


async def completed(runtime, lishui, order, **changes):
    async with runtime.work(lishui.crew) as work:
        record = a_cleaning_record(work.now) | changes
        return await complete_work_order(work, order.id, CompleteWorkOrder(record=record))


async def sampled(runtime, lishui, facility, tank, results=None, purpose=Purpose.after_cleaning):
    async with runtime.work(lishui.crew) as work:
        command = RecordSample(
            facility_id=facility.id,
            tank_id=tank.id,
            point=Point.outlet,
            purpose=purpose,
            sampled_at=work.now,
            results=[GivenResult(parameter=k, raw=v) for k, v in (results or {}).items()],
        )
        return await record_sample(work, command)


async def cleaning_duty(runtime, lishui, tank):
    async with runtime.read(lishui.manager) as work:
        page = await list_duties(
            work, lishui.utility, DutyFilters(subject=tank.id, obligation="cleaning")
        )
    return [(d["due_on"], d["state"]) for d in page.items]


async def test_a_cleaning_with_its_passing_sample_moves_the_duty_six_months_on(
    runtime, lishui, place
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await planned(runtime, lishui, order)
    await started(runtime, lishui, order)
    await completed(runtime, lishui, order)
    before = await cleaning_duty(runtime, lishui, tank)
    sample = await sampled(runtime, lishui, facility, tank, routine_results())
    assert before == [("2027-01-15", "upcoming")]
    assert sample.verdict == "pass"
    assert await cleaning_duty(runtime, lishui, tank) == [
        ("2027-01-15", "satisfied"),
        ("2027-05-23", "upcoming"),
    ]


async def test_a_sample_short_of_an_item_passes_but_credits_nothing_until_it_is_added(
    runtime, lishui, place
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    results = routine_results()
    count = results.pop("plate_count")
    sample = await sampled(runtime, lishui, facility, tank, results)
    before = await cleaning_duty(runtime, lishui, tank)
    async with runtime.work(lishui.crew) as work:
        given = [GivenResult(parameter="plate_count", raw=count)]
        await add_results(work, sample.id, AddResults(results=given))
    assert (sample.verdict, len(before)) == ("pass", 1)
    assert len(await cleaning_duty(runtime, lishui, tank)) == 2


async def test_a_failed_sample_credits_nothing(runtime, lishui, place):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    results = routine_results() | {"plate_count": "101"}
    sample = await sampled(runtime, lishui, facility, tank, results)
    assert sample.verdict == "fail"
    assert await cleaning_duty(runtime, lishui, tank) == [("2027-01-15", "upcoming")]


async def test_a_later_routine_sample_does_not_stand_in_for_the_cleanings_own(
    runtime, lishui, place
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    await sampled(runtime, lishui, facility, tank, routine_results(), Purpose.routine)
    assert await cleaning_duty(runtime, lishui, tank) == [("2027-01-15", "upcoming")]


async def test_a_sample_recorded_before_its_cleaning_credits_it_all_the_same(
    runtime, lishui, place, clock
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    sample = await sampled(runtime, lishui, facility, tank, routine_results())
    await completed(runtime, lishui, order)
    assert "no_cleaning_on_record" in sample.flags
    assert len(await cleaning_duty(runtime, lishui, tank)) == 2


async def test_the_due_day_itself_may_be_planned_and_the_day_after_may_not(runtime, lishui, place):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    await planned(runtime, lishui, order, on=date(2027, 1, 15))
    with pytest.raises(RuleViolation) as refusal:
        await planned(runtime, lishui, order, on=date(2027, 1, 16))
    refused = refusal.value.refused
    assert (refused.provision.article, refused.reason) == ("17(4)", "planned_past_due")


async def test_what_is_late_already_may_be_planned_on_any_day_to_come(
    runtime, lishui, place, clock
):
    facility, _ = place
    clock.set(datetime(2027, 1, 16, 1, tzinfo=UTC))
    order = await an_order(runtime, lishui, facility)
    order = await planned(runtime, lishui, order, on=date(2027, 1, 20))
    assert order.planned_on == date(2027, 1, 20)


async def test_a_plan_names_each_person_who_is_not_fit_on_the_day_with_the_article(
    runtime, lishui, place
):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    with pytest.raises(RuleViolation) as refusal:
        await planned(runtime, lishui, order, crew=("LS001", "LS009"))
    refused = refusal.value.refused
    (person,) = refused.facts["people"]
    assert (refused.provision.article, person["code"]) == ("17(2)", "LS009")
    assert {r["code"] for r in person["reasons"]} == {"never_trained", "never_examined"}


async def test_fitness_is_judged_on_the_day_of_the_work_not_today(runtime, lishui, place, clock):
    facility, _ = place
    clock.set(datetime(2027, 1, 20, 1, tzinfo=UTC))
    order = await an_order(runtime, lishui, facility)
    await planned(runtime, lishui, order, on=date(2027, 3, 1))
    with pytest.raises(RuleViolation):
        await planned(runtime, lishui, order, on=date(2027, 3, 2))


async def test_starting_checks_fitness_again_on_that_day(runtime, lishui, place, clock):
    facility, _ = place
    clock.set(datetime(2027, 1, 20, 1, tzinfo=UTC))
    order = await an_order(runtime, lishui, facility)
    await planned(runtime, lishui, order, on=date(2027, 3, 1))
    clock.set(datetime(2027, 3, 1, 16, 1, tzinfo=UTC))  # a minute past midnight in Lishui
    with pytest.raises(RuleViolation):
        await started(runtime, lishui, order)


async def test_work_done_by_somebody_unfit_is_recorded_and_marked_with_the_article(
    runtime, lishui, place
):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    _, cleanings = await completed(runtime, lishui, order, people=["LS001", "LS009"])
    assert [(v["article"], v["reason"]) for v in cleanings[0].violations] == [
        ("17(2)", "never_trained"),
        ("17(2)", "never_examined"),
    ]


async def test_a_record_that_lacks_fields_names_each_of_them_and_changes_nothing(
    runtime, lishui, place
):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    record = a_cleaning_record(runtime.now())
    del record["disinfectant_batch"], record["confined_space_permit"]["air_tested_at"]
    with pytest.raises(Invalid) as error:
        async with runtime.work(lishui.crew) as work:
            await complete_work_order(work, order.id, CompleteWorkOrder(record=record))
    assert {p.field for p in error.value.problems} == {
        "record.disinfectant_batch",
        "record.confined_space_permit.air_tested_at",
    }
    async with runtime.read() as work:
        assert (await work.session.exec(select(Cleaning))).all() == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("standing_minutes", 29, "too_small"),
        ("refilled_to", "2026-11-23T00:20:00+08:00", "before"),
        ("contact_minutes", "ten", "unreadable"),
        ("concentration_mg_l", -100, "too_small"),
        ("rinsed", False, "not_confirmed"),
        ("people", [None], "unreadable"),
        ("people", ["LS001", " "], "unreadable"),
    ],
)
async def test_a_record_that_cannot_be_true_is_refused_by_field(
    runtime, lishui, place, field, value, code
):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    with pytest.raises(Invalid) as error:
        await completed(runtime, lishui, order, **{field: value})
    assert (f"record.{field}", code) in {(p.field, p.code) for p in error.value.problems}


async def test_a_tank_refilled_faster_than_any_pump_can_is_refused(runtime, lishui, place):
    facility, tank = place
    async with runtime.work() as work:
        (await work.session.merge(tank)).volume_m3 = 2000
    order = await an_order(runtime, lishui, facility)
    with pytest.raises(Invalid) as error:
        await completed(runtime, lishui, order)
    assert {p.code for p in error.value.problems} == {"impossible_flow"}


async def test_a_record_entered_days_later_is_marked_a_late_entry(runtime, lishui, place, clock):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    record = a_cleaning_record(runtime.now())
    clock.set(runtime.now() + timedelta(days=3))
    async with runtime.work(lishui.crew) as work:
        command = CompleteWorkOrder(record=record, late_reason="泵房内无信号")
        _, cleanings = await complete_work_order(work, order.id, command)
    assert cleanings[0].late_reason == "泵房内无信号"
    assert "late_entry" in cleanings[0].flags


async def test_the_tank_returns_to_service_on_the_sample_taken_and_the_field_set_passed(
    runtime, lishui, place
):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    _, (cleaning,) = await completed(runtime, lishui, order)
    good = {"free_chlorine": "0.30", "turbidity": "0.3", "ph": "7.2"}

    async def back(results):
        async with runtime.work(lishui.crew) as work:
            return await return_to_service(
                work, cleaning.id, ReturnToService(field_results=results)
            )

    reasons = []
    for results in (good, good | {"turbidity": "1.01"}, {"ph": "7.2"}):
        with pytest.raises(RuleViolation) as refusal:
            await back(results)
        reasons.append(refusal.value.refused.reason)
        if len(reasons) == 1:
            await sampled(runtime, lishui, facility, tank)
    assert reasons == ["sample_not_taken", "field_set_not_passed", "field_set_incomplete"]
    assert (await back(good)).returned_to_service_at is not None


async def test_a_cancelled_order_leaves_its_duty_to_the_next_sweep(runtime, lishui, place):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    async with runtime.work(lishui.manager) as work:
        await cancel_work_order(work, order.id, CancelWorkOrder(reason="台风"))
    with pytest.raises(Conflict):
        await completed(runtime, lishui, order)
    assert await cleaning_duty(runtime, lishui, tank) == [("2027-01-15", "upcoming")]


async def test_an_order_is_completed_once(runtime, lishui, place):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    done, _ = await completed(runtime, lishui, order)
    with pytest.raises(Conflict):
        await completed(runtime, lishui, order)
    assert done.state is WorkOrderState.completed


async def test_an_outsider_does_not_even_learn_that_an_order_exists(runtime, lishui, place):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    with pytest.raises(NotFound):
        async with runtime.work(lishui.outsider) as work:
            await start_work_order(work, order.id)


async def test_crew_work_on_their_own_orders_and_an_account_tied_to_nobody_on_any(
    runtime, lishui, place
):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    await planned(runtime, lishui, order, crew=("LS001",))
    async with runtime.read() as work:
        people = {one.code: one.id for one in await work.session.exec(select(Staff))}
    another = replace(lishui.crew, staff_id=people["LS002"])
    with pytest.raises(NotPermitted):
        async with runtime.work(another) as work:
            await start_work_order(work, order.id)
    assert lishui.crew.staff_id is None
    await started(runtime, lishui, order)
    async with runtime.work(another) as work:  # what happened can always be recorded
        command = CompleteWorkOrder(record=a_cleaning_record(work.now))
        _, (cleaning,) = await complete_work_order(work, order.id, command)
    assert cleaning.flags == ["not_assigned"]


async def test_an_inspector_may_not_do_the_crews_work(runtime, lishui, place):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    with pytest.raises(NotPermitted):
        async with runtime.work(lishui.inspector) as work:
            await start_work_order(work, order.id)


@pytest.mark.parametrize(
    ("parameter", "raw", "code"),
    [
        ("ph", "71", "impossible"),
        ("turbidity", "-0.3", "impossible"),
        ("free_chlorine", "O.3O", "unreadable"),
        ("phlogiston", "1", "unknown_parameter"),
    ],
)
async def test_a_result_that_cannot_be_true_is_refused(
    runtime, lishui, place, parameter, raw, code
):
    facility, tank = place
    with pytest.raises(Invalid) as error:
        await sampled(runtime, lishui, facility, tank, {parameter: raw})
    assert [p.code for p in error.value.problems] == [code]


async def test_two_completions_at_once_record_one_cleaning(runtime, lishui, place):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    results = await asyncio.gather(
        *(completed(runtime, lishui, order) for _ in range(2)), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "tuple"]
    async with runtime.read() as work:
        assert len((await work.session.exec(select(Cleaning))).all()) == 1


async def test_two_samples_at_once_credit_the_cleaning_once(runtime, lishui, place):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    await asyncio.gather(
        *(sampled(runtime, lishui, facility, tank, routine_results()) for _ in range(3))
    )
    assert await cleaning_duty(runtime, lishui, tank) == [
        ("2027-01-15", "satisfied"),
        ("2027-05-23", "upcoming"),
    ]


async def test_a_manager_takes_over_what_the_sweep_opened(runtime, lishui, place, clock):
    facility, tank = place
    clock.set(datetime(2026, 12, 2, 1, tzinfo=UTC))
    await sweep(runtime)
    order = await an_order(runtime, lishui, facility)
    async with runtime.read() as work:
        orders = {o.id: o for o in await work.session.exec(select(WorkOrder))}
        tasks = await work.session.exec(
            select(WorkOrderTask).where(
                col(WorkOrderTask.live), WorkOrderTask.subject_id == tank.id
            )
        )
        assert [task.work_order_id for task in tasks] == [order.id]
    (swept,) = (o for id_, o in orders.items() if id_ != order.id)
    assert (swept.state, swept.cancel_reason) == (WorkOrderState.cancelled, "superseded")


async def test_a_failed_sample_sends_a_crew_again(runtime, lishui, place, clock):
    facility, tank = place
    clock.set(datetime(2026, 12, 2, 1, tzinfo=UTC))
    await sweep(runtime)
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    await sampled(runtime, lishui, facility, tank, routine_results() | {"turbidity": "1.01"})
    await sweep(runtime)
    async with runtime.read() as work:
        states = [
            o.state
            for o in await work.session.exec(select(WorkOrder).order_by(col(WorkOrder.created_at)))
        ]
    assert sorted(states) == ["cancelled", "completed", "open"]


async def test_who_is_back_on_the_crew_is_not_told_as_withdrawn(runtime, lishui, place):
    facility, _ = place
    order = await an_order(runtime, lishui, facility)
    for crew in (("LS001", "LS002"), ("LS001", "LS003"), ("LS001", "LS002")):
        await planned(runtime, lishui, order, crew=crew)
    async with runtime.read() as work:
        parts = (await parts_of_orders(work, [order]))[order.id]
    assert parts.crew == ["LS001", "LS002"]
    assert [one["code"] for one in parts.withdrawn] == ["LS003"]
