"""What tests are demanded of beside the facility: its sampling plans, and its tanks' cleanings."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby, zip_longest
from typing import Any

from sqlalchemy import BindParameter, bindparam, exists, select
from sqlmodel import col

from water2.domain.cleaning import Cleaning
from water2.domain.duty import Duty, EndReason, SubjectType
from water2.domain.organisation import Utility
from water2.domain.sampling import SamplingPlan
from water2.rules.cadence import Cadence
from water2.rules.sampling import AFTER_CLEANING
from water2.services.rows import chunks
from water2.services.subjects import Subject
from water2.work import Work

_FACILITIES: BindParameter[Any] = bindparam("facilities", expanding=True)
# built once: nearly every act on a facility asks for them
_PLANS = select(
    col(SamplingPlan.id),
    col(SamplingPlan.facility_id),
    col(SamplingPlan.months),
    col(SamplingPlan.from_on),
    col(SamplingPlan.ended_on),
).where(col(SamplingPlan.facility_id).in_(_FACILITIES))
_HAD_A_DUTY = exists().where(
    col(Duty.subject_id) == Cleaning.id, col(Duty.obligation) == AFTER_CLEANING
)
_CLEANINGS = (
    select(
        col(Cleaning.id),
        col(Cleaning.facility_id),
        col(Cleaning.subject_id),
        col(Cleaning.cleaned_on),
        _HAD_A_DUTY.label("had_a_duty"),
    )
    .where(
        col(Cleaning.facility_id).in_(_FACILITIES),
        col(Cleaning.cleaned_on) >= bindparam("first_day_on"),
    )
    .order_by(
        col(Cleaning.subject_id),
        col(Cleaning.cleaned_on),
        col(Cleaning.recorded_at),
        col(Cleaning.id),
    )
)
TESTS_SATISFY = frozenset({"planned_sample", "own_sample"})


async def subjects_of_testing(
    work: Work, utility: Utility, facility_ids: Sequence[str], places: Sequence[Subject]
) -> list[Subject]:
    """Return the sampling plans and cleanings of facilities as subjects.

    `places` are the facilities and tanks, locked and as they stand.
    """
    by_id = {place.id: place for place in places}
    found: list[Subject] = []
    for ids in chunks(sorted(facility_ids)):
        found += await _plans(work, by_id, ids)
        found += await _cleanings(work, utility, by_id, ids)
    return found


async def _plans(
    work: Work, places: Mapping[str, Subject], facility_ids: Sequence[str]
) -> list[Subject]:
    rows = await work.session.execute(_PLANS, {"facilities": list(facility_ids)})
    return [_plan(places[row.facility_id], row) for row in rows]


def _plan(place: Subject, row: Any) -> Subject:
    """Return a plan; it begins with its facility at the earliest and ends with it at the latest."""
    ends_on, reason = _first_end((row.ended_on, EndReason.plan_ended), place)
    return Subject(
        SubjectType.sampling_plan,
        row.id,
        row.facility_id,
        max(row.from_on, place.runs_from) if place.runs_from else None,
        ends_on,
        reason,
        cadence=Cadence(months=row.months),
    )


def _first_end(
    own: tuple[date | None, EndReason], place: Subject
) -> tuple[date | None, EndReason | None]:
    """Return the first of two ends: its own, or that of the place it belongs to."""
    ends = [(on, reason) for on, reason in (own, (place.ends_on, place.end_reason)) if on]
    return min(ends, key=lambda end: end[0]) if ends else (None, None)


async def _cleanings(
    work: Work, utility: Utility, places: Mapping[str, Subject], facility_ids: Sequence[str]
) -> list[Subject]:
    """Return the last cleaning of each place, and those before it that had a duty of their own.

    Reading: a cleaning that came on record when a later one had taken its place demands no sample,
    nor does one from before the first day of operation: history makes no duties.
    """
    since = {"first_day_on": utility.first_day_on, "facilities": list(facility_ids)}
    rows = await work.session.execute(_CLEANINGS, since)
    found: list[Subject] = []
    for subject_id, group in groupby(rows.all(), key=lambda row: row.subject_id):
        if subject_id not in places:
            continue
        acts = list(group)
        for row, later in zip_longest(acts, acts[1:]):
            if later is None or row.had_a_duty:
                found.append(_cleaning(places[subject_id], row, later))
    return found


def _cleaning(place: Subject, row: Any, later: Any) -> Subject:
    replaced_on = later.cleaned_on if later else None
    ends_on, reason = _first_end((replaced_on, EndReason.superseded), place)
    return Subject(
        SubjectType.cleaning,
        row.id,
        row.facility_id,
        row.cleaned_on if place.runs_from else None,
        ends_on,
        reason,
    )
