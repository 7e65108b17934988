"""Documents made to cost (RELIABILITY §3 B1–B3, B7): each a fresh process of its own, measured."""

import json
import subprocess
import sys
from collections.abc import Callable

import pytest

from watcher.errors import ParseError
from watcher.sources.parse import parse_feed

SIZE = 10 * 1024 * 1024
RSS = b"<rss version='2.0'><channel><title>T</title>"
END = b"</channel></rss>"
ITEM = RSS + b"<item>"
TEXT = ITEM + b"<description><![CDATA["
JSON = b'{"version": "https://jsonfeed.org/version/1.1", "items": ['


def filled(head: bytes, piece: bytes, tail: bytes = b"", size: int = SIZE) -> bytes:
    return head + piece * ((size - len(head) - len(tail)) // len(piece)) + tail


def numbered(piece: str, count: int) -> bytes:
    return "".join(piece.format(n) for n in range(count)).encode()


ROW = b"<tr><td style='a'>x</td><td>y</td></tr>"
ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'><title>T</title>"


def texts(inner: bytes, size: int = SIZE) -> bytes:
    """As many items as fit, each with the text."""
    return filled(RSS, b"<item><description>" + inner + b"</description></item>", END, size)


def sections(inner: bytes, size: int = SIZE) -> bytes:
    return texts(b"<![CDATA[" + inner + b"]]>", size)


BOMBS: dict[str, Callable[[], bytes]] = {
    "billion laughs": lambda: b"<!DOCTYPE l [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>" + RSS + b"&j;" + END,
    "quadratic entity": lambda: b"<!DOCTYPE l [<!ENTITY a '" + b"a" * 50_000 + b"'>]>" + RSS + b"&a;" * 2_000,
    "nested": lambda: RSS + b"<a>" * 200_000,
    "nested and closed": lambda: RSS + b"<a>" * 19_000 + b"</a>" * 19_000 + END,
    "a million attributes": lambda: RSS + b"<item " + numbered("a{}='' ", 1_000_000)[: SIZE - 99] + b"/>" + END,
    "attributes on many tags": lambda: filled(RSS, b"<a" + b" b=''" * 18 + b"/>", END),
    "long text": lambda: filled(ITEM + b"<description>", b"word ", b"</description></item>" + END),
    "long cdata": lambda: filled(TEXT, b"word ", b"]]></description></item>" + END),
    "tables in cdata": lambda: filled(TEXT, b"<table><tr><td>", b"]]></description></item>" + END),
    "items": lambda: filled(RSS, b"<item><title>a</title></item>", END),
    "a million empty items": lambda: RSS + b"<item/>" * 1_000_000 + END,
    "comments": lambda: filled(RSS, b"<!---->", END),
    "open comment": lambda: filled(RSS + b"<!--", b"-- "),
    "open cdata": lambda: filled(RSS, b"<![CDATA["),
    "open tags": lambda: RSS + b"<" * 39_000,
    "open quote": lambda: filled(RSS + b"<item a='", b"x"),
    "open declaration": lambda: filled(b"<?xml version='1.0' ", b"encoding='"),
    "lines before the root": lambda: b"<!---->" + b"\n" * 4_000_000 + RSS + END,
    "junk before the root": lambda: b"junk" + b"\n" * 4_000_000 + RSS + END,
    "namespaces": lambda: b"<rss version='2.0' " + numbered("xmlns:a{}='u' ", 100_000) + b"><channel/></rss>",
    "categories": lambda: ITEM + numbered("<category>{}</category>", 60_000) + b"</item>" + END,
    "categories, not well-formed": lambda: ITEM + numbered("<category>{}</category>", 9_000) + b"&nbsp;</item>" + END,
    "keywords": lambda: ITEM + b"<keywords>" + b"a," * 2_000_000 + b"</keywords>&nbsp;</item>" + END,
    "links": lambda: ITEM + b"<link href='http://a.example/' rel='enclosure'/>" * 39_000 + b"&nbsp;</item>" + END,
    "author": lambda: ITEM + b"<author>" + b"a" * 4_000_000 + b"</author>&nbsp;</item>" + END,
    "authors": lambda: ITEM + b"<author>a@a@a.a.a@a.a.a.a.a</author>" * 74_000 + b"</item>" + END,
    "authors, not well-formed": lambda: ITEM + b"<author>" * 14_000 + b"</author>" * 14_000 + b"&nbsp;</item>" + END,
    "authors with parts": lambda: ITEM + b"<author><name>a</name></author>" * 7_000 + b"&nbsp;</item>" + END,
    "written dates": lambda: filled(RSS, b"<item><pubDate>" + "2026년 ".encode() * 9 + b"</pubDate></item>", END),
    "references": lambda: ITEM + b"<title>" + b"&nbsp;" * 600_000 + b"</title></item>" + END,
    "noise": lambda: filled(RSS, b"\xb7"),
    "nul": lambda: filled(RSS, b"\0"),
    "json depth": lambda: b"[" * 200_000,
    "json objects": lambda: filled(JSON, b"{},", b"{}]}"),
    "json number": lambda: JSON + b"9" * 6_000 + b"]}",
    "json text": lambda: filled(JSON + b'{"id": "1", "content_html": "', b"<p>", b'"}]}'),
    "json tables": lambda: filled(JSON, b'{"id": "1", "content_html": "' + b"<table><td>x" * 150 + b'"},', b"{}]}"),
    "small tables": lambda: sections(b"<table>" + ROW * 42 + b"</table>", 8_600_000),
    "large tables": lambda: sections(b"<table>" + ROW * 500 + b"</table>"),
    "nested blocks": lambda: sections(b"<div>" * 370),
    "misnested": lambda: sections(b"<b><p><i></b></p></i>" * 90),
    "paragraphs": lambda: sections(b"<p>" * 630),
    "one huge attribute": lambda: sections(b"<td a='" + b"x" * 290_000 + b"'>"),
    "pictures in base64": lambda: sections(b"<img src='data:image/png;base64," + b"QUJD" * 1_400 + b"'>"),
    "base64": lambda: sections(b"QUJDREVGRw" * 700),
    "lines": lambda: sections(b"a\n" * 900),
    "odd spaces": lambda: sections("\u00a0\n".encode() * 900),
    "accents": lambda: sections(("e" + "\u0301" * 10).encode() * 80),
    "references to characters": lambda: texts(b"&#65;" * 380),
    "references in markup": lambda: sections(b"&#65;" * 380),
    "references without end": lambda: texts(b"&amp;nbsp" * 380),
    "sections": lambda: RSS + b"<item><description>" + b"<![CDATA[x]]>" * 99_000 + b"</description></item>" + END,
    "a namespace an item": lambda: RSS + numbered("<item><x{0}:a xmlns:x{0}='u{0}'/></item>", 30_000) + END,
    "dates": lambda: filled(RSS, b"<item><pubDate>" + b"Mon, " * 380 + b"</pubDate></item>", END),
    "xhtml": lambda: filled(
        ATOM,
        b"<entry><content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        + b"<table><tr><td>x</td></tr></table>" * 6 + b"</div></content></entry>",
        b"</feed>",
    ),
    "no encoding": lambda: filled(ITEM + b"<title>", "привет мир ".encode("koi8-r"), b"</title></item>" + END),
    "a web page": lambda: filled(b"<html><body>", b"<p>hello <a href='/x'>x</a>", b"</body></html>"),
}  # fmt: skip

MEASURE = """
import json, os, time
from tests.integration.test_sources_bombs import BOMBS
from watcher.errors import ParseError
from watcher.sources.parse import parse_feed

parse_feed(b"<rss version='2.0'><channel><item><title>a &nbsp; <table></title></item>", url="")
def resident(what):
    lines = open("/proc/self/status")
    return int(next(line for line in lines if line.startswith(what)).split()[1])


for name, make in BOMBS.items():
    if os.fork():
        os.wait()
        continue
    body = make()
    # The peak so far is that of making it: forget it.
    open("/proc/self/clear_refs", "w").write("5")
    before = resident("VmHWM:")
    started = time.process_time()
    try:
        outcome = len(parse_feed(body, url="https://sample.example/").entries)
    except ParseError as error:
        outcome = error.reason
    took = time.process_time() - started
    grown = (resident("VmHWM:") - before) / 1024
    print(json.dumps([name, outcome, took, grown]), flush=True)
    os._exit(0)
"""
REFUSED = {"too_complex", "entity_declaration", "bad_json", "not_a_feed"}


@pytest.fixture(scope="module")
def measured() -> dict[str, tuple[str | int, float, float]]:
    """Each in a process of its own: reason or number of entries, CPU seconds, MiB more than before."""
    found = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, timeout=110
    )
    return {name: tuple(rest) for name, *rest in map(json.loads, found.stdout.splitlines())}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_soon_and_small(
    name: str, measured: dict[str, tuple[str | int, float, float]]
) -> None:
    """Under 2 s of CPU and 64 MiB; twice the time is allowed for a busy machine's caches."""
    outcome, seconds, grown = measured[name]

    assert outcome in REFUSED if isinstance(outcome, str) else outcome <= 5_000
    assert seconds < 4
    assert grown < 64


