"""The index may skip only what can't hold: it always agrees with looking at every rule."""

from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.matching.compiled import AVAILABLE, Compiled
from watcher.matching.index import Index, NoPrefilter
from watcher.matching.matcher import Matcher
from watcher.model import Article
from watcher.rules.compile import Rule, compile_concepts, compile_rules
from watcher.rules.schema import ConceptSpec, RuleSpec

NOW = datetime(2026, 5, 30, tzinfo=UTC)
WORDS = [
    "north", "korea", "Kim", "satellite", "satellites", "launch", "launched", "rocket", "US", "us", "C++",
    "Zürich", "zurich", "naïve", "O’Neill", "Korea's", "spy-plane", "сателлит", "спутника", "спутник",
    "위성을", "위성", "발사", "衛星", "衛星打ち上げ", "北朝鮮", "卫星", "ดาวเทียม", "the", "a", "x1", "2026",
]  # fmt: skip
PUNCTUATION = [" ", " ", " ", ", ", ". ", "\n\n", "-", "! ", "。"]
TERMS = [
    *WORDS, "north korea", "satellite launch", "launch*", "satel*", "спутник*", "위성*", "kim*", "la?nch", "korea north",
    "$powers", "$things", "us satellite", "rocket rocket", "衛 星",
]  # fmt: skip

texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(PUNCTUATION)), max_size=14).map(
    lambda pairs: "".join(word + mark for word, mark in pairs).strip()
)
terms = st.sampled_from(TERMS)
synonyms = st.one_of(terms, st.lists(terms, min_size=1, max_size=3))
near = st.builds(
    lambda items, within, ordered: {"near": {"terms": items, "within": within, "ordered": ordered}},
    st.lists(synonyms, min_size=2, max_size=3),
    st.integers(0, 5),
    st.booleans(),
)
leaves = st.one_of(
    terms,
    near,
    st.builds(
        lambda t, o, n: {"not_near": {"term": t, "other": o, "within": n}},
        terms,
        terms,
        st.integers(0, 4),
    ),
    st.builds(lambda t, n: {"min_count": {"term": t, "count": n}}, terms, st.integers(1, 3)),
    st.builds(
        lambda ts, unit: {"same": {unit: ts}},
        st.lists(terms, min_size=2, max_size=2),
        st.sampled_from(["sentence", "paragraph"]),
    ),
    st.sampled_from(["US", "C++", "Kim", "Zürich"]).map(lambda t: {"exact": t}),
    st.sampled_from(["sat[a-z]+", "Kim .*launch", "\\d{4}"]).map(lambda p: {"regex": p}),
    st.sampled_from(["en", "ko"]).map(lambda v: {"lang": v}),
    st.sampled_from(["KR", ["kr", "GB"]]).map(lambda v: {"country": v}),
)


def grown(children: st.SearchStrategy) -> st.SearchStrategy:
    lists = st.lists(children, min_size=1, max_size=4)
    return st.one_of(
        lists.map(lambda parts: {"all": parts}),
        lists.map(lambda parts: {"any": parts}),
        st.builds(lambda good, bad: {"all": good, "none": bad}, lists, lists),
        st.builds(
            lambda parts, n: {
                "at_least": {"count": min(n, len(set(map(str, parts)))), "of": parts}
            },
            lists,
            st.integers(1, 3),
        ),
        st.builds(
            lambda parts, threshold: {
                "threshold": threshold,
                "of": [
                    p | {"weight": w} if isinstance(p, dict) else {"phrase": p, "weight": w}
                    for p, w in parts
                ],
            },
            st.lists(st.tuples(terms, st.sampled_from([-1, 0.5, 1, 2])), min_size=1, max_size=4),
            st.sampled_from([0.5, 1, 2, 3]),
        ),
        st.builds(
            lambda part, fields: {"all": [part], "in": fields},
            children,
            st.sampled_from([["title"], ["lead"], ["body", "title"]]),
        ),
    )


clauses = st.recursive(leaves, grown, max_leaves=12)
CONCEPTS, _ = compile_concepts(
    {
        "powers": ConceptSpec(terms={"en": ("north korea", "US"), "ko": ("위성*",)}),
        "things": ConceptSpec(terms=("rocket", "衛星"), includes=("$powers",)),
    }
)
COUNTRIES = {"KR": frozenset({"yonhap"}), "GB": frozenset({"reuters", "bbc"})}


def rules_of(trees: list[object], unless: object, stems: tuple[str, ...] = ()) -> list[Rule]:
    specs = [
        RuleSpec(id=f"r{n}", when=tree, unless=unless, stems=stems) for n, tree in enumerate(trees)
    ]
    return compile_rules(specs, CONCEPTS, COUNTRIES)[0]


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(clauses, min_size=1, max_size=5),
    st.one_of(st.none(), terms),
    texts,
    texts,
    st.sampled_from([None, "en", "ko-KR"]),
    st.sampled_from([(), (), ("ru", "en")]),
    st.sampled_from(["", "Yonhap", "BBC"]),
)
def test_the_index_agrees_with_the_oracle(
    trees: list[object],
    unless: object,
    title: str,
    text: str,
    lang: str | None,
    stems: tuple[str, ...],
    publisher: str,
) -> None:
    rules = rules_of(trees, unless, stems)
    url = "https://sample.example/1"
    article = Article("a", "f", url, title, text, NOW, lang=lang, publisher=publisher)

    forms = [Index, Compiled] if AVAILABLE else [Index]
    fast = [Matcher(rules, prefilter=form) for form in forms]
    slow = Matcher(rules, prefilter=NoPrefilter)
    expected = [match.rule for match in slow.match(article)]

    assert [sorted(matcher.hits(article)) for matcher in fast] == [expected] * len(fast)
    assert not any(matcher.errors for matcher in (*fast, slow))


@settings(max_examples=500, deadline=None)
@given(st.lists(clauses, min_size=1, max_size=4), texts, texts)
def test_evidence_points_at_the_text_it_names(trees: list[object], title: str, text: str) -> None:
    article = Article("a", "f", "https://sample.example/1", title, text, NOW)
    fields = {"title": title, "body": text, "lead": text}

    found = [e for match in Matcher(rules_of(trees, None)).match(article) for e in match.evidence]

    assert all(e.text and fields[e.field][e.start : e.end] == e.text for e in found)
