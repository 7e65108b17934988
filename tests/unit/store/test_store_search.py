import pytest
from store_samples import NOW, article

from watcher.store.engine import Store
from watcher.store.search import SearchHit, pairs_of

ARCHIVE = {
    "zurich": ("Talks in Zürich", "Delegations met on the lake."),
    "launch": ("Launches planned for spring", "A satellite will be launched; AND more (later)."),
    "beijing": ("北京发射卫星", "长征火箭把一颗遥感卫星送入轨道。"),
    "seoul": ("북한, 위성을 발사", "합동참모본부가 밝혔다."),
    "tokyo": ("北朝鮮が衛星を打ち上げ", "ロケットは黄海の上空で爆発した。"),
    "hyphen": ("Lift-off delayed", "space-launch vehicle: range safety."),
}


def search(store: Store, query: str, limit: int = 20) -> list[SearchHit]:
    with store.begin() as tx:
        for name, (title, text) in ARCHIVE.items():
            tx.articles.add(article(name, title=title, text=text), "h")
        return tx.articles.search(query, limit)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("zurich", {"zurich"}),
        ("ZÜRICH", {"zurich"}),
        ("launch", {"launch", "hyphen"}),
        ("satellite launching", {"launch"}),
        ('"space launch"', {"hyphen"}),
        ('"launch space"', set()),
        ("sat*", {"launch"}),
        ("lift-off", {"hyphen"}),
        ("卫星", {"beijing"}),
        ("发射卫星", {"beijing"}),
        ("卫星发射", set()),
        ("星", {"beijing", "tokyo"}),
        ("위성", {"seoul"}),
        ("衛星", {"tokyo"}),
        ("ロケット", {"tokyo"}),
        ("ﾛｹｯﾄ", {"tokyo"}),
        ("北", {"beijing", "tokyo"}),
        ("卫星 launch", set()),
        ('"北京" 轨道', {"beijing"}),
        ("absent", set()),
        ("", set()),
        ("😀 …", set()),
    ],
)
def test_a_query_finds(store: Store, query: str, expected: set[str]) -> None:
    found = {hit.article.id for hit in search(store, query)}

    assert found == expected


@pytest.mark.parametrize(
    "query",
    [
        "launch AND (",
        "launch AND",
        "NOT",
        "launch OR satellite)",
        "title:launch",
        "-launch",
        '"',
        'a"b"c"',
        "*",
        "***launch***",
        "^launch",
        "NEAR(a b, 5)",
        "'; DROP TABLE article; --",
        "{a b}: c",
        "\0launch\0",
        "\udcff launch",
        "卫" * 5000,
        "a " * 5000,
        ":words :pairs",
        "%s %(x)s {0}",
    ],
)
def test_whatever_is_typed_is_a_question_and_never_an_error(store: Store, query: str) -> None:
    search(store, query)


def test_words_and_runs_of_one_query_must_both_occur(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article("both", title="北京 announces", text=""), "h")
        tx.articles.add(article("one", title="北京 denies", text=""), "h")

        found = [hit.article.id for hit in tx.articles.search("北京 announces")]

    assert found == ["both"]


def test_a_title_counts_more_than_the_text(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article("text", title="Quiet day", text="One comet was seen."), "h")
        tx.articles.add(article("title", title="One comet", text="It was a quiet day."), "h")

        found = [hit.article.id for hit in tx.articles.search("comet")]

    assert found == ["title", "text"]


@pytest.mark.parametrize(
    ("query", "snippet"),
    [("satellite", "A [satellite] will be launched"), ("卫星", "北京发射[卫星]")],
)
def test_a_snippet_marks_what_matched(store: Store, query: str, snippet: str) -> None:
    (hit,) = search(store, query)

    assert snippet in hit.snippet


def test_the_limit_holds(store: Store) -> None:
    assert len(search(store, "北", limit=1)) == 1


def test_a_revision_replaces_what_is_found(store: Store) -> None:
    with store.begin() as tx:
        tx.articles.add(article(title="Old 卫星", text="comet"), "h1")
        tx.articles.revise(article(title="New 火箭", text="meteor"), "h2", NOW)

        found = [bool(tx.articles.search(q)) for q in ("comet", "卫星", "meteor", "火箭")]

    assert found == [False, False, True, True]


def test_pairs_keep_runs_apart() -> None:
    assert pairs_of("a 北京发, 射 b") == "北京 京发 发 射"
    assert pairs_of("plain words") == ""
