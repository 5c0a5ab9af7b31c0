"""The compliance board's queries, on both databases."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from sqlmodel import select

from tests.builders import Installation, SettableClock, a_certificate, a_facility, a_person, a_tank
from water2.domain.cleaning import Cleaning
from water2.domain.errors import Invalid, NotFound
from water2.domain.facility import Facility, FacilityKind, Tank
from water2.domain.work_order import Assignment, WithdrawnBecause, WorkOrder, WorkOrderKind
from water2.rules.flags import FlagCode
from water2.rules.scope import idle_flags
from water2.services.board import ProvisionCount, count_provisions, view_board
from water2.services.board_flags import (
    list_flagged_facilities,
    list_withdrawn_assignments,
)
from water2.services.board_lists import list_lapsing_certificates, list_overdue_tanks
from water2.services.duties import rederive
from water2.work import Runtime, Work

TODAY = date(2026, 11, 23)


async def a_cleaning(
    work: Work, installation: Installation, tank: Tank, cleaned_on: date, credited_on: date | None
) -> Cleaning:
    cleaning = Cleaning(
        utility_id=installation.utility.id,
        facility_id=tank.facility_id,
        tank_id=tank.id,
        subject_id=tank.id,
        cleaned_on=cleaned_on,
        credited_on=credited_on,
        recorded_at=work.now,
    )
    work.session.add(cleaning)
    await work.session.flush()
    await rederive(work, installation.utility, facility_ids=[tank.facility_id])
    return cleaning


async def a_tank_due_on(
    work: Work, installation: Installation, facility: Facility, code: str, due_on: date
) -> Tank:
    """A tank whose last credited cleaning makes the next due on a day (of the first 28)."""
    month = (due_on.month - 7) % 12 + 1
    year = due_on.year if due_on.month > 6 else due_on.year - 1
    tank = await a_tank(work, installation.utility, facility, code)
    cleaned_on = date(year, month, due_on.day)
    await a_cleaning(work, installation, tank, cleaned_on, cleaned_on + timedelta(days=1))
    return tank


async def count_of(runtime: Runtime, installation: Installation, obligation: str) -> ProvisionCount:
    async with runtime.read(installation.manager) as work:
        view = await view_board(work, installation.utility)
        counts = await count_provisions(work, view)
    return next(count for count in counts if count.obligation.id == obligation)


async def test_each_cleaning_duty_is_counted_in_its_state(
    runtime: Runtime, lishui: Installation
) -> None:
    days = {
        "late": TODAY - timedelta(days=1),
        "on the day": TODAY,
        "soon": date(2026, 12, 20),
        "open": date(2026, 12, 28),
        "upcoming": date(2027, 4, 23),
    }
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility)
        for code, due_on in days.items():
            await a_tank_due_on(work, lishui, facility, code, due_on)
    count = await count_of(runtime, lishui, "cleaning")
    assert (count.overdue, count.due_soon, count.open, count.upcoming) == (1, 2, 1, 1)
    assert (count.in_time, count.in_force) == (2, 5)
    assert count.met == 5


async def test_a_cleaning_after_its_due_day_is_met_late_and_leaves_the_missed_halves_on_record(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility)
        tank = await a_tank(work, lishui.utility, facility)
        await a_cleaning(work, lishui, tank, date(2026, 9, 1), date(2026, 9, 3))
    count = await count_of(runtime, lishui, "cleaning")
    assert (count.met, count.met_late) == (1, 1)
    assert count.missed == 5  # both halves of 2024 and 2025, the first of 2026


async def test_what_a_place_does_not_demand_is_not_counted(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.read(lishui.inspector) as work:
        counts = await count_provisions(work, await view_board(work, lishui.utility))
    assert [count.obligation.id for count in counts if count.obligation.basis == "law"] == [
        "staff.training",
        "staff.fitness",
        "cleaning",
        "emergency.plan",
    ]


async def test_overdue_tanks_come_latest_first_with_last_cleaned_beside_credited(
    runtime: Runtime, lishui: Installation, clock: SettableClock
) -> None:
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility)
        await a_tank_due_on(work, lishui, facility, "1#", date(2026, 12, 1))
        longest = await a_tank_due_on(work, lishui, facility, "2#", date(2026, 11, 25))
        await a_cleaning(work, lishui, longest, date(2026, 11, 20), None)
    clock.set(datetime(2026, 12, 5, 1, tzinfo=UTC))
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        found = await list_overdue_tanks(work, view, before_first_day=False, limit=10)
    assert [(tank.tank_code, tank.days_late) for tank in found.rows] == [("2#", 10), ("1#", 4)]
    first = found.rows[0]
    assert first.last_done_on == date(2026, 11, 20)
    assert (first.credited_act_on, first.credited_on) == (date(2026, 5, 25), date(2026, 5, 26))
    assert first.missed == ("2024-H1", "2024-H2", "2025-H1", "2025-H2")


async def test_what_lapsed_before_the_first_day_of_operation_stands_apart(
    runtime: Runtime, lishui: Installation, clock: SettableClock
) -> None:
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility)
        await a_tank_due_on(work, lishui, facility, "before", date(2026, 11, 22))
        await a_tank_due_on(work, lishui, facility, "since", date(2026, 11, 23))
    clock.set(datetime(2026, 11, 24, 1, tzinfo=UTC))
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        since = await list_overdue_tanks(work, view, before_first_day=False, limit=10)
        before = await list_overdue_tanks(work, view, before_first_day=True, limit=10)
    assert [tank.tank_code for tank in since.rows] == ["since"]
    assert [tank.tank_code for tank in before.rows] == ["before"]
    count = await count_of(runtime, lishui, "cleaning")
    assert (count.overdue, count.lapsed_before) == (2, 1)


async def test_pages_of_overdue_tanks_show_each_tank_once_also_when_due_days_are_equal(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility)
        for number in range(7):
            await a_tank(work, lishui.utility, facility, f"{number}#")
    seen: list[str | None] = []
    cursor = None
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        while True:
            found = await list_overdue_tanks(
                work, view, before_first_day=True, limit=3, cursor=cursor
            )
            assert found.total == 7
            seen += [tank.tank_code for tank in found.rows]
            cursor = found.next
            if cursor is None:
                break
    assert sorted(filter(None, seen)) == [f"{number}#" for number in range(7)]


async def test_a_cursor_of_ones_own_making_is_refused(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        with pytest.raises(Invalid):
            await list_overdue_tanks(work, view, before_first_day=False, limit=3, cursor="nonsense")


async def test_lapsed_lapsing_and_lacking_certificates_are_listed_by_day(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.work(lishui.manager) as work:
        for code, examined_on in {
            "lapsed": date(2025, 11, 1),
            "last day": date(2025, 11, 23),
            "soon": date(2025, 12, 20),
            "fine": date(2026, 10, 1),
        }.items():
            person = await a_person(work, lishui.utility, code)
            training = {"kind": "training", "number": "PX1"}
            await a_certificate(work, lishui.utility, person, date(2023, 12, 1), **training)
            await a_certificate(work, lishui.utility, person, examined_on)
    async with runtime.read(lishui.inspector) as work:
        view = await view_board(work, lishui.utility)
        found = await list_lapsing_certificates(work, view, limit=10)
    assert [(one.staff_code, one.days_left) for one in found.rows] == [
        ("lapsed", -22),
        ("last day", 0),
        ("soon", 27),
    ]
    assert found.rows[0].examined_on == date(2025, 11, 1)


async def test_facilities_are_flagged_by_what_the_place_demands(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.work(lishui.manager) as work:
        named = {"manager_name": "周行"}
        await a_facility(work, lishui.utility, "A", **named)
        await a_facility(work, lishui.utility, "B")
        await a_facility(work, lishui.utility, "C", handed_over_on=None, **named)
        await a_facility(work, lishui.utility, "D", in_service_on=date(2027, 1, 1), **named)
        await a_facility(
            work,
            lishui.utility,
            "E",
            kind=FacilityKind.fire,
            in_scope=False,
            scope_clause="3.2",
        )
        await a_facility(work, lishui.utility, "F", out_of_use_on=date(2026, 1, 1))
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        found = await list_flagged_facilities(work, view, limit=10)
        first = await list_flagged_facilities(work, view, limit=3)
        second = await list_flagged_facilities(work, view, limit=3, cursor=first.next)
    assert {one.code: one.flags for one in found.rows} == {
        "B": (FlagCode.no_manager,),
        "C": (FlagCode.not_handed_over,),
        "D": (FlagCode.not_in_use,),
        "E": (FlagCode.out_of_scope,),
    }
    assert [one.code for one in (*first.rows, *second.rows)] == ["B", "C", "D", "E"]


DAYS = (None, TODAY - timedelta(days=1), TODAY, TODAY + timedelta(days=1))


async def test_every_facility_found_carries_a_flag_and_every_other_none(
    runtime: Runtime, lishui: Installation
) -> None:
    """The database narrows, the rule decides: over all days around today both agree."""
    async with runtime.work(lishui.manager) as work:
        for number, (accepted, handed_over, used) in enumerate(product(DAYS, repeat=3)):
            days = {"accepted_on": accepted, "handed_over_on": handed_over, "in_service_on": used}
            await a_facility(work, lishui.utility, f"{number:02d}", manager_name="周行", **days)
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        found = await list_flagged_facilities(work, view, limit=100)
        facilities = (await work.session.exec(select(Facility))).all()
        flagged = [
            facility.code
            for facility in facilities
            if idle_flags(
                view.book,
                accepted_on=facility.accepted_on,
                handed_over_on=facility.handed_over_on,
                in_service_on=facility.in_service_on,
                today=view.today,
            )
        ]
    assert [one.code for one in found.rows] == sorted(flagged)
    assert all(one.flags for one in found.rows)


async def test_withdrawn_assignments_are_listed_for_a_month_and_replanned_ones_not_at_all(
    runtime: Runtime, lishui: Installation
) -> None:
    async with runtime.work(lishui.manager) as work:
        facility = await a_facility(work, lishui.utility)
        person = await a_person(work, lishui.utility)
        order = WorkOrder(
            utility_id=lishui.utility.id,
            facility_id=facility.id,
            kind=WorkOrderKind.cleaning,
            created_at=work.now,
            planned_on=date(2026, 12, 1),
        )
        work.session.add(order)
        await work.session.flush()
        for days_ago, because in [
            (1, WithdrawnBecause.certificate_lapsed),
            (2, WithdrawnBecause.replanned),
            (40, WithdrawnBecause.left),
        ]:
            work.session.add(
                Assignment(
                    work_order_id=order.id,
                    staff_id=person.id,
                    assigned_at=work.now - timedelta(days=50),
                    withdrawn_at=work.now - timedelta(days=days_ago),
                    withdrawn_because=because,
                )
            )
    async with runtime.read(lishui.manager) as work:
        view = await view_board(work, lishui.utility)
        found = await list_withdrawn_assignments(work, view, limit=10)
    assert [(one.staff_code, one.facility_code, one.because) for one in found] == [
        ("LS001", "BY-001", WithdrawnBecause.certificate_lapsed)
    ]


async def test_an_outsider_finds_no_board(runtime: Runtime, lishui: Installation) -> None:
    async with runtime.read(lishui.outsider) as work:
        with pytest.raises(NotFound):
            await view_board(work, lishui.utility)
