"""concepts.yaml and rules/*.yaml: compiled, with every problem led back to its line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from watcher.config.files import CONCEPTS, PUBLISHERS
from watcher.config.problems import Loc
from watcher.config.reader import Reader
from watcher.config.yaml import Document
from watcher.rules import clauses as c
from watcher.rules.compile import Rule, RuleProblem, compile_concepts, compile_rules
from watcher.rules.parse import Countries
from watcher.rules.schema import ConceptFile, ConceptSpec, RuleFile, RuleSpec


@dataclass(frozen=True, slots=True)
class RuleBook:
    """`ids` holds every id that is written somewhere, of broken and disabled rules too."""

    rules: tuple[Rule, ...]
    disabled: tuple[Rule, ...]
    concepts: Mapping[str, c.Any]
    ids: frozenset[str]
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Written:
    """A rule with where it stands."""

    spec: RuleSpec
    document: Document
    place: int


class _AnyConcept(dict[str, c.Any]):
    """Stands for a concepts.yaml that can't be read: rules are not blamed for it."""

    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, name: str) -> c.Any:
        return c.Any((), name=f"${name}")


class _AnyCountry(dict[str, frozenset[str]]):
    """Stands for a publishers.yaml that can't be read: rules are not blamed for it."""

    def __contains__(self, _code: object) -> bool:
        return True

    def __missing__(self, _code: str) -> frozenset[str]:
        return frozenset()


def read_rules(reader: Reader, names: Sequence[str], countries: Countries) -> RuleBook:
    """Everything the rule files hold; broken and disabled rules are left out."""
    if reader.has_problem(PUBLISHERS):
        countries = _AnyCountry()
    concept_document = reader.document(CONCEPTS)
    specs = _concept_specs(reader, concept_document)
    concepts = _concepts(reader, concept_document, specs)
    ids: dict[str, tuple[Document, int]] = {}
    written = written_rules(reader, names, ids)
    rules = _compiled(reader, written, concepts, countries)
    _warn(reader, written)
    if specs is not None and concept_document is not None:
        _warn_of_unused(reader, concept_document, specs, rules)
    enabled = {w.spec.id for w in written if w.spec.enabled}
    tags = frozenset(tag for w in written for tag in w.spec.tags)
    kept_rules = tuple(rule for rule in rules if rule.id in enabled)
    disabled = tuple(rule for rule in rules if rule.id not in enabled)
    return RuleBook(kept_rules, disabled, concepts, frozenset(ids), tags)


def written_rules(
    reader: Reader, names: Sequence[str], ids: dict[str, tuple[Document, int]]
) -> list[Written]:
    """Rules whose mapping is sound, with their places; `ids` takes in every id."""
    written: list[Written] = []
    for name in names:
        document = reader.document(name)
        if document is not None:
            unique_ids(reader, document, "rules", ids)
            model, kept = reader.model(document, document.data, RuleFile, "rules")
            specs_here = model.rules if model else ()
            written += [Written(s, document, n) for s, n in zip(specs_here, kept, strict=True)]
    return written


