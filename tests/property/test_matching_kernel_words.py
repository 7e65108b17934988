"""The compiled kernel reads the same words as the tokeniser, whatever is sent."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.matching.compiled import AVAILABLE, Compiled
from watcher.matching.document import Document
from watcher.model import Article, Severity
from watcher.rules import clauses as c
from watcher.rules.compile import Rule
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import RuleTests
from watcher.tokens import fold_tokens

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="no compiler built the kernel")

AWKWARD = "aSs'’ʼ＇_ -.éßŁıſﬁǅ٣北がカﾞー㌖﷽株뷁ᄀ각ขḍ̇\u0301\u0327\u3099\ufe0f\u200b\u200d\u00ad\x00\x1c\u2028\U0001f680Ω𝒜２"
texts = st.one_of(
    st.text(alphabet=AWKWARD, max_size=40),
    st.text(max_size=40),
    st.lists(
        st.sampled_from(["Kim's", "Korea’s", "é’s x", "n's_", "北朝鮮の衛星", "TV局", "a" * 40])
    ).map(" ".join),
).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))


def rule(words: list[str], name: str = "r") -> Rule:
    phrase = c.Phrase(tuple(c.Word(word, frozenset((word,))) for word in words), " ".join(words))
    return Rule(name, "", "", Severity.LOW, (), phrase, None, AlertPolicy(), RuleTests())


def article(title: str, text: str) -> Article:
    return Article(
        "a", "f", "https://sample.example/1", title, text, datetime(2026, 5, 30, tzinfo=UTC)
    )


@settings(max_examples=1500, deadline=None)
@given(texts, texts)
def test_every_word_and_pair_is_found_and_none_across_fields(title: str, text: str) -> None:
    words, others = fold_tokens(title), fold_tokens(text)
    inside = [
        *([w] for w in words),
        *([w] for w in others),
        *pairwise(words),
        *pairwise(others),
    ]
    document = Document(article(title, text))

    certain, possible = Compiled(
        [rule([*part], str(n)) for n, part in enumerate(inside)]
    ).candidates(document)
    across = [words[-1], others[0]] if words and others else ["never", "met"]
    known = across in [[*part] for part in inside]
    crossing = Compiled([rule(across)]).candidates(document).certain

    assert sorted(certain, key=int) == [str(n) for n in range(len(inside))]
    assert not list(possible)
    assert bool(crossing) == known


@settings(max_examples=500, deadline=None)
@given(texts)
def test_what_was_read_before_changes_nothing(text: str) -> None:
    rules = [rule([word], word) for word in dict.fromkeys(fold_tokens(text))]
    kernel = Compiled([*rules, rule(["zz", "top"])])

    first = kernel.candidates(Document(article("", text)))
    kernel.candidates(Document(article(text[::-1], "zz top")))
    again = kernel.candidates(Document(article("", text)))

    assert sorted(first.certain) == sorted(again.certain) == sorted(rule.id for rule in rules)
