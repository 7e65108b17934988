"""Clauses → the YAML that reads back as the same clauses."""

from typing import Any as AnyValue

from watcher.rules import clauses as c
from watcher.rules.query import is_query


def written(clause: c.Clause) -> AnyValue:
    """`ClauseReader.clause(written(x)) == x` for everything it can have read."""
    match clause:
        case c.Phrase(_, text):
            return {"phrase": text} if is_query(text) else text
        case c.Any(_, name) if name:
            return name
        case c.Any(parts):
            return {"any": [written(part) for part in parts]}
        case c.All(parts):
            return {"all": [written(part) for part in parts]}
        case c.Not(parts):
            return {"none": [written(part) for part in parts]}
        case c.AtLeast(count, parts):
            return {"at_least": {"count": count, "of": [written(part) for part in parts]}}
        case c.Score(threshold, weighted):
            parts_of = [_mapping(part) | {"weight": weight} for weight, part in weighted]
            return {"threshold": threshold, "of": parts_of}
        case c.Scoped(fields, inner):
            return _mapping(inner) | {"in": list(fields)}
        case c.Near(terms, within, ordered):
            also = {"ordered": True} if ordered else {}
            return {"near": {"terms": [_term(t) for t in terms], "within": within, **also}}
        case c.NotNear(term, other, within):
            return {"not_near": {"term": _term(term), "other": _term(other), "within": within}}
        case c.Same(unit, terms):
            return {"same": {unit: [_term(term) for term in terms]}}
        case c.MinCount(term, count):
            return {"min_count": {"term": _term(term), "count": count}}
        case _:
            return _fact(clause)


def _fact(clause: c.Clause) -> AnyValue:
    match clause:
        case c.Exact(text):
            return {"exact": text}
        case c.Regex(pattern):
            return {"regex": pattern}
        case c.Filter(what, values):
            return {what: sorted(values)}
        case c.Country(codes):
            return {"country": sorted(codes)}
        case c.Published(after, before):
            ends = {"after": after, "before": before}
            return {"published": {key: end.isoformat() for key, end in ends.items() if end}}
        case c.Words(least, most):
            return {"words": {"min": least} | ({"max": most} if most is not None else {})}
        case _:
            raise TypeError(f"{type(clause).__name__} is not a clause")


def _term(term: c.Term) -> AnyValue:
    """Inside near and the like a text is always a term, never a query."""
    match term:
        case c.Phrase(_, text):
            return text
        case c.Any(_, name) if name:
            return name
        case c.Any(parts):
            return [_term(part) for part in parts if isinstance(part, c.Phrase | c.Any)]


def _mapping(clause: c.Clause) -> dict[str, AnyValue]:
    value = written(clause)
    return value if isinstance(value, dict) else {"phrase": value}
