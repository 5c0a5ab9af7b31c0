"""The words of messages that are no notices: a data file beside this one, read once."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _texts() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "texts.toml").read_text(encoding="utf-8"))


def text(key: str, language: str = "zh", **facts: object) -> str:
    """Return a text with its facts filled in; Chinese where the language lacks it."""
    texts = _texts()
    found: str = texts.get(language, {}).get(key) or texts["zh"][key]
    return found.format(**facts)


def pattern(key: str) -> str:
    """Return how a day or an instant is written."""
    return str(_texts()["zh"][key])


def step_name(step: str) -> str:
    """Return what people call a step of an anomaly, or a report on it."""
    return str(_texts()["zh"]["step"][step])


def channel_name(channel: str) -> str:
    """Return what people call a channel."""
    return str(_texts()["zh"]["channel"][channel])
