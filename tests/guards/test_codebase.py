"""Habits of the codebase that nobody has to remember, because these fail."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "water2"
LONGEST_FILE = 250
LONGEST_FUNCTION = 40
SLOW = {"hash_password", "password_fits", "hash_given", "prepare_change"}
WALL_CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def calls(path: Path) -> Iterator[tuple[str, str, int]]:
    """Return what is called as `owner.method(…)`, and on which line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node.lineno


def test_imports_point_one_way():
    program = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", modules(), ids=named)
def test_a_file_and_its_functions_can_be_read_at_a_glance(path):
    text = path.read_text(encoding="utf-8")
    functions = [
        (node.name, (node.end_lineno or 0) - node.lineno + 1)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert text.count("\n") <= LONGEST_FILE
    assert [one for one in functions if one[1] > LONGEST_FUNCTION] == []


def test_only_the_clock_reads_the_wall_clock():
    found = {
        named(path)
        for path in modules()
        for owner, method, _ in calls(path)
        if (owner.rpartition(".")[2], method) in WALL_CLOCKS
    }
    assert found == {"water2/clock.py"}


# an insert of rows that are nearly always new, asked again in another way where they were not
SAVEPOINTS = {("water2/services/instruments/storing.py", "begin_nested")}


def test_only_work_commits():
    found = {
        (named(path), method)
        for path in modules()
        for _, method, _ in calls(path)
        if method in ("commit", "begin_nested")
    }
    assert found == SAVEPOINTS  # work.py commits by leaving `session.begin()`


def test_no_password_is_hashed_while_others_wait_for_the_unit_to_end():
    """Argon2 takes its time on purpose: neither what is given a unit nor what opens one may ask."""
    found = [
        f"{named(path)}:{call.lineno}"
        for path in modules()
        for unit in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _within_a_unit(unit)
        for call in ast.walk(unit)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in SLOW
    ]
    assert found == []


def _within_a_unit(node: ast.AST) -> bool:
    if isinstance(node, ast.AsyncFunctionDef):
        return any(ast.unparse(one.annotation or node) == "Work" for one in node.args.args)
    opened = [ast.unparse(item.context_expr) for item in getattr(node, "items", ())]
    return any(re.search(r"\bwork\(|\bread\(|\bacting\(", one) for one in opened)


def test_no_layer_below_the_edges_reads_the_environment():
    found = {
        named(path)
        for path in modules()
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8"))
    }
    allowed = {
        "water2/cli/terminal.py",  # the language of whoever types
        "water2/services/doctor/machine.py",  # looks for variables nobody knows
        "water2/services/pg_programs.py",  # hands it on to PostgreSQL's programs
    }
    assert found == allowed


def test_no_lock_names_the_address_of_a_registry():
    for lock in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert not re.search(r"://|index", text), lock


def test_whatever_runs_is_in_the_lock_that_tests_run_with():
    def pins(lock: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / lock).read_text(), re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_each_exception_to_a_check_has_its_reason_beside_it():
    marks = re.compile(r"#\s*(?:noqa|type: ignore)(?:: ?[\w, ]+|\[[\w, -]+\])?(.*)$")
    unreasoned = [
        f"{named(path)}:{number}"
        for path in modules()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := marks.search(line)) and len(found[1].strip(" -#")) < 5
    ]
    assert unreasoned == []
