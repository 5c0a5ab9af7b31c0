"""How anomalies are shown: their clocks and flags, what told of them, what was done."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from water2.domain.anomaly import Anomaly, AnomalyAct, AnomalyCause, AnomalyState
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.rules.anomaly import ANOMALY, Clock, Retest
from water2.rules.anomaly_flags import AnomalyFacts, anomaly_flags
from water2.rules.flags import FlagCode
from water2.rules.obligation import Obligation
from water2.services.anomalies.retests import retests_of
from water2.services.anomalies.standing import stand
from water2.services.anomalies.watching import clocks_of
from water2.services.anomaly_history import acts_of, causes_of
from water2.services.rows import among, fetch
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class AnomalyLook:
    """An anomaly with what follows from it by now; a historical one has neither."""

    anomaly: Anomaly
    clocks: tuple[Clock, ...]
    flags: list[FlagCode]


@dataclass(frozen=True)
class AnomalyDetail:
    """All there is on one anomaly."""

    look: AnomalyLook
    causes: Sequence[AnomalyCause]
    acts: Sequence[AnomalyAct]
    demanded: tuple[Retest, ...]
    outstanding: tuple[Retest, ...]


async def looks(work: Work, anomalies: Sequence[Anomaly]) -> list[AnomalyLook]:
    """Return how anomalies stand now."""
    obligations: dict[str, Obligation | None] = {}
    for id_ in {anomaly.utility_id for anomaly in anomalies}:
        utility = await fetch(work, Utility, id_)
        today = work.today(utility.timezone)
        obligations[id_] = (await book_of(work, utility)).obligation(ANOMALY, today)
    places = {anomaly.facility_id for anomaly in anomalies}
    rows = await work.session.exec(
        select(Facility.id).where(among(work, Facility.id, places), col(Facility.in_scope))
    )
    in_scope = set(rows)
    return [
        _look(work, one, obligations[one.utility_id], in_scope=one.facility_id in in_scope)
        for one in anomalies
    ]


def _look(
    work: Work, anomaly: Anomaly, obligation: Obligation | None, *, in_scope: bool
) -> AnomalyLook:
    historical = anomaly.state is AnomalyState.historical
    if historical or obligation is None:
        return AnomalyLook(anomaly, (), [])
    clocks = clocks_of(obligation, anomaly)
    facts = AnomalyFacts(
        historical=historical,
        clocks=clocks,
        stopped=anomaly.stopped_at is not None,
        departed=anomaly.departed,
        departure_unexplained=anomaly.departure_unexplained,
        controlled=anomaly.controls_at is not None,
        in_scope=in_scope,
        ended_at=anomaly.resumed_at,
        closed=anomaly.state is AnomalyState.closed,
    )
    flags = dict.fromkeys((*anomaly.earlier_flags, *anomaly_flags(facts, work.now)))
    return AnomalyLook(anomaly, clocks, [FlagCode(flag) for flag in flags])


async def look_at(work: Work, id_: str) -> AnomalyDetail:
    """Return all there is on an anomaly.

    Raises:
        NotFound: there is none, or another utility's.
    """
    await work.session.flush()
    standing = await stand(work, id_)
    anomaly = standing.anomaly
    (look,) = await looks(work, [anomaly])
    demanded: tuple[Retest, ...] = ()
    outstanding: tuple[Retest, ...] = ()
    if anomaly.state is not AnomalyState.historical:
        demanded, outstanding = await retests_of(work, standing)
    return AnomalyDetail(
        look,
        await causes_of(work, anomaly),
        await acts_of(work, anomaly),
        demanded,
        outstanding,
    )
