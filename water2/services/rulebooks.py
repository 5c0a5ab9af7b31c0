"""The rulebook of a utility: its place's, with the stricter values the utility set."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import col, select

from water2.domain.organisation import PolicySetting, Utility
from water2.rules.book import Rulebook, load_book
from water2.rules.obligation import Obligation
from water2.rules.stricter import with_policy
from water2.work import Work

# built once: nearly every act asks for it
_CHOSEN = (
    select(
        col(PolicySetting.from_on),
        col(PolicySetting.obligation),
        col(PolicySetting.key),
        col(PolicySetting.value),
    )
    .where(col(PolicySetting.utility_id) == bindparam("utility"))
    .order_by(col(PolicySetting.from_on))
)


class OwnRules:
    """A place's rulebook with the values one utility set, asked for a day."""

    def __init__(self, place: Rulebook, chosen: Sequence[Any] = ()) -> None:
        self.place = place
        self._chosen = chosen

    def on(self, day: date) -> Rulebook:
        """Give the rulebook with the utility's own values in force on a day."""
        values = {
            (row.obligation, row.key): row.value for row in self._chosen if row.from_on <= day
        }
        return with_policy(self.place, values) if values else self.place

    def tightens(self, id_: str) -> bool:
        """Tell whether the utility set any value of an obligation."""
        return any(row.obligation == id_ for row in self._chosen)

    def editions(self, id_: str, today: date) -> list[tuple[date, Obligation]]:
        """Give what an obligation demanded, edition after edition, each with its first day.

        Editions that begin after today are not among them: they change nothing yet.
        """
        begins = {
            each.in_force_from or date.min for each in self.place.obligations if each.id == id_
        }
        begins |= {row.from_on for row in self._chosen if row.obligation == id_}
        found = [(day, self.on(day).obligation(id_, day)) for day in sorted(begins) if day <= today]
        return [(day, obligation) for day, obligation in found if obligation is not None]


async def rules_of(work: Work, utility: Utility) -> OwnRules:
    """Return the rules of a utility for any day."""
    rows = await work.session.execute(_CHOSEN, {"utility": utility.id})
    return OwnRules(load_book(utility.place), rows.all())


async def book_of(work: Work, utility: Utility, on: date | None = None) -> Rulebook:
    """Return the rulebook with the utility's own values in force on a day (default: today)."""
    return (await rules_of(work, utility)).on(on or work.today(utility.timezone))
