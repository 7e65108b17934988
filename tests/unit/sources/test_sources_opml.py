"""OPML as other readers write it, as attackers do, and as we do: what we write we read."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watcher.config.subscriptions import plan_import
from watcher.errors import ParseError
from watcher.sources.opml import MAX_BYTES, read_opml, write_opml

DATA = Path(__file__).parents[2] / "data" / "opml"
NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
NONE: list[dict[str, Any]] = []


def opml(body: str, head: str = '<opml version="2.0">') -> bytes:
    return f"<?xml version='1.0'?>\n{head}<head/><body>\n{body}\n</body></opml>".encode()


def entries(body: bytes) -> list[dict[str, Any]]:
    return list(plan_import(read_opml(body), NONE).new)


SAMPLES: dict[str, list[tuple[str, str, str, str]]] = {
    "feedly.opml": [
        ("northern-wire", "https://wire.example/rss.xml", "Northern Wire", "Korea"),
        ("sosik", "https://sosik.example/feed?a=1&b=2", "북녘 소식", "Korea"),
        ("launch-log", "http://launches.example/atom.xml", "Launch log", "Space & Orbit"),
    ],
    "inoreader.xml": [
        ("harbour-gazette", "https://harbour.example/feed/", "Harbour Gazette", "Wires"),
        ("port-desk-live", "https://port.example/live.rss", 'Port desk "live"', "Wires"),
        ("loose-end", "https://loose.example/index.xml", "Loose end", ""),
    ],
    "miniflux.opml": [
        ("coast-radio", "https://coast.example/atom", "Coast Radio", "All"),
        ("svodka", "https://svodka.example/rss", "Сводка", "Оборона"),
    ],
    "netnewswire.opml": [
        ("weather-log", "https://weather.example/feed.json", "Weather Log", ""),
        ("minato", "https://minato.example/rss", "港の便り", "Asia / Japan"),
        ("strait-watch", "https://strait.example/rss", "Strait watch", "Asia"),
    ],
    "newsboat.opml": [
        ("tide-tables", "https://tide.example/rss", "Tide tables", ""),
        ("cape", "https://cape.example/atom.xml", "", "sea / capes"),
    ],
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_lists_of_other_readers_are_read(name: str) -> None:
    found = entries((DATA / name).read_bytes())

    got = [(e["id"], e["url"], e.get("title", ""), e.get("group", "")) for e in found]
    assert got == SAMPLES[name]


def test_repeats_and_what_is_no_address_are_told_with_their_lines() -> None:
    feedly = plan_import(read_opml((DATA / "feedly.opml").read_bytes()), NONE)
    newsboat = plan_import(read_opml((DATA / "newsboat.opml").read_bytes()), NONE)

    assert feedly.known == ("line 14: https://wire.example/rss.xml is northern-wire",)
    assert [line.partition(":")[0] for line in newsboat.broken] == ["line 2", "line 2"]
    assert "must begin with http:// or https://" in newsboat.broken[0]


def test_feeds_that_are_configured_are_known_however_they_are_spelled() -> None:
    have = [{"id": "w", "url": "http://www.wire.example/rss.xml/"}]
    plan = plan_import(read_opml((DATA / "feedly.opml").read_bytes()), have)

    assert [line.rpartition(" ")[2] for line in plan.known] == ["w", "w"]


def test_one_group_may_take_the_place_of_all() -> None:
    plan = plan_import(read_opml((DATA / "netnewswire.opml").read_bytes()), NONE, group="new")

    assert {e["group"] for e in plan.new} == {"new"}


@pytest.mark.parametrize(
    "body",
    [
        '<outline XMLURL="https://a.example/?x=1&y=2&copy=3" title="A"/>',
        '<outline url="https://a.example/?x=1&amp;y=2&amp;copy=3" type="rss" text="A"/>',
        '<OUTLINE xmlUrl=" https://a.example/?x=1&amp;y=2&amp;copy=3 " text="&amp;#65;"/>',
        '<outline xmlUrl="https://a.example/?x=1&amp;y=2&amp;copy=3" text="\x01A\x0b"/>',
        '<outline xmlUrl="https://a.example/?x=1&amp;y=2&amp;copy=3" text="<b>A</b>"/>'.replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;"),
    ],
)  # fmt: skip
def test_what_people_write_by_hand_is_understood(body: str) -> None:
    (entry,) = entries(opml(body))
    assert (entry["url"], entry["title"]) == ("https://a.example/?x=1&y=2&copy=3", "A")


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "windows-1251", "koi8-r"]
)
def test_encodings_are_read_as_declared(encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>\n\n<opml><body>\n<outline xmlUrl='https://a.example/' text='Сводка'/>\n<outline type='rss' text='x'/></body></opml>"
    found = read_opml(text.encode(encoding))

    assert found.feeds[0].entry["title"] == "Сводка"
    assert (found.feeds[0].line, found.troubles[0].line) == (4, 5)


@pytest.mark.parametrize(
    ("broken", "line", "what"),
    [
        ('<outline type="rss" text="Lost"/>', 3, "Lost: no address"),
        ('<outline type="include" url="http://127.0.0.1/list.opml" text="More"/>', 3, "included"),
        ('<outline type="link" url="https://a.example/" text="Page"/>', 3, "a link, no feed"),
        ('<outline text="a < b" xmlUrl="https://x.example/"/>', 3, "not well-formed"),
        ('<outline text="a" text="b"\n xmlUrl="https://x.example/"/>', 3, "duplicate attribute"),
        ('<outline text="&#0;" xmlUrl="https://x.example/"/>', 3, "character"),
        ('<outline text="a" xmlUrl="https://x.example/">x</outline>&<b/>', 0, ""),
        ('<outline text="f" xmlUrl="file:///etc/passwd"/>', 3, "http"),
        ('<outline text="j" xmlUrl="javascript:alert(1)"/>', 3, "http"),
        ('<outline text="u" xmlUrl="https://user:word@x.example/"/>', 3, "user name"),
        ('<outline text="b" xmlUrl="https://a.example\\@b.example/"/>', 3, ""),
        ('<outline text="h" xmlUrl="https:///rss"/>', 3, "no host"),
        ('<outline text="l" xmlUrl="https://x.example/' + "a" * 3000 + '"/>', 3, "longer"),
    ],
)  # fmt: skip
def test_a_broken_outline_is_told_with_its_line_and_the_others_stay(
    broken: str, line: int, what: str
) -> None:
    good = '<outline text="Good" xmlUrl="https://good.example/"/>'
    plan = plan_import(read_opml(opml(f"{broken}\n<outline text='G'>{good}</outline>")), NONE)

    assert plan.new[-1] == {"id": "good", "url": "https://good.example/", "title": "Good", "group": "G"}  # fmt: skip
    assert not line or (plan.broken[0].startswith(f"line {line}: ") and what in plan.broken[0])


ENTITY = "<?xml version='1.0'?><!DOCTYPE opml [<!ENTITY a 'x'>]><opml><body><outline xmlUrl='https://a.example/' text='&a;'/></body></opml>"
REFUSED = {
    "entity_declaration": ENTITY.encode(),
    "entity_declaration ": ENTITY.encode("utf-16"),
    "entity_declaration  ": b'<!DOCTYPE opml [<!ENTITY % p SYSTEM "http://127.0.0.1/x">%p;]><opml/>',
    "too_large": b"<opml>" + b" " * MAX_BYTES,
    "too_complex": opml("<outline text='a'>" * 300 + "</outline>" * 300),
    "too_complex ": opml("<outline text='a'/>" * 50_000),
    "too_complex  ": opml("<outline " + "".join(f"a{n}='1' " for n in range(5000)) + "/>"),
    "not_opml": b"<rss version='2.0'><channel/></rss>",
    "not_opml ": b"<html><body>no</body></html>",
    "bad_xml": b"<opml><body><outline text='a'></body></opml>",
    "bad_xml ": b"<opml><body><outline text='a' xmlUrl='https://a.exa",
    "bad_xml  ": b"",
    "bad_xml   ": b"one\ntwo",
    "bad_xml    ": b"\0" * 5000,
    "bad_xml     ": opml("<outline text='a<b'/>" * 100),
    "bad_xml      ": b'{"feeds": []}',
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_hostile_or_no_list_is_refused(name: str) -> None:
    start = time.process_time()
    with pytest.raises(ParseError) as caught:
        read_opml(REFUSED[name])

    assert caught.value.reason == name.strip()
    assert time.process_time() - start < 3


def test_a_document_type_is_read_and_never_fetched() -> None:
    body = b'<!DOCTYPE opml SYSTEM "http://127.0.0.1:1/opml.dtd"><opml><body><outline xmlUrl="https://a.example/" text="A"/></body></opml>'

    assert len(read_opml(body).feeds) == 1


@settings(deadline=None)
@given(st.binary(max_size=300), st.integers(0, 1000), st.sampled_from(sorted(SAMPLES)))
def test_damage_is_refused_and_nothing_else_happens(noise: bytes, at: int, name: str) -> None:
    body = (DATA / name).read_bytes()
    with suppress(ParseError):
        read_opml(body[:at] + noise + body[at + len(noise) // 2 :])


# ── what we write ──

TEXTS = st.text(max_size=20) | st.sampled_from(
    ["a / b", " / ", "/", "A  B", "<b>", "&amp;", "5", '"x"', "null", "[1]", "\x07", "a\nb", "\ufeff", "😀", "x" * 400, "]]>", "{", "true", "a/b, c", "https://x.example/"]
)  # fmt: skip
URLS = st.sampled_from(["https://a.example/", "http://b.example:8080/x?y=1&z=<2>", "https://c.example/한", "https://d.example/%20'\"", "https://e.example/#x"])  # fmt: skip
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "title": TEXTS,
    "group": TEXTS,
    "lang": st.sampled_from(["en", "ko", "pt-BR"]),
    "publisher": TEXTS,
    "every": st.sampled_from(["15m", "1h30m", "90s"]),
    "initial": st.integers(0, 1000),
    "enabled": st.booleans(),
    "identity": st.sampled_from(["auto", "guid", "link", "content"]),
}
FEEDS = st.lists(
    st.tuples(URLS, st.fixed_dictionaries({}, optional=OPTIONS)),
    max_size=6,
    unique_by=lambda f: f[0],
).map(lambda fs: [{"id": f"f-{n}", "url": url, **rest} for n, (url, rest) in enumerate(fs)])


def kept(feeds: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """In one order, without the texts that say nothing."""
    plain = [{k: v for k, v in f.items() if v != "" or k == "title"} for f in feeds]
    plain = [{k: v for k, v in f.items() if (k, v) != ("title", "")} for f in plain]
    return sorted(plain, key=lambda f: f["id"])


@settings(max_examples=200, deadline=None)
@given(FEEDS)
@example([{"id": "a", "url": "https://a.example/", "group": "A / B"}, {"id": "b", "url": "https://b.example/", "group": "A"}])  # fmt: skip
def test_reading_what_was_written_gives_the_same_feeds(feeds: list[dict[str, Any]]) -> None:
    plan = plan_import(read_opml(write_opml(feeds, created=NOW).encode()), NONE)

    assert (plan.known, plan.broken) == ((), ())
    assert kept(list(plan.new)) == kept(feeds)


def test_groups_are_folders_and_options_have_a_namespace() -> None:
    feeds = [
        {"id": "a", "url": "https://a.example/?x=1&y=2", "title": "A <1>", "group": "Asia / Korea", "every": "10m", "initial": 2},
        {"id": "b", "url": "https://b.example/"},
        {"id": "c", "url": "https://c.example/", "title": "C", "group": "Asia"},
    ]  # fmt: skip

    assert write_opml(feeds, created=NOW) == (DATA / "written.opml").read_text("utf-8")


def test_headers_are_neither_written_nor_read() -> None:
    feed = {"id": "a", "url": "https://a.example/", "headers": {"Cookie": "secret-word"}}
    text = write_opml([feed], created=NOW)
    told = opml(
        '<outline text="ab" xmlUrl="https://a.example/" w:headers=\'{"Cookie": "x"}\' w:colour="red"/>',
        '<opml xmlns:w="urn:watcher:opml">',
    )

    assert "secret-word" not in text
    assert "headers" not in text
    assert entries(told) == [{"id": "ab", "url": "https://a.example/", "title": "ab"}]


def test_a_strangers_prefix_means_nothing() -> None:
    body = opml('<outline text="ab" xmlUrl="https://a.example/" watcher:initial="9" x:y="1"/>')

    assert entries(body) == [{"id": "ab", "url": "https://a.example/", "title": "ab"}]


def test_thousands_of_feeds_take_no_time() -> None:
    feeds = [
        {"id": f"f{n}", "url": f"https://f{n}.example/rss", "title": f"Feed {n}", "group": f"g{n % 50}"}
        for n in range(5000)
    ]  # fmt: skip
    start = time.process_time()
    back = entries(write_opml(feeds, created=NOW).encode())

    assert kept(back) == kept(feeds)
    assert time.process_time() - start < 5
