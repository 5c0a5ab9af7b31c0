"""What anybody may keep for a minute, as an answer: all of it, or 304."""

from collections.abc import Mapping

from fastapi import Request, Response

from water2.edge.caching import Cached, answer

KEPT_SECONDS = 60


def kept_answer(
    request: Request,
    body: bytes,
    media_type: str,
    *,
    vary: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a GET or HEAD with a body that may be kept, or tell that the asker has it.

    `headers` are those of the body's kind; none of them may bear on caching.
    """
    cached = Cached(body, media_type, None, KEPT_SECONDS, vary)
    status, caching, content = answer(request.headers, cached)
    given = {**(headers or {}), **caching}
    if request.method == "HEAD" and status == 200:
        return Response(None, status, {**given, "Content-Length": str(len(content))})
    return Response(content, status, given)
