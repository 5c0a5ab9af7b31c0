"""The utility's emergency plan (第十八条): versions that are issued and never edited."""

import hashlib
from typing import Annotated

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Name
from water2.domain.emergency import EmergencyPlan
from water2.domain.errors import Invalid, NotFound
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.services.assignments import people_by_code
from water2.services.duties import rederive
from water2.services.evidence_files import keep_paper
from water2.services.register import chosen_utility, require_order, require_past
from water2.services.rows import fetch
from water2.work import Work

LongText = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
Account = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class IssueEmergencyPlan(Command):
    """A version of the plan: its words as `text`, as a file beside the command, or both.

    `approved_by` is a person by 工号 or id. `review_on`, where the plan names a day; `changes` says
    what differs from the version before.
    """

    title: Name
    text: LongText | None = None
    issued_on: Day
    review_on: Day | None = None
    approved_by: Code
    changes: Account | None = Field(default=None, description="not asked of the first version")
    utility_id: str | None = None


async def issue_emergency_plan(
    work: Work, command: IssueEmergencyPlan, file: bytes | None = None, name: str | None = None
) -> EmergencyPlan:
    """Issue a version of the plan; it satisfies the utility's duty and sets its next review.

    Raises:
        Invalid: a day that cannot be true, neither text nor file, nobody of that 工号, or no word
            on what changed.
    """
    work.require(Action.keep_register)
    chosen = await chosen_utility(work, command.utility_id)
    utility = await fetch(work, Utility, chosen.id, lock=True)  # one version after the other
    last = await last_plan(work, utility)
    _check(work, utility, command, last, file)
    approver = (await known_people(work, utility, "approved_by", [command.approved_by]))[0]
    plan = EmergencyPlan(
        utility_id=utility.id,
        version=last.version + 1 if last else 1,
        title=command.title,
        text=command.text,
        file_sha256=await keep_paper(work, utility.id, file, "file") if file is not None else None,
        file_name=name if file is not None else None,
        issued_on=command.issued_on,
        review_on=command.review_on,
        approved_by=approver.id,
        changes=command.changes,
        recorded_by=work.actor.user_id,
        recorded_at=work.now,
    )
    work.session.add(plan)
    await rederive(work, utility, itself=True, evidence={"emergency_plan"})
    _enter(work, utility, plan)
    return plan


async def last_plan(work: Work, utility: Utility) -> EmergencyPlan | None:
    """Return the version in force; None: the utility has no plan."""
    rows = await work.session.exec(
        select(EmergencyPlan)
        .where(EmergencyPlan.utility_id == utility.id)
        .order_by(col(EmergencyPlan.version).desc())
        .limit(1)
    )
    return rows.first()


async def known_people(work: Work, utility: Utility, field: str, codes: list[str]) -> list[Staff]:
    """Return people by 工号 or id.

    Raises:
        Invalid: names the first that is nobody's.
    """
    try:
        return await people_by_code(work, utility, codes)
    except NotFound as error:
        raise Invalid.one(field, "unknown_person", error.id) from None


def _check(
    work: Work,
    utility: Utility,
    command: IssueEmergencyPlan,
    last: EmergencyPlan | None,
    file: bytes | None,
) -> None:
    require_past("issued_on", command.issued_on, work.today(utility.timezone))
    require_order(("issued_on", command.issued_on), ("review_on", command.review_on))
    if command.text is None and file is None:
        raise Invalid.one("text", "plan_empty")
    if last is None:
        return
    if command.issued_on < last.issued_on:
        since = last.issued_on.isoformat()
        raise Invalid.one("issued_on", "before_last_version", command.issued_on, since=since)
    if command.changes is None:
        raise Invalid.one("changes", "missing")


def _enter(work: Work, utility: Utility, plan: EmergencyPlan) -> None:
    text = plan.text
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="emergency_plan.issued",
            subject=f"utility:{utility.id}",
            occurred_at=work.now,
            data={
                "plan": plan.id,
                "version": plan.version,
                "issued_on": plan.issued_on.isoformat(),
                "review_on": plan.review_on.isoformat() if plan.review_on else None,
                "approved_by": plan.approved_by,
                "text_sha256": hashlib.sha256(text.encode()).hexdigest() if text else None,
            },
            files=[plan.file_sha256] if plan.file_sha256 else [],
        )
    )
