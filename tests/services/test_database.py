"""The database's own ways: what SQLAlchemy and the drivers make of them."""

import logging

from sqlalchemy import text

from water2.database import open_database


async def test_a_statement_on_sqlite_is_one_turn_of_the_connections_thread(sqlite_url, caplog):
    database = open_database(sqlite_url)
    async with database.writer.begin() as connection:
        with caplog.at_level(logging.DEBUG, "aiosqlite"):
            await connection.execute(text("CREATE TABLE kept (n INTEGER)"))
            many = [{"n": n} for n in range(3000)]
            await connection.execute(text("INSERT INTO kept VALUES (:n)"), many)
            rows = (await connection.execute(text("SELECT n FROM kept"))).all()
            changed = await connection.execute(text("UPDATE kept SET n = 0 WHERE n < 10"))
    await database.dispose()
    assert [row.n for row in rows] == list(range(3000))
    assert changed.rowcount == 10
    turns = [record for record in caplog.records if record.message.startswith("executing")]
    assert len(turns) == 4
