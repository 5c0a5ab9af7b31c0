"""Posters: evidence for a building, and where one must hang."""

from typing import Annotated, Self

from fastapi import APIRouter, Response
from fastapi import Query as Asked

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.poster_form import POSTER_BODY, Given
from water2.api.shapes import Answer, Id, Instant, ListAnswer, Query
from water2.domain.errors import NotFound
from water2.domain.organisation import Utility
from water2.domain.outage import Poster
from water2.rules.flags import FlagCode
from water2.services.evidence_files import open_file
from water2.services.outages.posters import (
    PosterTask,
    all_poster_tasks,
    poster_tasks,
    posters_of,
    record_poster,
)
from water2.services.outages.queries import outage_by
from water2.services.rows import fetch

router = APIRouter(tags=["posters"], route_class=ActRoute)


class PosterAnswer(Answer):
    """A poster; it shows the notice of `revision`. `posted_by` is the person, by id."""

    id: str
    outage_id: str
    building_id: str
    revision: int
    posted_at: Instant
    posted_by: str | None
    recorded_by: str
    recorded_at: Instant
    photo_sha256: str | None
    late_reason: str | None
    flags: list[FlagCode]


class PosterTaskAnswer(Answer):
    """A building where a poster must hang: `missing` households are not told yet.

    `hang_by`: evidence from later on comes too late; null of an emergency.
    """

    outage_id: str
    number: str
    starts_at: Instant
    building_id: str
    building_code: str
    missing: int
    hang_by: Instant | None

    @classmethod
    def of(cls, task: PosterTask) -> Self:
        """Show a task."""
        return cls(
            outage_id=task.outage.id,
            number=task.outage.number,
            starts_at=task.outage.starts_at,
            building_id=task.building.id,
            building_code=task.building.code,
            missing=task.missing,
            hang_by=task.hang_by,
        )


@router.post(
    "/outages/{id}/posters",
    status_code=201,
    response_model=PosterAnswer,
    openapi_extra=POSTER_BODY,
)
async def add_poster(given: Given, act: Writing, id_: Id) -> Response:
    """Record a poster: JSON with the photo in base64, or a form with it as a file.

    The body of JSON ends at 1 MiB; a photo as a file may have 10.
    """
    outage = await outage_by(act.work, id_)
    poster = await record_poster(act.work, outage.id, given.command, given.photo)
    return act.answer(PosterAnswer.model_validate(poster), 201)


@router.get("/outages/{id}/posters", response_model=ListAnswer[PosterAnswer])
async def show_posters(work: Reading, id_: Id) -> ListAnswer[PosterAnswer]:
    """List the posters of an outage in the order they were hung."""
    posters = await posters_of(work, await outage_by(work, id_))
    return ListAnswer(items=[PosterAnswer.model_validate(one) for one in posters])


@router.get("/outages/{id}/poster-tasks", response_model=ListAnswer[PosterTaskAnswer])
async def show_poster_tasks(work: Reading, id_: Id) -> ListAnswer[PosterTaskAnswer]:
    """List the buildings of an outage where a poster must hang, the fullest first."""
    tasks = await poster_tasks(work, (await outage_by(work, id_)).id)
    return ListAnswer(items=[PosterTaskAnswer.of(task) for task in tasks])


@router.get("/poster-tasks", response_model=ListAnswer[PosterTaskAnswer])
async def show_all_poster_tasks(
    work: Reading, query: Annotated[Query, Asked()]
) -> ListAnswer[PosterTaskAnswer]:
    """List the posters that must hang for any outage, the earliest start first."""
    wanted = query.of_utility
    seen = ((await fetch(work, Utility, wanted)).id,) if wanted else work.actor.utility_ids
    tasks = await all_poster_tasks(work, seen)
    return ListAnswer(items=[PosterTaskAnswer.of(task) for task in tasks])


@router.get("/posters/{id}/photo", response_class=Response)
async def show_photo(work: Reading, id_: Id) -> Response:
    """Give the photo of a poster to whoever sees the utility: it may show people."""
    poster = await fetch(work, Poster, id_)
    kept = None
    if poster.photo_sha256 is not None:
        kept = await open_file(work, poster.utility_id, poster.photo_sha256)
    if kept is None:
        raise NotFound("photo", id_)
    content, media_type = kept
    return Response(content, media_type=media_type)
