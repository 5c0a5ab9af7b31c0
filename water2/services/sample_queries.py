"""Reading samples: whoever sees the utility all of them, a laboratory those of its own reports."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, or_
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.errors import NotFound
from water2.domain.laboratory import LabReport
from water2.domain.water import Sample
from water2.services.lab_reporters import own_names, reports_itself
from water2.services.paging import Page, PageAsked, read_page
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.work import Work


async def list_samples(work: Work, filters: Mapping[str, object], asked: PageAsked) -> Page[Sample]:
    """Return samples, the latest recorded first.

    A laboratory is given those its reports cover, and those sent to it that nobody reported on.
    """
    if not reports_itself(work):
        return await list_rows(work, Sample, filters, asked, newest_by="recorded_at")
    work.require(Action.report_results)
    if asked.utility is not None and asked.utility not in work.actor.client_ids:
        raise NotFound("utility", asked.utility)
    clients = [asked.utility] if asked.utility else list(work.actor.client_ids)
    statement = select(Sample).where(
        col(Sample.utility_id).in_(clients),
        await _own(work),
        *(getattr(Sample, key) == value for key, value in filters.items() if value is not None),
    )
    keys = [Sample.recorded_at, Sample.id]
    return await read_page(work, statement, keys, asked.limit, asked.cursor, descending=True)


async def sample_seen(work: Work, id_: str) -> Sample:
    """Return a sample the actor may see.

    Raises:
        NotFound: there is none, or it is another's.
    """
    if not reports_itself(work):
        work.require(Action.read)
        return await fetch(work, Sample, id_)
    work.require(Action.report_results)
    rows = await work.session.exec(
        select(Sample).where(
            Sample.id == id_,
            col(Sample.utility_id).in_(work.actor.client_ids),
            await _own(work),
        )
    )
    found = rows.first()
    if found is None:
        raise NotFound("sample", id_)
    return found


async def _own(work: Work) -> ColumnElement[bool]:
    reports = select(LabReport.id).where(LabReport.organisation_id == work.actor.organisation_id)
    return or_(
        col(Sample.lab_report_id).in_(reports),
        col(Sample.lab_report_id).is_(None) & col(Sample.laboratory).in_(await own_names(work)),
    )
