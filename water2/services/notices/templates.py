"""A utility's own templates of notices: each setting is a new version, none is ever changed."""

from typing import Annotated

from pydantic import StringConstraints
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.command import Command
from water2.domain.notice import NoticeKind, NoticeTemplate
from water2.domain.organisation import Utility
from water2.services.notices.template import (
    LANGUAGES,
    LONGEST_SHORT,
    LONGEST_TITLE,
    Template,
    check_template,
    own_template,
)
from water2.services.register import chosen_utility, record_act
from water2.work import Work


class SetTemplate(Command):
    """New words for a kind of notice in one language; `short` (SMS) in Chinese alone."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TITLE)]
    text: Annotated[str, StringConstraints(min_length=1, max_length=5000)]
    short: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_SHORT)] | None = None
    utility_id: str | None = None


async def set_template(
    work: Work, kind: NoticeKind, language: str, command: SetTemplate
) -> NoticeTemplate:
    """Set a template; notices published from now on are written with it.

    Raises:
        Invalid: it lacks a fact that the notice must hold, or names an unknown one.
    """
    work.require(Action.keep_deliveries)
    utility = await chosen_utility(work, command.utility_id)
    short = command.short if language == "zh" else None
    check_template(kind, language, Template(command.title, command.text, short))
    last = await _last(work, utility, kind, language)
    template = NoticeTemplate(
        utility_id=utility.id,
        kind=kind,
        language=language,
        version=(last.version if last else 0) + 1,
        title=command.title,
        text=command.text,
        short=short,
        set_at=work.now,
        set_by=work.actor.user_id,
    )
    work.session.add(template)
    data: dict[str, object] = {
        "kind": kind.value,
        "language": language,
        "version": template.version,
    }
    record_act(work, utility.ledger_id, "notice_template.set", f"utility:{utility.id}", data)
    return template


async def templates_of(work: Work, utility: Utility, kind: NoticeKind) -> dict[str, Template]:
    """Return the templates that hold for a utility, by language."""
    found = {}
    for language in LANGUAGES:
        last = await _last(work, utility, kind, language)
        own = own_template(kind, language)
        found[language] = Template(last.title, last.text.strip(), last.short) if last else own
    return found


async def _last(
    work: Work, utility: Utility, kind: NoticeKind, language: str
) -> NoticeTemplate | None:
    rows = await work.session.exec(
        select(NoticeTemplate)
        .where(
            NoticeTemplate.utility_id == utility.id,
            NoticeTemplate.kind == kind,
            NoticeTemplate.language == language,
        )
        .order_by(col(NoticeTemplate.version).desc())
        .limit(1)
    )
    return rows.first()
