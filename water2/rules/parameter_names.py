"""The names under which files know what is measured in water."""

from water2.rules.book import Rulebook
from water2.rules.parameters import Disinfectant
from water2.rules.readings import fold


def parameter_key(book: Rulebook, name: str, disinfectant: Disinfectant = "chlorine") -> str | None:
    """Give the key of a parameter named as files name it; None where nobody knows the name.

    余氯 names the residual of whatever disinfectant is in use.
    """
    wanted = fold(name).lower()
    if wanted in {fold(word).lower() for word in book.residual_names}:
        return next(
            (key for key, item in book.parameters.items() if item.residual_of == disinfectant), None
        )
    for key, item in book.parameters.items():
        if wanted in {
            fold(word).lower() for word in (key, item.title, item.title_en, *item.aliases)
        }:
            return key
    return None
