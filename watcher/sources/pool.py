"""Parsing in child processes: a hostile feed can cost a child, never the daemon or its loop."""

import asyncio
import math
import os
import pickle
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any

from watcher.errors import ParseError
from watcher.model import ParsedFeed
from watcher.ports import Result, Work
from watcher.sources.child import LENGTH, Packed, Task, framed
from watcher.sources.parse import parse_feed

# A child is replaced after so many feeds: what a parser leaks is given back.
FEEDS_PER_CHILD = 2_000
# A child imports its parsers first, on a busy machine too.
_START_SECONDS = 60.0
# More than a feed within its limits comes to.
_ANSWER_BYTES = 256 * 1024 * 1024
# It looks for modules where this process does, and not in the folder it happens to run in.
_BOOT = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from watcher.sources.child import serve; serve(*map(int, sys.argv[1:]))"
)


def _parse(body: bytes, url: str, content_type: str | None) -> ParsedFeed:
    return parse_feed(body, url=url, content_type=content_type)


class _Child:
    """One process and the pipes to it; used by one task at a time."""

    def __init__(self, process: Process, lifeline: int) -> None:
        self._process = process
        self._lifeline: int | None = lifeline
        self._left = FEEDS_PER_CHILD
        self._is_up = False

    @classmethod
    async def spawn(cls, cpu_seconds: int) -> "_Child":
        """Not forked: a fork of a threaded loop may hold its locks for ever."""
        theirs, ours = os.pipe()
        flags = ["-P", *(["-B"] if sys.dont_write_bytecode else [])]
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *flags, "-c", _BOOT, str(theirs), str(cpu_seconds),
                stdin=PIPE, stdout=PIPE, pass_fds=[theirs], limit=1024 * 1024,
            )  # fmt: skip
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return cls(process, ours)

    @property
    def is_spent(self) -> bool:
        return self._left <= 0

    async def ask(self, task: Task, deadline: float) -> Any:
        """Raises `TimeoutError` or `OSError` or `EOFError` when the child is good for nothing more."""
        if not self._is_up:
            await self._boot()
        self._left -= 1
        async with asyncio.timeout(deadline):
            await self._tell(framed(task))
            outcome = await self._told()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome.unpacked() if isinstance(outcome, Packed) else outcome

    async def _boot(self) -> None:
        async with asyncio.timeout(_START_SECONDS):
            await self._tell(pickle.dumps(sys.path))
            await self._told()
        self._is_up = True

    async def _tell(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def _told(self) -> Any:
        assert self._process.stdout is not None
        (length,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
        if length > _ANSWER_BYTES:
            raise EOFError
        answer = await self._process.stdout.readexactly(length)
        return pickle.loads(answer)  # noqa: S301 - as multiprocessing does with its children

    def end(self) -> None:
        """At once; `gone` waits for it."""
        with suppress(ProcessLookupError):
            self._process.kill()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None

    async def gone(self) -> None:
        """What it still said is read, or its pipe would stay open."""
        assert self._process.stdout is not None
        with suppress(RuntimeError):  # whoever asked it reads already
            await self._process.stdout.read()
        await self._process.wait()


class ParserPool:
    """`async with ParserPool() as parser`; implements `ports.FeedParser`."""

    def __init__(self, workers: int = 1, deadline: timedelta = timedelta(seconds=20)) -> None:
        self._deadline = deadline.total_seconds()
        self._slots = asyncio.Semaphore(workers)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._ended: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "ParserPool":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for child in (*self._idle, *self._busy):
            self._end(child)
        self._idle.clear()
        await asyncio.gather(*self._ended)

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
            try:
                child = await self._free()
                found: Result = await self._ask(child, (work, body, url, content_type))
                return found
            except (TimeoutError, EOFError, OSError) as error:
                raise self._trouble(error) from error

    async def _free(self) -> _Child:
        return self._idle.pop() if self._idle else await _Child.spawn(math.ceil(self._deadline))

    async def _ask(self, child: _Child, task: Task) -> Any:
        self._busy.add(child)
        is_good = False
        try:
            found = await child.ask(task, self._deadline)
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
                self._end(child)

    def _end(self, child: _Child) -> None:
        child.end()
        task = asyncio.create_task(child.gone())
        self._ended.add(task)
        task.add_done_callback(self._ended.discard)

    def _trouble(self, error: BaseException) -> ParseError:
        if isinstance(error, TimeoutError):
            return ParseError("parse_timeout", f"took longer than {self._deadline:g} s")
        return ParseError("parser_died", "the parser ran out of its limits")
