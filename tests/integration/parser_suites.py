"""The open-licensed parser suites, read where they lie and never copied."""

import json
from typing import Any

import pytest

from benchmarks.fuzz_feeds import SUITES

needs_suites = pytest.mark.skipif(
    not (SUITES / "manifest.jsonl").is_file(),
    reason=f"no parser suites in {SUITES}: WATCHER_SHARED names the folder that holds feeds/",
)


def manifest() -> list[dict[str, Any]]:
    """A row per file: `file` is its path below the suites."""
    lines = (SUITES / "manifest.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]
