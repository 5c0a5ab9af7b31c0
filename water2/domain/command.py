"""What every command from outside shares: unknown fields are refused, text can be stored.

A command is built alike by the API, the pages and the command line, and handed to a use-case.
"""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from water2.domain.folding import CellError, fold

FIRST_YEAR, LAST_YEAR = 1900, 2199  # far enough; beyond them calendars and databases overflow
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|z|[+-]\d{2}:\d{2})?", re.ASCII
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Command(BaseModel):
    """The root of all commands."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _check_text(cls, given: Any) -> Any:
        _refuse_unstorable(given)
        return given


def _refuse_unstorable(value: Any) -> None:
    """Refuse NUL and lone surrogates anywhere: JSON can say them, no database keeps them."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise PydanticCustomError("text_unstorable", "NUL or half a character")
    elif isinstance(value, dict):
        for key, item in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_unstorable(item)


def _text_of_day(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        return value
    raise PydanticCustomError("day_unreadable", "a day is written YYYY-MM-DD")


def _text_of_moment(value: Any) -> Any:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return value
    raise PydanticCustomError("instant_unreadable", "an instant is written as in RFC 3339")


def _in_reach(value: Any) -> Any:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise PydanticCustomError("year_out_of_range", "no such year")
    return value


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):
        raise PydanticCustomError("number_unreadable", "true and false are no numbers")
    return value


def _folded(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return fold(value)
    except CellError as error:
        raise PydanticCustomError("text_unstorable", "no code holds that") from error


Day = Annotated[date, BeforeValidator(_text_of_day), AfterValidator(_in_reach)]
"""A civil day, YYYY-MM-DD."""
Moment = Annotated[datetime, BeforeValidator(_text_of_moment), AfterValidator(_in_reach)]
"""RFC 3339; without an offset it is read in the utility's zone."""
Flag = StrictBool
Whole = Annotated[StrictInt, Field(ge=0, le=10_000)]
Code = Annotated[str, StringConstraints(min_length=1, max_length=60), BeforeValidator(_folded)]
"""泵房编号, 水箱编号, 工号 …: folded as an import folds them, so that one code is one thing."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Number = Annotated[
    Decimal, BeforeValidator(_no_bool), Field(max_digits=12, decimal_places=6, allow_inf_nan=False)
]
"""An exact decimal; JSON numbers and strings are taken."""
