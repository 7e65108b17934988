"""Whatever a configuration holds, it loads or is refused with places: nothing else comes out."""

import copy
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.config.load import load_config
from watcher.config.yaml import read_yaml
from watcher.errors import ConfigError

SOUND: dict[str, Any] = {
    "watcher.yaml": {
        "poll": {"every": "15m", "workers": 1},
        "http": {"allow": ["127.0.0.1:80"], "contact": "desk@example.org"},
        "operator": "console",
        "receivers": [
            {"id": "console", "type": "stdout", "quiet_hours": {"from": "22:00", "until": "06:00"}},
            {"id": "soc", "type": "webhook", "url_env": "URL", "zone": "Asia/Seoul"},
        ],
        "routes": [
            {
                "match": {"min_severity": "high", "tags": ["a"]},
                "receivers": ["console"],
                "send": {"digest": "0 7 * * *"},
                "routes": [{"receivers": "soc", "continue": True}],
            }
        ],
    },
    "feeds.yaml": {
        "feeds": [
            {
                "id": "a",
                "url": "https://a.example/x",
                "every": "5m",
                "headers": {"Cookie": {"env": "URL"}},
            }
        ]
    },
    "publishers.yaml": {"publishers": [{"name": "A", "domains": ["a.example"], "marks": ["(A)"]}]},
    "concepts.yaml": {
        "concepts": {"a": {"terms": {"en": ["x"]}, "includes": ["b"]}, "b": {"terms": ["y"]}}
    },
    "rules/a.yaml": {
        "rules": [
            {
                "id": "l",
                "when": {
                    "all": ["$a", {"near": {"within": 5, "terms": [["s", "r"], "launch*"]}}],
                    "any": [
                        {"phrase": "x", "in": ["title"]},
                        {"at_least": {"count": 1, "of": ["a", {"exact": "US"}]}},
                        {
                            "threshold": 2,
                            "of": ["a", {"not_near": {"term": "a", "other": "b", "within": 1}}],
                        },
                        {"same": {"sentence": ["a", "b"]}},
                        {"min_count": {"term": "a", "count": 2}},
                        {"regex": "ab+", "lang": ["en"]},
                    ],
                },
                "unless": ["z"],
                "alert": {"at_most": "6 per day", "min_publishers": "2 within 6h", "max_age": "3d"},
                "tests": {"match": ["x", {"title": "y", "published": "2026-01-01"}]},
            }
        ]
    },
}
WORDS = [
    "",
    "x",
    "$a",
    "$zz",
    "a*",
    "*",
    "console",
    "high",
    "0 7 * * *",
    "15m",
    "9" * 30,
    "1:30",
    "é\u202e",
    "\x85",
]
# What JSON and YAML both write as it is.
LETTERS = st.characters(exclude_categories=["Cc", "Cn", "Cs", "Zl", "Zp"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(LETTERS, max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*WORDS, "id", "type", "all", "near", "env"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def spots(data: Any) -> list[tuple[Any, Any]]:
    """Every container with each of its keys or indices."""
    keys = (
        list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    )
    return [spot for key in keys for spot in [(data, key), *spots(data[key])]]


@settings(max_examples=300, deadline=None)
@given(st.randoms(use_true_random=False), st.lists(VALUES, min_size=1, max_size=3))
def test_anything_anywhere_is_refused_with_places_or_loads(
    rng: random.Random, values: list[Any]
) -> None:
    files = copy.deepcopy(SOUND)
    for value in values:
        container, key = rng.choice(spots(files[rng.choice(sorted(files))]))
        container[key] = value
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(data), encoding="utf-8")
        try:
            load_config(Path(folder), {"URL": "https://soc.example/hunter2"})
        except ConfigError as error:
            refused = error
        else:
            return

    assert refused.problems
    assert all(problem.line and problem.column for problem in refused.problems)
    assert "hunter2" not in str(refused)
    assert all(line.isprintable() for line in str(refused).split("\n"))


@settings(max_examples=500, deadline=None)
@given(
    st.binary(max_size=200)
    | st.text(alphabet="ab:-[]{}#&*!|>'\"%@`,? \n\t0", max_size=200).map(str.encode)
)
def test_any_bytes_are_a_document_or_a_problem(content: bytes) -> None:
    document = read_yaml(content, "f.yaml")

    assert all(problem.line >= 1 and problem.column >= 1 for problem in document.problems)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_json_reads_as_what_it_is(value: Any) -> None:
    text = json.dumps({"a": value}, ensure_ascii=False) if _finite(value) else '{"a": 1}'
    # YAML takes this control for the end of a line, JSON does not.
    found = read_yaml(text.replace("\x85", "\\u0085").encode(), "f").data["a"]

    assert not _finite(value) or _same(found, value)


def _finite(value: Any) -> bool:
    children = (
        value if isinstance(value, list) else value.values() if isinstance(value, dict) else ()
    )
    return all(map(_finite, children)) and not (isinstance(value, float) and value - value != 0)


def _same(found: Any, value: Any) -> bool:
    """Numbers too long or too odd for a setting may stay text; the rest is exact."""
    match value:
        case list():
            return len(found) == len(value) and all(map(_same, found, value))
        case dict():
            return found.keys() == value.keys() and all(_same(found[k], value[k]) for k in value)
        case int() | float() if isinstance(found, str):
            return found == json.dumps(value)
    return bool(found == value)
