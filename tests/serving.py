"""A real server in a process of its own, and a manager who is signed in at it."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.shell import FOUNDING, Shell

LONGEST_SECONDS = 60
PASSWORD = "a password long enough"


@dataclass
class Serving:
    """The server's process, and a client signed in as the utility's manager."""

    shell: Shell
    process: subprocess.Popen[str]
    client: httpx.Client

    def enter_facility(self, number: int) -> httpx.Response:
        """Enter a facility; the number is its idempotency key, too."""
        facility = {
            "code": f"BY-{number:04}",
            "name": "听松苑",
            "kind": "high_rise_residential",
            "address": "古城路202号",
        }
        key = {"Idempotency-Key": f"facility-{number}"}
        return self.client.post("/api/v1/facilities", json=facility, headers=key)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def serving(shell: Shell, *more: str) -> Iterator[Serving]:
    """Found the utility, serve it, sign in."""
    assert shell.run(*FOUNDING).status == 0
    told = shell.run("user", "add", "manager", "--role", "manager", "--json").data
    port = free_port()
    process = shell.start("serve", "--port", str(port), *more)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_until(lambda: is_up(process, client))
            sign_in(client, told["one_time_password"])
            change = {"current": told["one_time_password"], "new": PASSWORD}
            assert client.post("/api/v1/me/password", json=change).status_code == 204
            yield Serving(shell, process, client)
    finally:
        process.kill()
        process.communicate()


def is_up(process: subprocess.Popen[str], client: httpx.Client) -> bool:
    """Tell whether the server answers; one that ended tells why instead."""
    assert process.poll() is None, process.communicate()[1]
    return client.get("/healthz").status_code == 200


def sign_in(client: httpx.Client, password: str) -> None:
    answer = client.post("/api/v1/sessions", json={"username": "manager", "password": password})
    client.headers["Authorization"] = f"Bearer {answer.json()['token']}"


def wait_until(condition) -> None:
    """Ask until it is so; a connection that fails is not yet."""
    end = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < end:
        try:
            if condition():
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError("it did not come about")
