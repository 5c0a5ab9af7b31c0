"""A poster as it is handed in: JSON with the photo in base64, or a form with it as a file."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile

from water2.api.callers import PresentCaller
from water2.api.openapi import examples
from water2.api.uploads import UploadedForm
from water2.domain.errors import Invalid
from water2.edge.fields import field_problems
from water2.services.outages.posters import RecordPoster

_PHOTO = "photo"
_SCHEMA = RecordPoster.model_json_schema()

# what OpenAPI says of it, as no typed parameter does
POSTER_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": _SCHEMA, "example": examples()["RecordPoster"]},
            "multipart/form-data": {
                "schema": _SCHEMA
                | {
                    "properties": _SCHEMA["properties"]
                    | {_PHOTO: {"type": "string", "format": "binary"}}
                },
                "example": examples()["RecordPoster"] | {_PHOTO: "(2幢.jpg)"},
            },
        },
    }
}


@dataclass(frozen=True)
class GivenPoster:
    """What was handed in; `photo` where it came as a file."""

    command: RecordPoster
    photo: bytes | None


async def read_poster(request: Request, _caller: PresentCaller, form: UploadedForm) -> GivenPoster:
    """Read a poster before its unit of work is opened: a photo takes its time to arrive.

    Raises:
        Invalid: names each field at fault.
    """
    given, photo = await _from_form(form) if form else (await _from_json(request), None)
    try:
        return GivenPoster(RecordPoster.model_validate(given), photo)
    except ValidationError as error:
        raise Invalid(field_problems(error.errors())) from None


async def _from_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Invalid.one("body", "json_invalid") from None


async def _from_form(form: FormData) -> tuple[dict[str, str], bytes | None]:
    given: dict[str, str] = {}
    photo: bytes | None = None
    for name, value in form.multi_items():
        if name in given or (name == _PHOTO and photo is not None):
            raise Invalid.one(name, "repeated")
        if isinstance(value, str):
            given[name] = value
        elif name == _PHOTO:
            photo = await _bytes_of(value)
        else:
            raise Invalid.one(name, "extra_forbidden")
    return given, photo


async def _bytes_of(file: UploadFile) -> bytes:
    content = await file.read()
    await file.seek(0)  # it is read once more, for what makes two requests the same
    return content


Given = Annotated[GivenPoster, Depends(read_poster)]
