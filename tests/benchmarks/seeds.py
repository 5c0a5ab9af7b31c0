"""Fleets made by single statements: tanks by two in a pump room, each with its duty to be cleaned.

Ids are numbers scrambled into 32 hex digits: as random to an index as the product's own, and known.
"""

from dataclasses import dataclass
from datetime import date

from tests.benchmarks.stage import analyse, statements
from tests.builders import Installation

TANKS_IN_A_FACILITY = 2
OPENS_AHEAD_DAYS = 45
_ID = {
    "sqlite": "printf('%08x%024x', ({0} * {1}) % 4294967296, {0})",
    "postgresql": "lpad(to_hex(({0}::bigint * {1}) % 4294967296), 8, '0')"
    " || lpad(to_hex({0}::bigint), 24, '0')",
}
# odd, so that no two numbers below 2³² meet; one for each table, so that no order is another's
_SCRAMBLES = {"facility": 2654435761, "ledger": 2246822519, "tank": 3266489917, "duty": 668265263}
_LATER = {"sqlite": "date('{0}', '+' || ({1}) || ' days')", "postgresql": "date '{0}' + ({1})::int"}


@dataclass(frozen=True)
class Fleet:
    """So many tanks; their duties open on `days` days in turn, from `opens_on` on.

    `in_order`: ids as they are counted, for a fleet so large that scattered ones would take minutes
    to index.
    """

    tanks: int
    opens_on: date
    days: int
    in_order: bool = False


def _numbers(count: int) -> str:
    return f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count - 1})"


async def seed_fleet(installation: Installation, fleet: Fleet) -> None:
    """Insert facilities with empty ledgers, tanks, and a sleeping duty for each tank."""
    dialect, utility = installation.runtime.database.dialect, installation.utility.id

    def id_of(table: str, number: str = "i") -> str:
        return _ID[dialect].format(number, 1 if fleet.in_order else _SCRAMBLES[table])

    facility = id_of("facility", f"(i / {TANKS_IN_A_FACILITY})")
    # whole days one after the other: an index on dates grows at its end
    turn = f"i / {-(-fleet.tanks // fleet.days)}"
    opens = _LATER[dialect].format(fleet.opens_on, turn)
    due = _LATER[dialect].format(fleet.opens_on, f"{turn} + {OPENS_AHEAD_DAYS}")
    facilities, tanks = _numbers(fleet.tanks // TANKS_IN_A_FACILITY), _numbers(fleet.tanks)
    empty = "''" if dialect == "postgresql" else "x''"
    await statements(
        installation,
        # as where the utility has its emergency plan: of its own nothing is due to wake
        "UPDATE duty SET wake_on = NULL WHERE subject_type = 'utility'",
        "INSERT INTO ledger (id, utility_id, kind, subject_id, size, frontier)"
        f" {facilities} SELECT {id_of('ledger')}, '{utility}', 'facility', {id_of('facility')},"
        f" 0, {empty} FROM n",
        "INSERT INTO facility (id, utility_id, ledger_id, code, name, kind, tankless, inside_area,"
        " disinfectant, in_scope, scope_clause, version)"
        f" {facilities} SELECT {id_of('facility')}, '{utility}', {id_of('ledger')}, 'BY-' || i,"
        " '听松苑', 'high_rise_residential', false, true, 'chlorine', true, '', 1 FROM n",
        "INSERT INTO tank (id, utility_id, facility_id, code, isolable, version)"
        f" {tanks} SELECT {id_of('tank')}, '{utility}', {facility}, i || '#', true, 1 FROM n",
        "INSERT INTO duty (id, utility_id, obligation, subject_type, subject_id, facility_id,"
        " ordinal, due_on, opens_on, runs_from, wake_on, covered_periods)"
        f" {tanks} SELECT {id_of('duty')}, '{utility}', 'cleaning', 'tank', {id_of('tank')},"
        f" {facility}, 1, {due}, {opens}, '2026-06-01', {opens}, '[]' FROM n",
    )
    await analyse(installation)
