"""Resuming supply after passing re-tests, and closing an anomaly."""

from typing import Annotated

from pydantic import StringConstraints
from sqlmodel import col, update

from water2.domain.access import Action
from water2.domain.anomaly import (
    UNRESOLVED,
    Anomaly,
    AnomalyActKind,
    AnomalyCause,
    AnomalyState,
)
from water2.domain.command import Command
from water2.domain.outage import OutageState
from water2.rules.anomaly import judge_closing, judge_resume
from water2.services.anomalies.retests import (
    outstanding_at,
    reading_bad_at,
    reading_bad_of,
    retests_of,
)
from water2.services.anomalies.standing import keep_act, stand
from water2.services.outages.standing import stand as stand_of_outage
from water2.services.outages.transitions import restore
from water2.services.regulator_reports.owing import require_none_open, withdraw_not_due
from water2.services.verdicts import require_allowed
from water2.work import Work


class CloseAnomaly(Command):
    """What it was, what was done about it, what was learned."""

    summary: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


async def resume_supply(work: Work, id_: str) -> Anomaly:
    """Let the water flow again and tell everybody that it passed its re-tests.

    Raises:
        RuleViolation: a re-test is outstanding, of this or another anomaly of the facility, or an
            instrument that told of one still reads bad.
        Conflict: it is closed, or historical.
    """
    work.require(Action.handle_anomalies)
    standing = await stand(work, id_, lock=True)
    anomaly = standing.anomaly
    if anomaly.state is AnomalyState.resumed:
        return anomaly
    standing.require(*UNRESOLVED)
    outstanding = await outstanding_at(work, standing)
    bad = await reading_bad_at(work, standing)
    require_allowed(judge_resume(standing.obligation, outstanding, bad), standing.utility)
    if anomaly.outage_id is not None:
        outage = await stand_of_outage(work, anomaly.outage_id, lock=True)
        if outage.outage.state is OutageState.in_effect:
            outage.outage.retested_at, outage.outage.health_advice = work.now, None
            await restore(work, outage, work.now)
    anomaly.state, anomaly.resumed_at = AnomalyState.resumed, work.now
    facts = {"outage": anomaly.outage_id, "supply_was_stopped": anomaly.stopped_at is not None}
    keep_act(work, standing.facility, anomaly, AnomalyActKind.resumed, data=facts)
    return anomaly


async def close_anomaly(work: Work, id_: str, command: CloseAnomaly) -> Anomaly:
    """Close an anomaly; the final reports are owed on by their own clock.

    Raises:
        RuleViolation: a re-test is outstanding by now, supply is not resumed, the danger was not
            assessed, a report to a regulator or a request of one is open.
        Conflict: it is historical.
    """
    work.require(Action.handle_anomalies)
    standing = await stand(work, id_, lock=True)
    anomaly = standing.anomaly
    if anomaly.state is AnomalyState.closed:
        return anomaly
    standing.require(*UNRESOLVED, AnomalyState.resumed)
    ended = standing.facility.out_of_use_on is not None  # its water never flows again
    verdict = judge_closing(
        standing.obligation,
        resumed=ended or anomaly.state is AnomalyState.resumed,
        assessed=anomaly.assessed_at is not None,
    )
    require_allowed(verdict, standing.utility)
    if not ended:  # a re-test may have been corrected since supply was resumed
        _, outstanding = await retests_of(work, standing)
        bad = await reading_bad_of(work, standing)
        require_allowed(judge_resume(standing.obligation, outstanding, bad), standing.utility)
    await require_none_open(work, standing.utility, anomaly, standing.book)
    anomaly.state, anomaly.closed_at = AnomalyState.closed, work.now
    await work.session.execute(
        update(AnomalyCause).where(col(AnomalyCause.anomaly_id) == anomaly.id).values(open_key=None)
    )
    await withdraw_not_due(work, standing.facility, anomaly)
    keep_act(work, standing.facility, anomaly, AnomalyActKind.closed, text=command.summary)
    return anomaly
