"""What laboratories' reports credit: items they are accredited for, versions as they stand."""

from datetime import date

from sqlmodel import select

from tests.records import routine_results
from tests.services.test_work_orders import an_order, completed
from water2.domain.cleaning import Cleaning
from water2.services.lab_report_versions import ReplaceLabReport, replace_lab_report
from water2.services.lab_reports import RecordLabReport, record_lab_report
from water2.services.laboratories import (
    RegisterAccreditation,
    RegisterLaboratory,
    register_accreditation,
    register_laboratory,
)

NAME = "濯溪水质检测"


async def a_cleaned_tank(runtime, lishui, place):
    facility, tank = place
    order = await an_order(runtime, lishui, facility)
    await completed(runtime, lishui, order)
    return facility, tank


def a_report(runtime, facility, tank, number="R1", **raw):
    sample = {
        "facility_id": facility.id,
        "tank_id": tank.id,
        "point": "outlet",
        "purpose": "after_cleaning",
        "sampled_at": runtime.now(),
        "results": [{"parameter": k, "raw": v} for k, v in (routine_results() | raw).items()],
    }
    return {"number": number, "laboratory": NAME, "samples": [sample]}


async def registered(runtime, lishui, items):
    async with runtime.work(lishui.manager) as work:
        laboratory = await register_laboratory(work, RegisterLaboratory(name=NAME))
        await work.session.flush()
        accreditation = RegisterAccreditation(
            number="2300", valid_from=date(2024, 1, 1), items=items
        )
        await register_accreditation(work, laboratory.id, accreditation)
    return laboratory


async def credited_on(runtime):
    async with runtime.read() as work:
        return (await work.session.exec(select(Cleaning.credited_on))).one()


async def reported(runtime, lishui, told):
    async with runtime.work(lishui.manager) as work:
        return await record_lab_report(work, RecordLabReport.model_validate(told))


async def test_a_report_of_an_accredited_laboratory_credits_the_cleaning(runtime, lishui, place):
    facility, tank = await a_cleaned_tank(runtime, lishui, place)
    await registered(runtime, lishui, [])
    await reported(runtime, lishui, a_report(runtime, facility, tank))
    assert await credited_on(runtime) is not None


async def test_an_item_measured_without_accreditation_lacks_to_the_credit(runtime, lishui, place):
    facility, tank = await a_cleaned_tank(runtime, lishui, place)
    laboratory = await registered(runtime, lishui, [k for k in routine_results() if k != "ph"])
    await reported(runtime, lishui, a_report(runtime, facility, tank))
    assert await credited_on(runtime) is None
    async with runtime.work(lishui.manager) as work:
        wider = RegisterAccreditation(
            number="2301", valid_from=date(2025, 1, 1), items=sorted(routine_results())
        )
        await register_accreditation(work, laboratory.id, wider)
    assert await credited_on(runtime) is not None


async def test_a_laboratory_without_accreditation_credits_nothing_until_it_is_registered(
    runtime, lishui, place
):
    facility, tank = await a_cleaned_tank(runtime, lishui, place)
    await reported(runtime, lishui, a_report(runtime, facility, tank))
    assert await credited_on(runtime) is None
    await registered(runtime, lishui, [])
    assert await credited_on(runtime) is not None


async def test_a_version_that_fails_takes_the_credit_and_one_that_passes_gives_it_back(
    runtime, lishui, place
):
    facility, tank = await a_cleaned_tank(runtime, lishui, place)
    await registered(runtime, lishui, [])
    told = a_report(runtime, facility, tank)
    report = await reported(runtime, lishui, told)
    day = await credited_on(runtime)
    for turbidity, credited in (("3.0", None), ("0.40", day)):
        told = a_report(runtime, facility, tank, turbidity=turbidity) | {"reason": "更正"}
        async with runtime.work(lishui.manager) as work:
            version = ReplaceLabReport.model_validate(told)
            report = await replace_lab_report(work, report.id, version)
        assert await credited_on(runtime) == credited
