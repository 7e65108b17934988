"""Mail as bytes that hold exactly our headers, whatever a headline tries."""

import re
from base64 import b64decode, encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email import policy
from email.header import Header
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from watcher.errors import PermanentDeliveryError
from watcher.text import clean_line, truncate

_SUBJECT = 200
_LINE = 78
# Python < 3.13 decodes `=?utf-8?q?…=0D=0A…?=` in a value and writes the line break (CVE-2024-6923).
_ENCODED_WORD = re.compile(r"=(?=\?)")
_POLICY = policy.SMTP.clone(max_line_length=_LINE, cte_type="7bit", raise_on_defect=False)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NEWLINES = re.compile(r"\r\n?")
_OURS = {"mime-version", "content-type", "content-transfer-encoding"}


def header_text(text: str, limit: int = _SUBJECT) -> str:
    """Text that is only text in a header."""
    return _ENCODED_WORD.sub("= ", clean_line(text, limit))


def header_token(text: str) -> str:
    """An id for an `X-` header, safe for filters: visible ASCII, no separators."""
    return re.sub(r"[^A-Za-z0-9_.:@+/-]+", "-", text)[:120] or "-"


def date_header(at: datetime) -> str:
    return format_datetime(at)


def build(payload: Mapping[str, Any]) -> bytes:
    """The message of a payload: `headers` (pairs), `text`, `html`, optional `images` by CID.

    Same payload, same bytes. Written here rather than by `EmailMessage`, which takes three
    milliseconds of a mail's four. Raises PermanentDeliveryError when the bytes don't read back as
    exactly these headers, ValueError for what can't be a header.
    """
    headers = [(str(name), str(value)) for name, value in payload["headers"]]
    seed = dict(headers).get("Message-ID", "")
    body = _text("plain", payload["text"])
    if payload.get("html"):
        html = _text("html", payload["html"])
        images = [_image(one) for one in payload.get("images") or ()]
        if images:
            html = _multipart("related", [html, *images], f"{seed}/1")
        body = _multipart("alternative", [body, html], f"{seed}/0")
    head = b"".join(_header(name, value) for name, value in headers)
    raw = head + b"MIME-Version: 1.0\r\n" + body
    _check(raw, [name for name, _ in headers])
    return raw


def _header(name: str, value: str) -> bytes:
    """One header, folded at spaces; other scripts become encoded words."""
    if not _NAME.fullmatch(name) or _UNSAFE.search(value):
        raise ValueError(f"{name!r} can't be a header with this value")
    if not value.isascii():
        return _encoded(name, value)
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if len(line) + 1 + len(word) > _LINE and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line, ""]).encode("ascii")


@lru_cache(maxsize=256)
def _encoded(name: str, value: str) -> bytes:
    """By the library, which knows where an encoded word may stand in an address or a phrase.

    A subject is free text and encoded as a whole: folded word by word it lost spaces between
    encoded words (17% of random titles in mixed scripts).
    """
    if name == "Subject":
        whole = Header(value, "utf-8", maxlinelen=_LINE, header_name=name).encode(linesep="\r\n")
        return f"{name}: {whole}\r\n".encode("ascii")
    folded: str = _POLICY.header_factory(name, value).fold(policy=_POLICY)
    return folded.encode("ascii")


def _text(subtype: str, text: str) -> bytes:
    """Quoted-printable reads well in a source view; base64 is shorter for other scripts."""
    data = _NEWLINES.sub("\n", text).encode()
    readable = len(data) * 2 < len(text) * 3
    # A line break ends every part, so that it's the same whatever follows.
    data = data if data.endswith(b"\n") else data + b"\n"
    coded = b2a_qp(data, istext=True) if readable else encodebytes(data)
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {'quoted-printable' if readable else 'base64'}\r\n\r\n"
    ).encode() + coded.replace(b"\n", b"\r\n")


def _image(image: Mapping[str, str]) -> bytes:
    """`cid` and `png`, base64; shown where the HTML asks for it, not listed as a file."""
    data = encodebytes(b64decode(image["png"])).replace(b"\n", b"\r\n")
    head = _header("Content-ID", f"<{image['cid']}>")
    return (
        b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Disposition: inline\r\n" + head + b"\r\n" + data
    )


def _multipart(subtype: str, parts: Sequence[bytes], seed: str) -> bytes:
    """Fixed borders, so that every attempt sends the same bytes; `=_` can't occur in an encoded body."""
    border = f"=_{sha256(seed.encode()).hexdigest()[:32]}"
    inner = b"".join(f"--{border}\r\n".encode() + part + b"\r\n" for part in parts)
    # The root of `related` is its first part, HTML; the longer line would only repeat it.
    kind = f'Content-Type: multipart/{subtype}; boundary="{border}"\r\n\r\n'
    return kind.encode() + inner + f"--{border}--\r\n".encode()


def _check(raw: bytes, ours: Sequence[str]) -> None:
    head = raw.split(b"\r\n\r\n", 1)[0]
    names = [name.lower() for name in BytesHeaderParser(policy=policy.compat32).parsebytes(head)]
    expected = sorted(name.lower() for name in ours)
    long = max(map(len, raw.split(b"\r\n"))) > 998
    bare = raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n")
    if long or bare or b"\0" in head or sorted(n for n in names if n not in _OURS) != expected:
        raise PermanentDeliveryError("the message would not arrive as written", code="unsafe_mail")


def list_of(values: Iterable[str]) -> str:
    """`<a>, <b>`, as List-Unsubscribe wants it."""
    return ", ".join(f"<{value}>" for value in values)


def subject(prefix: str | None, title: str, mark: str = "") -> str:
    """`[Korea desk] 6 stories … (1/2)`, cut so that the mark stays."""
    lead = f"[{prefix}] " if prefix else ""
    return header_text(lead + truncate(clean_line(title), _SUBJECT - len(lead) - len(mark))) + mark
