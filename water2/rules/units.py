"""Units as laboratories write them: which notations mean a parameter's unit."""

import unicodedata

from water2.rules.parameters import Parameter

NOTATIONS: dict[str | None, frozenset[str]] = {
    None: frozenset({"-", "--", "—", "/", "无", "无量纲", "ph", "ph值"}),
    "度": frozenset({"度", "cu", "pcu", "铂钴色度单位"}),
    "NTU": frozenset({"ntu", "散射浊度单位", "散射浑浊度单位"}),
    "mg/L": frozenset({"mg/l", "mg·l-1", "毫克/升", "毫克/l"}),
    "/100 mL": frozenset({"/100ml", "cfu/100ml", "mpn/100ml", "个/100ml"}),
    "CFU/mL": frozenset({"cfu/ml", "个/ml"}),
}


def is_unit_of(parameter: Parameter, written: str) -> bool:
    """Tell whether a unit as written is a parameter's.

    Reading: nothing is converted silently (µg/L for mg/L): a factor of a thousand guessed wrongly
    is a poisoning overlooked, or a false alarm; whoever measured writes it in the limit's unit.
    """
    folded = "".join(unicodedata.normalize("NFKC", written).split()).lower()
    bare = folded.partition("(")[0] or folded
    own = "".join((parameter.unit or "").split()).lower()
    return bare in NOTATIONS.get(parameter.unit, frozenset()) or bare == own
