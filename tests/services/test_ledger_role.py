"""PostgreSQL: an application's role that does not own the tables appends by the function alone."""

from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from tests.builders import Installation, install
from tests.ledgers import SIGNING_KEY, add_ledger, an_entry, append, sign
from water2.database import open_database
from water2.domain.contacts import ContactBox
from water2.domain.guards import role_statements
from water2.services.ledger_fsck import LedgerCheck
from water2.services.ledger_heads import HeadsFile
from water2.work import Runtime

AS_THE_FUNCTION_DOES = """WITH a AS (SELECT set_config('water2.appending', 'yes', true))
INSERT INTO ledger_entry SELECT e.* FROM ledger_entry AS e, a"""


@pytest.fixture
async def confined(postgres_url, clock):
    """An installation whose application works under a role of its own."""
    role = f"app_{uuid4().hex}"
    owner = open_database(postgres_url)
    others = "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO"
    async with owner.writer.begin() as connection:
        for statement in [
            f"CREATE ROLE {role} LOGIN",
            f"GRANT USAGE ON SCHEMA public TO {role}",
            f"{others} {role}",
            *role_statements(role),
        ]:
            await connection.execute(text(statement))
    address = make_url(postgres_url).set(username=role)
    database = open_database(address.render_as_string(hide_password=False))
    yield await install(Runtime(database, clock, ContactBox(bytes(32))))
    await database.dispose()
    async with owner.writer.begin() as connection:
        await connection.execute(text(f"DROP OWNED BY {role}"))
        await connection.execute(text(f"DROP ROLE {role}"))
    await owner.dispose()


async def test_the_confined_role_founds_appends_signs_and_checks(confined: Installation, tmp_path):
    runtime, heads = confined.runtime, HeadsFile(tmp_path / "heads.json")
    ledger_id = await add_ledger(runtime, utility_id=confined.utility.id)
    receipts = await append(runtime, *[an_entry(ledger_id) for _ in range(3)])
    assert [receipt.seq for receipt in receipts] == [0, 1, 2]
    assert len((await sign(confined, heads)).signed) == 3
    run = LedgerCheck(SIGNING_KEY, heads.read())
    async with runtime.read() as work:
        assert [finding async for finding in run.findings(work)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO ledger_entry SELECT * FROM ledger_entry",
        AS_THE_FUNCTION_DOES,
        "UPDATE ledger_entry SET type = 'x'",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
        "UPDATE ledger SET size = 9",
        "DELETE FROM ledger",
        "DELETE FROM ledger_checkpoint",
        "ALTER TABLE ledger_entry DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_entry_append_only ON ledger_entry",
        "DROP FUNCTION ledger_refuse() CASCADE",
        "SET session_replication_role = replica",
    ],
)
async def test_the_confined_role_can_do_nothing_else_to_the_ledger(confined, statement):
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        async with confined.runtime.work() as work:
            await (await work.session.connection()).execute(text(statement))
