"""What residents are told of bad water: the items that failed, the gravest danger among them."""

from collections.abc import Mapping, Sequence

from sqlmodel import col, select

from water2.domain.anomaly import UNRESOLVED, Anomaly, AnomalyCause
from water2.domain.facility import Facility
from water2.domain.outage import Outage, OutageState
from water2.rules.anomaly_stop import gravest
from water2.rules.book import Rulebook
from water2.rules.parameters import Group
from water2.services.outages.changing import tell_anew
from water2.services.outages.extent import Extent, extent_of
from water2.services.outages.standing import Standing, stand
from water2.work import Work


async def stopped_at(work: Work, facility: Facility, anomaly_id: str = "") -> Standing | None:
    """Return the outage that anomalies of a facility have in effect, first that of one of them."""
    rows = await work.session.exec(
        select(Outage.id)
        .join(Anomaly, col(Anomaly.outage_id) == Outage.id)
        .where(
            Anomaly.facility_id == facility.id,
            col(Anomaly.state).in_(UNRESOLVED),
            Outage.state == OutageState.in_effect,
        )
        .order_by(col(Anomaly.id) != anomaly_id, Outage.id)
    )
    found = rows.first()
    return None if found is None else await stand(work, found, lock=True)


async def failed_items(work: Work, anomaly_ids: Sequence[str], book: Rulebook) -> list[str]:
    """Return the items that failed, by their keys, in their order."""
    rows = await work.session.exec(
        select(AnomalyCause.parameter)
        .where(
            col(AnomalyCause.anomaly_id).in_(anomaly_ids),
            col(AnomalyCause.parameter).is_not(None),
        )
        .distinct()
    )
    return sorted(key for key in rows if key is not None and key in book.parameters)


def danger_of(items: Sequence[str], book: Rulebook) -> Group | None:
    """Return the gravest danger of failed items; None where nobody measured: the worst is told."""
    return gravest({book.parameters[item].group for item in items})


async def tell_of_more(
    work: Work,
    stopped: Standing,
    book: Rulebook,
    *,
    extent: Extent | None = None,
    words: Mapping[str, object] | None = None,
) -> None:
    """Publish a revision where more failed, more taps are closed, or other words are given.

    Advice that somebody typed falls away where a graver danger comes to light: what is right about
    germs (boil it) is wrong about arsenic.
    """
    outage = stopped.outage
    rows = await work.session.exec(
        select(Anomaly.id).where(Anomaly.outage_id == outage.id, col(Anomaly.state).in_(UNRESOLVED))
    )
    items = await failed_items(work, rows.all(), book)
    wider = extent is not None and not extent_of(outage).holds(extent)
    changed = {name: word for name, word in (words or {}).items() if getattr(outage, name) != word}
    if set(items) <= set(outage.failed_items or ()) and not wider and not changed:
        return
    danger = danger_of(items, book)
    if danger != outage.danger:
        outage.health_advice = None
    outage.danger, outage.failed_items = danger, items
    for name, word in changed.items():
        setattr(outage, name, word)
    await tell_anew(work, stopped, extent if wider else None)
