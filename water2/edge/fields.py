"""What pydantic refuses, as the problems of fields."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from water2.domain.errors import FieldProblem

# limits pydantic names that a person needs to mend the value
_LIMITS = ("ge", "gt", "le", "lt", "min_length", "max_length", "max_digits", "decimal_places")
_QUOTED = re.compile("'([^']*)'")


def field_problems(errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Name each field pydantic refused, without its value: it may be a secret."""
    return [
        FieldProblem(_field(error["loc"]), error["type"], None, _limits(error)) for error in errors
    ]


def _field(where: tuple[int | str, ...]) -> str:
    """Return `results.0.raw` of `("body", "results", 0, "raw")`."""
    inside = where[1:] if where and where[0] in ("body", "query", "path", "header") else where
    return ".".join(str(part) for part in inside) or "body"


def _limits(error: Mapping[str, Any]) -> dict[str, Any]:
    context = error.get("ctx") or {}
    limits = {key: _plain(context[key]) for key in _LIMITS if key in context}
    if "expected" in context:  # "'a', 'b' or 'c'"
        limits["expected"] = _QUOTED.findall(str(context["expected"])) or [context["expected"]]
    return limits


def _plain(limit: Any) -> Any:
    """Return a limit without the name of its type: 180 of `Decimal('180')`."""
    found = _QUOTED.search(limit) if isinstance(limit, str) else None
    return found[1] if found else limit
