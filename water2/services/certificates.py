"""Health certificates and hygiene trainings (art. 17(2)), and who is fit on a day."""

from datetime import date
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from water2.domain.access import Action
from water2.domain.command import Code, Command, Day, Name
from water2.domain.errors import Conflict, Invalid
from water2.domain.organisation import Utility
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.domain.work_order import WithdrawnBecause
from water2.rules.fitness import Fitness, known_since
from water2.services.assignments import fitness_on, withdraw_assignments
from water2.services.duties import rederive
from water2.services.duty_evidence import certificates_of
from water2.services.instants import start_of_day
from water2.services.register import record_act, require_free, require_order, require_past
from water2.services.rows import fetch, utility_of
from water2.services.rulebooks import book_of
from water2.work import Work

Reason = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class AddCertificate(Command):
    """A health certificate (`examined_on`) or a training (`trained_on`); `valid_to` as printed."""

    kind: CertificateKind
    number: Code
    issuer: Name | None = None
    examined_on: Day | None = None
    trained_on: Day | None = None
    valid_to: Day | None = None

    @property
    def done_on(self) -> date | None:
        """Return the day of the examination or the training."""
        return self.examined_on if self.kind is CertificateKind.health else self.trained_on

    @model_validator(mode="after")
    def _check_kind(self) -> Self:
        other = self.trained_on if self.kind is CertificateKind.health else self.examined_on
        if self.done_on is None or other is not None:
            raise PydanticCustomError("certificate_day", "the day does not fit the kind")
        return self


class RevokeCertificate(Command):
    """From the day on the certificate is not valid."""

    on: Day
    reason: Reason


async def add_certificate(work: Work, staff_id: str, command: AddCertificate) -> Certificate:
    """Enter a certificate of a person.

    Raises:
        Conflict: the person has a certificate of that kind and number.
        Invalid: its days cannot be true.
    """
    work.require(Action.keep_register)
    person = await fetch(work, Staff, staff_id, lock=True)
    utility = await utility_of(work, person)
    day_field = "examined_on" if command.kind is CertificateKind.health else "trained_on"
    if command.done_on is None:
        raise Invalid.one(day_field, "missing")
    require_past(day_field, command.done_on, work.today(utility.timezone))
    require_order((day_field, command.done_on), ("valid_to", command.valid_to))
    await require_free(
        work, Certificate, "number", staff_id=person.id, kind=command.kind, number=command.number
    )
    card = Certificate(
        utility_id=utility.id,
        staff_id=person.id,
        kind=command.kind,
        number=command.number,
        issuer=command.issuer,
        done_on=command.done_on,
        valid_to=command.valid_to,
    )
    work.session.add(card)
    person.since_on = await _since(work, person)
    _record(work, utility, card, "certificate.recorded", card.done_on)
    await rederive(work, utility, staff_ids=[person.id])
    return card


async def revoke_certificate(
    work: Work, id_: str, command: RevokeCertificate
) -> tuple[Certificate, int]:
    """Revoke a health certificate; a person no longer fit is withdrawn from coming work.

    Returns the certificate and how many assignments were withdrawn.

    Raises:
        Conflict: it is revoked already, or is a training, which does not lapse.
    """
    work.require(Action.keep_register)
    seen = await fetch(work, Certificate, id_)
    # the person first, as every act on their certificates, and as whoever sends them to work
    person = await fetch(work, Staff, seen.staff_id, lock=True)
    card = await fetch(work, Certificate, id_, lock=True)
    if card.kind is CertificateKind.training or card.revoked_on is not None:
        code = "revoked_already" if card.revoked_on else "training_does_not_lapse"
        raise Conflict(code, {"number": card.number})
    utility = await utility_of(work, card)
    today = work.today(utility.timezone)
    require_past("on", command.on, today)
    require_order(("examined_on", card.done_on), ("on", command.on))
    card.revoked_on = command.on
    card.version += 1
    _record(work, utility, card, "certificate.revoked", command.on)
    await rederive(work, utility, staff_ids=[person.id])
    fitness = await fitness_of(work, utility, person, today)
    if fitness.fit:
        return card, 0
    because = WithdrawnBecause.certificate_revoked
    return card, await withdraw_assignments(work, [person.id], because)


async def _since(work: Work, person: Staff) -> date:
    """Return from when a person is known to handle water, by all certificates on record."""
    health = await certificates_of(work, CertificateKind.health, [person.id])
    training = await certificates_of(work, CertificateKind.training, [person.id])
    return known_since(
        person.since_on,
        examined=[card.done_on for card in health.get(person.id, [])],
        trained=[card.done_on for card in training.get(person.id, [])],
    )


async def fitness_of(work: Work, utility: Utility, person: Staff, on: date) -> Fitness:
    """Judge a person as of a day."""
    book = await book_of(work, utility, on)
    return (await fitness_on(work, book, [person], on))[person.code]


def _record(
    work: Work, utility: Utility, card: Certificate, type_: str, on: date, **more: object
) -> None:
    data: dict[str, object] = {
        "staff": card.staff_id,
        "kind": card.kind.value,
        "number": card.number,
        "on": on.isoformat(),
        "valid_to": card.valid_to and card.valid_to.isoformat(),
        **more,
    }
    occurred_at = start_of_day(on, utility.timezone)
    record_act(work, utility.ledger_id, type_, f"certificate:{card.id}", data, occurred_at)
