"""What docs/rules.md shows works, and it names every operator."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from watcher.matching.explain import explain
from watcher.rules import clauses as c
from watcher.rules.compile import Rule, compile_concepts, compile_rules
from watcher.rules.parse import MODIFIERS, OPERATORS
from watcher.rules.query import read_query
from watcher.rules.schema import ConceptFile, RuleFile
from watcher.rules.testing import run_tests

MANUAL = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
BLOCKS: list[dict[str, Any]] = [
    yaml.safe_load(block)
    for block in re.findall(r"^```yaml\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL)
]


def concepts() -> dict[str, c.Any]:
    specs = {}
    for block in BLOCKS:
        if "concepts" in block:
            specs |= ConceptFile.model_validate(block).concepts
    compiled, problems = compile_concepts(specs)
    assert not problems
    return compiled


def rules() -> list[Rule]:
    specs = [s for b in BLOCKS if "rules" in b for s in RuleFile.model_validate(b).rules]
    compiled, problems = compile_rules(specs, concepts())
    assert not problems
    return compiled


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.id)
def test_every_rule_in_the_manual_passes_its_own_tests(rule: Rule) -> None:
    def judge(rule: Rule, article: Any, _expected: bool) -> tuple[bool, str]:
        found = explain(rule, article)
        return found.matched, found.missing

    failed = [outcome for outcome in run_tests(rule, judge) if not outcome.passed]

    assert not failed


def test_the_manual_names_every_operator() -> None:
    missing = [
        name
        for name in (*OPERATORS, *MODIFIERS)
        if f"`{name}" not in MANUAL and f"{name}:" not in MANUAL
    ]

    assert not missing


def test_every_field_is_named() -> None:
    assert not [name for name in c.FIELDS if f"`{name}`" not in MANUAL]


def test_the_queries_of_the_table_are_read() -> None:
    table = MANUAL.split("| query | YAML |")[1].split("\n\n")[0]
    queries = [
        q for row in table.splitlines()[2:] for q in re.findall(r"`([^`]+)`", row.split(" | ")[0])
    ]

    assert len(queries) > 12
    assert all(read_query(query) for query in queries)
