"""Ways from page to page, none of which leads off this site."""

import re
from urllib.parse import quote

from fastapi import Request

HOME = "/desk"
INSPECT = "/inspect"
SIGN_IN = "/desk/sign-in"
PASSWORD = "/desk/password"  # noqa: S105 - an address
_OWN_PAGE = re.compile(r"/(desk|inspect)(/[a-z0-9-]+)*(\?[A-Za-z0-9=&_%.-]*)?", re.ASCII)


def way_back(address: str) -> str:
    """Return an address to go back to: one of our pages, or the desk."""
    return address if _OWN_PAGE.fullmatch(address) else HOME


def sign_in_way(request: Request) -> str:
    """Return the address of the sign-in page that leads back to the page asked for."""
    url = request.url
    asked = way_back(f"{url.path}?{url.query}" if url.query else url.path)
    return SIGN_IN if asked == HOME else f"{SIGN_IN}?back={quote(asked, safe='')}"
