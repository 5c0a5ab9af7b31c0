"""Notices that no longer hold: their words are never sent again, whatever became of a try."""

from collections.abc import Collection

from sqlalchemy import select
from sqlmodel import col

from water2.domain.notice import Notice
from water2.domain.outage import Outage
from water2.services.rows import among
from water2.work import Work


async def superseded_among(work: Work, notice_ids: Collection[str]) -> frozenset[str]:
    """Return the notices among these that a later revision has taken the place of.

    Whoever publishes the next revision holds the outage; it is waited for here, before any delivery
    is locked, so that no message slips back into the queue behind it.
    """
    if not notice_ids:
        return frozenset()
    # compared here: a condition on what another is changing would find nothing to wait for
    rows = await work.session.execute(
        select(col(Notice.id), col(Notice.revision), col(Outage.revision))
        .join(Outage, col(Outage.id) == col(Notice.outage_id))
        .where(among(work, Notice.id, notice_ids))
        .with_for_update(read=True, of=Outage)
    )
    return frozenset(id_ for id_, revision, last in rows if last > revision)
