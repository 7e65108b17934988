"""The invented day: big enough, in many languages, the same for everyone, and clearly a sample."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from watcher.config.load import load_config
from watcher.demo.archive import archive_lines
from watcher.demo.folder import Ports, secrets, write_folder
from watcher.demo.formats import document
from watcher.demo.newsday import DAY, news_day
from watcher.sources.parse import parse_feed

DAY_OF_NEWS = news_day()
FORMATS = {"rss20", "rss10", "atom10", "json11"}


def test_the_day_is_as_big_as_promised() -> None:
    outlets, pieces = DAY_OF_NEWS.outlets, DAY_OF_NEWS.pieces
    languages = Counter(outlets[piece.outlet].lang for piece in pieces)

    assert len(outlets) >= 30
    assert len(pieces) >= 300
    assert set(languages) == {"en", "ko", "ja", "zh", "ru", "de", "fr", "es"}
    assert {outlet.format for outlet in outlets.values()} == FORMATS


def test_every_outlet_says_that_it_is_a_sample() -> None:
    signs = (
        "Sample",
        "샘플",
        "サンプル",
        "样本",
        "Образ",
        "Muster",
        "Exemple",
        "Ejemplo",
        "Muestra",
    )
    domains = {outlet.domain for outlet in DAY_OF_NEWS.outlets.values()}

    assert all(any(s in o.name for s in signs) for o in DAY_OF_NEWS.outlets.values())
    assert all(d.startswith("sample-") and d.endswith(".example") for d in domains)


def test_every_outlet_has_something_before_the_day_begins() -> None:
    """Its first poll is a baseline; an outlet without one would announce its first article."""
    outlets, start = DAY_OF_NEWS.outlets, DAY - timedelta(hours=2)
    empty = [o.id for o in outlets.values() if not DAY_OF_NEWS.published(o.id, start)]

    assert empty == ["sample-gather"]


def test_no_two_articles_share_an_id_or_a_path() -> None:
    assert len({(p.outlet, p.path) for p in DAY_OF_NEWS.pieces}) == len(DAY_OF_NEWS.pieces)


def test_articles_are_sentences_and_not_templates() -> None:
    odd = [p for p in DAY_OF_NEWS.pieces if "{" in p.title + p.text or len(p.text) < 20]

    assert not odd


def test_the_same_seed_gives_the_same_day() -> None:
    assert news_day(seed=1) == DAY_OF_NEWS
    assert news_day(seed=2) != DAY_OF_NEWS


def test_wire_copies_keep_the_wires_mark() -> None:
    wire = [p for p in DAY_OF_NEWS.pieces if "(SWS)" in p.text]
    reprints = [p for p in wire if p.outlet != "sample-wire" and not p.source]

    assert len(reprints) >= 20


@pytest.mark.parametrize("outlet", DAY_OF_NEWS.outlets.values(), ids=lambda o: o.id)
def test_our_own_parser_reads_every_feed_back(outlet: object) -> None:
    pieces = DAY_OF_NEWS.published(outlet.id, DAY + timedelta(days=1))
    body, content_type = document(outlet, pieces, DAY_OF_NEWS.outlets)
    parsed = parse_feed(body, url="http://127.0.0.1/feed", content_type=content_type)

    assert not parsed.problems
    assert parsed.format == outlet.format
    assert [e.published for e in parsed.entries] == [p.at for p in pieces]
    assert all(e.title.startswith(p.title) for e, p in zip(parsed.entries, pieces, strict=True))


def test_an_aggregators_entries_name_their_source() -> None:
    outlet = DAY_OF_NEWS.outlets["sample-gather"]
    pieces = DAY_OF_NEWS.published(outlet.id, DAY + timedelta(days=1))
    body, content_type = document(outlet, pieces, DAY_OF_NEWS.outlets)
    parsed = parse_feed(body, url="http://127.0.0.1/feed", content_type=content_type)

    assert {e.publisher for e in parsed.entries} >= {"Sample Peninsula Post"}


def test_the_demos_folder_is_a_sound_configuration(tmp_path) -> None:
    ports = Ports(8001, 8002, 8003)
    write_folder(tmp_path, DAY_OF_NEWS, ports, start=DAY, speed=1200)
    config = load_config(tmp_path, secrets(ports))

    assert len(config.feeds) == len(DAY_OF_NEWS.outlets)
    assert {rule.id for rule in config.rules} >= {
        "north-korea-satellite-launch",
        "kim-jong-un-state-trip",
    }
    assert config.settings.http.allow == ("127.0.0.1:8001", "127.0.0.1:8002")


def test_the_archive_has_as_many_articles_as_asked_for_oldest_first() -> None:
    articles = [json.loads(line) for line in archive_lines(1000)]
    times = [article["published"] for article in articles]

    assert len(articles) == len({article["id"] for article in articles}) == 1000
    assert times == sorted(times)


def test_the_archive_is_the_same_every_time() -> None:
    assert list(archive_lines(500)) == list(archive_lines(500))
    assert list(archive_lines(500, seed=2)) != list(archive_lines(500))
