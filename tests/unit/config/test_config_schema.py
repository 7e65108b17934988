"""The exported schemas accept what loads and refuse what does not."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from watcher.config.schema import KINDS, Kind, json_schema
from watcher.config.yaml import read_yaml
from watcher.resources import bundled
from watcher.rules.parse import MODIFIERS, OPERATORS

BAD = Path(__file__).parents[2] / "data" / "config" / "bad"
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}


def fits(value: Any, schema: Any, root: dict[str, Any]) -> bool:
    """The part of JSON Schema that our schemas use."""
    if isinstance(schema, bool):
        return schema
    if "$ref" in schema:
        return fits(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema and not any(fits(value, option, root) for option in schema["anyOf"]):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    kind = schema.get("type")
    if kind and not _is(value, kind):
        return False
    match value:
        case dict():
            return _fits_object(value, schema, root)
        case list():
            items = schema.get("items", True)
            return len(value) >= schema.get("minItems", 0) and all(
                fits(i, items, root) for i in value
            )
        case str():
            return bool(re.search(schema.get("pattern", ""), value))
        case int() | float() if not isinstance(value, bool):
            return (
                value >= schema.get("minimum", value)
                and value <= schema.get("maximum", value)
                and value > schema.get("exclusiveMinimum", value - 1)
            )
    return True


def _is(value: Any, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _fits_object(value: dict[str, Any], schema: dict[str, Any], root: dict[str, Any]) -> bool:
    patterns = schema.get("patternProperties", {})
    known = schema.get("properties", {}) | {
        key: below
        for key in value
        for pattern, below in patterns.items()
        if re.search(pattern, key)
    }
    rest = schema.get("additionalProperties", True)
    return (
        all(key in value for key in schema.get("required", ()))
        and schema.get("minProperties", 0) <= len(value) <= schema.get("maxProperties", len(value))
        and all(fits(item, known.get(key, rest), root) for key, item in value.items())
    )


def kind_of(name: str) -> Kind:
    return next(kind for kind in KINDS if name.startswith(kind))


@pytest.mark.parametrize(
    "name", sorted(str(p.relative_to(bundled("config"))) for p in bundled("config").rglob("*.yaml"))
)
def test_the_shipped_files_fit_their_schema(name: str) -> None:
    data = read_yaml((bundled("config") / name).read_bytes(), name).data
    schema = json_schema(kind_of(name))

    assert fits(data, schema, schema)


@pytest.mark.parametrize(
    ("case", "name"),
    [
        ("unknown-key", "watcher.yaml"),
        ("duration-as-word", "watcher.yaml"),
        ("receiver-type-misspelt", "watcher.yaml"),
        ("receiver-unknown-key", "watcher.yaml"),
        ("receiver-quiet-hours-incomplete", "watcher.yaml"),
        ("route-send-misspelt", "watcher.yaml"),
        ("rule-unknown-operator", "rules/space.yaml"),
        ("rule-near-misspelt", "rules/space.yaml"),
        ("rule-field-unknown", "rules/space.yaml"),
        ("rule-term-is-a-number", "rules/space.yaml"),
        ("rule-severity-misspelt", "rules/space.yaml"),
        ("concept-is-a-list", "concepts.yaml"),
        ("feed-unknown-key", "feeds.yaml"),
        ("publisher-choice-misspelt", "publishers.yaml"),
    ],
)
def test_an_editor_sees_the_same_mistakes(case: str, name: str) -> None:
    data = read_yaml((BAD / case / name).read_bytes(), name).data
    schema = json_schema(kind_of(name))

    assert not fits(data, schema, schema)


def test_the_schema_of_rules_knows_every_operator() -> None:
    clause = json_schema("rules")["$defs"]["clause"]["anyOf"][1]

    assert set(clause["properties"]) == {*OPERATORS, *MODIFIERS}


def test_a_rule_written_every_way_fits() -> None:
    rule = yaml.safe_load(
        """
        rules:
          - id: a
            when:
              all:
                - near: {within: 3, terms: [[a, b], [[c], d]], ordered: true}
                - at_least: {count: 2, of: [a, b, {exact: US}]}
                - {threshold: 2, of: [a, {phrase: b, weight: 1.5}]}
                - {phrase: x, in: title}
                - {lang: en}
                - {country: [KR, jp]}
            unless: x
            alert: {at_most: 6 per day, min_publishers: 2, max_age: 3d}
            tests: {match: [x, {title: y}]}
        """
    )
    schema = json_schema("rules")

    assert fits(rule, schema, schema)


def test_a_secret_can_be_written_three_ways() -> None:
    schema = json_schema("watcher")
    slack = {"id": "s", "type": "slack"}

    assert all(
        fits({"receivers": [{**slack, key: "x"}]}, schema, schema)
        for key in ("url", "url_env", "url_file")
    )
    assert not fits({"receivers": [{**slack, "url_evn": "x"}]}, schema, schema)
