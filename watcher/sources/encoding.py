"""Which encoding a feed is in: sniffed, as served, as declared, or guessed; bytes to UTF-8.

The order is feedparser's (RFC 3023), stricter where that goes wrong: wide encodings show in the
bytes and beat what is said of them, UTF-8 is never read as Latin letters, and a few stray
bytes do not garble all the rest.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_BOMS = (
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF8, "utf-8"),
)
# How `<` and what follows it look in them; `<?xm` in EBCDIC.
_STARTS = (
    (re.compile(rb"\0\0\0<"), "utf-32be"),
    (re.compile(rb"<\0\0\0"), "utf-32le"),
    (re.compile(rb"\0<\0[^\0]"), "utf-16be"),
    (re.compile(rb"<\0[^\0]\0"), "utf-16le"),
    (re.compile(rb"\x4c\x6f\xa7\x94"), "cp037"),
)
_DECLARED = re.compile(rb"<\?[^>]*?encoding\s*=\s*['\"]([^'\"]*)['\"]")
_DECLARATION = re.compile(rb"\s*(?:<\?xml\b[^>]*>\s*)?")
_WIDE = frozenset(("utf-16", "utf-32"))
_EBCDIC = frozenset(("cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140"))
# Not for documents: some cost the square of their length, some hide markup from whoever looks.
_REFUSED = frozenset(
    ("utf-7", "punycode", "idna", "unicode-escape", "raw-unicode-escape", "undefined")
)
_LATIN = frozenset(("iso8859-1", "iso8859-15", "cp1252"))
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_RUN = re.compile(rb"[\x80-\xff]{3,}")
_HIGH = bytes(range(0x80, 0x100))
_SAMPLE = 64 * 1024
_LARGE_SAMPLE = 1024 * 1024
_GUESSED = {
    "big5": "big5",
    "euc_jp": "euc-jp",
    "cp949": "euc-kr",
    "gb18030": "gb18030",
    "shift_jis": "shift_jis",
    "tis_620": "tis-620",
    "koi8_r": "koi8-r",
    "iso8859_5": "iso-8859-5",
    "cp1251": "windows-1251",
    "cp1253": "windows-1253",
    "cp1255": "windows-1255",
    "cp1256": "windows-1256",
}
_AS_CP1252 = {
    0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A document in UTF-8 without mark and declaration; `problem`: what was wrong, in words."""

    body: bytes
    encoding: str
    problem: str = ""


def to_utf8(body: bytes, content_type: str | None) -> Decoded:
    """Always gives something: what no encoding fits is read as windows-1252."""
    sniffed, body = _sniff(body)
    declared, said = _said(body, sniffed, content_type)
    is_wide = sniffed[:6] in _WIDE
    for name in (said,) if is_wide else dict.fromkeys((said, declared, sniffed, "utf-8")):
        text = _decode(body, name)
        if text is not None:
            break
    else:
        # One letter too few or too many does not make it another encoding.
        wide = (said, body.decode(said, "replace")) if is_wide else None
        name, text = wide or _guess(body, said, declared)
        problem = f"not all of it is {said}, read as {name}"
        return Decoded(_without_declaration(text.encode()), name, problem)
    if _codec(name) in _LATIN and not body.isascii() and (better := _decode(body, "utf-8")):
        name, text = "utf-8", better
    # Nobody says us-ascii: it is what RFC 3023 takes silence for.
    problem = "" if name == said or said == "us-ascii" else f"declared as {said}, read as {name}"
    plain = body if name in {"utf-8", "us-ascii"} else text.encode()
    return Decoded(_without_declaration(plain), name, problem)


def _without_declaration(body: bytes) -> bytes:
    found = _DECLARATION.match(body)
    return body[found.end() :] if found else body


def _sniff(body: bytes) -> tuple[str, bytes]:
    for mark, name in _BOMS:
        if body.startswith(mark):
            return name, body[len(mark) :]
    return next((name for start, name in _STARTS if start.match(body)), ""), body


def _said(body: bytes, sniffed: str, content_type: str | None) -> tuple[str, str]:
    """What the document declares, and what holds of that, of the server's word and of the bytes."""
    head = body[:1000]
    if sniffed:
        head = head.decode(sniffed, "replace").encode("ascii", "replace")
    found = _DECLARED.match(head.lstrip())
    declared = found[1].decode("latin-1").strip().lower() if found else ""
    if sniffed == "cp037":
        return declared, declared if _codec(declared) in _EBCDIC else sniffed
    if sniffed[:6] in _WIDE:
        return sniffed, sniffed
    mime, _, parameters = (content_type or "application/xml").strip().lower().partition(";")
    served = _parameter(parameters, "charset")
    if not mime.startswith("text/"):
        said = served or declared or "utf-8"
    else:
        said = served or "us-ascii"
    return declared, _SUPERSETS["gb2312"] if said == "gb2312" else said


def _parameter(parameters: str, name: str) -> str:
    for part in parameters.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return value.strip().strip("\"'")
    return ""


@lru_cache(maxsize=256)
def _codec(name: str) -> str:
    """Python's name for it; empty when it is none that documents are written in."""
    try:
        found = codecs.lookup(name)
        b"".decode(name)  # what is no encoding of text says so here
    except (LookupError, ValueError, TypeError):
        return ""
    return "" if found.name in _REFUSED else found.name


def _decode(body: bytes, name: str) -> str | None:
    for codec in _candidates(name):
        try:
            return body.decode(codec)
        except (UnicodeError, LookupError, ValueError):
            continue
    return None


def _candidates(name: str) -> Iterator[str]:
    if codec := _codec(name):
        yield codec
        if codec in _SUPERSETS:
            yield _SUPERSETS[codec]


def _guess(body: bytes, said: str, declared: str) -> tuple[str, str]:
    """For bytes that no encoding named reads without an error."""
    text = body.decode("utf-8", "surrogateescape")
    # Valid sequences make more than one byte of a letter.
    strays = len(body) - len(text.encode("utf-8", "ignore"))
    if len(body) - len(text) >= strays:
        return "utf-8", text.translate(_AS_CP1252)
    for name in (said, declared):
        codec = _codec(name)
        if codec in _SUPERSETS or codec.startswith(("euc", "gb", "iso2022")):
            text = body.decode(_SUPERSETS.get(codec, codec), "replace")
            if text.count("\ufffd") * 50 < len(text):
                return name, text
    if codec := _other_script(body):
        return _GUESSED.get(codec, codec), body.decode(codec, "replace")
    try:
        return "windows-1252", body.decode("cp1252")
    except UnicodeDecodeError:
        return "iso-8859-2", body.decode("iso8859-2")


def _other_script(body: bytes) -> str:
    """The encoding of text in no Latin letters, by their frequencies; empty for Latin letters.

    Those that Latin text needs stand alone between letters of ASCII.
    """
    body = body[:_LARGE_SAMPLE]
    runs = len(body) - len(_RUN.sub(b"", body))
    if 2 * runs < len(body) - len(body.translate(None, _HIGH)):
        return ""
    from charset_normalizer import from_bytes

    best = from_bytes(
        body[:_SAMPLE],
        cp_isolation=list(_GUESSED),
        preemptive_behaviour=False,
        language_threshold=0.1,
    ).best()
    return best.encoding if best else ""
