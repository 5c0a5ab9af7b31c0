"""Problem details (RFC 9457): what was refused, in words, with the article and its quote."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from water2.domain.errors import (
    Conflict,
    DomainError,
    FieldProblem,
    Invalid,
    NotFound,
    NotPermitted,
    RuleViolation,
)
from water2.edge.facts import json_fact, local_fact, local_text
from water2.rules.book import load_book, places
from water2.services.sign_in import MustChangePassword, NotSignedIn
from water2.services.throttling import Throttled
from water2.words import Language, Words
from water2.words.citation import cite

# conflicts of an edit with what stands, by the status HTTP has for them
_CONDITIONS = {"version_changed": 412, "version_missing": 428}
# facts that are codes, and the words for them; states first those of the refusal's own code
_CODES = {"state": "order_state", "action": "action", "point": "point"}
_PARAMETERS = frozenset({"lacking", "items", "parameter"})
_MOST_LISTED = 10  # in a sentence, of what is counted; the facts hold more


@dataclass(frozen=True)
class Problem:
    """A refusal as it is shown; `reason` is the code behind `detail`."""

    type: str
    status: int
    title: str
    detail: str
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)
    article: str | None = None
    quote: str | None = None
    errors: tuple[Mapping[str, object], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Return the JSON object; every member is always there but `errors`."""
        shown = {
            "type": self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "reason": self.reason,
            "article": self.article,
            "quote": self.quote,
            "facts": json_fact(self.facts),
        }
        return shown | ({"errors": json_fact(self.errors)} if self.errors else {})


def said(words: Words, group: str, code: str, facts: Mapping[str, object]) -> str:
    """Say a code of a group; the code itself where the words lack it or lack a fact."""
    try:
        return words.text(f"{group}.{code}", **readable(words, facts, code))
    except (KeyError, IndexError, ValueError):
        return code


def readable(words: Words, facts: Mapping[str, object], code: str = "") -> dict[str, object]:
    """Return facts as they stand in a sentence: codes in words, lists joined."""
    return {name: _readable(words, name, value, facts, code) for name, value in facts.items()}


def _readable(
    words: Words, name: str, value: object, facts: Mapping[str, object], code: str
) -> object:
    """Return one fact; people are told with what they lack."""
    if isinstance(value, list | tuple):
        shown = [str(_readable(words, name, one, facts, code)) for one in value]
        return _joined(words, shown, facts.get(f"{name}_count"))
    if isinstance(value, Mapping) and "reasons" in value:
        lacks = [said(words, "fitness", str(one["code"]), one) for one in value["reasons"]]
        lacking = words.text("list.mark").join(lacks)
        return words.text("list.person", code=value["code"], lacking=lacking)
    if isinstance(value, Mapping) and "parameter" in value:
        return words.text("list.retest", **readable(words, value))
    if isinstance(value, datetime):
        return local_text(value)
    if name in _PARAMETERS:
        return parameter_name(words.language, str(value))
    groups = (code, _CODES.get(name)) if name == "state" else (_CODES.get(name),)
    keys = (f"{group}.{value}" for group in groups)
    return next((words.text(key) for key in keys if words.has(key)), json_fact(value))


def _joined(words: Words, shown: Sequence[str], total: object) -> str:
    """Join a list; of one that is counted beside it, the first few and how many more there are."""
    if not isinstance(total, int) or total <= _MOST_LISTED:
        return words.text("list.mark").join(shown)
    first = words.text("list.mark").join(shown[:_MOST_LISTED])
    return words.text("list.more", first=first, count=total - _MOST_LISTED)


def parameter_name(language: Language, key: str) -> str:
    """Return what a parameter is called; the key where no rulebook knows it."""
    known = (load_book(place).parameters.get(key) for place in places())
    found = next(filter(None, known), None)
    if found is None:
        return key
    return found.title if language == "zh" else found.title_en


