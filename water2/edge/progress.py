"""How far a notice has come, in one sentence: N of M told, earliest lawful start."""

from water2.domain.outage import OutageState
from water2.edge.facts import local_text, zone_named
from water2.services.outages.listing import OutageView
from water2.words import Words


def progress_sentence(view: OutageView, words: Words) -> str:
    """Say who is told by now, and from when on the water may be stopped, where that is to come."""
    told, earliest = view.progress.told, view.progress.earliest_lawful_start
    facts = {"households": told.households, "told": told.in_time}
    state = view.outage.state
    begins = "draft" if state is OutageState.draft else "since"
    if earliest is None or state not in (OutageState.draft, OutageState.published):
        return words.text(f"told.{begins}", **facts)
    local = local_text(earliest.astimezone(zone_named(view.utility.timezone)))
    key = "draft_until" if state is OutageState.draft else "ahead"
    return words.text(f"told.{key}", **facts, earliest=local)
