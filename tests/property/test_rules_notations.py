"""A rule written out and read again is the same rule."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_matching_index_is_exact import CONCEPTS, COUNTRIES, clauses

from watcher.rules.parse import ClauseReader
from watcher.rules.query import QueryError, is_query, read_query
from watcher.rules.write import written

FACTS = st.sampled_from(
    [
        {"published": {"after": "2026-05-30", "before": "2026-06-01T12:00:00+09:00"}},
        {"words": {"min": 3}},
        {"words": {"min": 3, "max": 9}},
        {"domain": ["b.example", "A.example"]},
        {"phrase": "KIM AND (PUTIN)"},
        {"exact": ["US", "C++"]},
    ]
)
trees = st.one_of(clauses, FACTS, st.builds(lambda a, b: {"all": [a, b]}, clauses, FACTS))


@settings(max_examples=1000, deadline=None)
@given(trees)
@example({"in": ["title"], "phrase": "$powers"})
@example({"threshold": 1, "of": [{"in": "title", "any": ["kim", "$things"], "weight": 2}]})
def test_reading_what_was_written_gives_the_same_clauses(tree: Any) -> None:
    reader = ClauseReader(CONCEPTS, COUNTRIES)
    clause = reader.clause(tree, ())

    again = None
    if clause is not None:
        again = ClauseReader(CONCEPTS, COUNTRIES).clause(written(clause), ())

    assert again == clause


pieces = st.sampled_from(
    ["kim", '"a b"', "$powers", "AND", "OR", "NOT", "NEAR/3", "BEFORE/1", "SENTENCE", "(", ")", "2 OF",
     "title:", "title+lead:", "lang:", "country:", "exact:", '"', "\\", "x:y", "위성*", " "]
)  # fmt: skip


@settings(max_examples=1000, deadline=None)
@given(st.lists(pieces, min_size=1, max_size=12).map(" ".join))
def test_any_text_is_a_query_a_phrase_or_refused_with_words(text: str) -> None:
    try:
        said = read_query(text) if is_query(text) else text
    except QueryError as error:
        said = error.what and error.todo

    assert said
