"""Water values read on a round: one outside its limit opens an anomaly (art. 18.2)."""

from water2.domain.anomaly import Anomaly, AnomalySource
from water2.domain.facility import Facility
from water2.domain.organisation import Utility
from water2.domain.patrol import Patrol
from water2.domain.water import Point
from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode
from water2.rules.limits import judge_sample, parameter_key, plausible, read_result
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
    raw = dict(_values(facility, patrol, book))
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


def flags_of_values(facility: Facility, patrol: Patrol, book: Rulebook) -> list[FlagCode]:
    """Return the flag of a round with a water value that cannot be true, or be read (pH 71, 偏高).

    It is taken nevertheless: the round was made, and such a value opens no anomaly.
    """
    faults = (
        plausible(book.parameters[key], read_result(raw))
        for key, raw in _values(facility, patrol, book)
    )
    return [FlagCode.value_implausible] if any(faults) else []


def _values(facility: Facility, patrol: Patrol, book: Rulebook) -> list[tuple[str, str]]:
    """Return the water values of a record as they were written, by parameter."""
    return [
        (key, str(value))
        for name, value in patrol.record.items()
        if isinstance(value, str | int | float) and not isinstance(value, bool)
        if (key := parameter_key(book, name, facility.disinfectant.value)) is not None
    ]


def _point(patrol: Patrol) -> Point:
    given = patrol.record.get("point")
    return Point(given) if given in {point.value for point in Point} else Point.outlet
