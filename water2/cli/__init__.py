"""The command line: `water2`. One file per group of commands; this is their list."""

import sys

import typer

from water2.cli import (
    channels,
    databases,
    demo,
    imports,
    jobs,
    ledgers,
    outages,
    rules,
    serving,
    setting_up,
    simulating,
    users,
)
from water2.cli.command import Command, add
from water2.cli.terminal import chosen_language
from water2.words import Words, words

COMMANDS: dict[str, Command] = {
    "init": setting_up.init,
    "serve": serving.serve,
    "worker": serving.worker,
    "demo": demo.demo,
    "import": imports.take_in,
    "take-back": imports.take_back,
    "run-job": jobs.job,
    "jobs": jobs.jobs,
    "backup": databases.backup,
    "restore": databases.restore,
    "simulate": simulating.simulate,
    "doctor": setting_up.doctor,
}
GROUPS: dict[str, dict[str, Command]] = {
    "rules": {"show": rules.show, "places": rules.list_places},
    "outage": {"proof": outages.proof, "list": outages.list_},
    "channel": {"list": channels.list_, "resume": channels.resume},
    "ledger": {
        "verify": ledgers.verify,
        "checkpoint": ledgers.checkpoint,
        "fsck": ledgers.fsck,
        "accept-setback": ledgers.accept,
    },
    "db": {"upgrade": databases.upgrade},
    "user": {
        "add": users.add,
        "list": users.list_,
        "reset-password": users.reset,
        "disable": users.disable,
        "put-under": users.put_under_regulator,
    },
}


def build(language: Words) -> typer.Typer:
    """Return the whole command line, its help in one language."""
    app = _typer(language.text("cli.help.program"))
    for name, command in COMMANDS.items():
        add(app, language, name, command)
    for group, commands in GROUPS.items():
        members = _typer(language.text(f"cli.group.{group}"))
        for name, command in commands.items():
            add(members, language, name, command, group)
        app.add_typer(members, name=group)
    return app


def _typer(told: str) -> typer.Typer:
    return typer.Typer(
        help=told,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # usage errors in plain lines
    )


def main() -> None:
    """Run the command the process was called with."""
    asked = next((b for a, b in zip(sys.argv, sys.argv[1:], strict=False) if a == "--lang"), None)
    build(words(chosen_language(asked)))()
