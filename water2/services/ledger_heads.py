"""The last signed heads, kept outside the database: they show when it was set back."""

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from water2.domain.errors import Conflict

UNDER_WAY = "checkpoint_under_way"  # the code of the refusal while another signs
HEADS_FILE = "heads.json"


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger had come.

    `given_up`: heads signed earlier that this one does not continue, by setbacks accepted.
    """

    size: int
    root: bytes
    given_up: tuple["Head", ...] = field(default=(), compare=False)


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
            return {ledger_id: _head(head) for ledger_id, head in told["heads"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Conflict("heads_unreadable", {"file": str(self.path)}) from None

    def write(self, heads: Mapping[str, Head]) -> None:
        """Replace the heads; they are on the disk when this returns."""
        told = {ledger_id: _told(head) for ledger_id, head in sorted(heads.items())}
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


def _head(told: Mapping[str, Any]) -> Head:
    given_up = tuple(_head(one) for one in told.get("given_up", ()))
    return Head(int(told["size"]), b64decode(told["root"], validate=True), given_up)


def _told(head: Head) -> dict[str, object]:
    told: dict[str, object] = {"size": head.size, "root": b64encode(head.root).decode("ascii")}
    return told | ({"given_up": [_told(one) for one in head.given_up]} if head.given_up else {})
