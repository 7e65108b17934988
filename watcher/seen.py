"""What the archive says of the rules, for lint: how common a word is, how much a rule catches."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from watcher.matching.matcher import Matcher
from watcher.rules.compile import Rule
from watcher.rules.lint import Seen, lone_words
from watcher.store.engine import Transaction
from watcher.tokens import fold_tokens

# Enough to tell common from rare, and read in about a second.
NEWEST = 2000


def look_back(tx: Transaction, rules: Sequence[Rule], newest: int = NEWEST) -> Seen:
    """Reads the newest articles once."""
    asked = {word for rule in rules for _, word in lone_words(rule.when)}
    matcher = Matcher(rules)
    words: Counter[str] = Counter()
    matches: Counter[str] = Counter()
    articles = 0
    for article in tx.articles.newest(newest):
        articles += 1
        words.update(asked.intersection(fold_tokens(f"{article.title}\n{article.text}")))
        matches.update(matcher.hits(article))
    ever = tx.matches.counts(datetime.min.replace(tzinfo=UTC))
    return Seen(articles, words, matches, tx.articles.count(), ever)
