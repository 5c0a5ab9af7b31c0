"""Whose reports are whose: what a laboratory may see and name of the utilities it reports to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from water2.domain.access import Action, Role, User
from water2.domain.errors import Conflict, Invalid, NotFound
from water2.domain.facility import Facility, Tank
from water2.domain.laboratory import Laboratory, LabReport
from water2.domain.organisation import Jurisdiction, Organisation, OrganisationKind, Utility
from water2.domain.water import Sample
from water2.services.paging import Page, PageAsked, read_page
from water2.services.rows import fetch
from water2.work import Work


@dataclass(frozen=True)
class Reporter:
    """Who reports: `work` sees the one utility concerned, whoever acts.

    `organisation_id` is the laboratory's own where it enters its report itself.
    """

    work: Work
    utility: Utility
    name: str
    laboratory_id: str | None
    organisation_id: str | None


def reports_itself(work: Work) -> bool:
    """Tell whether the actor is a laboratory's."""
    return work.actor.role is Role.lab


async def reporter_of(
    work: Work, facility_ids: Iterable[str], sample_ids: Iterable[str], laboratory: str | None
) -> Reporter:
    """Return who reports on some facilities and samples of one utility.

    Raises:
        NotFound: one of them is not the actor's to report on.
        Invalid: they are several utilities'; a laboratory names another than itself, or none is
            named.
    """
    work.require(Action.report_results)
    mine = reports_itself(work)
    seen = work.actor.client_ids if mine else work.actor.utility_ids
    inside = replace(work, actor=replace(work.actor, utility_ids=seen)) if mine else work
    places = {(await fetch(inside, Sample, id_)).facility_id for id_ in sorted({*sample_ids})}
    facilities = [await fetch(inside, Facility, id_) for id_ in sorted(places | {*facility_ids})]
    utilities = {facility.utility_id for facility in facilities}
    if len(utilities) != 1:
        raise Invalid.one("samples", "several_utilities")
    (utility_id,) = utilities
    utility = await fetch(inside, Utility, utility_id)
    if mine:
        inside = replace(work, actor=replace(work.actor, utility_ids=(utility_id,)))
        return await _own(inside, utility, laboratory)
    if laboratory is None:
        raise Invalid.one("laboratory", "missing")
    known = await _on_register(work, utility, Laboratory.name == laboratory)
    return Reporter(work, utility, laboratory, known.id if known else None, None)


async def _own(work: Work, utility: Utility, given: str | None) -> Reporter:
    organisation_id = work.actor.organisation_id or ""
    organisation = await work.session.get_one(Organisation, organisation_id)
    known = await _on_register(work, utility, Laboratory.organisation_id == organisation_id)
    name = known.name if known else organisation.name
    if given not in (None, name, organisation.name):
        raise Invalid.one("laboratory", "another_laboratory", given)
    return Reporter(work, utility, name, known.id if known else None, organisation_id)


async def _on_register(
    work: Work, utility: Utility, condition: ColumnElement[bool] | bool
) -> Laboratory | None:
    rows = await work.session.exec(
        select(Laboratory).where(Laboratory.utility_id == utility.id, condition)
    )
    return rows.first()


async def own_names(work: Work) -> set[str]:
    """Return the names under which a laboratory's reports are known to its clients."""
    organisation_id = work.actor.organisation_id or ""
    rows = await work.session.exec(
        select(Laboratory.name).where(Laboratory.organisation_id == organisation_id)
    )
    organisation = await work.session.get_one(Organisation, organisation_id)
    return {organisation.name, *rows}


async def refuse_of_laboratory(work: Work, lab_report_id: str | None) -> None:
    """Refuse to touch what a laboratory entered itself: it replaces its report by a new version.

    Raises:
        Conflict: `lab_report_of_laboratory`.
    """
    if lab_report_id is None:
        return
    report = await work.session.get_one(LabReport, lab_report_id)
    if report.organisation_id is not None:
        raise Conflict("lab_report_of_laboratory", {"number": report.number})


async def is_unheard(work: Work, sample: Sample) -> bool:
    """Tell whether a sample names a laboratory that enters its reports, and did not come from it.

    Reading: what others type under the name of such a laboratory is not its word. One that had
    no account yet when the sample was recorded had nowhere to enter it; a file of old records is
    nobody's word but the utility's, and says so by its import.
    """
    if sample.lab_report_id is not None:
        report = await work.session.get_one(LabReport, sample.lab_report_id)
        if report.organisation_id is not None:
            return False
    elif sample.laboratory is None or sample.import_id is not None:
        return False
    named = select(Laboratory.organisation_id).where(
        Laboratory.utility_id == sample.utility_id, Laboratory.name == sample.laboratory
    )
    found = await work.session.exec(
        select(Organisation.id)
        .join(Jurisdiction, col(Jurisdiction.organisation_id) == Organisation.id)
        .join(User, col(User.organisation_id) == Organisation.id)
        .where(
            Jurisdiction.utility_id == sample.utility_id,
            Organisation.kind == OrganisationKind.laboratory,
            or_(col(Organisation.name) == sample.laboratory, col(Organisation.id).in_(named)),
            User.created_at <= sample.recorded_at,
        )
        .limit(1)
    )
    return found.first() is not None


async def require_own_sample(reporter: Reporter, sample: Sample) -> None:
    """Refuse a sample another laboratory reported on, or was sent.

    The id of a sample is its label on the bottle: who was given it may report on it.

    Raises:
        NotFound: always the answer.
    """
    if reporter.organisation_id is None:
        return
    if sample.lab_report_id is not None:
        report = await reporter.work.session.get_one(LabReport, sample.lab_report_id)
        if report.organisation_id == reporter.organisation_id:
            return
    elif sample.laboratory in (None, reporter.name):
        return
    raise NotFound("sample", sample.id)


@dataclass(frozen=True)
class ReportingPlace:
    """A facility a laboratory may report on, with its tanks in use."""

    facility: Facility
    tanks: Sequence[Tank]


async def list_reporting_places(
    work: Work, asked: PageAsked, code: str | None
) -> Page[ReportingPlace]:
    """Return the facilities the actor may report on, by code: no more of them than a label says.

    Raises:
        NotFound: the utility asked for is none of them.
    """
    work.require(Action.report_results)
    seen = {*(work.actor.client_ids if reports_itself(work) else work.actor.utility_ids)}
    if asked.utility is not None and asked.utility not in seen:
        raise NotFound("utility", asked.utility)
    wanted = {asked.utility} if asked.utility else seen
    statement = select(Facility).where(
        col(Facility.utility_id).in_(wanted), col(Facility.out_of_use_on).is_(None)
    )
    if code is not None:
        statement = statement.where(Facility.code == code)
    page = await read_page(work, statement, [Facility.code, Facility.id], asked.limit, asked.cursor)
    tanks: dict[str, list[Tank]] = defaultdict(list)
    rows = await work.session.exec(
        select(Tank)
        .where(
            col(Tank.facility_id).in_([one.id for one in page.items]),
            col(Tank.out_of_use_on).is_(None),
        )
        .order_by(Tank.code)
    )
    for tank in rows:
        tanks[tank.facility_id].append(tank)
    return Page([ReportingPlace(one, tanks[one.id]) for one in page.items], page.next)
