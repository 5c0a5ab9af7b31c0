"""The rulebook of a utility: its place's, with the stricter values the utility set."""

from datetime import date

from sqlmodel import col, select

from water2.domain.organisation import PolicySetting, Utility
from water2.rules.book import Rulebook, load_book
from water2.rules.stricter import with_policy
from water2.work import Work


async def book_of(work: Work, utility: Utility, on: date | None = None) -> Rulebook:
    """Return the rulebook with the utility's own values in force on a day (default: today)."""
    book = load_book(utility.place)
    day = on or work.today(utility.timezone)
    settings = await work.session.exec(
        select(PolicySetting)
        .where(PolicySetting.utility_id == utility.id, PolicySetting.from_on <= day)
        .order_by(col(PolicySetting.from_on))
    )
    chosen = {(s.obligation, s.key): s.value for s in settings}
    return with_policy(book, chosen) if chosen else book
