"""Where the service of a configuration lives: its store, and the clock it goes by.

Apart from `app`, so that a command that only reads files doesn't load the whole service.
"""

from pathlib import Path

from watcher.clock import SystemClock, parse_clock
from watcher.config.load import Config
from watcher.ports import Clock

STORE_NAME = "watcher.db"


def clock_of(config: Config) -> Clock:
    return parse_clock(config.settings.clock) if config.settings.clock else SystemClock()


def store_path(config: Config) -> Path:
    return config.data / STORE_NAME
