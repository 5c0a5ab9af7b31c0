"""Who is at work on a data folder: every process shares its lock; a restore wants it alone."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from water2.domain.errors import Conflict

PRESENCE_FILE = "water2.running"


@contextmanager
def present(data_dir: Path) -> Iterator[None]:
    """Be at work on the folder; the operating system ends it with the process, however that ends.

    Raises:
        Conflict: `being_restored`: another process is putting a backup in place.
    """
    with _held(data_dir, fcntl.LOCK_SH, "being_restored"):
        yield


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Keep everybody else off the folder.

    Raises:
        Conflict: `still_running`: a server, worker or command is at work on it.
    """
    with _held(data_dir, fcntl.LOCK_EX, "still_running"):
        yield


@contextmanager
def _held(data_dir: Path, kind: int, refusal: str) -> Iterator[None]:
    if not data_dir.is_dir():  # nobody can be at work on it
        yield
        return
    with (data_dir / PRESENCE_FILE).open("a") as handle:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(refusal, {"folder": str(data_dir)}) from None
        yield
