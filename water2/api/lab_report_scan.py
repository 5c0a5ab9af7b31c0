"""The scan of a report as it is handed in: a form with it as a file."""

from typing import Annotated, Any

from fastapi import Depends
from starlette.datastructures import UploadFile

from water2.api.callers import PresentCaller
from water2.api.uploads import UploadedForm
from water2.domain.errors import Invalid

# what OpenAPI says of it, as no typed parameter does
SCAN_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                },
                "example": {"file": "(LX202611001.pdf)"},
            }
        },
    }
}


async def read_scan(_caller: PresentCaller, form: UploadedForm) -> bytes:
    """Read a scan before its unit of work is opened: it takes its time to arrive.

    Raises:
        Invalid: there is no file in the form, or more than one.
    """
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    if len(files) != 1:
        raise Invalid.one("file", "repeated" if files else "file_missing")
    content = await files[0].read()
    await files[0].seek(0)  # it is read once more, for what makes two requests the same
    return content


UploadedScan = Annotated[bytes, Depends(read_scan)]
