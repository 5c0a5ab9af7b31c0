"""`import` tells what it took, what it refused and why, and where nothing changed."""

import csv

import pytest

from tests.shell import FOUNDING, Shell

HEADER = "泵房编号,小区名称,供水对象,地址"
GOOD = "BY-001,听松苑,高层住宅,古城路202号"
BAD = "BY-002,闻莺公馆,温室,栖霞街1号"


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


def a_file(tmp_path, *rows, name="泵房台账.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes("\n".join([HEADER, *rows, ""]).encode(encoding))
    return str(path)


def facilities(shell: Shell) -> int:
    return shell.sql("SELECT count(*) FROM facility")[0][0]


def test_a_file_is_taken_in_and_the_second_time_changes_nothing(founded, tmp_path):
    file = a_file(tmp_path, GOOD, encoding="gb18030")
    first, second = (founded.run("import", file, "--json") for _ in range(2))
    assert [said.status for said in (first, second)] == [0, 0]
    assert (first.data["accepted"], second.data["duplicate"]) == (1, 1)
    assert facilities(founded) == 1


def test_a_refused_row_is_named_and_costs_the_others_nothing(founded, tmp_path):
    said = founded.run("import", a_file(tmp_path, GOOD, BAD), "--json")
    row = said.data["rows"][0]
    assert (said.status, said.data["accepted"], said.data["rejected"]) == (1, 1, 1)
    assert (row["file"], row["line"], row["value"]) == ("泵房台账.csv", 3, "温室")
    assert facilities(founded) == 1


def test_what_is_to_be_looked_at_is_told_in_words(founded, tmp_path):
    header = f"{HEADER},独立电表号"
    path = tmp_path / "泵房台账.csv"
    path.write_text(f"{header}\n{GOOD},\n", encoding="utf-8")
    said = founded.run("import", str(path))
    assert "to look at: no electricity meter of its own (rows: 1)" in said.out


def test_refused_rows_can_be_sent_back_mended_and_imported(founded, tmp_path):
    rejects = tmp_path / "rejects"
    founded.run("import", a_file(tmp_path, GOOD, BAD), "--rejects", str(rejects))
    with next(rejects.iterdir()).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["供水对象"]) for row in rows] == [("3", "温室")]


def test_a_dry_run_tells_the_same_and_writes_nothing(founded, tmp_path):
    said = founded.run("import", a_file(tmp_path, GOOD, BAD), "--dry-run", "--json")
    assert (said.data["accepted"], said.data["rejected"], said.data["dry_run"]) == (1, 1, True)
    assert facilities(founded) == 0


def test_a_folder_passes_over_what_nobody_knows(founded, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    a_file(folder, GOOD)
    (folder / "README.md").write_text("# what this is\n")
    said = founded.run("import", str(folder), "--json")
    assert (said.status, said.data["passed_over"]) == (0, ["README.md"])


def test_a_file_nobody_knows_is_a_failure_when_it_is_named(founded, tmp_path):
    path = tmp_path / "notes.csv"
    path.write_text("a,b\n1,2\n")
    said = founded.run("import", str(path))
    assert said.status == 1
    assert "not imported" in said.out


def test_a_file_that_is_not_there_is_refused(founded, tmp_path):
    said = founded.run("import", str(tmp_path / "nothing.csv"))
    assert said.status == 2
    assert said.err == f"There is no such file or folder: {tmp_path / 'nothing.csv'}\n"


def test_a_column_that_stands_twice_is_named(founded, tmp_path):
    path = tmp_path / "twice.csv"
    path.write_text(f"{HEADER},地址\n{GOOD},另一处\n", encoding="utf-8")
    assert "which one is meant cannot be told: 地址." in founded.run("import", str(path)).out


def test_a_mapping_that_is_wrong_names_its_fields_and_no_machinery(founded, tmp_path):
    mapping = tmp_path / "own.toml"
    mapping.write_text('kind = "facility"\ncolums = {}\n', encoding="utf-8")
    said = founded.run("import", a_file(tmp_path, GOOD), "--mapping", str(mapping))
    assert (said.status, said.err) == (2, "the mapping file is wrong: columns, colums.\n")


def test_an_import_is_taken_back(founded, tmp_path):
    done = founded.run("import", a_file(tmp_path, GOOD), "--json").data["files"][0]["import_id"]
    assert founded.run("take-back", done).status == 0
    assert facilities(founded) == 0
    assert founded.run("take-back", done).status == 2


def test_people_are_told_the_reason_in_their_language(founded, tmp_path):
    file = a_file(tmp_path, BAD)
    chinese, english = (founded.run("import", file, "--lang", one).out for one in ("zh", "en"))
    assert "第 3 行" in chinese or "第 2 行" in chinese
    assert "line 2" in english
