"""Reading alerts back, valid by the standard's schema."""

from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import xmlschema

from water2.edge.feeds.cap import cap_alert

SCHEMA = Path(__file__).parents[1] / "data" / "cap" / "CAP-v1.2.xsd"
SENDER, BASE = "water.example", "https://water.example"
_IN = "{urn:oasis:names:tc:emergency:cap:1.2}"


@cache
def schema():
    return xmlschema.XMLSchema(SCHEMA, allow="local")  # refuses whatever is not on this disk


def alert(outage, revision, **given):
    """Return a valid alert's root."""
    body = cap_alert(outage, revision, **{"sender": SENDER, "base_url": BASE} | given)
    schema().validate(body.decode())
    return ElementTree.fromstring(body)


def value(root, path):
    """Return the text at `info/event`, of the first info."""
    return root.findtext("/".join(_IN + step for step in path.split("/")))


def values(root, path):
    return [one.text for one in root.findall("/".join(_IN + step for step in path.split("/")))]
