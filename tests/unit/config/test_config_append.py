"""New feeds are inserted as text: every old byte stays, the result reads as meant, or nothing changes."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from watcher.config.append import editing_feeds, with_feeds
from watcher.config.load import load_config
from watcher.config.yaml import read_yaml
from watcher.errors import ConfigError

NEW = {"id": "wire", "url": "https://wire.example/rss", "title": "A: wire", "every": "15m"}
OTHER = {"id": "38-north", "url": "https://n.example/?a=1&b=2", "enabled": False, "initial": 3}


def feeds(content: bytes) -> Any:
    document = read_yaml(content, "feeds.yaml")
    assert document.problems == ()
    return document.data["feeds"]


def shared(one: str, other: str) -> str:
    """What both begin with."""
    ends = (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b)
    return one[: next(ends, min(len(one), len(other)))]


def inserted(old: str, *entries: dict[str, Any]) -> tuple[str, str, str]:
    """What stands before, what is new, what stands behind."""
    new = with_feeds(old.encode(), entries or (NEW,)).decode()
    same = shared(old, new)
    behind = shared(old[len(same) :][::-1], new[len(same) :][::-1])[::-1]
    assert same + behind == old
    return same, new[len(same) : len(new) - len(behind)], behind


LAYOUTS = {
    "blocks": "feeds:\n  - id: a\n    url: https://a.example/\n",
    "blocks, not indented": "feeds:\n- id: a\n  url: https://a.example/\n",
    "blocks, far in": "feeds:\n      -   id: a\n          url: https://a.example/\n",
    "dash alone": "feeds:\n  -\n    id: a\n    url: https://a.example/\n",
    "one line each": 'feeds:\n  - {id: a, url: "https://a.example/"}\n',
    "flow over lines": 'feeds:\n  - {id: a,\n     url: "https://a.example/"}  # c\n',
    "no last line end": "feeds:\n  - id: a\n    url: https://a.example/",
    "windows": "# x\r\nfeeds:\r\n  - id: a\r\n    url: https://a.example/\r\n\r\n# end\r\n",
    "byte order mark": "\ufefffeeds:\n  - id: a\n    url: https://a.example/\n",
    "comments": "# top ü 한\nfeeds: # list\n\n  # one\n  - id: a # i\n    url: https://a.example/ # u\n    # mine\n\n  # end\n# end\n",
    "list not last": "feeds:\n  - id: a\n    url: https://a.example/\n\n# the rest\nother: {x: 1}\n",
    "marks": "---\nfeeds:\n  - id: a\n    url: https://a.example/\n...\n",
    "text block": "feeds:\n  - id: a\n    url: https://a.example/\n    title: |\n      long\n# end\n",
    "headers": "feeds:\n  - id: a\n    url: https://a.example/\n    headers:\n      Cookie: {env: X}\n",
    "null": "feeds:\n  - id: a\n    url: https://a.example/\n    title:\n",
    "anchor": "feeds:\n  - &a\n    id: a\n    url: https://a.example/\n  - *a\n",
    "quoted key": "'feeds':\n  - id: a\n    url: https://a.example/\n",
    "apart": "feeds:\n  - id: a\n    url: https://a.example/\n\n  - id: b\n    url: https://b.example/\n",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_keeps_its_bytes(name: str) -> None:
    old = LAYOUTS[name]
    before, new, behind = inserted(old, NEW, OTHER)

    assert feeds((before + new + behind).encode()) == [*feeds(old.encode()), NEW, OTHER]
    assert ("\r\n" in new) == ("\r\n" in old)
    assert (before + new + behind).endswith("\n") == old.endswith("\n")


def test_new_feeds_look_like_the_last_one() -> None:
    assert inserted(LAYOUTS["one line each"])[1] == (
        '  - {id: wire, url: "https://wire.example/rss", title: "A: wire", every: 15m}\n'
    )
    assert inserted(LAYOUTS["blocks"])[1] == (
        '  - id: wire\n    url: https://wire.example/rss\n    title: "A: wire"\n    every: 15m\n'
    )
    assert inserted(LAYOUTS["apart"])[1].startswith("\n  - id: wire\n")


def test_comments_of_the_last_feed_stay_with_it() -> None:
    before, _, behind = inserted(LAYOUTS["comments"])

    assert before.endswith("    # mine\n")
    assert behind == "\n  # end\n# end\n"


@pytest.mark.parametrize("rest", ["", "\n", "  # mine\n", "\r\n# end\r\n"])
def test_an_empty_list_gives_way(rest: str) -> None:
    new = with_feeds(f"# top\nfeeds: []{rest}".encode(), (NEW,))

    assert feeds(new) == [NEW]
    assert rest.strip().encode() in new


def test_a_file_that_is_not_there_is_begun() -> None:
    assert feeds(with_feeds(None, (NEW, OTHER))) == [NEW, OTHER]


@pytest.mark.parametrize(
    "old",
    [
        'feeds: [{id: a, url: "https://a.example/"}]\n',
        '{"feeds": [{"id": "a", "url": "https://a.example/"}]}\n',
        "feeds: [\n # none yet\n]\n",
        "feeds:\nother: 1\n",
        "other: 1\n",
        "feeds: &all\n  - id: a\n    url: https://a.example/\n",
    ],
)
def test_other_layouts_are_refused_with_what_to_do(old: str) -> None:
    with pytest.raises(ConfigError, match="add the lines by hand"):
        with_feeds(old.encode(), (NEW,))


TEXTS = st.text(max_size=30)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(10**9), 10**9) | st.none(),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(TEXTS, v, max_size=3),
    max_leaves=5,
)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(LAYOUTS)),
    title=TEXTS | st.sampled_from(["no", "12:30", "1e3", "- a", "a: b", "a #b", "'", "~", "2026-05-01", "*x", "a, b]", "&x", "%", "@", "`", "\x85", "\u2028", "\ufeff", "😀", "<<"]),
    more=st.dictionaries(st.sampled_from(["title", "group", "x y", "no", "<"]), VALUES, max_size=3),
)  # fmt: skip
@example(name="one line each", title="a: b, {c}", more={})
def test_whatever_a_feed_says_reads_back(name: str, title: str, more: dict[str, Any]) -> None:
    entry = {"id": "new", "url": "https://x.example/", "title": title, **more}

    assert feeds(with_feeds(LAYOUTS[name].encode(), (entry,)))[-1] == entry


def test_thousands_of_feeds_go_in_at_once() -> None:
    many = [{"id": f"f{n}", "url": f"https://f{n}.example/rss"} for n in range(5000)]

    assert len(feeds(with_feeds(LAYOUTS["blocks"].encode(), many))) == 5001


# ── on disk ──


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    config = tmp_path / "config"
    config.mkdir()
    (config / "watcher.yaml").write_text("data: data\n")
    (config / "feeds.yaml").write_text(LAYOUTS["comments"], "utf-8")
    return config


def append(folder: Path, *entries: dict[str, Any]) -> None:
    with editing_feeds(folder, {}) as on_disk:
        on_disk.append(entries)


def test_the_file_keeps_its_mode_and_leaves_nothing_beside_it(folder: Path) -> None:
    (folder / "feeds.yaml").chmod(0o640)

    append(folder, NEW)

    assert stat.S_IMODE((folder / "feeds.yaml").stat().st_mode) == 0o640
    assert sorted(p.name for p in folder.iterdir()) == ["feeds.yaml", "watcher.yaml"]
    assert [f.id for f in load_config(folder, {}).feeds] == ["a", "wire"]


def test_a_link_stays_and_what_it_leads_to_changes(folder: Path, tmp_path: Path) -> None:
    real = tmp_path / "shared.yaml"
    (folder / "feeds.yaml").rename(real)
    (folder / "feeds.yaml").symlink_to("../shared.yaml")

    append(folder, NEW)

    assert (folder / "feeds.yaml").is_symlink()
    assert "wire" in real.read_text()


@pytest.mark.parametrize(
    "entry",
    [
        {"id": "a", "url": "https://b.example/"},
        {"id": "No Id", "url": "https://b.example/"},
        {"id": "b", "url": "file:///etc/passwd"},
        {"id": "b", "url": "https://b.example/", "every": "soon"},
        {"id": "b", "url": "https://b.example/", "colour": "red"},
    ],
)
def test_what_would_not_load_leaves_the_file_as_it_was(folder: Path, entry: dict[str, Any]) -> None:
    before = (folder / "feeds.yaml").read_bytes()

    with pytest.raises(ConfigError):
        append(folder, entry)

    assert (folder / "feeds.yaml").read_bytes() == before


def test_a_change_in_between_is_not_overwritten(folder: Path) -> None:
    with editing_feeds(folder, {}) as on_disk:
        (folder / "feeds.yaml").write_text(LAYOUTS["blocks"])
        with pytest.raises(ConfigError, match="has just been changed"):
            on_disk.append([NEW])

    assert (folder / "feeds.yaml").read_text() == LAYOUTS["blocks"]


def test_a_write_that_fails_leaves_the_file_as_it_was(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    before = (folder / "feeds.yaml").read_bytes()
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(ConfigError, match="no space left on device"):
        append(folder, NEW)

    assert (folder / "feeds.yaml").read_bytes() == before
    assert sorted(p.name for p in folder.iterdir()) == ["feeds.yaml", "watcher.yaml"]


def test_without_a_file_one_is_begun(folder: Path) -> None:
    (folder / "feeds.yaml").unlink()

    append(folder, NEW)

    assert [f.id for f in load_config(folder, {}).feeds] == ["wire"]
