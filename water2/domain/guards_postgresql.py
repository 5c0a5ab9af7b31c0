"""The ledger's guards on PostgreSQL, and the one function through which entries are appended.

Only what stock PostgreSQL 15 offers. The function runs with its owner's rights: an application's
role without rights on the tables appends through it and in no other way.
"""

_APPEND_SIGNATURE = "ledger_append(text[], bytea[], bytea[], text[], text[], timestamptz)"

# Given sorted by ledger in byte order, so that two appends cannot deadlock.
_APPEND = r"""CREATE FUNCTION ledger_append(
  ledger_ids text[], heads bytea[], tails bytea[],
  types text[], subjects text[], recorded timestamptz,
  OUT seqs bigint[], OUT leaves bytea[]
) LANGUAGE plpgsql VOLATILE SECURITY DEFINER AS $append$
DECLARE
  ledger_at text;
  next_seq bigint;
  peaks bytea;
  entry bytea;
  node bytea;
  completed bytea;
  filled bigint;
BEGIN
  PERFORM set_config('water2.appending', 'yes', true);
  FOR at IN 1 .. cardinality(ledger_ids) LOOP
    IF ledger_ids[at] IS DISTINCT FROM ledger_at THEN
      IF at > 1 THEN
        UPDATE ledger SET size = next_seq, frontier = peaks WHERE id = ledger_at;
        IF ledger_ids[at] COLLATE "C" < ledger_at THEN
          RAISE EXCEPTION 'ledgers are not in order';
        END IF;
      END IF;
      ledger_at := ledger_ids[at];
      SELECT size, frontier INTO next_seq, peaks FROM ledger WHERE id = ledger_at FOR UPDATE;
      IF NOT FOUND THEN
        RAISE EXCEPTION 'no ledger %', ledger_at USING ERRCODE = 'foreign_key_violation';
      END IF;
    END IF;
    entry := heads[at] || convert_to(next_seq::text, 'UTF8') || tails[at];
    node := sha256('\x00'::bytea || entry);
    leaves[at] := node;
    completed := node;
    filled := next_seq;
    WHILE filled & 1 = 1 LOOP
      node := sha256('\x01'::bytea || substr(peaks, length(peaks) - 31) || node);
      peaks := substr(peaks, 1, length(peaks) - 32);
      completed := completed || node;
      filled := filled >> 1;
    END LOOP;
    peaks := peaks || node;
    seqs[at] := next_seq;
    INSERT INTO ledger_entry (ledger_id, seq, body, hashes, type, subject, recorded_at)
      VALUES (ledger_at, next_seq, entry, completed, types[at], subjects[at], recorded);
    next_seq := next_seq + 1;
  END LOOP;
  UPDATE ledger SET size = next_seq, frontier = peaks WHERE id = ledger_at;
  PERFORM set_config('water2.appending', '', true);
END $append$"""

_REFUSE = """CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $refuse$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END $refuse$"""

_CHECKPOINT_FORWARD = """CREATE FUNCTION ledger_checkpoint_forward() RETURNS trigger
LANGUAGE plpgsql AS $forward$
BEGIN
  IF EXISTS (SELECT FROM ledger_checkpoint AS c
             WHERE c.ledger_id = NEW.ledger_id AND c.size >= NEW.size)
     OR NEW.size > (SELECT l.size FROM ledger AS l WHERE l.id = NEW.ledger_id) THEN
    RAISE EXCEPTION 'checkpoints go forward' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $forward$"""

_CHECKPOINT_FORWARD_TRIGGER = """CREATE TRIGGER ledger_checkpoint_forward
BEFORE INSERT ON ledger_checkpoint FOR EACH ROW EXECUTE FUNCTION ledger_checkpoint_forward()"""

_APPEND_ONLY = "the ledger is append-only"


def _refusing(name: str, table: str, moment: str, refusal: str, reach: str = "STATEMENT") -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {moment} ON {table} FOR EACH {reach} "
        f"EXECUTE FUNCTION ledger_refuse('{refusal}')"
    )


# Set while the append function runs. It does so itself: only a superuser may write a setting of our
# own into a function's definition, and the tables' owner need not be one.
_NOT_APPENDING = "current_setting('water2.appending', true) IS DISTINCT FROM 'yes'"

# A function with its owner's rights looks nowhere but in the schema it was made in.
_SETTINGS_OF_APPEND = f"""DO $settings$ BEGIN
  EXECUTE format('ALTER FUNCTION {_APPEND_SIGNATURE} SET search_path = %I, pg_temp',
                 current_schema());
END $settings$"""

GUARDS = (
    _APPEND,
    _SETTINGS_OF_APPEND,
    f"REVOKE ALL ON FUNCTION {_APPEND_SIGNATURE} FROM PUBLIC",
    _REFUSE,
    _CHECKPOINT_FORWARD,
    _refusing(
        "ledger_entry_append_only", "ledger_entry", "UPDATE OR DELETE OR TRUNCATE", _APPEND_ONLY
    ),
    _refusing(
        "ledger_entry_appended",
        "ledger_entry",
        "INSERT",
        "entries are appended by ledger_append()",
        f"STATEMENT WHEN ({_NOT_APPENDING})",
    ),
    _refusing("ledger_append_only", "ledger", "DELETE OR TRUNCATE", _APPEND_ONLY),
    _refusing(
        "ledger_moves_with_entries",
        "ledger",
        "UPDATE",
        "a ledger moves only with its entries",
        f"STATEMENT WHEN ({_NOT_APPENDING})",
    ),
    _refusing(
        "ledger_begins_empty",
        "ledger",
        "INSERT",
        "a ledger begins empty",
        "ROW WHEN (NEW.size <> 0 OR length(NEW.frontier) <> 0)",
    ),
    _refusing(
        "ledger_checkpoint_append_only",
        "ledger_checkpoint",
        "UPDATE OR DELETE OR TRUNCATE",
        _APPEND_ONLY,
    ),
    _CHECKPOINT_FORWARD_TRIGGER,
)

DROP = (
    "DROP TRIGGER IF EXISTS ledger_entry_append_only ON ledger_entry",
    "DROP TRIGGER IF EXISTS ledger_entry_appended ON ledger_entry",
    "DROP TRIGGER IF EXISTS ledger_append_only ON ledger",
    "DROP TRIGGER IF EXISTS ledger_moves_with_entries ON ledger",
    "DROP TRIGGER IF EXISTS ledger_begins_empty ON ledger",
    "DROP TRIGGER IF EXISTS ledger_checkpoint_append_only ON ledger_checkpoint",
    "DROP TRIGGER IF EXISTS ledger_checkpoint_forward ON ledger_checkpoint",
    f"DROP FUNCTION IF EXISTS {_APPEND_SIGNATURE}",
    "DROP FUNCTION IF EXISTS ledger_checkpoint_forward()",
    "DROP FUNCTION IF EXISTS ledger_refuse()",
)


def role_statements(role: str) -> list[str]:
    """Return the grants of an application's role that does not own the tables.

    `role` is a name as in the address of the database; it may read the ledger, found one, store
    checkpoints, and append through the function only.
    """
    quoted = '"' + role.replace('"', '""') + '"'
    tables = "ledger, ledger_entry, ledger_checkpoint"
    return [
        f"REVOKE ALL ON {tables} FROM {quoted}",
        f"GRANT SELECT ON {tables} TO {quoted}",
        f"GRANT INSERT ON ledger, ledger_checkpoint TO {quoted}",
        f"GRANT EXECUTE ON FUNCTION {_APPEND_SIGNATURE} TO {quoted}",
    ]
