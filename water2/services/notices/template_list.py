"""Every template that holds for a utility: its own where it set one, else the program's."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.notice import NoticeKind, NoticeTemplate
from water2.domain.organisation import Utility
from water2.services.notices.template import (
    LANGUAGES,
    Template,
    known_fields,
    own_template,
    required_fields,
)
from water2.work import Work

SHORT_LANGUAGE = "zh"  # text messages are in Chinese alone


@dataclass(frozen=True)
class TemplateView:
    """The words that notices of a kind are written with; version 0 are the program's own."""

    kind: NoticeKind
    language: str
    version: int
    set_at: datetime | None
    template: Template

    @property
    def required(self) -> dict[str, list[str]]:
        """Return the facts that its text, and its short text where it has one, must name."""
        parts = ("text", "short") if self.language == SHORT_LANGUAGE else ("text",)
        return {part: required_fields(self.kind, part) for part in parts}

    @property
    def known(self) -> list[str]:
        """Return the facts it may name."""
        return sorted(known_fields())


async def list_templates(work: Work, utility: Utility) -> list[TemplateView]:
    """Return the templates of every kind in every language."""
    work.require(Action.read)
    rows = await work.session.exec(
        select(NoticeTemplate)
        .where(NoticeTemplate.utility_id == utility.id)
        .order_by(col(NoticeTemplate.version))
    )
    last = {(row.kind, row.language): row for row in rows}  # the highest version stays
    return [
        view_template(kind, language, last.get((kind, language)))
        for kind in NoticeKind
        for language in LANGUAGES
    ]


def view_template(kind: NoticeKind, language: str, own: NoticeTemplate | None) -> TemplateView:
    """Return how a template is shown; None: the utility set none."""
    if own is None:
        return TemplateView(kind, language, 0, None, own_template(kind, language))
    template = Template(own.title, own.text, own.short)
    return TemplateView(kind, language, own.version, own.set_at, template)
