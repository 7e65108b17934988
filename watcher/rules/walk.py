"""Going through the tree of a rule."""

from collections.abc import Iterator

from watcher.rules import clauses as c


def children(clause: c.Clause) -> tuple[c.Clause, ...]:
    """The clauses and terms right inside this one, in the order they are written."""
    match clause:
        case c.All(parts) | c.Any(parts) | c.Not(parts) | c.AtLeast(_, parts):
            return parts
        case c.Score(_, weighted):
            return tuple(part for _, part in weighted)
        case c.Near(terms) | c.Same(_, terms):
            return terms
        case c.NotNear(term, other):
            return (term, other)
        case c.MinCount(term):
            return (term,)
        case c.Scoped(_, inner):
            return (inner,)
        case _:
            return ()


def phrases(clause: c.Clause | None) -> Iterator[c.Phrase]:
    """Every phrase in it, those of exclusions too."""
    if isinstance(clause, c.Phrase):
        yield clause
    elif clause is not None:
        for part in children(clause):
            yield from phrases(part)
