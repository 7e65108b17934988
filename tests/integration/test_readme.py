"""The README does what it says: its files load, its commands run, in its order."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"# (\S+\.yaml)\n")
ARTICLE = {
    "id": "1",
    "title": "Lava flows toward Grindavik after volcano erupts",
    "published": "2026-05-30T10:00:00Z",
}


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / "README.md").read_text("utf-8"))


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if not k.startswith("WATCHER_")}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "watcher", *shlex.split(command)[1:]]
    return subprocess.run(
        words,
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_as_daemon(command: str, folder: Path) -> int:
    """Start it, wait until it says so, and end it as an operator would."""
    words = [sys.executable, "-m", "watcher", *shlex.split(command)[1:]]
    log = folder / "daemon.log"
    with log.open("w") as errors:
        process = subprocess.Popen(words, cwd=folder, env=environment(), stderr=errors)
        deadline = time.monotonic() + 30
        while (
            '"started"' not in log.read_text()
            and process.poll() is None
            and time.monotonic() < deadline
        ):
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        code = process.wait(40)
    assert '"started"' in log.read_text()
    return code


def test_every_block_of_the_readme_works_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "articles.jsonl").write_text(json.dumps(ARTICLE) + "\n")
    outputs: dict[str, str] = {}
    failed: list[str] = []

    for kind, text in blocks():
        if kind == "yaml":
            name = NAMED.match(text)
            assert name, f"a YAML block without a file name: {text[:40]}"
            (tmp_path / name[1]).write_text(text, "utf-8")
        for command in text.splitlines() if kind == "sh" else ():
            if command.startswith("watcher") and command.endswith(" run"):
                # The same feed on a closed port of this machine: the test asks nobody else.
                feeds = tmp_path / "my-watch" / "feeds.yaml"
                feeds.write_text(
                    re.sub(r"https://\S+", "http://127.0.0.1:9/feed", feeds.read_text())
                )
                if run_as_daemon(command, tmp_path) != 0:
                    failed.append(command)
            elif command.startswith("watcher"):
                done = run(command, tmp_path)
                outputs[command] = done.stdout
                if done.returncode != 0:
                    failed.append(f"{command}: {done.returncode}: {done.stderr}")

    assert not failed
    assert "4 passed, 0 failed" in outputs["watcher --config my-watch test --rule iceland-eruption"]
    assert (
        '"type": "alert"'
        in outputs["watcher --config my-watch replay --input articles.jsonl --only alert"]
    )
    assert (tmp_path / "backup.db").stat().st_size > 0


@pytest.mark.parametrize("target", ["run", "test", "demo", "lint", "bench"])
def test_every_make_target_of_the_readme_exists(target: str) -> None:
    done = subprocess.run(
        ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text("utf-8"))

    assert [link for link in links if not (ROOT / link).exists()] == []
