"""The README's tables as the program has them: `python -m tests.guards.readme` mends them."""

import re
from collections.abc import Callable
from pathlib import Path

from water2.cli import COMMANDS, GROUPS
from water2.cli.command import help_of
from water2.config import Settings
from water2.rules.book import load_book
from water2.words import words

README = Path(__file__).parents[2] / "README.md"
STATUS = {"encoded": "encoded", "later": "later issue", "not_encoded": "nothing to encode"}


def articles() -> str:
    rows = ["| article | | state | obligations, or why not |", "|---|---|---|---|"]
    for article in load_book("lishui").articles:
        told = ", ".join(f"`{id_}`" for id_ in article.obligations)
        reason = article.reason_en or ""
        rows.append(
            f"| {article.number} | {article.title} · {article.title_en} | {STATUS[article.status]} "
            f"| {'. '.join(part.rstrip('.') for part in (told, reason) if part)} |"
        )
    return "\n".join(rows)


def settings() -> str:
    rows = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        rows.append(f"| `WATER2_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def commands() -> str:
    say = words("en")
    named = [(name, help_of(say, name)) for name in COMMANDS]
    named += [
        (f"{group} {name}", help_of(say, name, group))
        for group, of in GROUPS.items()
        for name in of
    ]
    rows = ["| command | what it does |", "|---|---|"]
    rows += [f"| `water2 {full}` | {told} |" for full, told in named]
    return "\n".join(rows)


TABLES: dict[str, Callable[[], str]] = {
    "articles": articles,
    "settings": settings,
    "commands": commands,
}


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)


def written(name: str) -> str:
    """Return a table as it stands in the README."""
    found = block(name).search(README.read_text(encoding="utf-8"))
    return found[0].rstrip("\n") if found else ""


def main() -> None:
    text = README.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        before, after = block(name).split(text, maxsplit=1)
        text = f"{before}{table()}\n{after}"
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
