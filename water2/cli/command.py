"""What every command has in common: its options, where it acts, its exit status, its refusals.

A command is `async def name(at: Place, …) -> Status`; `add` makes typer's command of it.
"""

import asyncio
import inspect
import os
import sys
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from copy import copy
from dataclasses import dataclass
from enum import IntEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer
from uvicorn.loops.auto import auto_loop_factory

from water2.cli.refusals import sentence
from water2.cli.terminal import Terminal, chosen_language
from water2.config import Settings, load_settings
from water2.main import opened
from water2.words import Words, words
from water2.work import Runtime


class Status(IntEnum):
    """The exit status of every command."""

    done = 0
    done_but = 1  # some rows or checks failed
    not_done = 2


@dataclass(frozen=True)
class Place:
    """Where a command acts, and whom it speaks to."""

    settings: Settings
    terminal: Terminal

    def opened(self) -> AbstractAsyncContextManager[Runtime]:
        """Open the installation."""
        return opened(self.settings)


Command = Callable[..., Awaitable[Status]]

_COMMON: dict[str, Any] = {
    "data_dir": Annotated[Path | None, typer.Option(help="data_dir", envvar="WATER2_DATA_DIR")],
    "database_url": Annotated[
        str | None, typer.Option(help="database_url", envvar="WATER2_DATABASE_URL")
    ],
    "as_json": Annotated[bool, typer.Option("--json", help="json")],
    "lang": Annotated[str | None, typer.Option(help="lang", metavar="zh|en")],
    "trace": Annotated[bool, typer.Option("--trace", help="trace")],
}


def help_of(language: Words, name: str, group: str = "") -> str:
    """Return the help of a command: its group's own words where another group has the same name."""
    own = f"cli.help.{group}.{name}"
    return language.text(own if language.has(own) else f"cli.help.{name}")


def add(app: typer.Typer, language: Words, name: str, command: Command, group: str = "") -> None:
    """Make a command of a group; its help is in the language given."""

    @wraps(command)
    def run(**given: Any) -> None:
        common = {key: given.pop(key) for key in _COMMON}
        raise typer.Exit(_run(command, given, **common))

    own = list(inspect.signature(command).parameters.values())[1:]
    common = [
        inspect.Parameter(
            key,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=annotation,
            default=False if key in ("as_json", "trace") else None,
        )
        for key, annotation in _COMMON.items()
    ]
    parameters = [_in_words(one, language) for one in (*own, *common)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # typer reads it
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    app.command(name, help=help_of(language, name, group))(run)


def _in_words(parameter: inspect.Parameter, language: Words) -> inspect.Parameter:
    """Put an option's help, given as a key, into words."""
    if get_origin(parameter.annotation) is not Annotated:
        return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    kind, option = get_args(parameter.annotation)
    told = copy(option)
    told.help = language.text(f"cli.option.{option.help}")
    return parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[kind, told])


def _run(
    command: Command,
    given: dict[str, Any],
    *,
    data_dir: Path | None,
    database_url: str | None,
    as_json: bool,
    lang: str | None,
    trace: bool,
) -> Status:
    """Run a command to its status; nothing but one sentence tells of what stopped it."""
    terminal = Terminal(words(chosen_language(lang)), as_json)
    try:
        settings = load_settings(data_dir=data_dir, database_url=database_url)
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            return runner.run(_awaited(command(Place(settings, terminal), **given)))
    except (KeyboardInterrupt, asyncio.CancelledError):
        terminal.warn(terminal.words.text("cli.error.interrupted"))
    except BrokenPipeError:  # whoever read has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Status.done
    except Exception as error:
        if trace:
            traceback.print_exception(error)
        terminal.warn(sentence(terminal.words, error))
    return Status.not_done


async def _awaited(running: Awaitable[Status]) -> Status:
    return await running
