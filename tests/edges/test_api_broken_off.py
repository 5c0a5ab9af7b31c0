"""What PostgreSQL breaks off begins anew by itself; what cannot go on is 503, never half done."""

import asyncio

import pytest
from sqlalchemy import text

from tests.edges.test_api_problems import end_who_waits, problem_of
from tests.edges.test_api_register import FACILITY, TANK, added
from tests.faults.racing import waits
from water2.api.acts import ATTEMPTS

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
KEY = {"Idempotency-Key": "once-1"}
AT_COMMIT = """CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON tank
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION stop_commit()"""


async def do(runtime, *statements):
    async with runtime.database.writer.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def stopping_commits(runtime, body):
    """Have the server run a piece of PL/pgSQL at the commit of whoever enters or edits a tank."""
    function = f"CREATE FUNCTION stop_commit() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    await do(runtime, "CREATE SEQUENCE commits", function, AT_COMMIT)


def breaking_off(times, code):
    # what a sequence counted stays counted when the transaction is undone
    return f"""BEGIN IF nextval('commits') <= {times} THEN
        RAISE EXCEPTION 'broken off' USING ERRCODE = '{code}'; END IF; RETURN NULL; END"""


async def count(runtime, what):
    async with runtime.read() as work:
        return await work.session.scalar(text(f"SELECT count(*) FROM {what}"))


@pytest.fixture
async def facility(api):
    return await added(api.manager, "/facilities", FACILITY)


async def circle(api, tank, times):
    """Edit a tank while another connection holds its facility and then asks for it, each time."""
    runtime = api.installation.runtime
    edit = {"json": {"material": "不锈钢"}, "headers": KEY | {"If-Match": "*"}}
    async with runtime.database.writer.connect() as other:
        await other.execute(text("SET LOCAL deadlock_timeout = '10min'"))  # never the one to end
        await other.execute(text("SELECT id FROM facility FOR UPDATE"))
        act = asyncio.create_task(api.manager.patch(f"/tanks/{tank['id']}", **edit))
        for _ in range(times):
            assert await waits(runtime, act)
            async with other.begin_nested() as asking:
                await other.execute(text("SELECT id FROM tank FOR UPDATE"))
                await asking.rollback()
        await other.rollback()
    return await act


async def test_an_act_ended_in_a_circle_of_waiting_is_done_again(api, facility):
    tank = await added(api.manager, f"/facilities/{facility['id']}/tanks", TANK)
    answer = await circle(api, tank, ATTEMPTS - 1)
    assert answer.status_code == 200, answer.text
    assert answer.json()["material"] == "不锈钢"
    assert await count(api.installation.runtime, "ledger_entry WHERE type = 'tank.updated'") == 1


async def test_an_act_that_ends_in_a_circle_each_time_is_503_and_changes_nothing(api, facility):
    tank = await added(api.manager, f"/facilities/{facility['id']}/tanks", TANK)
    answer = await circle(api, tank, ATTEMPTS)
    problem = problem_of(answer)
    assert (problem["status"], problem["reason"]) == (503, "contended")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await api.manager.get(f"/tanks/{tank['id']}")).json()["material"] is None


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_commit_that_is_broken_off_is_done_again(api, facility, code):
    runtime = api.installation.runtime
    await stopping_commits(runtime, breaking_off(ATTEMPTS - 1, code))
    inside = f"/facilities/{facility['id']}/tanks"
    first = await api.manager.post(inside, json=TANK, headers=KEY)
    again = await api.manager.post(inside, json=TANK, headers=KEY)
    assert (first.status_code, first.content) == (201, again.content)
    assert "Idempotent-Replayed" in again.headers
    assert await count(runtime, "tank") == 1
    assert await count(runtime, "ledger_entry WHERE type = 'tank.recorded'") == 1


async def test_a_commit_broken_off_too_often_is_503_and_may_be_repeated(api, facility):
    runtime = api.installation.runtime
    await stopping_commits(runtime, breaking_off(ATTEMPTS, "40001"))
    inside = f"/facilities/{facility['id']}/tanks"
    refused = await api.manager.post(inside, json=TANK, headers=KEY)
    assert (problem_of(refused)["status"], problem_of(refused)["reason"]) == (503, "contended")
    assert await count(runtime, "tank") == await count(runtime, "idempotent_answer") == 0
    assert (await api.manager.post(inside, json=TANK, headers=KEY)).status_code == 201


async def test_a_database_taken_away_before_the_entries_is_503_and_leaves_no_fact(api, facility):
    runtime = api.installation.runtime
    async with runtime.work() as work:
        # the last step of an act waits here, when all its facts are written
        await work.session.execute(text("SELECT id FROM ledger FOR UPDATE"))
        inside = f"/facilities/{facility['id']}/tanks"
        act = asyncio.create_task(api.manager.post(inside, json=TANK, headers=KEY))
        await end_who_waits(runtime)
        answer = await act
    assert (problem_of(answer)["status"], problem_of(answer)["reason"]) == (503, "database_away")
    assert int(answer.headers["Retry-After"]) > 0
    for table in ("tank", "idempotent_answer", "duty WHERE subject_type = 'tank'"):
        assert await count(runtime, table) == 0, table
    assert (await api.manager.post(inside, json=TANK, headers=KEY)).status_code == 201


async def test_a_database_taken_away_in_the_commit_is_503_and_leaves_nothing(api, facility):
    runtime = api.installation.runtime
    end = "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); END"
    await stopping_commits(runtime, end)
    inside = f"/facilities/{facility['id']}/tanks"
    entries = await count(runtime, "ledger_entry")
    answer = await api.manager.post(inside, json=TANK, headers=KEY)
    assert (problem_of(answer)["status"], problem_of(answer)["reason"]) == (503, "database_away")
    assert await count(runtime, "tank") == 0
    assert await count(runtime, "ledger_entry") == entries


@pytest.mark.parametrize("code", ["25P03", "25006", "53100", "55P03", "57014", "57P03"])
async def test_a_server_that_hands_over_or_has_no_room_or_time_is_503(api, facility, code):
    runtime = api.installation.runtime
    await stopping_commits(runtime, breaking_off(1, code))
    answer = await api.manager.post(f"/facilities/{facility['id']}/tanks", json=TANK)
    assert (problem_of(answer)["status"], problem_of(answer)["reason"]) == (503, "database_away")
    assert await count(runtime, "tank") == 0


async def test_a_reading_whose_database_is_taken_away_is_503(api, facility):
    runtime = api.installation.runtime
    async with runtime.database.writer.connect() as other:
        await other.execute(text("LOCK TABLE tank IN ACCESS EXCLUSIVE MODE"))
        inside = f"/facilities/{facility['id']}/tanks"
        reading = asyncio.create_task(api.manager.get(inside))
        await end_who_waits(runtime)
        answer = await reading
        await other.rollback()
    assert problem_of(answer)["status"] == 503
    assert (await api.manager.get(inside)).status_code == 200
