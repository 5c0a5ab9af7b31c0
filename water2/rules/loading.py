"""Read `books/*.toml` and the layers a place stands on into the shapes of the law."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from typing import Any

from water2.rules.articles import Amendment, Article, Part, Wording
from water2.rules.obligation import Obligation, Setting
from water2.rules.provision import Instrument, Provision

BOOKS = files("water2.rules") / "books"

Table = dict[str, Any]
"""A TOML table before it has a shape."""


@dataclass(frozen=True)
class Source:
    """A place's own file and its layers, the layers first."""

    place: Table
    tables: tuple[Table, ...]

    def every(self, name: str) -> Iterator[Table]:
        """Give the entries of an array of tables, those of the layers first."""
        for table in self.tables:
            yield from table.get(name, ())


def place_keys() -> tuple[str, ...]:
    """Give the names of the files directly in `books/`; layers stand in a folder of their own."""
    names = (entry.name for entry in BOOKS.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def read_place(place: str) -> Source:
    """Read a place's file and its layers."""
    return with_layers(_read(f"{place}.toml"))


def with_layers(own: Table) -> Source:
    """Put a place's tables on the layers it stands on, in the order it names them."""
    layers = [_read(f"layers/{name}.toml") for name in own["stands_on"]]
    return Source(own, (*layers, own))


def _read(path: str) -> Table:
    return tomllib.loads((BOOKS / path).read_text("utf-8"), parse_float=Decimal)


def instruments(source: Source) -> dict[str, Instrument]:
    """Give the instruments by key."""
    return {
        entry["key"]: Instrument(
            key=entry["key"],
            title=entry["title"],
            title_en=entry["title_en"],
            number=entry.get("number"),
            issuer=entry["issuer"],
            in_force_from=entry.get("in_force_from"),
            in_force_to=entry.get("in_force_to"),
            text=entry.get("text"),
            verified=entry["verified"],
        )
        for entry in source.every("instrument")
    }


def articles(source: Source) -> tuple[Article, ...]:
    """Give the place's own articles, in order."""
    return tuple(_article(entry) for entry in source.place.get("article", ()))


def _article(entry: Table) -> Article:
    parts = tuple(
        Part(
            ref=part["ref"],
            quote=part["quote"],
            status=part.get("status", entry["status"]),
            **_reasons(part if "status" in part else entry | part),
            obligations=tuple(part.get("obligations", ())),
        )
        for part in entry["part"]
    )
    return Article(
        number=entry["number"],
        chapter=entry["chapter"],
        title=entry["title"],
        title_en=entry["title_en"],
        status=entry["status"],
        **_reasons(entry),
        parts=parts,
    )


def _reasons(entry: Table) -> Table:
    return {key: entry.get(key) for key in ("reason", "reason_en")}


def amendments(source: Source) -> tuple[Amendment, ...]:
    """Give what revisions of the place's own regulation changed, in order."""
    return tuple(
        Amendment(
            old_article=entry["old_article"],
            kind=entry["kind"],
            on=entry["on"],
            fact=entry["fact"],
            fact_en=entry["fact_en"],
            quote=entry.get("quote"),
            wordings=tuple(Wording(**wording) for wording in entry.get("wording", ())),
        )
        for entry in source.place.get("amendment", ())
    )


def settings(source: Source) -> Mapping[str, Setting]:
    """Give the settings of the whole book; a place's own come over those of its layers."""
    merged: Table = {}
    for table in source.tables:
        merged |= table.get("settings", {})
    return _settings(merged)


def _settings(entries: Table) -> dict[str, Setting]:
    return {key: Setting(key=key, **_plain(entry)) for key, entry in entries.items()}


def _plain(entry: Table) -> Table:
    """TOML lists become tuples, so that what is frozen stays so."""
    return {name: tuple(each) if isinstance(each, list) else each for name, each in entry.items()}


def obligations(source: Source, held: Mapping[str, Instrument]) -> tuple[Obligation, ...]:
    """Give the obligations in all editions; layers' defaults fill what the obligation leaves."""
    defaults: Table = {}
    for table in source.tables:
        for id_, entries in table.get("defaults", {}).items():
            defaults[id_] = defaults.get(id_, {}) | entries
    quotes = {part["ref"]: part["quote"] for entry in _own_articles(source) for part in entry}
    return tuple(
        _obligation(entry, held, defaults.get(entry["id"], {}), quotes)
        for entry in source.every("obligation")
    )


def _own_articles(source: Source) -> Iterator[list[Table]]:
    for article in source.place.get("article", ()):
        yield article["part"]


def _obligation(
    entry: Table, held: Mapping[str, Instrument], defaults: Table, quotes: Mapping[str, str]
) -> Obligation:
    instrument = held[entry["instrument"]]
    quote = entry.get("quote")
    if quote is None and instrument.text is not None:
        quote = quotes[entry["article"]]
    return Obligation(
        id=entry["id"],
        provision=Provision(instrument, entry["article"], quote, entry["id"]),
        title=entry["title"],
        title_en=entry["title_en"],
        subject=entry.get("subject"),
        basis=entry.get("basis", "law"),
        status=entry["status"],
        period=entry.get("period"),
        evidence=entry.get("evidence"),
        credited_by=entry.get("credited_by", "record"),
        values=_settings(defaults | entry.get("values", {})),
        in_force_from=entry.get("in_force_from", instrument.in_force_from),
        in_force_to=entry.get("in_force_to", instrument.in_force_to),
        reading=entry.get("reading"),
        reading_en=entry.get("reading_en"),
        **_reasons(entry),
        verified=entry.get("verified", instrument.verified),
    )
