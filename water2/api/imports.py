"""Imports: files in, a report out; what was imported, and taking it back."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi import Query as Given
from pydantic import BaseModel

from water2.api.acts import ActRoute, Key, Writing, acting
from water2.api.callers import PresentCaller, Reading
from water2.api.problems import words_for
from water2.api.shapes import Answer, Id, Instant, ListAnswer, ListQuery, Query, page_answer
from water2.api.state import state_of
from water2.api.uploads import UPLOAD_BODY, UploadedForm, read_upload
from water2.domain.access import Action
from water2.domain.errors import FieldProblem, Invalid, NotFound
from water2.domain.importing import ImportRun
from water2.edge.facts import json_fact
from water2.edge.problems import said
from water2.services.importing.import_files import ImportFiles, import_files, import_within
from water2.services.importing.kinds import KINDS
from water2.services.importing.past_imports import refused_rows
from water2.services.importing.report import FileReport, ImportReport
from water2.services.importing.sending_back import rejections_csv
from water2.services.importing.take_back import take_back_import
from water2.services.register import chosen_utility
from water2.services.register_queries import list_rows
from water2.services.rows import fetch
from water2.words import Words

router = APIRouter(prefix="/imports", tags=["import"], route_class=ActRoute)
_ANY = "any"
_PLURALS = {"facilities": "facility", "people": "staff"}
_KINDS = {kind.name for kind in KINDS}


class RefusedRow(BaseModel):
    """A row that was not taken; `line` is the physical line of the file."""

    file: str
    line: int
    column: str | None
    value: str | None
    reason: str
    detail: str


class FileAnswer(BaseModel):
    """What came of one file; `problem` is filled when it could not be taken at all."""

    file: str
    kind: str | None
    import_id: str | None
    accepted: int
    updated: int
    duplicate: int
    rejected: int
    problem: str | None
    changes: list[dict[str, Any]]
    flags: list[dict[str, Any]]


class ImportAnswer(BaseModel):
    """Counts over all files, each refused row, what was (or would be) changed."""

    dry_run: bool
    accepted: int
    updated: int
    duplicate: int
    rejected: int
    rows: list[RefusedRow]
    files: list[FileAnswer]


class ImportRunAnswer(Answer):
    """A file that changed something."""

    id: str
    kind: str
    file_name: str
    file_sha256: str
    imported_at: Instant
    imported_by: str
    accepted: int
    updated: int
    duplicate: int
    rejected: int
    taken_back_at: Instant | None


class ImportQuery(Query):
    """`dry_run` only tells what would come of it."""

    dry_run: bool = False


def _kind_of(name: str) -> str | None:
    """Return the kind of a path: singular, plural, or `any` for what the columns say."""
    kind = _PLURALS.get(name, name if name in _KINDS else name.removesuffix("s"))
    if kind not in _KINDS and kind != _ANY:
        raise NotFound("import_kind", name)
    return None if kind == _ANY else kind


def _shown(report: ImportReport, words: Words) -> ImportAnswer:
    details = [
        said(words, "field", row.reason, row.facts) for f in report.files for row in f.rejections
    ]
    rows = [{**row, "detail": detail} for row, detail in zip(report.rows(), details, strict=True)]
    return ImportAnswer.model_validate(
        {
            **{name: getattr(report, name) for name in ("dry_run", "accepted", "updated")},
            "duplicate": report.duplicate,
            "rejected": report.rejected,
            "rows": rows,
            "files": [_file(file) for file in report.files],
        }
    )


def _file(file: FileReport) -> dict[str, Any]:
    told = ("kind", "import_id", "accepted", "updated", "duplicate", "rejected", "problem")
    return {
        "file": file.name,
        **{name: getattr(file, name) for name in told},
        "changes": json_fact(file.changes),
        "flags": json_fact(file.flags),
    }


def _refuse_unusable(report: ImportReport) -> None:
    """Refuse a request of which no file could be taken at all."""
    if report.files and all(file.problem for file in report.files):
        raise Invalid(
            [
                FieldProblem(file.name, file.problem or "", None, dict(file.facts))
                for file in report.files
            ]
        )


@router.post("/{kind}", response_model=ImportAnswer, openapi_extra=UPLOAD_BODY)
async def take_files(
    request: Request,
    caller: PresentCaller,
    form: UploadedForm,
    kind: str,
    query: Annotated[ImportQuery, Given()],
    idempotency_key: Key = None,
) -> Response:
    """Take files of one kind (or `any`); a bad row never costs the others."""
    runtime = state_of(request).runtime
    async with runtime.read(caller.actor) as work:
        work.require(Action.import_files)
        utility = await chosen_utility(work, query.of_utility)
    upload = await read_upload(form, dry_run=query.dry_run)
    command = ImportFiles(
        utility_id=utility.id,
        sources=upload.sources,
        kind=_kind_of(kind),
        dry_run=upload.dry_run,
        mapping=upload.mapping,
    )
    if upload.dry_run:
        report = await import_files(runtime, caller.actor, command)
        _refuse_unusable(report)
        shown = _shown(report, words_for(request))
        return Response(shown.model_dump_json(), media_type="application/json")
    async with acting(request, caller, idempotency_key) as act:
        report = await import_within(act.work, command)
        _refuse_unusable(report)
        return act.answer(_shown(report, words_for(request)))


@router.get("", response_model=ListAnswer[ImportRunAnswer])
async def show_imports(work: Reading, query: Annotated[ListQuery, Given()]) -> Response:
    """List imports that changed something, the latest first."""
    page = await list_rows(work, ImportRun, {}, query.page, newest_by="imported_at")
    return page_answer(ImportRunAnswer, page)


@router.get("/{id}", response_model=ImportRunAnswer)
async def show_import(work: Reading, id_: Id) -> ImportRunAnswer:
    """Show an import."""
    work.require(Action.read)
    return ImportRunAnswer.model_validate(await fetch(work, ImportRun, id_))


@router.get("/{id}/rejected.csv", response_class=Response)
async def send_back_rows(request: Request, work: Reading, id_: Id) -> Response:
    """Give the refused rows as CSV, with line, column and reason, to send back."""
    report = await refused_rows(work, id_)
    say = words_for(request)
    content = rejections_csv(report, lambda code, facts: said(say, "field", code, facts))
    name = quote(f"{report.name.rpartition('.')[0] or report.name}-rejected.csv")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, headers=headers, media_type="text/csv; charset=utf-8")


@router.post("/{id}/take-back", response_model=ImportRunAnswer)
async def take_import_back(act: Writing, id_: Id) -> Response:
    """Undo an import by compensating entries, while nothing has built on it."""
    run = await take_back_import(act.work, id_)
    return act.answer(ImportRunAnswer.model_validate(run))
