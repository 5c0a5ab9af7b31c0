"""Laboratories a utility has its water tested by, and what they are accredited for."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Annotated

from pydantic import Field
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Name
from water2.domain.errors import FieldProblem, Invalid, NotFound
from water2.domain.laboratory import LabAccreditation, Laboratory
from water2.domain.organisation import Jurisdiction, Organisation, OrganisationKind, Utility
from water2.domain.water import Sample
from water2.services.register import (
    chosen_utility,
    record_act,
    require_free,
    require_order,
)
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.sample_entries import record_judged_anew
from water2.services.sample_places import hold_sample, results_of
from water2.services.sample_signs import standing_of
from water2.services.samples import judge_anew
from water2.work import Work


class RegisterLaboratory(Command):
    """A laboratory by the name its reports bear; with an organisation its people sign in."""

    name: Name
    organisation_id: str | None = None
    utility_id: str | None = None


class RegisterAccreditation(Command):
    """An accreditation (CMA) and its items by key; none: the scope is not known."""

    number: Code
    valid_from: Day
    valid_to: Day | None = None
    items: Annotated[list[str], Field(max_length=200)] = Field(
        default_factory=list, examples=[["turbidity", "ph"]]
    )


async def register_laboratory(work: Work, command: RegisterLaboratory) -> Laboratory:
    """Enter a laboratory.

    Raises:
        Conflict: the name is taken.
        NotFound: the organisation is no laboratory that reports to the utility.
    """
    work.require(Action.keep_register)
    utility = await chosen_utility(work, command.utility_id)
    await require_free(work, Laboratory, "name", utility_id=utility.id, name=command.name)
    if command.organisation_id is not None:
        await _require_reporting(work, utility, command.organisation_id)
        linked = {"utility_id": utility.id, "organisation_id": command.organisation_id}
        await require_free(work, Laboratory, "organisation_id", **linked)
    laboratory = Laboratory(
        utility_id=utility.id,
        organisation_id=command.organisation_id,
        name=command.name,
        recorded_at=work.now,
    )
    work.session.add(laboratory)
    record_act(
        work,
        utility.ledger_id,
        "laboratory.registered",
        f"laboratory:{laboratory.id}",
        {"organisation": command.organisation_id},
    )
    return laboratory


async def _require_reporting(work: Work, utility: Utility, organisation_id: str) -> None:
    found = await work.session.exec(
        select(Organisation.id)
        .join(Jurisdiction, col(Jurisdiction.organisation_id) == Organisation.id)
        .where(
            Organisation.id == organisation_id,
            Organisation.kind == OrganisationKind.laboratory,
            Jurisdiction.utility_id == utility.id,
        )
    )
    if found.first() is None:
        raise NotFound("organisation", organisation_id)


async def register_accreditation(
    work: Work, id_: str, command: RegisterAccreditation
) -> LabAccreditation:
    """Enter an accreditation; samples of the laboratory it changes are judged anew.

    Raises:
        Invalid: an item is unknown, or it ends before it begins.
        Conflict: the same number from the same day is on register.
    """
    work.require(Action.keep_register)
    laboratory = await fetch(work, Laboratory, id_, lock=True)
    utility = await fetch(work, Utility, laboratory.utility_id)
    require_order(("valid_from", command.valid_from), ("valid_to", command.valid_to))
    await _require_known(work, utility, command.items)
    identity = {"number": command.number, "valid_from": command.valid_from}
    await require_free(work, LabAccreditation, "number", laboratory_id=laboratory.id, **identity)
    accreditation = LabAccreditation(
        utility_id=utility.id,
        laboratory_id=laboratory.id,
        **command.model_dump(exclude={"items"}),
        items=sorted({*command.items}),
        recorded_at=work.now,
    )
    work.session.add(accreditation)
    await work.session.flush()
    record_act(
        work,
        utility.ledger_id,
        "laboratory.accreditation_registered",
        f"laboratory:{laboratory.id}",
        {
            "accreditation": accreditation.id,
            "number": command.number,
            "valid_from": command.valid_from.isoformat(),
            "valid_to": _day(command.valid_to),
            "items": accreditation.items,
        },
    )
    await _judge_its_samples(work, laboratory, accreditation)
    return accreditation


async def _require_known(work: Work, utility: Utility, items: Sequence[str]) -> None:
    book = await book_of(work, utility)
    unknown = [
        FieldProblem(f"items.{at}", "unknown_parameter", key)
        for at, key in enumerate(items)
        if key not in book.parameters
    ]
    if unknown:
        raise Invalid(unknown)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


async def _judge_its_samples(
    work: Work, laboratory: Laboratory, accreditation: LabAccreditation
) -> None:
    """Judge anew each sample of the laboratory for which the accreditation changes anything.

    The facilities are locked in the order of their ids, as by every act on several.
    """
    rows = await work.session.exec(
        select(Sample)
        .where(Sample.utility_id == laboratory.utility_id, Sample.laboratory == laboratory.name)
        .order_by(Sample.facility_id, Sample.id)
    )
    for seen in rows.all():
        standing = await standing_of(work, seen)
        rows_of = await results_of(work, seen)
        outside = standing.outside(row.parameter for row in rows_of)
        flagged = {row.parameter for row in rows_of if "item_not_accredited" in row.flags}
        if bool(standing.flags) is not seen.counts and outside == flagged:
            continue
        place, sample = await hold_sample(work, seen.id)
        results = await results_of(work, sample)
        raw = {result.parameter: result.raw for result in results}
        await judge_anew(work, place, sample, raw, results)
        record_judged_anew(work, place, sample, {"accreditation": accreditation.id})


async def accreditations_by_laboratory(
    work: Work, laboratories: Sequence[Laboratory]
) -> dict[str, list[LabAccreditation]]:
    """Return the accreditations of laboratories, the latest first."""
    found: dict[str, list[LabAccreditation]] = defaultdict(list)
    rows = await work.session.exec(
        select(LabAccreditation)
        .where(col(LabAccreditation.laboratory_id).in_([one.id for one in laboratories]))
        .order_by(col(LabAccreditation.valid_from).desc(), LabAccreditation.id)
    )
    for row in rows:
        found[row.laboratory_id].append(row)
    return found
