"""On PostgreSQL, the application's own role cannot write the ledger but through its function."""

from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from tests.serving import serving
from tests.shell import FOUNDING, Shell
from water2.jobs import JOBS


@pytest.fixture
def apart(postgres_server, tmp_path):
    """An installation whose migrations run under another role than its commands."""
    mark = uuid4().hex[:12]
    owner, application, name = f"owner_{mark}", f"app_{mark}", f"r{mark}"
    for statement in (
        f"CREATE ROLE {owner} LOGIN",
        f"CREATE ROLE {application} LOGIN",
        f"CREATE DATABASE {name} OWNER {owner}",
    ):
        postgres_server.psql(statement)
    address = postgres_server.get_uri(name)
    shell = Shell(
        tmp_path / "installation",
        address.replace("postgres:@", f"{application}@"),
        {"WATER2_DATABASE_ADMIN_URL": address.replace("postgres:@", f"{owner}@")},
    )
    yield shell
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")
    postgres_server.psql(f"DROP ROLE {owner}")
    postgres_server.psql(f"DROP ROLE {application}")


@pytest.fixture
def founded(apart: Shell) -> Shell:
    assert apart.run(*FOUNDING).status == 0
    return apart


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_entry SELECT * FROM ledger_entry",
        "UPDATE ledger_entry SET type = 'nothing.happened'",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE ledger SET size = 0",
        "UPDATE alembic_version SET version_num = '9999'",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TABLE duty",
    ],
)
def test_the_applications_role_may_not(founded, statement):
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        founded.sql(statement)


def test_everything_the_program_does_works_under_the_applications_role(apart):
    with serving(apart, "--with-worker") as server:
        assert server.enter_facility(1).status_code == 201
    for job in JOBS:
        assert apart.run("run-job", job).status == 0, job
    assert apart.run("ledger", "fsck").status == 0
    assert apart.run("ledger", "verify").status == 0
    assert apart.run("doctor").status == 0


def test_a_restore_gives_the_role_the_same_rights_as_before(founded):
    assert founded.run("backup", "--name", "drill").status == 0
    assert founded.run("restore", "drill", "--yes").status == 0
    findings = {one["check"]: one["level"] for one in founded.run("doctor", "--json").data}
    assert findings["role"] == "well"
    assert founded.run("user", "add", "lisi", "--role", "crew").status == 0
    public = founded.sql(
        "SELECT count(*) FROM pg_proc AS p, aclexplode(p.proacl) AS a "
        "WHERE p.proname = 'ledger_append' AND p.pronamespace = current_schema()::regnamespace "
        "AND a.grantee = 0"
    )
    assert public == [(0,)]


def test_the_owner_of_the_tables_is_told_that_triggers_alone_guard_them(tmp_path, postgres_server):
    name = f"r{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    shell = Shell(tmp_path / "installation", postgres_server.get_uri(name))
    shell.run(*FOUNDING)
    notes = {one["check"]: one["code"] for one in shell.run("doctor", "--json").data}
    assert notes["role"] == "owner"
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_restore_can_be_forced_over_running_servers(postgres_server, tmp_path):
    name = f"r{uuid4().hex}"
    postgres_server.psql(f"CREATE DATABASE {name}")
    shell = Shell(tmp_path / "installation", postgres_server.get_uri(name))
    with serving(shell) as server:
        assert shell.run("backup", "--name", "drill").status == 0
        assert server.enter_facility(1).status_code == 201
        assert shell.run("restore", "drill", "--yes", "--force").status == 0
        assert server.enter_facility(2).status_code == 201
    assert shell.sql("SELECT code FROM facility") == [("BY-0002",)]
    assert shell.run("ledger", "fsck").status == 0
    postgres_server.psql(f"DROP DATABASE {name} WITH (FORCE)")
