"""Which language a person reads: Chinese unless English is asked for."""

from water2.words import DEFAULT_LANGUAGE, LANGUAGES, Language


def language_of(asked: str | None, accept_language: str | None) -> Language:
    """Choose by `?lang=`, then by the Accept-Language header, else Chinese."""
    for wanted in (asked, *_preferred(accept_language or "")):
        for language in LANGUAGES:
            if wanted and wanted.lower().split("-")[0] == language:
                return language
    return DEFAULT_LANGUAGE


def _preferred(header: str) -> list[str]:
    """Return the header's languages, the most wanted first; what cannot be read is passed over."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            weighed.append((-float(weight or 1), name.strip()))
        except ValueError:
            continue
    return [name for weight, name in sorted(weighed, key=lambda pair: pair[0]) if weight < 0]
