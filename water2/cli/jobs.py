"""`run-job` and `jobs`."""

from collections.abc import Sized
from dataclasses import fields, is_dataclass
from typing import Annotated

import typer

from water2.cli.command import Place, Status
from water2.jobs import JOBS, run_job


async def job(at: Place, name: Annotated[str, typer.Argument(help="job_name")]) -> Status:
    """Run a job of the scheduler now, whether or not a worker runs it too."""
    async with at.opened() as runtime:
        answer = await run_job(runtime, at.settings, name)
    facts = _counted(answer)
    at.terminal.answer({"job": name, **facts})
    told = ", ".join(f"{key} {value}" for key, value in facts.items())
    at.terminal.say("cli.job.done", name=name, facts=told)
    return Status.done


def _counted(answer: object) -> dict[str, object]:
    """Return a use-case's answer as numbers: of several things, how many."""
    if not is_dataclass(answer):
        return {}
    values = {one.name: getattr(answer, one.name) for one in fields(answer)}
    return {name: len(v) if isinstance(v, Sized) else v for name, v in values.items()}


async def jobs(at: Place) -> Status:
    """List the jobs and the pauses between their runs."""
    pauses = {name: int(one.pause(at.settings).total_seconds()) for name, one in JOBS.items()}
    at.terminal.answer(pauses)
    for name, seconds in pauses.items():
        at.terminal.say("cli.job.pause", name=name, seconds=seconds)
    return Status.done
