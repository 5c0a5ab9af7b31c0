"""第十七条(四) 定期检测: when a routine test counts as done, and what serves a sampling plan."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from water2.rules.book import NotInForce, Rulebook
from water2.rules.limits import complete
from water2.rules.parameters import Disinfectant, ItemSet
from water2.rules.provision import Allowed, Verdict
from water2.rules.stricter import UnknownSetting, judge_setting

TESTING = "testing"
PLANNED = "testing.plan"
AFTER_CLEANING = "testing.after_cleaning"


def sampling_rounds(
    samples: Iterable[tuple[str, date, str]], points: Collection[str]
) -> tuple[tuple[str, date], ...]:
    """Give the rounds that (id, day, point) samples complete, each as (id, day) of its last sample.

    Reading: a test is done on the day by which every point of the plan has been sampled since the
    round before.
    """
    rounds: list[tuple[str, date]] = []
    seen: set[str] = set()
    for id_, on, point in sorted(samples, key=lambda sample: (sample[1], sample[0])):
        seen.add(point)
        if seen.issuperset(points):
            rounds.append((id_, on))
            seen = set()
    return tuple(rounds)


def plan_items(
    book: Rulebook,
    on: date,
    disinfectant: Disinfectant,
    *,
    item_set: str | None,
    parameters: Collection[str],
) -> ItemSet:
    """Give the items a sample must hold to serve a plan: a set of the edition of its day, or own.

    Raises:
        NotInForce: no edition in force on the day names such a set.
    """
    if item_set is None:
        return ItemSet("plan", tuple(parameters), "plan", verified=True)
    return book.item_set(item_set, on, disinfectant)


def serves_plan(
    book: Rulebook,
    on: date,
    disinfectant: Disinfectant,
    results: Mapping[str, str],
    *,
    item_set: str | None,
    parameters: Collection[str],
) -> bool:
    """Tell whether a sample holds all a plan asks for.

    Reading: one that lacks an item is no test under the plan, whatever else it found.
    """
    try:
        items = plan_items(book, on, disinfectant, item_set=item_set, parameters=parameters)
    except NotInForce:
        return False
    return not complete(items, results)


def judge_plan_interval(book: Rulebook, months: int, on: date) -> Verdict:
    """Judge the interval of a routine plan: never longer than that of the regular test.

    Where the place sets none it is the utility's own to choose.
    """
    try:
        return judge_setting(book, TESTING, "months", months, on)
    except UnknownSetting:
        return Allowed()
