"""A place's rulebook: its law with the layers it stands on, asked for a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from hashlib import sha256

from water2.rules import loading, loading_water
from water2.rules.articles import Amendment, Article
from water2.rules.forms import Form
from water2.rules.obligation import Obligation, Setting
from water2.rules.parameters import Disinfectant, ItemSet, ItemSetEdition, Limit, Parameter
from water2.rules.provision import Instrument, Provision, in_force
from water2.rules.scope_rules import ScopeRules


class UnknownPlace(LookupError):
    """No rulebook of that key stands in `books/`."""


class NotInForce(LookupError):
    """The place demanded nothing of that id on that day."""


@dataclass(frozen=True, eq=False)
class Rulebook:
    """Everything that holds in a place, past editions included; every answer takes a day.

    `instrument` is the place's own regulation. Layers come before the place in `obligations` and
    `limits`, so that the later in force prevails, and on one day the place's own word.
    `holidays` is the calendar of working days it follows, None for plain weekdays.
    """

    key: str
    title: str
    title_en: str
    timezone: str
    holidays: str | None
    instrument: Instrument
    instruments: tuple[Instrument, ...]
    articles: tuple[Article, ...]
    amendments: tuple[Amendment, ...]
    obligations: tuple[Obligation, ...]
    parameters: Mapping[str, Parameter]
    residual_names: tuple[str, ...]
    limits: tuple[Limit, ...]
    item_sets: tuple[ItemSetEdition, ...]
    scope: ScopeRules
    forms: Mapping[str, Form]
    settings: Mapping[str, Setting]

    def obligation(self, id_: str, day: date) -> Obligation | None:
        """Give what was demanded on a day; None before its text and after its end."""
        found = None
        for obligation in self.obligations:
            if obligation.id == id_ and obligation.in_force_on(day):
                found = obligation if found is None else _later(found, obligation)
        return found

    def obligations_on(self, day: date) -> tuple[Obligation, ...]:
        """Give every obligation in force on a day, one for each id, those of later issues too."""
        ids = dict.fromkeys(obligation.id for obligation in self.obligations)
        found = (self.obligation(id_, day) for id_ in ids)
        return tuple(obligation for obligation in found if obligation is not None)

    def provision(self, id_: str, day: date) -> Provision:
        """Give the provision to cite.

        Raises:
            NotInForce: nothing of that id was demanded on the day.
        """
        obligation = self.obligation(id_, day)
        if obligation is None:
            raise NotInForce(id_, day)
        return obligation.provision

    def mark_on(self, day: date) -> str:
        """Give a mark of all that duties were derived from up to a day.

        It changes on the first day of an edition and with every change of the book's own files.
        """
        told = [
            (each.id, each.subject, each.in_force_from, each.in_force_to, each.period)
            for each in self.obligations
            if (each.in_force_from or date.min) <= day
        ]
        values = [
            (each.id, key, each.values[key].value)
            for each in self.obligations
            if (each.in_force_from or date.min) <= day
            for key in sorted(each.values)
        ]
        return sha256(repr((told, values)).encode()).hexdigest()

    def limits_on(self, day: date, disinfectant: Disinfectant = "chlorine") -> Mapping[str, Limit]:
        """Give the limits in force on a day by parameter, the residual of one disinfectant alone.

        Empty on a day before the first standard held. Art. 21: of two in force, the later prevails;
        on one day, the one listed later. Increments allowed are apart.
        """
        return {
            limit.parameter.key: limit
            for limit in sorted(self.limits, key=lambda limit: limit.in_force_from or date.min)
            if in_force(limit.in_force_from, limit.in_force_to, day)
            and limit.parameter.residual_of in (None, disinfectant)
            and limit.parameter.increment_of is None
        }

    def increments_on(self, day: date) -> Mapping[str, Limit]:
        """Give the increments allowed from inlet to outlet, by the parameter that may rise."""
        return {
            limit.parameter.increment_of: limit
            for limit in self.limits
            if limit.parameter.increment_of is not None
            and in_force(limit.in_force_from, limit.in_force_to, day)
        }

    def item_set(self, name: str, day: date, disinfectant: Disinfectant = "chlorine") -> ItemSet:
        """Give the items a sample of some purpose must hold under the edition in force on a day.

        The item `residual` becomes that of the disinfectant; ultraviolet leaves none.

        Raises:
            NotInForce: no edition in force names such a set.
        """
        found = [
            edition
            for edition in reversed(self.item_sets)
            if edition.name == name and in_force(edition.in_force_from, edition.in_force_to, day)
        ]
        if not found:
            raise NotInForce(name, day)
        edition = max(found, key=lambda each: each.in_force_from or date.min)
        keys = tuple(self._resolve(edition.keys, disinfectant))
        return ItemSet(name, keys, edition.edition, edition.verified)

    def _resolve(self, keys: tuple[str, ...], disinfectant: Disinfectant) -> list[str]:
        residual = [
            key for key, item in self.parameters.items() if item.residual_of == disinfectant
        ]
        return [found for key in keys for found in (residual if key == "residual" else [key])]

    def number(self, key: str) -> int:
        """Give a setting of the whole book (`due_soon_days`, …); KeyError where it holds none."""
        value = self.settings[key].value
        if not isinstance(value, int):
            raise TypeError(f"{key} is not a whole number")
        return value


def _later(one: Obligation, other: Obligation) -> Obligation:
    """Art. 21: the one in force from the later day prevails; on one day, the one listed later."""
    first, second = (each.in_force_from or date.min for each in (one, other))
    return one if first > second else other


def places() -> tuple[str, ...]:
    """Give the keys of all places that have a rulebook, in alphabetical order."""
    return loading.place_keys()


@cache
def load_book(place: str) -> Rulebook:
    """Read a place's rulebook and the layers it stands on, once per process.

    Raises:
        UnknownPlace: there is no such file.
    """
    if place not in places():
        raise UnknownPlace(place)
    return make_book(place, loading.read_place(place))


def make_book(place: str, source: loading.Source) -> Rulebook:
    """Make a rulebook of a place's tables, whichever file they were read from."""
    instruments = loading.instruments(source)
    parameters = loading_water.parameters(source)
    return Rulebook(
        key=place,
        title=source.place["title"],
        title_en=source.place["title_en"],
        timezone=source.place["timezone"],
        holidays=source.place.get("holidays"),
        instrument=instruments[source.place["own_instrument"]],
        instruments=tuple(instruments.values()),
        articles=loading.articles(source),
        amendments=loading.amendments(source),
        obligations=loading.obligations(source, instruments),
        parameters=parameters,
        residual_names=loading_water.residual_names(source),
        limits=loading_water.limits(source, instruments, parameters),
        item_sets=loading_water.item_sets(source, instruments),
        scope=loading_water.scope(source),
        forms=loading_water.forms(source),
        settings=loading.settings(source),
    )
