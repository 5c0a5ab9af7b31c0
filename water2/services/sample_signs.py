"""What is odd about a sample's report: flags that are looked at anew whenever it is judged."""

from collections.abc import Collection, Mapping

from sqlalchemy import or_
from sqlmodel import col, select

from water2.domain.laboratory import LabReport
from water2.domain.water import Sample
from water2.rules.accreditation import Standing, Stated, judge_accreditation
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.signs import order_signs, plate_count_signs
from water2.services.accreditations import registered_of
from water2.work import Work

PLATE_COUNT, INCUBATION = "plate_count", "incubation_hours"
STANDARD = "water.standard"
JUDGED_ANEW = frozenset(
    {
        FlagCode.accreditation_expired,
        FlagCode.accreditation_lacking,
        FlagCode.item_not_accredited,
        FlagCode.limit_plus_increment,
        FlagCode.printed_limit_differs,
        FlagCode.report_number_reused,
        FlagCode.dates_out_of_order,
        FlagCode.plate_count_too_early,
    }
)
"""What a later report, or a later version of one, may undo."""


async def standing_of(work: Work, sample: Sample) -> Standing:
    """Return what the accreditation of a sample's laboratory is worth on its day.

    Reading: water tested without any laboratory being named is the utility's own field test, and
    needs none; a laboratory that is named needs one, by its report or on register. Of an imported
    sample nothing is said where neither its file nor the register tells of any.
    """
    stated = Stated(sample.accreditation_number, sample.accreditation_valid_to)
    registered = []
    if sample.laboratory is not None:
        registered = await registered_of(work, sample.utility_id, sample.laboratory)
    told = registered or stated.number is not None or stated.valid_to is not None
    named = sample.laboratory is not None and sample.import_id is None
    # a file's empty cell said that there is none
    if told or named or FlagCode.accreditation_lacking in sample.flags:
        return judge_accreditation(sample.sampled_on, stated, registered)
    return Standing()


async def signs_of_report(
    work: Work, book: Rulebook, sample: Sample, raw: Mapping[str, str]
) -> Collection[FlagCode]:
    """Return the signs that a report was made up; none undoes a credit."""
    report = None
    if sample.lab_report_id is not None:
        report = await work.session.get(LabReport, sample.lab_report_id)
    between = (report.received_on, report.tested_on) if report else ()
    signs = {*order_signs(sample.sampled_on, *between, sample.issued_on)}
    standard = book.obligation(STANDARD, sample.sampled_on)
    timed = standard is not None and INCUBATION in standard.values
    if sample.issued_on is not None and PLATE_COUNT in raw and standard is not None and timed:
        signs.update(plate_count_signs(sample.sampled_on, sample.issued_on, standard))
    if await _number_reused(work, sample):
        signs.add(FlagCode.report_number_reused)
    return signs


async def _number_reused(work: Work, sample: Sample) -> bool:
    """Tell whether the report's number stands for another visit too: of anybody's, unnamed.

    One report may cover several samples of one visit: one facility on one day. Another utility's
    sample is looked for and not shown: that a number was used elsewhere is all that is told.
    """
    if sample.report_number is None:
        return False
    elsewhere = await work.session.exec(
        select(Sample.id)
        .where(
            Sample.report_number == sample.report_number,
            Sample.id != sample.id,
            or_(
                col(Sample.facility_id) != sample.facility_id,
                col(Sample.sampled_on) != sample.sampled_on,
            ),
        )
        .limit(1)
    )
    return elsewhere.first() is not None
