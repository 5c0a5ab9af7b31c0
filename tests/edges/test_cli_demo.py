"""`demo` begins by itself, keeps its clock in the folder, and never takes a real installation."""

import time
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from tests.serving import free_port, is_up, serving, wait_until
from tests.shell import FOUNDING, Shell
from water2.clock import clock_of

ACCOUNTS = ["admin", "manager", "crew", "health", "water", "lab"]
NOW = "2026-11-23T09:00+08:00"


@pytest.fixture
def plain(tmp_path) -> Shell:
    return Shell(tmp_path / "demonstration")


@contextmanager
def demo(shell: Shell, *more: str):
    """Run the demonstration as whoever looks from outside does."""
    port = free_port()
    arguments = ("--data-dir", str(shell.folder), "--port", str(port))
    process = shell.start("demo", *arguments, *more)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until(lambda: is_up(process, client))
            yield client
    finally:
        process.terminate()
        process.communicate(timeout=30)


def sign_in(client: httpx.Client, name: str, password: str) -> httpx.Response:
    answer = client.post("/api/v1/sessions", json={"username": name, "password": password})
    if answer.status_code == 201:
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
    return answer


def test_an_empty_demonstration_has_one_utility_and_the_accounts_and_nothing_else(plain):
    with demo(plain, "--empty", "--password", "a longer one") as client:
        signed = [sign_in(client, name, "a longer one") for name in ACCOUNTS]
        sign_in(client, "manager", "a longer one")
        facilities = client.get("/api/v1/facilities").json()["items"]
    assert [answer.status_code for answer in signed] == [201] * len(ACCOUNTS)
    assert not any(answer.json()["user"]["must_change_password"] for answer in signed)
    assert facilities == []
    assert plain.sql("SELECT count(*) FROM utility") == [(1,)]


def test_its_clock_is_kept_in_the_folder_and_obeyed_by_every_command_on_it(plain):
    with demo(plain, "--empty", "--now", NOW) as client:
        sign_in(client, "admin", "water2-demo")
        moved = client.put("/api/v1/demo/clock", json={"now": "2027-03-01T00:00:00Z"})
        assert moved.is_success, moved.text
    assert clock_of(plain.folder)() == datetime(2027, 3, 1, tzinfo=UTC)
    plain.run("user", "add", "lisi", "--role", "crew")
    recorded = plain.sql("SELECT max(recorded_at) FROM ledger_entry")[0][0]
    assert str(recorded).startswith("2027-03-01")
    with demo(plain) as client:
        assert client.get("/readyz").json()["checks"]["clock"]["now"] == "2027-03-01T00:00:00Z"


def test_a_clock_past_the_instant_given_is_kept_and_said(plain):
    with demo(plain, "--empty", "--now", NOW):
        pass
    port = str(free_port())
    process = plain.start(
        "demo", "--data-dir", str(plain.folder), "--port", port, "--now", "2026-11-01T09:00+08:00"
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until(lambda: is_up(process, client))
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=30)
    assert "2026-11-23 09:00+08:00 (kept in the folder; it is past 2026-11-01T09:00" in said
    assert clock_of(plain.folder)() == datetime.fromisoformat(NOW)


def test_it_is_believable_within_thirty_seconds_and_begins_where_it_was_left(plain):
    began = time.monotonic()
    with demo(plain, "--now", NOW) as client:
        took = time.monotonic() - began
        sign_in(client, "manager", "water2-demo")
        overdue = client.get("/api/v1/duties", params={"state": "overdue"}).json()["items"]
    assert took < 30
    assert overdue
    with demo(plain) as client:
        assert sign_in(client, "manager", "water2-demo").status_code == 201


def test_another_password_can_be_given_to_one_that_is_there(plain):
    with demo(plain, "--empty"):
        pass
    with demo(plain, "--password", "quite another") as client:
        assert sign_in(client, "crew", "water2-demo").status_code == 401
        assert sign_in(client, "crew", "quite another").status_code == 201


def test_a_real_installation_is_never_made_a_demonstration(plain):
    assert plain.run(*FOUNDING).status == 0
    said = plain.run("demo", "--port", str(free_port()))
    assert (said.status, "no demonstration" in said.err) == (2, True)
    assert not (plain.folder / "demo-clock.json").exists()


def test_the_settings_of_a_real_installation_are_not_a_demonstrations(plain):
    real = plain.with_(WATER2_DATABASE_URL="postgresql://nobody@/none?host=/nowhere")
    with demo(real, "--empty"):
        assert (plain.folder / "water2.db").exists()


def test_outside_a_demonstration_there_is_no_clock_to_set(shell):
    with serving(shell) as server:
        answer = server.client.put("/api/v1/demo/clock", json={"now": NOW})
        assert answer.status_code == 404


def test_a_clock_that_cannot_be_read_is_refused(plain):
    assert plain.run("demo", "--empty", "--now", "yesterday").status == 2
    assert not plain.folder.exists()
