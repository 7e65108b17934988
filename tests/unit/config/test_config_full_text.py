"""`full_text:` and `page:` of feeds.yaml are judged when the configuration is read."""

from pathlib import Path

import pytest

from watcher.config import feeds
from watcher.config.load import load_config
from watcher.errors import ConfigError


def written(folder: Path, *lines: str) -> Path:
    (folder / "rules").mkdir()
    (folder / "watcher.yaml").write_text("data: ../data\n")
    entry = (
        "  - id: wire",
        "    url: https://sample.example/rss",
        *(f"    {one}" for one in lines),
    )
    (folder / "feeds.yaml").write_text("\n".join(("feeds:", *entry, "")))
    return folder


def test_full_texts_without_their_library_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "is_installed", lambda: False)

    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "full_text: true"), {})

    assert "feeds.yaml:4:" in str(caught.value)
    assert "pip install 'watcher-alerts[fulltext]'" in str(caught.value)


def test_a_disabled_feed_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "is_installed", lambda: False)

    assert load_config(written(tmp_path, "full_text: true", "enabled: false"), {}).feeds == ()


def test_a_wrong_selector_and_a_wrong_key_are_told_with_their_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(written(tmp_path, "page:", "  items: 'li['", "  itms: x"), {})

    said = str(caught.value)
    assert "feeds[wire].page.items: 'li[' is not a CSS selector" in said
    assert "unknown key 'itms': did you mean 'items'?" in said