def test_too_many_items_are_cut_and_counted_whatever_parser_reads_them() -> None:
    """B3: a million items."""
    feed = parse_feed(BOMBS["a million empty items"](), url="")

    assert 0 < len(feed.entries) <= 5_000
    assert f"{1_000_000 - len(feed.entries)} entries beyond the first" in feed.problems[-1]


def test_a_damaged_feed_of_many_items_loses_the_oldest_only() -> None:
    items = numbered("<item><title>t{0}</title><link>http://a.example/{0}</link></item>", 4_900)
    feed = parse_feed(RSS + items * 2 + b"&nbsp;" + END, url="")

    assert feed.entries[0].title == "t0"
    assert len(feed.entries) > 3_000


def test_many_attributes_inside_a_text_are_no_bomb() -> None:
    """Escaped markup of a long newsletter."""
    cell = '&lt;td style="a" width="1" align=\'left\'&gt;x&lt;/td&gt;'
    body = RSS + f"<item><description>{cell * 2_000}&nbsp;</description></item>".encode() + END

    assert len(parse_feed(body, url="").entries) == 1


OUTSIDE = {
    "external entity": b"<!DOCTYPE r [<!ENTITY % x SYSTEM 'file:///etc/passwd'>%x;]>" + RSS + END,
    "external dtd": b"<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd'>" + RSS + END,
    "xinclude": RSS + b"<item><title><xi:include xmlns:xi='http://www.w3.org/2001/XInclude' "
    b"href='file:///etc/passwd' parse='text'/></title></item>" + END,
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_outside_the_document_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """B2: neither a file nor an address is opened."""

    def opened(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"opened {args}")

    monkeypatch.setattr("builtins.open", opened)
    monkeypatch.setattr("socket.socket.connect", opened)
    try:
        found = repr(parse_feed(OUTSIDE[name], url=""))
    except ParseError as error:
        found = error.reason

    assert "root:" not in found
    assert "parser_failed" not in found


JSONS = {
    "null": b"null",
    "list": b"[]",
    "no items": b'{"version": "https://jsonfeed.org/version/1"}',
    "items null": b'{"version": "https://jsonfeed.org/version/1", "items": null}',
}


@pytest.mark.parametrize("name", JSONS)
def test_json_that_is_no_feed_is_refused(name: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse_feed(JSONS[name], url="")

    assert caught.value.reason == "not_a_feed"


def test_odd_json_items_are_skipped_and_the_rest_kept() -> None:
    """B7: strings, null, NaN and doubled keys among the items."""
    body = (
        JSON
        + b'"x", null, 7, [], {"id": NaN, "id": "a"}, {"id": "b", "title": {"x": 1}, "tags": 3}]}'
    )

    feed = parse_feed(body, url="")

    assert [entry.guid for entry in feed.entries] == ["a", "b"]
    assert feed.problems == ("4 items are not objects and were skipped",)


def test_the_newest_items_of_a_feed_too_large_for_the_tolerant_parser_are_read() -> None:
    item = "<item><title>t{0}</title><description>" + "word " * 2_000 + "</description></item>"
    body = RSS + numbered(item, 900) + b"&nbsp;" + END

    feed = parse_feed(body, url="")

    assert feed.entries[0].title == "t0"
    assert 600 < len(feed.entries) < 900
    assert f"{900 - len(feed.entries)} entries beyond the first" in feed.problems[-1]


def test_markup_beyond_what_is_read_as_a_tree_keeps_its_words_without_scripts() -> None:
    cells = b"<table><style>p {}</style>" + b"<tr><td>one</td><td>two</td></tr>" * 1_000
    body = RSS + b"<item><description><![CDATA[" + cells + b"]]></description></item>"

    feed = parse_feed(body + body.removeprefix(RSS) * 40 + END, url="")
    first, *_, last = feed.entries

    assert first.summary.startswith("one\n\ntwo")
    assert last.summary.startswith("one two")
