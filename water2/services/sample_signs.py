"""What is odd about a sample's report: flags that are looked at anew whenever it is judged."""

from collections.abc import Collection, Mapping, Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import or_
from sqlmodel import col, select

from water2.domain.laboratory import LabReport
from water2.domain.water import Sample
from water2.rules.accreditation import Standing, Stated, judge_accreditation
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.signs import TOO_EARLY, incubation_signs, order_signs
from water2.services.accreditations import registered_of
from water2.services.lab_reporters import is_unheard
from water2.services.sample_places import Place
from water2.work import Work

JUDGED_ANEW = frozenset(
    {
        FlagCode.accreditation_expired,
        FlagCode.accreditation_lacking,
        FlagCode.item_not_accredited,
        FlagCode.limit_plus_increment,
        FlagCode.printed_limit_differs,
        FlagCode.report_number_reused,
        FlagCode.dates_out_of_order,
        FlagCode.laboratory_not_heard,
        *TOO_EARLY,
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
    if sample.issued_on is not None:
        signs.update(incubation_signs(book, raw, sample.sampled_on, sample.issued_on))
    if await _number_reused(work, sample):
        signs.add(FlagCode.report_number_reused)
    if await is_unheard(work, sample):
        signs.add(FlagCode.laboratory_not_heard)
    return signs


def signs_of_entry(work: Work, place: Place, sample: Sample, item: str) -> Sequence[FlagCode]:
    """Return the signs that an item entered now was not measured.

    They stay with the item: only a later version of its report, or a correction, enters it anew.
    """
    zone = ZoneInfo(place.utility.timezone)
    sampled = sample.sampled_at.astimezone(zone) if sample.sampled_at else sample.sampled_on
    return incubation_signs(place.book, [item], sampled, work.now.astimezone(zone))


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
