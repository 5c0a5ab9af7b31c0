"""The last signed heads, kept outside the database: they show when it was set back."""

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from water2.domain.errors import Conflict

UNDER_WAY = "checkpoint_under_way"  # the code of the refusal while another signs
HEADS_FILE = "heads.json"


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger had come."""

    size: int
    root: bytes


class HeadsFile:
    """A file of signed heads, replaced whole and durably at each writing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes of this folder from signing meanwhile.

        Raises:
            Conflict: `checkpoint_under_way`; another process is at it.
        """
        lock = self.path.with_suffix(".lock")
        with lock.open("a") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Conflict(UNDER_WAY) from None
            yield

    def read(self) -> dict[str, Head]:
        """Return the heads by ledger; none where nothing was ever signed.

        Raises:
            Conflict: `heads_unreadable`.
        """
        try:
            told = json.loads(self.path.read_text("ascii"))
            return {
                ledger_id: Head(int(head["size"]), b64decode(head["root"], validate=True))
                for ledger_id, head in told["heads"].items()
            }
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Conflict("heads_unreadable", {"file": str(self.path)}) from None

    def write(self, heads: Mapping[str, Head]) -> None:
        """Replace the heads; they are on the disk when this returns."""
        told = {
            ledger_id: {"size": head.size, "root": b64encode(head.root).decode("ascii")}
            for ledger_id, head in sorted(heads.items())
        }
        waiting = self.path.with_suffix(".new")
        with waiting.open("w", encoding="ascii") as file:
            json.dump({"version": 1, "heads": told}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(waiting, self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name, too
        finally:
            os.close(folder)
