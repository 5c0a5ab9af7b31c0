"""A newer schema stops every command; an older one is backed up before it is migrated."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.shell import FOUNDING, Said, Shell

ROOT = Path(__file__).parents[2]
NEXT_MIGRATION = '''"""next"""
import sqlalchemy as sa
from alembic import op

revision = "9001"
down_revision = {head!r}
branch_labels = None
depends_on = None


def upgrade():
    op.add_column("staff", sa.Column("nickname", sa.String(60), nullable=True))


def downgrade():
    op.drop_column("staff", "nickname")
'''


@pytest.fixture
def founded(shell: Shell) -> Shell:
    assert shell.run(*FOUNDING).status == 0
    return shell


@dataclass
class NextProgram:
    """The next version of the program: this one with a migration more, as its own process."""

    home: Path

    def run(self, shell: Shell, *arguments: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "water2", *arguments],
            cwd=self.home,
            env={**os.environ, **shell.environment, "PYTHONPATH": str(self.home)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def next_program(tmp_path: Path) -> NextProgram:
    home = tmp_path / "next"
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "water2", home / "water2", ignore=left_out)
    shutil.copytree(ROOT / "alembic", home / "alembic", ignore=left_out)
    revisions = sorted(path.name[:4] for path in (home / "alembic" / "versions").glob("*.py"))
    migration = NEXT_MIGRATION.format(head=revisions[-1])
    (home / "alembic" / "versions" / "9001_next.py").write_text(migration)
    return NextProgram(home)


def revision(shell: Shell) -> str:
    return str(shell.sql("SELECT version_num FROM alembic_version")[0][0])


@pytest.mark.parametrize(
    "arguments",
    [
        ("user", "list"),
        ("run-job", "sweep"),
        ("ledger", "fsck"),
        ("db", "upgrade"),
        ("serve", "--port", "9"),
        ("init", "--code", "X", "--name", "x"),
    ],
    ids=" ".join,
)
def test_no_command_works_on_a_database_of_a_newer_program(founded, arguments):
    founded.sql("UPDATE alembic_version SET version_num = '9999'")
    said = founded.run(*arguments)
    assert said.status == 2
    assert said.err.startswith("A newer program wrote this database (9999)")
    assert revision(founded) == "9999"


def test_an_upgrade_of_a_database_that_holds_something_is_backed_up_first(founded, next_program):
    before = revision(founded)
    said = next_program.run(founded, "db", "upgrade", "--json")
    backups = founded.run("backup", "--list", "--json").data
    assert (said.status, revision(founded)) == (0, "9001")
    assert [one["name"][:15] for one in backups] == ["before-upgrade-"]
    assert f'"before": "{before}"' in said.out
    assert next_program.run(founded, "db", "upgrade").out.startswith("The database is at 9001")


def test_the_embedded_database_upgrades_by_itself_and_postgresql_waits(founded, next_program):
    said = next_program.run(founded, "user", "list")
    if founded.database_url is None:
        assert (said.status, revision(founded)) == (0, "9001")
        assert len(founded.run("backup", "--list", "--json").data) == 1
    else:
        assert (said.status, revision(founded) == "9001") == (2, False)
        assert "water2 db upgrade" in said.err


def test_a_backup_taken_before_an_upgrade_brings_the_older_program_back(founded, next_program):
    next_program.run(founded, "db", "upgrade")
    name = founded.run("backup", "--list", "--json").data[0]["name"]
    refused = founded.run("restore", name, "--yes")
    assert refused.status == 2
    assert founded.run("restore", name, "--yes", "--force").status == 0
    assert founded.run("user", "list").status == 0


def test_a_newer_programs_backup_is_never_restored_by_an_older_one(founded, next_program):
    next_program.run(founded, "db", "upgrade")
    assert next_program.run(founded, "backup", "--name", "newer").status == 0
    assert founded.run("restore", "newer", "--yes", "--force").status == 2
