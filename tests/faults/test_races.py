"""Two acts at once come out as if one had come after the other, whichever was first."""

from datetime import UTC, date, datetime

import pytest
from sqlmodel import col, select

from tests.builders import a_certificate, a_facility, a_person, a_tank
from tests.faults.racing import outcome, race
from tests.records import a_cleaning_record, routine_results
from water2.domain.cleaning import Cleaning
from water2.domain.entry import parse_entry
from water2.domain.errors import Conflict, RuleViolation
from water2.domain.ledger import LedgerEntry
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.domain.water import Point, Purpose
from water2.domain.work_order import Assignment, WorkOrder, WorkOrderKind, WorkOrderTask
from water2.services.certificates import RevokeCertificate, revoke_certificate
from water2.services.cleanings import CompleteWorkOrder, complete_work_order
from water2.services.credit import ReturnToService, return_to_service
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.sample_results import GivenResult
from water2.services.samples import RecordSample, record_sample
from water2.services.staff import LeaveStaff, leave
from water2.services.sweep import sweep, sweep_batch
from water2.services.work_orders import (
    CancelWorkOrder,
    CreateWorkOrder,
    cancel_work_order,
    create_work_order,
    start_work_order,
)

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
TODAY = date(2026, 11, 23)


@pytest.fixture
async def place(runtime, lishui):
    """A facility with one tank, and two people fit to clean it."""
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility, in_service_on=date(2026, 7, 15))
        await a_tank(work, lishui.utility, facility)
        for code in ("LS001", "LS002"):
            await a_fit_person(work, lishui.utility, code)
    return facility


async def a_fit_person(work, utility, code):
    person = await a_person(work, utility, code)
    training = {"kind": CertificateKind.training, "number": f"PX{code}"}
    await a_certificate(work, utility, person, date(2024, 1, 2), **training)
    await a_certificate(work, utility, person, date(2026, 3, 1))


def creating(facility):
    command = CreateWorkOrder(kind=WorkOrderKind.cleaning, facility_id=facility.id)
    return lambda work: create_work_order(work, command)


def planning(order, *crew):
    plan = PlanWorkOrder(on=TODAY, crew=list(crew), stops_supply=False)
    return lambda work: plan_work_order(work, order.id, plan)


def starting(order):
    return lambda work: start_work_order(work, order.id)


def completing(order):
    async def act(work):
        record = a_cleaning_record(work.now)
        return await complete_work_order(work, order.id, CompleteWorkOrder(record=record))

    return act


def cancelling(order):
    return lambda work: cancel_work_order(work, order.id, CancelWorkOrder(reason="台风"))


def revoking(card_id):
    command = RevokeCertificate(on=TODAY, reason="体检机构更正")
    return lambda work: revoke_certificate(work, card_id, command)


def leaving(staff_id):
    return lambda work: leave(work, staff_id, LeaveStaff(on=date(2026, 11, 22)))


def sampling(facility, tank_id, results=None, purpose=Purpose.after_cleaning):
    given = [GivenResult(parameter=k, raw=v) for k, v in (results or {}).items()]

    def act(work):
        command = RecordSample(
            facility_id=facility.id,
            tank_id=tank_id,
            point=Point.outlet,
            purpose=purpose,
            sampled_at=work.now,
            results=given,
        )
        return record_sample(work, command)

    return act


def returning(cleaning_id):
    good = {"free_chlorine": "0.30", "turbidity": "0.3", "ph": "7.2"}
    return lambda work: return_to_service(work, cleaning_id, ReturnToService(field_results=good))


def sweeping(utility):
    return lambda work: sweep_batch(work, utility)


async def rows(runtime, *columns, where=()):
    async with runtime.read() as work:
        return list((await work.session.execute(select(*columns).where(*where))).all())


async def health_card(runtime, code):
    """Return the id of a person's health certificate, and the person's own."""
    card = (
        select(Certificate.id, Certificate.staff_id)
        .join(Staff, col(Staff.id) == Certificate.staff_id)
        .where(Staff.code == code, Certificate.kind == CertificateKind.health)
    )
    async with runtime.read() as work:
        return (await work.session.execute(card)).one()


