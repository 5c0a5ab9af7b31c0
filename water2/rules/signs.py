"""Signs of a made-up record: each a flag to look at, never a verdict, and none undoes a credit."""

import re
from collections.abc import Container, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from water2.rules.book import Rulebook
from water2.rules.calendar import add_months
from water2.rules.flags import FlagCode
from water2.rules.obligation import Obligation
from water2.rules.records import impossible_flows

INCUBATIONS = (
    ("plate_count", "incubation_hours", FlagCode.plate_count_too_early),
    ("total_coliform", "coliform_incubation_hours", FlagCode.coliform_too_early),
    ("e_coli", "coliform_incubation_hours", FlagCode.coliform_too_early),
)
"""Items of bacteria, how long they grow before they can be counted, and the flag of less."""
TOO_EARLY = frozenset(code for _, _, code in INCUBATIONS)
BATCH_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})$")


def order_signs(*days: date | datetime | None) -> tuple[FlagCode, ...]:
    """Flag days out of order: sampled ≤ received ≤ tested ≤ issued; the unknown are passed over.

    Days and instants may be mixed; the instants in the zone of the days.
    """
    known = [_day(day) for day in days if day is not None]
    return (FlagCode.dates_out_of_order,) if known != sorted(known) else ()


def incubation_signs(
    book: Rulebook, items: Container[str], sampled: date | datetime, known: date | datetime
) -> tuple[FlagCode, ...]:
    """Flag counts of bacteria known (reported, or entered) before they can have been incubated.

    Where only days are known they are flagged when no hour of the day could be late enough;
    instants must be in the zone of the days.
    """
    obligation = book.obligation("water.standard", _day(sampled))
    found = {
        code
        for key, hours, code in INCUBATIONS
        if key in items and obligation is not None and hours in obligation.values
        if _sooner(sampled, known, timedelta(hours=int(obligation.number(hours))))
    }
    return tuple(sorted(found))


def _sooner(sampled: date | datetime, known: date | datetime, after: timedelta) -> bool:
    if isinstance(sampled, datetime) and isinstance(known, datetime):
        return known < sampled + after
    first = sampled if isinstance(sampled, datetime) else datetime.combine(sampled, time.min)
    return _day(known) < (first + after).date()


def sample_order_signs(
    cleaned: date | datetime, sampled: date | datetime | None
) -> tuple[FlagCode, ...]:
    """Flag an after-cleaning sample taken before the cleaning had ended."""
    if sampled is None:
        return ()
    if isinstance(cleaned, datetime) and isinstance(sampled, datetime):
        early = sampled < cleaned
    else:
        early = _day(sampled) < _day(cleaned)
    return (FlagCode.sampled_before_cleaning_ended,) if early else ()


def sample_delay_signs(
    cleaned_on: date, sampled_on: date, obligation: Obligation
) -> tuple[FlagCode, ...]:
    """Flag an after-cleaning sample so late that it tells little of the cleaning."""
    longest = timedelta(days=int(obligation.number("sampled_within_days")))
    return (FlagCode.sampled_long_after_cleaning,) if sampled_on - cleaned_on > longest else ()


def accreditation_signs(
    number: str | None, valid_to: date | None, sampled_on: date
) -> tuple[FlagCode, ...]:
    """Flag a laboratory without accreditation on the day of the sample: its report credits nothing.

    The accreditation's last day is included.
    """
    if not number:
        return (FlagCode.accreditation_lacking,)
    expired = valid_to is not None and valid_to < sampled_on
    return (FlagCode.accreditation_expired,) if expired else ()


def batch_signs(
    used_on: date, obligation: Obligation, *, batch: str | None, expires_on: date | None
) -> tuple[FlagCode, ...]:
    """Flag a disinfectant past its expiry, or made after it was used.

    Without an expiry day it is the batch's day of manufacture and the shelf life; batches whose
    number does not end in a day are passed over.
    """
    made_on = batch_made_on(batch or "")
    if made_on is not None and made_on > used_on:
        return (FlagCode.batch_made_after_use,)
    months = int(obligation.number("shelf_life_months"))
    last = expires_on or (add_months(made_on, months) if made_on else None)
    return (FlagCode.batch_expired,) if last is not None and last < used_on else ()


def batch_made_on(batch: str) -> date | None:
    """Read the day of manufacture off the end of a batch number (`NC20240314`)."""
    match = BATCH_DAY.search(batch.strip())
    try:
        return date(*(int(part) for part in match.groups())) if match else None
    except ValueError:
        return None


def contact_signs(contact_minutes: int | None, obligation: Obligation) -> tuple[FlagCode, ...]:
    """Flag a disinfectant's contact time shorter than practice asks for."""
    short = contact_minutes is not None and contact_minutes < obligation.number("contact_minutes")
    return (FlagCode.contact_time_short,) if short else ()


def flow_signs(
    record: Mapping[str, object], volume_m3: Decimal | None, obligation: Obligation
) -> tuple[FlagCode, ...]:
    """Flag a drain or refill too fast for the tank's volume; see `records.impossible_flows`."""
    return (FlagCode.impossible_flow,) if impossible_flows(record, volume_m3, obligation) else ()


def outage_signs(*, isolable: bool, notice_number: str | None) -> tuple[FlagCode, ...]:
    """Flag a cleaning without an outage notice of a tank that cannot be isolated."""
    return () if isolable or notice_number else (FlagCode.cleaning_without_outage,)


def is_late_entry(
    book: Rulebook, occurred_at: datetime, recorded_at: datetime, today: date
) -> bool:
    """Whether a record is 补记 and needs a reason; exactly the set hours after is not late yet."""
    obligation = book.obligation("ledger", today)
    if obligation is None or "late_entry_hours" not in obligation.values:
        return False
    return recorded_at - occurred_at > timedelta(hours=int(obligation.number("late_entry_hours")))


def entry_signs(
    happened_on: date, entered_on: date, obligation: Obligation
) -> tuple[FlagCode, ...]:
    """Flag a record of old files typed in long after it happened, or before."""
    if entered_on < happened_on:
        return (FlagCode.dates_out_of_order,)
    late = (entered_on - happened_on).days > obligation.number("entered_long_after_days")
    return (FlagCode.entered_long_after,) if late else ()


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment
