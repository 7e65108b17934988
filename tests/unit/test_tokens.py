"""One tokeniser: fast and exact form agree, places are right."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watcher.tokens import fold_tokens, tokenise

CASES = [
    ("North Korea's satellite-launch", ["north", "korea", "satellite", "launch"]),
    ("Zürich ﬁre Łódź œuvre Straße", ["zurich", "fire", "lodz", "oeuvre", "strasse"]),
    ("O’Neill's U.S. plan", ["o", "neill", "u", "s", "plan"]),
    ("北朝鮮が", ["北", "朝", "鮮", "が"]),
    ("ｶﾞ カ\u3099", ["ガ", "ガ"]),
    ("\u1112\u1161\u11ab국", ["한국"]),
    ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
    ("مُحَمَّد", ["محمد"]),
    ("हिन्दी", ["हिन्दी"]),
    ("👨‍👩‍👧", []),
]


@pytest.mark.parametrize(("text", "words"), CASES)
def test_text_is_folded_into_words(text: str, words: list[str]) -> None:
    assert fold_tokens(text) == words


@settings(max_examples=500)
@given(st.text(max_size=60))
@example("İstanbul ẞ ŉ ǰ")
@example("e\u0301'S x'st 's")
@example("\u0600\u0301\U000e0041ᄀ\u302e")
def test_the_exact_form_gives_the_same_words_with_their_places(text: str) -> None:
    tokens = tokenise(text)

    assert [token.text for token in tokens] == fold_tokens(text)
    assert all(0 <= t.start < t.end <= len(text) for t in tokens)
    assert [t.start for t in tokens] == sorted(t.start for t in tokens)
