"""Words for people, Chinese first and English: where a code becomes a sentence.

Beside this file `zh.toml` and `en.toml` hold the same keys, `zh-problems.toml` and its twin those
of refusals, `zh-cli.toml` and its twin those of the command line; only the edges read them.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
DEFAULT_LANGUAGE: Language = "zh"


@dataclass(frozen=True, eq=False)
class Words:
    """One language's texts by dotted key (`desk.title`)."""

    language: Language
    texts: Mapping[str, str]

    def text(self, key: str, /, **facts: object) -> str:
        """Return a text with its `{facts}` filled in.

        Raises:
            KeyError: no such text, or a fact it needs was not given.
        """
        return self.texts[key].format_map(facts)

    def has(self, key: str) -> bool:
        """Tell whether there is such a text."""
        return key in self.texts


@cache
def words(language: Language) -> Words:
    """Return a language's texts, read once per process."""
    texts: dict[str, str] = {}
    for source in sorted(files("water2.words").iterdir(), key=lambda file: file.name):
        if source.name.startswith(language) and source.name.endswith(".toml"):
            texts.update(_flat(tomllib.loads(source.read_text(encoding="utf-8"))))
    return Words(language, texts)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Join nested tables to dotted keys; a key in quotes may hold dots itself."""
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, str(value)
