"""What credits a cleaning: its own after-cleaning sample; and the tank's return to service."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import Field
from sqlalchemy import or_
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.cleaning import Cleaning
from water2.domain.command import Command
from water2.domain.duty import Duty
from water2.domain.errors import Conflict
from water2.domain.facility import Facility
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import Utility
from water2.domain.water import Purpose, Sample, SampleResult, SampleVerdict
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.gates import CLEANING, is_credited, judge_return_to_service
from water2.rules.limits import complete
from water2.rules.obligation import Obligation
from water2.rules.signs import sample_delay_signs, sample_order_signs
from water2.services.instants import read_instant
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.services.sample_results import accredited
from water2.services.verdicts import require_allowed
from water2.services.work_orders import reopen_duties
from water2.work import Work

_OF_THE_PAIR = {
    FlagCode.no_cleaning_on_record,
    FlagCode.sampled_before_cleaning_ended,
    FlagCode.sampled_long_after_cleaning,
}


async def credit_by_sample(
    work: Work,
    book: Rulebook,
    sample: Sample,
    raw: Mapping[str, str],
    facility: Facility,
) -> None:
    """Tie an after-cleaning sample to its cleaning, and credit the cleaning when it passed."""
    if sample.purpose is not Purpose.after_cleaning:
        return
    cleaning = await _cleaning_of(work, sample)
    if cleaning is None:
        sample.flags = sorted({*sample.flags, FlagCode.no_cleaning_on_record})
        return
    sample.cleaning_id = cleaning.id
    if cleaning.credited_on is None:  # another sample of a credited one does not replace its own
        cleaning.sampled_on = sample.sampled_on
    obligation = book.obligation(CLEANING, cleaning.cleaned_on)
    signs = _signs(book, sample, cleaning, obligation)
    sample.flags = sorted({*sample.flags} - _OF_THE_PAIR | signs)
    if obligation is None:
        return
    items = book.item_set("after_cleaning", sample.sampled_on, facility.disinfectant.value)
    # an imported conclusion is a verdict that lacks nothing
    lacking = () if sample.conclusion is not None else complete(items, raw)
    if sample.counts and is_credited(
        obligation,
        done_on=cleaning.cleaned_on,
        sampled_on=sample.sampled_on,
        verdict=sample.verdict.value,
        lacking=lacking,
    ):
        cleaning.credited_on = cleaning.credited_on or sample.sampled_on
        return
    failed = sample.verdict is SampleVerdict.failed or not sample.counts
    credited = cleaning.credited_on == sample.sampled_on
    if failed and credited and not await _passed_too(work, cleaning, sample):
        cleaning.credited_on = None  # it had passed until a later result of it failed
    if sample.verdict is SampleVerdict.failed:
        reopen_duties(await _unsatisfied(work, cleaning.subject_id))


def _signs(
    book: Rulebook, sample: Sample, cleaning: Cleaning, obligation: Obligation | None
) -> set[FlagCode]:
    """Return what is odd about a sample as that of a cleaning: flags, which undo no credit."""
    found: set[FlagCode] = set()
    refilled = cleaning.record.get("refilled_to")
    if sample.sampled_at is not None and refilled:
        full_again = read_instant(datetime.fromisoformat(refilled), book.timezone)
        found.update(sample_order_signs(full_again, sample.sampled_at))
    if obligation is not None and "sampled_within_days" in obligation.values:
        found.update(sample_delay_signs(cleaning.cleaned_on, sample.sampled_on, obligation))
    return found


async def _passed_too(work: Work, cleaning: Cleaning, sample: Sample) -> bool:
    """Tell whether another sample of the cleaning passed on the day it was credited."""
    others = await work.session.exec(
        select(Sample.id).where(
            Sample.cleaning_id == cleaning.id,
            Sample.id != sample.id,
            Sample.sampled_on == cleaning.credited_on,
            Sample.verdict == SampleVerdict.passed,
            col(Sample.counts),
        )
    )
    return others.first() is not None


async def _cleaning_of(work: Work, sample: Sample) -> Cleaning | None:
    """Return the last cleaning of the sample's tank on or before its day."""
    if sample.cleaning_id is not None:
        return await fetch(work, Cleaning, sample.cleaning_id)
    rows = await work.session.exec(
        select(Cleaning)
        .where(
            Cleaning.subject_id == (sample.tank_id or sample.facility_id),
            col(Cleaning.cleaned_on) <= sample.sampled_on,
        )
        .order_by(col(Cleaning.cleaned_on).desc(), col(Cleaning.recorded_at).desc())
        .limit(1)
    )
    return rows.first()


