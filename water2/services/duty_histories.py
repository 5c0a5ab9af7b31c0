"""What was done for an obligation, as each of its editions reads it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from water2.domain.duty import Duty
from water2.rules.cadence import Cadence, Era, Evidence, chain, first_due
from water2.rules.obligation import Obligation
from water2.services.duty_evidence import LOADERS
from water2.services.rulebooks import OwnRules
from water2.work import Work


@dataclass(frozen=True)
class History:
    """The evidence of many subjects under one edition."""

    begins: date
    cadence: Cadence
    evidence: Mapping[str, tuple[Evidence, ...]]

    def era(self, subject_id: str, runs_from: date, own: Cadence | None = None) -> Era:
        """Give one subject's part of it; `own`: the subject's cadence, where it sets one."""
        done = self.evidence.get(subject_id, ())
        return Era(self.begins, first_due(own or self.cadence, runs_from), done)


async def read_histories(
    work: Work, editions: Sequence[tuple[date, Obligation]], subject_ids: Sequence[str]
) -> list[History]:
    """Read the acts of some subjects once for each edition that sets an interval."""
    return [
        History(
            begins, edition.cadence, await LOADERS[edition.evidence](work, edition, subject_ids)
        )
        for begins, edition in editions
        if edition.evidence and edition.cadence
    ]


async def lawful_due_on(work: Work, rules: OwnRules, duty: Duty, today: date) -> date | None:
    """Return the day an unsatisfied duty is due by law, whatever stricter the utility set.

    None where the law sets no interval: it is a target, or not demanded today.
    """
    demanded = rules.place.obligation(duty.obligation, today)
    if demanded is None or demanded.basis != "law":
        return None
    if not rules.tightens(duty.obligation):
        return duty.due_on
    editions = OwnRules(rules.place).editions(duty.obligation, today)
    histories = await read_histories(work, editions, [duty.subject_id])
    eras = [history.era(duty.subject_id, duty.runs_from) for history in histories]
    return chain(eras, duty.runs_from, today)[-1].due_on
