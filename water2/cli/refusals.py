"""One sentence for whatever stops a command: the command line's own, else the edges' shared one."""

import errno
import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from water2.config import Settings
from water2.domain.errors import Conflict, DomainError, Invalid, NotFound
from water2.edge.database_away import database_away
from water2.edge.fields import field_problems
from water2.edge.problems import invalid_problem, problem_of, readable
from water2.rules.book import UnknownPlace
from water2.services.importing.source import FileError
from water2.words import Words

# what a file or a port of this machine answers; other errors of the system come from the database
_OURS = {
    errno.EADDRINUSE: "taken",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.ENOENT: "missing",
    errno.ENOSPC: "full",
    errno.EROFS: "read_only",
}
_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*@")


def sentence(words: Words, error: Exception) -> str:
    """Return why a command was not carried out, without any secret."""
    if isinstance(error, DomainError):
        return _refusal(words, error)
    if isinstance(error, UnknownPlace):
        return words.text("cli.error.unknown_place", place=error.args[0])
    if isinstance(error, FileError):
        return file_problem(words, error.code, error.facts)
    if isinstance(error, ValidationError):
        return _malformed(words, error)
    if isinstance(error, OSError) and error.errno in _OURS:
        what = error.filename or error.strerror
        return words.text(f"cli.system.{_OURS[error.errno]}", what=what)
    if database_away(error):
        return words.text("cli.error.database_away", said=_short(error))
    return words.text("cli.error.unexpected", kind=type(error).__name__, said=_short(error))


def file_problem(words: Words, code: str, facts: Mapping[str, object]) -> str:
    """Return why a file could not be taken at all."""
    key = f"field.{code}" if words.has(f"field.{code}") else "cli.error.file"
    return words.text(key, **{"code": code, "facts": _listed(facts), **readable(words, facts)})


def _refusal(words: Words, error: DomainError) -> str:
    for key, facts in _own_keys(error):
        if words.has(key):
            return words.text(key, **facts)
    problem = problem_of(error, words)
    quoted = f"「{problem.quote}」" if problem.quote else ""
    return f"{problem.title} {problem.detail} {quoted}".strip()


def _own_keys(error: DomainError) -> list[tuple[str, Mapping[str, Any]]]:
    """Return where the command line has a sentence of its own, which says what to type instead."""
    if isinstance(error, Conflict):
        return [(f"cli.conflict.{error.code}", error.facts)]
    if isinstance(error, NotFound):
        return [(f"cli.missing.{error.kind}", {"id": error.id})]
    if isinstance(error, Invalid):
        return [
            (f"cli.invalid.{one.code}", {"value": one.value or "", **one.facts})
            for one in error.problems
        ]
    return []


def _malformed(words: Words, error: ValidationError) -> str:
    """Return what is wrong in the settings, or in what was typed."""
    if error.title == Settings.__name__:
        return "; ".join(_setting(words, dict(found)) for found in error.errors())
    return invalid_problem(words, field_problems(error.errors())).detail


def _setting(words: Words, found: Mapping[str, Any]) -> str:
    name = "_".join(str(part) for part in found["loc"])
    return words.text("cli.error.setting", name=f"WATER2_{name.upper()}", said=found["msg"])


def _listed(facts: Mapping[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in facts.items())


def _short(error: Exception) -> str:
    """Return an error's first line, without the password of an address."""
    lines = str(error).strip().splitlines()
    return _PASSWORD.sub(r"\1***@", lines[0] if lines else type(error).__name__)
