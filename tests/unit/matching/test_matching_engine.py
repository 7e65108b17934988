"""The matcher as an engine: edits, both forms, and text that was sent to hurt."""

import time
from collections.abc import Callable, Sequence
from itertools import product

import pytest
from rule_maker import article, rule

from watcher.matching.compiled import AVAILABLE, Compiled
from watcher.matching.document import Document
from watcher.matching.index import Index, Prefilter
from watcher.matching.matcher import Matcher
from watcher.model import Article
from watcher.rules.compile import Rule

Form = Callable[[Sequence[Rule]], Prefilter]
FORMS = [
    Index,
    pytest.param(
        Compiled, marks=pytest.mark.skipif(not AVAILABLE, reason="no compiler built the kernel")
    ),
]


def named(name: str, when: object, unless: object = None) -> Rule:
    made = rule(when, unless)
    object.__setattr__(made, "id", name)
    return made


def hits(matcher: Matcher, found_in: Article) -> set[str]:
    ids = matcher.hits(found_in)
    assert len(ids) == len(set(ids)), "each rule once"
    return set(ids)


@pytest.fixture(params=FORMS)
def form(request: pytest.FixtureRequest) -> Form:
    return request.param


def test_an_edited_rule_replaces_the_one_of_its_id(form: Form) -> None:
    matcher = Matcher([named("a", "kim"), named("b", "kim")], prefilter=form)

    matcher.edit([named("b", "rocket"), named("c", "kim")])

    assert hits(matcher, article("Kim")) == {"a", "c"}
    assert hits(matcher, article("rocket")) == {"b"}


def test_a_removed_rule_is_silent_and_may_come_back(form: Form) -> None:
    matcher = Matcher([named("a", "kim"), named("b", "kim")], prefilter=form)

    matcher.edit([], removed=["a"])
    without = hits(matcher, article("Kim"))
    matcher.edit([named("a", "kim")])

    assert without == {"b"}
    assert hits(matcher, article("Kim")) == {"a", "b"}
    assert sorted(r.id for r in matcher.rules) == ["a", "b"]


def test_merging_leaves_the_answers_as_they_were(form: Form) -> None:
    matcher = Matcher([named("a", "kim"), named("b", "sohae")], prefilter=form)
    matcher.edit([named("b", "kim"), named("c", "kim")], removed=["a"])

    merged = matcher.merged()

    assert matcher.segments == 2
    assert merged.segments == 1
    assert hits(merged, article("Kim")) == hits(matcher, article("Kim")) == {"b", "c"}


def test_using_a_rule_list_keeps_what_did_not_change(form: Form) -> None:
    matcher = Matcher([named("a", "kim"), named("b", "kim")], prefilter=form)

    matcher.use([named("a", "kim")])
    one = hits(matcher, article("Kim"))
    matcher.use([named("a", "rocket"), named("d", "kim")])

    assert one == {"a"}
    assert hits(matcher, article("Kim")) == {"d"}


def test_one_edit_among_very_many_rules_builds_only_that_one(form: Form) -> None:
    words = ["".join(letters) for letters in product("abcdefgh", repeat=4)]
    built: list[int] = []

    def counted(rules: Sequence[Rule]) -> Prefilter:
        built.append(len(rules))
        return form(rules)

    matcher = Matcher([named(word, word) for word in words], prefilter=counted)
    matcher.edit([named("abcd", "changed")])

    assert built == [4096, 0, 1]
    assert hits(matcher, article("changed")) == {"abcd"}


def test_words_longer_than_any_rules_are_told_apart_by_their_beginning(form: Form) -> None:
    matcher = Matcher([named("p", "launch*"), named("w", "launch" + "x" * 200)], prefilter=form)

    assert hits(matcher, article("launch" + "y" * 5_000)) == {"p"}
    assert hits(matcher, article("launch" + "x" * 200)) == {"p", "w"}
    assert hits(matcher, article("launch" + "x" * 201)) == {"p"}
    assert hits(matcher, article("relaunch" + "x" * 5_000)) == set()


def test_endless_new_words_never_hide_a_prefix(form: Form) -> None:
    matcher = Matcher([named("p", "satel*")], prefilter=form)

    for n in range(5):
        text = " ".join(f"w{n}x{m}" for m in range(100_000))
        assert hits(matcher, article("", f"{text} satellites{n}")) == {"p"}


@pytest.mark.skipif(not AVAILABLE, reason="no compiler built the kernel")
def test_the_kernel_forgets_words_that_no_rule_has() -> None:
    prefilter = Compiled([named("p", "satel*")])

    remembered = []
    for n in range(12):
        text = " ".join(f"w{n}x{m} é{n}x{m}" for m in range(50_000))
        prefilter.candidates(Document(article("", text)))
        remembered.append(prefilter.remembered)

    assert max(remembered) < 700_000
    assert remembered != sorted(remembered)


@pytest.mark.parametrize(
    "text",
    [
        "kim " * 100_000,
        "kim launch " * 50_000,
        "k" * 1_000_000,
        "北朝鮮" * 100_000,
        "㌖ﷺ" * 50_000,
        "é’s" * 100_000,
        "\u0301" * 300_000,
        "'s" * 300_000,
    ],
    ids=["one word", "two words", "no space", "han", "ligatures", "possessives", "marks", "quotes"],
)
def test_a_hostile_megabyte_is_read_in_bounded_time(form: Form, text: str) -> None:
    whens = ["kim near/2 launch", "launch*", "kim kim kim", "北朝鮮 衛星", "メートル", "é"]
    matcher = Matcher([named(f"r{n}", when) for n, when in enumerate(whens)], prefilter=form)

    started = time.process_time()
    hits(matcher, article("", text))

    # A quadratic step would take minutes; the bound is far from both.
    assert time.process_time() - started < 20


def test_a_rule_of_ten_thousand_words_is_matched(form: Form) -> None:
    words = [f"word{n}" for n in range(10_000)]
    matcher = Matcher([named("big", {"any": words}), named("all", {"all": words})], prefilter=form)

    assert hits(matcher, article("word9999")) == {"big"}
    assert hits(matcher, article("", " ".join(words))) == {"all", "big"}
