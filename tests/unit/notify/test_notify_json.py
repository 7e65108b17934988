"""The published schema says what the webhook sends."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from watcher.model import Digest, DigestKind
from watcher.notify._inert import inert
from watcher.notify._json import to_event
from watcher.notify._pages import Page
from watcher.render.sample import sample_digest

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "webhook.schema.json").read_text())
TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


def problems(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """The part of JSON Schema that the published one uses."""
    if "$ref" in schema:
        return problems(value, SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]], at)
    if "anyOf" in schema:
        tried = [problems(value, option, at) for option in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    found = []
    types = schema.get("type", [])
    wanted = tuple(TYPES[name] for name in ([types] if isinstance(types, str) else types))
    if wanted and not isinstance(value, wanted):
        return [f"{at}: {value!r} is no {types}"]
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{at}: {value!r}")
    if isinstance(value, dict):
        known = schema["properties"]
        found += [f"{at}: {key} is missing" for key in schema["required"] if key not in value]
        found += [f"{at}: {key} is unknown" for key in value if key not in known]
        for key in value.keys() & known.keys():
            found += problems(value[key], known[key], f"{at}.{key}")
    if isinstance(value, list):
        for n, item in enumerate(value):
            found += problems(item, schema["items"], f"{at}[{n}]")
    return found


def event(digest: Digest) -> dict[str, Any]:
    return to_event(inert(digest), Page(digest.stories))


@pytest.mark.parametrize("kind", list(DigestKind))
def test_what_is_sent_keeps_to_the_schema(kind: DigestKind) -> None:
    assert not problems(event(sample_digest(kind=kind)), SCHEMA)


def test_the_schema_would_notice() -> None:
    broken = event(sample_digest())
    broken["data"]["stories"][0]["severity"] = "loud"
    broken["data"]["extra"] = 1

    assert len(problems(broken, SCHEMA)) == 2


def test_every_key_of_the_schema_is_required() -> None:
    """A receiver may count on each: optional ones are null, not missing."""
    nodes = [SCHEMA, *(node for node in SCHEMA["$defs"].values() if "properties" in node)]

    assert all(set(node["required"]) == set(node["properties"]) for node in nodes)


def test_the_id_follows_from_the_key_of_the_page() -> None:
    digest = sample_digest()
    first = to_event(digest, Page(digest.stories, number=1, of=2))
    second = to_event(digest, Page(digest.stories, number=2, of=2))

    assert first["id"] == event(digest)["id"]
    assert first["id"] != second["id"]
    assert event(replace(digest, key="another"))["id"] != first["id"]
