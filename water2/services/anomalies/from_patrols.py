"""Water values read on a round: one outside its limit opens an anomaly (art. 18.2)."""

from water2.domain.anomaly import Anomaly, AnomalySource
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.patrol import Patrol
from water2.domain.water import Point
from water2.rules.book import Rulebook
from water2.rules.limits import judge_sample, parameter_key
from water2.rules.parameters import Disinfectant
from water2.services.anomalies.from_samples import knows_anomalies
from water2.services.anomalies.opening import Cause, open_anomaly
from water2.work import Work


async def open_by_patrol(
    work: Work, utility: Utility, facility: Facility, patrol: Patrol, book: Rulebook
) -> Anomaly | None:
    """Open an anomaly for the values of a round's record that fail their limits; None: none does.

    Values stand under the names of parameters (`turbidity`, `余氯`). They are of the tank's outlet,
    where the pump room is, unless the record names another `point`.
    """
    disinfectant: Disinfectant = facility.disinfectant.value
    raw = {
        key: str(value)
        for name, value in patrol.record.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        if (key := parameter_key(book, name, disinfectant)) is not None
    }
    point = _point(patrol)
    judged = judge_sample(raw, point.value, patrol.patrolled_on, book, disinfectant)
    causes = [
        Cause(AnomalySource.patrol, patrol.patrolled_at, parameter=item.parameter, point=point)
        for item in judged.items
        if item.verdict == "fail"
    ]
    if not causes or not await knows_anomalies(work, utility):
        return None
    return await open_anomaly(work, utility, facility, causes)


def _point(patrol: Patrol) -> Point:
    given = patrol.record.get("point")
    return Point(given) if given in {point.value for point in Point} else Point.outlet
