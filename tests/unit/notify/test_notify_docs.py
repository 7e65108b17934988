"""What the pages about receivers and templates say is true."""

import pkgutil
import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

import watcher.notify
from watcher.notify import load
from watcher.render.filters import FILTERS

ROOT = Path(__file__).parents[3]
RECEIVERS = (ROOT / "docs" / "receivers.md").read_text()
TEMPLATES = (ROOT / "docs" / "templates.md").read_text()
CHANNELS = [
    module.name
    for module in pkgutil.iter_modules(watcher.notify.__path__)
    if not module.name.startswith("_") and module.name != "settings"
]
SECRETS = {
    "url": "https://hooks.example.org/services/x",
    "secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    "previous_secret": "whsec_b2xkb2xkb2xkb2xkb2xkb2xkb2xkb2xk",
}


def filled(entry: dict[str, Any]) -> dict[str, Any]:
    """As the loader hands it over: `password_env` has become `password`."""
    found = dict(entry)
    for key in entry:
        name = key.removesuffix("_env").removesuffix("_file")
        if name != key and key != "ca_file":
            del found[key]
            found[name] = SECRETS.get(name, "a secret")
    return found


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", RECEIVERS, re.DOTALL)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_every_yaml_block_is_a_valid_receiver(block: str) -> None:
    for entry in yaml.safe_load(block):
        load(entry["type"]).Settings.model_validate(filled(entry))


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_has_a_chapter_and_an_example(name: str) -> None:
    chapter = re.search(rf"^## {name}\n(.*?)(?=^## )", RECEIVERS, re.DOTALL | re.MULTILINE)

    assert chapter
    assert f"type: {name}" in chapter[1]


@pytest.mark.parametrize("name", CHANNELS)
def test_the_example_on_its_manual_page_is_valid(name: str) -> None:
    lines = (load(name).__doc__ or "").split("\n\n")
    example = next(part for part in lines if part.startswith("    - id:"))
    (entry,) = yaml.safe_load(textwrap.dedent(example))

    assert load(name).Settings.model_validate(filled(entry)).type == name


def test_the_module_of_ones_own_on_the_page_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (source,) = [block for block in blocks("python") if "class Receiver" in block]
    (tmp_path / "mydesk").mkdir()
    (tmp_path / "mydesk" / "__init__.py").touch()
    (tmp_path / "mydesk" / "pager.py").write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    module = load("mydesk.pager")

    assert module.Settings.model_validate({"id": "x", "type": "mydesk.pager", "number": "7"})


def test_every_filter_is_described_and_exists() -> None:
    described = set(re.findall(r"\\\|(\w+)", TEMPLATES))

    assert described == set(FILTERS)


def test_every_shipped_template_is_named() -> None:
    shipped = {path.name for path in (ROOT / "templates").glob("*.j2")}

    assert shipped == set(re.findall(r"`(\w+\.\w+\.j2)`", TEMPLATES)) & shipped
