"""Names of elements as feedparser calls them: `dc_creator`, `title`, whatever their prefixes."""

from collections.abc import Sequence

from feedparser.mixin import _FeedParserMixin

_PREFIXES: dict[str, str] = {
    uri.lower(): prefix.lower() for uri, prefix in _FeedParserMixin.namespaces.items()
}
_KNOWN = frozenset(_PREFIXES.values()) - {""}
_XML = "{http://www.w3.org/XML/1998/namespace}"
# Attributes that mean something to feedparser, also when their namespace is a stranger's.
_READ = frozenset(
    str.split("""href url uri rel type length term label scheme domain ispermalink mode src version base
    lang text lastmod""")
)
MAX_ATTRIBUTES = 100
UNKNOWN = ""
_NONE: dict[str, str] = {}


class Declined(Exception):  # noqa: N818 - no error: feedparser is asked instead
    """This document is for feedparser."""


class Names(dict[str, str]):
    """`{uri}local` to feedparser's name, looked up once per document; empty for a stranger's element."""

    def __init__(self, declared: Sequence[tuple[str, str]]) -> None:
        self.version = ""
        prefixes: dict[str, str] = {}
        for prefix, uri in declared:
            known = _known(uri.lower())
            # feedparser would go by the prefix, or take a stranger's elements for its own.
            if (
                known is None
                if not prefix
                else (prefix.lower() in _KNOWN and known != prefix.lower())
            ):
                raise Declined("namespace")
            if prefix and prefixes.setdefault(prefix, uri) != uri:
                raise Declined("one prefix, two namespaces")
            self.version = self.version or _version(prefix, uri.lower())

    def __missing__(self, tag: str) -> str:
        uri, _, local = tag[1:].partition("}") if tag[0] == "{" else ("", "", tag)
        prefix = _known(uri.lower()) if uri else ""
        name = f"{prefix}_{local.lower()}" if prefix else local.lower()
        self[tag] = UNKNOWN if prefix is None else name
        return self[tag]


def _known(uri: str) -> str | None:
    return "" if "backend.userland.com/rss" in uri else _PREFIXES.get(uri)


def attributes_of(given: dict[str, str]) -> dict[str, str]:
    """With feedparser's names for them; the language is `xml:lang`."""
    if not given:
        return _NONE
    if len(given) > MAX_ATTRIBUTES:
        raise Declined("attributes")
    result = {}
    for key, value in given.items():
        if key[0] == "{":
            name = _namespaced(key)
            if name:
                result[name] = value
            continue
        name = key.lower()
        if name == "base":
            raise Declined("base")
        result[name] = value.lower() if name in {"rel", "type"} else value
    return result


def _namespaced(key: str) -> str:
    if key.startswith(_XML):
        local = key[len(_XML) :].lower()
        if local == "base":
            raise Declined("base")
        return f"xml:{local}"
    uri, _, local = key[1:].partition("}")
    prefix = _known(uri.lower())
    if prefix:
        return f"{prefix}:{local.lower()}"
    if local.lower() in _READ:
        raise Declined("attribute of another namespace")
    return ""


def _version(prefix: str, uri: str) -> str:
    if uri == "http://purl.org/rss/1.0/":
        return "rss10"
    if uri == "http://www.w3.org/2005/atom":
        return "atom10"
    return "rss090" if not prefix and uri == "http://my.netscape.com/rdf/simple/0.9/" else ""
