"""How many SMS one number gets on a civil day: counted in SQL, after the claim is committed.

Two workers that hold messages to one number see each other's then, so that together they never
send one too many; whoever sees another's puts its own back for a moment. Emergencies are exempt.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, or_, select, text

from water2.domain.delivery import DeliveryState, Lane
from water2.domain.organisation import Utility
from water2.domain.sending import Outcome, Reply
from water2.services.delivery.claiming import Claimed
from water2.services.delivery.completing import UNSENT_SECONDS, Settled
from water2.services.delivery.statements import DELIVERY, INSTANT
from water2.work import Work

CODE = "daily_cap"
_FLYING = (DeliveryState.leased, DeliveryState.in_doubt)
_TODAY = select(
    DELIVERY.c.id, DELIVERY.c.address_index, DELIVERY.c.state, DELIVERY.c.accepted_at
).where(
    # the words of ix_delivery_number: only so is it known to hold all of these
    text("channel = 'sms' AND attempted_at IS NOT NULL"),
    DELIVERY.c.address_index.in_(bindparam("addresses", expanding=True)),
    or_(
        DELIVERY.c.accepted_at >= bindparam("midnight", type_=INSTANT),
        DELIVERY.c.state.in_(_FLYING),
    ),
)


async def over_cap(
    work: Work, utility: Utility, claimed: Sequence[Claimed], cap: int
) -> list[Settled]:
    """Return those claimed that may not be sent to their number today, or not just now."""
    counted = sorted(
        (one for one in claimed if one.lane != Lane.emergency.value), key=lambda one: one.id
    )
    if not counted:
        return []
    midnight = _midnight(work.now, utility.timezone)
    rows = await work.session.execute(
        _TODAY, {"addresses": [one.address_index for one in counted], "midnight": midnight}
    )
    mine = {one.id for one in counted}
    accepted: dict[bytes, int] = defaultdict(int)
    flying: dict[bytes, int] = defaultdict(int)
    for row in rows:
        if row.id in mine:
            continue
        told = row.accepted_at is not None and row.accepted_at >= midnight
        (accepted if told else flying)[row.address_index] += 1
    return _judged(counted, accepted, flying, cap)


def _judged(
    counted: Sequence[Claimed], accepted: dict[bytes, int], flying: dict[bytes, int], cap: int
) -> list[Settled]:
    found = []
    for one in counted:
        if accepted[one.address_index] >= cap:
            found.append(Settled(one, Reply(Outcome.blocked, CODE), sent=False))
        elif accepted[one.address_index] + flying[one.address_index] >= cap:
            # whoever the other is, it need not meet this one again
            wait = UNSENT_SECONDS + int(one.id[:4], 16) % UNSENT_SECONDS
            reply = Reply(Outcome.retry, CODE, wait_seconds=wait)
            found.append(Settled(one, reply, sent=False))
        else:
            flying[one.address_index] += 1
    return found


def _midnight(now: datetime, timezone: str) -> datetime:
    zone = ZoneInfo(timezone)
    return datetime.combine(now.astimezone(zone).date(), time(), zone)
