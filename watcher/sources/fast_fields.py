"""What each element does to the record it stands in, as feedparser does it."""

import xml.etree.ElementTree as ET

from watcher.sources.fast_names import UNKNOWN, Declined, attributes_of
from watcher.sources.fast_reader import Handler, Reader, Record
from watcher.sources.fast_text import address, content, flat_text, repaired
from watcher.sources.feed_dates import feed_date
from watcher.sources.limits import MAX_CATEGORIES, MAX_KEYWORDS

_PLAIN, _HTML = "text/plain", "text/html"
_HTML_TYPES = frozenset((_HTML, "html", "xhtml", "application/xhtml+xml"))
# These keep their text to themselves, whatever their attributes.
_KEEPING = frozenset(
    str.split(
        """source title dc_title id guid updated published rights subtitle tagline generator
        category author contributor name email uri url homepage"""
    )
)
_PERSON = frozenset(("name", "email", "uri", "url", "homepage", UNKNOWN))


def _content(reader: Reader, element: ET.Element, default: str) -> str:
    return content(element, default, unwrap=reader.version == "atom10")


# ── texts ────────────────────────────────────────────────────────────────────


def _title(reader: Reader, element: ET.Element) -> None:
    value = _content(reader, element, _PLAIN)
    if not -1 < reader.title_depth <= reader.depth:
        reader.store("title", value)
        reader.detail("title_detail", element)
    if value:
        reader.title_depth = reader.depth


def _media_title(reader: Reader, element: ET.Element) -> None:
    before = reader.title_depth
    _title(reader, element)
    reader.title_depth = before


def _summary(default: str, feed_key: str) -> Handler:
    def read(reader: Reader, element: ET.Element) -> None:
        if "summary" in reader.into and not reader.has_content:
            _full(_PLAIN)(reader, element)
            return
        value = _content(reader, element, default)
        reader.store("summary" if reader.entry is not None else feed_key, value)
        reader.detail("summary_detail", element)

    return read


def _full(default: str) -> Handler:
    def read(reader: Reader, element: ET.Element) -> None:
        reader.has_content = True
        value = _content(reader, element, default)
        if reader.entry is not None:
            reader.into.setdefault("content", []).append({"value": value})
        reader.into.setdefault("summary", value)

    return read


def _kept(key: str) -> Handler:
    def read(reader: Reader, element: ET.Element) -> None:
        if not element.attrib:
            reader.store(key, flat_text(element))
        elif key in reader.into:
            raise Declined(key)

    return read


def _language(reader: Reader, element: ET.Element) -> None:
    reader.store("language", flat_text(element))


def _date(key: str) -> Handler:
    def read(reader: Reader, element: ET.Element) -> None:
        reader.into[key] = feed_date(flat_text(element))

    return read


# ── addresses ────────────────────────────────────────────────────────────────


def _with_href(element: ET.Element) -> dict[str, str]:
    given = dict(attributes_of(element.attrib))
    href = given.get("url", given.get("uri", given.get("href")))
    if href:
        given.pop("url", None)
        given.pop("uri", None)
        given["href"] = href
    return given


def _link(reader: Reader, element: ET.Element) -> None:
    given, into = _with_href(element), reader.into
    given.setdefault("rel", "alternate")
    given.setdefault("type", "application/atom+xml" if given["rel"] == "self" else _HTML)
    into.setdefault("links", []).append(given)
    if "href" in given:
        if len(element):
            raise Declined("element in a link")
        given["href"] = address(given["href"])
        if given["rel"] == "alternate" and given["type"] in _HTML_TYPES:
            into["link"] = given["href"]
        return
    text = address(flat_text(element), inside=True, entry=into is reader.entry)
    into["link"] = text
    if text:
        given["href"] = text


def _guid(reader: Reader, element: ET.Element) -> None:
    is_link = attributes_of(element.attrib).get("ispermalink", "true") == "true"
    value = flat_text(element)
    reader.store("id", address(value) if is_link else value)
    if is_link:
        reader.into.setdefault("link", value)


def _enclosure(reader: Reader, element: ET.Element) -> None:
    given = _with_href(element)
    given["rel"] = "enclosure"
    reader.into.setdefault("links", []).append(given)
    if len(element):
        raise Declined("element in an enclosure")


