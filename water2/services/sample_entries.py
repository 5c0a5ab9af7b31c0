"""What the ledger is told of a sample."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlmodel import select

from water2.domain.ledger import PendingEntry
from water2.domain.staff import Staff
from water2.domain.water import Sample
from water2.services.sample_places import Place
from water2.services.sample_results import GivenResult
from water2.work import Work


async def enter_sample(
    work: Work,
    place: Place,
    sample: Sample,
    type_: str,
    given: Sequence[GivenResult],
    more: Mapping[str, object] | None = None,
) -> None:
    """Put a sample, and the results that came with this act, on its facility's ledger."""
    work.record(
        PendingEntry(
            ledger_id=place.facility.ledger_id,
            type=type_,
            subject=f"tank:{place.tank.id}" if place.tank else f"facility:{place.facility.id}",
            occurred_at=sample.sampled_at or work.now,
            data={
                "sample": sample.id,
                "point": sample.point.value,
                "purpose": sample.purpose.value,
                "sampled_on": sample.sampled_on.isoformat(),
                "report_number": sample.report_number,
                "lab_report": sample.lab_report_id,
                "results": [told_result(one) for one in given],
                "verdict": sample.verdict.value,
                "flags": sample.flags,
                "sampled_by": await sampler_of(work, place.utility.id, sample.sampled_by),
                "laboratory": sample.laboratory,
                "accreditation_number": sample.accreditation_number,
                "accreditation_valid_to": _day(sample.accreditation_valid_to),
                "issued_on": _day(sample.issued_on),
                "counts": sample.counts,
                "cleaning": sample.cleaning_id,
                "late_reason_given": sample.late_reason is not None,
                **(more or {}),
            },
        )
    )


def told_result(given: GivenResult) -> dict[str, str]:
    """Return a result as an entry tells it: as written, with what else its report says of it."""
    return given.model_dump(exclude_none=True)


def record_judged_anew(
    work: Work, place: Place, sample: Sample, because: Mapping[str, object]
) -> None:
    """Put on the ledger that a sample was judged anew because of something else."""
    work.record(
        PendingEntry(
            ledger_id=place.facility.ledger_id,
            type="sample.judged_anew",
            subject=f"sample:{sample.id}",
            occurred_at=work.now,
            data={
                **because,
                "verdict": sample.verdict.value,
                "flags": sample.flags,
                "counts": sample.counts,
            },
        )
    )


async def sampler_of(work: Work, utility_id: str, given: str | None) -> str | None:
    """Return who took it by the random id, where the name given is a 工号; a name stays out."""
    if given is None:
        return None
    rows = await work.session.exec(
        select(Staff.id).where(Staff.utility_id == utility_id, Staff.code == given)
    )
    return rows.first()


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
