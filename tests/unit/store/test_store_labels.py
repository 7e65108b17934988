"""Labels stay as they were given."""

from datetime import UTC, datetime, timedelta

from watcher.model import Article
from watcher.store.engine import Store
from watcher.store.labels import Label

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)


def label(rule: str = "launch", article: str = "a1", *, relevant: bool = True) -> Label:
    return Label(rule, article, relevant, {"title": "Rakete ☄", "lang": "de"}, NOW)


def test_a_label_comes_back_as_it_was_put(store: Store) -> None:
    with store.begin() as tx:
        tx.labels.put(label())

        assert tx.labels.all() == [label()]


def test_the_latest_word_about_an_article_counts(store: Store) -> None:
    with store.begin() as tx:
        tx.labels.put(label())
        tx.labels.put(label(relevant=False))

        assert [one.relevant for one in tx.labels.all("launch")] == [False]


def test_a_label_belongs_to_one_rule_and_can_be_removed(store: Store) -> None:
    with store.begin() as tx:
        tx.labels.put(label())
        tx.labels.put(label("ferry"))

        assert tx.labels.remove("launch", "a1")
        assert not tx.labels.remove("launch", "a1")
        assert [one.rule for one in tx.labels.all()] == ["ferry"]


def test_a_label_outlives_the_text_of_its_article(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(Article("a1", "f", "", "Rocket", "It flew.", NOW), "h")
        tx.labels.put(label())
        tx.articles.purge_text(NOW + timedelta(days=1))

        assert tx.labels.all() == [label()]


def test_articles_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    with store.begin() as tx:
        for name in ("abc1", "abc2", "abd1"):
            tx.articles.add(Article(name, "f", "", "t", "", NOW), name)

        assert [a.id for a in tx.articles.beginning_with("abd")] == ["abd1"]
        assert [a.id for a in tx.articles.beginning_with("abc")] == ["abc1", "abc2"]
        assert tx.articles.beginning_with("%") == []
