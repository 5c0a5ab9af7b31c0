"""`outage proof`, `outage list`."""

from pathlib import Path
from typing import Annotated

import typer

from water2.api.outage_proof_shapes import ProofAnswer
from water2.api.outage_shapes import shown_outage
from water2.cli.command import Place, Status
from water2.domain.outage import Outage
from water2.edge.facts import local_text, zone_named
from water2.services.ledger_signing import verifier_key
from water2.services.outages.listing import view_outages
from water2.services.outages.proof import prove_outage
from water2.services.outages.queries import outage_by
from water2.services.paging import MOST_ROWS, PageAsked
from water2.services.register_queries import list_rows
from water2.services.utilities import choose_utility


async def proof(
    at: Place,
    outage: Annotated[str, typer.Argument(help="outage")],
    out: Annotated[Path | None, typer.Option(help="proof_file")] = None,
) -> Status:
    """Write all that is proved of an outage as one JSON file, the same as over HTTP."""
    async with at.opened() as runtime, runtime.read() as work:
        found = await outage_by(work, outage)
        key = verifier_key(at.settings, found.utility_id)
        shown = ProofAnswer.of(await prove_outage(work, found.id), key, work.now)
    file = out or Path(f"outage-{found.number}-proof.json")
    _write(file, shown.model_dump_json(indent=1))
    told = shown.notified.model_dump(include={"households", "told", "missing"})
    unsigned = sum(1 for entry in shown.entries if entry.receipt is None)
    at.terminal.answer({"file": file, "number": found.number, **told, "unsigned": unsigned})
    at.terminal.say("cli.outage.proved", file=file, number=found.number, **told)
    if unsigned:
        at.terminal.say("cli.outage.unsigned", entries=unsigned)
    return Status.done


def _write(file: Path, text: str) -> None:
    file.write_text(text + "\n", encoding="utf-8")


async def list_(
    at: Place, utility: Annotated[str | None, typer.Option(help="utility")] = None
) -> Status:
    """List a utility's outages, the newest first."""
    async with at.opened() as runtime, runtime.read() as work:
        chosen = await choose_utility(work, utility)
        asked = PageAsked(chosen.id, MOST_ROWS)
        page = await list_rows(work, Outage, {}, asked, newest_by="created_at")
        views = await view_outages(work, page.items)
    say, zone = at.terminal.words, zone_named(chosen.timezone)
    shown = [shown_outage(view, say) for view in views]
    at.terminal.answer([one.model_dump(mode="json") for one in shown])
    for one in shown:
        state = say.text(f"outage_state.{one.state.value}")
        starts = local_text(one.starts_at.astimezone(zone))
        at.terminal.line("\t".join((one.number, one.facility_code, state, starts, one.summary)))
    return Status.done
