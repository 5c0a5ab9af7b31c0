"""`simulate`: years of a utility's life on a simulated clock, every invariant checked daily."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from sqlmodel import select

from water2.cli.command import Place, Status
from water2.clock import wall_clock
from water2.config import Settings
from water2.domain.errors import Conflict
from water2.domain.organisation import Utility
from water2.main import build_runtime
from water2.services.keys import make_contact_key
from water2.services.simulation import SimulationReport
from water2.services.simulation import simulate as run_simulation
from water2.services.upgrading import upgrade_schema
from water2.work import Runtime

PLACE = "lishui"  # whose readings the simulation's own oracle knows


async def simulate(
    at: Place,
    facilities: Annotated[int, typer.Option(help="facilities", min=1)] = 20,
    years: Annotated[int, typer.Option(help="years", min=1, max=50)] = 2,
    seed: Annotated[int, typer.Option(help="seed")] = 1,
    keep: Annotated[Path | None, typer.Option(help="keep")] = None,
) -> Status:
    """Simulate on a database of its own: a temporary one, unless it is to be kept."""
    with _own_settings(at.settings, keep) as settings:
        await upgrade_schema(settings, now=wall_clock())
        make_contact_key(settings.keys)
        runtime = build_runtime(settings)
        try:
            await _require_empty(runtime)
            with at.terminal.progress("cli.simulate.running") as steps:
                report = await run_simulation(
                    runtime,
                    place=PLACE,
                    facilities=facilities,
                    years=years,
                    seed=seed,
                    progress=steps.to,
                )
        finally:
            await runtime.database.dispose()
    return _tell(at, report)


@contextmanager
def _own_settings(settings: Settings, keep: Path | None) -> Iterator[Settings]:
    """Simulate in a folder of its own; on PostgreSQL in the database given."""
    with TemporaryDirectory(prefix="water2-simulation-") as temporary:
        folder = keep or Path(temporary)
        yield settings.model_copy(update={"data_dir": folder, "key_dir": None, "backup_dir": None})


async def _require_empty(runtime: Runtime) -> None:
    async with runtime.read() as work:
        if (await work.session.exec(select(Utility.id).limit(1))).first():
            raise Conflict("simulation_needs_empty")


def _tell(at: Place, report: SimulationReport) -> Status:
    at.terminal.answer(report)
    at.terminal.say(
        "cli.simulate.done",
        seed=report.seed,
        days=report.days,
        acts=report.acts,
        entries=report.entries,
    )
    if not report.violations:
        at.terminal.say("cli.simulate.sound")
        return Status.done
    at.terminal.say("cli.simulate.broken", problems=len(report.violations))
    for violation in report.violations:
        at.terminal.line(f"  {violation}")
    return Status.done_but
