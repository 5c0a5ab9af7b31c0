"""`rules show`: the law in force on a day, with articles and quotes."""

from datetime import date
from typing import Annotated, Any

import typer

from water2.cli.command import Place, Status
from water2.cli.terminal import Terminal
from water2.clock import clock_of
from water2.domain.errors import Invalid
from water2.rules.articles import Article
from water2.rules.book import Rulebook, load_book, places
from water2.rules.obligation import Obligation
from water2.words.citation import cite


async def show(
    at: Place,
    place: Annotated[str, typer.Option(help="place")] = "lishui",
    on: Annotated[str | None, typer.Option(help="on")] = None,
) -> Status:
    """Show a rulebook as it stood on a day; today unless another is given."""
    day = read_day(on) if on else clock_of(at.settings.data_dir)().date()
    book = load_book(place)
    at.terminal.answer(_as_data(book, day))
    _print_book(at.terminal, book, day)
    return Status.done


async def list_places(at: Place) -> Status:
    """List the places that have a rulebook."""
    books = [load_book(key) for key in places()]
    at.terminal.answer([{"key": b.key, "title": b.title, "title_en": b.title_en} for b in books])
    for book in books:
        at.terminal.line(f"{book.key}\t{_title(at.terminal, book)}")
    return Status.done


def read_day(text: str) -> date:
    """Read a civil day.

    Raises:
        Invalid: it is not written 2026-11-23.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid.one("on", "date_unreadable", text) from None


def _as_data(book: Rulebook, day: date) -> dict[str, Any]:
    return {
        "place": book.key,
        "title": book.title,
        "on": day,
        "articles": [
            {
                "number": article.number,
                "title": article.title,
                "status": article.status,
                "reason": article.reason,
                "obligations": article.obligations,
                "quote": article.quote,
            }
            for article in book.articles
        ],
        "obligations": [_obligation_as_data(one) for one in book.obligations_on(day)],
    }


def _obligation_as_data(one: Obligation) -> dict[str, Any]:
    provision = one.provision
    return {
        "id": one.id,
        "title": one.title,
        "instrument": provision.instrument.title,
        "number": provision.instrument.number,
        "article": provision.article,
        "quote": provision.quote,
        "subject": one.subject,
        "basis": one.basis,
        "status": one.status,
        "in_force_from": one.in_force_from,
        "in_force_to": one.in_force_to,
        "reading": one.reading,
        "verified": one.verified,
        "values": {
            key: {"value": setting.value, "unit": setting.unit, "basis": setting.basis}
            for key, setting in one.values.items()
        },
    }


def _title(terminal: Terminal, named: Rulebook | Obligation | Article) -> str:
    return named.title if terminal.words.language == "zh" else named.title_en


def _print_book(terminal: Terminal, book: Rulebook, day: date) -> None:
    terminal.say("cli.rules.heading", title=_title(terminal, book), day=day)
    for article in book.articles:
        _print_article(terminal, article)
    terminal.say("cli.rules.obligations", day=day)
    for obligation in book.obligations_on(day):
        _print_obligation(terminal, obligation)


def _print_article(terminal: Terminal, article: Article) -> None:
    status = terminal.words.text(f"law.{article.status}")
    terminal.line("")
    terminal.say(
        "cli.rules.article", number=article.number, title=_title(terminal, article), status=status
    )
    for line in article.quote.splitlines():
        terminal.line(f"    {line}")
    chinese = terminal.words.language == "zh"
    if reason := article.reason if chinese else article.reason_en:
        terminal.line(f"  — {reason}")
    if article.obligations:
        terminal.line(f"  → {', '.join(article.obligations)}")


def _print_obligation(terminal: Terminal, one: Obligation) -> None:
    terminal.line("")
    terminal.line(f"{one.id} · {_title(terminal, one)}")
    terminal.say(
        "cli.rules.provision",
        instrument=one.provision.instrument.title,
        article=cite(terminal.words.language, one.provision.article),
        basis=terminal.words.text(f"cli.rules.basis_{one.basis}"),
        status=terminal.words.text(f"law.{one.status}"),
    )
    if one.provision.quote:
        terminal.line(f"    {one.provision.quote}")
    for key, setting in one.values.items():
        mark = "" if setting.verified else terminal.words.text("cli.rules.unverified")
        terminal.line(f"    {key} = {setting.value} {setting.unit or ''} {mark}".rstrip())
    if reading := one.reading if terminal.words.language == "zh" else one.reading_en:
        terminal.line("    " + terminal.words.text("cli.rules.reading", text=reading))
