"""What a check of the ledger finds, as values."""

from dataclasses import dataclass, field
from enum import StrEnum


class FindingCode(StrEnum):
    """The kinds of damage. `seq` of the finding names the entry, where one can be named."""

    entry_altered = "entry_altered"  # its bytes and its leaf hash are not of each other
    entry_not_canonical = "entry_not_canonical"  # its bytes are not the one way of writing it
    entry_misplaced = "entry_misplaced"  # its bytes name another ledger or number
    columns_altered = "columns_altered"  # type, subject or instant are not those of its bytes
    hashes_altered = "hashes_altered"  # a subtree hash in its row does not follow from its halves
    entry_missing = "entry_missing"  # `to`: the last of those missing
    entry_doubled = "entry_doubled"
    entry_surplus = "entry_surplus"  # beyond what the ledger counts; `to`: the last of them
    size_altered = "size_altered"  # the ledger's own count, not its entries
    frontier_altered = "frontier_altered"
    ledger_missing = "ledger_missing"  # entries or a signed head of a ledger that is not there
    checkpoint_altered = "checkpoint_altered"  # not signed by our key, or not what was signed
    history_rewritten = "history_rewritten"  # a signed root no longer follows from the entries
    set_back = "set_back"  # the ledger is smaller than its last signed head


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found wrong with a ledger, and with which entry where that can be told."""

    code: FindingCode
    ledger_id: str
    seq: int | None = None
    detail: dict[str, object] = field(default_factory=dict)