async def crew(runtime, order):
    where = (Assignment.work_order_id == order.id, col(Assignment.withdrawn_at).is_(None))
    return {row[0] for row in await rows(runtime, Assignment.staff_id, where=where)}


async def reasons(runtime):
    found = await rows(runtime, Assignment.withdrawn_because)
    return sorted(row[0].value for row in found if row[0])


async def told(runtime, type_):
    bodies = await rows(runtime, LedgerEntry.body, where=(LedgerEntry.type == type_,))
    return [parse_entry(row[0])["data"] for row in bodies]


async def live_subjects(runtime):
    """Return each task that somebody is still to do: its subject, its order's origin."""
    found = select(WorkOrderTask.subject_id, WorkOrder.origin).join(
        WorkOrder, col(WorkOrder.id) == WorkOrderTask.work_order_id
    )
    async with runtime.read() as work:
        live = await work.session.execute(found.where(col(WorkOrderTask.live)))
        return sorted((subject, origin.value) for subject, origin in live.all())


async def test_whoever_is_planned_while_unfit_is_withdrawn_or_never_sent(runtime, place):
    order = await outcome(runtime, creating(place))
    (card, staff_id), plan = await health_card(runtime, "LS001"), planning(order, "LS001", "LS002")
    _, (_, withdrawn), waited = await race(runtime, plan, revoking(card))
    assert (waited, withdrawn) == (True, 1)
    assert staff_id not in await crew(runtime, order)
    assert len(await crew(runtime, order)) == 1


async def test_whose_certificate_is_just_revoked_is_not_planned(runtime, place):
    order = await outcome(runtime, creating(place))
    card, _ = await health_card(runtime, "LS001")
    _, refusal, waited = await race(runtime, revoking(card), planning(order, "LS001", "LS002"))
    assert waited
    assert isinstance(refusal, RuleViolation)
    assert await crew(runtime, order) == set()


async def test_who_leaves_while_being_planned_is_withdrawn(runtime, place):
    order = await outcome(runtime, creating(place))
    _, staff_id = await health_card(runtime, "LS001")
    await race(runtime, planning(order, "LS001", "LS002"), leaving(staff_id))
    assert len(await crew(runtime, order) - {staff_id}) == 1
    assert await reasons(runtime) == ["left"]


async def test_who_has_just_left_is_not_planned(runtime, place):
    order = await outcome(runtime, creating(place))
    _, staff_id = await health_card(runtime, "LS001")
    _, refusal, _ = await race(runtime, leaving(staff_id), planning(order, "LS001"))
    assert isinstance(refusal, RuleViolation)


async def test_work_that_begins_first_keeps_its_people(runtime, place):
    order = await outcome(runtime, creating(place))
    await outcome(runtime, planning(order, "LS001", "LS002"))
    card, staff_id = await health_card(runtime, "LS001")
    _, (_, withdrawn), waited = await race(runtime, starting(order), revoking(card))
    assert (waited, withdrawn) == (True, 0)
    assert staff_id in await crew(runtime, order)


async def test_work_begins_without_whose_certificate_is_just_revoked(runtime, place):
    order = await outcome(runtime, creating(place))
    await outcome(runtime, planning(order, "LS001", "LS002"))
    card, staff_id = await health_card(runtime, "LS001")
    _, started, waited = await race(runtime, revoking(card), starting(order))
    assert (waited, started.state) == (True, "started")
    (entry,) = await told(runtime, "work_order.started")
    assert entry["crew"] == sorted(await crew(runtime, order))
    assert staff_id not in entry["crew"]


async def test_who_is_planned_no_more_is_not_withdrawn_again(runtime, place):
    order = await outcome(runtime, creating(place))
    await outcome(runtime, planning(order, "LS001", "LS002"))
    card, _ = await health_card(runtime, "LS001")
    _, (_, withdrawn), _ = await race(runtime, planning(order, "LS002"), revoking(card))
    assert withdrawn == 0
    assert await reasons(runtime) == ["replanned"]


async def test_two_plans_for_the_same_people_do_not_wait_for_each_other(runtime, lishui, place):
    async with runtime.work() as work:
        other = await a_facility(work, lishui.utility, "BY-002")
    orders = [await outcome(runtime, creating(one)) for one in (place, other)]
    plans = [planning(order, "LS001", "LS002") for order in orders]
    _, planned, waited = await race(runtime, *plans)
    assert (waited, planned.state) == (False, "planned")


