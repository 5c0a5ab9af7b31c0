"""The fields of a report of pollution (practice.md section 4), and what fills them by itself."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field, StringConstraints
from sqlmodel import col, select

from water2.domain.access import User
from water2.domain.anomaly import Anomaly, AnomalyAct, AnomalyActKind
from water2.domain.command import Command, Name, Text
from water2.domain.regulator_report import ReportKind
from water2.domain.staff import Staff
from water2.rules.book import Rulebook
from water2.services.anomaly_history import acts_of
from water2.services.anomaly_measures import told_causes
from water2.services.regulator_reports.standing import ReportStanding, written_of
from water2.services.report_text import event_at, event_kind, place_of
from water2.work import Work

Passage = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
FINAL_FIELDS = ("cause", "handling", "lessons")


class ReportFields(Command):
    """What is written in a report by hand; all else is taken from the anomaly at sending."""

    reporter: Name | None = None
    phone: Annotated[str, StringConstraints(min_length=1, max_length=60)] | None = None
    event: Text | None = None
    event_kind: Text | None = None
    grade: Text | None = None
    source: Text | None = None
    people_affected: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    symptoms: Text | None = None
    suspected_cause: Text | None = None
    measures: Passage | None = None
    help_asked: Text | None = None
    cause: Passage | None = None
    handling: Passage | None = None
    lessons: Passage | None = None

    @property
    def given(self) -> dict[str, Any]:
        """Return the fields that were filled in."""
        return self.model_dump(exclude_none=True, include=set(ReportFields.model_fields))


async def gather_content(work: Work, standing: ReportStanding) -> dict[str, Any]:
    """Return what a report says if it is sent now; what was written by hand goes before."""
    report, anomaly = standing.report, standing.anomaly
    utility, facility = standing.utility, standing.facility
    acts = await acts_of(work, anomaly)
    taken = {
        "number": report.number,
        "stage": report.kind.value,
        "ordinal": report.ordinal,
        "regulator": report.regulator.value,
        "reporter": await _name_of(work),
        "phone": utility.hotline,
        "utility": utility.name,
        "event": event_at(facility.name),
        "event_kind": event_kind(outbreak=anomaly.outbreak),
        "found_at": anomaly.found_at.isoformat(),
        "place": place_of(facility.name, facility.address),
        "facility": facility.code,
        "source": anomaly.source.value,
        "endangers_health": anomaly.endangers_health,
        "people_affected": _last(acts, AnomalyActKind.assessment, "people_affected"),
        "suspected_cause": _last_cause(acts),
        "measures": _words(acts, AnomalyActKind.controls),
        "supply_stopped_at": anomaly.stopped_at.isoformat() if anomaly.stopped_at else None,
        "supply_resumed_at": anomaly.resumed_at.isoformat() if anomaly.resumed_at else None,
        "results": await _results(work, anomaly, standing.book),
    }
    if report.kind is ReportKind.final:
        taken["cause"] = _words(acts, AnomalyActKind.findings)
        taken["handling"] = _words(acts, AnomalyActKind.controls)
    return {**taken, **written_of(work, report)}


async def _name_of(work: Work) -> str:
    """Return the name of whoever writes: that of the person the account belongs to, or its own."""
    rows = await work.session.exec(
        select(Staff.name, User.username)
        .select_from(User)
        .outerjoin(Staff, col(Staff.id) == User.staff_id)
        .where(User.id == work.actor.user_id)
    )
    name, username = rows.first() or (None, work.actor.username)
    return name or username


def _last(acts: Sequence[AnomalyAct], kind: AnomalyActKind, fact: str) -> object:
    found = [act.data[fact] for act in acts if act.kind is kind and fact in act.data]
    return found[-1] if found else None


def _last_cause(acts: Sequence[AnomalyAct]) -> str | None:
    found = [act.suspected_cause for act in acts if act.suspected_cause]
    return found[-1] if found else None


def _words(acts: Sequence[AnomalyAct], kind: AnomalyActKind) -> str | None:
    return "\n".join(act.text for act in acts if act.kind is kind and act.text) or None


async def _results(work: Work, anomaly: Anomaly, book: Rulebook) -> list[dict[str, Any]]:
    """Return what failed, item by item, with what was measured and the limit."""
    return [
        {
            "parameter": item.key,
            "title": item.title,
            "unit": item.unit,
            "point": one.cause.point.value if one.cause.point else None,
            "instrument": one.instrument,
            "at": one.cause.found_at.isoformat(),
            "raw": one.raw,
            "limit": one.limit,
        }
        for one in await told_causes(work, anomaly)
        if (item := book.parameters.get(one.cause.parameter or ""))
    ]


def frozen(content: Mapping[str, Any]) -> tuple[str, str]:
    """Return the text a report is kept as, and its hash, which tells nothing: the text is salted.

    The salt keeps a name or a number in it from being guessed by its hash in the ledger.
    """
    told = json.dumps(
        {**content, "salt": secrets.token_hex(16)},
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return told, hashlib.sha256(told.encode()).hexdigest()
