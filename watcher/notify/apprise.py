"""The long tail by way of Apprise: Telegram, Discord, Teams, Matrix, ntfy, Pushover and more.

    - id: phone
      type: apprise
      url_env: PHONE_URL          # like ntfys://ntfy.example.org/alerts
      max_length: 1800

Needs the optional package: `pip install watcher-alerts[apprise]`. The forms of `url` are
listed in Apprise's own documentation. Sends the text of a digest, cut on story borders to
`max_length` characters a message (Discord takes 2000, Telegram 4096, Pushover 1024).

Apprise doesn't say why a service refused, so every failure is tried again for five days,
then listed as dead. It makes its own connections, which the outbound door watches: a private
address must be listed in `http.allow` like any other.
"""

import asyncio
import importlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field, SecretStr

from watcher.errors import PermanentDeliveryError, TemporaryDeliveryError
from watcher.fields import Duration
from watcher.model import Digest, Draft, Notification, Receipt, StoryView
from watcher.notify._inert import inert
from watcher.notify._kit import short_hash
from watcher.notify._pages import Page, paginate
from watcher.notify.settings import ReceiverSettings, Tools
from watcher.text import truncate

MOST_MESSAGES = 10


class Settings(ReceiverSettings):
    """`url` is one Apprise URL and a secret as a whole."""

    url: SecretStr
    max_length: int = Field(default=1800, ge=200, le=40_000)
    min_interval: Duration = timedelta(seconds=1)


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._render = tools.render
        self._door = tools.door

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        pages = paginate(
            digest.stories, lambda *some: self._load(digest, *some), most_pages=MOST_MESSAGES
        )
        return [self._draft(digest, page) for page in pages]

    def _draft(self, digest: Digest, page: Page) -> Draft:
        key = f"{digest.key}#{page.part}" if page.part else digest.key
        body = truncate(self._text(digest, page), self._settings.max_length - 14)
        title = truncate(digest.title, 120) + page.mark
        return Draft({"title": title, "body": f"{body}\n(id {short_hash(key, 8)})"}, page.part)

    def _text(self, digest: Digest, page: Page) -> str:
        shown = replace(digest, stories=page.stories)
        name = f"{self._settings.template}.txt.j2"
        return self._render.render(name, shown, page=page, whole=digest).strip()

    def _load(
        self, digest: Digest, whole: Sequence[StoryView], brief: Sequence[StoryView]
    ) -> float:
        page = Page(tuple(whole), tuple(brief), of=MOST_MESSAGES, more=1)
        return len(self._text(digest, page)) / (self._settings.max_length - 14)

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:  # noqa: ARG002
        payload = notification.payload
        sender = self._sender()
        with self._door.guarding() as guard:
            try:
                # A thread inherits the guard; apprise's own pool does so in some versions only.
                sent = await asyncio.to_thread(
                    sender.notify, payload["body"], payload["title"], body_format="text"
                )
            except Exception as error:
                # A hundred plugins raise whatever they like; the words may hold the URL.
                what = f"apprise failed ({type(error).__name__})"
                raise TemporaryDeliveryError(what, code="apprise") from error
        if guard.refused:
            what = f"the outbound door refused {guard.refused[0]}: list it in http.allow"
            raise PermanentDeliveryError(what, code="blocked", park=True)
        if not sent:
            raise TemporaryDeliveryError("the service refused or can't be reached", code="refused")
        return Receipt("accepted")

    def _sender(self) -> Any:
        try:
            sender = importlib.import_module("apprise").Apprise()
        except ImportError as error:
            what = "apprise is not installed: run pip install watcher-alerts[apprise]"
            raise PermanentDeliveryError(what, code="not_installed", park=True) from error
        if not sender.add(self._settings.url.get_secret_value()):
            what = "the url is none that apprise knows: check its form"
            raise PermanentDeliveryError(what, code="bad_url", park=True)
        return sender
