"""Every code a refusal gives has its words, in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from water2.rules.flags import FlagCode
from water2.words import LANGUAGES, words

PACKAGE = Path(__file__).parents[2] / "water2"
# constructor → which positional argument is the code, and the groups of words that may hold it
CODES = {
    "Invalid.one": (1, ("field", "cli.invalid")),
    "FieldProblem": (1, ("field",)),
    "FieldFault": (1, ("field",)),
    "FieldError": (1, ("field",)),
    "CellError": (0, ("field",)),
    "RowError": (1, ("field",)),
    "FileError": (0, ("field",)),
    "Conflict": (0, ("problem", "cli.conflict")),
    "NotSignedIn": (0, ("problem",)),
    "Refused": (1, ("refused",)),
    "FitnessReason": (0, ("fitness",)),
    "PydanticCustomError": (0, ("field",)),
}


def codes() -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Return each code written out in the source, with where it stands and its groups."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in CODES:
                continue
            at, groups = CODES[ast.unparse(node.func)]
            for code in written(node.args[at]) if len(node.args) > at else ():
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", code, groups


def written(argument: ast.expr) -> list[str]:
    """Return the codes an argument may be; one put together at run time is nobody's."""
    if isinstance(argument, ast.IfExp):
        return written(argument.body) + written(argument.orelse)
    return [argument.value] if isinstance(argument, ast.Constant) else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_its_words(language):
    say = words(language)
    lacking = [
        (where, code)
        for where, code, groups in codes()
        if not any(say.has(f"{group}.{code}") for group in groups)
    ]
    assert lacking == []


def test_the_guard_sees_the_codes():
    assert len({code for _, code, _ in codes()}) > 100


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_flag_has_its_words_and_no_other_word_is_a_flags(language):
    """That a record gets no flag but these, the type checker holds."""
    named = {key.removeprefix("flag.") for key in words(language).texts if key.startswith("flag.")}
    assert named == {*FlagCode}


def test_every_flag_is_given_by_somebody():
    sources = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    assert [code for code in FlagCode if f"FlagCode.{code.name}" not in sources] == []
