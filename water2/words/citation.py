"""How an article is cited in each language: `17(4)` is 第十七条（四） and art. 17(4)."""

import re

from water2.words import Language

_DIGITS = "零一二三四五六七八九"
_ARTICLE = re.compile(r"(\d+)(?:\.(\d+))?(?:\((\d+)\))?")


def cite(language: Language, article: str) -> str:
    """Return the citation of an article; what is not a plain number (`附件`) stands as it is."""
    found = _ARTICLE.fullmatch(article)
    if found is None:
        return article
    if language == "en":
        return f"art. {article}"
    number, paragraph, item = found.groups()
    text = f"第{_numeral(int(number))}条"
    if paragraph:
        text += f"第{_numeral(int(paragraph))}款"
    return f"{text}（{_numeral(int(item))}）" if item else text


def _numeral(number: int) -> str:
    """Write a number below 100 in Chinese."""
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    head = "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")
