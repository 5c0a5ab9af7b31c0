"""How an outage is shown: what was announced, who is told by now, what is to be looked at."""

from typing import Annotated, Any

from pydantic import Field

from water2.api.shapes import Answer, Instant, ListQuery, Query
from water2.domain.notice import NoticeKind
from water2.domain.outage import OutageKind, OutageReason, OutageState
from water2.edge.progress import progress_sentence
from water2.rules.flags import FlagCode
from water2.services.outages.listing import OutageView
from water2.words import Words


class NotifiedAnswer(Answer):
    """The households frozen with the last notice: `told` in time, `late` after it, the rest not.

    `missing` are all that were not told in time. Of an emergency whoever is told is told in time.
    """

    households: int
    told: int
    missing: int
    late: int


class OutageAnswer(Answer):
    """An outage; `building_ids` empty: the whole facility. `revision` 0: nothing is published yet.

    `earliest_lawful_start`: were those not told yet told now; null of an emergency. `warnings`:
    how many hours before the start households were still to be told. `summary` says it in words.
    """

    id: str
    number: str
    utility_id: str
    facility_id: str
    facility_code: str
    kind: OutageKind
    state: OutageState
    reason: OutageReason
    building_ids: list[str]
    zones: list[str]
    starts_at: Instant
    ends_at: Instant | None
    created_at: Instant
    published_at: Instant | None
    started_at: Instant | None
    restored_at: Instant | None
    cancelled_at: Instant | None
    cancel_reason: str | None
    revision: int
    work_order_id: str | None
    detail: str | None
    cause: str | None
    notice_impossible_because: str | None
    approval: str | None
    authority_report: str | None
    water_points: str | None
    emergency_supply: str | None
    health_advice: str | None
    failed_items: list[str] | None
    danger: str | None
    retested_at: Instant | None
    overran: bool
    update_missed: bool
    version: int
    notified: NotifiedAnswer
    earliest_lawful_start: Instant | None
    warnings: list[int]
    flags: list[FlagCode]
    summary: str


class OutageQuery(ListQuery):
    """Narrows a list of outages."""

    facility_id: Annotated[str, Field(max_length=60)] | None = None
    state: OutageState | None = None
    kind: OutageKind | None = None


class PreviewQuery(Query):
    """Of which notice; the one that would come next unless said otherwise."""

    kind: NoticeKind | None = None


def shown_outage(view: OutageView, words: Words) -> OutageAnswer:
    """Show an outage in the reader's language."""
    told = view.progress.told
    more: dict[str, Any] = {
        "facility_code": view.facility.code,
        "notified": {
            "households": told.households,
            "told": told.in_time,
            "missing": told.missing_count,
            "late": told.late,
        },
        "earliest_lawful_start": view.progress.earliest_lawful_start,
        "warnings": list(view.progress.warnings),
        "flags": list(view.flags),
        "summary": progress_sentence(view, words),
    }
    return OutageAnswer.model_validate(view.outage.model_dump() | more)
