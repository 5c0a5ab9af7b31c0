"""The instruments of a batch, each with all that judges its readings."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import select

from water2.domain.access import Role
from water2.domain.organisation import Utility
from water2.rules.excursions import ExcursionRule
from water2.rules.instruments import SignRule, sign_rule
from water2.rules.online import Gauge, Judged
from water2.services.instruments.judges import Site, lock_sites
from water2.services.instruments.known import Facts, Named, facility_ids_of, known_facts
from water2.work import Work


def _nothing(raw: str) -> Judged:
    raise LookupError(raw)


@dataclass(slots=True)
class Meter:
    """An instrument as its readings are judged; `judge` and `calibrated` hold on `judged_on`."""

    id: str
    facts: Facts
    site: Site
    judged_on: date | None = None
    judge: Callable[[str], Judged] = _nothing
    calibrated: bool = False

    @property
    def interval(self) -> timedelta:
        """How often a reading is expected."""
        return timedelta(seconds=self.facts.interval_seconds)

    def gauge(self, day: date) -> Gauge:
        """Give what judges it on a day."""
        return self.site.gauge(day, self.facts)

    def judge_on(self, day: date) -> None:
        """Take up what judges it on a day: readings of one day mostly follow each other."""
        self.judged_on, self.judge = day, self.gauge(day).judge
        self.calibrated = self.facts.calibrated(day)

    def day(self, at: datetime) -> date:
        """Give the civil day of an instant."""
        return at.astimezone(self.site.judges.zone).date()

    def excursion_rule(self, day: date) -> ExcursionRule | None:
        """Give what is a sustained excursion."""
        return self.site.judges.excursion_rule(day, self.interval)

    def sign_rule(self, day: date) -> SignRule | None:
        """Give what is a sign that it does not measure."""
        book = self.site.judges.book(day)
        return sign_rule(book, day, self.facts.parameter, self.site.disinfectant, self.interval)


async def meters_named(work: Work, named: Collection[Named]) -> dict[Named, Meter]:
    """Return the instruments of the actor's utilities by their names, their facilities locked."""
    utility_ids = await _utility_ids(work)
    facility_ids = await facility_ids_of(work, utility_ids, named)
    if not facility_ids:
        return {}
    sites, stamps = await lock_sites(work, facility_ids)
    facts = await known_facts(work, stamps, named)
    return {
        name: Meter(one.id, one, sites[one.facility_id])
        for name in named
        if (one := facts.get(name)) is not None
    }


async def meters_of(work: Work, ids: Sequence[str]) -> dict[str, Meter]:
    """Return instruments by id, their facilities locked."""
    found = await meters_named(work, [(id_, None) for id_ in ids])
    return {id_: meter for (id_, _), meter in found.items()}


async def _utility_ids(work: Work) -> Sequence[str]:
    if work.actor.role is not Role.system:
        return work.actor.utility_ids
    return (await work.session.exec(select(Utility.id))).all()
