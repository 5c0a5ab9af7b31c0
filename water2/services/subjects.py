"""The subjects of duties with the days their duties run from and end on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import col, select

from water2.domain.duty import EndReason, SubjectType
from water2.domain.facility import Facility, Tank
from water2.domain.organisation import Utility
from water2.domain.staff import Staff
from water2.rules.book import Rulebook
from water2.rules.cadence import Cadence
from water2.rules.scope import duties_run_from
from water2.services.rows import chunks
from water2.work import Work


@dataclass(frozen=True)
class Subject:
    """What duties are demanded of. `runs_from` empty: none are demanded (yet)."""

    type: SubjectType
    id: str
    facility_id: str | None
    runs_from: date | None
    ends_on: date | None = None
    end_reason: EndReason | None = None
    tankless: bool = False
    cadence: Cadence | None = None  # its own, where the obligation leaves it to its subject

    def may_bear(self, kind: str | None) -> bool:
        """Tell whether an obligation about `kind` may concern this: a place may lose its tanks."""
        places = (SubjectType.tank, SubjectType.facility)
        return kind in places if self.type in places else kind == self.type.value

    @property
    def why_none(self) -> EndReason:
        """Return why no duty is demanded of it where none is."""
        if self.type is SubjectType.person:
            return EndReason.no_longer_handles_water
        return EndReason.no_longer_in_scope

    def bears(self, kind: str | None) -> bool:
        """Tell whether an obligation about `kind` is this subject's to bear.

        A facility without a tank bears the duties of a tank itself (obligations.md, half-year).
        """
        return kind == self.type.value or (self.tankless and kind == "tank")


async def subjects_of_facilities(
    work: Work, book: Rulebook, facility_ids: Sequence[str]
) -> list[Subject]:
    """Return facilities and all their tanks as subjects, as they stand; locks the facilities' rows.

    The lock makes two acts on one facility derive its duties one after the other; what the other
    committed meanwhile is read. Rows that refer to the facility may be written beside it.
    """
    subjects: list[Subject] = []
    for ids in chunks(sorted(facility_ids)):
        facilities = await work.session.exec(
            select(Facility)
            .where(col(Facility.id).in_(ids))
            .order_by(Facility.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        by_id = {facility.id: facility for facility in facilities}
        tanks = await work.session.exec(
            select(Tank)
            .where(col(Tank.facility_id).in_(ids))
            .execution_options(populate_existing=True)
        )
        subjects += [facility_subject(book, facility) for facility in by_id.values()]
        subjects += [tank_subject(book, by_id[tank.facility_id], tank) for tank in tanks]
    return subjects


def facility_subject(book: Rulebook, facility: Facility) -> Subject:
    """Return a facility as a subject."""
    return Subject(
        SubjectType.facility,
        facility.id,
        facility.id,
        _runs_from(book, facility, None),
        facility.out_of_use_on,
        _why_ended(facility),
        tankless=facility.tankless,
    )


def tank_subject(book: Rulebook, facility: Facility, tank: Tank) -> Subject:
    """Return a tank as a subject; it ends with its facility at the latest."""
    own_end = tank.out_of_use_on
    last = facility.out_of_use_on
    # on one day it went with the facility, for the facility's reason
    first = tank if own_end and (last is None or own_end < last) else facility
    return Subject(
        SubjectType.tank,
        tank.id,
        facility.id,
        _runs_from(book, facility, tank.in_use_on),
        first.out_of_use_on,
        _why_ended(first),
    )


def _why_ended(thing: Facility | Tank) -> EndReason | None:
    if thing.out_of_use_on is None:
        return None
    return EndReason.merged if thing.merged_into_id else EndReason.out_of_use


def _runs_from(book: Rulebook, facility: Facility, in_use_on: date | None) -> date | None:
    return duties_run_from(
        book,
        kind=facility.kind.value,
        accepted_on=facility.accepted_on,
        handed_over_on=facility.handed_over_on,
        in_service_on=facility.in_service_on,
        tank_in_use_on=in_use_on,
        inside_area=facility.inside_area,
    )


async def subject_utility(work: Work, utility: Utility) -> Subject:
    """Return the utility itself as a subject; locks its row.

    Reading: what is demanded of it runs from its first day of operation with water2.
    """
    await work.session.exec(
        select(Utility.id).where(Utility.id == utility.id).with_for_update(key_share=True)
    )
    return Subject(SubjectType.utility, utility.id, None, utility.first_day_on)


async def subjects_of_staff(work: Work, staff_ids: Sequence[str]) -> list[Subject]:
    """Return people as subjects; locks their rows."""
    subjects: list[Subject] = []
    for ids in chunks(sorted(staff_ids)):
        people = await work.session.exec(
            select(Staff)
            .where(col(Staff.id).in_(ids))
            .order_by(Staff.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        subjects += [staff_subject(person) for person in people]
    return subjects


def staff_subject(person: Staff) -> Subject:
    """Return a person as a subject: duties run while the person handles water."""
    return Subject(
        SubjectType.person,
        person.id,
        None,
        person.since_on if person.handles_water else None,
        person.left_on,
        EndReason.left if person.left_on else None,
    )
