"""`channel list`, `channel resume`."""

from typing import Annotated

import typer

from water2.cli.command import Place, Status
from water2.domain.sending import SendingChannel
from water2.services.delivery.channels import list_channels, resume_channel
from water2.services.utilities import choose_utility

OfUtility = Annotated[str | None, typer.Option(help="utility")]


async def list_(at: Place, utility: OfUtility = None) -> Status:
    """List the ways messages go out, and which of them are stopped."""
    async with at.opened() as runtime, runtime.read() as work:
        found = await list_channels(work, await choose_utility(work, utility))
    at.terminal.answer(found)
    for one in found:
        at.terminal.say("cli.channel.stopped" if one["stopped"] else "cli.channel.runs", **one)
    return Status.done


async def resume(
    at: Place,
    channel: Annotated[SendingChannel, typer.Argument(help="channel")],
    utility: OfUtility = None,
) -> Status:
    """Let a stopped channel run again."""
    async with at.opened() as runtime, runtime.work() as work:
        chosen = await choose_utility(work, utility)
        await resume_channel(work, chosen.id, channel)
    at.terminal.answer({"channel": channel.value, "stopped": False})
    at.terminal.say("cli.channel.resumed", channel=channel.value)
    return Status.done
