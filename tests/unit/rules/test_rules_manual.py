"""Every rule and concept in docs/rules.md compiles, and the tests in them pass."""

import re
from pathlib import Path

import yaml

from watcher.matching.explain import explain
from watcher.rules.compile import compile_concepts, compile_rules
from watcher.rules.schema import ConceptFile, RuleFile
from watcher.rules.testing import run_tests

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text("utf-8")
BLOCKS = [
    yaml.load(block, yaml.BaseLoader) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
]


def numbers(value: object) -> object:
    """BaseLoader keeps every scalar as text, as YAML 1.2 keeps `no`; numbers and truths are read here."""
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value) if "." in value else int(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def test_every_block_of_the_manual_compiles_and_its_tests_pass() -> None:
    specs = [
        spec
        for block in BLOCKS
        if "concepts" in block
        for spec in ConceptFile.model_validate(block).concepts.items()
    ]
    concepts, concept_problems = compile_concepts(dict(specs))
    written = [
        rule
        for block in BLOCKS
        if "rules" in block
        for rule in RuleFile.model_validate(numbers(block)).rules
    ]

    rules, problems = compile_rules(written, concepts)
    outcomes = [
        o
        for rule in rules
        for o in run_tests(rule, lambda r, a: (explain(r, a).matched, explain(r, a).missing))
    ]

    assert not concept_problems
    assert not problems
    assert len(rules) == len(written) == 5
    assert [o for o in outcomes if not o.passed] == []
    assert len(outcomes) == 3
