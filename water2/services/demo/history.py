"""The demonstration's past: two and a half years of cleanings and routine samples."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from water2.services.demo.invention import CONTRACTORS, DISINFECTANTS, Estate, Person

HALF_YEAR_DAYS = 183
FIRST_DAY_AGO = 150
"""The utility has worked with water2 for so many days; what lapsed before stands apart."""
OVERDUE_DAYS = {2: 5, 5: 12, 8: 21, 11: 37, 14: 66, 17: 101, 20: 190, 23: 228}
"""Tanks by their number in the order of the register, and how long they are overdue."""
GAP_TANK = 27
GAP_WITHIN = range(200, 380)
UNCREDITED_TANK = 30
UNCREDITED_DAYS_AGO = 11
AWAITED_TANK = 33


@dataclass(frozen=True)
class CleaningRow:
    """A cleaning of the past; `passed` is empty while the laboratory has not answered."""

    code: str
    estate: Estate
    tank: str | None
    on: date
    crew: Sequence[Person]
    disinfectant: str
    sampled_on: date
    report: str
    passed: bool | None


@dataclass(frozen=True)
class SampleRow:
    """A routine sample of the past."""

    report: str
    estate: Estate
    tank: str | None
    point: str
    on: date
    taken_by: str


def runs(estate: Estate, today: date) -> bool:
    """Tell whether the estate's duties run: fire systems and the like have no past here."""
    used = estate.in_service_on
    outside = estate.kind in {"多层住宅", "消防", "直饮水"}
    return used is not None and used < today and not outside


def invent_cleanings(
    random: Random, today: date, estates: Sequence[Estate], people: Sequence[Person]
) -> Iterator[CleaningRow]:
    """Yield the cleanings of all tanks in scope, some of them late or not credited."""
    crews = [
        [person for person in people if person.employer == firm and len(person.examined) == 3]
        for firm in CONTRACTORS
    ]
    tanks = [
        (estate, tank)
        for estate in estates
        if runs(estate, today)
        for tank in estate.tanks or (None,)
    ]
    for number, (estate, tank) in enumerate(tanks):
        days = list(_days(random, today, estate, number))
        for on in days:
            last = on == days[0]
            failed = number == UNCREDITED_TANK and last
            awaited = number == AWAITED_TANK and last
            sampled_on = on + timedelta(days=0 if last else random.choice((0, 0, 0, 1)))
            crew = crews[number % len(crews)]
            yield CleaningRow(
                code=f"QX{on:%Y%m%d}-{number:03d}",
                estate=estate,
                tank=tank,
                on=on,
                crew=sorted(random.sample(crew, min(3, len(crew))), key=lambda one: one.code),
                disinfectant=random.choice(DISINFECTANTS),
                sampled_on=sampled_on,
                report="" if awaited else f"MQ{sampled_on:%Y%m%d}{number:03d}",
                passed=None if awaited else not failed,
            )


def _days(random: Random, today: date, estate: Estate, number: int) -> Iterator[date]:
    """Yield the days on which a tank was cleaned, the last first."""
    since = estate.in_service_on or today
    on = today - timedelta(days=_since_last(random, number))
    while on > since + timedelta(days=5):
        yield on
        on -= timedelta(days=_gap(random, number, (today - on).days))


def _gap(random: Random, number: int, days_ago: int) -> int:
    """Return how many days before a cleaning the one before it was."""
    if number == GAP_TANK and days_ago in GAP_WITHIN:
        return 290
    if number == UNCREDITED_TANK and days_ago == UNCREDITED_DAYS_AGO:
        return HALF_YEAR_DAYS + 13
    return random.randint(138, 176)


def _since_last(random: Random, number: int) -> int:
    """Return how many days ago a tank was last cleaned."""
    if number in OVERDUE_DAYS:
        return HALF_YEAR_DAYS + OVERDUE_DAYS[number]
    if number == UNCREDITED_TANK:
        return UNCREDITED_DAYS_AGO
    if number == AWAITED_TANK:
        return 3
    return random.randint(4, 172)


def invent_samples(
    random: Random, today: date, estates: Sequence[Estate], people: Sequence[Person]
) -> Iterator[SampleRow]:
    """Yield the routine samples: each quarter at a tank's outlet and at a tap."""
    samplers = [person.code for person in people if person.post == "运维"]
    for number, estate in enumerate(estates):
        if not runs(estate, today) or estate.in_service_on is None:
            continue
        tank = estate.tanks[0] if estate.tanks else None
        on = today - timedelta(days=118 if number % 13 == 4 else random.randint(5, 80))
        while on > estate.in_service_on + timedelta(days=5):
            taken_by = random.choice(samplers)
            report = f"MQ{on:%Y%m%d}R{number:02d}"
            yield SampleRow(report, estate, tank, "水箱出水", on, taken_by)
            yield SampleRow(report, estate, None, "末梢水", on, taken_by)
            on -= timedelta(days=random.randint(78, 88))
