"""What a report adds to a story: a claim, a stage of an event, a name, a figure. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from watcher.languages import same_language
from watcher.model import Article
from watcher.stories.claims import Stage, claimed, in_order
from watcher.stories.features import content_terms, meaning
from watcher.stories.figures import Figure, figures, new_figures
from watcher.stories.lexicon import PLACES
from watcher.tokens import fold_tokens

MAX_SAID = 4
# News stands in the headline and the lead; further down is what was known.
LEAD = 400
KNOWN = 3000

# A run of capitalised words that does not open a sentence: most likely a name.
_NAME = re.compile(
    r"(?<=[a-zа-яёà-ÿ,;] )((?:[A-ZÀ-ÖØ-ÞА-ЯЁ][\w’'-]+)(?: (?:[A-ZÀ-ÖØ-ÞА-ЯЁ][\w’'-]+))*)"
)
# Capitalised, and no name of anything in the news.
_NO_NAMES = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june
    july august september october november december montag dienstag mittwoch donnerstag freitag samstag
    sonntag lundi mardi mercredi jeudi vendredi samedi dimanche mr mrs ms dr president prime minister
    premier secretary general foreign defence defense ministry chairman senator governor king queen
    prince princess government parliament congress senate house state department office breaking update
    updated exclusive live video watch analysis opinion reuters associated press bloomberg yonhap kyodo
    xinhua tass interfax bbc cnn afp ap kcna news agency english read more""".split()  # noqa: SIM905
)


def novelty(article: Article, earlier: Sequence[Article]) -> tuple[str, ...]:
    """What is new, in words, most telling first; empty when nothing is.

    Articles in a language the story did not have yet are judged by figures and
    claims only: their names are always spelled anew.
    """
    told, *before = [_read(a.title, a.text[:KNOWN]) for a in (article, *earlier)]
    said = _new_claims(told, before)
    if any(same_language(a.lang, article.lang) for a in earlier):
        said += _new_names(article, frozenset().union(*(b.words for b in before)))
    lead = f"{article.title}. {article.text[:LEAD]}"
    said += new_figures(figures(lead), [f for b in before for f in b.figures])
    return tuple(said[:MAX_SAID])


def claims_more(article: Article, earlier: Article) -> bool:
    """Does its headline or lead make a claim the other's did not; plans are none."""
    told, before = (_read(a.title, a.text[:KNOWN]).claims for a in (article, earlier))
    return any(
        stage > Stage.ANNOUNCED and stage > before.get(name, 0) for name, stage in told.items()
    )


def brief(article: Article) -> Article:
    """As much of an article as later ones are ever held against: what memory keeps of it."""
    return replace(article, text=article.text[:KNOWN]) if len(article.text) > KNOWN else article


@dataclass(frozen=True, slots=True)
class _Content:
    """What a report says: the claims of its lead, the words and figures of all of it."""

    claims: Mapping[str, Stage]
    words: frozenset[str]
    figures: tuple[Figure, ...]


@lru_cache(maxsize=1024)
def _read(title: str, text: str) -> _Content:
    """Read once, however many later reports are held against it."""
    whole = f"{title}. {text}"
    words = frozenset(map(meaning, content_terms(whole)))
    return _Content(claimed(f"{title}. {text[:LEAD]}"), words, tuple(figures(whole)))


def _new_claims(told: _Content, before: Sequence[_Content]) -> list[str]:
    """Claims the story did not make, and events that have come further than it knew."""
    said = []
    for name in in_order(told.claims):
        stage = told.claims[name]
        known = max((b.claims[name] for b in before if name in b.claims), default=None)
        if known is None or stage > known:
            said.append(_in_words(name, stage, known))
    return said


def _in_words(name: str, stage: Stage, known: Stage | None) -> str:
    if stage is Stage.ANNOUNCED:
        return f"plans for {name}"
    if stage is Stage.OVER:
        return f"{name}, now over" if known else f"{name}, over already"
    return f"{name}, announced before" if known else name


def _new_names(article: Article, before: frozenset[str]) -> list[str]:
    known = before.union(map(meaning, content_terms(article.publisher)))
    title = "" if _is_title_case(article.title) else article.title
    fresh: dict[str, None] = {}
    for name in _NAME.findall(f"{title}. {article.text[:LEAD]}"):
        name = _trimmed(name)
        terms = set(map(meaning, content_terms(name)))
        if len(name) > 3 and terms and not terms <= known:
            fresh[name] = None
    places = {t: t for t in content_terms(article.title) if meaning(t) in PLACES - known}
    named = " ".join(fresh).casefold()
    return [*fresh, *(place.capitalize() for place in places if title == "" and place not in named)]


def _trimmed(name: str) -> str:
    """Without days, offices and the like at either end; empty when nothing is left."""
    words = [w.removesuffix("'s").removesuffix("’s") for w in name.split()]
    while words and words[0].casefold() in _NO_NAMES:
        del words[0]
    while words and words[-1].casefold() in _NO_NAMES:
        del words[-1]
    return " ".join(words)


def _is_title_case(title: str) -> bool:
    """Headlines That Capitalise Every Word tell nothing of names."""
    words = [word for word in title.split() if len(word) > 3 and word[0].isalpha()]
    small = sum(word[0].islower() for word in words)
    return len(fold_tokens(title)) > 3 and bool(words) and small <= len(words) / 5
