"""Real gateways in processes of their own, that record what they accept and misbehave on demand."""

import json
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
LONGEST_START_SECONDS = 30


class Sink:
    """A sink's process; what it accepted is read from the file it writes."""

    def __init__(self, program: str, behaviour: dict[str, Any]) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="water2-sink-"))
        flags = [f"--{name.replace('_', '-')}={value}" for name, value in behaviour.items()]
        self.errors = self.state / "errors.txt"
        with self.errors.open("w") as errors:  # a pipe nobody reads would stop it when full
            self.process = subprocess.Popen(
                [sys.executable, "-m", program, "--state", str(self.state), *flags],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.port = self._read_port()

    def _read_port(self) -> int:
        readable, _, _ = select.select([self.process.stdout], [], [], LONGEST_START_SECONDS)
        line = self.process.stdout.readline() if readable else ""
        if not line.strip().isdecimal():
            said = self.errors.read_text()
            self.close()
            raise RuntimeError(f"the sink did not start: {said}")
        return int(line)

    @property
    def accepted(self) -> list[dict[str, Any]]:
        """What it took, in order, duplicates and all."""
        path = self.state / "accepted.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]

    def wait_for(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until it has taken that many."""
        end = time.monotonic() + seconds
        while len(self.accepted) < count:
            if time.monotonic() > end:
                raise TimeoutError(f"{len(self.accepted)} of {count} arrived")
            time.sleep(0.01)
        return self.accepted

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()
        shutil.rmtree(self.state, ignore_errors=True)


class HttpSink(Sink):
    """The HTTP gateway: messages are posted to `url` + `/sms`, `/webhook`, `/dingtalk`, …"""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def behave(self, **behaviour: Any) -> None:
        """Change its ways while it runs."""
        httpx.post(f"{self.url}/_behave", json=behaviour).raise_for_status()

    @property
    def counts(self) -> dict[str, int]:
        """requests, accepted, connections (ever opened), most_at_once (requests under way)."""
        return httpx.get(f"{self.url}/_counts").json()


class SmtpSink(Sink):
    """The SMTP server."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


@contextmanager
def http_gateway(**behaviour: Any) -> Iterator[HttpSink]:
    """Run the HTTP gateway; the behaviours are the fields of `behaviours.HttpBehaviour`."""
    sink = HttpSink("tests.sinks.http_gateway", behaviour)
    try:
        yield sink
    finally:
        sink.close()


@contextmanager
def smtp_server(**behaviour: Any) -> Iterator[SmtpSink]:
    """Run the SMTP server; the behaviours are the fields of `behaviours.SmtpBehaviour`."""
    sink = SmtpSink("tests.sinks.smtp_server", behaviour)
    try:
        yield sink
    finally:
        sink.close()
