"""A phrase as the strings it may stand as; what has none is decided word by word."""

from itertools import product

from watcher.rules import clauses as c

# A phrase of many inflected words is looked up word by word instead.
MAX_SPELLINGS = 12


def is_spelled(word: c.Word) -> bool:
    """Its forms are all it can be."""
    return bool(word.forms) and not word.stems


def spellings(phrase: c.Phrase) -> list[str] | None:
    """Every way to write it, with a space between words; the last may be the beginning of one.

    None when there are too many, or a word is not known to its last letter.
    """
    *first, last = phrase.words
    if not all(map(is_spelled, first)) or last.pattern or last.stems:
        return None
    choices = [sorted(word.forms) for word in first]
    choices.append([last.prefix] if last.prefix else sorted(last.forms))
    total = 1
    for forms in choices:
        total *= len(forms)
    return [" ".join(words) for words in product(*choices)] if total <= MAX_SPELLINGS else None
