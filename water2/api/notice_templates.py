"""The words notices are written with, and the telephone that stands in them."""

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.shapes import Answer, Instant, ListAnswer, Query
from water2.domain.access import Action
from water2.domain.notice import NoticeKind
from water2.domain.organisation import Utility
from water2.services.hotline import SetHotline, set_hotline
from water2.services.notices.template_list import TemplateView, list_templates, view_template
from water2.services.notices.templates import SetTemplate, set_template
from water2.services.register import chosen_utility

router = APIRouter(tags=["notices"], route_class=ActRoute)


class TemplateAnswer(Answer):
    """A template; version 0 is the program's own. Facts stand in braces.

    `required` are those that text and short text must name, `known` all that they may. `short` is
    the text message, in Chinese alone.
    """

    kind: NoticeKind
    language: str
    version: int
    set_at: Instant | None
    title: str
    text: str
    short: str | None
    required: dict[str, list[str]]
    known: list[str]

    @classmethod
    def of(cls, view: TemplateView) -> Self:
        """Show a template with what it must hold."""
        words = view.template
        return cls(
            kind=view.kind,
            language=view.language,
            version=view.version,
            set_at=view.set_at,
            title=words.title,
            text=words.text,
            short=words.short,
            required=view.required,
            known=view.known,
        )


class HotlineAnswer(Answer):
    """The utility's 24-hour telephone; null: residents are told of none."""

    utility_id: str
    phone: str | None

    @classmethod
    def of(cls, utility: Utility) -> Self:
        """Show a utility's telephone."""
        return cls(utility_id=utility.id, phone=utility.hotline)


@router.get("/notice-templates", response_model=ListAnswer[TemplateAnswer])
async def show_templates(
    work: Reading, query: Annotated[Query, Given()]
) -> ListAnswer[TemplateAnswer]:
    """List the templates that hold: every kind of notice in every language."""
    utility = await chosen_utility(work, query.of_utility)
    return ListAnswer(items=[TemplateAnswer.of(one) for one in await list_templates(work, utility)])


@router.put("/notice-templates/{kind}/{language}", response_model=TemplateAnswer)
async def put_template(
    act: Writing, kind: NoticeKind, language: Literal["zh", "en"], command: SetTemplate
) -> Response:
    """Set a template; one that lacks a fact its notice must hold is refused with what lacks."""
    template = await set_template(act.work, kind, language, command)
    return act.answer(TemplateAnswer.of(view_template(kind, language, template)))


@router.get("/hotline", response_model=HotlineAnswer)
async def show_hotline(work: Reading, query: Annotated[Query, Given()]) -> HotlineAnswer:
    """Show the 24-hour telephone that stands in notices."""
    work.require(Action.read)
    return HotlineAnswer.of(await chosen_utility(work, query.of_utility))


@router.put("/hotline", response_model=HotlineAnswer)
async def put_hotline(act: Writing, command: SetHotline) -> Response:
    """Set it, as residents are to read it; notices published from now on hold it."""
    return act.answer(HotlineAnswer.of(await set_hotline(act.work, command)))
