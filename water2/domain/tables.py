"""Every table of the product, so that whoever imports this sees the whole metadata."""

from water2.domain import (
    access,
    cleaning,
    duty,
    facility,
    household,
    importing,
    ledger,
    operation,
    organisation,
    patrol,
    reminder,
    staff,
    water,
    work_order,
)

__all__ = [
    "access",
    "cleaning",
    "duty",
    "facility",
    "household",
    "importing",
    "ledger",
    "operation",
    "organisation",
    "patrol",
    "reminder",
    "staff",
    "water",
    "work_order",
]
