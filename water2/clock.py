"""The only reader of the wall clock."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Return the present instant, UTC-aware."""
    return datetime.now(UTC)


class DemoClock:
    """A settable clock, kept in the data folder and obeyed by every command on that folder.

    It stands still between settings, so that a demonstration shows the same thing twice.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> datetime:
        """Return where the clock was set to."""
        return datetime.fromisoformat(json.loads(self._path.read_text())["now"])

    def set(self, now: datetime) -> None:
        """Set the clock; `now` must be aware."""
        waiting = self._path.with_suffix(".new")
        waiting.write_text(json.dumps({"now": now.astimezone(UTC).isoformat()}))
        os.replace(waiting, self._path)


DEMO_CLOCK_FILE = "demo-clock.json"


def clock_of(data_dir: Path) -> Clock:
    """Return the data folder's own clock where it has one, else the wall clock."""
    path = data_dir / DEMO_CLOCK_FILE
    return DemoClock(path) if path.exists() else wall_clock
