"""When each job last began and last ended well: what the health endpoint reads.

By the wall clock even in a demonstration: it tells of the running program, not of the facts.
"""

from datetime import datetime, timedelta

from sqlmodel import select

from water2.domain.operation import JobRun
from water2.services.rows import insert_or_pass
from water2.work import Work

SWEEP = "sweep"
_LONGEST_ERROR = 500


async def begin_job(work: Work, name: str, at: datetime) -> None:
    """Note that a job began."""
    (await _run(work, name)).started_at = at


async def finish_job(work: Work, name: str, at: datetime) -> None:
    """Note that a job ended well."""
    run = await _run(work, name)
    run.finished_at, run.error = at, None


async def fail_job(work: Work, name: str, error: str) -> None:
    """Note that a job failed; `finished_at` stays that of the last good run."""
    (await _run(work, name)).error = error[:_LONGEST_ERROR]


async def age_of_job(work: Work, name: str, at: datetime) -> timedelta | None:
    """Return how long before `at` (wall clock) a job last ended well; None when it never did."""
    found = await work.session.exec(select(JobRun.finished_at).where(JobRun.name == name))
    finished_at = found.first()
    return None if finished_at is None else at - finished_at


async def _run(work: Work, name: str) -> JobRun:
    """Return the job's row; two workers may make it at once, and one insert passes."""
    await work.session.execute(insert_or_pass(work, JobRun), {"name": name})
    found = await work.session.exec(select(JobRun).where(JobRun.name == name).with_for_update())
    return found.one()
