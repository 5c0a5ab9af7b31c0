"""The ledger's guards on SQLite.

An inserted entry moves its ledger's row by itself: from `hashes` follows how many peaks of the
frontier were merged. So no statement can move the row otherwise, and no entry can be inserted out
of order. `INSERT OR REPLACE` fires no delete trigger; the checks before an insert catch it.
"""

_APPEND_ONLY = "the ledger is append-only"


def _trigger(name: str, moment: str, table: str, when: str | None, refusal: str) -> str:
    condition = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {name} BEFORE {moment} ON {table} {condition}"
        f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
    )


# `ifnull`: SQLite's substr() of an empty blob is null.
_ADVANCE = """CREATE TRIGGER ledger_entry_advances AFTER INSERT ON ledger_entry
BEGIN
  UPDATE ledger SET size = size + 1, frontier = CAST(
    ifnull(substr(frontier, 1, length(frontier) - length(NEW.hashes) + 32), '')
    || substr(NEW.hashes, -32) AS BLOB)
  WHERE id = NEW.ledger_id;
END"""

_MOVED_OTHERWISE = """NEW.id IS NOT OLD.id OR NEW.utility_id IS NOT OLD.utility_id
  OR NEW.kind IS NOT OLD.kind OR NEW.subject_id IS NOT OLD.subject_id
  OR NEW.size IS NOT OLD.size + 1
  OR NEW.frontier IS NOT (
    SELECT CAST(
      ifnull(substr(OLD.frontier, 1, length(OLD.frontier) - length(e.hashes) + 32), '')
      || substr(e.hashes, -32) AS BLOB)
    FROM ledger_entry AS e WHERE e.ledger_id = OLD.id AND e.seq = OLD.size)"""

_SAME_LEDGER = """NEW.size <> 0 OR length(NEW.frontier) <> 0 OR EXISTS (
  SELECT 1 FROM ledger WHERE id = NEW.id
  OR utility_id = NEW.utility_id AND kind = NEW.kind AND subject_id = NEW.subject_id)"""

_OUT_OF_ORDER = "NEW.seq IS NOT (SELECT size FROM ledger WHERE id = NEW.ledger_id)"

_BAD_CHECKPOINT = """EXISTS (SELECT 1 FROM ledger_checkpoint
  WHERE ledger_id = NEW.ledger_id AND size >= NEW.size)
  OR NEW.size > (SELECT size FROM ledger WHERE id = NEW.ledger_id)"""

GUARDS = (
    _trigger("ledger_entry_no_update", "UPDATE", "ledger_entry", None, _APPEND_ONLY),
    _trigger("ledger_entry_no_delete", "DELETE", "ledger_entry", None, _APPEND_ONLY),
    _trigger(
        "ledger_entry_in_order",
        "INSERT",
        "ledger_entry",
        _OUT_OF_ORDER,
        "ledger entries are appended in order",
    ),
    _ADVANCE,
    _trigger(
        "ledger_moves_with_entries",
        "UPDATE",
        "ledger",
        _MOVED_OTHERWISE,
        "a ledger moves only with its entries",
    ),
    _trigger("ledger_no_delete", "DELETE", "ledger", None, _APPEND_ONLY),
    _trigger("ledger_begins_empty", "INSERT", "ledger", _SAME_LEDGER, "a ledger begins empty"),
    _trigger("ledger_checkpoint_no_update", "UPDATE", "ledger_checkpoint", None, _APPEND_ONLY),
    _trigger("ledger_checkpoint_no_delete", "DELETE", "ledger_checkpoint", None, _APPEND_ONLY),
    _trigger(
        "ledger_checkpoint_forward",
        "INSERT",
        "ledger_checkpoint",
        _BAD_CHECKPOINT,
        "checkpoints go forward",
    ),
)

DROP = tuple(f"DROP TRIGGER IF EXISTS {guard.split()[2]}" for guard in GUARDS)
