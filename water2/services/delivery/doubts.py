"""Messages in doubt: an SMS is asked of the provider by our id, all else goes out again under it.

The other side drops a mail or a webhook it has by its Message-ID or webhook-id, which stay the
same.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from functools import partial

from water2.domain.organisation import Utility
from water2.domain.sending import Gateway, Message, Outcome, Reply, SendingChannel
from water2.services.delivery.claiming import Claimed
from water2.services.delivery.completing import Settled, complete
from water2.services.delivery.contents import contents_of
from water2.services.delivery.leases import take_doubtful
from water2.services.delivery.patience import patiently
from water2.services.delivery.terms import BATCH, Terms

logger = logging.getLogger(__name__)

ASKED_AT_ONCE = 10
AGAIN = Reply(Outcome.unknown, "sent_again")


async def resolve_doubt(terms: Terms, utility: Utility, gateway: Gateway) -> Counter[str]:
    """Find out about all that is in doubt of a channel; return how many came to which state."""
    counts: Counter[str] = Counter()
    while taken := await patiently(partial(_take, terms, utility, gateway), terms.patience):
        if gateway.channel is SendingChannel.sms:
            settled = await _ask_all(terms, utility, gateway, taken)
        else:
            settled = [Settled(one, AGAIN) for one in taken]
        counts += await patiently(partial(_complete, terms, settled), terms.patience)
    return counts


async def _take(terms: Terms, utility: Utility, gateway: Gateway) -> list[Claimed]:
    now = terms.wall()
    async with terms.runtime.work() as work:
        return await take_doubtful(
            work, utility.id, gateway.channel, BATCH, leased_until=now + terms.lease, at=now
        )


async def _ask_all(
    terms: Terms, utility: Utility, gateway: Gateway, taken: Sequence[Claimed]
) -> list[Settled]:
    async with terms.runtime.read() as work:
        messages = await contents_of(work, utility, taken, public_url=terms.public_url)
    slots = asyncio.Semaphore(min(ASKED_AT_ONCE, gateway.connections))

    async def ask(one: Claimed) -> Settled:
        if one.id not in messages:
            return Settled(one, Reply(Outcome.permanent, "nothing_to_send"))
        async with slots:
            return Settled(one, await _ask(gateway, messages[one.id]))

    return list(await asyncio.gather(*(ask(one) for one in taken)))


async def _ask(gateway: Gateway, message: Message) -> Reply:
    try:
        return await gateway.ask(message) or AGAIN
    except Exception as error:
        # a fault of ours; its text may hold the address
        logger.error(
            "the %s gateway raised %s when asked of delivery %s",
            gateway.channel.value,
            type(error).__name__,
            message.id,
        )
        return Reply(Outcome.in_doubt, "gateway_raised")


async def _complete(terms: Terms, settled: Sequence[Settled]) -> Counter[str]:
    async with terms.runtime.work() as work:
        return await complete(work, settled)
