"""An anomaly with all it is judged by, locked in one order; and how an act on it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import func, select

from water2.domain.anomaly import (
    Anomaly,
    AnomalyAct,
    AnomalyActKind,
    AnomalyCause,
    AnomalyState,
)
from water2.domain.errors import Conflict, Invalid
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.rules.anomaly import ANOMALY
from water2.rules.book import Rulebook
from water2.rules.obligation import Obligation
from water2.services.instants import read_instant
from water2.services.register import record_act
from water2.services.rows import fetch
from water2.services.rulebooks import book_of
from water2.work import Work


@dataclass(frozen=True)
class AnomalyStanding:
    """An anomaly as it stands in an act; its clocks are those of the book in force today."""

    anomaly: Anomaly
    facility: Facility
    utility: Utility
    book: Rulebook
    obligation: Obligation

    def require(self, *allowed: AnomalyState) -> None:
        """Refuse an anomaly in another state.

        Raises:
            Conflict: names the state.
        """
        if self.anomaly.state not in allowed:
            raise Conflict("anomaly_state", {"state": self.anomaly.state.value})


async def stand(work: Work, id_: str, *, lock: bool = False) -> AnomalyStanding:
    """Return an anomaly with what it is judged by; `lock` holds facility and anomaly.

    Raises:
        NotFound: there is none, or another utility's.
        Conflict: the rulebook knows no such duty.
    """
    anomaly = await fetch(work, Anomaly, id_)
    # the facility first, as every act on it does: none waits for another in a circle
    facility = await fetch(work, Facility, anomaly.facility_id, lock=lock)
    if lock:
        anomaly = await fetch(work, Anomaly, id_, lock=True)
    return await standing_of(work, anomaly, facility)


async def standing_of(work: Work, anomaly: Anomaly, facility: Facility) -> AnomalyStanding:
    """Return the standing of an anomaly that is at hand.

    Raises:
        Conflict: the rulebook knows no such duty.
    """
    utility = await fetch(work, Utility, facility.utility_id)
    book = await book_of(work, utility)
    obligation = book.obligation(ANOMALY, work.today(utility.timezone))
    if obligation is None:
        raise Conflict("not_in_the_rulebook", {"obligation": ANOMALY})
    return AnomalyStanding(anomaly, facility, utility, book, obligation)


def past(work: Work, standing: AnomalyStanding, field: str, given: datetime | None) -> datetime:
    """Return when an act happened: now unless said otherwise.

    Raises:
        Invalid: it lies ahead.
    """
    if given is None:
        return work.now
    at = read_instant(given, standing.utility.timezone)
    if at > work.now:
        raise Invalid.one(field, "in_future", at.isoformat())
    return at


async def since_found(
    work: Work, standing: AnomalyStanding, field: str, given: datetime | None
) -> datetime:
    """Return when something was done about an anomaly: now unless said otherwise.

    Raises:
        Invalid: it lies ahead, or before anything was wrong.
    """
    at = past(work, standing, field, given)
    rows = await work.session.exec(
        select(func.min(AnomalyCause.found_at)).where(
            AnomalyCause.anomaly_id == standing.anomaly.id
        )
    )
    found_at = rows.one()
    if found_at is not None and at < found_at:
        raise Invalid.one(field, "before", at.isoformat(), after="found_at")
    return at


def keep_act(
    work: Work,
    facility: Facility,
    anomaly: Anomaly,
    kind: AnomalyActKind,
    *,
    occurred_at: datetime | None = None,
    text: str | None = None,
    suspected_cause: str | None = None,
    data: Mapping[str, object] | None = None,
) -> None:
    """Keep an act with its words, and enter it in the ledger without them.

    It happened now unless said otherwise.
    """
    facts = dict(data or {})
    anomaly.version += 1
    work.session.add(
        AnomalyAct(
            utility_id=anomaly.utility_id,
            anomaly_id=anomaly.id,
            ordinal=anomaly.version,
            kind=kind,
            occurred_at=occurred_at or work.now,
            recorded_at=work.now,
            recorded_by=work.actor.user_id,
            text=text,
            suspected_cause=suspected_cause,
            data=facts,
        )
    )
    anomaly.wake_at = work.now
    work.session.add(anomaly)
    told = facts | {"number": anomaly.number, "words_given": text is not None}
    type_, subject = f"anomaly.{_ENTRIES[kind]}", f"anomaly:{anomaly.id}"
    record_act(work, facility.ledger_id, type_, subject, told, occurred_at)


_ENTRIES = {
    AnomalyActKind.supply_stopped: "supply_stopped",
    AnomalyActKind.findings: "findings_recorded",
    AnomalyActKind.controls: "controls_recorded",
    AnomalyActKind.assessment: "assessed",
    AnomalyActKind.resumed: "supply_resumed",
    AnomalyActKind.closed: "closed",
    AnomalyActKind.escalated: "escalated",
    AnomalyActKind.reopened: "reopened",
}
