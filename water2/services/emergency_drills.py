"""Drills of the emergency plan, and the open list of what they found."""

from datetime import datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Text
from water2.domain.emergency import DrillFinding, EmergencyDrill, EmergencyPlan
from water2.domain.errors import Conflict, FieldProblem, Invalid, NotFound
from water2.domain.organisation import Utility
from water2.services.duties import rederive
from water2.services.emergency_plans import Account, known_people
from water2.services.lateness import Lateness, lateness_of
from water2.services.register import record_act, require_past
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work


class GivenFinding(Command):
    """What a drill showed, and what is to be done about it, by when."""

    finding: Text
    to_do: Text
    due_on: Day | None = None


class RecordDrill(Command):
    """A drill that was held; `participants` are people by 工号 or id."""

    held_on: Day
    scenario: Account
    participants: Annotated[list[Code], Field(min_length=1, max_length=500)]
    findings: Annotated[list[GivenFinding], Field(max_length=100)] = Field(default_factory=list)
    late_reason: Annotated[str, StringConstraints(max_length=500)] | None = None


class FinishFinding(Command):
    """What was done about a finding; today unless another day is given."""

    done_on: Day | None = None
    note: Text | None = None


async def record_drill(work: Work, plan_id: str, command: RecordDrill) -> EmergencyDrill:
    """Record a drill of a version of the plan; it satisfies the utility's duty.

    Raises:
        Invalid: it lies in the future or before the version was issued, or nobody has that 工号.
    """
    work.require(Action.keep_register)
    plan = await fetch(work, EmergencyPlan, plan_id)
    utility = await fetch(work, Utility, plan.utility_id, lock=True)
    _check_days(work, utility, plan, command)
    people = await known_people(work, utility, "participants", command.participants)
    late = await _lateness(work, utility, command)
    drill = EmergencyDrill(
        utility_id=utility.id,
        plan_id=plan.id,
        held_on=command.held_on,
        scenario=command.scenario,
        participants=list(dict.fromkeys(person.id for person in people)),
        recorded_by=work.actor.user_id,
        recorded_at=work.now,
        late_reason=late.reason,
        flags=list(late.flags),
    )
    work.session.add(drill)
    await work.session.flush()  # its findings refer to it
    work.session.add_all(
        DrillFinding(
            **given.model_dump(),
            utility_id=utility.id,
            drill_id=drill.id,
            number=number,
            recorded_at=work.now,
        )
        for number, given in enumerate(command.findings, 1)
    )
    await rederive(work, utility, itself=True, evidence={"emergency_drill"})
    _enter(work, utility, plan, drill, len(command.findings))
    return drill


def _check_days(work: Work, utility: Utility, plan: EmergencyPlan, command: RecordDrill) -> None:
    require_past("held_on", command.held_on, work.today(utility.timezone))
    if command.held_on < plan.issued_on:
        since = plan.issued_on.isoformat()
        raise Invalid.one("held_on", "before_the_plan", command.held_on, since=since)
    early = [
        FieldProblem(f"findings.{number}.due_on", "before_the_drill", given.due_on.isoformat())
        for number, given in enumerate(command.findings)
        if given.due_on is not None and given.due_on < command.held_on
    ]
    if early:
        raise Invalid(early)


async def _lateness(work: Work, utility: Utility, command: RecordDrill) -> Lateness:
    """Judge a drill as over when its day was: its hour is not asked."""
    zone = ZoneInfo(utility.timezone)
    over_at = datetime.combine(command.held_on + timedelta(days=1), time.min, zone)
    return lateness_of(await book_of(work, utility), over_at, work.now, command.late_reason)


def _enter(
    work: Work, utility: Utility, plan: EmergencyPlan, drill: EmergencyDrill, findings: int
) -> None:
    told = {
        "drill": drill.id,
        "plan": plan.id,
        "version": plan.version,
        "held_on": drill.held_on.isoformat(),
        "participants": drill.participants,
        "findings": findings,
        "flags": [str(flag) for flag in drill.flags],
        "late_reason_given": drill.late_reason is not None,
    }
    record_act(work, utility.ledger_id, "emergency_plan.drilled", f"utility:{utility.id}", told)


async def finish_finding(
    work: Work, drill_id: str, number: int, command: FinishFinding
) -> DrillFinding:
    """Note that what a finding asked for is done; it leaves the open list.

    Raises:
        NotFound: the drill has no such finding.
        Conflict: it was done before.
        Invalid: the day lies in the future or before the drill.
    """
    work.require(Action.keep_register)
    drill = await fetch(work, EmergencyDrill, drill_id, lock=True)
    utility = await fetch(work, Utility, drill.utility_id)
    finding = await _finding(work, drill, number)
    if finding.done_on is not None:
        raise Conflict("finding_done_before", {"on": finding.done_on.isoformat()})
    today = work.today(utility.timezone)
    done_on = command.done_on or today
    require_past("done_on", done_on, today)
    if done_on < drill.held_on:
        raise Invalid.one("done_on", "before_the_drill", done_on)
    finding.done_on, finding.done_note = done_on, command.note
    told = {"drill": drill.id, "finding": number, "done_on": done_on.isoformat()}
    record_act(work, utility.ledger_id, "drill_finding.done", f"utility:{utility.id}", told)
    return finding


async def _finding(work: Work, drill: EmergencyDrill, number: int) -> DrillFinding:
    rows = await work.session.exec(
        select(DrillFinding)
        .where(DrillFinding.drill_id == drill.id, DrillFinding.number == number)
        .execution_options(populate_existing=True)
    )
    finding = rows.first()
    if finding is None:
        raise NotFound("drill_finding", str(number))
    return finding


async def findings_of(work: Work, drill_ids: list[str]) -> dict[str, list[DrillFinding]]:
    """Return the findings of drills by number."""
    found: dict[str, list[DrillFinding]] = {id_: [] for id_ in drill_ids}
    rows = await work.session.exec(
        select(DrillFinding)
        .where(col(DrillFinding.drill_id).in_(drill_ids))
        .order_by(DrillFinding.drill_id, col(DrillFinding.number))
    )
    for finding in rows:
        found[finding.drill_id].append(finding)
    return found
