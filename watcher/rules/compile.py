"""Rules as written → rules that can be matched, with every problem named by its place."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from watcher.model import Severity
from watcher.rules import clauses as c
from watcher.rules.parse import ClauseReader, Countries, Issue, Loc
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import ConceptSpec, RuleSpec, RuleTests


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule ready to match; `unless` cancels a hit."""

    id: str
    title: str
    note: str
    severity: Severity
    tags: tuple[str, ...]
    when: c.Clause
    unless: c.Clause | None
    policy: AlertPolicy
    tests: RuleTests
    concepts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """`loc` leads into the rule's own mapping; `rule_index` is its place in what was given."""

    rule_index: int
    rule_id: str
    loc: Loc
    what: str
    todo: str


@dataclass(frozen=True, slots=True)
class ConceptProblem:
    concept: str
    loc: Loc
    what: str
    todo: str


Concepts = Mapping[str, c.Any]
NOWHERE: Countries = MappingProxyType({})


def compile_concepts(
    specs: Mapping[str, ConceptSpec],
) -> tuple[dict[str, c.Any], list[ConceptProblem]]:
    """Every concept with what it includes, spelled out; cycles and unknown names are problems."""
    problems: list[ConceptProblem] = []
    own: dict[str, tuple[c.Clause, ...]] = {}
    for name, spec in specs.items():
        terms, issues = _concept_terms(spec)
        own[name] = tuple(dict.fromkeys(terms))
        problems += [ConceptProblem(name, i.loc, i.what, i.todo) for i in issues]
        if not spec.all_terms() and not spec.includes:
            problems.append(ConceptProblem(name, (), "has no terms", "add terms: or includes:"))

    done: dict[str, tuple[c.Clause, ...]] = {}

    def spelled_out(name: str, trail: tuple[str, ...]) -> tuple[c.Clause, ...]:
        if name in done:
            return done[name]
        parts = list(own[name])
        for n, raw in enumerate(specs[name].includes):
            included = raw.removeprefix("$")
            loc: Loc = ("includes", n)
            if included in trail:
                cycle = " → ".join(
                    f"${step}" for step in (*trail[trail.index(included) :], included)
                )
                problems.append(
                    ConceptProblem(trail[-1], loc, f"includes itself: {cycle}", "break the circle")
                )
            elif included not in specs:
                near = difflib.get_close_matches(included, specs, 1)
                todo = f"did you mean ${near[0]}?" if near else "add it to concepts.yaml"
                problems.append(ConceptProblem(name, loc, f"unknown concept ${included}", todo))
            else:
                parts += spelled_out(included, (*trail, included))
        done[name] = tuple(dict.fromkeys(parts))
        return done[name]

    compiled = {name: c.Any(spelled_out(name, (name,)), name=f"${name}") for name in specs}
    return compiled, list(dict.fromkeys(problems))


def _concept_terms(spec: ConceptSpec) -> tuple[list[c.Clause], list[Issue]]:
    """Terms by language are stemmed as that language is, if the concept asks for its stems."""
    lists = spec.terms if isinstance(spec.terms, dict) else {"": spec.terms}
    terms: list[c.Clause] = []
    issues: list[Issue] = []
    for language, texts in lists.items():
        stems = tuple(lang for lang in spec.stems if language in {"", lang})
        reader = ClauseReader({}, stems=stems)
        below: Loc = ("terms", language) if isinstance(spec.terms, dict) else ("terms",)
        found = [reader.term(text, (*below, n)) for n, text in enumerate(texts)]
        terms += [term for term in found if term is not None]
        issues += reader.issues
    return terms, issues


def compile_rules(
    specs: Sequence[RuleSpec], concepts: Concepts, countries: Countries = NOWHERE
) -> tuple[list[Rule], list[RuleProblem]]:
    """The good rules, and what is wrong with the others; a rule with a problem is left out."""
    rules: list[Rule] = []
    problems: list[RuleProblem] = []
    for n, spec in enumerate(specs):
        rule, issues = compile_rule(spec, concepts, countries)
        problems += [RuleProblem(n, spec.id, i.loc, i.what, i.todo) for i in issues]
        if rule is not None:
            rules.append(rule)
    return rules, problems


def compile_rule(
    spec: RuleSpec, concepts: Concepts, countries: Countries = NOWHERE
) -> tuple[Rule | None, list[Issue]]:
    """One rule; None when it has an issue."""
    reader = ClauseReader(concepts, countries, plurals=spec.plurals, stems=spec.stems)
    when = reader.clause(spec.when, ("when",))
    unless = None
    if spec.unless is not None:
        unless = reader.exceptions(spec.unless, ("unless",))
    if when is not None and not requires_text(when):
        reader.issues.append(
            Issue(("when",), "matches every article", "say at least one thing it must contain")
        )
    if reader.issues or when is None:
        return None, reader.issues
    rule = Rule(
        id=spec.id,
        title=spec.title or spec.id,
        note=spec.note,
        severity=spec.severity,
        tags=spec.tags,
        when=when,
        unless=unless,
        policy=spec.alert,
        tests=spec.tests,
        concepts=frozenset(reader.used),
    )
    return rule, []


def requires_text(clause: c.Clause) -> bool:
    """False for a clause that an empty article could satisfy, such as a bare `none`."""
    match clause:
        case c.Not():
            return False
        case c.All(parts):
            return any(map(requires_text, parts))
        case c.Any(parts) | c.AtLeast(_, parts):
            return all(map(requires_text, parts))
        case c.Scoped(_, inner):
            return requires_text(inner)
        case c.Words():
            return False
        case _:
            return True
