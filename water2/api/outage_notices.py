"""What was announced of an outage, what would be next, and who is still to be told."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Response
from fastapi import Query as Given

from water2.api.callers import Reading
from water2.api.outage_shapes import PreviewQuery
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, page_answer
from water2.domain.delivery import EvidenceLevel
from water2.domain.notice import NoticeKind
from water2.domain.outage import Outage, OutageState
from water2.services.outages.announcing import Before, preview
from water2.services.outages.listing import notices_of
from water2.services.outages.queries import missing_households, outage_by, standing_by

router = APIRouter(prefix="/outages", tags=["outages"])
_NEXT = {
    OutageState.draft: NoticeKind.planned,
    OutageState.published: NoticeKind.rescheduled,
    OutageState.in_effect: NoticeKind.restored,
    OutageState.restored: NoticeKind.restored,
    OutageState.cancelled: NoticeKind.cancelled,
}


class ChannelLevelAnswer(Answer):
    """How far messages by a channel have come."""

    channel: str
    level: EvidenceLevel


class MissingAnswer(Answer):
    """A household not told in time; without `channels` no message can reach it: hang a poster."""

    id: str
    code: str
    building_code: str
    channels: list[ChannelLevelAnswer]


class NoticeWords(Answer):
    """A notice's words; `short_zh` is the text message."""

    title_zh: str
    title_en: str
    text_zh: str
    text_en: str
    short_zh: str


class NoticeAnswer(NoticeWords):
    """A revision as it was published; `text_sha256` is the hash in the ledger."""

    id: str
    number: str
    revision: int
    kind: NoticeKind
    published_at: Instant
    starts_at: Instant
    ends_at: Instant | None
    building_ids: list[str]
    households: int
    text_sha256: str


class PreviewAnswer(NoticeWords):
    """The words that a notice would have if it were published now."""

    kind: NoticeKind
    revision: int


@router.get("/{id}/missing", response_model=ListAnswer[MissingAnswer])
async def show_missing(work: Reading, id_: Id, query: Annotated[ListQuery, Given()]) -> Response:
    """List the households not told in time, by code, with how far each channel has come."""
    page = await missing_households(work, await standing_by(work, id_), query.page)
    return page_answer(MissingAnswer, page)


@router.get("/{id}/notices", response_model=ListAnswer[NoticeAnswer])
async def show_notices(work: Reading, id_: Id) -> ListAnswer[NoticeAnswer]:
    """List what was published, the first revision first."""
    notices = await notices_of(work, await outage_by(work, id_))
    return ListAnswer(items=[NoticeAnswer.model_validate(notice) for notice in notices])


@router.get("/{id}/preview", response_model=PreviewAnswer)
async def show_preview(
    work: Reading, id_: Id, query: Annotated[PreviewQuery, Given()]
) -> PreviewAnswer:
    """Show the words of the next notice before anybody gets them."""
    standing = await standing_by(work, id_)
    kind = query.kind or _NEXT[standing.outage.state]
    outage = standing.outage
    before = Before(outage.starts_at, outage.ends_at)
    following = Outage(**outage.model_dump() | {"revision": outage.revision + 1})
    words = await preview(work, replace(standing, outage=following), kind, before)
    return PreviewAnswer(kind=kind, revision=following.revision, **vars(words))
