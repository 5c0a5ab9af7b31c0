"""XML of one namespace, with no character that XML 1.0 forbids."""

import re
from xml.etree.ElementTree import Element, SubElement, tostring

_FORBIDDEN = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
LANGUAGE_TAGS = {"zh": "zh-CN", "en": "en"}


def clean(text: str) -> str:
    """Drop what XML 1.0 cannot hold even escaped (section 2.2); every line ends in LF."""
    return _FORBIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def document_root(name: str, namespace: str, language: str | None = None) -> Element:
    """Begin a document whose elements are all of `namespace`, declared as the default one."""
    # a default namespace given to `tostring` would refuse attributes, and a registered prefix
    # would hold for every other document of the process
    root = Element(name, {"xmlns": namespace})
    if language is not None:
        root.set(_LANGUAGE, LANGUAGE_TAGS[language])
    return root


def add(parent: Element, name: str, text: str | None = None, **attributes: str) -> Element:
    """Append an element; text and attributes are cleaned."""
    added = SubElement(parent, name, {key: clean(value) for key, value in attributes.items()})
    if text is not None:
        added.text = clean(text)
    return added


def document(root: Element) -> bytes:
    """Write a document in UTF-8 with its declaration."""
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written
