"""What may be handed in with a file: JSON, or a form with it as a file."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from water2.api.openapi import examples
from water2.domain.errors import Invalid


@dataclass(frozen=True)
class GivenFile:
    """A file of a form, with its own name, without the folders some browsers send."""

    name: str
    content: bytes


def body_with_file(command: str, schema: dict[str, Any], field: str, shown: str) -> dict[str, Any]:
    """Return what OpenAPI says of such a body, as no typed parameter does.

    `command` names the schema's example; `shown` stands for the file in it.
    """
    example = examples()[command]
    binary = {field: {"type": "string", "format": "binary"}}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schema, "example": example},
                "multipart/form-data": {
                    "schema": schema | {"properties": schema["properties"] | binary},
                    "example": example | {field: shown},
                },
            },
        }
    }


async def read_given(
    request: Request, form: FormData | None, field: str
) -> tuple[Any, GivenFile | None]:
    """Return the fields of a body, and the file where it came as one.

    Read it before the unit of work is opened: a file takes its time to arrive.

    Raises:
        Invalid: it is no JSON, or names a field twice.
    """
    return await _from_form(form, field) if form else (await _from_json(request), None)


async def _from_json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except (ValueError, RecursionError):
        raise Invalid.one("body", "json_invalid") from None


async def _from_form(form: FormData, field: str) -> tuple[dict[str, str], GivenFile | None]:
    given: dict[str, str] = {}
    file: GivenFile | None = None
    for name, value in form.multi_items():
        if name in given or (name == field and file is not None):
            raise Invalid.one(name, "repeated")
        if isinstance(value, str):
            given[name] = value
        elif name == field:
            file = GivenFile(_name_of(value), await _bytes_of(value))
        else:
            raise Invalid.one(name, "extra_forbidden")
    return given, file


def _name_of(file: UploadFile) -> str:
    own = (file.filename or "file").replace("\\", "/").rpartition("/")[2]
    return own.replace("\x00", "")[-200:]


async def _bytes_of(file: UploadFile) -> bytes:
    content = await file.read()
    await file.seek(0)  # it is read once more, for what makes two requests the same
    return content
