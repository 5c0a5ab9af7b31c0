"""The rulebook of a utility: its place's, with the stricter values the utility set."""

from datetime import date

from sqlalchemy import bindparam
from sqlmodel import col, select

from water2.domain.organisation import PolicySetting, Utility
from water2.rules.book import Rulebook, load_book
from water2.rules.stricter import with_policy
from water2.work import Work

# built once: nearly every act asks for it
_CHOSEN = (
    select(PolicySetting.obligation, PolicySetting.key, PolicySetting.value)
    .where(
        col(PolicySetting.utility_id) == bindparam("utility"),
        col(PolicySetting.from_on) <= bindparam("day"),
    )
    .order_by(col(PolicySetting.from_on))
)


async def book_of(work: Work, utility: Utility, on: date | None = None) -> Rulebook:
    """Return the rulebook with the utility's own values in force on a day (default: today)."""
    book = load_book(utility.place)
    day = on or work.today(utility.timezone)
    rows = await work.session.execute(_CHOSEN, {"utility": utility.id, "day": day})
    chosen = {(obligation, key): value for obligation, key, value in rows}
    return with_policy(book, chosen) if chosen else book
