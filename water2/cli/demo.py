"""`demo`: the product shown in one process, with a clock that can be moved."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from water2.cli.command import Place, Status
from water2.cli.demonstration import (
    ACCOUNTS,
    DEFAULT_PASSWORD,
    UTILITY,
    Demonstration,
    demo_settings,
    is_made,
    prepare,
)
from water2.cli.serving import log_to_stderr
from water2.config import load_settings
from water2.domain.errors import Invalid
from water2.services.instants import read_instant


async def demo(
    at: Place,
    port: Annotated[int, typer.Option(help="port", min=1, max=65535)] = 8080,
    host: Annotated[str, typer.Option(help="host")] = "127.0.0.1",
    empty: Annotated[bool, typer.Option("--empty", help="empty")] = False,
    now: Annotated[str | None, typer.Option(help="now")] = None,
    password: Annotated[str | None, typer.Option(help="password")] = None,
) -> Status:
    """Show the product; the folder keeps its content and its clock between starts."""
    from water2 import server  # noqa: PLC0415 - a second to load, and most commands serve nobody

    log_to_stderr()
    settings = demo_settings(at.settings, host, port)
    instant = _read_instant(now, settings.timezone) if now else None
    known = password or (None if is_made(settings) else DEFAULT_PASSWORD)
    if not (empty or is_made(settings)):
        at.terminal.say("cli.demo.making")
    standing = await prepare(settings, Demonstration(empty, instant, password))
    # the folder may hold settings of its own by now
    settings = demo_settings(load_settings(data_dir=settings.data_dir), host, port)

    def tell() -> None:
        usernames = ", ".join((UTILITY.admin, *ACCOUNTS))
        local = standing.astimezone(ZoneInfo(settings.timezone))
        at.terminal.say("cli.demo.ready", host=host, port=port)
        clock = "cli.demo.clock_kept" if instant and instant < standing else "cli.demo.clock"
        at.terminal.say(clock, now=local.isoformat(sep=" ", timespec="minutes"), asked=now)
        key = "cli.demo.accounts" if known else "cli.demo.accounts_kept"
        at.terminal.say(key, usernames=usernames, password=known)
        at.terminal.say("cli.demo.folder", folder=settings.data_dir)

    await server.serve(settings, with_worker=True, ready=tell)
    return Status.done


def _read_instant(text: str, timezone: str) -> datetime:
    """Read an instant; without a zone it is read in the utility's.

    Raises:
        Invalid: it is not written 2026-11-23T09:00+08:00.
    """
    try:
        return read_instant(datetime.fromisoformat(text), timezone)
    except ValueError:
        raise Invalid.one("now", "instant_unreadable", text) from None
