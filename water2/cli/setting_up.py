"""`init` and `doctor`: making an installation, and saying what is wrong with one."""

from typing import Annotated

import typer

from water2.cli.command import Place, Status
from water2.clock import DemoClock, clock_of, wall_clock
from water2.gateways.examination import look_at_gateways
from water2.services.doctor import Examination, Level, examine
from water2.services.founding import Founding, found_installation


async def init(
    at: Place,
    code: Annotated[str, typer.Option(help="utility_code")],
    name: Annotated[str, typer.Option(help="utility_name")],
    place: Annotated[str, typer.Option(help="place")] = "lishui",
    timezone: Annotated[str | None, typer.Option(help="timezone")] = None,
    admin: Annotated[str, typer.Option(help="admin")] = "admin",
    health_regulator: Annotated[str | None, typer.Option(help="health_regulator")] = None,
    water_regulator: Annotated[str | None, typer.Option(help="water_regulator")] = None,
) -> Status:
    """Make the database, its keys, the utility and the first administrator."""
    # the rulebook knows its zone; the setting counts where somebody made it
    set_zone = at.settings.timezone if "timezone" in at.settings.model_fields_set else None
    zone = timezone or set_zone
    made = await found_installation(
        at.settings,
        Founding(code, name, place, zone, admin, health_regulator, water_regulator),
        clock=clock_of(at.settings.data_dir),
        real_now=wall_clock(),
    )
    at.terminal.answer(made)
    at.terminal.say("cli.init.done", name=name, book=made.rulebook, database=made.database)
    at.terminal.say("cli.init.keys", folder=made.keys)
    at.terminal.say("cli.init.account", username=made.username, password=made.one_time_password)
    return Status.done


_MARKS = {Level.well: "✔", Level.note: "·", Level.wrong: "✘"}


async def doctor(at: Place) -> Status:
    """Examine the installation; every finding says what to do."""
    clock = clock_of(at.settings.data_dir)
    findings = [
        *await examine(Examination(at.settings, clock, wall_clock())),
        *look_at_gateways(at.settings, demo=isinstance(clock, DemoClock)),
    ]
    at.terminal.answer(findings)
    for finding in findings:
        told = at.terminal.words.text(f"cli.doctor.{finding.check}.{finding.code}", **finding.facts)
        at.terminal.line(f"{_MARKS[finding.level]} {told}")
    wrong = sum(finding.level is Level.wrong for finding in findings)
    at.terminal.say("cli.doctor.summary", checks=len(findings), wrong=wrong)
    return Status.done_but if wrong else Status.done
