"""The words of outages as every feed says them."""

from water2.domain.public import PublicNotice, PublicOutage
from water2.words import Language, Words


def title_of(notice: PublicNotice, language: Language) -> str:
    """Return a notice's title in one language."""
    return notice.title_zh if language == "zh" else notice.title_en


def text_of(notice: PublicNotice, language: Language) -> str:
    """Return a notice's text in one language."""
    return notice.text_zh if language == "zh" else notice.text_en


def both_texts(notice: PublicNotice, language: Language) -> str:
    """Return title and text in one language, those of the other below."""
    other: Language = "en" if language == "zh" else "zh"
    below = f"{title_of(notice, other)}\n{text_of(notice, other)}"
    return f"{text_of(notice, language)}\n\n{below}"


def place_of(outage: PublicOutage, notice: PublicNotice, words: Words) -> str:
    """Say where a notice tells that the water is off: facility, address, district, buildings."""
    codes = words.text("list.mark").join(notice.buildings)
    some = words.text("feed.extent_some", codes=codes)
    extent = some if notice.buildings else words.text("feed.extent_all")
    parts = (outage.facility, outage.address, outage.district, extent)
    return words.text("feed.joint").join(part for part in parts if part)
