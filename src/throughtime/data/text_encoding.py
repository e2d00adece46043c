"""The bytes of a text file as UTF-8: UTF-16 by its mark, and Windows-1252 where bytes are no UTF-8."""

import codecs
import re

MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
FALLBACK = "Windows-1252"
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1f]")  # that no text has


def as_utf8(content: bytes) -> tuple[bytes, str | None]:
    """Return text in UTF-8 without a mark, and the encoding that was assumed; None for one that is certain.

    Bytes that are no text in a known encoding stay as they are.
    """
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            try:
                return content.decode(encoding).encode(), None
            except UnicodeError:
                return content, None
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        content.decode()
    except UnicodeDecodeError:
        if not CONTROLS.search(content):
            try:
                return content.decode(FALLBACK).encode(), FALLBACK
            except UnicodeDecodeError:
                pass
    return content, None
