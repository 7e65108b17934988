"""The tests stored in a rule: what must be caught and what must not. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from watcher.model import Article
from watcher.rules.compile import Rule
from watcher.rules.schema import Sample

# Decides one rule for one article; when that is not what is expected (the last argument),
# it says in a line which clause decided.
Judge = Callable[[Rule, Article, bool], tuple[bool, str]]

_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test of one rule; `why` names the clause that decided when it failed."""

    rule: str
    sample: Sample
    expected: bool
    passed: bool
    why: str = ""


def run_tests(rule: Rule, judge: Judge) -> list[Outcome]:
    """In the order they are written, `match` first."""
    outcomes = []
    for expected, samples in ((True, rule.tests.match), (False, rule.tests.no_match)):
        for sample in samples:
            matched, why = judge(rule, article_of(sample), expected)
            outcomes.append(Outcome(rule.id, sample, expected, matched is expected, why))
    return outcomes


def article_of(sample: Sample) -> Article:
    """A sample as an article; a date without a zone is UTC, as everywhere."""
    published = sample.published
    if published is not None and published.tzinfo is None:
        published = published.replace(tzinfo=UTC)
    return Article(
        id="test",
        feed=sample.feed or "test",
        url=sample.url,
        title=sample.title,
        text=sample.text,
        first_seen=published or _SOME_DAY,
        published=published,
        author=sample.author,
        tags=sample.tags,
        publisher=sample.publisher,
        family=sample.publisher.casefold(),
        lang=sample.lang,
    )


def sample_of(article: Article) -> Sample:
    """The other way round: what a test of this article would hold."""
    return Sample(
        title=article.title,
        text=article.text,
        lang=article.lang,
        publisher=article.publisher,
        feed=article.feed,
        author=article.author,
        tags=article.tags,
        url=article.url,
        published=article.at,
    )
