"""第十七条(二): who may work on the water on a day, and by when a health check is due."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from water2.rules.book import Rulebook
from water2.rules.cadence import Evidence
from water2.rules.calendar import add_months
from water2.rules.obligation import Obligation
from water2.rules.provision import NO_FACTS, Allowed, Provision, Refused, Verdict

HEALTH_CHECK = "staff.fitness"
TRAINING = "staff.training"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Training:
    """A hygiene training passed on a day. It does not lapse."""

    id: str
    trained_on: date
    number: str | None = None


@dataclass(frozen=True)
class HealthCertificate:
    """A health certificate: examined on a day, valid to its printed end (None: none printed).

    On the day of `revoked_on` it is no longer valid.
    """

    id: str
    examined_on: date
    valid_to: date | None = None
    revoked_on: date | None = None
    number: str | None = None


@dataclass(frozen=True)
class FitnessReason:
    """What a person lacks on a day: a code, the provision that asks for it, the dates behind it.

    Codes: never_trained; trained_after {trained_on}; never_examined; examined_after {examined_on};
    health_check_lapsed {last_valid_day}; health_check_revoked {revoked_on}.
    """

    code: str
    provision: Provision
    facts: Mapping[str, object] = field(default_factory=lambda: NO_FACTS)


@dataclass(frozen=True)
class Fitness:
    """Whether a person may do the work on a day, and all that lacks where not."""

    fit: bool
    on: date
    reasons: tuple[FitnessReason, ...]


def known_since(since_on: date, *, examined: Iterable[date], trained: Iterable[date]) -> date:
    """Give the first day a person is known to handle water, from which the health check is owed.

    Reading: whoever was examined was at work from the first examination or training on; whoever
    never was owes the check from the day the person is heard of (`since_on`).
    """
    checks = list(examined)
    return min([since_on, *checks, *trained]) if checks else since_on


def last_valid_day(certificate: HealthCertificate, obligation: Obligation) -> date | None:
    """Give the last day a certificate counts; None when it never did.

    Reading: "every year" lasts to the anniversary of the examination, that day included (29
    February → 28 February); a shorter printed end holds, a longer one does not.
    """
    interval = int(obligation.number("months"))
    ends = [add_months(certificate.examined_on, interval)]
    if certificate.valid_to is not None:
        ends.append(certificate.valid_to)
    if certificate.revoked_on is not None:
        ends.append(certificate.revoked_on - DAY)
    last = min(ends)
    return last if last >= certificate.examined_on else None


def health_evidences(
    certificates: Iterable[HealthCertificate], obligation: Obligation
) -> tuple[Evidence, ...]:
    """Make evidence of health certificates: the next check is due on the last valid day.

    A card that lasts longer is not shortened by a later one that ends before it. A card that never
    was valid is no evidence.
    """
    found: list[Evidence] = []
    latest = date.min
    for card in sorted(certificates, key=lambda card: (card.examined_on, card.id)):
        last = last_valid_day(card, obligation)
        if last is not None:
            latest = max(latest, last)
            found.append(Evidence(card.id, card.examined_on, latest))
    return tuple(found)


def training_evidences(trainings: Iterable[Training]) -> tuple[Evidence, ...]:
    """Make evidence of trainings, the first first; once is enough."""
    ordered = sorted(trainings, key=lambda training: (training.trained_on, training.id))
    return tuple(Evidence(training.id, training.trained_on, None) for training in ordered)


def judge_fitness(
    on: date,
    trainings: Iterable[Training],
    certificates: Iterable[HealthCertificate],
    book: Rulebook,
) -> Fitness:
    """Judge a person as of the day of the work, by the law in force on it.

    Where the place demands neither training nor health check on that day, everybody is fit.
    """
    training, check = book.obligation(TRAINING, on), book.obligation(HEALTH_CHECK, on)
    reasons: list[FitnessReason] = []
    if training is not None:
        reasons += _training_reasons(on, list(trainings), training)
    if check is not None:
        reasons += _check_reasons(on, list(certificates), check)
    return Fitness(not reasons, on, tuple(reasons))


def _training_reasons(
    on: date, trainings: list[Training], obligation: Obligation
) -> list[FitnessReason]:
    if not trainings:
        return [FitnessReason("never_trained", obligation.provision)]
    first = min(training.trained_on for training in trainings)
    if first > on:
        return [FitnessReason("trained_after", obligation.provision, {"trained_on": first})]
    return []


def _check_reasons(
    on: date, certificates: list[HealthCertificate], obligation: Obligation
) -> list[FitnessReason]:
    if not certificates:
        return [FitnessReason("never_examined", obligation.provision)]
    before = [card for card in certificates if card.examined_on <= on]
    if not before:
        first = min(card.examined_on for card in certificates)
        return [FitnessReason("examined_after", obligation.provision, {"examined_on": first})]
    lasting = [(last_valid_day(card, obligation) or date.min, card) for card in before]
    last, card = max(lasting, key=lambda pair: (pair[0], pair[1].examined_on, pair[1].id))
    return [] if last >= on else [_lapsed(last, card, obligation.provision)]


def _lapsed(last: date, card: HealthCertificate, provision: Provision) -> FitnessReason:
    if card.revoked_on is not None and (last == date.min or card.revoked_on <= last + DAY):
        return FitnessReason("health_check_revoked", provision, {"revoked_on": card.revoked_on})
    known = card.valid_to if last == date.min else last
    return FitnessReason("health_check_lapsed", provision, {"last_valid_day": known})


def judge_crew(
    people: Mapping[str, Fitness],
    on: date,
    book: Rulebook,
    left: Mapping[str, date] | None = None,
) -> Verdict:
    """Judge the crew of a work on the water by the code of each person.

    `left` holds people who left before the day. The refusal's fact `people` names every unfit
    person with `code` and `reasons`, each with its `code`, `article` and dates. Nobody at all is
    refused too, where the place asks for fit people.
    """
    check = book.obligation(HEALTH_CHECK, on) or book.obligation(TRAINING, on)
    if check is None:
        return Allowed()
    if not people:
        return Refused(check.provision, "crew_empty", {"on": on})
    unfit = [_unfit(code, people[code], (left or {}).get(code)) for code in sorted(people)]
    named = [person for person in unfit if person["reasons"]]
    if not named:
        return Allowed()
    return Refused(_cited(people, check.provision), "crew_unfit", {"on": on, "people": named})


def _unfit(code: str, fitness: Fitness, left_on: date | None) -> dict[str, object]:
    reasons = [
        {"code": reason.code, "article": reason.provision.article, **reason.facts}
        for reason in fitness.reasons
    ]
    if left_on is not None:
        reasons.append({"code": "left", "left_on": left_on})
    return {"code": code, "reasons": reasons}


def _cited(people: Mapping[str, Fitness], otherwise: Provision) -> Provision:
    """Cite the health check where anybody lacks it, else the first provision that is lacking."""
    lacking = [reason.provision for person in people.values() for reason in person.reasons]
    return otherwise if otherwise in lacking or not lacking else lacking[0]
