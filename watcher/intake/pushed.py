"""What hubs say and send to our callbacks: each word is checked against what was asked for.

A push is answered after it is stored, so that what is lost with us is sent again. Nothing is read
of a push nobody asked for, and little is in memory at once: the others wait in their connections.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from watcher.errors import FetchError, ParseError, StoreError
from watcher.fetch.body import Body
from watcher.intake.hubs import Hubs
from watcher.intake.ingest import Ingest
from watcher.ports import Clock
from watcher.store.engine import Store
from watcher.text import host_of
from watcher.websub.pushes import is_signed
from watcher.websub.subscription import Subscription
from watcher.writer import Writer

log = structlog.get_logger()

MAX_CHALLENGE = 1024
# Of one feed so many pushes wait in their connections, the next comes again later.
MAX_WAITING = 8
# Requests of one hub for one feed; more can't be news, and each costs a transaction.
MAX_A_MINUTE = 60
# Bodies in memory, of all feeds together.
MAX_BODIES = 8
# Less than the listener gives a request; a feed is parsed and stored in milliseconds.
DEADLINE = timedelta(seconds=25)
COME_BACK = timedelta(minutes=1)
# How often the count of forged pushes is stored.
COUNT_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Push:
    """A content distribution request; `body` has not been read yet."""

    body: AsyncIterator[bytes]
    content_type: str | None = None
    encoding: str = ""
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP status; with `come_back`, the hub is asked to try again then."""

    status: int
    come_back: timedelta | None = None


# Forged and honest pushes get the same answer.
TAKEN = Reply(202)
UNKNOWN = Reply(404)
OVER = Reply(410)
TOO_LARGE = Reply(413)
BUSY = Reply(503, COME_BACK)


class Callbacks:
    """Works in the daemon's loop, for as many hubs as there are. `max_body` may change at a reload."""

    def __init__(
        self,
        hubs: Hubs,
        store: Store,
        writer: Writer,
        ingest: Ingest,
        *,
        clock: Clock,
        max_body: int,
    ) -> None:
        self._hubs = hubs
        self._store = store
        self._writer = writer
        self._ingest = ingest
        self._clock = clock
        self.max_body = max_body
        self._waiting: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Lock] = {}
        self._bodies = asyncio.Semaphore(MAX_BODIES)
        self._minute = 0
        self._of_minute: Counter[str] = Counter()
        self._ignored: Counter[str] = Counter()
        self._counted_at: datetime | None = None

    # ── verification ──

    async def verify(
        self, token: str, *, mode: str, topic: str, challenge: str, lease: str | None
    ) -> str | None:
        """What to answer; None for "not found". Idempotent: a hub may ask twice."""
        if self._hubs.get(token) is None or not _is_sound(challenge, mode):
            return None
        if self._is_flood(token):
            return None
        accepted = await self._writer(self._hear, token, mode, topic, lease)
        return challenge if accepted else None

    def _hear(self, token: str, mode: str, topic: str, lease: str | None) -> bool:
        now = self._clock.now()
        with self._hubs.changing(self._store) as tx:
            return self._hubs.hear(tx, token, mode=mode, topic=topic, lease=lease, now=now)

    # ── pushes ──

    async def take(self, token: str, push: Push) -> Reply:
        """Never raises for what a hub does."""
        known = self._hubs.get(token)
        if known is None:
            return UNKNOWN
        if not known.is_live(self._clock.now()):
            return OVER
        if self._waiting[token] >= MAX_WAITING or self._is_flood(token):
            return BUSY
        try:
            async with asyncio.timeout(DEADLINE.total_seconds()), self._turn(token):
                return await self._take(known, push)
        except (TimeoutError, StoreError) as error:
            log.warning("push_put_off", feed=known.feed, error=str(error) or "took too long")
            return BUSY

    def _is_flood(self, token: str) -> bool:
        minute = int(self._clock.now().timestamp() / 60)
        if minute != self._minute:
            self._minute = minute
            self._of_minute.clear()
        self._of_minute[token] += 1
        return self._of_minute[token] > MAX_A_MINUTE

    @asynccontextmanager
    async def _turn(self, token: str) -> AsyncIterator[None]:
        """One push of a feed at a time."""
        self._waiting[token] += 1
        try:
            async with self._turns.setdefault(token, asyncio.Lock()), self._bodies:
                yield
        finally:
            self._waiting[token] -= 1
            if not self._waiting[token]:
                del self._waiting[token]
                del self._turns[token]

    async def _take(self, known: Subscription, push: Push) -> Reply:
        raw = await _read(push.body, self.max_body)
        if raw is None:
            return TOO_LARGE
        if known.secret and not await asyncio.to_thread(
            is_signed, raw, push.signature, known.secret
        ):
            await self._ignore(known)
            return TAKEN
        body = _decoded(raw, push.encoding, self.max_body)
        if not known.secret or not body.strip() or not await self._record(known, push, body):
            await self._writer(self._ping, known.feed)
        return TAKEN

    async def _record(self, known: Subscription, push: Push, body: bytes) -> bool:
        """False when it is no feed: a hub that sends none tells at least that there is news."""
        try:
            await self._ingest.take(known.feed, known.topic, body, push.content_type)
        except ParseError as error:
            log.info("push_without_feed", feed=known.feed, error=str(error))
            return False
        return True

    def _ping(self, feed: str) -> None:
        with self._hubs.changing(self._store) as tx:
            self._hubs.ping(tx, feed, self._clock.now())
        log.info("pinged", feed=feed)

    async def _ignore(self, known: Subscription) -> None:
        """Counted in memory first: a flood of forgeries is no flood of transactions."""
        self._ignored[known.token] += 1
        now = self._clock.now()
        if self._counted_at is None or now - self._counted_at >= COUNT_EVERY:
            self._counted_at = now
            counts, self._ignored = self._ignored, Counter()
            await self._writer(self._count, counts)
            log.warning("push_ignored", feed=known.feed, hub=host_of(known.hub), why="signature")

    def _count(self, counts: Counter[str]) -> None:
        with self._hubs.changing(self._store) as tx:
            self._hubs.count_ignored(tx, counts)


def _is_sound(challenge: str, mode: str) -> bool:
    """Short and printable; a denial has none."""
    if mode == "denied":
        return True
    return 0 < len(challenge) <= MAX_CHALLENGE and challenge.isprintable()


async def _read(body: AsyncIterator[bytes], limit: int) -> bytes | None:
    """None when it is more; the rest stays unread."""
    read = bytearray()
    async for piece in body:
        read += piece
        if len(read) > limit:
            return None
    return bytes(read)


def _decoded(raw: bytes, encoding: str, limit: int) -> bytes:
    """Nothing when it can't be decoded within the limit."""
    try:
        body = Body(encoding, limit)
        body.feed(raw)
        return body.whole()
    except FetchError:
        return b""
