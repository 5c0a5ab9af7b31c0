"""第十七条(四): what stops an act of cleaning that has not happened yet, and what credits one."""

from collections.abc import Callable, Mapping
from datetime import date

from water2.rules.book import Rulebook
from water2.rules.calendar import move_to_working_day
from water2.rules.limits import complete, judge_sample
from water2.rules.obligation import Obligation
from water2.rules.parameters import Disinfectant
from water2.rules.provision import Allowed, Provision, Refused, Verdict

CLEANING = "cleaning"


def proposed_day(due_on: date, today: date, is_working: Callable[[date], bool]) -> date:
    """Propose a day for the work: the last working day up to the due day, not before today.

    What is late already is proposed for today, whatever day that is.
    """
    return max(today, move_to_working_day(due_on, is_working))


def judge_planned_day(
    legal_due_on: date,
    planned_on: date | None,
    wanted_on: date,
    today: date,
    provision: Provision,
) -> Verdict:
    """Judge the move of a planned day: never past the legal day, unless it is late already.

    The due day itself is lawful, and is not late.
    """
    if wanted_on <= legal_due_on or today > legal_due_on:
        return Allowed()
    facts = {"due_on": legal_due_on, "planned_on": planned_on, "wanted_on": wanted_on}
    return Refused(provision, "planned_past_due", facts)


def judge_return_to_service(
    *,
    sample_taken: bool,
    field_results: Mapping[str, str],
    day: date,
    book: Rulebook,
    disinfectant: Disinfectant = "chlorine",
) -> Verdict:
    """Judge whether a cleaned tank may supply again: sample taken, field set complete and passed.

    The field set is measured at the tank's outlet (parameter key → raw text). The laboratory's
    result comes days later and is not waited for. Refusal codes: sample_not_taken;
    field_set_incomplete {lacking}; field_set_not_passed {items}.
    """
    obligation = book.obligation(CLEANING, day)
    if obligation is None:
        return Allowed()
    if not sample_taken:
        return Refused(obligation.provision, "sample_not_taken")
    lacking = complete(book.item_set("field", day, disinfectant), field_results)
    if lacking:
        return Refused(obligation.provision, "field_set_incomplete", {"lacking": lacking})
    judged = judge_sample(field_results, "outlet", day, book, disinfectant)
    if judged.judged and judged.verdict != "pass":
        failed = tuple(i.parameter for i in judged.items if i.verdict in ("fail", "pending"))
        return Refused(obligation.provision, "field_set_not_passed", {"items": failed})
    return Allowed()


def is_credited(
    obligation: Obligation,
    *,
    done_on: date,
    sampled_on: date | None = None,
    verdict: str | None = None,
    lacking: tuple[str, ...] = (),
) -> bool:
    """Whether an act counts for its duty.

    Reading: a cleaning is credited by its own sample, taken on or after its day and passed
    (`verdict` pass), with no item of its set `lacking`; an imported conclusion is a verdict and
    lacks nothing. Where the record alone credits, it does.
    """
    if obligation.credited_by == "record":
        return True
    sampled_after = sampled_on is not None and sampled_on >= done_on
    return sampled_after and verdict == "pass" and not lacking
