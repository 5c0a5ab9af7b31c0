"""Reading reports: whoever sees the utility all of them, a laboratory its own alone."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.errors import NotFound
from water2.domain.laboratory import Laboratory, LabReport
from water2.domain.organisation import Utility
from water2.domain.water import Sample
from water2.services.lab_reporters import own_names, reports_itself
from water2.services.paging import Page, PageAsked, read_page
from water2.services.rows import fetch
from water2.work import Work


@dataclass(frozen=True)
class ShownReport:
    """A report and the samples it covers now; without a row it is only a number samples bear."""

    number: str
    report: LabReport | None
    samples: list[Sample]


async def report_seen(work: Work, id_: str) -> LabReport:
    """Return a version of a report the actor may see.

    A laboratory sees what it entered itself, and what its clients entered of it by hand.

    Raises:
        NotFound: there is none, or it is another's.
    """
    if not reports_itself(work):
        work.require(Action.read)
        return await fetch(work, LabReport, id_)
    work.require(Action.report_results)
    report = await work.session.get(LabReport, id_)
    if report is None or not await _is_own(work, report):
        raise NotFound("lab_report", id_)
    return report


async def _is_own(work: Work, report: LabReport) -> bool:
    if report.utility_id not in work.actor.client_ids:
        return False
    if report.organisation_id is None:
        return report.laboratory_id is not None and report.laboratory in await own_names(work)
    return report.organisation_id == work.actor.organisation_id


async def versions_of(work: Work, report: LabReport) -> list[LabReport]:
    """Return all versions of a report, the first first."""
    same = [col(LabReport.laboratory) == report.laboratory]
    if report.organisation_id is not None:  # its own, whatever name it bore then
        same.append(col(LabReport.organisation_id) == report.organisation_id)
    rows = await work.session.exec(
        select(LabReport)
        .where(
            LabReport.utility_id == report.utility_id,
            LabReport.number == report.number,
            or_(*same),
        )
        .order_by(col(LabReport.version))
    )
    return list(rows)


async def samples_of_report(work: Work, report: LabReport) -> list[Sample]:
    """Return the samples whose results are this version's; none once it was replaced."""
    rows = await work.session.exec(
        select(Sample)
        .where(Sample.lab_report_id == report.id)
        .order_by(col(Sample.sampled_on), Sample.id)
    )
    return list(rows)


async def list_lab_reports(
    work: Work, asked: PageAsked, number: str | None = None
) -> Page[ShownReport]:
    """Return the reports that stand by number; numbers that only samples bear are reports too."""
    if reports_itself(work):
        return await _list_own(work, asked, number)
    work.require(Action.read)
    wanted = asked.utility
    seen = [(await fetch(work, Utility, wanted)).id] if wanted else list(work.actor.utility_ids)
    page = Page([number], None) if number else await _numbers(work, seen, asked)
    rows = await work.session.exec(
        select(Sample)
        .where(
            col(Sample.utility_id).in_(seen),
            col(Sample.report_number).in_(page.items),
        )
        .order_by(col(Sample.report_number), col(Sample.sampled_on), Sample.id)
    )
    return Page(await _shown(work, rows.all()), page.next)


async def _numbers(work: Work, seen: Sequence[str], asked: PageAsked) -> Page[str]:
    number = col(Sample.report_number)
    statement = (
        select(number)
        .where(
            col(Sample.utility_id).in_(seen),
            number.is_not(None),
            number > (asked.cursor or ""),
        )
        .group_by(number)
        .order_by(number)
        .limit(asked.limit + 1)
    )
    found = [one for one in await work.session.exec(statement) if one is not None]
    shown = found[: asked.limit]
    return Page(shown, shown[-1] if len(found) > len(shown) else None)


async def _shown(work: Work, samples: Sequence[Sample]) -> list[ShownReport]:
    grouped: dict[tuple[str, str | None], list[Sample]] = defaultdict(list)
    for sample in samples:
        grouped[sample.report_number or "", sample.lab_report_id].append(sample)
    ids = {id_ for _, id_ in grouped if id_ is not None}
    rows = await work.session.exec(select(LabReport).where(col(LabReport.id).in_(ids)))
    reports = {report.id: report for report in rows}
    return [
        ShownReport(number, reports.get(id_ or ""), found)
        for (number, id_), found in grouped.items()
    ]


async def _list_own(work: Work, asked: PageAsked, number: str | None) -> Page[ShownReport]:
    work.require(Action.report_results)
    if asked.utility is not None and asked.utility not in work.actor.client_ids:
        raise NotFound("utility", asked.utility)
    clients = [asked.utility] if asked.utility else list(work.actor.client_ids)
    later = aliased(LabReport)
    by_hand = (
        select(Laboratory.id)
        .where(Laboratory.organisation_id == work.actor.organisation_id)
        .scalar_subquery()
    )
    statement = select(LabReport).where(
        col(LabReport.utility_id).in_(clients),
        or_(
            col(LabReport.organisation_id) == work.actor.organisation_id,
            col(LabReport.organisation_id).is_(None) & col(LabReport.laboratory_id).in_(by_hand),
        ),
        ~select(later.id).where(later.replaces_id == LabReport.id).exists(),
    )
    if number is not None:
        statement = statement.where(LabReport.number == number)
    keys = [LabReport.number, LabReport.id]
    page = await read_page(work, statement, keys, asked.limit, asked.cursor)
    rows = await work.session.exec(
        select(Sample)
        .where(col(Sample.lab_report_id).in_([one.id for one in page.items]))
        .order_by(col(Sample.sampled_on), Sample.id)
    )
    covered: dict[str, list[Sample]] = defaultdict(list)
    for sample in rows:
        covered[sample.lab_report_id or ""].append(sample)
    items = [ShownReport(one.number, one, covered[one.id]) for one in page.items]
    return Page(items, page.next)