async def _unsatisfied(work: Work, subject_id: str) -> list[Duty]:
    rows = await work.session.exec(
        select(Duty).where(
            Duty.subject_id == subject_id,
            Duty.obligation == CLEANING,
            col(Duty.satisfied_on).is_(None),
            col(Duty.ended_on).is_(None),
        )
    )
    return list(rows)


async def credit_recorded(
    work: Work, utility: Utility, facility: Facility, cleaning: Cleaning
) -> None:
    """Credit a cleaning recorded after its sample: the order of arrival does not matter.

    A sample that stood as an earlier cleaning's until now is this one's own; the earlier one is
    judged anew by what is left to it.
    """
    rows = await work.session.exec(
        select(Sample, Cleaning)
        .outerjoin(Cleaning, col(Cleaning.id) == Sample.cleaning_id)
        .where(
            Sample.facility_id == facility.id,
            col(Sample.tank_id) == cleaning.tank_id,
            Sample.purpose == Purpose.after_cleaning,
            or_(
                col(Sample.cleaning_id).is_(None),
                col(Cleaning.cleaned_on) < cleaning.cleaned_on,
            ),
            col(Sample.sampled_on) >= cleaning.cleaned_on,
        )
        .order_by(col(Sample.sampled_on), Sample.id)
    )
    for sample, claimed_by in rows.all():
        sample.cleaning_id = None
        await _credit_again(work, utility, facility, sample)
        if claimed_by is not None:
            await _judge_without(work, utility, facility, claimed_by, sample)


async def _judge_without(
    work: Work, utility: Utility, facility: Facility, cleaning: Cleaning, lost: Sample
) -> None:
    """Judge a cleaning by the samples that are still its own; what others credited stays."""
    rows = await work.session.exec(
        select(Sample)
        .where(Sample.cleaning_id == cleaning.id)
        .order_by(col(Sample.sampled_on), Sample.id)
    )
    own = rows.all()
    cleaning.sampled_on = own[-1].sampled_on if own else None
    if cleaning.credited_on == lost.sampled_on:
        cleaning.credited_on = None
        for sample in own:
            await _credit_again(work, utility, facility, sample)


async def _credit_again(work: Work, utility: Utility, facility: Facility, sample: Sample) -> None:
    rows = await work.session.exec(select(SampleResult).where(SampleResult.sample_id == sample.id))
    results = rows.all()
    raw = accredited({result.parameter: result.raw for result in results}, results)
    book = await book_of(work, utility, sample.sampled_on)
    await credit_by_sample(work, book, sample, raw, facility)


async def _sample_taken(work: Work, cleaning: Cleaning) -> bool:
    """Tell whether the cleaning's own sample was taken; not one from before the tank was full."""
    if cleaning.record.get("sample_sent_at"):
        return True
    rows = await work.session.exec(select(Sample.flags).where(Sample.cleaning_id == cleaning.id))
    return any(FlagCode.sampled_before_cleaning_ended not in flags for flags in rows)


class ReturnToService(Command):
    """Let a cleaned tank supply again; the field set is residual, turbidity and pH, as read."""

    field_results: dict[str, str] = Field(
        examples=[{"free_chlorine": "0.30", "turbidity": "0.3", "ph": "7.2"}]
    )


async def return_to_service(work: Work, id_: str, command: ReturnToService) -> Cleaning:
    """Return a tank to service after its cleaning.

    Raises:
        RuleViolation: its sample was not taken, or the field set is incomplete or did not pass.
    """
    work.require(Action.do_work)
    cleaning = await fetch(work, Cleaning, id_, lock=True)
    if cleaning.returned_to_service_at is not None:
        raise Conflict("returned_before", {"cleaning": cleaning.id})
    facility = await fetch(work, Facility, cleaning.facility_id)
    utility = await fetch(work, Utility, facility.utility_id)
    today = work.today(utility.timezone)
    verdict = judge_return_to_service(
        sample_taken=await _sample_taken(work, cleaning),
        field_results=command.field_results,
        day=today,
        book=await book_of(work, utility),
        disinfectant=facility.disinfectant.value,
    )
    require_allowed(verdict, utility)
    cleaning.returned_to_service_at = work.now
    work.record(
        PendingEntry(
            ledger_id=facility.ledger_id,
            type="tank.returned_to_service",
            subject=f"cleaning:{cleaning.id}",
            occurred_at=work.now,
            data={"field_results": dict(command.field_results), "tank": cleaning.tank_id},
        )
    )
    return cleaning
