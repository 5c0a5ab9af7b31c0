"""Photos and papers as evidence: encrypted, found by the SHA-256 of their bytes, kept once."""

import base64
import binascii
import hashlib

from sqlmodel import select

from water2.domain.errors import Invalid
from water2.domain.outage import EvidenceFile
from water2.work import Work

LARGEST_BYTES = 10 << 20
_PHOTOS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"RIFF", "image/webp"),
)
_PAPERS = ((b"%PDF-", "application/pdf"), *_PHOTOS)


def read_base64(given: str, field: str) -> bytes:
    """Return the bytes of a file written in base64, with or without a `data:` head.

    Raises:
        Invalid: it is none.
    """
    text = given.partition(",")[2] if given.startswith("data:") else given
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise Invalid.one(field, "base64_unreadable") from None


async def keep_photo(work: Work, utility_id: str, content: bytes) -> str:
    """Keep a photo and return its SHA-256 in hex.

    Raises:
        Invalid: it is no JPEG, PNG or WebP, or larger than 10 MiB.
    """
    media_type = next((kind for head, kind in _PHOTOS if content.startswith(head)), None)
    if media_type is None:
        raise Invalid.one("photo", "photo_unreadable")
    return await _keep(work, utility_id, content, "photo", media_type)


async def keep_paper(work: Work, utility_id: str, content: bytes, field: str) -> str:
    """Keep a document, or the scan of a paper, and return its SHA-256 in hex.

    Raises:
        Invalid: it is no PDF, JPEG, PNG or WebP, or larger than 10 MiB.
    """
    media_type = next((kind for head, kind in _PAPERS if content.startswith(head)), None)
    if media_type is None:
        raise Invalid.one(field, "paper_unreadable")
    return await _keep(work, utility_id, content, field, media_type)


async def _keep(work: Work, utility_id: str, content: bytes, field: str, media_type: str) -> str:
    if len(content) > LARGEST_BYTES:
        raise Invalid.one(field, "file_too_large", mib=LARGEST_BYTES >> 20)
    sha256 = hashlib.sha256(content).hexdigest()
    kept = await work.session.exec(
        select(EvidenceFile.id).where(
            EvidenceFile.utility_id == utility_id, EvidenceFile.sha256 == sha256
        )
    )
    if kept.first() is None:
        work.session.add(
            EvidenceFile(
                utility_id=utility_id,
                sha256=sha256,
                media_type=media_type,
                size_bytes=len(content),
                sealed=work.contacts.seal_bytes(content),
                recorded_at=work.now,
            )
        )
    return sha256


async def open_file(work: Work, utility_id: str, sha256: str) -> tuple[bytes, str] | None:
    """Return a file and its media type; None: there is none."""
    rows = await work.session.exec(
        select(EvidenceFile).where(
            EvidenceFile.utility_id == utility_id, EvidenceFile.sha256 == sha256
        )
    )
    kept = rows.first()
    return (work.contacts.open_bytes(kept.sealed), kept.media_type) if kept else None
