"""Accreditations of laboratories on register, as the rules judge them."""

from collections import defaultdict

from sqlmodel import col, select

from water2.domain.laboratory import LabAccreditation, Laboratory
from water2.rules.accreditation import Accreditation
from water2.work import Work


async def registered_of(work: Work, utility_id: str, laboratory: str) -> list[Accreditation]:
    """Return the accreditations a utility has on register of a laboratory."""
    rows = await work.session.exec(
        select(LabAccreditation)
        .join(Laboratory, col(Laboratory.id) == LabAccreditation.laboratory_id)
        .where(Laboratory.utility_id == utility_id, Laboratory.name == laboratory)
    )
    return [as_rule(row) for row in rows]


async def all_registered(work: Work, utility_id: str) -> dict[str, list[Accreditation]]:
    """Return every accreditation on register of a utility, by the laboratory's name."""
    rows = await work.session.exec(
        select(Laboratory.name, LabAccreditation)
        .join(LabAccreditation, col(LabAccreditation.laboratory_id) == Laboratory.id)
        .where(Laboratory.utility_id == utility_id)
    )
    found: dict[str, list[Accreditation]] = defaultdict(list)
    for name, row in rows:
        found[name].append(as_rule(row))
    return found


def as_rule(row: LabAccreditation) -> Accreditation:
    """Return a stored accreditation as the rules read it."""
    return Accreditation(row.number, row.valid_from, row.valid_to, frozenset(row.items))
