"""第二条、第三条、第二十条: which facilities are in scope; 第十条: from when duties run."""

from dataclasses import dataclass
from datetime import date

from water2.rules.book import Rulebook
from water2.rules.flags import FlagCode


@dataclass(frozen=True)
class Scope:
    """Whether a facility is in scope, by which clause (`20.2`), and a reason code.

    Codes in scope: every_facility, new, not_yet_accepted, handed_over_by_agreement. Codes outside:
    outside_area, kind_outside, kind_unknown, outside_estate, older_not_handed_over.
    """

    in_scope: bool
    clause: str
    reason: str


def judge_scope(
    book: Rulebook,
    *,
    kind: str,
    accepted_on: date | None,
    handed_over_on: date | None,
    inside_area: bool = True,
    inside_estate: bool = True,
) -> Scope:
    """Judge by which clause a facility is in scope or outside.

    Reading: 新建 is accepted on or after the rules' day, or not yet accepted; an older facility is
    in scope only when handed over by agreement, and a day of handover stands for the agreement.
    """
    rules = book.scope
    listed = rules.kinds.get(kind)
    if not inside_area:
        return Scope(False, rules.area_clause, "outside_area")
    if listed is None:
        unlisted = rules.unlisted_clause
        return Scope(
            unlisted is not None, unlisted or "", "every_facility" if unlisted else "kind_unknown"
        )
    if not listed.inside:
        return Scope(False, listed.clause, "kind_outside")
    if listed.needs_estate and not inside_estate:
        return Scope(False, listed.clause, "outside_estate")
    return _by_age(book, listed.clause, accepted_on, handed_over_on)


def _by_age(
    book: Rulebook, clause: str, accepted_on: date | None, handed_over_on: date | None
) -> Scope:
    new_from = book.scope.new_from
    if new_from is None or (accepted_on is not None and accepted_on >= new_from):
        return Scope(True, clause, "new")
    if accepted_on is None:
        return Scope(True, clause, "not_yet_accepted")
    if handed_over_on is not None:
        return Scope(True, clause, "handed_over_by_agreement")
    return Scope(False, book.scope.new_clause, "older_not_handed_over")


def duties_run_from(
    book: Rulebook,
    *,
    kind: str,
    accepted_on: date | None,
    handed_over_on: date | None,
    in_service_on: date | None,
    tank_in_use_on: date | None = None,
    inside_area: bool = True,
    inside_estate: bool = True,
) -> date | None:
    """Give the first day of the operating duties; None while there are none.

    Reading: the latest of the handover, the facility's and the tank's first day in use, and the
    rules' own first day. A tank without a day of its own came into use with the facility. A day
    that lies ahead is given as it is.
    """
    scope = judge_scope(
        book,
        kind=kind,
        accepted_on=accepted_on,
        handed_over_on=handed_over_on,
        inside_area=inside_area,
        inside_estate=inside_estate,
    )
    handover_lacks = book.scope.handover_required and handed_over_on is None
    if not scope.in_scope or in_service_on is None or handover_lacks:
        return None
    known = (handed_over_on, in_service_on, tank_in_use_on, book.instrument.in_force_from)
    return max(day for day in known if day is not None)


def idle_flags(
    book: Rulebook,
    *,
    accepted_on: date | None,
    handed_over_on: date | None,
    in_service_on: date | None,
    today: date,
) -> tuple[FlagCode, ...]:
    """Flag a facility in scope whose duties do not run yet.

    `not_handed_over`: accepted, but not handed over; `not_in_use`: handed over, but its first day
    in use is not known or lies ahead.
    """
    if not book.scope.handover_required:
        return ()
    if handed_over_on is None or handed_over_on > today:
        accepted = accepted_on is not None and accepted_on <= today
        return (FlagCode.not_handed_over,) if accepted else ()
    used = in_service_on is not None and in_service_on <= today
    return () if used else (FlagCode.not_in_use,)


def first_day_in_use(
    book: Rulebook, stated_on: date | None, first_seen_on: date | None
) -> date | None:
    """Give the first day in use from what the register states, or from the first record.

    Reading, where the place's data says so: a thing known by its records alone was in use from 1
    January of the first year it was seen.
    """
    if stated_on is not None or book.scope.first_use == "stated" or first_seen_on is None:
        return stated_on
    return date(first_seen_on.year, 1, 1)
