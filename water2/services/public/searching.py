"""Finding an estate by what its residents call it: name, address, district, or the utility's code.

Letters' case does not matter (on SQLite that of a to z), and no character is a wild card.
"""

from sqlalchemy import ColumnElement, or_
from sqlmodel import col

from water2.domain.errors import Invalid
from water2.domain.facility import Facility
from water2.domain.folding import CellError, fold

LONGEST_QUESTION = 100
MOST_TERMS = 5
_COLUMNS = (Facility.name, Facility.address, Facility.district, Facility.code)


def matches(q: str) -> list[ColumnElement[bool]]:
    """Return the conditions that every word of a question is found in one of the columns.

    Raises:
        Invalid: it holds control characters.
    """
    try:
        terms = fold(q).split()[:MOST_TERMS]
    except CellError as error:
        raise Invalid.one("q", error.code) from None
    return [
        or_(*(col(column).icontains(term, autoescape=True) for column in _COLUMNS))
        for term in terms
    ]
