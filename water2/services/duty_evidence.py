"""What satisfies duties: the acts on record, read in bulk for many subjects at once."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import col

from water2.domain.cleaning import Cleaning, Inspection
from water2.domain.emergency import EmergencyDrill, EmergencyPlan
from water2.domain.patrol import Patrol, PatrolKind
from water2.domain.staff import Certificate, CertificateKind
from water2.domain.water import Purpose, Sample
from water2.rules import emergency, fitness
from water2.rules.cadence import Evidence, evidences_of
from water2.rules.obligation import Obligation
from water2.rules.sampling import sampling_rounds
from water2.services.rows import chunks
from water2.services.sampling_evidence import own_samples, planned_samples
from water2.work import Work

EvidenceBySubject = dict[str, tuple[Evidence, ...]]
Loader = Callable[[Work, Obligation, Sequence[str]], Awaitable[EvidenceBySubject]]


async def _grouped(
    work: Work, ids: Sequence[str], statement: Callable[[Sequence[str]], Select[*tuple[Any, ...]]]
) -> dict[str, list[Any]]:
    """Run a statement whose first column is the subject, chunk by chunk."""
    found: dict[str, list[Any]] = defaultdict(list)
    for chunk in chunks(ids):
        for row in await work.session.execute(statement(chunk)):
            found[row[0]].append(row)
    return found


def _done(obligation: Obligation, rows: dict[str, list[Any]]) -> EvidenceBySubject:
    cadence = obligation.cadence
    if cadence is None:
        return {}
    return {
        subject: evidences_of(cadence, [(row[1], row[2]) for row in found])
        for subject, found in rows.items()
    }


def _dated(subject: Any, id_: Any, on: Any, *conditions: Any) -> Loader:
    """Return the loader of acts that count on the day they bear."""

    async def load(work: Work, obligation: Obligation, ids: Sequence[str]) -> EvidenceBySubject:
        columns = col(subject), col(id_), col(on)
        rows = await _grouped(
            work, ids, lambda chunk: select(*columns).where(columns[0].in_(chunk), *conditions)
        )
        return _done(obligation, rows)

    return load


def _patrols(kind: PatrolKind) -> Loader:
    return _dated(Patrol.facility_id, Patrol.id, Patrol.patrolled_on, col(Patrol.kind) == kind)


async def routine_samples(
    work: Work, obligation: Obligation, ids: Sequence[str]
) -> EvidenceBySubject:
    """Rounds of routine samples over the points of the plan; uncredited reports do not count."""
    rows = await _grouped(
        work,
        ids,
        lambda chunk: select(
            col(Sample.facility_id), col(Sample.id), col(Sample.sampled_on), col(Sample.point)
        ).where(
            col(Sample.facility_id).in_(chunk),
            col(Sample.purpose) == Purpose.routine,
            col(Sample.counts),
        ),
    )
    points = str(obligation.values["points"].value).split()
    rounds = {
        subject: [
            (subject, id_, on)
            for id_, on in sampling_rounds([(r[1], r[2], r[3].value) for r in found], points)
        ]
        for subject, found in rows.items()
    }
    return _done(obligation, rounds)


async def certificates_of(
    work: Work, kind: CertificateKind, ids: Sequence[str]
) -> dict[str, list[Certificate]]:
    """Return the certificates of one kind by person."""
    rows = await _grouped(
        work,
        ids,
        lambda chunk: select(col(Certificate.staff_id), Certificate).where(
            col(Certificate.staff_id).in_(chunk), col(Certificate.kind) == kind
        ),
    )
    return {person: [row[1] for row in found] for person, found in rows.items()}


def health_certificate(card: Certificate) -> fitness.HealthCertificate:
    """Read a stored health certificate as the rules do."""
    return fitness.HealthCertificate(
        id=card.id,
        number=card.number,
        examined_on=card.done_on,
        valid_to=card.valid_to,
        revoked_on=card.revoked_on,
    )


def training_of(card: Certificate) -> fitness.Training:
    """Read a stored training certificate as the rules do."""
    return fitness.Training(id=card.id, trained_on=card.done_on, number=card.number)


async def health_checks(
    work: Work, obligation: Obligation, ids: Sequence[str]
) -> EvidenceBySubject:
    """Health checks; each sets the next due day to its last valid day."""
    cards = await certificates_of(work, CertificateKind.health, ids)
    return {
        person: fitness.health_evidences([health_certificate(card) for card in found], obligation)
        for person, found in cards.items()
    }


async def trainings(work: Work, _obligation: Obligation, ids: Sequence[str]) -> EvidenceBySubject:
    """The first hygiene training; training does not lapse."""
    cards = await certificates_of(work, CertificateKind.training, ids)
    return {
        person: fitness.training_evidences([training_of(card) for card in found])
        for person, found in cards.items()
    }


async def emergency_plans(
    work: Work, obligation: Obligation, ids: Sequence[str]
) -> EvidenceBySubject:
    """The versions of the emergency plan; each is looked through again by its own day."""
    rows = await _grouped(
        work,
        ids,
        lambda chunk: select(
            col(EmergencyPlan.utility_id),
            col(EmergencyPlan.id),
            col(EmergencyPlan.issued_on),
            col(EmergencyPlan.review_on),
        ).where(col(EmergencyPlan.utility_id).in_(chunk)),
    )
    return {
        utility: emergency.plan_evidences([(r[1], r[2], r[3]) for r in found], obligation)
        for utility, found in rows.items()
    }


LOADERS: dict[str, Loader] = {
    "credited_cleaning": _dated(
        Cleaning.subject_id,
        Cleaning.id,
        Cleaning.cleaned_on,
        col(Cleaning.credited_on).is_not(None),
    ),
    "inspection": _dated(
        Inspection.tank_id,
        Inspection.id,
        Inspection.inspected_on,
        col(Inspection.inspected_on).is_not(None),  # it was performed
    ),
    "health_check": health_checks,
    "training": trainings,
    "routine_sample": routine_samples,
    "hygiene_patrol": _patrols(PatrolKind.hygiene),
    "equipment_patrol": _patrols(PatrolKind.equipment),
    "planned_sample": planned_samples,
    "own_sample": own_samples,
    "emergency_plan": emergency_plans,
    "emergency_drill": _dated(EmergencyDrill.utility_id, EmergencyDrill.id, EmergencyDrill.held_on),
}