def plain_problem(
    words: Words,
    status: int,
    code: str,
    facts: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Problem:
    """Return a problem that no rule of law is behind."""
    given = facts or {}
    return Problem(
        type=f"urn:water2:{code.replace('_', '-')}",
        status=status,
        title=said(words, "status", str(status), {}),
        detail=said(words, "problem", code, given),
        reason=code,
        facts=given,
        headers=headers or {},
    )


def invalid_problem(words: Words, problems: list[FieldProblem]) -> Problem:
    """Return the problem of a request that cannot be understood; names each field at fault."""
    errors = tuple(_field_error(words, problem) for problem in problems)
    named = {problem.field: problem.code for problem in problems}
    return Problem(
        type="urn:water2:malformed",
        status=422,
        title=said(words, "status", "422", {}),
        detail="；".join(f"{error['field']}: {error['detail']}" for error in errors),
        reason="malformed",
        facts={"fields": named},
        errors=errors,
    )


def _field_error(words: Words, problem: FieldProblem) -> dict[str, object]:
    facts = dict(problem.facts) | ({} if problem.value is None else {"value": problem.value})
    return {
        "field": problem.field,
        "code": problem.code,
        "detail": said(words, "field", problem.code, facts),
        **({"facts": problem.facts} if problem.facts else {}),
        **({} if problem.value is None else {"value": problem.value}),
    }


def refused_problem(words: Words, error: RuleViolation) -> Problem:
    """Return the problem of an act that a rule of the book refuses."""
    refused = error.refused
    provision = refused.provision
    earliest = {} if refused.earliest is None else {"earliest": refused.earliest}
    facts = {**refused.facts, **earliest}
    instrument = provision.instrument
    named = f"《{instrument.title}》" if words.language == "zh" else instrument.title_en
    return Problem(
        type=f"urn:water2:refused:{provision.obligation}",
        status=409,
        title=words.text(
            "problem.refused", instrument=named, article=cite(words.language, provision.article)
        ),
        detail=said(words, "refused", refused.reason, facts),
        reason=refused.reason,
        facts=facts,
        article=provision.article,
        quote=provision.quote,
    )


def _conflict(words: Words, error: Conflict) -> Problem:
    status = _CONDITIONS.get(error.code, 409)
    return plain_problem(words, status, error.code, error.facts)


def _not_found(words: Words, error: NotFound) -> Problem:
    return plain_problem(words, 404, "not_found", {"kind": error.kind, "id": error.id})


def _not_permitted(words: Words, error: NotPermitted) -> Problem:
    return plain_problem(words, 403, "not_permitted", {"action": error.action})


def _not_signed_in(words: Words, error: NotSignedIn) -> Problem:
    asks = {"WWW-Authenticate": 'Bearer realm="water2"'}
    return plain_problem(words, 401, error.code, headers=asks)


def _throttled(words: Words, error: Throttled) -> Problem:
    seconds = error.retry_after_seconds
    facts, headers = {"seconds": seconds}, {"Retry-After": str(seconds)}
    return plain_problem(words, 429, "throttled", facts, headers)


_SHOWN: dict[type[DomainError], Callable[[Words, Any], Problem]] = {
    NotFound: _not_found,
    NotPermitted: _not_permitted,
    Conflict: _conflict,
    NotSignedIn: _not_signed_in,
    Throttled: _throttled,
    MustChangePassword: lambda words, _: plain_problem(words, 403, "must_change_password"),
    Invalid: lambda words, error: invalid_problem(words, error.problems),
    RuleViolation: refused_problem,
}


def problem_of(error: DomainError, words: Words, zone: ZoneInfo | None = None) -> Problem:
    """Return how a use-case's refusal is shown; its sentence tells instants in a zone."""
    told = error if zone is None else _in_zone(error, zone)
    for kind in type(error).__mro__:
        if kind in _SHOWN:
            return _SHOWN[kind](words, told)
    return plain_problem(words, 409, "refused_otherwise")


def _in_zone(error: DomainError, zone: ZoneInfo) -> DomainError:
    if isinstance(error, Conflict):
        return Conflict(error.code, local_fact(error.facts, zone))
    if isinstance(error, RuleViolation):
        refused = error.refused
        facts, earliest = (local_fact(one, zone) for one in (refused.facts, refused.earliest))
        return RuleViolation(replace(refused, facts=facts, earliest=earliest))
    return error
