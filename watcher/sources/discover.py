"""Which feeds a web page may have: what it declares, what it links to, and what is usual.

Only candidates: whoever asks fetches each of them. Pages are hostile, so this runs in a child
(`ParserPool.ask`), on the beginning of the page, and gives a bounded list.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from watcher.sources.limits import costly_markup
from watcher.text import clean_line, safe_link

MAX_PAGE = 1_000_000
# Of a page that nests without end, which costs the square: declarations stand at the beginning.
MAX_COSTLY = 64_000
MAX_LINKS = 20
MAX_ANCHORS = 20
WELL_KNOWN = ("feed", "rss.xml", "atom.xml", "feed.xml", "index.xml", "feed.json")

_TYPE = re.compile(r"rss|atom|rdf|feed\+json")
_VAGUE_TYPE = re.compile(r"(?:application|text)/(?:xml|json)$")
_ENTRY = re.compile(r"\btype\s*=\s*\"?entry\b|oembed")
_FEED_URL = re.compile(
    r"/(?:feeds?|rss2?|atom|rdf|feed[_-]rss)(?:/|$)"
    r"|\.(?:rss|atom|rdf)$"
    r"|/(?:[\w.-]*(?:rss|atom|feed)[\w.-]*|index|all|news|latest)\.xml$"
    r"|(?:rss|atom|feed)[\w-]*\.(?:json|php|aspx?)$"
    r"|[?&](?:feed|format|type|output|alt)=(?:rss|atom|rdf|feed|json)"
    r"|[?&]rss(?:=|$|&)",
    re.IGNORECASE,
)
_FEED_HOST = re.compile(r"(?:feeds?|rss)\d?\.")
_FEED_WORDS = re.compile(r"\b(?:rss|atom|feed)\b", re.IGNORECASE)
_COMMENTS = re.compile(
    r"\bcomment|kommentar|comentario|coment[aá]rio|commenti\b|reacties|коммент|댓글|コメント|评论|評論",
    re.IGNORECASE,
)
# Buttons that hand an address over to some reader.
_HANDED_OVER = re.compile(r".https?(?::|%3a)", re.IGNORECASE)


class Why(StrEnum):
    """Why an address may be a feed, from the likely to the vague."""

    DECLARED = "declared"
    SITE = "site"
    LINKED = "linked"
    USUAL = "usual"


@dataclass(frozen=True, slots=True)
class Candidate:
    """`type` as the page declares it, else empty; a feed of comments is wanted least."""

    url: str
    why: Why
    title: str = ""
    type: str = ""
    comments: bool = False


# Host, path and query, and where the feed of such a page is: these pages declare none.
SITES = (
    (r"youtube\.com", r"/channel/(UC[\w-]{22})\b.*", "/feeds/videos.xml?channel_id={0}"),
    (r"youtube\.com", r"/user/([\w.-]+).*", "/feeds/videos.xml?user={0}"),
    (r"youtube\.com", r"/(?:playlist|watch)\?(?:.*&)?list=([\w-]+).*", "/feeds/videos.xml?playlist_id={0}"),
    (r"(?:old\.|new\.)?reddit\.com", r"/((?:r|u|user)/[\w-]+)(?:[/?].*)?", "/{0}/.rss"),
    (r"github\.com", r"/([\w.-]+/[\w.-]+)(?:/(?:releases|tags)?.*)?", "/{0}/releases.atom"),
    (r"github\.com", r"/([\w.-]+/[\w.-]+)(?:/tags.*)?", "/{0}/tags.atom"),
    (r"github\.com", r"/([\w.-]+/[\w.-]+)(?:/commits.*)?", "/{0}/commits.atom"),
    (r"bsky\.app", r"/profile/([\w.:-]+).*", "/profile/{0}/rss"),
    (r"medium\.com", r"/(@?[\w.-]+)(?:/.*)?", "/feed/{0}"),
    (r"[^/]+", r"/@(\w+)/?", "/@{0}.rss"),  # Mastodon and its kin
)  # fmt: skip


def find_in_page(body: bytes, url: str, _content_type: str | None = None) -> tuple[Candidate, ...]:
    """For `ParserPool.ask`: a page in UTF-8."""
    return find_feeds(body.decode("utf-8", "replace"), url)


def find_feeds(markup: str, url: str) -> tuple[Candidate, ...]:
    """Every address once, the likeliest first, comments last; `url` is the page's own.

    Without markup what the address alone tells. Only http and https without user and password;
    whether an address may be asked is for the door to say.
    """
    found: dict[str, Candidate] = {}
    for candidate in (*_on_page(markup[:MAX_PAGE], url), *_of_site(url), *_usual(url)):
        before = found.get(candidate.url)
        if before is None or list(Why).index(candidate.why) < list(Why).index(before.why):
            found[candidate.url] = candidate
    order = list(Why)
    return tuple(sorted(found.values(), key=lambda c: (c.comments, order.index(c.why))))


def _on_page(markup: str, url: str) -> Iterator[Candidate]:
    if not markup:
        return
    if costly_markup(markup.encode("utf-8", "replace")):
        markup = markup[:MAX_COSTLY]
    tree = LexborHTMLParser(markup)
    base, links, anchors = url, 0, 0
    stated = tree.css_first("base[href]")
    if stated is not None:
        base = _joined(url, stated.attributes.get("href")) or url
    for node in tree.css("link[href], a[href], area[href]"):
        declared = node.tag == "link"
        if (links if declared else anchors) >= (MAX_LINKS if declared else MAX_ANCHORS):
            continue
        candidate = (_declared if declared else _linked)(node, base)
        if candidate is not None and candidate.url != url:
            links, anchors = links + declared, anchors + (not declared)
            yield candidate


def _declared(node: LexborNode, base: str) -> Candidate | None:
    """`<link rel=alternate type=…>`, and `rel=feed` of HTML drafts, which needs no type."""
    given = node.attributes
    rel = (given.get("rel") or "").lower().split()
    kind = (given.get("type") or "").lower().strip()
    link = _joined(base, given.get("href"))
    if link is None or _ENTRY.search(kind) or "stylesheet" in rel:
        return None
    is_feed = _TYPE.search(kind) or (_VAGUE_TYPE.match(kind) and _looks_like_feed(link))
    if not (("alternate" in rel and is_feed) or ("feed" in rel and "html" not in kind)):
        return None
    return _candidate(link, Why.DECLARED, given.get("title") or "", kind)


def _linked(node: LexborNode, base: str) -> Candidate | None:
    link = _joined(base, node.attributes.get("href"))
    if link is None or _HANDED_OVER.search(link) or not _may_be_feed(node, link):
        return None
    text = node.attributes.get("title") or node.text(deep=True)[:1000]
    return _candidate(link, Why.LINKED, text, (node.attributes.get("type") or "").lower())


def _may_be_feed(node: LexborNode, link: str) -> bool:
    if _looks_like_feed(link) or _TYPE.search((node.attributes.get("type") or "").lower()):
        return True
    # `.xml` alone is most often a sitemap, unless the link says what it is.
    return urlsplit(link).path.endswith(".xml") and bool(
        _FEED_WORDS.search(node.text(deep=True)[:1000])
    )


def _looks_like_feed(link: str) -> bool:
    parts = urlsplit(link)
    rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
    named = _FEED_HOST.match(parts.netloc) and len(parts.path) > 1
    return bool(named or _FEED_URL.search(parts.path) or _FEED_URL.search(rest))


def _of_site(url: str) -> Iterator[Candidate]:
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
    rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
    for name, path, feed in SITES:
        where = re.fullmatch(path, rest) if re.fullmatch(name, host) else None
        link = _joined(url, feed.format(where[1])) if where else None
        if link:
            yield Candidate(link, Why.SITE)


def _usual(url: str) -> Iterator[Candidate]:
    """Below the page first, then at the root of its site."""
    path = urlsplit(url).path
    folder = path if path.endswith("/") else path.rpartition("/")[0] + "/"
    if "." not in path.rpartition("/")[2]:
        folder = path.rstrip("/") + "/"
    for place in dict.fromkeys((folder, "/")):
        for name in WELL_KNOWN:
            if link := _joined(url, place + name):
                yield Candidate(link, Why.USUAL)


def _candidate(link: str, why: Why, title: str, kind: str) -> Candidate:
    title = clean_line(title, 200)
    comments = bool(_COMMENTS.search(title) or _COMMENTS.search(urlsplit(link).path))
    return Candidate(link, why, title, clean_line(kind, 100), comments)


def _joined(base: str, link: str | None) -> str | None:
    """An absolute address that may be asked for, without its fragment."""
    try:
        found = safe_link(urljoin(base, (link or "").strip().removeprefix("feed:")))
    except ValueError:
        return None
    if not link or found is None or not found.startswith("http"):
        return None
    return found.partition("#")[0]
