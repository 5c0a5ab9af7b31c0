"""A report to a regulator in words, line by line: mailed and printed alike, in Chinese."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from water2.domain.regulator_report import RegulatorReport

Line = tuple[str, str]
"""A label and what stands beside it."""
_MOMENTS = ("found_at", "supply_stopped_at", "supply_resumed_at")


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "report_text.toml").read_text(encoding="utf-8"))


def report_title(content: Mapping[str, Any]) -> str:
    """Return the title of a report's content."""
    stage = _texts()["stage"][content["stage"]]
    return str(
        _texts()["title"].format(
            utility=content["utility"], stage=stage, ordinal=content["ordinal"]
        )
    )


def salutation(content: Mapping[str, Any]) -> str:
    """Return to whom it is addressed."""
    return str(_texts()["salutation"][content["regulator"]])


def event_at(facility: str) -> str:
    """Return what a report calls the event at a pump room until somebody names it."""
    return str(_texts()["event"].format(facility=facility))


def event_kind(*, outbreak: bool) -> str:
    """Return the kind of event: an outbreak among users, or polluted water."""
    return str(_texts()["event_kind"]["outbreak" if outbreak else "pollution"])


def place_of(facility: str, address: str | None) -> str:
    """Return where it is: the pump room, and its address where one is known."""
    return str(_texts()["place_separator"]).join(filter(None, (facility, address)))


def report_lines(content: Mapping[str, Any], timezone: str) -> list[Line]:
    """Return the fields that are filled in, in the order of the form."""
    zone = ZoneInfo(timezone)
    return [
        (label, _told(field, content[field], zone))
        for field, label in _texts()["label"].items()
        if content.get(field) not in (None, "", [])
    ]


def _told(field: str, value: Any, zone: ZoneInfo) -> str:
    texts = _texts()
    if field in _MOMENTS:
        return _moment(value, zone)
    if field == "source":
        return str(texts["source"].get(value, value))
    if field == "results":
        return "\n".join(_result(one, zone) for one in value)
    if isinstance(value, bool):
        return str(texts["yes" if value else "no"])
    return str(value)


def _result(one: Mapping[str, Any], zone: ZoneInfo) -> str:
    texts = _texts()
    measured = any(character.isdigit() for character in one["raw"] or "")
    facts = {
        "at": _moment(one["at"], zone),
        "point": texts["point"].get(one["point"], ""),
        "title": one["title"],
        "instrument": one.get("instrument"),
        "raw": one["raw"],
        "unit": f" {one['unit']}" if one["unit"] and measured else "",
        "limit": texts["absent"] if one["limit"] == "absent" else one["limit"],
    }
    form = "not_measured"
    if one["raw"]:
        form = "read" if one.get("instrument") else "result"
    return str(texts[form].format(**facts))


def _moment(text: str, zone: ZoneInfo) -> str:
    return _stamp(datetime.fromisoformat(text), zone)


def report_text(content: Mapping[str, Any], timezone: str) -> str:
    """Return the whole report as text."""
    lines = [f"{label}：{told}" for label, told in report_lines(content, timezone)]
    return "\n".join((salutation(content), *lines))


def sheet_lines(
    report: RegulatorReport, ways: Sequence[str], receiver: str | None, timezone: str
) -> list[Line]:
    """Return how a report went out and was received, as it stands on the printed sheet.

    `ways` are those beside the regulator's inbox, in words; `receiver` is the account's name.
    """
    zone, texts = ZoneInfo(timezone), _texts()["sheet"]
    told = []
    if report.sent_at is not None:
        told.append((texts["sent"], _stamp(report.sent_at, zone)))
        told.append((texts["inbox"], "、".join((texts["inbox_way"], *ways))))
    if report.phoned_at is not None:
        told.append((texts["phoned"], _stamp(report.phoned_at, zone)))
    if report.acknowledged_at is not None:
        at = _stamp(report.acknowledged_at, zone)
        told.append((texts["acknowledged"], texts["acknowledged_by"].format(at=at, name=receiver)))
    if report.acknowledgement:
        told.append((texts["remark"], report.acknowledgement))
    return told


def signatures() -> tuple[str, str, str]:
    """Return what stands at the lines to sign: who reports, who receives, the day."""
    texts = _texts()["sheet"]
    return texts["reporter_signs"], texts["receiver_signs"], texts["day"]


def _stamp(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime(str(_texts()["moment"]))
