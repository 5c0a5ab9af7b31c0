"""Read what a rulebook says of water, of records and of scope into their shapes."""

from collections.abc import Mapping
from decimal import Decimal

from water2.rules.forms import Field, Form
from water2.rules.loading import Source, Table
from water2.rules.parameters import ItemSetEdition, Limit, Parameter
from water2.rules.provision import Instrument
from water2.rules.scope_rules import ScopeKind, ScopeRules


def parameters(source: Source) -> dict[str, Parameter]:
    """Give the measured items by key, in the order of the tables."""
    return {
        entry["key"]: Parameter(
            key=entry["key"],
            title=entry["title"],
            title_en=entry["title_en"],
            unit=entry.get("unit"),
            kind=entry.get("kind", "number"),
            aliases=tuple(entry.get("aliases", ())),
            possible_min=_decimal(entry.get("possible_min", 0)),
            possible_max=_decimal(entry.get("possible_max")),
            residual_of=entry.get("residual_of"),
            sum_of_ratios=tuple(entry.get("sum_of_ratios", ())),
            group=entry.get("group", "sensory"),
            increment_of=entry.get("increment_of"),
            always_present=entry.get("always_present", False),
        )
        for entry in source.every("parameter")
    }


def residual_names(source: Source) -> tuple[str, ...]:
    """Give the names that stand for the residual of whatever disinfectant is in use."""
    return tuple(name for table in source.tables for name in table.get("residual_names", ()))


def _decimal(value: int | Decimal | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def limits(
    source: Source, held: Mapping[str, Instrument], known: Mapping[str, Parameter]
) -> tuple[Limit, ...]:
    """Give the limits in all editions."""
    return tuple(
        Limit(
            parameter=known[entry["parameter"]],
            instrument=held[entry["instrument"]],
            lower=_decimal(entry.get("lower")),
            lower_point=entry.get("lower_point"),
            upper=_decimal(entry.get("upper")),
            accepts=tuple(entry.get("accepts", ())),
            reference=entry.get("reference", False),
            unverified=tuple(entry.get("unverified", ())),
            in_force_from=entry.get("in_force_from", held[entry["instrument"]].in_force_from),
            in_force_to=entry.get("in_force_to", held[entry["instrument"]].in_force_to),
        )
        for entry in source.every("limit")
    )


def item_sets(source: Source, held: Mapping[str, Instrument]) -> tuple[ItemSetEdition, ...]:
    """Give the item sets in all editions."""
    return tuple(
        ItemSetEdition(
            name=entry["name"],
            keys=tuple(entry["keys"]),
            edition=entry["instrument"],
            verified=entry["verified"],
            in_force_from=held[entry["instrument"]].in_force_from,
            in_force_to=held[entry["instrument"]].in_force_to,
        )
        for entry in source.every("item_set")
    )


def scope(source: Source) -> ScopeRules:
    """Give the place's scope."""
    entry = source.place["scope"]
    kinds = (ScopeKind(**kind) for kind in entry.get("kind", ()))
    return ScopeRules(
        kinds={kind.kind: kind for kind in kinds},
        new_from=entry.get("new_from"),
        new_clause=entry.get("new_clause", ""),
        unlisted_clause=entry.get("unlisted_clause"),
        area_clause=entry.get("area_clause", ""),
        handover_required=entry["handover_required"],
        first_use=entry.get("first_use", "stated"),
    )


def forms(source: Source) -> dict[str, Form]:
    """Give the record forms by name; a place's own replaces a layer's."""
    return {
        entry["name"]: Form(
            name=entry["name"],
            title=entry["title"],
            title_en=entry["title_en"],
            fields=tuple(_field(each) for each in entry["field"]),
        )
        for entry in source.every("form")
    }


def _field(entry: Table) -> Field:
    names = ("minimum", "maximum", "flag_below", "flag_above")
    bounds = {name: _decimal(entry.get(name)) for name in names}
    return Field(**(entry | bounds))
