"""The regulation's own articles, and what its revision changed: data shapes."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from water2.rules.obligation import Status


@dataclass(frozen=True)
class Part:
    """A paragraph (`6.2`) or item (`17(4)`) of an article, with its words."""

    ref: str
    quote: str
    status: Status
    reason: str | None
    reason_en: str | None
    obligations: tuple[str, ...]


@dataclass(frozen=True)
class Article:
    """An article of the place's own regulation: its whole words are its parts in order.

    `status` encoded: the software acts on it; later: it will, and `reason` says what; not_encoded:
    it holds nothing to act on, and `reason` says why.
    """

    number: int
    chapter: str
    title: str
    title_en: str
    status: Status
    reason: str | None
    reason_en: str | None
    parts: tuple[Part, ...]

    @property
    def quote(self) -> str:
        """The whole article, a line for each part."""
        return "\n".join(part.quote for part in self.parts)

    @property
    def obligations(self) -> tuple[str, ...]:
        """The obligations its parts carry, each once, in order."""
        return tuple(dict.fromkeys(id_ for part in self.parts for id_ in part.obligations))


@dataclass(frozen=True)
class Wording:
    """One of two texts of a day that word the same provision differently; both are held."""

    where: str
    on: date
    quote: str


@dataclass(frozen=True)
class Amendment:
    """What a revision did to one place of the text, and on which day.

    `old_article` is the number before the revision. The earlier words are not in our hands: none
    are quoted; `quote` is the amending notice's own.
    """

    old_article: str
    kind: Literal["reworded", "deleted", "renumbered"]
    on: date
    fact: str
    fact_en: str
    quote: str | None
    wordings: tuple[Wording, ...]
