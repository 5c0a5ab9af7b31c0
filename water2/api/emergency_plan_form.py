"""A version of the emergency plan as it is handed in: JSON, or a form with its file."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import ValidationError

from water2.api.callers import PresentCaller
from water2.api.given_form import GivenFile, body_with_file, read_given
from water2.api.uploads import UploadedForm
from water2.domain.errors import Invalid
from water2.edge.fields import field_problems
from water2.services.emergency_plans import IssueEmergencyPlan

_FILE = "file"
PLAN_BODY = body_with_file(
    "IssueEmergencyPlan", IssueEmergencyPlan.model_json_schema(), _FILE, "(应急预案.pdf)"
)


@dataclass(frozen=True)
class GivenPlan:
    """What was handed in; `file` where there is one."""

    command: IssueEmergencyPlan
    file: GivenFile | None


async def read_plan(request: Request, _caller: PresentCaller, form: UploadedForm) -> GivenPlan:
    """Read a plan before its unit of work is opened.

    Raises:
        Invalid: names each field at fault.
    """
    given, file = await read_given(request, form, _FILE)
    try:
        return GivenPlan(IssueEmergencyPlan.model_validate(given), file)
    except ValidationError as error:
        raise Invalid(field_problems(error.errors())) from None


Given = Annotated[GivenPlan, Depends(read_plan)]
