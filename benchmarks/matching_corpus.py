"""Articles and rules for the matching benchmark: made up, and the same for every run of a seed.

Words follow Zipf's law. An article takes a third of its words from one topic, and a rule
takes its terms from one topic, so that words meet as they do in news. The share of rule
shapes is that of media-monitoring rules: groups of synonyms, nearness, prefixes, negations,
"two of these", headline-only terms, concepts of many spellings.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from watcher.model import Article
from watcher.rules.compile import Rule, compile_rules
from watcher.rules.schema import RuleSpec

VOCABULARY = 40_000
TOPICS = 1_500
TOPIC_WORDS = 90

Syllables = tuple[str, ...]
Script = Callable[[Syllables], str]

_SYLLABLES = "ka ro mi ta lu ne so pa vi de zu ha ki mo ra te no sha che gra bel sto min ver al en"
_SOUNDS = _SYLLABLES.split()
_ACCENTS = str.maketrans("aeou", "áëöü")
_CYRILLIC = str.maketrans("abcdeghiklmnoprstuvz", "абцдегхиклмнопрстувз")
_HANGUL = dict(zip(_SOUNDS, "가로미타루네소파비데주하키모라테노샤체그벨스민버알엔", strict=True))
_HAN = dict(zip(_SOUNDS, "北南朝鮮衛星打上發射人民軍事首相大統領中国日本海東西", strict=True))
_SCRIPTS: list[Script] = [
    "".join,
    lambda word: "".join(word).translate(_ACCENTS),
    lambda word: "".join(word).translate(_CYRILLIC),
    lambda word: "".join(map(_HANGUL.__getitem__, word)),
    lambda word: "".join(map(_HAN.__getitem__, word)),
]
_SHARES = [80, 8, 5, 4, 3]
_NOW = datetime(2026, 5, 30, tzinfo=UTC)


@dataclass(slots=True)
class Topic:
    """Words that go together, rarest first, all in one script."""

    words: list[str]
    script: Script


@dataclass(slots=True)
class Corpus:
    """Words by falling frequency, each a tuple of syllables."""

    words: list[Syllables]
    topics: list[Topic]
    rng: random.Random

    def draw(self, script: Script) -> str:
        """A word as often as Zipf says."""
        return script(self.words[int(VOCABULARY ** self.rng.random()) - 1])


def corpus(seed: int = 11) -> Corpus:
    rng = random.Random(seed)
    drawn = (tuple(rng.choices(_SOUNDS, k=rng.randint(1, 5))) for _ in range(VOCABULARY * 3))
    words = list(dict.fromkeys(drawn))[:VOCABULARY]
    assert len(words) == VOCABULARY
    return Corpus(words, [_topic(words, rng) for _ in range(TOPICS)], rng)


def _topic(words: list[Syllables], rng: random.Random) -> Topic:
    ranks = sorted({int(300 * 130 ** rng.random()) for _ in range(TOPIC_WORDS)}, reverse=True)
    (script,) = rng.choices(_SCRIPTS, _SHARES)
    return Topic([script(words[rank]) for rank in ranks], script)


def articles(made: Corpus, count: int) -> list[Article]:
    """About 1.6 KB each: a headline and some paragraphs."""
    return [_article(made, n) for n in range(count)]


def _article(made: Corpus, n: int) -> Article:
    rng = made.rng
    topic = rng.choice(made.topics)

    def sentence(size: int) -> str:
        words = [
            rng.choice(topic.words) if rng.random() < 0.33 else made.draw(topic.script)
            for _ in range(size)
        ]
        return " ".join([words[0].capitalize(), *words[1:]])

    size = max(300, int(rng.gauss(1500, 500)))
    paragraphs: list[str] = []
    while sum(map(len, paragraphs)) < size:
        paragraphs.append(". ".join(sentence(rng.randint(8, 24)) for _ in range(3)) + ".")
    return Article(
        id=f"a{n}",
        feed="bench",
        url=f"https://sample.example/{n}",
        title=sentence(rng.randint(6, 12)),
        text="\n\n".join(paragraphs),
        first_seen=_NOW,
    )


def rules(made: Corpus, count: int) -> list[Rule]:
    """Compiled rules of the shapes that people write."""
    specs = [RuleSpec(id=f"r{n}", when=_when(made), plurals=False) for n in range(count)]
    compiled, problems = compile_rules(specs, {})
    assert not problems, problems[0]
    return compiled


def _when(made: Corpus) -> Any:
    rng = made.rng
    topic = rng.choice(made.topics)
    rare = topic.words[: len(topic.words) // 2]

    def entity(count: int) -> list[str]:
        return [" ".join(rng.choices(rare, k=1 + (rng.random() < 0.3))) for _ in range(count)]

    def context(count: int) -> list[str]:
        return [
            rng.choice(topic.words)
            if rng.random() < 0.6
            else topic.script(made.words[rng.randint(60, 2000)])
            for _ in range(count)
        ]

    shape = rng.random()
    if shape < 0.35:
        groups: list[Any] = [{"any": entity(rng.randint(2, 8))}]
        groups += [{"any": context(rng.randint(3, 8))} for _ in range(rng.randint(1, 3))]
        clause: dict[str, Any] = {"all": groups}
        return clause | {"none": context(rng.randint(1, 3))} if rng.random() < 0.4 else clause
    if shape < 0.50:
        return {"any": entity(rng.randint(1, 4))}
    if shape < 0.65:
        terms = [entity(rng.randint(1, 3)), context(rng.randint(2, 5))]
        return {"near": {"terms": terms, "within": rng.choice((3, 5, 10))}}
    if shape < 0.73:
        title = {"any": entity(rng.randint(1, 3)), "in": "title"}
        return {"all": [title, {"any": context(rng.randint(2, 6))}]}
    if shape < 0.83:
        parts = list(dict.fromkeys(rng.choices(rare, k=5)))
        return {"at_least": {"count": min(2, len(parts)), "of": parts}}
    if shape < 0.93:
        groups = [{"any": [_prefix(word) for word in rng.choices(rare, k=rng.randint(1, 3))]}]
        groups += [{"any": context(rng.randint(3, 6))} for _ in range(2)]
        return {"all": groups}
    spellings = entity(3) + ["".join(rng.choices(_SOUNDS, k=6)) for _ in range(rng.randint(10, 36))]
    return {"all": [{"any": spellings}, {"any": context(rng.randint(3, 8))}]}


def _prefix(word: str) -> str:
    return f"{word[:6]}*" if len(word) > 7 else word
