"""Several processes on one database: nothing is done twice, nothing is lost."""

import asyncio
import json
import subprocess
from datetime import UTC, date, datetime

import pytest

from tests.builders import a_facility, a_tank
from tests.shell import FOUNDING, Shell
from water2.clock import DemoClock
from water2.main import opened
from water2.services.utilities import choose_utility

FACILITIES = 40
LONGEST_SECONDS = 120


@pytest.fixture
async def due(shell: Shell) -> Shell:
    """A utility whose tanks all come due at once, by a clock all processes obey."""
    assert shell.run(*FOUNDING).status == 0
    clock = DemoClock(shell.folder / "demo-clock.json")
    clock.set(datetime(2026, 11, 23, 1, tzinfo=UTC))
    async with opened(shell.settings) as runtime, runtime.work() as work:
        utility = await choose_utility(work, None)
        for number in range(FACILITIES):
            code, since = f"BY-{number:03}", date(2026, 11, 1)
            facility = await a_facility(work, utility, code=code, in_service_on=since)
            await a_tank(work, utility, facility)
    clock.set(datetime(2027, 4, 1, 1, tzinfo=UTC))
    return shell


def finish(*processes: subprocess.Popen[str]) -> list[str]:
    outputs = [process.communicate(timeout=LONGEST_SECONDS) for process in processes]
    assert [(p.returncode, err) for p, (_, err) in zip(processes, outputs, strict=True)] == [
        (0, "") for _ in processes
    ]
    return [out for out, _ in outputs]


def openings(shell: Shell) -> list[str]:
    rows = shell.sql("SELECT body FROM ledger_entry WHERE type = 'duty.opened'")
    return [json.loads(row[0])["data"]["duty"] for row in rows]


async def test_workers_that_sweep_at_once_open_each_duty_exactly_once(due):
    outputs = finish(*(due.start("run-job", "sweep", "--json") for _ in range(3)))
    opened_duties = openings(due)
    live = due.sql("SELECT count(*) FROM work_order_task WHERE live")[0][0]
    assert sum(json.loads(out)["opened"] for out in outputs) == len(opened_duties)
    assert len(set(opened_duties)) == len(opened_duties) >= FACILITIES
    assert live == FACILITIES
    assert due.run("ledger", "fsck").status == 0


async def test_another_sweep_finds_nothing_left(due):
    finish(*(due.start("run-job", "sweep") for _ in range(2)))
    assert due.run("run-job", "sweep", "--json").data["opened"] == 0


async def test_processes_that_write_at_once_lose_nothing(shell):
    assert shell.run(*FOUNDING).status == 0
    names = [f"user{number}" for number in range(6)]
    finish(*(shell.start("user", "add", name, "--role", "crew") for name in names))
    listed = {one["username"] for one in shell.run("user", "list", "--json").data}
    rebuilt = shell.run("ledger", "fsck", "--json").data
    created = shell.sql("SELECT count(*) FROM ledger_entry WHERE type = 'user.created'")[0][0]
    assert listed == {"admin", *names}
    assert created == 1 + len(names)
    assert rebuilt["sound"]


async def test_tasks_of_one_process_and_another_process_write_at_once(shell):
    """One writing connection each, and the folder's lock between them."""
    assert shell.run(*FOUNDING).status == 0
    other = shell.start("user", "add", "other", "--role", "crew")
    async with opened(shell.settings) as runtime:

        async def add(number: int) -> None:
            async with runtime.work() as work:
                utility = await choose_utility(work, None)
                await a_facility(work, utility, code=f"BY-{number:03}")

        await asyncio.gather(*(add(number) for number in range(20)))
    finish(other)
    assert shell.sql("SELECT count(*) FROM facility")[0][0] == 20
    assert shell.run("ledger", "fsck").status == 0
