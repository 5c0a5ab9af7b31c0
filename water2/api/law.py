"""The law in force for a utility, with articles and quotes, and the stricter values it set."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from fastapi import APIRouter, Response
from fastapi import Query as Given
from pydantic import BaseModel, JsonValue

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Query
from water2.domain.access import Action
from water2.domain.command import Command, Day
from water2.edge.facts import json_fact
from water2.rules.articles import Amendment, Article
from water2.rules.book import Rulebook
from water2.rules.forms import FieldKind
from water2.rules.obligation import Obligation
from water2.services.policy import set_policy
from water2.services.register import chosen_utility
from water2.services.rulebooks import book_of

router = APIRouter(tags=["law"], route_class=ActRoute)


class ObligationAnswer(BaseModel):
    """A demand in force; `basis` says whether its interval is law or a target."""

    id: str
    title: str
    title_en: str
    instrument: str
    instrument_number: str | None
    article: str
    quote: str | None
    subject: str | None
    basis: str
    status: str
    in_force_from: date | None
    in_force_to: date | None
    reading: str | None
    reason: str | None
    verified: bool
    values: dict[str, dict[str, Any]]

    @classmethod
    def of(cls, one: Obligation) -> Self:
        """Show an obligation with its provision and its numbers."""
        instrument = one.provision.instrument
        values = {key: json_fact(setting) for key, setting in one.values.items()}
        return cls.model_validate(
            {
                **{name: getattr(one, name) for name in cls.model_fields if hasattr(one, name)},
                "instrument": instrument.title,
                "instrument_number": instrument.number,
                "article": one.provision.article,
                "quote": one.provision.quote,
                "values": values,
            }
        )


class ArticleAnswer(Answer):
    """An article of the place's own regulation, and what the software makes of it."""

    number: int
    title: str
    title_en: str
    status: str
    reason: str | None
    quote: str
    obligations: list[str]


class AmendmentAnswer(Answer):
    """What a revision changed, by fact and date."""

    old_article: str
    kind: str
    on: date
    fact: str
    fact_en: str
    quote: str | None


class FormFieldAnswer(Answer):
    """A field of a record; `minimum` and `maximum` count the entries of a list.

    A value past `flag_below` or `flag_above` is taken and flagged.
    """

    key: str
    title: str
    title_en: str
    kind: FieldKind
    required: bool
    unit: str | None
    minimum: Decimal | None
    maximum: Decimal | None
    flag_below: Decimal | None
    flag_above: Decimal | None
    after: str | None
    apart_from: str | None
    basis: str
    source: str | None


class FormAnswer(Answer):
    """A record an act must leave, such as the `record` a work order is completed with."""

    name: str
    title: str
    title_en: str
    fields: list[FormFieldAnswer]


class LawAnswer(BaseModel):
    """The rulebook as it stands on a day."""

    place: str
    title: str
    title_en: str
    on: date
    items: list[ObligationAnswer]
    articles: list[ArticleAnswer]
    amendments: list[AmendmentAnswer]
    forms: list[FormAnswer]
    next: str | None = None

    @classmethod
    def of(cls, book: Rulebook, on: date) -> Self:
        """Show a rulebook as of a day."""
        articles: tuple[Article, ...] = book.articles
        amendments: tuple[Amendment, ...] = book.amendments
        return cls(
            place=book.key,
            title=book.title,
            title_en=book.title_en,
            on=on,
            items=[ObligationAnswer.of(one) for one in book.obligations_on(on)],
            articles=[ArticleAnswer.model_validate(article) for article in articles],
            amendments=[AmendmentAnswer.model_validate(one) for one in amendments],
            forms=[FormAnswer.model_validate(form) for form in book.forms.values()],
        )


class LawQuery(Query):
    """As of which day; today in the utility's zone unless said otherwise."""

    on: Day | None = None


class SetPolicy(Command):
    """A value as strict as the rulebook's or stricter, from today on."""

    value: JsonValue
    utility_id: str | None = None


class PolicyAnswer(Answer):
    """A value the utility set."""

    id: str
    obligation: str
    key: str
    value: JsonValue
    from_on: date


@router.get("/obligations", response_model=LawAnswer)
async def show_obligations(work: Reading, query: Annotated[LawQuery, Given()]) -> Response:
    """Show the law in force, what the utility set stricter included."""
    work.require(Action.read)
    utility = await chosen_utility(work, query.of_utility)
    on = query.on or work.today(utility.timezone)
    shown = LawAnswer.of(await book_of(work, utility, on), on)
    return Response(shown.model_dump_json(), media_type="application/json")


@router.put("/policy/{obligation}/{key}", response_model=PolicyAnswer)
async def put_policy(act: Writing, obligation: str, key: str, command: SetPolicy) -> Response:
    """Set a stricter value; a looser one is refused with the provision."""
    utility = await chosen_utility(act.work, command.utility_id)
    setting = await set_policy(act.work, utility, obligation, key, command.value)
    return act.answer(PolicyAnswer.model_validate(setting))
