"""A poster as it is handed in: JSON with the photo in base64, or a form with it as a file."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import ValidationError

from water2.api.callers import PresentCaller
from water2.api.given_form import body_with_file, read_given
from water2.api.uploads import UploadedForm
from water2.domain.errors import Invalid
from water2.edge.fields import field_problems
from water2.services.outages.posters import RecordPoster

_PHOTO = "photo"
POSTER_BODY = body_with_file("RecordPoster", RecordPoster.model_json_schema(), _PHOTO, "(2幢.jpg)")


@dataclass(frozen=True)
class GivenPoster:
    """What was handed in; `photo` where it came as a file."""

    command: RecordPoster
    photo: bytes | None


async def read_poster(request: Request, _caller: PresentCaller, form: UploadedForm) -> GivenPoster:
    """Read a poster before its unit of work is opened.

    Raises:
        Invalid: names each field at fault.
    """
    given, photo = await read_given(request, form, _PHOTO)
    try:
        command = RecordPoster.model_validate(given)
    except ValidationError as error:
        raise Invalid(field_problems(error.errors())) from None
    return GivenPoster(command, photo.content if photo else None)


Given = Annotated[GivenPoster, Depends(read_poster)]
