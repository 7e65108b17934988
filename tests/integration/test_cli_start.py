"""What a command loads before it does anything: a list of commands takes no second."""

import subprocess
import sys
from pathlib import Path

import pytest

from watcher.cli.main import COMMANDS, load


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says(name: str) -> None:
    first, _, _ = (load(name).help or "").partition("\n\n")

    assert COMMANDS[name][1] == " ".join(first.split())


# What takes long to load, and no command that only reads files needs.
HEAVY = ("sqlalchemy", "alembic", "aiohttp", "slack_sdk", "starlette", "uvicorn", "aiosmtplib")
MORE = ("pydantic", "jinja2", "css_inline", "structlog", "apscheduler", "yaml", "feedparser")


def loaded_by(*words: str) -> set[str]:
    """The modules in a process that has run the command, which must succeed."""
    code = (
        "import sys\nfrom watcher.cli.main import app\n"
        "try:\n    app(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("words", [["--help"], ["--version"]], ids=" ".join)
def test_what_tells_of_commands_loads_none_of_them(words: list[str]) -> None:
    found = loaded_by(*words)

    assert "typer" in found
    assert not found & {*HEAVY, *MORE}


def test_checking_and_parsing_load_no_store_and_no_network(tmp_path: Path) -> None:
    folder, feed = tmp_path / "config", tmp_path / "feed.xml"
    folder.mkdir()
    (folder / "watcher.yaml").write_text("receivers: [{id: desk, type: stdout}]\n")
    (folder / "feeds.yaml").write_text("feeds: []\n")
    feed.write_text("<rss version='2.0'><channel><title>T</title></channel></rss>")

    checked = loaded_by("--config", str(folder), "check")
    parsed = loaded_by("feeds", "parse", str(feed))

    assert not checked & set(HEAVY)
    assert not parsed & {*HEAVY, "jinja2", "css_inline", "structlog"}
