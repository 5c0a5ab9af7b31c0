"""Sampling plans per facility and point (第十七条(四)), beside the rulebook's default."""

from typing import Annotated, Literal

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command, Day
from water2.domain.errors import Conflict, FieldProblem, Invalid
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.sampling import SamplingPlan
from water2.domain.water import Point, Purpose
from water2.rules.book import Rulebook
from water2.rules.sampling import PLANNED, judge_plan_interval
from water2.services.duties import rederive
from water2.services.register import record_act, require_order
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.verdicts import require_allowed
from water2.work import Work

ROUTINE_SET = "routine"
Months = Annotated[int, Field(strict=True, ge=1, le=120)]
Key = Annotated[str, Field(min_length=1, max_length=40)]


class MakeSamplingPlan(Command):
    """A plan for a point; a routine one asks for a set of items, the routine set unless named.

    An extended one asks for a set, or for `parameters` of its own. It runs from today unless said
    otherwise.
    """

    facility_id: str
    point: Point
    purpose: Literal[Purpose.routine, Purpose.extended]
    months: Months
    item_set: Key | None = None
    parameters: Annotated[list[Key], Field(max_length=100)] = Field(default_factory=list)
    from_on: Day | None = None


class EndSamplingPlan(Command):
    """The last day of a plan; today unless another is given."""

    ended_on: Day | None = None


async def make_sampling_plan(work: Work, command: MakeSamplingPlan) -> SamplingPlan:
    """Make a plan; from its first day on it is owed a sample by each interval's end.

    Raises:
        RuleViolation: a routine plan is looser than the rulebook's interval.
        Invalid: the place knows no such plans, or the items are none.
        Conflict: the point has a routine plan already; the facility is out of use.
    """
    work.require(Action.keep_register)
    facility = await fetch(work, Facility, command.facility_id, lock=True)
    utility = await fetch(work, Utility, facility.utility_id)
    if facility.out_of_use_on is not None:
        raise Conflict("facility_out_of_use", {"facility": facility.code})
    today = work.today(utility.timezone)
    book = await book_of(work, utility)
    if book.obligation(PLANNED, today) is None:
        raise Invalid.one("purpose", "not_demanded_here", PLANNED)
    item_set = _items(book, command)
    if command.purpose is Purpose.routine:
        verdict = judge_plan_interval(book, command.months, today)
        require_allowed(verdict, utility)
        await _require_free(work, facility, command.point)
    plan = SamplingPlan(
        utility_id=utility.id,
        facility_id=facility.id,
        point=command.point,
        purpose=command.purpose,
        months=command.months,
        item_set=item_set,
        parameters=command.parameters,
        from_on=command.from_on or today,
        recorded_by=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(plan)
    await rederive(work, utility, facility_ids=[facility.id], evidence={"planned_sample"})
    _enter(work, facility, plan)
    return plan


def _items(book: Rulebook, command: MakeSamplingPlan) -> str | None:
    """Return the set of items a plan asks for; None: parameters of its own.

    Raises:
        Invalid: there are none, both, or some the rulebook does not know.
    """
    if not command.parameters:
        name = command.item_set or (ROUTINE_SET if command.purpose is Purpose.routine else None)
        if name is None:
            raise Invalid.one("parameters", "plan_without_items")
        if name not in {edition.name for edition in book.item_sets}:
            raise Invalid.one("item_set", "unknown_item_set", name)
        return name
    if command.item_set is not None or command.purpose is Purpose.routine:
        raise Invalid.one("parameters", "plan_items_twice")
    problems = [
        FieldProblem(f"parameters.{number}", "unknown_parameter", key)
        for number, key in enumerate(command.parameters)
        if key not in book.parameters
    ]
    problems += [
        FieldProblem(f"parameters.{number}", "repeated", key)
        for number, key in enumerate(command.parameters)
        if key in command.parameters[:number]
    ]
    if problems:
        raise Invalid(problems)
    return None


async def _require_free(work: Work, facility: Facility, point: Point) -> None:
    rows = await work.session.exec(
        select(SamplingPlan.id).where(
            SamplingPlan.facility_id == facility.id,
            SamplingPlan.point == point,
            SamplingPlan.purpose == Purpose.routine,
            col(SamplingPlan.ended_on).is_(None),
        )
    )
    standing = rows.first()
    if standing is not None:
        raise Conflict("sampling_plan_exists", {"plan": standing})


def _enter(work: Work, facility: Facility, plan: SamplingPlan) -> None:
    told = {
        "plan": plan.id,
        "point": plan.point.value,
        "purpose": plan.purpose.value,
        "months": plan.months,
        "item_set": plan.item_set,
        "parameters": plan.parameters,
        "from": plan.from_on.isoformat(),
    }
    subject = f"facility:{facility.id}"
    record_act(work, facility.ledger_id, "sampling_plan.made", subject, told)


async def end_sampling_plan(work: Work, id_: str, command: EndSamplingPlan) -> SamplingPlan:
    """End a plan; what it still owes is withdrawn on that day.

    Raises:
        Conflict: it was ended before.
        Invalid: the day lies before the plan's first, or ahead of a plan that runs.
    """
    work.require(Action.keep_register)
    seen = await fetch(work, SamplingPlan, id_)
    # the facility first, as every act on it does: none waits for another in a circle
    facility = await fetch(work, Facility, seen.facility_id, lock=True)
    plan = await fetch(work, SamplingPlan, id_, lock=True)
    utility = await fetch(work, Utility, plan.utility_id)
    if plan.ended_on is not None:
        raise Conflict("sampling_plan_ended", {"on": plan.ended_on.isoformat()})
    latest = max(plan.from_on, work.today(utility.timezone))  # one to come ends before it began
    ended_on = command.ended_on or latest
    require_order(("from_on", plan.from_on), ("ended_on", ended_on))
    if ended_on > latest:
        raise Invalid.one("ended_on", "in_future", ended_on)
    plan.ended_on = ended_on
    await rederive(work, utility, facility_ids=[facility.id], evidence={"planned_sample"})
    told = {"plan": plan.id, "on": ended_on.isoformat()}
    subject = f"facility:{facility.id}"
    record_act(work, facility.ledger_id, "sampling_plan.ended", subject, told)
    return plan