def _media_content(reader: Reader, element: ET.Element) -> None:
    reader.into.setdefault("media_content", []).append(attributes_of(element.attrib))
    if len(element):
        outer, reader.lang = reader.lang, reader.language(element)
        reader.walk(element, ENTRY)
        reader.lang = outer


# ── people and tags ──────────────────────────────────────────────────────────


def _no_text_between(element: ET.Element) -> None:
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        raise Declined("text among elements")


def _no_loose_text(element: ET.Element) -> None:
    """The text of an unknown element with attributes counts as that of the one around it."""
    if element.attrib and (element.text or "").strip():
        raise Declined("loose text")


def _people(reader: Reader, element: ET.Element) -> dict[str, str]:
    """Name and address from the elements inside."""
    _no_text_between(element)
    found = {}
    for child in element:
        name = reader.names[child.tag]
        if name not in _PERSON or len(child):
            raise Declined("person")
        attributes_of(child.attrib)
        if name == UNKNOWN:
            _no_loose_text(child)
        else:
            found[name if name in {"name", "email"} else "uri"] = (child.text or "").strip()
    return found


def _author(reader: Reader, element: ET.Element) -> None:
    found = _people(reader, element) if len(element) else {"text": flat_text(element)}
    reader.into.setdefault("people", []).append(found)


def _person(reader: Reader, element: ET.Element) -> None:
    _people(reader, element) if len(element) else flat_text(element)


def _source_person(reader: Reader, element: ET.Element) -> None:
    """feedparser takes an author's page for the publisher's."""
    if len(element) and (uri := _people(reader, element).get("uri")) is not None:
        reader.into["href"] = repaired(address(uri))


def _tag(reader: Reader, term: str | None, scheme: str | None, label: str | None) -> None:
    tags = reader.into.setdefault("tags", [])
    found = {"term": term, "scheme": scheme, "label": label}
    if (term or scheme or label) and len(tags) < MAX_CATEGORIES and found not in tags:
        tags.append(found)


def _category(term: str = "term", scheme: str | None = None) -> Handler:
    def read(reader: Reader, element: ET.Element) -> None:
        given, value = attributes_of(element.attrib), flat_text(element)
        _tag(
            reader,
            given.get(term),
            given.get("scheme", scheme or given.get("domain")),
            given.get("label") if term == "term" else None,
        )
        if not value:
            return
        tags: list[Record] = reader.into["tags"]
        if tags and not tags[-1]["term"]:
            tags[-1]["term"] = value
        else:
            _tag(reader, value, None, None)

    return read


def _keywords(scheme: str | None) -> Handler:
    def read(reader: Reader, element: ET.Element) -> None:
        if element.attrib:
            return
        for term in flat_text(element)[:MAX_KEYWORDS].split(","):
            if term.strip():
                _tag(reader, term.strip(), scheme, None)

    return read


# ── parts ────────────────────────────────────────────────────────────────────


def _source(reader: Reader, element: ET.Element) -> None:
    outer, source = reader.into, {}
    if "url" in (given := attributes_of(element.attrib)):
        source["href"] = given["url"]
    reader.into, reader.title_depth = source, -1
    if len(element):
        _no_text_between(element)
        for inner in element.iter():
            if reader.names[inner.tag] not in _KEEPING:
                _no_loose_text(inner)
        lang, reader.lang = reader.lang, reader.language(element)
        reader.walk(element, SOURCE)
        reader.lang = lang
    elif title := flat_text(element):
        source["title"] = title
    reader.into = outer
    outer["source"] = source


def _side(names: str) -> Handler:
    """An image or a search box of the feed: of interest for its title's side effect only."""
    inner = {*names.split(), UNKNOWN}

    def read(reader: Reader, element: ET.Element) -> None:
        reader.title_depth = -1
        for child in element:
            name = reader.names[child.tag]
            if name not in inner or len(child):
                raise Declined("image")
            attributes_of(child.attrib)
            if name == "title" and (child.text or "").strip():
                reader.title_depth = reader.depth + 1

    return read


def _entry(reader: Reader, element: ET.Element) -> None:
    reader.read_entry(element)


def _passed(_: Reader, element: ET.Element) -> None:
    """Known to feedparser, and without an effect on what is kept."""
    if len(element):
        raise Declined("element inside")


