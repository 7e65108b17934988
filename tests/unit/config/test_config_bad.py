"""Every folder of tests/data/config/bad is refused with exactly the messages in its `expected`.

A folder holds the files that matter, `env` with NAME=VALUE lines, and the expected
messages; a minimal watcher.yaml stands in when the mistake is elsewhere.
"""

import os
import shutil
import time
from pathlib import Path

import pytest

from watcher.config.load import load_config
from watcher.errors import ConfigError

BAD = Path(__file__).parents[2] / "data" / "config" / "bad"
CASES = sorted(folder.name for folder in BAD.iterdir())
MINIMAL = "receivers:\n  - {id: console, type: stdout}\nroutes:\n  - receivers: [console]\noperator: console\n"


def messages(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `watcher check` would print for a folder called `config`."""
    shutil.copytree(BAD / case, tmp_path / "config")
    root = tmp_path / "config" / "watcher.yaml"
    if not root.exists():
        root.write_text(MINIMAL)
    env = tmp_path / "config" / "env"
    lines = env.read_text().splitlines() if env.exists() else []
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        load_config(Path("config"), dict(line.split("=", 1) for line in lines))
    return f"{refused.value}\n"


@pytest.mark.parametrize("case", CASES)
def test_a_mistake_is_told_with_its_place_and_its_remedy(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = time.process_time()
    told = messages(case, tmp_path, monkeypatch)
    spent = time.process_time() - started
    if os.environ.get("UPDATE_EXPECTED"):
        (BAD / case / "expected").write_text(told)

    assert told == (BAD / case / "expected").read_text()
    assert spent < 1
    assert "hunter2" not in told


def test_there_are_many_of_them() -> None:
    assert len(CASES) >= 40
