"""Filling an empty installation with the demonstration's utility, by the ways a utility has."""

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random

from sqlmodel import col, select

from water2.domain.access import SYSTEM
from water2.domain.facility import Facility
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Organisation, OrganisationKind, Utility
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.domain.work_order import WorkOrder, WorkOrderState
from water2.services.certificates import RevokeCertificate, revoke_certificate
from water2.services.demo import files, history
from water2.services.demo.anomalies import seed_anomalies
from water2.services.demo.emergency import seed_emergency_plan
from water2.services.demo.instruments import seed_instruments
from water2.services.demo.invention import (
    LABORATORY,
    SEED,
    Estate,
    Person,
    invent_estates,
    invent_people,
)
from water2.services.demo.outages import seed_outages
from water2.services.demo.patrol_books import take_up_patrols
from water2.services.duties import rederive
from water2.services.importing.import_files import ImportFiles, import_files
from water2.services.importing.source import Source
from water2.services.laboratories import (
    RegisterAccreditation,
    RegisterLaboratory,
    register_accreditation,
    register_laboratory,
)
from water2.services.planning import PlanWorkOrder, plan_work_order
from water2.services.sweep import sweep
from water2.services.work_orders import duties_served
from water2.work import Runtime, Work

ORDERS_PLANNED = 6


async def seed_demo(runtime: Runtime) -> None:
    """Fill the installation's one utility, relative to now; the same on every day.

    Raises:
        ValueError: the importer refused a row: the invention is at fault.
    """
    random = Random(SEED)  # noqa: S311 - invents a utility, protects nothing
    async with runtime.work(SYSTEM) as work:
        utility = (await work.session.exec(select(Utility))).one()
        today = work.today(utility.timezone)
        await _begin_earlier(work, utility, today)
        await _register_laboratory(work, utility, today)
    people = invent_people(random, today, utility.name)
    managers = [person.name for person in people if not person.handles_water]
    estates = invent_estates(random, today, managers)
    await _import(runtime, utility, _sources(random, today, estates, people))
    async with runtime.work(SYSTEM) as work:
        await take_up_patrols(work, utility, random, today)
        await seed_emergency_plan(work, utility, today)
    await sweep(runtime)
    await _plan_orders(runtime, utility, today)
    await seed_outages(runtime, utility)
    await seed_anomalies(runtime, utility)
    await seed_instruments(runtime, utility)


async def _begin_earlier(work: Work, utility: Utility, today: date) -> None:
    """Set the first day of operation back: what lapsed before it stands apart."""
    utility.first_day_on = today - timedelta(days=history.FIRST_DAY_AGO)
    work.session.add(utility)
    await rederive(work, utility, itself=True)
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="utility.first_day_set",
            subject=f"utility:{utility.id}",
            occurred_at=work.now,
            data={"first_day_on": utility.first_day_on.isoformat()},
        )
    )


async def _register_laboratory(work: Work, utility: Utility, today: date) -> None:
    """Enter the laboratory of the invented reports; its account enters more of them."""
    rows = await work.session.exec(
        select(Organisation.id).where(Organisation.kind == OrganisationKind.laboratory)
    )
    named = RegisterLaboratory(name=LABORATORY, organisation_id=rows.first(), utility_id=utility.id)
    laboratory = await register_laboratory(work, named)
    await work.session.flush()
    accreditation = RegisterAccreditation(
        number=files.ACCREDITATION,
        valid_from=today - timedelta(days=2000),
        valid_to=today + timedelta(days=900),
    )
    await register_accreditation(work, laboratory.id, accreditation)


def _sources(
    random: Random, today: date, estates: Sequence[Estate], people: Sequence[Person]
) -> list[Source]:
    return [
        files.facilities_file(estates),
        files.tanks_file(estates),
        files.buildings_file(estates),
        files.households_file(random, estates),
        files.people_file(people),
        files.cleanings_file(history.invent_cleanings(random, today, estates, people), today),
        files.samples_file(random, history.invent_samples(random, today, estates, people)),
    ]


async def _import(runtime: Runtime, utility: Utility, sources: Sequence[Source]) -> None:
    report = await import_files(runtime, SYSTEM, ImportFiles(utility.id, sources))
    for file in report.files:
        if file.problem or file.rejections:
            raise ValueError(f"{file.name}: {file.problem} {file.rejections[:3]}")


async def _plan_orders(runtime: Runtime, utility: Utility, today: date) -> None:
    """Plan some of the orders the sweep opened, then have one person's certificate revoked."""
    async with runtime.work(SYSTEM) as work:
        crew = await _fit_crew(work, utility, today)
        orders = await work.session.exec(
            select(WorkOrder)
            .join(Facility, col(Facility.id) == WorkOrder.facility_id)
            .where(WorkOrder.utility_id == utility.id, WorkOrder.state == WorkOrderState.open)
            .order_by(Facility.code)
            .limit(ORDERS_PLANNED)
        )
        for number, order in enumerate(orders.all()):
            on = today + timedelta(days=1 + number)
            due = [duty.due_on for duty in await duties_served(work, order)]
            lawful = min((day for day in due if day >= today), default=on)
            crew_of_day = [card.code for card in crew[number : number + 3]]
            plan = PlanWorkOrder(on=min(on, lawful), crew=crew_of_day, stops_supply=False)
            await plan_work_order(work, order.id, plan)
        card = await _last_card(work, crew[1])
        await revoke_certificate(
            work, card.id, RevokeCertificate(on=today, reason="复检未通过（演示）")
        )


async def _fit_crew(work: Work, utility: Utility, today: date) -> list[Staff]:
    """Return people whose certificates last for weeks."""
    rows = await work.session.exec(
        select(Staff)
        .join(Certificate, col(Certificate.staff_id) == Staff.id)
        .where(
            Staff.utility_id == utility.id,
            Certificate.kind == CertificateKind.health,
            col(Certificate.valid_to) > today + timedelta(days=60),
        )
        .order_by(Staff.code)
        .limit(ORDERS_PLANNED + 3)
    )
    return list(rows)


async def _last_card(work: Work, person: Staff) -> Certificate:
    rows = await work.session.exec(
        select(Certificate)
        .where(Certificate.staff_id == person.id, Certificate.kind == CertificateKind.health)
        .order_by(col(Certificate.done_on).desc())
    )
    card = rows.first()
    if card is None:
        raise ValueError(person.id)  # _fit_crew asked for one
    return card
