"""Mail as bytes that hold exactly our headers, whatever a headline tries."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.utils import format_datetime
from hashlib import sha256
from typing import Any

from watcher.errors import PermanentDeliveryError
from watcher.text import clean_line, truncate

_SUBJECT = 200
# Python < 3.13 decodes `=?utf-8?q?…=0D=0A…?=` in a value and writes the line break (CVE-2024-6923).
_ENCODED_WORD = re.compile(r"=(?=\?)")
_POLICY = policy.SMTP.clone(max_line_length=78, cte_type="7bit", raise_on_defect=False)
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

    Same payload, same bytes. Raises PermanentDeliveryError when the bytes don't read
    back as exactly these headers.
    """
    headers = [(str(name), str(value)) for name, value in payload["headers"]]
    message = EmailMessage(policy=_POLICY)
    for name, value in headers:
        message[name] = value
    message.set_content(payload["text"], cte=_cte(payload["text"]))
    if payload.get("html"):
        message.add_alternative(payload["html"], subtype="html", cte=_cte(payload["html"]))
    _set_boundaries(message, seed=dict(headers).get("Message-ID", ""))
    raw = message.as_bytes()
    _check(raw, [name for name, _ in headers])
    return raw


def _cte(text: str) -> str:
    """Quoted-printable reads well in a source view; base64 is shorter for other scripts."""
    return "quoted-printable" if len(text.encode()) * 2 < len(text) * 3 else "base64"


def _set_boundaries(message: EmailMessage, seed: str) -> None:
    """Fixed, so that every attempt sends the same bytes; `=_` can't occur in an encoded body."""
    for n, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{sha256(f'{seed}/{n}'.encode()).hexdigest()[:32]}")


def _check(raw: bytes, ours: Sequence[str]) -> None:
    head = raw.split(b"\r\n\r\n", 1)[0]
    names = [name.lower() for name in BytesHeaderParser(policy=policy.compat32).parsebytes(head)]
    expected = sorted(name.lower() for name in ours)
    long = any(len(line) > 998 for line in raw.split(b"\r\n"))
    bare = re.search(rb"(?<!\r)\n|\r(?!\n)", raw)
    if long or bare or b"\0" in head or sorted(n for n in names if n not in _OURS) != expected:
        raise PermanentDeliveryError("the message would not arrive as written", code="unsafe_mail")


def list_of(values: Iterable[str]) -> str:
    """`<a>, <b>`, as List-Unsubscribe wants it."""
    return ", ".join(f"<{value}>" for value in values)


def subject(prefix: str | None, title: str, mark: str = "") -> str:
    """`[Korea desk] 6 stories … (1/2)`, cut so that the mark stays."""
    lead = f"[{prefix}] " if prefix else ""
    return header_text(lead + truncate(clean_line(title), _SUBJECT - len(lead) - len(mark))) + mark
