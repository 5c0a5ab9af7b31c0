"""What a command says: sentences or JSON on standard output, progress and refusals on the other."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from water2.words import DEFAULT_LANGUAGE, LANGUAGES, Language, Words


def chosen_language(asked: str | None = None) -> Language:
    """Return the language asked for, else that of the environment where it is English."""
    wanted = asked or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    return next((one for one in LANGUAGES if wanted.startswith(one)), DEFAULT_LANGUAGE)


@dataclass(frozen=True)
class Terminal:
    """Speaks to whoever called a command; with `as_json`, only `answer` is printed."""

    words: Words
    as_json: bool = False

    def say(self, key: str, **facts: object) -> None:
        """Print a sentence; machines do not get it."""
        if not self.as_json:
            self.line(self.words.text(key, **facts))

    def line(self, text: str) -> None:
        """Print a line as it is; machines do not get it."""
        if not self.as_json:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def answer(self, value: object) -> None:
        """Print the answer for machines; people do not get it."""
        if self.as_json:
            sys.stdout.write(json.dumps(plain(value), ensure_ascii=False, indent=1) + "\n")

    def warn(self, text: str) -> None:
        """Print a line on standard error."""
        sys.stderr.write(text + "\n")

    @contextmanager
    def progress(self, key: str, total: int | None = None) -> Iterator["Steps"]:
        """Show how far a long work is, on standard error and where that is a terminal."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(
            *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
        ) as bar:
            yield Steps(bar, int(bar.add_task(self.words.text(key), total=total)))


@dataclass(frozen=True)
class Steps:
    """A progress bar's hand."""

    bar: Progress
    task: Any

    def to(self, done: int, total: int | None = None, told: str | None = None) -> None:
        """Move to `done` of `total`, under another heading where `told` is given."""
        self.bar.update(self.task, completed=done, total=total, description=told)


def plain(value: Any) -> Any:
    """Return a value as JSON holds it: dates in ISO form, decimals and paths as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, date):  # an instant is a date, too
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | Path) else value
