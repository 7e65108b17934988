"""Parsing in child processes: a hostile feed can cost a child, never the daemon or its loop."""

import asyncio
import multiprocessing
import os
import resource
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from datetime import timedelta
from types import TracebackType

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.sources.parse import parse_feed

MEMORY_BYTES = 1024 * 1024 * 1024
# A child is replaced after so many feeds: what a parser leaks is given back.
FEEDS_PER_CHILD = 2_000


def _limit_child() -> None:
    import signal

    # The daemon decides when to stop; Ctrl-C goes to the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A daemon that is killed can't end its children; they see to it themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _parse(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    try:
        return parse_feed(body, url=url, content_type=content_type)
    except MemoryError as error:
        raise ParseError("too_complex", "needs more memory than a feed may") from error


class ParserPool:
    """`async with ParserPool() as parser`; implements `ports.FeedParser`."""

    def __init__(self, workers: int = 1, deadline: timedelta = timedelta(seconds=20)) -> None:
        self._workers = workers
        self._deadline = deadline.total_seconds()
        self._slots = asyncio.Semaphore(workers)
        self._pool: ProcessPoolExecutor | None = None

    async def __aenter__(self) -> "ParserPool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop(kill=True)

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        """One feed; a child that dies or outlasts the deadline is replaced."""
        async with self._slots:
            pool = self._ready()
            work = asyncio.get_running_loop().run_in_executor(pool, _parse, body, url, content_type)
            try:
                async with asyncio.timeout(self._deadline):
                    return await work
            except TimeoutError as error:
                self._drop(kill=True)
                raise ParseError(
                    "parse_timeout", f"took longer than {self._deadline:g} s"
                ) from error
            except BrokenProcessPool as error:
                self._drop(kill=True)
                raise ParseError("parser_died", "the parser ran out of its limits") from error

    def _ready(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                max_workers=self._workers,
                # Spawned, not forked: a fork of a threaded loop may hold its locks for ever.
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_limit_child,
                max_tasks_per_child=FEEDS_PER_CHILD,
            )
        return self._pool

    def _drop(self, *, kill: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        children = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        if kill:
            for child in children:
                with suppress(ProcessLookupError, ValueError):
                    child.kill()
            for child in children:
                with suppress(ValueError):
                    child.join(timeout=5)
