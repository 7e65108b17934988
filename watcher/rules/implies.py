"""Does one clause hold wherever another does? A yes is certain; a no only means it can't be told."""

import re

from watcher.rules import clauses as c


def covers(wide: c.Phrase, narrow: c.Phrase) -> bool:
    """Every place of the narrow phrase holds one of the wide: `launch*` covers `launched today`."""
    size = len(wide.words)
    return any(
        all(map(_word_covers, wide.words, narrow.words[at : at + size]))
        for at in range(len(narrow.words) - size + 1)
    )


def _word_covers(wide: c.Word, narrow: c.Word) -> bool:
    if wide == narrow:
        return True
    found = _all_of(narrow)
    if wide.pattern:
        return bool(narrow.forms) and all(re.fullmatch(wide.pattern, form) for form in found)
    if wide.prefix:
        return all(form.startswith(wide.prefix) for form in found)
    # A plural has a plural of its own in the forms, which no text holds.
    plural = narrow.text != wide.text and narrow.text in wide.forms
    found_all = bool(narrow.forms) and (narrow.forms <= wide.forms or plural)
    return found_all and _stems(narrow) <= _stems(wide)


def _all_of(word: c.Word) -> set[str]:
    """Every word it finds begins with, or is, one of these."""
    stems = {stem for _, stem in _stems(word)}
    return {*word.forms, *stems} if word.forms else {word.prefix}


def _stems(word: c.Word) -> set[tuple[str, str]]:
    return set(word.stems)


def implied(wide: c.Clause, narrow: c.Clause) -> bool:
    """`wide` holds in every article in which `narrow` does; both look at title and body."""
    if wide is narrow:
        return True
    match narrow:
        case c.Any(parts) | c.AtLeast(_, parts) if parts:
            return all(implied(wide, part) for part in parts)
        case c.Scoped(fields, inner) if not isinstance(wide, c.Scoped):
            return set(fields) <= {*c.TEXT_FIELDS, "lead"} and implied(wide, inner)
        case _:
            return _reached(wide, narrow)


def _reached(wide: c.Clause, narrow: c.Clause) -> bool:
    match wide:
        case c.Any(parts):
            return any(implied(part, narrow) for part in parts)
        case c.All(parts):
            return all(implied(part, narrow) for part in parts)
        case c.Scoped(fields, inner):
            return (
                isinstance(narrow, c.Scoped)
                and set(narrow.fields) <= set(fields)
                and implied(inner, narrow.clause)
            )
        case c.Phrase():
            return _found(wide, narrow)
        case _:
            return wide == narrow


def _found(wide: c.Phrase, narrow: c.Clause) -> bool:
    match narrow:
        case c.Phrase():
            return covers(wide, narrow)
        case c.All(parts) | c.Near(parts) | c.Same(_, parts):
            return any(implied(wide, part) for part in parts)
        case c.NotNear(term) | c.MinCount(term):
            return implied(wide, term)
        case _:
            return False
