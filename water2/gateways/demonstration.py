"""A way out that leads nowhere, for demonstrations: what it accepts has told nobody."""

from water2.domain.sending import Message, Outcome, Reply, SendingChannel


class DemonstrationGateway:
    """Accepts everything, sends nothing; an address whose number ends in 9 fails for good."""

    def __init__(self, channel: SendingChannel, connections: int = 100) -> None:
        self.channel, self.connections = channel, connections

    async def send(self, message: Message) -> Reply:
        """Accept one message."""
        if message.address.partition("@")[0].endswith("9"):
            return Reply(Outcome.permanent, "demonstration")
        return Reply(Outcome.accepted, "demonstration", provider_id=f"demo-{message.id}")

    async def ask(self, message: Message) -> Reply | None:
        """Tell the same again."""
        return await self.send(message)

    async def close(self) -> None:
        """Do nothing: nothing is open."""
