"""Structured logs: an event name and fields, one line per outcome, nothing a feed says is ever raw."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from watcher.text import clean_line

_VALUE_LIMIT = 500


def configure(fmt: str = "auto", level: str = "info") -> None:
    """Set up logging to standard error; `auto` is console on a terminal, else JSON lines."""
    console = fmt == "console" or (fmt == "auto" and sys.stderr.isatty())
    renderer: Any = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _inert,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # APScheduler, aiohttp and asyncio use the standard library; only their trouble is of interest.
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr, force=True)


def _inert(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Feed text may hold escape sequences and line breaks; a log line must stay one plain line."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = clean_line(value, _VALUE_LIMIT)
        elif isinstance(value, str):
            event[key] = "".join(c for c in value if c == "\n" or c.isprintable())
    return event
