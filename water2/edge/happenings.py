"""The timeline of an anomaly in words: what happened, one sentence each."""

from collections.abc import Callable, Mapping
from typing import Any

from water2.edge.problems import parameter_name
from water2.services.anomalies.timeline import Happening
from water2.words import Words

Facts = Mapping[str, Any]


def happening_sentence(one: Happening, say: Words) -> str:
    """Say what happened; what somebody wrote about it stands beside, in their words."""
    tell = _TOLD.get(one.kind)
    return tell(one.about, say) if tell else say.text(f"happening.{one.kind}")


def _caused(about: Facts, say: Words) -> str:
    source = say.text(f"anomaly_source.{about['source']}")
    if "parameter" not in about:
        return say.text("happening.cause_unmeasured", source=source)
    parameter = parameter_name(say.language, str(about["parameter"]))
    where = say.text("happening.at_point", point=_point(about, say)) if "point" in about else ""
    return say.text("happening.cause", source=source, parameter=parameter, where=where)


def _point(about: Facts, say: Words) -> str:
    return say.text(f"point.{about['point']}")


def _stopped(about: Facts, say: Words) -> str:
    return say.text(f"happening.supply_{'departed' if about.get('departed') else 'stopped'}")


def _controlled(about: Facts, say: Words) -> str:
    measures = [
        say.text(f"happening.{measure}")
        for measure in ("flushed", "disinfected")
        if about.get(measure)
    ]
    return "".join((say.text("happening.controls"), *measures))


def _assessed(about: Facts, say: Words) -> str:
    people = about.get("people_affected")
    judged = (
        "outbreak" if about.get("outbreak") else "danger" if about["endangers_health"] else "none"
    )
    told = say.text(f"happening.assessment_{judged}")
    return told if people is None else told + say.text("happening.people", count=people)


def _escalated(about: Facts, say: Words) -> str:
    level = say.text(f"level.{about['level']}")
    return say.text("happening.escalated", step=say.text(f"step.{about['step']}"), level=level)


def _noticed(about: Facts, say: Words) -> str:
    return say.text("happening.notice", **about)


def _retested(about: Facts, say: Words) -> str:
    verdict = say.text(f"sample_verdict.{about['verdict']}")
    return say.text("happening.retest", point=_point(about, say), verdict=verdict)


def _reported(kind: str) -> Callable[[Facts, Words], str]:
    def tell(about: Facts, say: Words) -> str:
        regulator = say.text(f"regulator.{about['regulator']}")
        stage = say.text(f"report_kind.{about['kind']}")
        number = about["number"]
        return say.text(f"happening.{kind}", regulator=regulator, stage=stage, number=number)

    return tell


def _written(kind: str) -> Callable[[Facts, Words], str]:
    return lambda about, say: say.text(f"happening.{kind}", number=about["number"])


_TOLD: dict[str, Callable[[Facts, Words], str]] = {
    "cause": _caused,
    "supply_stopped": _stopped,
    "controls": _controlled,
    "assessment": _assessed,
    "escalated": _escalated,
    "notice": _noticed,
    "retest": _retested,
    **{
        f"report_{act}": _reported(f"report_{act}")
        for act in ("owed", "phoned", "sent", "acknowledged")
    },
    **{f"report_{act}": _written(f"report_{act}") for act in ("asked", "answered")},
}
