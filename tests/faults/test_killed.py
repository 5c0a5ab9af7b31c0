"""Killed in the middle of writing, the program leaves whole acts or none."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from tests.serving import Serving, serving, wait_until
from tests.shell import FOUNDING, Shell

ROWS = 60_000  # more than the writer keeps in memory: the log grows before the commit


def counts(shell: Shell) -> tuple[int, int]:
    """Return how many facilities there are, and how many entries say that one was entered."""
    facilities = shell.sql("SELECT count(*) FROM facility")[0][0]
    entries = shell.sql("SELECT count(*) FROM ledger_entry WHERE type LIKE 'facility.%'")[0][0]
    return facilities, entries


def write_until_killed(server: Serving, after_seconds: float) -> set[str]:
    """Write from four clients, kill the server meanwhile; return what it had acknowledged."""
    acknowledged: set[str] = set()
    gone = threading.Event()

    def write(first: int) -> None:
        with suppress(httpx.TransportError):
            for number in range(first, 10_000, 4):
                if gone.is_set():
                    return
                answer = server.enter_facility(number)
                assert answer.status_code == 201, answer.text
                acknowledged.add(answer.json()["code"])

    with ThreadPoolExecutor(4) as pool:
        writers = [pool.submit(write, first) for first in range(4)]
        time.sleep(after_seconds)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        gone.set()
        for writer in writers:
            writer.result()
    return acknowledged


@pytest.mark.parametrize("after_seconds", [0.7, 1.3])
def test_a_server_killed_while_it_writes_keeps_every_act_it_acknowledged(shell, after_seconds):
    with serving(shell, "--with-worker") as server:
        acknowledged = write_until_killed(server, after_seconds)
    kept = {row[0] for row in shell.sql("SELECT code FROM facility")}
    facilities, entries = counts(shell)
    assert acknowledged
    assert acknowledged <= kept
    assert len(kept - acknowledged) <= 4  # committed, the answer not yet sent
    assert entries == facilities
    assert shell.run("ledger", "fsck").status == 0


def test_a_request_repeated_after_the_kill_is_not_done_twice(shell):
    with serving(shell) as server:
        first = server.enter_facility(1).json()
        answered = server.enter_facility(1)
        assert answered.json()["id"] == first["id"]
    assert counts(shell)[0] == 1


def test_an_import_killed_in_the_middle_leaves_nothing_of_its_file(shell, tmp_path):
    assert shell.run(*FOUNDING).status == 0
    file = tmp_path / "泵房台账.csv"
    rows = (f"BY-{n:05},听松苑,高层住宅,古城路{n}号" for n in range(ROWS))
    file.write_text("\n".join(["泵房编号,小区名称,供水对象,地址", *rows]) + "\n")
    process = shell.start("import", str(file), "--kind", "facility")
    wait_until(lambda: process.poll() is not None or is_writing(shell))
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert counts(shell) == (0, 0)
    assert shell.run("ledger", "fsck").status == 0


def is_writing(shell: Shell) -> bool:
    """Tell whether something has been written that is not committed yet."""
    log = shell.folder / "water2.db-wal"
    if shell.database_url is None:
        return log.exists() and log.stat().st_size > 1_000_000
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
    return bool(shell.sql(query)[0][0])


def test_a_server_asked_to_stop_ends_well(shell):
    with serving(shell, "--with-worker") as server:
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=30)
        assert (server.process.returncode, err) == (0, "")
        assert out.startswith("Serving at")


def test_a_worker_asked_to_stop_ends_well(shell):
    assert shell.run(*FOUNDING).status == 0
    worker = shell.start("worker")
    wait_until(lambda: shell.sql("SELECT count(finished_at) FROM job_run")[0][0])
    worker.send_signal(signal.SIGTERM)
    _, err = worker.communicate(timeout=30)
    assert (worker.returncode, err) == (0, "")


def test_a_running_program_is_not_restored_over(shell):
    with serving(shell) as server:
        assert shell.run("backup", "--name", "now").status == 0
        said = shell.run("restore", "now", "--yes")
        assert (said.status, "stop serve" in said.err) == (2, True)
        assert server.enter_facility(1).status_code == 201
    assert counts(shell)[0] == 1


def test_a_port_that_is_taken_is_said_so(shell):
    with serving(shell) as server:
        said = shell.start("serve", "--port", str(server.client.base_url.port))
        _, err = said.communicate(timeout=30)
    assert said.returncode == 2
    assert "The port is taken" in err
