"""docs/configuration.md is executed: every example loads, every key is described."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from watcher.alerts.routes import DigestSchedule, RouteMatch, RouteSettings
from watcher.config.load import load_config
from watcher.config.receivers import known_types, settings_of
from watcher.config.settings import WatcherSettings
from watcher.config.yaml import read_yaml
from watcher.rules.policy import AlertPolicy
from watcher.rules.schema import ConceptSpec, RuleSpec, RuleTests, Sample
from watcher.sources.settings import FeedSettings
from watcher.stories.publishers import PublisherSettings

PAGE = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
FILES = {
    "feeds": "feeds.yaml",
    "concepts": "concepts.yaml",
    "publishers": "publishers.yaml",
    "rules": "rules/a.yaml",
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def file_of(block: str) -> str:
    first = next(iter(read_yaml(block.encode(), "block").data))
    return FILES.get(first, "watcher.yaml")


@pytest.mark.parametrize("block", BLOCKS)
def test_every_example_loads(block: str, tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    concepts = next(b for b in BLOCKS if b.startswith("concepts:"))
    for name, text in (
        ("watcher.yaml", "data: ../data\n"),
        ("concepts.yaml", concepts),
        (file_of(block), block),
    ):
        (tmp_path / name).write_text(text)
    names = re.findall(r"(?:_env|env): (\w+)", block)
    secrets = {n: SECRET if n.endswith("SECRET") else "https://hooks.example.org/x" for n in names}

    assert load_config(tmp_path, secrets).fingerprint


def keys(model: type[BaseModel]) -> Iterator[str]:
    for name, info in model.model_fields.items():
        yield info.alias or name


MODELS = [
    *(WatcherSettings, RouteSettings, RouteMatch, DigestSchedule, FeedSettings, PublisherSettings),
    *(ConceptSpec, RuleSpec, RuleTests, Sample, AlertPolicy),
    *map(settings_of, known_types()),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{m.__module__}.{m.__name__}")
def test_every_key_is_described(model: type[BaseModel]) -> None:
    rows = "".join(re.findall(r"^\| `.*", PAGE, re.MULTILINE))
    described = {part for path in re.findall(r"`([\w.]+):?`", rows) for part in path.split(".")}

    assert set(keys(model)) <= described


def test_every_channel_is_described() -> None:
    assert all(f"**{kind}**" in PAGE for kind in known_types())


def test_the_defaults_shown_are_the_defaults(tmp_path: Path) -> None:
    shown = next(block for block in BLOCKS if block.startswith("data:"))
    (tmp_path / "watcher.yaml").write_text(shown)

    assert load_config(tmp_path, {}).settings == WatcherSettings()
