"""Readings of online instruments, in batches; and the bytes their hash in the ledger is of."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from water2.api.acts import ActRoute, Writing
from water2.api.callers import Reading
from water2.api.problems import words_for
from water2.api.shapes import Answer, Id, Instant
from water2.edge.problems import said
from water2.services.instruments.given import RecordReadings
from water2.services.instruments.queries import show_batch
from water2.services.instruments.recording import Recorded, record_readings
from water2.words import Words

router = APIRouter(tags=["instruments"], route_class=ActRoute)


class RefusedReadingAnswer(BaseModel):
    """A row that was not taken; `index` counts from 0."""

    index: int
    column: str | None
    value: str | None
    reason: str
    detail: str


class OpenedAnswer(BaseModel):
    """An anomaly that an excursion opened, or was linked to."""

    id: str
    excursion_id: str
    instrument_id: str


class RecordedAnswer(BaseModel):
    """Counts, each refused row, and the anomalies that were opened."""

    accepted: int
    duplicate: int
    rejected: int
    rows: list[RefusedReadingAnswer]
    batch_ids: list[str]
    anomalies: list[OpenedAnswer]


class BatchAnswer(Answer):
    """A facility's readings of one request; the SHA-256 of `body` is in the entry."""

    id: str
    facility_id: str | None
    received_at: Instant
    readings: int
    body: str
    body_sha256: str


def _shown(done: Recorded, words: Words) -> RecordedAnswer:
    rows = [
        RefusedReadingAnswer(
            index=row.index,
            column=row.column,
            value=row.value,
            reason=row.reason,
            detail=said(words, "field", row.reason, {"value": row.value, **row.facts}),
        )
        for row in done.refused
    ]
    opened = [
        OpenedAnswer(id=one.anomaly_id, excursion_id=one.id, instrument_id=one.instrument_id)
        for one in done.opened
        if one.anomaly_id
    ]
    return RecordedAnswer(
        accepted=done.accepted,
        duplicate=done.duplicate,
        rejected=len(rows),
        rows=rows,
        batch_ids=done.batch_ids,
        anomalies=opened,
    )


@router.post("/readings", response_model=RecordedAnswer)
async def take_readings(request: Request, act: Writing, command: RecordReadings) -> Response:
    """Store readings and judge them; a row that cannot be taken costs no other."""
    done = await record_readings(act.work, command)
    return act.answer(_shown(done, words_for(request)))


@router.get("/reading-batches/{id}", response_model=BatchAnswer)
async def show_reading_batch(work: Reading, id_: Id) -> BatchAnswer:
    """Show the bytes of a batch, to be compared with its entry."""
    batch = await show_batch(work, id_)
    return BatchAnswer.model_validate({**batch.model_dump(), "body": batch.body.decode()})
