"""第十五条: who must be told of an outage by when, and what may not begin before."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from water2.rules.book import Rulebook
from water2.rules.obligation import Obligation
from water2.rules.provision import Allowed, Provision, Refused, Verdict

PLANNED = "outage.planned"
APPROVAL = "outage.approval"
EMERGENCY = "outage.emergency"
EMERGENCY_REPORT = "outage.emergency.report"
UNAUTHORISED = "outage.unauthorised"
NOTICE_HOURS = "notice_hours"
LONGEST_LISTED = 500
"""How many households a refusal names; the rest are counted."""


@dataclass(frozen=True)
class NoticeDemand:
    """The provision that demands notice of a planned outage, and how long ahead.

    `own`: the operator has set it, longer than the law does.
    """

    provision: Provision
    ahead: timedelta
    own: bool = False


@dataclass(frozen=True)
class Told:
    """Who of the frozen households was told.

    `in_time` were told by the deadline, exactly then included; `late` after it; the others are not
    told at all. `latest` is when the last of those told was told. `missing` names those not told in
    time, 500 of them at most.
    """

    households: int
    in_time: int
    late: int = 0
    latest: datetime | None = None
    missing: tuple[str, ...] = ()

    @property
    def missing_count(self) -> int:
        """How many were not told in time."""
        return self.households - self.in_time

    @property
    def untold(self) -> int:
        """How many were not told at all."""
        return self.households - self.in_time - self.late


def notice_demand(book: Rulebook, day: date) -> NoticeDemand | None:
    """Give what demands the longest notice on a day, the place's own rule first; None: nothing.

    Higher law in force adds its own demand (art. 17(6)).
    """
    demands = [
        NoticeDemand(
            found.provision,
            timedelta(hours=int(found.number(NOTICE_HOURS))),
            own=found.values[NOTICE_HOURS].basis != "law",
        )
        for id_ in (PLANNED, APPROVAL)
        if (found := book.obligation(id_, day)) is not None
    ]
    return max(demands, key=lambda demand: demand.ahead, default=None)


def told_by(demand: NoticeDemand | None, starts_at: datetime) -> datetime:
    """Give the last instant to be told at.

    Reading: exactly 24 hours is enough; they run from when the household was told.
    """
    return starts_at - demand.ahead if demand else starts_at


def start_in_question(
    starts_at: datetime, now: datetime, *, waiting: bool, started_at: datetime | None = None
) -> datetime:
    """Give the start that notice is counted to: the real one, or the first that is possible.

    Reading: what counts is how long before the water went off a household was told; an outage that
    begins later than announced, within its window, leaves each of them more time.
    """
    if started_at is not None:
        return max(starts_at, started_at)
    return max(starts_at, now) if waiting else starts_at


def judge_publishing(demand: NoticeDemand | None, *, now: datetime, starts_at: datetime) -> Verdict:
    """Judge whether a planned outage may be announced for a start; exactly 24 hours is enough.

    Refusal code: notice_too_late {starts_at, notice_hours}, with `_by_own_rule` where the operator
    demands more than the law; `earliest` is the first start that is allowed.
    """
    if demand is None or now <= told_by(demand, starts_at):
        return Allowed()
    facts = {"starts_at": starts_at, NOTICE_HOURS: _hours(demand.ahead)}
    reason = "notice_too_late_by_own_rule" if demand.own else "notice_too_late"
    return Refused(demand.provision, reason, facts, earliest=now + demand.ahead)


def window_passed(ends_at: datetime | None, now: datetime) -> bool:
    """Tell whether an announced window is over; at its end it is."""
    return ends_at is not None and now >= ends_at


def judge_new_start(
    demand: NoticeDemand | None,
    *,
    now: datetime,
    announced: datetime,
    announced_end: datetime | None,
    wanted: datetime,
) -> Verdict:
    """Judge another start of a published outage: only an earlier one begins a new 24 hours.

    Reading: of a window that passed unused every start is a new one; nobody expects it any more.
    """
    if wanted >= announced and not window_passed(announced_end, now):
        return Allowed()
    return judge_publishing(demand, now=now, starts_at=wanted)


def judge_window(
    demand: NoticeDemand | None, *, now: datetime, ends_at: datetime | None
) -> Verdict:
    """Judge whether an outage that has not begun may still do so as announced, or be prolonged.

    Refusal code: window_over {ends_at}.
    """
    if demand is None or not window_passed(ends_at, now):
        return Allowed()
    return Refused(
        demand.provision, "window_over", {"ends_at": ends_at}, earliest=now + demand.ahead
    )


def judge_widening(
    demand: NoticeDemand | None, *, now: datetime, starts_at: datetime, in_effect: bool
) -> Verdict:
    """Judge a wider extent of a planned outage: it begins a new 24 hours for those added.

    Refusal code: widened_in_effect once the water is off; notice_too_late before.
    """
    if demand is not None and in_effect:
        facts = {NOTICE_HOURS: _hours(demand.ahead)}
        return Refused(demand.provision, "widened_in_effect", facts, earliest=now + demand.ahead)
    return judge_publishing(demand, now=now, starts_at=starts_at)


def earliest_lawful_start(
    demand: NoticeDemand | None, *, now: datetime, starts_at: datetime, told: Told
) -> datetime:
    """Give the first instant the outage may start at, were those not told yet told now.

    Never before the announced start: an earlier one needs a new notice.
    """
    if demand is None:
        return max(now, starts_at) if now > starts_at else starts_at
    last = now if told.untold else told.latest
    return starts_at if last is None else max(starts_at, last + demand.ahead)


def judge_start(
    demand: NoticeDemand | None,
    *,
    now: datetime,
    starts_at: datetime,
    ends_at: datetime | None,
    told: Told,
) -> Verdict:
    """Judge whether a planned outage may begin now.

    `told` is counted to the start in question. Refusal codes: households_not_told {households,
    told, missing, missing_count, told_by} with the earliest lawful start; before_announced_start
    {starts_at}; window_over {ends_at}.
    """
    if demand is None:
        return Allowed()
    earliest = earliest_lawful_start(demand, now=now, starts_at=starts_at, told=told)
    if told.missing_count:
        facts = {
            "households": told.households,
            "told": told.in_time,
            "missing": told.missing,
            "missing_count": told.missing_count,
            "told_by": told_by(demand, start_in_question(starts_at, now, waiting=True)),
        }
        return Refused(demand.provision, "households_not_told", facts, earliest=earliest)
    if now < starts_at:
        facts = {"starts_at": starts_at}
        return Refused(demand.provision, "before_announced_start", facts, earliest=earliest)
    return judge_window(demand, now=now, ends_at=ends_at)


def warnings_passed(planned: Obligation | None, *, now: datetime, starts_at: datetime) -> list[int]:
    """Give how many hours before the start the instants lie that have passed, the furthest first.

    At each of them the households still to be told are said to the managers.
    """
    hours = planned.values["warn_hours"].value if planned else ()
    steps = hours if isinstance(hours, tuple) else ()
    return [step for step in steps if now >= starts_at - timedelta(hours=step)]


def _hours(ahead: timedelta) -> int:
    return int(ahead.total_seconds() // 3600)
