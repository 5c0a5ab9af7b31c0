"""Sampling plans as duties, and the sample each cleaning wants (art. 17(4))."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import col, select

from tests.builders import a_facility, a_tank, install
from tests.records import routine_results
from tests.services.register_files import take
from water2.domain.cleaning import Cleaning
from water2.domain.duty import Duty
from water2.domain.errors import Conflict, Invalid, NotPermitted, RuleViolation
from water2.domain.ledger import LedgerEntry
from water2.domain.water import Point, Purpose
from water2.services.duties import rederive
from water2.services.duty_queries import DutyFilters, list_duties
from water2.services.endings import EndOfLife, end_facility, end_tank
from water2.services.importing.source import Source
from water2.services.importing.take_back import take_back_import
from water2.services.policy import set_policy
from water2.services.sample_results import GivenResult
from water2.services.samples import AddResults, RecordSample, add_results, record_sample
from water2.services.sampling_plans import (
    EndSamplingPlan,
    MakeSamplingPlan,
    end_sampling_plan,
    make_sampling_plan,
)
from water2.services.sweep import sweep

TODAY = date(2026, 11, 23)
OLD = "记录编号,泵房编号,水箱编号,清洗日期,清洗单位,采样日期,报告编号,检测结论\n"


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T04:00:00+00:00")


@pytest.fixture
async def site(runtime, lishui):
    async with runtime.work() as work:
        facility = await a_facility(work, lishui.utility)
        return facility, await a_tank(work, lishui.utility, facility)


async def planned(lishui, facility, **changes):
    given = {"point": Point.terminal, "purpose": Purpose.routine, "months": 1}
    command = MakeSamplingPlan(facility_id=facility.id, **(given | changes))
    async with lishui.runtime.work(lishui.manager) as work:
        return await make_sampling_plan(work, command)


async def sampled(lishui, facility, results=None, tank=None, **changes):
    given = {"point": Point.terminal, "purpose": Purpose.routine}
    results = routine_results() if results is None else results
    command = RecordSample(
        facility_id=facility.id,
        tank_id=tank.id if tank else None,
        sampled_at=lishui.runtime.now() - timedelta(minutes=5),
        results=[GivenResult(parameter=key, raw=raw) for key, raw in results.items()],
        **(given | changes),
    )
    async with lishui.runtime.work(lishui.crew) as work:
        return await record_sample(work, command)


async def cleaned(lishui, tank, on):
    async with lishui.runtime.work() as work:
        cleaning = Cleaning(
            utility_id=lishui.utility.id,
            facility_id=tank.facility_id,
            tank_id=tank.id,
            subject_id=tank.id,
            cleaned_on=on,
            recorded_at=work.now,
        )
        work.session.add(cleaning)
        await rederive(work, lishui.utility, facility_ids=[tank.facility_id])
        return cleaning


async def duties(lishui, obligation):
    async with lishui.runtime.read(lishui.inspector) as work:
        page = await list_duties(work, lishui.utility, DutyFilters(obligation=obligation))
        return [(d["due_on"], d["state"], d["subject"]["code"]) for d in page.items]


async def chain_of(lishui, subject):
    async with lishui.runtime.read() as work:
        rows = await work.session.exec(
            select(Duty).where(Duty.subject_id == subject.id).order_by(col(Duty.ordinal))
        )
        return [
            (d.due_on.isoformat(), d.satisfied_by, d.end_reason and d.end_reason.value)
            for d in rows
        ]


async def test_a_plan_owes_one_sample_by_the_end_of_its_first_interval(lishui, site):
    facility, _ = site
    plan = await planned(lishui, facility)
    assert await duties(lishui, "testing.plan") == [("2026-12-23", "due_soon", "BY-001")]
    async with lishui.runtime.read(lishui.inspector) as work:
        page = await list_duties(work, lishui.utility, DutyFilters(obligation="testing.plan"))
    shown = page.items[0]
    assert (shown["article"], shown["basis"], shown["facility_code"]) == (
        "17(4)",
        "target",
        "BY-001",
    )
    assert shown["subject"]["type"] == "sampling_plan"
    assert shown["subject"]["id"] == plan.id


async def test_without_any_plan_the_regular_test_is_owed_and_nothing_else(lishui, site):
    assert await duties(lishui, "testing.plan") == []
    assert len(await duties(lishui, "testing")) == 1


async def test_a_sample_with_all_items_satisfies_the_plan_and_makes_the_next(lishui, site, clock):
    facility, _ = site
    plan = await planned(lishui, facility)
    clock.set(at("2026-12-10"))
    sample = await sampled(lishui, facility)
    assert await chain_of(lishui, plan) == [
        ("2026-12-23", sample.id, None),
        ("2027-01-10", None, None),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"results": {"turbidity": "0.3"}}, id="it lacks items"),
        pytest.param({"point": Point.outlet}, id="another point"),
        pytest.param({"purpose": Purpose.extended}, id="another purpose"),
        pytest.param({"accreditation_valid_to": date(2026, 1, 1)}, id="no accreditation that day"),
    ],
)
async def test_what_is_no_test_under_the_plan_satisfies_nothing(lishui, site, clock, changes):
    facility, _ = site
    plan = await planned(lishui, facility)
    clock.set(at("2026-12-10"))
    await sampled(lishui, facility, **changes)
    assert await chain_of(lishui, plan) == [("2026-12-23", None, None)]


async def test_an_incomplete_sample_counts_once_the_laboratory_sent_the_rest(lishui, site, clock):
    facility, _ = site
    plan = await planned(lishui, facility)
    clock.set(at("2026-12-10"))
    sample = await sampled(lishui, facility, {"turbidity": "0.3"})
    clock.set(at("2026-12-15"))
    rest = {key: raw for key, raw in routine_results().items() if key != "turbidity"}
    async with lishui.runtime.work(lishui.crew) as work:
        results = [GivenResult(parameter=key, raw=raw) for key, raw in rest.items()]
        await add_results(work, sample.id, AddResults(results=results))
    assert await chain_of(lishui, plan) == [
        ("2026-12-23", sample.id, None),
        ("2027-01-10", None, None),
    ]


async def test_an_extended_plan_asks_for_parameters_of_its_own_at_any_interval(lishui, site, clock):
    facility, _ = site
    plan = await planned(
        lishui, facility, purpose=Purpose.extended, months=12, parameters=["lead", "arsenic"]
    )
    clock.set(at("2027-01-10"))
    await sampled(lishui, facility, {"lead": "<0.001"}, purpose=Purpose.extended)
    whole = await sampled(
        lishui, facility, {"lead": "<0.001", "arsenic": "<0.001"}, purpose=Purpose.extended
    )
    assert await chain_of(lishui, plan) == [
        ("2027-11-23", whole.id, None),
        ("2028-01-10", None, None),
    ]


async def test_samples_from_before_the_plan_are_not_its_own(lishui, site, clock):
    facility, _ = site
    await sampled(lishui, facility)
    clock.set(at("2026-12-01"))
    plan = await planned(lishui, facility)
    assert await chain_of(lishui, plan) == [("2027-01-01", None, None)]


async def test_a_routine_plan_is_as_strict_as_the_rulebook_or_the_utilitys_own_value(lishui, site):
    facility, _ = site
    with pytest.raises(RuleViolation) as refused:
        await planned(lishui, facility, months=4)
    assert refused.value.refused.reason == "looser_than_the_rulebook"
    assert refused.value.refused.provision.article == "17(4)"
    await planned(lishui, facility, months=3)
    async with lishui.runtime.work() as work:
        await set_policy(work, lishui.utility, "testing", "months", 2)
    with pytest.raises(RuleViolation):
        await planned(lishui, facility, months=3, point=Point.outlet)


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"item_set": "nothing"}, "item_set", "unknown_item_set"),
        ({"parameters": ["lead"]}, "parameters", "plan_items_twice"),
        ({"purpose": Purpose.extended}, "parameters", "plan_without_items"),
        (
            {"purpose": Purpose.extended, "parameters": ["lead", "gold", "lead"]},
            "parameters.1",
            "unknown_parameter",
        ),
    ],
)
async def test_items_nobody_can_test_are_refused(lishui, site, changes, field, code):
    facility, _ = site
    with pytest.raises(Invalid) as refused:
        await planned(lishui, facility, **changes)
    assert (refused.value.problems[0].field, refused.value.problems[0].code) == (field, code)


async def test_a_point_has_one_routine_plan_at_a_time(lishui, site):
    facility, _ = site
    first = await planned(lishui, facility)
    with pytest.raises(Conflict):
        await planned(lishui, facility)
    await planned(lishui, facility, point=Point.outlet)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_sampling_plan(work, first.id, EndSamplingPlan())
    await planned(lishui, facility)


async def test_an_ended_plan_owes_nothing_from_that_day_and_ends_once(lishui, site, clock):
    facility, _ = site
    plan = await planned(lishui, facility)
    clock.set(at("2026-12-10"))
    sample = await sampled(lishui, facility)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_sampling_plan(work, plan.id, EndSamplingPlan())
    assert await chain_of(lishui, plan) == [
        ("2026-12-23", sample.id, None),
        ("2027-01-10", None, "plan_ended"),
    ]
    with pytest.raises(Conflict):
        async with lishui.runtime.work(lishui.manager) as work:
            await end_sampling_plan(work, plan.id, EndSamplingPlan())
    clock.set(at("2026-12-20"))
    await sampled(lishui, facility)
    assert len(await chain_of(lishui, plan)) == 2


@pytest.mark.parametrize(
    ("on", "code"), [(date(2026, 11, 22), "before_start"), (date(2026, 11, 24), "in_future")]
)
async def test_a_plan_ends_on_a_day_it_ran(lishui, site, on, code):
    facility, _ = site
    plan = await planned(lishui, facility)
    with pytest.raises(Invalid) as refused:
        async with lishui.runtime.work(lishui.manager) as work:
            await end_sampling_plan(work, plan.id, EndSamplingPlan(ended_on=on))
    assert refused.value.problems[0].code == code


async def test_a_plan_ends_with_its_facility(lishui, site):
    facility, _ = site
    plan = await planned(lishui, facility)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_facility(work, facility.id, EndOfLife(on=TODAY))
    assert await chain_of(lishui, plan) == [("2026-12-23", None, "out_of_use")]
    with pytest.raises(Conflict):
        await planned(lishui, facility)


async def test_plans_are_made_by_managers_and_told_in_the_facilitys_ledger(lishui, site):
    facility, _ = site
    command = MakeSamplingPlan(facility_id=facility.id, point="inlet", purpose="routine", months=1)
    for actor in (lishui.crew, lishui.inspector):
        with pytest.raises(NotPermitted):
            async with lishui.runtime.work(actor) as work:
                await make_sampling_plan(work, command)
    plan = await planned(lishui, facility)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_sampling_plan(work, plan.id, EndSamplingPlan())
    async with lishui.runtime.read() as work:
        types = await work.session.exec(
            select(LedgerEntry.type)
            .where(LedgerEntry.ledger_id == facility.ledger_id)
            .order_by(LedgerEntry.seq)
        )
        assert types.all() == ["sampling_plan.made", "sampling_plan.ended"]


async def test_a_place_that_demands_no_tests_has_no_plans(runtime):
    newyork = await install(runtime, place="us-nyc", code="NY")
    async with runtime.work() as work:
        facility = await a_facility(work, newyork.utility)
    with pytest.raises(Invalid) as refused:
        await planned(newyork, facility)
    assert refused.value.problems[0].code == "not_demanded_here"


# the sample each cleaning wants


async def test_a_cleaning_wants_its_sample_by_the_next_day(lishui, site):
    _, tank = site
    await cleaned(lishui, tank, TODAY)
    assert await duties(lishui, "testing.after_cleaning") == [("2026-11-24", "due_soon", "1#")]


async def test_the_own_sample_satisfies_it_whatever_it_finds(lishui, site):
    facility, tank = site
    cleaning = await cleaned(lishui, tank, TODAY)
    own = {"tank": tank, "point": Point.outlet, "purpose": Purpose.after_cleaning}
    sample = await sampled(lishui, facility, {"turbidity": "3"}, **own)
    assert await chain_of(lishui, cleaning) == [("2026-11-24", sample.id, None)]


async def test_a_later_cleaning_takes_its_place(lishui, site, clock):
    facility, tank = site
    first = await cleaned(lishui, tank, TODAY)
    clock.set(at("2026-12-10"))
    second = await cleaned(lishui, tank, date(2026, 12, 10))
    assert await chain_of(lishui, first) == [("2026-11-24", None, "superseded")]
    assert await chain_of(lishui, second) == [("2026-12-11", None, None)]
    own = {"tank": tank, "point": Point.outlet, "purpose": Purpose.after_cleaning}
    sample = await sampled(lishui, facility, **own)
    assert await chain_of(lishui, first) == [("2026-11-24", None, "superseded")]
    assert await chain_of(lishui, second) == [("2026-12-11", sample.id, None)]


async def test_one_that_came_on_record_after_a_later_one_demands_nothing(lishui, site, clock):
    _, tank = site
    clock.set(at("2026-12-20"))
    await cleaned(lishui, tank, date(2026, 12, 19))
    late = await cleaned(lishui, tank, date(2026, 12, 1))
    assert await chain_of(lishui, late) == []


async def test_history_from_before_the_first_day_makes_no_such_duty(lishui, site):
    text = OLD + "OLD1,BY-001,1#,2026-08-10,甲,,,\nOLD2,BY-001,1#,2026-11-22,甲,,,\n"
    report = await take(lishui, Source("清洗消毒记录.csv", text.encode()))
    assert report.files[0].accepted == 2
    assert await duties(lishui, "testing.after_cleaning") == []


async def test_an_import_taken_back_leaves_none_behind(lishui, site, clock):
    _, tank = site
    first = await cleaned(lishui, tank, TODAY)
    clock.set(at("2026-12-20"))
    text = OLD + "NEW1,BY-001,1#,2026-12-10,甲,2026-12-10,R1,合格\n"
    report = await take(lishui, Source("清洗消毒记录.csv", text.encode()))
    assert await chain_of(lishui, first) == [("2026-11-24", None, "superseded")]
    assert len(await duties(lishui, "testing.after_cleaning")) == 2
    async with lishui.runtime.work(lishui.manager) as work:
        await take_back_import(work, report.files[0].import_id)
    assert await chain_of(lishui, first) == [("2026-11-24", None, None)]
    assert len(await duties(lishui, "testing.after_cleaning")) == 1


async def test_a_tank_out_of_use_wants_no_sample_any_more(lishui, site):
    _, tank = site
    cleaning = await cleaned(lishui, tank, TODAY)
    async with lishui.runtime.work(lishui.manager) as work:
        await end_tank(work, tank.id, EndOfLife(on=TODAY))
    assert await chain_of(lishui, cleaning) == [("2026-11-24", None, "out_of_use")]


async def test_a_facility_without_a_tank_wants_it_itself(lishui):
    async with lishui.runtime.work() as work:
        facility = await a_facility(work, lishui.utility, "BY-009", tankless=True)
        work.session.add(
            Cleaning(
                utility_id=lishui.utility.id,
                facility_id=facility.id,
                subject_id=facility.id,
                cleaned_on=TODAY,
                recorded_at=work.now,
            )
        )
        await rederive(work, lishui.utility, facility_ids=[facility.id])
    assert await duties(lishui, "testing.after_cleaning") == [("2026-11-24", "due_soon", "BY-009")]


async def test_deriving_and_sweeping_again_changes_nothing(lishui, site, clock):
    facility, tank = site
    await planned(lishui, facility)
    await cleaned(lishui, tank, TODAY)
    clock.set(at("2026-11-26"))
    await cleaned(lishui, tank, date(2026, 11, 25))
    await sampled(lishui, facility)
    await sweep(lishui.runtime)

    async def all_duties():
        async with lishui.runtime.read() as work:
            return [d.model_dump() for d in await work.session.exec(select(Duty).order_by(Duty.id))]

    before = await all_duties()
    async with lishui.runtime.work() as work:
        await rederive(work, lishui.utility, facility_ids=[facility.id], itself=True)
    assert (await sweep(lishui.runtime)).looked_at == 0
    assert await all_duties() == before
