"""`serve` and `worker`: the commands that run until they are stopped."""

import logging
from typing import Annotated

import typer

from water2.cli.command import Place, Status
from water2.main import work_until_stopped

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


async def serve(
    at: Place,
    with_worker: Annotated[bool, typer.Option("--with-worker", help="with_worker")] = False,
    host: Annotated[str | None, typer.Option(help="host")] = None,
    port: Annotated[int | None, typer.Option(help="port", min=1, max=65535)] = None,
) -> Status:
    """Answer requests until stopped."""
    from water2 import server  # noqa: PLC0415 - a second to load, and most commands serve nobody

    log_to_stderr()
    given = {key: value for key, value in (("host", host), ("port", port)) if value is not None}
    settings = at.settings.model_copy(update=given)
    await server.serve(
        settings,
        with_worker=with_worker,
        ready=lambda: at.terminal.say("cli.serve.ready", host=settings.host, port=settings.port),
    )
    return Status.done


async def worker(at: Place) -> Status:
    """Run the jobs until stopped."""
    log_to_stderr()
    at.terminal.say("cli.worker.begins", seconds=at.settings.sweep_seconds)
    await work_until_stopped(at.settings)
    return Status.done


def log_to_stderr() -> None:
    """Let the program's own warnings and errors be seen; the server's chatter is not."""
    logging.basicConfig(level=logging.WARNING, format=_LOG_FORMAT)
