"""`db upgrade`, `backup` and `restore`."""

from typing import Annotated

import typer

from water2.cli.command import Place, Status
from water2.clock import wall_clock
from water2.domain.errors import Conflict
from water2.services.backup import list_backups, make_backup
from water2.services.presence import present
from water2.services.restore import restore_backup
from water2.services.upgrading import upgrade_schema


async def upgrade(at: Place) -> Status:
    """Bring the database to this program's schema, after a backup."""
    with present(at.settings.data_dir):
        done = await upgrade_schema(at.settings, now=wall_clock())
    at.terminal.answer(done)
    if done.backup:
        at.terminal.say("cli.upgrade.backup", name=done.backup)
    changed = done.before != done.after
    at.terminal.say("cli.upgrade.done" if changed else "cli.upgrade.nothing", schema=done.after)
    return Status.done


async def backup(
    at: Place,
    name: Annotated[str | None, typer.Option(help="backup_name")] = None,
    list_: Annotated[bool, typer.Option("--list", help="backup_list")] = False,
) -> Status:
    """Back the database up while it is in use."""
    if list_:
        found = list_backups(at.settings)
        at.terminal.answer([{"name": one.name, "made_at": one.manifest.made_at} for one in found])
        for one in found:
            at.terminal.line(f"{one.name}\t{one.manifest.made_at}\t{one.manifest.file_bytes}")
        return Status.done
    with present(at.settings.data_dir):
        made = await make_backup(at.settings, now=wall_clock(), name=name)
    at.terminal.answer(made)
    at.terminal.say(
        "cli.backup.done",
        name=made.name,
        folder=made.folder,
        mebibytes=round(made.manifest.file_bytes / 2**20, 1),
        ledgers=len(made.manifest.ledgers),
        entries=sum(head.size for head in made.manifest.ledgers),
    )
    at.terminal.say("cli.backup.keys", folder=at.settings.keys)
    return Status.done


async def restore(
    at: Place,
    name: Annotated[str, typer.Argument(help="backup_restored")],
    yes: Annotated[bool, typer.Option("--yes", help="yes")] = False,
    force: Annotated[bool, typer.Option("--force", help="force")] = False,
) -> Status:
    """Put a backup in the place of the database, and say how far the ledgers were set back."""
    if not yes:
        raise Conflict("not_confirmed", {"name": name})
    done = await restore_backup(at.settings, name, real_now=wall_clock(), force=force)
    at.terminal.answer(done)
    at.terminal.say("cli.restore.done", name=name, made_at=done.made_at)
    if done.kept_aside:
        at.terminal.say("cli.restore.aside", kept=done.kept_aside)
    at.terminal.say(
        "cli.restore.sound" if done.sound else "cli.restore.unsound", ledgers=done.ledgers
    )
    at.terminal.say(
        "cli.restore.set_back" if done.set_back else "cli.restore.not_set_back",
        ledgers=len(done.set_back),
        entries=sum(one.entries for one in done.set_back),
    )
    for one in done.set_back:
        at.terminal.say("cli.restore.ledger", ledger=one.ledger_id, was=one.signed, now=one.size)
    return Status.done if done.sound else Status.done_but
