"""A throw-away store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from watcher.store.engine import Store, open_store


@pytest.fixture
def store() -> Iterator[Store]:
    opened = open_store(Path(":memory:"))
    yield opened
    opened.close()
