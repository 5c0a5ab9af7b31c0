"""The values a utility sets: stricter than its rulebook, never looser."""

from datetime import date
from typing import Any

from sqlmodel import select

from water2.domain.access import Action
from water2.domain.errors import Invalid
from water2.domain.ledger import PendingEntry
from water2.domain.organisation import PolicySetting, Utility
from water2.rules.book import load_book
from water2.rules.stricter import UnknownSetting, UnreadableSetting, judge_setting
from water2.services.instruments.stamps import stamp_register
from water2.services.rule_changes import derive_all
from water2.services.verdicts import require_allowed
from water2.work import Work


async def set_policy(
    work: Work, utility: Utility, obligation: str, key: str, value: Any
) -> PolicySetting:
    """Set a stricter value from today on; all duties are derived anew with it.

    Set again on the same day it replaces that day's; the ledger keeps both.

    Raises:
        RuleViolation: the value is looser than the rulebook's; names the provision.
        Invalid: the rulebook holds no such setting, or the value is not of its kind.
    """
    work.require(Action.administer)
    today = work.today(utility.timezone)
    _require_as_strict(utility, obligation, key, value, today)
    setting = await _setting_of_today(work, utility, obligation, key, today)
    setting.value, setting.set_at = value, work.now
    work.session.add(setting)
    told = {"obligation": obligation, "key": key, "value": str(value), "from": today.isoformat()}
    work.record(
        PendingEntry(
            ledger_id=utility.ledger_id,
            type="policy.set",
            subject=f"utility:{utility.id}",
            occurred_at=work.now,
            data=told,
        )
    )
    await derive_all(work, utility)
    await stamp_register(work, utility.id)
    return setting


def _require_as_strict(
    utility: Utility, obligation: str, key: str, value: Any, today: date
) -> None:
    try:
        verdict = judge_setting(load_book(utility.place), obligation, key, value, today)
    except UnknownSetting:
        raise Invalid.one("key", "unknown_setting", f"{obligation}.{key}") from None
    except UnreadableSetting:
        raise Invalid.one("value", "unreadable", value) from None
    require_allowed(verdict, utility)


async def _setting_of_today(
    work: Work, utility: Utility, obligation: str, key: str, today: date
) -> PolicySetting:
    found = await work.session.exec(
        select(PolicySetting).where(
            PolicySetting.utility_id == utility.id,
            PolicySetting.obligation == obligation,
            PolicySetting.key == key,
            PolicySetting.from_on == today,
        )
    )
    return found.first() or PolicySetting(
        utility_id=utility.id, obligation=obligation, key=key, from_on=today, set_at=work.now
    )
