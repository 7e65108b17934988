"""What holds for identity whatever a feed contains."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from watcher.identity import Identified, Kind, identify, identity_keys
from watcher.model import Entry

NOW = datetime(2026, 5, 27, 6, 0, tzinfo=UTC)

# Few values, so that guids, links and texts clash often.
guids = st.one_of(st.none(), st.sampled_from(["", "1", "2", "https://a.example/1#x"]), st.text())
links = st.one_of(
    st.none(),
    st.sampled_from(["https://a.example/", "https://a.example/1", "http://a.example/1?utm_id=2"]),
    st.text(max_size=20),
)
texts = st.one_of(st.sampled_from(["", "One", "Two", "long words " * 9]), st.text(max_size=60))
dates = st.one_of(st.none(), st.integers(0, 3).map(lambda n: NOW + timedelta(days=n)))
entries = st.builds(Entry, guid=guids, url=links, title=texts, summary=texts, published=dates)
documents = st.lists(entries, max_size=12)


def poll(known: dict[str, str], hashes: dict[str, str], document: list[Entry]) -> list[Identified]:
    items = identify("alpha", document, known, hashes)
    for item in items:
        for key in item.keys.all:
            known.setdefault(key, item.article)
        if item.kind in {Kind.NEW, Kind.REVISION}:
            hashes[item.article] = item.content_hash
    return items


@given(documents)
def test_a_document_seen_again_holds_nothing_new(document: list[Entry]) -> None:
    known: dict[str, str] = {}
    hashes: dict[str, str] = {}
    poll(known, hashes, document)

    again = poll(known, hashes, document)

    assert Kind.NEW not in {item.kind for item in again}


@given(documents, st.data())
def test_a_part_of_a_document_in_any_order_holds_nothing_new(
    document: list[Entry], data: st.DataObject
) -> None:
    known: dict[str, str] = {}
    hashes: dict[str, str] = {}
    poll(known, hashes, document)
    part = data.draw(st.permutations(document))[: data.draw(st.integers(0, len(document)))]

    again = poll(known, hashes, part)

    assert Kind.NEW not in {item.kind for item in again}


@given(documents, documents)
def test_what_was_seen_stays_known_whatever_came_between(
    first: list[Entry], second: list[Entry]
) -> None:
    known: dict[str, str] = {}
    hashes: dict[str, str] = {}
    poll(known, hashes, first)
    poll(known, hashes, second)

    again = poll(known, hashes, first)

    assert Kind.NEW not in {item.kind for item in again}


@given(documents)
def test_every_new_article_has_an_id_of_its_own(document: list[Entry]) -> None:
    items = poll({}, {}, document)
    ids = [item.article for item in items if item.kind is Kind.NEW]

    assert len(ids) == len(set(ids))
    assert all(len(article) == 20 and article.startswith("a") for article in ids)


@given(documents)
def test_the_same_document_gives_the_same_ids(document: list[Entry]) -> None:
    assert poll({}, {}, document) == poll({}, {}, document)


@given(documents)
def test_only_an_entry_without_guid_link_and_words_is_skipped(document: list[Entry]) -> None:
    for item in poll({}, {}, document):
        blank = not identity_keys(item.entry).all

        assert (item.kind is Kind.SKIP) == (blank or not item.keys.all)
