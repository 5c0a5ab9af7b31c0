"""Stopping a channel that is misconfigured, telling a person of it, and resuming it."""

from datetime import timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from water2.domain.access import Action
from water2.domain.delivery import ChannelStop, DeliverySource, Lane
from water2.domain.errors import NotFound
from water2.domain.ids import new_id
from water2.domain.organisation import Utility
from water2.domain.sending import ENDPOINT_CHANNELS, SendingChannel
from water2.services.delivery.staff_addresses import (
    addresses_of_managers,
    endpoints_of,
    queue_to,
)
from water2.services.register import record_act
from water2.services.rows import fetch, insert_or_pass
from water2.work import Work

ALERT_LASTS = timedelta(days=2)


async def stop_channel(work: Work, utility_id: str, channel: SendingChannel, code: str) -> bool:
    """Stop a channel of a utility until somebody resumes it; tell whether it ran until now.

    Its managers are told by the other channels.
    """
    stop = {
        "id": new_id(),
        "utility_id": utility_id,
        "channel": channel,
        "code": code,
        "stopped_at": work.now,
    }
    made = await work.session.execute(
        insert_or_pass(work, ChannelStop).returning(col(ChannelStop.id)), stop
    )
    if made.first() is None:
        return False
    utility = await fetch(work, Utility, utility_id)
    told = {"channel": channel.value, "code": code}
    record_act(work, utility.ledger_id, "channel.stopped", f"utility:{utility.id}", told)
    addresses = [
        *await addresses_of_managers(work, utility),
        *await endpoints_of(work, utility_id, ENDPOINT_CHANNELS - {channel}),
    ]
    await queue_to(
        work,
        utility,
        DeliverySource.alert,
        str(stop["id"]),
        [address for address in addresses if address.channel is not channel],
        lane=Lane.planned,
        due_at=work.now,
        expires_at=work.now + ALERT_LASTS,
    )
    return True


async def list_channels(work: Work, utility: Utility) -> list[dict[str, object]]:
    """Return every channel with what it was stopped for, if it was."""
    work.require(Action.read)
    rows = await work.session.exec(select(ChannelStop).where(ChannelStop.utility_id == utility.id))
    stops = {row.channel: row for row in rows}
    return [
        {
            "channel": channel.value,
            "stopped": channel in stops,
            "code": stops[channel].code if channel in stops else None,
            "stopped_at": stops[channel].stopped_at if channel in stops else None,
        }
        for channel in SendingChannel
    ]


async def resume_channel(work: Work, utility_id: str, channel: SendingChannel) -> None:
    """Let a stopped channel run again.

    Raises:
        NotFound: it is not stopped, or the utility is not the actor's.
    """
    work.require(Action.keep_deliveries)
    utility = await fetch(work, Utility, utility_id)
    gone = await work.session.execute(
        delete(ChannelStop)
        .where(col(ChannelStop.utility_id) == utility.id, col(ChannelStop.channel) == channel)
        .returning(col(ChannelStop.code))
    )
    code = gone.scalar()
    if code is None:
        raise NotFound("channel_stop", channel.value)
    told = {"channel": channel.value, "code": code}
    record_act(work, utility.ledger_id, "channel.resumed", f"utility:{utility.id}", told)
