"""What one source of deliveries says, as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from water2.domain.entry import instant_text
from water2.services.delivery.texts import text


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said, in Chinese and, where there is any, in English; `data` is a webhook's body."""

    title: str
    text: str
    short: str
    title_en: str = ""
    text_en: str = ""
    language: str = "zh"  # of title and text, for whoever has chosen none
    number: str = ""  # of a notice, under which anybody may see that it is genuine
    data: Mapping[str, object] = field(default_factory=dict)


Sayings = dict[str, Saying]


def event(type_: str, at: datetime, **data: object) -> dict[str, object]:
    """Return a webhook's body as Standard Webhooks has it."""
    return {"type": type_, "timestamp": instant_text(at), "data": data}


def spoken(key: str, facts: Mapping[str, Any], data: Mapping[str, object]) -> Saying:
    """Say the texts of a key, filled with facts."""
    title, whole, short = (text(f"{key}_{part}", **facts) for part in ("title", "text", "short"))
    return Saying(title, whole, short, data=data)
