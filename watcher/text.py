"""Hostile text made inert, and links made comparable. Standard library only.

Feed text is data: it is cleaned once on the way in (control, bidi and invisible
characters) and escaped last, per channel, on the way out.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# Bidi controls can reorder a reader's line; tag characters and zero-widths hide text.
# ZWJ and ZWNJ stay: emoji families and Persian need them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_CONTROL_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL_TEXT = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]+")
_NEWLINE = re.compile("\r\n|[\r\x0c\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(r"[^\S\n]+")
_ODD_SPACES = "\t\r\v\f\x1c\x1d\x1e\x1f"
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
_MARK = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)

# http: host, path, query; with nothing to judge or to rewrite, as nearly all links are.
_PLAIN_LINK = re.compile(
    r"https?://([a-z0-9][a-z0-9.-]*)(/[\w!$&'()*+,./:=@~%-]*)(\?[\w!$&'()*+,./:=@~%-]+)?", re.ASCII
)
_PLAIN_HOST = re.compile(r"https?://([a-z0-9][a-z0-9.-]*)(?=[/?#]|\Z)")
_LINK_LIMIT = 2048
_NO_LINK = re.compile(r"[\x00-\x1f\x7f\\]")
_TRACKING = re.compile(
    r"^(utm_\w+|fbclid|gclid|dclid|gbraid|wbraid|msclkid|mc_[ce]id|igshid|yclid|_hsenc|_hsmi|"
    r"at_(medium|campaign|custom\d?|link_\w+|format|bbc_team|ptr_\w+)|ns_\w+|cmpid|cmp|ocid|"
    r"smid|srnd|taid|rss|ref_?src|xtor|traffic_source|guccounter|spm)$",
    re.IGNORECASE,
)


def clean_line(text: str, limit: int | None = None) -> str:
    """One line fit for a title or header: controls and newlines become one space."""
    text = _repair(text)
    if not text.isprintable():
        text = _CONTROL_LINE.sub(" ", text)
    text = " ".join(text.split())
    return truncate(text, limit) if limit else text


def clean_text(text: str) -> str:
    """Body text: paragraphs kept apart by one blank line, other line breaks kept."""
    if text.replace("\n", "").isprintable():
        text = _few_marks(text)
        if "  " in text:  # the only space that can be printed is the plain one
            text = _SPACES.sub(" ", text)
    else:
        text = _SPACES.sub(" ", _CONTROL_TEXT.sub(" ", _NEWLINE.sub("\n", _repair(text))))
    return _BLANK_LINES.sub("\n\n", text).strip()


def one_line(text: str) -> str:
    """`" ".join(text.split())`, in half the time for clean text of ASCII letters."""
    line = text.replace("\n\n", " ").replace("\n", " ")
    if "  " in line or not line.isascii() or any(map(line.__contains__, _ODD_SPACES)):
        return " ".join(text.split())
    return line.strip()


def clean_characters(text: str) -> str:
    """No control, bidi or invisible characters; line breaks and spaces stay as they are."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL_TEXT.sub(" ", _NEWLINE.sub("\n", _repair(text)))


def _repair(text: str) -> str:
    if text.isascii():
        return text
    return _few_marks(_INVISIBLE.sub("", _SURROGATE.sub("\ufffd", text)))


def _few_marks(text: str) -> str:
    if text.isascii() or not _MARK.search(text):
        return text
    return _MARKS.sub(r"\1", text)


def truncate(text: str, limit: int) -> str:
    """At most `limit` characters, ending in `…` when cut, never inside a grapheme we can see."""
    if len(text) <= limit:
        return text
    cut = max(limit - 1, 0)
    while cut > 0 and (unicodedata.combining(text[cut]) or _joins(text[cut - 1], text[cut])):
        cut -= 1
    space = text.rfind(" ", 0, cut + 1)
    if space > limit * 2 // 3:
        cut = space
    return text[:cut].rstrip() + "…"


def _joins(left: str, right: str) -> bool:
    return (
        left == "\u200d"
        or right == "\u200d"
        or "\ufe00" <= right <= "\ufe0f"
        or "\U0001f3fb" <= right <= "\U0001f3ff"
    )


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a cleaned body."""
    return [part for part in text.split("\n\n") if part]


def is_plain_link(url: str) -> bool:
    """Whether `safe_link` has nothing to do: absolute, short, and of harmless characters only."""
    return len(url) <= _LINK_LIMIT and _PLAIN_LINK.fullmatch(url) is not None


def safe_link(url: str | None, limit: int = _LINK_LIMIT) -> str | None:
    """The URL if a reader may click it: http, https or mailto, no userinfo, no control characters.

    Spaces behind the host are encoded.
    """
    if not url:
        return None
    if len(url) <= limit and _PLAIN_LINK.fullmatch(url):
        return url
    return _judged_link(url, limit)


@lru_cache(maxsize=1024)
def _judged_link(url: str, limit: int) -> str | None:
    url = url.strip()
    if len(url) + 2 * url.count(" ") > limit or _NO_LINK.search(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme.lower() == "mailto":
        return url.replace(" ", "%20")
    if " " in parts.netloc:
        return None
    if parts.scheme.lower() not in {"http", "https"} or not host:
        return None
    netloc = f"[{host}]" if ":" in host else host
    if not netloc.isascii():
        try:
            netloc = netloc.encode("idna").decode()
        except UnicodeError:
            return None
    if port and port != {"http": 80, "https": 443}[parts.scheme.lower()]:
        netloc += f":{port}"
    return urlunsplit(
        (parts.scheme.lower(), netloc, parts.path or "/", parts.query, parts.fragment)
    ).replace(" ", "%20")


def canonical_url(url: str) -> str:
    """The link two reports of one page share: no tracking, fragment, default port or `www.`.

    For comparing only; readers get `safe_link`. http and https compare equal.
    """
    plain = _PLAIN_LINK.fullmatch(url) if len(url) <= _LINK_LIMIT else None
    if plain and not plain[3] and (host := plain[1].removeprefix("www.")):
        return f"https://{host}{plain[2].rstrip('/') or '/'}"
    return _canonical_url(url)


@lru_cache(maxsize=1024)
def _canonical_url(url: str) -> str:
    link = safe_link(url)
    if link is None:
        return url.strip()
    parts = urlsplit(link)
    path = parts.path.rstrip("/") or "/"
    netloc = parts.netloc.removeprefix("www.")
    if netloc and not parts.query:
        return f"https://{netloc}{path}"
    pairs = [
        (k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if not _TRACKING.match(k)
    ]
    return urlunsplit(("https", netloc, path, urlencode(sorted(pairs)), ""))


def host_of(url: str | None) -> str:
    """The host a reader would recognise, without `www.`; empty when there is none."""
    if not url:
        return ""
    if plain := _PLAIN_HOST.match(url):
        return plain[1].removeprefix("www.")
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")
