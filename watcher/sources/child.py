"""The parser's process: limited by the kernel, it answers one task after the other.

Tasks come as pickles on standard input, answers go the same way on standard output, each behind
its length. What a parser prints is dropped: standard error may be a file, and it may write none.
"""

import math
import os
import pickle
import resource
import signal
import struct
import sys
import threading
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any, NamedTuple

from watcher.errors import ParseError
from watcher.model import Entry, ParsedFeed
from watcher.ports import Work

MEMORY_BYTES = 1024 * 1024 * 1024
LENGTH = struct.Struct("!Q")
Task = tuple[Work[Any], bytes, str, str | None]
_values = attrgetter(*(f.name for f in fields(Entry)))


class Packed(NamedTuple):
    """A feed on its way: entries as tuples take half the time there and back."""

    feed: ParsedFeed
    entries: list[tuple[Any, ...]]

    def unpacked(self) -> ParsedFeed:
        return replace(self.feed, entries=tuple([Entry(*values) for values in self.entries]))


def framed(message: Any) -> bytes:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def serve(lifeline: int, cpu_seconds: int) -> None:
    """Until standard input ends, or the daemon, whose end of `lifeline` the kernel closes."""
    # The daemon decides when to stop; Ctrl-C goes to the whole process group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    threading.Thread(target=_end_with_daemon, args=(lifeline,), daemon=True).start()
    tasks, answers = sys.stdin.buffer, os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    _answer(answers, True)
    while len(length := tasks.read(LENGTH.size)) == LENGTH.size:
        task: Task = pickle.loads(tasks.read(*LENGTH.unpack(length)))  # noqa: S301 - the daemon's
        _allow_cpu(cpu_seconds)
        _answer(answers, _packed(_outcome(*task)))


def _answer(pipe: int, outcome: Any) -> None:
    left = memoryview(framed(outcome))
    while left:
        left = left[os.write(pipe, left) :]


def _outcome(work: Work[Any], body: bytes, url: str, content_type: str | None) -> Any:
    """What it gives, or the exception that it raised."""
    try:
        return work(body, url, content_type)
    except MemoryError:
        return ParseError("too_complex", "needs more memory than a feed may")
    except Exception as error:  # noqa: BLE001 - raised again where it can be handled
        return error


def _packed(found: Any) -> Any:
    if not isinstance(found, ParsedFeed):
        return found
    return Packed(replace(found, entries=()), [_values(entry) for entry in found.entries])


def _allow_cpu(seconds: int) -> None:
    """For the next feed; the kernel ends the child that takes more, even if nobody waits for it."""
    times = os.times()
    limit = math.ceil(times.user + times.system) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))


def _end_with_daemon(lifeline: int) -> None:
    """A daemon that is killed can't end its children; they see to it themselves."""
    os.read(lifeline, 1)
    os._exit(1)
