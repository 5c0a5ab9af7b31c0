"""How often a robot may speak: counted in SQL, so that it holds for all workers together."""

from datetime import datetime, timedelta

from water2.domain.sending import SendingChannel
from water2.services.delivery.statements import Statement
from water2.work import Work

LONGEST = timedelta(minutes=1)
BURST = timedelta(seconds=1)
PER_MINUTE = {SendingChannel.dingtalk: 20, SendingChannel.wecom: 20, SendingChannel.feishu: 100}
PER_SECOND = {SendingChannel.feishu: 5}
WAIT_SECONDS = 61
"""A robot's message is not tried again sooner: the count sees only a row's last attempt."""

# whoever holds a robot's row counts and claims; another worker passes on meanwhile
_HOLD = """
SELECT id FROM endpoint WHERE utility_id = :utility AND channel = :channel AND ended_at IS NULL
ORDER BY id"""
HOLD = Statement(f"{_HOLD} FOR NO KEY UPDATE SKIP LOCKED", _HOLD, ())
_COUNT = """
SELECT count(*) AS in_minute,
  sum(CASE WHEN attempted_at > :burst THEN 1 ELSE 0 END) AS in_second
FROM delivery
WHERE endpoint_id = :endpoint AND attempted_at > :since"""
COUNT = Statement(_COUNT, _COUNT, ("since", "burst"))


async def robots_free(
    work: Work, utility_id: str, channel: SendingChannel, at: datetime
) -> list[tuple[str, int]]:
    """Return the robots that may speak now with how often; they are held until the unit ends."""
    held = await HOLD.run(work, utility=utility_id, channel=channel.value)
    found = []
    for (endpoint_id,) in held.all():
        counted = await COUNT.run(work, endpoint=endpoint_id, since=at - LONGEST, burst=at - BURST)
        spoken = counted.one()
        free = PER_MINUTE[channel] - spoken.in_minute
        if channel in PER_SECOND:
            free = min(free, PER_SECOND[channel] - (spoken.in_second or 0))
        if free > 0:
            found.append((endpoint_id, free))
    return found
