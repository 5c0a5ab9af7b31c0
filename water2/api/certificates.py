"""Health certificates and trainings, and who is fit on a day."""

from datetime import date
from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import Act, ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Id, ListAnswer, Query
from water2.domain.access import Action
from water2.domain.command import Day
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.edge.facts import json_fact
from water2.rules.fitness import Fitness
from water2.services.certificates import (
    AddCertificate,
    RevokeCertificate,
    add_certificate,
    fitness_of,
    revoke_certificate,
)
from water2.services.duty_evidence import certificates_of
from water2.services.rows import fetch, utility_of

router = APIRouter(tags=["register"], route_class=ActRoute)


class CertificateAnswer(Answer):
    """A certificate; `valid_to` is the printed end."""

    id: str
    staff_id: str
    kind: CertificateKind
    number: str
    issuer: str | None
    examined_on: date | None
    trained_on: date | None
    valid_to: date | None
    revoked_on: date | None
    withdrawn_assignments: int = 0

    @classmethod
    def of(cls, card: Certificate, withdrawn: int = 0) -> Self:
        """Show a certificate by the name its day has in the request."""
        health = card.kind is CertificateKind.health
        return cls(
            **card.model_dump(
                include={"id", "staff_id", "kind", "number", "issuer", "valid_to", "revoked_on"}
            ),
            examined_on=card.done_on if health else None,
            trained_on=None if health else card.done_on,
            withdrawn_assignments=withdrawn,
        )


class ReasonAnswer(Answer):
    """What a person lacks; `code` is one of the reasons of `rules.fitness`."""

    code: str
    obligation: str
    article: str
    quote: str | None
    facts: dict[str, Any]


class FitnessAnswer(Answer):
    """Whether a person may handle the water on a day, and all that lacks."""

    fit: bool
    on: date
    reasons: list[ReasonAnswer]

    @classmethod
    def of(cls, fitness: Fitness) -> Self:
        """Show a verdict with the provision of each reason."""
        reasons = [
            {
                "code": reason.code,
                "obligation": reason.provision.obligation,
                "article": reason.provision.article,
                "quote": reason.provision.quote,
                "facts": json_fact(reason.facts),
            }
            for reason in fitness.reasons
        ]
        return cls.model_validate({"fit": fitness.fit, "on": fitness.on, "reasons": reasons})


class FitnessQuery(Query):
    """As of which day; today in the utility's zone unless said otherwise."""

    on: Day | None = None


def _shown(act: Act, card: Certificate, status: int = 200, withdrawn: int = 0) -> Response:
    return act.answer(CertificateAnswer.of(card, withdrawn), status, card.version)


@router.get("/staff/{id}/certificates", response_model=ListAnswer[CertificateAnswer])
async def show_certificates(work: Reading, id_: Id) -> ListAnswer[CertificateAnswer]:
    """List a person's certificates, those of health first, the newest first."""
    work.require(Action.read)
    person = await fetch(work, Staff, id_)
    found: list[Certificate] = []
    for kind in CertificateKind:
        cards = (await certificates_of(work, kind, [person.id])).get(person.id, [])
        found += sorted(cards, key=lambda card: (card.done_on, card.id), reverse=True)
    return ListAnswer(items=[CertificateAnswer.of(card) for card in found])


@router.post("/staff/{id}/certificates", status_code=201, response_model=CertificateAnswer)
async def create_certificate(act: Writing, id_: Id, command: AddCertificate) -> Response:
    """Enter a health certificate or a training."""
    return _shown(act, await add_certificate(act.work, id_, command), 201)


@router.post("/certificates/{id}/revoke", response_model=CertificateAnswer)
async def withdraw_certificate(act: Writing, id_: Id, command: RevokeCertificate) -> Response:
    """Revoke a health certificate; who is then not fit is withdrawn from coming work."""
    card, withdrawn = await revoke_certificate(act.work, id_, command)
    return _shown(act, card, withdrawn=withdrawn)


@router.get("/staff/{id}/fitness", response_model=FitnessAnswer)
async def show_fitness(
    work: Reading, id_: Id, query: Annotated[FitnessQuery, Given()]
) -> FitnessAnswer:
    """Tell whether a person may handle the water on a day (art. 17(2))."""
    work.require(Action.read)
    person = await fetch(work, Staff, id_)
    utility = await utility_of(work, person)
    on = query.on or work.today(utility.timezone)
    return FitnessAnswer.of(await fitness_of(work, utility, person, on))
