"""What is the matter with the instruments of a batch: one statement asks for all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, literal_column, null, text, union_all
from sqlalchemy import select as select_columns
from sqlmodel import col

from water2.domain.instrument import Excursion, InstrumentSign, Reading
from water2.services.instruments.given import Taken
from water2.work import Work

_FAILING = text("reading.verdict = 'fail'")
"""Written out, so that both databases see that the index of those alone will do."""
_UTILITIES: Any = bindparam("utilities", expanding=True)


def _kind(name: str) -> Any:
    return literal_column(f"'{name}'").label("kind")


_ASKED = union_all(
    select_columns(_kind("failing"), col(Reading.instrument_id), null())
    .where(
        col(Reading.taken_at) >= bindparam("begin"),
        col(Reading.taken_at) <= bindparam("end"),
        _FAILING,
    )
    .distinct(),
    select_columns(_kind("lasting"), col(Excursion.instrument_id), col(Excursion.id)).where(
        col(Excursion.utility_id).in_(_UTILITIES),
        col(Excursion.ended_at).is_(None),
        col(Excursion.withdrawn_at).is_(None),
    ),
    select_columns(_kind("signed"), col(InstrumentSign.instrument_id), null()).where(
        col(InstrumentSign.utility_id).in_(_UTILITIES), col(InstrumentSign.ended_at).is_(None)
    ),
)


@dataclass(frozen=True)
class Marks:
    """Which instruments failed near a batch or in it, and which have a sign.

    `lasting`: the excursions that have not ended, each with its instrument.
    """

    failing: frozenset[str]
    signed: frozenset[str]
    lasting: Mapping[str, str]


async def marks_around(work: Work, taken: Sequence[Taken]) -> Marks:
    """Return what is the matter with instruments around a batch; with others too."""
    kinds = {(one.meter.facts.interval_seconds, one.day): one.meter for one in taken}
    rules = [meter.excursion_rule(day) for (_, day), meter in kinds.items()]
    gap = max((rule.gap for rule in rules if rule), default=None)
    instants = [one.at for one in taken]
    begin, end = min(instants), max(instants)
    given = {
        "begin": begin - gap if gap else begin,
        "end": end + gap if gap else end,
        "utilities": sorted({meter.site.utility.id for meter in kinds.values()}),
    }
    here = {one.meter.id for one in taken}
    found: dict[str, dict[str, str]] = {"failing": {}, "lasting": {}, "signed": {}}
    for kind, id_, excursion in await work.session.execute(_ASKED, given):
        if id_ in here:
            found[kind][excursion or id_] = id_
    return Marks(frozenset(found["failing"]), frozenset(found["signed"]), found["lasting"])
