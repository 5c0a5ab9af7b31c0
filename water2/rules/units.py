"""Units as laboratories write them: which notations mean a parameter's unit, and which do not."""

import unicodedata
from enum import Enum

from water2.rules.parameters import Parameter

NOTATIONS: dict[str | None, frozenset[str]] = {
    None: frozenset({"-", "--", "—", "/", "无", "无量纲", "ph", "ph值"}),
    "度": frozenset({"度", "cu", "铂钴色度单位", "pcu"}),
    "NTU": frozenset({"ntu", "度", "散射浊度单位", "散射浑浊度单位"}),
    "mg/L": frozenset({"mg/l", "mg·l-1", "mgl-1", "毫克/升", "毫克/l", "ppm"}),
    "/100 mL": frozenset({"/100ml", "cfu/100ml", "mpn/100ml", "个/100ml"}),
    "CFU/mL": frozenset({"cfu/ml", "个/ml"}),
}
"""Reading: 度 on a turbidity is its name before NTU; one is read as the other."""
PER_MICROGRAM = frozenset({"μg/l", "ug/l", "微克/升", "微克/l", "ppb"})


class Fit(Enum):
    """How a unit as written stands to a parameter's own; all but `same` are codes of a fault."""

    same = "same"
    other_size = "unit_of_other_size"  # µg/L for mg/L: to be rewritten by whoever measured it
    misfit = "unit_misfit"


def fit_of(parameter: Parameter, written: str) -> Fit:
    """Tell whether a unit as written is a parameter's.

    Reading: nothing is converted silently: a factor of a thousand guessed wrongly is a poisoning
    overlooked, or a false alarm; whoever measured writes it anew in the unit of the limit.
    """
    folded = "".join(unicodedata.normalize("NFKC", written).split()).lower()
    bare = folded.partition("(")[0] or folded
    known = NOTATIONS.get(parameter.unit, frozenset())
    own = parameter.unit and "".join(parameter.unit.split()).lower()
    if bare in known or bare == own:
        return Fit.same
    if parameter.unit == "mg/L" and bare in PER_MICROGRAM:
        return Fit.other_size
    return Fit.misfit
