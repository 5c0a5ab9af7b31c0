"""The shapes of anomalies: their clocks, what told of them, what was done, what is to be tested."""

from typing import Annotated, Any, Literal

from pydantic import Field

from water2.api.shapes import Answer, Instant, ListQuery
from water2.domain.anomaly import AnomalyActKind, AnomalySource, AnomalyState
from water2.domain.water import Point
from water2.rules.flags import FlagCode
from water2.services.anomalies.looking import AnomalyDetail, AnomalyLook


class StepClockAnswer(Answer):
    """By when a step is aimed at, and when it was done; all are targets, none is law."""

    step: Literal["stop", "assessment", "findings"]
    due_at: Instant
    done_at: Instant | None
    basis: Literal["target"] = "target"


class AnomalyAnswer(Answer):
    """An anomaly. `endangers_health` null: not assessed yet; `danger_at` set: reports are owed.

    `departed`: supply was, for a time, stopped at fewer than every affected tap; `cut_off_at` is
    when it was at every one.
    """

    id: str
    number: str
    utility_id: str
    facility_id: str
    state: AnomalyState
    source: AnomalySource
    found_at: Instant
    opened_at: Instant
    outage_id: str | None
    stopped_at: Instant | None
    cut_off_at: Instant | None
    departed: bool
    departure_unexplained: bool
    findings_at: Instant | None
    controls_at: Instant | None
    assessed_at: Instant | None
    endangers_health: bool | None
    outbreak: bool
    danger_at: Instant | None
    resumed_at: Instant | None
    closed_at: Instant | None
    version: int
    clocks: list[StepClockAnswer] = Field(default_factory=list)
    flags: list[FlagCode] = Field(default_factory=list)


class CauseAnswer(Answer):
    """One thing that told of it."""

    source: AnomalySource
    found_at: Instant
    parameter: str | None
    point: Point | None
    tank_id: str | None
    sample_id: str | None
    instrument_id: str | None
    note: str | None


class ActAnswer(Answer):
    """One act on it, by a user, in her words."""

    kind: AnomalyActKind
    occurred_at: Instant
    recorded_at: Instant
    recorded_by: str
    text: str | None
    suspected_cause: str | None
    data: dict[str, Any]


class RetestAnswer(Answer):
    """An item to be tested again, in a sample of purpose `retest` not taken before `since`."""

    parameter: str
    point: Point
    tank_id: str | None
    since: Instant
    passed: bool


class AnomalyDetailAnswer(AnomalyAnswer):
    """An anomaly with everything on it."""

    causes: list[CauseAnswer]
    acts: list[ActAnswer]
    retests: list[RetestAnswer]


class HappeningAnswer(Answer):
    """One line of the timeline."""

    at: Instant
    kind: str
    by: str | None
    text: str | None
    about: dict[str, Any]


class TimelineAnswer(Answer):
    """Everything that happened, in its order."""

    items: list[HappeningAnswer]


class AnomalyQuery(ListQuery):
    """Narrows a list of anomalies."""

    facility_id: Annotated[str, Field(max_length=60)] | None = None
    state: AnomalyState | None = None
    source: AnomalySource | None = None


def shown_look(look: AnomalyLook) -> AnomalyAnswer:
    """Show an anomaly in a list."""
    shown = AnomalyAnswer.model_validate(look.anomaly)
    shown.clocks = [StepClockAnswer.model_validate(clock) for clock in look.clocks]
    shown.flags = look.flags
    return shown


def shown_detail(detail: AnomalyDetail) -> AnomalyDetailAnswer:
    """Show an anomaly with everything on it."""
    outstanding = set(detail.outstanding)
    return AnomalyDetailAnswer(
        **shown_look(detail.look).model_dump(),
        causes=[CauseAnswer.model_validate(one) for one in detail.causes],
        acts=[ActAnswer.model_validate(one) for one in detail.acts],
        retests=[
            RetestAnswer.model_validate({**vars(one), "passed": one not in outstanding})
            for one in detail.demanded
        ],
    )
