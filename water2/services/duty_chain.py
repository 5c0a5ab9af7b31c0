"""Duties of all the utilities an actor sees, one utility after the other."""

import base64
import json
from dataclasses import replace
from typing import Any

from water2.domain.access import Action
from water2.domain.errors import Invalid
from water2.services.duty_queries import DutyFilters, DutyPage, list_duties
from water2.services.register import seen_utilities
from water2.work import Work


async def list_seen_duties(work: Work, filters: DutyFilters) -> DutyPage:
    """Return one page of the duties of every utility seen, by utility, then by due day.

    Each utility's are judged by its own book, on its own day. Who sees none gets an empty page.

    Raises:
        Invalid: the cursor is not one of ours.
    """
    work.require(Action.read)
    begins, within = _place(filters.cursor) if filters.cursor else ("", None)
    items: list[dict[str, Any]] = []
    for utility in await seen_utilities(work):
        if utility.id < begins:
            continue
        left = filters.limit - len(items)
        cursor = within if utility.id == begins else None
        page = await list_duties(work, utility, replace(filters, limit=left or 1, cursor=cursor))
        if not left and page.items:  # a full page says where there is more
            return DutyPage(items, _cursor(utility.id, None))
        items += page.items
        if page.next:
            return DutyPage(items, _cursor(utility.id, page.next))
    return DutyPage(items, None)


def _cursor(utility_id: str, within: str | None) -> str:
    return base64.urlsafe_b64encode(json.dumps([utility_id, within]).encode()).decode()


def _place(cursor: str) -> tuple[str, str | None]:
    """Return the utility a page begins with, and the cursor within it."""
    try:
        utility_id, within = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if not (isinstance(utility_id, str) and isinstance(within, str | None)):
            raise TypeError("a cursor holds text")
    except (ValueError, TypeError) as error:
        raise Invalid.one("cursor", "cursor_unknown") from error
    return utility_id, within