def unique_ids(
    reader: Reader, document: Document, key: str, seen: dict[str, tuple[Document, int]]
) -> None:
    """Every id stands once; `seen` goes from file to file."""
    items = document.data.get(key) if isinstance(document.data, dict) else None
    for n, item in enumerate(items if isinstance(items, list) else ()):
        name = item.get("id") if isinstance(item, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            first, place = seen[name]
            line, _ = first.place((key, place, "id"))
            what = f"the id {name!r} is taken (by {first.file}:{line})"
            reader.problem(document, (key, n, "id"), what, "choose another")
        seen.setdefault(name, (document, n))


def _concept_specs(reader: Reader, document: Document | None) -> dict[str, ConceptSpec] | None:
    """None when the file is there but can't be read; a broken concept keeps its name."""
    if document is None:
        return {}
    model, _ = reader.model(document, document.data, ConceptFile)
    written = document.data.get("concepts") if isinstance(document.data, dict) else None
    if not isinstance(written, dict):
        return None
    sound = dict(model.concepts) if model else {}
    stub = ConceptSpec(terms=("placeholder",))
    return {name: sound.get(name, stub) for name in written}


def _concepts(
    reader: Reader, document: Document | None, specs: Mapping[str, ConceptSpec] | None
) -> Mapping[str, c.Any]:
    if specs is None or document is None:
        return _AnyConcept() if specs is None else {}
    concepts, problems = compile_concepts(specs)
    for problem in problems:
        loc = _term(document, ("concepts", problem.concept, *problem.loc), problem.what)
        reader.problem(document, loc, problem.what, problem.todo)
    return concepts


def _term(document: Document, loc: Loc, what: str) -> Loc:
    """A concept's problem leads to its list of terms; the message begins with the one that is meant."""
    node = document.node(loc)
    for part in node.parts() if node else ():
        child = node.child(part) if node else None
        if child and child.raw is not None and what.startswith(repr(child.raw)):
            return (*loc, part)
        if (
            child
            and child.raw is None
            and (deeper := _term(document, (*loc, part), what)) != (*loc, part)
        ):
            return deeper
    return loc


def _compiled(
    reader: Reader,
    written: Sequence[Written],
    concepts: Mapping[str, c.Any],
    countries: Countries,
) -> list[Rule]:
    try:
        rules, problems = compile_rules([w.spec for w in written], concepts, countries)
    except Exception:  # noqa: BLE001  (a reload must be refused by a bug, never ended by it)
        rules, problems = _one_by_one(written, concepts, countries)
    for problem in problems:
        at = written[problem.rule_index]
        loc = ("rules", at.place, *problem.loc)
        what, todo = _unquoted(at.document, loc) or (problem.what, problem.todo)
        reader.problem(at.document, loc, what, todo)
    return rules


def _one_by_one(
    written: Sequence[Written], concepts: Mapping[str, c.Any], countries: Countries
) -> tuple[list[Rule], list[RuleProblem]]:
    """Find the rule that the compiler stumbles over."""
    rules: list[Rule] = []
    problems: list[RuleProblem] = []
    for n, w in enumerate(written):
        try:
            sound, found = compile_rules([w.spec], concepts, countries)
        except Exception as error:  # noqa: BLE001
            what = f"the rule can't be compiled ({type(error).__name__}: {error})"
            found, sound = [RuleProblem(0, w.spec.id, ("when",), what, "check its values")], []
        rules += sound
        problems += [replace(problem, rule_index=n) for problem in found]
    return rules, problems


def _unquoted(document: Document, loc: Loc) -> tuple[str, str] | None:
    """A term that YAML reads as a number or a truth value only needs quotes."""
    *_, (part, node) = document.walk(loc)
    if not isinstance(part, int) or node is None or node.raw is None or isinstance(node.data, str):
        return None
    return f"{node.raw or 'an empty item'} is not a text", "put it in quotes"


def _warn(reader: Reader, written: Iterable[Written]) -> None:
    for w in written:
        if w.spec.enabled and not (w.spec.tests.match and w.spec.tests.no_match):
            tests = w.spec.tests
            lacking = (
                "tests.match" if tests.no_match else "tests.no_match" if tests.match else "tests"
            )
            what = f"the rule has no {lacking}"
            todo = "add headlines it must and must not catch"
            reader.warning(w.document, ("rules", w.place, "id"), what, todo)


def _warn_of_unused(
    reader: Reader, document: Document, specs: Mapping[str, ConceptSpec], rules: Sequence[Rule]
) -> None:
    used = {name for rule in rules for name in rule.concepts}
    waiting = list(used)
    while waiting:
        spec = specs.get(waiting.pop())
        fresh = {n.removeprefix("$") for n in spec.includes} - used if spec else set()
        used |= fresh
        waiting += fresh
    for name in specs:
        if name not in used:
            todo = f"use ${name} in a rule, or delete it"
            reader.warning(document, ("concepts", name), "no rule uses this concept", todo)
