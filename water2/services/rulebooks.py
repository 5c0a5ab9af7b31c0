"""The rulebook of a utility: its place's, with the stricter values the utility set."""

from datetime import date
from typing import Any

from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.errors import Invalid, RuleViolation
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import PolicySetting, Utility
from water2.rules.book import Rulebook, load_book
from water2.rules.provision import Refused
from water2.rules.stricter import UnknownSetting, UnreadableSetting, judge_setting, with_policy
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


async def set_policy(
    work: Work, utility: Utility, obligation: str, key: str, value: Any
) -> PolicySetting:
    """Set a stricter value from today on.

    Raises:
        RuleViolation: the value is looser than the rulebook's; names the provision.
        Invalid: the rulebook holds no such setting, or the value is not of its kind.
    """
    work.require(Action.administer)
    today = work.today(utility.timezone)
    try:
        verdict = judge_setting(load_book(utility.place), obligation, key, value, today)
    except UnknownSetting:
        raise Invalid.one("key", "unknown_setting", f"{obligation}.{key}") from None
    except UnreadableSetting:
        raise Invalid.one("value", "unreadable", value) from None
    if isinstance(verdict, Refused):
        raise RuleViolation(verdict)
    setting = PolicySetting(
        utility_id=utility.id,
        obligation=obligation,
        key=key,
        value=value,
        from_on=today,
        set_at=work.now,
    )
    work.session.add(setting)
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="policy.set",
            subject=f"utility/{utility.id}",
            occurred_at=work.now,
            data={
                "obligation": obligation,
                "key": key,
                "value": str(value),
                "from": today.isoformat(),
            },
        )
    )
    return setting
