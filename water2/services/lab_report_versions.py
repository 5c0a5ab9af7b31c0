"""A new version of a report: it replaces the last one with a reason; both stay readable."""

from collections.abc import Sequence

from sqlmodel import select

from water2.domain.access import Action
from water2.domain.command import Text
from water2.domain.errors import Conflict, Invalid
from water2.domain.laboratory import LabReport
from water2.domain.water import Sample
from water2.services.instants import read_instant
from water2.services.lab_report_entries import settle_report
from water2.services.lab_report_queries import report_seen
from water2.services.lab_reporters import Reporter, reporter_of, reports_itself
from water2.services.lab_reports import (
    RecordLabReport,
    ReportedSample,
    add_report,
    bear_report,
    content_of,
    hold_facilities,
    of_row,
    require_described,
    take_reported,
)
from water2.services.sample_entries import enter_sample
from water2.services.sample_places import hold_sample, results_of
from water2.services.sample_results import GivenResult, refuse_unusable
from water2.services.samples import judge_anew
from water2.work import Work


class ReplaceLabReport(RecordLabReport):
    """The whole report as it should be, and why.

    A sample described as the last version described it, or named by its id, is that sample; what
    the last version told of others is withdrawn.
    """

    reason: Text


async def replace_lab_report(work: Work, id_: str, command: ReplaceLabReport) -> LabReport:
    """Replace a report by a new version; its samples are judged anew by the new results.

    A report a laboratory entered itself is the laboratory's to replace; one the utility entered
    is its manager's, and the laboratory's it names.

    Raises:
        NotFound: no such report, or another's.
        Conflict: `lab_report_replaced` already, `lab_report_of_laboratory`, or an item was given
            before by somebody else.
        Invalid: the number or the laboratory is another one, nothing changes, or as a first one.
    """
    require_described(command)
    before = await report_seen(work, id_)
    _require_entitled(work, before)
    old = await _samples_of(work, before)
    facilities = {sample.facility_id for sample in old}
    facilities |= {one.facility_id for one in command.samples if one.facility_id}
    named = [one.sample_id for one in command.samples if one.sample_id]
    reporter = await reporter_of(work, facilities, named, command.laboratory or before.laboratory)
    _require_same(reporter, before, command.number)
    await hold_facilities(reporter, command, [sample.id for sample in old])
    await _require_last(work, before, content_of(before.laboratory, command))
    told = content_of(reporter.name, command)
    report = await add_report(reporter, command, told, version=before.version + 1)
    report.replaces_id, report.reason = before.id, command.reason
    samples = await _take_all(reporter, before, report, command)
    await settle_report(reporter, report, samples, command.reason)
    return report


def _require_entitled(work: Work, before: LabReport) -> None:
    if reports_itself(work):
        return  # it sees its own alone
    work.require(Action.correct)
    if before.organisation_id is not None:
        raise Conflict("lab_report_of_laboratory", {"number": before.number})


def _require_same(reporter: Reporter, before: LabReport, number: str) -> None:
    """Refuse another report; a laboratory's own stays its own under the name it has now."""
    own = reporter.organisation_id is not None
    own = own and reporter.organisation_id == before.organisation_id
    if number != before.number:
        raise Invalid.one("number", "another_report")
    if not own and reporter.name != before.laboratory:
        raise Invalid.one("laboratory", "another_report")


async def _require_last(work: Work, before: LabReport, told: str) -> None:
    later = await work.session.exec(select(LabReport.id).where(LabReport.replaces_id == before.id))
    if (replaced_by := later.first()) is not None:
        raise Conflict("lab_report_replaced", {"replaced_by": replaced_by})
    if before.content_sha256 == told:
        raise Invalid.one("samples", "nothing_changes")


async def _samples_of(work: Work, report: LabReport) -> list[Sample]:
    rows = await work.session.exec(
        select(Sample).where(Sample.lab_report_id == report.id).order_by(Sample.id)
    )
    return list(rows)


async def _take_all(
    reporter: Reporter, before: LabReport, report: LabReport, command: ReplaceLabReport
) -> list[Sample]:
    """Give each sample its new results, and withdraw those the new version no longer tells of."""
    old = await _samples_of(reporter.work, before)
    taken: list[Sample] = []
    for at, given in enumerate(command.samples):
        same = _same_sample(reporter, old, given)
        if same is None:
            taken.append(await take_reported(reporter, report, command, at))
            continue
        try:
            taken.append(await _replace_results(reporter, same, report, given.results))
        except Invalid as error:
            raise of_row(error, at) from None
    for sample in old:
        if sample.id not in {one.id for one in taken}:
            await _replace_results(reporter, sample, None, ())
    return taken


def _same_sample(reporter: Reporter, old: Sequence[Sample], given: ReportedSample) -> Sample | None:
    """Return the sample of the last version that is meant."""
    if given.sample_id is not None:
        return next((one for one in old if one.id == given.sample_id), None)
    if given.sampled_at is None:
        return None
    at = read_instant(given.sampled_at, reporter.utility.timezone)
    place = (given.facility_id, given.tank_id, given.point, at)
    found = (
        one for one in old if (one.facility_id, one.tank_id, one.point, one.sampled_at) == place
    )
    return next(found, None)


async def _replace_results(
    reporter: Reporter, seen: Sample, report: LabReport | None, given: Sequence[GivenResult]
) -> Sample:
    """Put the new results in the place of the report's old ones; without a report: withdraw them.

    What others measured in the same sample stays.
    """
    work = reporter.work
    place, sample = await hold_sample(work, seen.id)
    rows = await results_of(work, sample)
    of_report = [row for row in rows if row.lab_report_id == sample.lab_report_id]
    kept = [row for row in rows if row not in of_report]
    refuse_unusable(place.book, given, {row.parameter for row in kept})
    for row in of_report:
        await work.session.delete(row)
    await work.session.flush()  # the new ones take their places
    if report is not None:
        bear_report(sample, report)
    else:
        sample.lab_report_id = sample.report_number = sample.issued_on = None
    raw = {row.parameter: row.raw for row in kept} | {one.parameter: one.raw for one in given}
    await judge_anew(work, place, sample, raw, kept, given)
    old = {
        "replaced": [{"parameter": row.parameter, "raw": row.raw} for row in of_report],
        "withdrawn": report is None,
    }
    await enter_sample(work, place, sample, "sample.results_replaced", given, old)
    return sample
