"""Opening the next channel of a household when an earlier one failed it."""

import json
from collections.abc import Sequence

from water2.services.delivery.statements import Statement
from water2.services.rows import on_postgresql
from water2.work import Work

# of those still held, each household's nearest
_NEXT = """
UPDATE delivery SET state = 'ready', due_at = CASE WHEN due_at < :now THEN due_at ELSE :now END
WHERE state = 'held' AND id IN (
  SELECT held.id FROM delivery AS dead
  JOIN notice_recipient AS failed ON failed.notice_id = dead.source_id
    AND failed.channel = dead.channel AND failed.address_index = dead.address_index
  JOIN notice_recipient AS other ON other.notice_id = failed.notice_id
    AND other.household_id = failed.household_id AND other.rank > failed.rank
  JOIN delivery AS held ON held.source_id = other.notice_id AND held.channel = other.channel
    AND held.address_index = other.address_index AND held.state = 'held'
  WHERE dead.source = 'notice' AND dead.id IN ({ids})
    AND NOT EXISTS (
      SELECT 1 FROM notice_recipient AS nearer
      JOIN delivery AS waiting ON waiting.source_id = nearer.notice_id
        AND waiting.channel = nearer.channel
        AND waiting.address_index = nearer.address_index AND waiting.state = 'held'
      WHERE nearer.notice_id = other.notice_id AND nearer.household_id = other.household_id
        AND nearer.rank > failed.rank AND nearer.rank < other.rank))"""
_OPEN = Statement(
    _NEXT.replace("{ids}", "SELECT unnest(CAST(:ids AS text[]))"),
    _NEXT.replace("{ids}", "SELECT value FROM json_each(:ids)"),
)


async def open_after_failure(work: Work, delivery_ids: Sequence[str]) -> int:
    """Send to the next address of each household that failed deliveries were for; return how many.

    A household without another stays untold: its poster is the crew's task.
    """
    if not delivery_ids:
        return 0
    ids = sorted(delivery_ids)
    found = await _OPEN.run(work, now=work.now, ids=ids if on_postgresql(work) else json.dumps(ids))
    return found.rowcount