async def test_of_two_completions_the_second_is_told_that_it_is_done(runtime, place):
    order = await outcome(runtime, creating(place))
    _, refusal, waited = await race(runtime, completing(order), completing(order))
    assert waited
    assert isinstance(refusal, Conflict)
    assert len(await rows(runtime, Cleaning.id)) == 1


async def test_a_tank_returns_to_service_on_the_sample_that_is_just_recorded(runtime, place):
    order = await outcome(runtime, creating(place))
    _, (cleaning,) = await outcome(runtime, completing(order))
    assert isinstance(await outcome(runtime, returning(cleaning.id)), RuleViolation)
    sample = sampling(place, cleaning.tank_id, routine_results())
    _, returned, waited = await race(runtime, sample, returning(cleaning.id))
    assert waited
    assert returned.returned_to_service_at is not None
    assert returned.credited_on == TODAY


async def test_a_tank_returns_to_service_once(runtime, place):
    order = await outcome(runtime, creating(place))
    _, (cleaning,) = await outcome(runtime, completing(order))
    await outcome(runtime, sampling(place, cleaning.tank_id))
    _, refusal, _ = await race(runtime, returning(cleaning.id), returning(cleaning.id))
    assert isinstance(refusal, Conflict)
    assert len(await told(runtime, "tank.returned_to_service")) == 1


@pytest.fixture
async def half_opened(runtime, lishui, place, clock):
    """The tank of the facility stands on an order of the sweep's; another has just come due."""
    clock.set(datetime(2026, 12, 2, 1, tzinfo=UTC))
    await sweep(runtime)
    async with runtime.work() as work:
        await a_tank(work, lishui.utility, place, "2#")
    return place


async def test_a_manager_takes_over_what_the_sweep_is_just_opening(runtime, lishui, half_opened):
    swept, _, waited = await race(runtime, sweeping(lishui.utility), creating(half_opened))
    assert (waited, swept.opened > 0) == (True, True)
    assert [origin for _, origin in await live_subjects(runtime)] == ["person", "person"]


async def test_the_sweep_passes_by_where_a_manager_is_just_sending_a_crew(
    runtime, lishui, half_opened
):
    _, _, waited = await race(runtime, creating(half_opened), sweeping(lishui.utility))
    assert not waited
    await sweep(runtime)
    assert [origin for _, origin in await live_subjects(runtime)] == ["person", "person"]
    opened = [one["work_order"] for one in await told(runtime, "duty.opened")]
    assert len(set(opened) - {None}) == 1  # the sweep's own; nobody else was sent for the second


async def test_an_order_that_is_just_planned_is_joined_by_no_other_tank(
    runtime, lishui, half_opened
):
    ((order,),) = await rows(runtime, WorkOrder)
    plan = PlanWorkOrder(on=date(2026, 12, 2), crew=["LS001"], stops_supply=False)
    _, _, waited = await race(
        runtime, lambda work: plan_work_order(work, order.id, plan), sweeping(lishui.utility)
    )
    await sweep(runtime)
    assert not waited
    assert len(await live_subjects(runtime)) == len(await rows(runtime, WorkOrder)) == 2


async def test_an_order_joined_by_another_tank_is_planned_with_it(runtime, lishui, half_opened):
    ((order,),) = await rows(runtime, WorkOrder)
    plan = PlanWorkOrder(on=date(2026, 12, 2), crew=["LS001"], stops_supply=False)
    _, planned, waited = await race(
        runtime, sweeping(lishui.utility), lambda work: plan_work_order(work, order.id, plan)
    )
    assert (waited, planned.state) == (True, "planned")
    assert len(await live_subjects(runtime)) == 2


async def test_cancelling_and_sweeping_do_not_wait_in_a_circle(runtime, lishui, half_opened):
    ((order,),) = await rows(runtime, WorkOrder)
    _, cancelled, waited = await race(runtime, sweeping(lishui.utility), cancelling(order))
    assert (waited, cancelled.state) == (True, "cancelled")
    await sweep(runtime)  # the duties of both tanks are owed still
    assert len(await live_subjects(runtime)) == 2
