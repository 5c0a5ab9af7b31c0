"""The simulation lives its days soundly, and finds what somebody breaks."""

from datetime import date, timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import col, select

from water2.domain.access import SYSTEM
from water2.domain.duty import Duty
from water2.domain.staff import Certificate
from water2.services.simulation import simulate
from water2.services.simulation.oracle import months_after
from water2.services.simulation.running import Simulation
from water2.work import Runtime

A_SEASON = 45


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        pytest.param(date(2023, 8, 31), 6, date(2024, 2, 29), id="into a leap February"),
        pytest.param(date(2024, 8, 31), 6, date(2025, 2, 28), id="into a short February"),
        pytest.param(date(2024, 2, 29), 12, date(2025, 2, 28), id="a year from a leap day"),
        pytest.param(date(2025, 12, 30), 2, date(2026, 2, 28), id="over the year's end"),
        pytest.param(date(2025, 3, 31), 1, date(2025, 4, 30), id="to a month of thirty days"),
    ],
)
def test_the_oracle_goes_on_by_months_clamped(day: date, months: int, later: date) -> None:
    assert months_after(day, months) == later


async def test_a_season_is_lived_without_breaking_an_invariant(runtime: Runtime) -> None:
    simulation = await Simulation.begin(runtime, place="lishui", facilities=3, seed=11)
    for number in range(1, A_SEASON + 1):
        await simulation.live_a_day(thoroughly=number % 15 == 0)
    assert simulation.world.violations == []
    assert simulation.world.acts > A_SEASON / 2
    assert simulation.watch.entries > simulation.world.acts


async def test_no_years_are_no_days(runtime: Runtime) -> None:
    seen: list[tuple[int, int]] = []
    report = await simulate(
        runtime,
        place="lishui",
        facilities=1,
        years=0,
        seed=1,
        progress=lambda *told: seen.append(told),
    )
    assert (report.days, report.violations, seen) == (0, (), [])


@pytest.fixture
async def simulation(runtime: Runtime) -> Simulation:
    """A small world after its first sound days."""
    simulation = await Simulation.begin(runtime, place="lishui", facilities=2, seed=5)
    for _ in range(3):
        await simulation.live_a_day()
    assert simulation.world.violations == []
    return simulation


async def found_by(simulation: Simulation) -> set[str]:
    """The invariants that a thorough check finds broken."""
    await simulation.check(thoroughly=True)
    return {violation.invariant for violation in simulation.world.violations}


async def test_a_due_day_moved_behind_the_programs_back_is_found(simulation: Simulation) -> None:
    async with simulation.world.runtime.work(SYSTEM) as work:
        later = simulation.world.today + timedelta(days=400)
        await work.session.execute(
            update(Duty).where(col(Duty.obligation) == "cleaning").values(due_on=later)
        )
    assert {"one_unsatisfied_duty", "chain_equals_oracle"} <= await found_by(simulation)


async def test_a_duty_that_vanished_is_found_with_day_seed_and_subject(
    simulation: Simulation,
) -> None:
    async with simulation.world.runtime.work(SYSTEM) as work:
        duty = (await work.session.exec(select(Duty).where(Duty.obligation == "daily"))).first()
        assert duty is not None
        subject_id = duty.subject_id
        await work.session.execute(delete(Duty).where(col(Duty.id) == duty.id))
    await simulation.check(thoroughly=False)
    violation = simulation.world.violations[0]
    assert violation.invariant == "one_unsatisfied_duty"
    assert (violation.day, violation.seed) == (simulation.world.today, 5)
    assert subject_id in violation.subject


async def test_a_certificate_changed_without_its_duties_is_found(simulation: Simulation) -> None:
    async with simulation.world.runtime.work(SYSTEM) as work:
        await work.session.execute(
            update(Duty)
            .where(col(Duty.obligation) == "staff.fitness", col(Duty.satisfied_on).is_not(None))
            .values(satisfied_on=date(2020, 1, 1))
        )
    assert "chain_equals_oracle" in await found_by(simulation)


async def test_facts_the_world_does_not_know_of_are_found(simulation: Simulation) -> None:
    person = simulation.world.people[0]
    async with simulation.world.runtime.work(SYSTEM) as work:
        cards = await work.session.exec(
            select(Certificate).where(Certificate.staff_id == person.id)
        )
        assert cards.all()
    person.cards.clear()
    assert "one_unsatisfied_duty" in await found_by(simulation)


async def test_a_ledger_that_shrank_is_found(simulation: Simulation) -> None:
    ledger_id = next(id_ for id_, size in simulation.watch.sizes.items() if size)
    simulation.watch.sizes[ledger_id] += 1000
    assert "head_went_back" in await found_by(simulation)


async def test_a_ledger_whose_history_differs_from_the_head_once_proven_is_found(
    simulation: Simulation,
) -> None:
    watch = simulation.watch
    await simulation.check(thoroughly=True)
    ledger_id, (size, _) = next(iter(watch.proven.items()))
    watch.proven[ledger_id] = (size - 1 or 1, bytes(32))
    assert "ledger_inconsistent" in await found_by(simulation)
