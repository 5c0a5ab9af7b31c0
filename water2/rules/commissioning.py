"""第九条、第十条: what must have happened before a facility is put into service."""

from datetime import date

from water2.rules.book import Rulebook
from water2.rules.provision import Allowed, Refused, Verdict

ACCEPTANCE = "acceptance"
HANDOVER = "handover"


def judge_put_into_service(
    book: Rulebook, *, accepted_on: date | None, handed_over_on: date | None, on: date
) -> Verdict:
    """Judge whether a facility may be put into service on a day: accepted first, then handed over.

    Acceptance or handover on the day itself is enough. Where the place demands neither, it may.
    Refusal codes: not_accepted {accepted_on}; not_handed_over {handed_over_on}; the fact is None
    while it has not happened, else it lies after the day.
    """
    steps = (
        (ACCEPTANCE, "not_accepted", "accepted_on", accepted_on),
        (HANDOVER, "not_handed_over", "handed_over_on", handed_over_on),
    )
    for id_, reason, fact, happened_on in steps:
        obligation = book.obligation(id_, on)
        if obligation is None or (happened_on is not None and happened_on <= on):
            continue
        facts = {"on": on, fact: happened_on}
        return Refused(obligation.provision, reason, facts, earliest=happened_on)
    return Allowed()
