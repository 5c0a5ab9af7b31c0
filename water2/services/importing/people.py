"""People with their training and health certificates."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from water2.domain.ledger import PendingEntry
from water2.domain.staff import Certificate, CertificateKind, Staff
from water2.domain.work_order import WithdrawnBecause
from water2.rules.fitness import known_since
from water2.rules.flags import FlagCode
from water2.services.assignments import withdraw_assignments
from water2.services.importing.kinds import STAFF, FieldError
from water2.services.importing.managers import settle_managers
from water2.services.importing.report import Flag
from water2.services.importing.rows import Row
from water2.services.importing.shelf import Columns, Put, Shelf
from water2.services.importing.taking import Taken, Taker, Taking, present

_PERSON = ("name", "employer", "post", "handles_water", "trained_on", "training_number", "left")


class StaffTaker(Taker):
    """人员台账: a row is a certificate, and repeats the person."""

    kind = STAFF

    def __init__(self, taking: Taking) -> None:
        super().__init__(taking)
        self.people = taking.shelf(Staff, ("code",), "code")
        self.certificates = taking.shelf(Certificate, ("staff_id", "kind", "number"), "staff_id")
        self._said: dict[str, Row] = {}
        self._left: set[str] = set()
        self._lines: dict[str, list[int]] = defaultdict(list)

    async def load(self, rows: Sequence[Row]) -> None:
        """Read the stored people and their certificates."""
        await self.people.load(row.values["code"] for row in rows)
        await self.certificates.load(row["id"] for row in self.people.all())

    def check(self, row: Row) -> None:
        """Refuse a row that tells otherwise of its person than an earlier one."""
        first = self._said.get(row.values["code"])
        for name in _PERSON if first else ():
            if first and row.values.get(name) != first.values.get(name):
                raise FieldError(name, "contradicts_earlier_row", line=first.raw.line)

    def take(self, row: Row) -> Taken:
        """Put the person, the training and the health certificate."""
        self._said.setdefault(row.values["code"], row)
        person = self.people.put(self._person(row), since_on=self.taking.today)
        puts = [person]
        if row.values.get("trained_on") is not None:
            puts.append(self._certificate(row, person.row, CertificateKind.training))
        if row.values.get("examined_on") is not None:
            puts.append(self._certificate(row, person.row, CertificateKind.health))
            self._lines[puts[-1].row["number"]].append(row.raw.line)
        if person.after.get("left_on") is not None:
            self._left.add(person.id)
        if any(put.changed for put in puts):
            self.taking.staff_ids.add(person.id)
        taken = Taken.of(
            self.utility.ledger_id, f"staff:{person.id}", *puts, personal=frozenset({"name"})
        )
        taken.created = any(put.created for put in puts)
        return taken

    def _person(self, row: Row) -> Columns:
        columns = present(row, ("code", "name", "employer", "post", "handles_water"))
        if "left" in row.values:
            stored = self.people.get(row.values["code"])
            since = stored["left_on"] if stored else None
            # The file has no day of leaving: it counts from the day it is heard of.
            columns["left_on"] = (since or self.taking.today) if row.values["left"] else None
        return columns

    def _certificate(self, row: Row, person: Columns, kind: CertificateKind) -> Put:
        values = row.values
        columns: Columns = {"staff_id": person["id"], "kind": kind}
        if kind is CertificateKind.training:
            columns |= {
                "number": values.get("training_number") or "",
                "done_on": values["trained_on"],
            }
        else:
            columns |= {
                "number": values.get("health_number") or "",
                "done_on": values["examined_on"],
            }
            columns |= present(row, ("valid_to", "issuer"))
        put = self.certificates.put(columns, import_id=self.taking.import_id)
        if put.changed:
            self.taking.entries.append(self._entry(put))
        return put

    def _entry(self, put: Put) -> PendingEntry:
        card = put.row
        return PendingEntry(
            ledger_id=self.utility.ledger_id,
            type="certificate.recorded" if put.created else "certificate.updated",
            subject=f"certificate:{put.id}",
            occurred_at=self.taking.midnight(card["done_on"]),
            data={
                "staff": card["staff_id"],
                "kind": card["kind"].value,
                "number": card["number"],
                "on": card["done_on"].isoformat(),
                "valid_to": card["valid_to"].isoformat() if card["valid_to"] else None,
                "import": self.taking.import_id,
            },
        )

    def shelves(self) -> Iterable[Shelf]:
        """Return people and certificates."""
        return (self.people, self.certificates)

    async def finish(self) -> None:
        """Set from when each person is known; withdraw who left; name who manages facilities."""
        days = self._days_by_person()
        for person in self.people.all():
            if person["id"] in self.taking.staff_ids:
                examined, trained = days[person["id"]]
                since = known_since(person["since_on"], examined=examined, trained=trained)
                self.people.change(person, {"since_on": since})
        await self.flush()
        await self._flag_shared_numbers()
        await withdraw_assignments(self.work, sorted(self._left), WithdrawnBecause.left)
        await settle_managers(self.taking)

    async def _flag_shared_numbers(self) -> None:
        """Flag rows whose health certificate number is another person's too."""
        shelf = self.taking.shelf(Certificate, ("id",), "number")
        await shelf.load(self._lines)
        holders: dict[str, set[str]] = defaultdict(set)
        for card in shelf.all():
            if card["kind"] is CertificateKind.health:
                holders[card["number"]].add(card["staff_id"])
        self.taking.flags += [
            Flag(line, FlagCode.certificate_number_shared)
            for number, lines in self._lines.items()
            for line in lines
            if len(holders[number]) > 1
        ]

    def _days_by_person(self) -> dict[str, tuple[list[date], list[date]]]:
        """Return when each person was examined and trained."""
        days: dict[str, tuple[list[date], list[date]]] = defaultdict(lambda: ([], []))
        for card in self.certificates.all():
            examined, trained = days[card["staff_id"]]
            health = card["kind"] is CertificateKind.health
            (examined if health else trained).append(card["done_on"])
        return days
