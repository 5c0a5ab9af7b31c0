"""What happened at a facility over a span, to be drawn beside what was measured."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, func, or_
from sqlmodel import col, select

from water2.domain.anomaly import Anomaly, AnomalyCause, AnomalyState
from water2.domain.cleaning import Cleaning
from water2.domain.outage import Outage, OutageState
from water2.services.instants import start_of_day
from water2.services.trends.spans import Span
from water2.work import Work

_SHOWN_OUTAGES = (OutageState.published, OutageState.in_effect, OutageState.restored)


class EventKind(StrEnum):
    """What happened."""

    cleaning = "cleaning"
    returned_to_service = "returned_to_service"
    outage = "outage"
    anomaly = "anomaly"
    supply_resumed = "supply_resumed"


@dataclass(frozen=True)
class Event:
    """Something that happened or lasted; `ends_at` empty: an instant, or not over (`state` tells).

    Of a cleaning only the day is known: it begins with the day. `number` is what people call it.
    """

    kind: EventKind
    id: str
    begins_at: datetime
    ends_at: datetime | None = None
    number: str | None = None
    tank_id: str | None = None
    state: str | None = None
    reason: str | None = None
    parameters: list[str] = field(default_factory=list)


async def events_of(work: Work, span: Span) -> list[Event]:
    """Return what happened at the facility, or at one tank and the facility as a whole, in order.

    Anomalies of every parameter are among them: a bad residual explains a bad count.
    """
    found = [
        *await _cleanings(work, span),
        *await _outages(work, span),
        *await _anomalies(work, span),
    ]
    return sorted(found, key=lambda one: (one.begins_at, one.kind, one.number or "", one.id))


async def _cleanings(work: Work, span: Span) -> list[Event]:
    """Return cleanings, and the return to service after them, which may be on a later day."""
    returned = col(Cleaning.returned_to_service_at)
    within: list[ColumnElement[bool]] = [
        col(Cleaning.facility_id) == span.facility.id,
        or_(
            col(Cleaning.cleaned_on).between(span.first, span.last),
            (returned >= span.begins_at) & (returned < span.ends_at),
        ),
    ]
    if span.tank is not None:
        within.append(col(Cleaning.tank_id) == span.tank.id)
    events: list[Event] = []
    for one in await work.session.exec(select(Cleaning).where(*within)):
        if span.first <= one.cleaned_on <= span.last:
            begins = start_of_day(one.cleaned_on, span.utility.timezone)
            state = "credited" if one.credited_on else "not_credited"
            events.append(
                Event(EventKind.cleaning, one.id, begins, None, one.code, one.tank_id, state)
            )
        back = one.returned_to_service_at
        if back is not None and span.begins_at <= back < span.ends_at:
            kind = EventKind.returned_to_service
            events.append(Event(kind, one.id, back, back, one.code, one.tank_id))
    return events


async def _outages(work: Work, span: Span) -> list[Event]:
    """Return outages that were published, as they ran, or as they are announced."""
    begins = func.coalesce(col(Outage.started_at), col(Outage.starts_at))
    ends = func.coalesce(col(Outage.restored_at), col(Outage.ends_at))
    running = col(Outage.state) == OutageState.in_effect
    rows = await work.session.exec(
        select(Outage).where(
            col(Outage.facility_id) == span.facility.id,
            col(Outage.state).in_(_SHOWN_OUTAGES),
            begins < span.ends_at,
            or_(ends >= span.begins_at, running, ends.is_(None)),
        )
    )
    return [
        Event(
            EventKind.outage,
            one.id,
            one.started_at or one.starts_at,
            None if one.state is OutageState.in_effect else one.restored_at or one.ends_at,
            one.number,
            state=one.state.value,
            reason=one.reason.value,
        )
        for one in rows
    ]


async def _anomalies(work: Work, span: Span) -> list[Event]:
    """Return anomalies, each with what its causes are about, and when supply was resumed."""
    ends = func.coalesce(col(Anomaly.closed_at), col(Anomaly.resumed_at))
    unended = (col(Anomaly.closed_at).is_(None)) & (
        col(Anomaly.state) != AnomalyState.historical  # found in old files: an instant
    )
    rows = await work.session.exec(
        select(Anomaly).where(
            col(Anomaly.facility_id) == span.facility.id,
            col(Anomaly.found_at) < span.ends_at,
            or_(col(Anomaly.found_at) >= span.begins_at, ends >= span.begins_at, unended),
        )
    )
    anomalies = list(rows)
    told = await _parameters(work, [one.id for one in anomalies])
    events: list[Event] = []
    for one in anomalies:
        end = one.found_at if one.state is AnomalyState.historical else one.closed_at
        state, parameters = one.state.value, told[one.id]
        events.append(
            Event(
                EventKind.anomaly,
                one.id,
                one.found_at,
                end,
                one.number,
                state=state,
                reason=one.source.value,
                parameters=parameters,
            )
        )
        back = one.resumed_at
        if back is not None and span.begins_at <= back < span.ends_at:
            events.append(Event(EventKind.supply_resumed, one.id, back, back, one.number))
    return events


async def _parameters(work: Work, ids: list[str]) -> dict[str, list[str]]:
    """Return what the causes of anomalies are about, each parameter once."""
    found: dict[str, list[str]] = defaultdict(list)
    cause = (col(AnomalyCause.anomaly_id), col(AnomalyCause.parameter))
    rows = await work.session.execute(
        select(*cause).where(cause[0].in_(ids), cause[1].is_not(None)).distinct().order_by(*cause)
    )
    for anomaly_id, parameter in rows:
        found[anomaly_id].append(str(parameter))
    return found
