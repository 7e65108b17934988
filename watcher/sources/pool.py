"""Parsing in child processes: a hostile feed can cost a child, never the daemon or its loop."""

import asyncio
import math
import multiprocessing
import os
import resource
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import fields, replace
from datetime import timedelta
from multiprocessing.connection import Connection
from operator import attrgetter
from types import TracebackType
from typing import Any, NamedTuple

from watcher.errors import ParseError
from watcher.model import Entry, ParsedFeed
from watcher.ports import Result, Work
from watcher.sources.parse import parse_feed

MEMORY_BYTES = 1024 * 1024 * 1024
# A child is replaced after so many feeds: what a parser leaks is given back.
FEEDS_PER_CHILD = 2_000
# A child imports its parsers first, on a busy machine too.
_START_SECONDS = 60.0
_values = attrgetter(*(f.name for f in fields(Entry)))
_Task = tuple[Work[Any], bytes, str, str | None]

# ── in the child ─────────────────────────────────────────────────────────────


def _serve(pipe: Connection, cpu_seconds: int) -> None:
    """Answer one task after the other until the pipe closes."""
    import signal

    # The daemon decides when to stop; Ctrl-C goes to the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    pipe.send(True)
    with suppress(EOFError, OSError):
        while True:
            task: _Task = pipe.recv()
            _allow_cpu(cpu_seconds)
            pipe.send(_packed(_outcome(*task)))


def _outcome(work: Work[Any], body: bytes, url: str, content_type: str | None) -> Any:
    """What it gives, or the exception that it raised."""
    try:
        return work(body, url, content_type)
    except MemoryError:
        return ParseError("too_complex", "needs more memory than a feed may")
    except Exception as error:  # noqa: BLE001 - raised again where it can be handled
        return error


def _parse(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    return parse_feed(body, url=url, content_type=content_type)


class _Packed(NamedTuple):
    """A feed on its way: entries as tuples take half the time there and back."""

    feed: ParsedFeed
    entries: list[tuple[Any, ...]]


def _packed(found: Any) -> Any:
    if not isinstance(found, ParsedFeed):
        return found
    return _Packed(replace(found, entries=()), [_values(entry) for entry in found.entries])


def _unpacked(found: Any) -> Any:
    if not isinstance(found, _Packed):
        return found
    return replace(found.feed, entries=tuple([Entry(*values) for values in found.entries]))


def _allow_cpu(seconds: int) -> None:
    """For the next feed; the kernel ends the child that takes more, even if nobody waits for it."""
    times = os.times()
    limit = math.ceil(times.user + times.system) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _end_with_parent() -> None:
    """A daemon that is killed can't end its children; they see to it themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


# ── in the daemon ────────────────────────────────────────────────────────────


class _Child:
    """One process and the pipe to it; used by one task at a time, in a thread."""

    def __init__(self, cpu_seconds: int) -> None:
        # Spawned, not forked: a fork of a threaded loop may hold its locks for ever.
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, cpu_seconds), daemon=True)
        self._theirs: Connection | None = theirs
        self._left = FEEDS_PER_CHILD

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    def ask(self, task: _Task, deadline: float) -> Any:
        """Raises `TimeoutError` or `OSError` or `EOFError` when the child is good for nothing more."""
        if self._theirs is not None:
            self._start(self._theirs)
        self._left -= 1
        self._pipe.send(task)
        if not self._pipe.poll(deadline):
            raise TimeoutError
        outcome = _unpacked(self._pipe.recv())
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _start(self, theirs: Connection) -> None:
        self._theirs = None
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_START_SECONDS):
            raise TimeoutError
        self._pipe.recv()

    def end(self) -> None:
        """A thread that still waits for its answer sees the pipe end."""
        if self._process.pid is not None:
            with suppress(ProcessLookupError, ValueError):
                self._process.kill()
            self._process.join(timeout=5)


class ParserPool:
    """`async with ParserPool() as parser`; implements `ports.FeedParser`."""

    def __init__(self, workers: int = 1, deadline: timedelta = timedelta(seconds=20)) -> None:
        self._deadline = deadline.total_seconds()
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="parse")

    async def __aenter__(self) -> "ParserPool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in (*self._idle, *self._busy):
            child.end()
        self._idle.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def parse(self, body: bytes, *, url: str, content_type: str | None) -> ParsedFeed:
        """One feed; a child that dies or outlasts the deadline is replaced, the others go on."""
        return await self.ask(_parse, body, url=url, content_type=content_type)

    async def ask(
        self, work: Work[Result], body: bytes, *, url: str, content_type: str | None = None
    ) -> Result:
        """`work` is called inside a child's limits.

        Raises what it raises, and `ParseError` when the child dies or outlasts the deadline.
        """
        async with self._slots:
            child = self._idle.pop() if self._idle else _Child(math.ceil(self._deadline))
            self._busy.add(child)
            is_good = False
            try:
                found: Result = await self._ask(child, (work, body, url, content_type))
            except (TimeoutError, EOFError, OSError) as error:
                raise self._trouble(error) from error
            except ParseError:
                is_good = True
                raise
            else:
                is_good = True
                return found
            finally:
                self._busy.discard(child)
                if is_good and not child.is_spent:
                    self._idle.append(child)
                else:
                    child.end()

    async def _ask(self, child: _Child, task: _Task) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, child.ask, task, self._deadline)

    def _trouble(self, error: BaseException) -> ParseError:
        if isinstance(error, TimeoutError):
            return ParseError("parse_timeout", f"took longer than {self._deadline:g} s")
        return ParseError("parser_died", "the parser ran out of its limits")
