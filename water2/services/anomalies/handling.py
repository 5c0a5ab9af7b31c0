"""Finding out, controlling, and judging the danger to health (art. 18.2)."""

from typing import Annotated

from pydantic import Field, StringConstraints

from water2.domain.access import Action
from water2.domain.anomaly import UNRESOLVED, Anomaly, AnomalyActKind, AnomalyState
from water2.domain.command import Command, Flag, Text
from water2.domain.errors import Invalid
from water2.services.anomalies.standing import AnomalyStanding, keep_act, since_found, stand
from water2.services.instants import Instant
from water2.services.regulator_reports.owing import owe_reports
from water2.work import Work

Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class RecordFindings(Command):
    """What was found out; `suspected_cause` in short, for the reports to the regulators."""

    text: Words
    suspected_cause: Text | None = None
    at: Instant | None = None


class RecordControls(Command):
    """What was done to control it."""

    text: Words
    flushed: Flag | None = None
    disinfected: Flag | None = None
    at: Instant | None = None


class AssessDanger(Command):
    """Whether health may be in danger, and why; judged anew as often as more is known.

    `outbreak`: an epidemic, an illness of a group that nobody can explain, a major poisoning
    (突发公共卫生事件应急条例 art. 20), to be reported within two hours by law.
    """

    endangers_health: Flag
    reason: Words
    outbreak: Flag = False
    people_affected: Annotated[int, Field(ge=0, le=10_000_000)] | None = None


async def record_findings(work: Work, id_: str, command: RecordFindings) -> Anomaly:
    """Record what was found out; as often as more is known.

    Raises:
        Invalid: it was done ahead of now, or before anything was wrong.
        Conflict: it is closed, or historical.
    """
    standing = await _held(work, id_, Action.report_anomalies)
    at = await since_found(work, standing, "at", command.at)
    if standing.anomaly.findings_at is None:
        standing.anomaly.findings_at, standing.anomaly.findings_entered_at = at, work.now
    keep_act(
        work,
        standing.facility,
        standing.anomaly,
        AnomalyActKind.findings,
        occurred_at=at,
        text=command.text,
        suspected_cause=command.suspected_cause,
    )
    return standing.anomaly


async def record_controls(work: Work, id_: str, command: RecordControls) -> Anomaly:
    """Record what was done to control it.

    Raises:
        Invalid: it was done ahead of now, or before anything was wrong.
        Conflict: it is closed, or historical.
    """
    standing = await _held(work, id_, Action.report_anomalies)
    at = await since_found(work, standing, "at", command.at)
    standing.anomaly.controls_at = standing.anomaly.controls_at or at
    measures = command.model_dump(include={"flushed", "disinfected"}, exclude_none=True)
    kind = AnomalyActKind.controls
    keep_act(
        work,
        standing.facility,
        standing.anomaly,
        kind,
        occurred_at=at,
        text=command.text,
        data=measures,
    )
    return standing.anomaly


async def assess_danger(work: Work, id_: str, command: AssessDanger) -> Anomaly:
    """Judge whether health may be in danger; from the first yes on reports are owed.

    Reading: what was once judged dangerous is reported, whatever is judged later.

    Raises:
        Invalid: an outbreak that endangers nobody.
        Conflict: it is closed, or historical.
    """
    standing = await _held(work, id_, Action.handle_anomalies)
    if command.outbreak and not command.endangers_health:
        raise Invalid.one("outbreak", "outbreak_without_danger")
    anomaly = standing.anomaly
    anomaly.assessed_at = anomaly.assessed_at or work.now
    anomaly.endangers_health = command.endangers_health
    anomaly.outbreak = anomaly.outbreak or command.outbreak
    facts = command.model_dump(exclude={"reason"}, exclude_none=True)
    kind = AnomalyActKind.assessment
    keep_act(work, standing.facility, anomaly, kind, text=command.reason, data=facts)
    if command.endangers_health:
        anomaly.danger_at = anomaly.danger_at or work.now
        await owe_reports(work, standing.utility, standing.facility, anomaly, standing.book)
    return anomaly


async def _held(work: Work, id_: str, action: Action) -> AnomalyStanding:
    work.require(action)
    standing = await stand(work, id_, lock=True)
    standing.require(*UNRESOLVED, AnomalyState.resumed)
    return standing