def _declined(reader: Reader, element: ET.Element) -> None:
    raise Declined(reader.names[element.tag])


def _where(_: Reader, element: ET.Element) -> None:
    if any(inner.attrib for inner in element.iter()):
        raise Declined("where")


def _all(handler: Handler, names: str) -> dict[str, Handler]:
    return dict.fromkeys(names.split(), handler)


_SHARED: dict[str, Handler] = {
    **_all(
        _declined,
        """channel feed rss rdf_rdf item entry image textinput body xhtml_body fullitem tags source
        links authors contributors enclosures title_detail summary_detail published_parsed
        updated_parsed date_parsed issued_parsed modified_parsed author_detail description_detail
        svg math georssgeom gml_point gml_linestring gml_polygon gml_exterior gml_linearring
        gml_pos gml_poslist psc_chapters psc_chapter href""",
    ),
    **_all(
        _passed,
        """cloud comments copyright created expirationdate feedburner_browserfriendly generator
        info newlocation rights subtitle tagline width height name url uri homepage email
        admin_generatoragent admin_errorreportsto dcterms_created dcterms_valid itunes_subtitle
        itunes_image itunes_link itunes_block itunes_explicit itunes_name itunes_email
        media_rating media_credit media_restriction media_license media_thumbnail media_player
        georss_point georss_line georss_polygon georss_box dc_rights dc_contributor
        cc_license creativecommons_license""",
    ),
    **_all(_person, "contributor webmaster dc_publisher managingeditor"),
    **_all(_where, "where georss_where"),
    **_all(_link, "link"),
    **_all(_guid, "guid id"),
    **_all(_title, "title dc_title"),
    **_all(_media_title, "media_title"),
}
ENTRY: dict[str, Handler] = _SHARED | {
    **_all(_author, "author dc_author dc_creator itunes_author managingeditor"),
    **_all(_date("published_parsed"), "published issued pubdate dcterms_issued"),
    **_all(_date("updated_parsed"), "updated modified lastbuilddate dc_date dcterms_modified"),
    **_all(_category(), "category keywords dc_subject"),
    **_all(_category(scheme="http://search.yahoo.com/mrss/category_schema"), "media_category"),
    **_all(_category("text", "http://www.itunes.com/"), "itunes_category"),
    **_all(_keywords("http://www.itunes.com/"), "itunes_keywords"),
    **_all(_keywords(None), "media_keywords"),
    **_all(_summary(_HTML, ""), "description dc_description media_description"),
    **_all(_summary(_PLAIN, ""), "summary itunes_summary"),
    **_all(_declined, "abstract itunes_owner"),
    **_all(_full(_PLAIN), "content"),
    **_all(_full(_HTML), "content_encoded"),
    **_all(_source, "source"),
    **_all(_enclosure, "enclosure"),
    **_all(_media_content, "media_content"),
    **_all(_passed, "language dc_language"),
}
SOURCE: dict[str, Handler] = _SHARED | {
    **_all(_source_person, "author dc_creator contributor"),
    **_all(_passed, "updated published category icon logo language"),
    **_all(
        _declined,
        """description summary content content_encoded itunes_summary media_description
        dc_description abstract itunes_owner enclosure url uri homepage media_thumbnail""",
    ),
}
FEED: dict[str, Handler] = _SHARED | {
    **_all(_entry, "item entry"),
    **_all(_author, "author dc_author dc_creator itunes_author managingeditor"),
    **_all(_person, "itunes_owner"),
    **_all(_passed, "published issued pubdate updated modified lastbuilddate dc_date"),
    **_all(_language, "language dc_language"),
    **_all(_kept("ttl"), "ttl"),
    **_all(_kept("sy_updateperiod"), "sy_updateperiod"),
    **_all(_kept("sy_updatefrequency"), "sy_updatefrequency"),
    **_all(_summary(_HTML, "subtitle"), "description dc_description"),
    **_all(_summary(_PLAIN, "summary"), "summary itunes_summary"),
    **_all(_declined, "media_description abstract content content_encoded enclosure"),
    **_all(
        _side("title link description url href width height"),
        "image",
    ),
    **_all(_side("title link description name"), "textinput"),
}
