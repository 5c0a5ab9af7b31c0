"""Reading a multipart request: its files under whatever name, and its few fields."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData, UploadFile

from water2.domain.errors import Invalid
from water2.services.importing.mapping import FileMapping, read_mapping
from water2.services.importing.source import FileError, Source

_YES = frozenset({"1", "true", "yes", "on"})
_MAPPING = "mapping"

# what OpenAPI says of it, as no typed parameter does
UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                            "description": "CSV (UTF-8, GB18030) or XLSX; one or several",
                        },
                        "mapping": {
                            "type": "string",
                            "format": "binary",
                            "description": "mapping file, where the columns are not ours",
                        },
                        "dry_run": {"type": "boolean"},
                    },
                },
                "example": {"file": ["(泵房台账.csv)"], "dry_run": True},
            }
        },
    }
}


@dataclass(frozen=True)
class Uploaded:
    """What a multipart request brought."""

    sources: tuple[Source, ...]
    mapping: FileMapping | None
    dry_run: bool


async def open_form(request: Request) -> AsyncIterator[FormData]:
    """Read a multipart request, and close its files in the end."""
    async with request.form() as form:
        yield form


UploadedForm = Annotated[FormData, Depends(open_form, scope="function")]


async def read_upload(form: FormData, *, dry_run: bool) -> Uploaded:
    """Read what a multipart request brought; `dry_run` may also stand among its fields.

    Raises:
        Invalid: there is no file in it, or the mapping file cannot be understood.
    """
    sources: list[Source] = []
    mapping: FileMapping | None = None
    for name, value in form.multi_items():
        if name == "dry_run" and isinstance(value, str):
            dry_run = dry_run or value.strip().lower() in _YES
        elif name == _MAPPING:
            mapping = _read_mapping(await _bytes_of(value))
        elif isinstance(value, UploadFile):
            sources.append(Source(_name_of(value), await _bytes_of(value)))
    if not sources:
        raise Invalid.one("file", "file_missing")
    return Uploaded(tuple(sources), mapping, dry_run)


async def _bytes_of(value: UploadFile | str) -> bytes:
    if isinstance(value, str):
        return value.encode(errors="replace")
    content = await value.read()
    await value.seek(0)
    return content


def _name_of(part: UploadFile) -> str:
    """Return a file's own name, without the folders some browsers send."""
    return (part.filename or "file").replace("\\", "/").rpartition("/")[2][:300].replace("\x00", "")


def _read_mapping(content: bytes) -> FileMapping:
    try:
        return read_mapping(content.decode())
    except UnicodeDecodeError:
        raise Invalid.one("mapping", "undecodable") from None
    except FileError as error:
        raise Invalid.one("mapping", error.code, **error.facts) from error
