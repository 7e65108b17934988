"""The pages behind the links of a message: relevant, noise, mute, acknowledge.

GET shows what would be done and changes nothing, since mail scanners and link previews follow
every link; POST does it, or undoes it. A link that isn't ours, or is over, gets a bare line.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from urllib.parse import parse_qs

import structlog
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from watcher.ports import Clock
from watcher.store.engine import Store, Transaction
from watcher.web.acts import SPANS, Subject, Wish, act, look
from watcher.web.links import Grant, Signer
from watcher.writer import Writer

log = structlog.get_logger()

TEMPLATE = "_feedback.html.j2"
MOST_BYTES = 1024
# One reader clicks a few times; all of them together are no load.
MOST_OF_A_LINK = 10
MOST_OF_ALL = 300
PER = timedelta(minutes=1)

Page = Callable[..., str]


class Feedback:
    """Serves the routes; `use` takes the words of a (re)loaded configuration."""

    def __init__(self, store: Store, writer: Writer, *, clock: Clock, signer: Signer) -> None:
        self._store = store
        self._writer = writer
        self._clock = clock
        self._signer = signer
        self._page: Page | None = None
        self._titles: Mapping[str, str] = {}
        self._recent: deque[tuple[float, str]] = deque()

    def use(self, page: Page, titles: Mapping[str, str]) -> None:
        """`page` renders a template with keywords, `titles` are the rules' by id."""
        self._page, self._titles = page, titles

    @property
    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/f/{action}/{token}", self._answer, methods=["GET", "POST"])]

    async def _answer(self, request: Request) -> Response:
        token = request.path_params["token"]
        grant = self._signer.read(request.path_params["action"], token)
        if grant is None:
            return PlainTextResponse("not found\n", status_code=404)
        if grant.until <= self._clock.now():
            return PlainTextResponse("gone\n", status_code=410)
        if request.method != "POST":
            return self._shown(grant, await asyncio.to_thread(self._look, grant))
        wish = await _wish(request)
        if wish is None:
            return PlainTextResponse("bad request\n", status_code=400)
        if not self._has_room(token):
            headers = {"retry-after": str(int(PER.total_seconds()))}
            return PlainTextResponse("too many requests\n", status_code=429, headers=headers)
        self._writer.require_room()
        subject = await self._writer(self._act, grant, wish)
        if subject is not None:
            log.info(
                "feedback",
                action=grant.action.value,
                undo=wish.undo,
                alert=grant.alert,
                receiver=grant.receiver,
            )
        return self._shown(grant, subject)

    def _look(self, grant: Grant) -> Subject | None:
        with self._store.read() as tx:
            return self._found(tx, grant)

    def _act(self, grant: Grant, wish: Wish) -> Subject | None:
        with self._store.begin() as tx:
            act(tx, grant, wish, self._clock.now())
            return self._found(tx, grant)

    def _found(self, tx: Transaction, grant: Grant) -> Subject | None:
        return look(tx, grant, self._titles, self._clock.now())

    def _shown(self, grant: Grant, subject: Subject | None) -> Response:
        if subject is None or self._page is None:
            return PlainTextResponse("gone\n", status_code=410)
        html = self._page(TEMPLATE, action=grant.action.value, subject=subject)
        return HTMLResponse(html, headers={"x-robots-tag": "noindex"})

    def _has_room(self, token: str) -> bool:
        """Counts one more; only holders of a link get as far as this."""
        now = time.monotonic()
        while self._recent and self._recent[0][0] < now - PER.total_seconds():
            self._recent.popleft()
        if len(self._recent) >= MOST_OF_ALL:
            return False
        if sum(known == token for _, known in self._recent) >= MOST_OF_A_LINK:
            return False
        self._recent.append((now, token))
        return True


async def _wish(request: Request) -> Wish | None:
    """What the form says; None when it is too long or says what no form of ours does."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            return None
    try:
        fields = parse_qs(body.decode("ascii"), strict_parsing=bool(body), max_num_fields=8)
    except ValueError:
        return None
    given = {name: values[-1] for name, values in fields.items()}
    span = SPANS.get(given.get("for", "24h"))
    if span is None or given.get("what", "story") not in {"story", "rule"}:
        return None
    return Wish(given.get("do") == "undo", given.get("what") == "rule", span)
