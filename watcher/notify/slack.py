"""Post each digest to Slack as Block Kit, through an incoming webhook or as a bot.

    - id: desk-channel
      type: slack
      url_env: SLACK_WEBHOOK_URL
      zone: Asia/Seoul

With `token_env: SLACK_BOT_TOKEN` and `channel: C0123456789` instead of `url` it is a bot (scope
`chat:write`): what follows on a story answers to its first message, and that one is changed to
show the latest. `buttons: true` adds a button per alert that opens the story; Slack wants the
app's interactivity switched on for it.

Feed text is escaped before Slack sees it: a headline can't mention a channel, hide a
link or format itself. At most one message a second goes out (Slack's own limit); 429
holds the receiver for as long as Slack asks, in order. A message has at most 50 blocks
and 12,000 characters: later stories become headlines, then a second message.

Should Slack refuse the blocks (400), the same message goes once more as plain text.
401, 403, 404 and 410 (a removed webhook, an archived channel) park the receiver until
`watcher outbox retry`. The short id at the end of a message is the same in every
attempt, so that a second copy can be told.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr, model_validator

from watcher.errors import TemporaryDeliveryError
from watcher.fields import Duration
from watcher.model import Digest, DigestKind, Draft, HttpResponse, Notification, Receipt, StoryView
from watcher.notify._blocks import MOST_BLOCKS, MOST_TEXT, message, reduced
from watcher.notify._inert import inert
from watcher.notify._kit import check_endpoint, post, redacted, refusal, short_hash
from watcher.notify._pages import Page, paginate
from watcher.notify._slack_api import Bot
from watcher.notify.settings import ReceiverSettings, Tools
from watcher.text import clean_line

MOST_MESSAGES = 10


def _endpoint(url: SecretStr) -> SecretStr:
    check_endpoint(url.get_secret_value())
    return url


class Settings(ReceiverSettings):
    """`url` is the webhook's address and a secret as a whole; `token` and `channel` are a bot's."""

    url: Annotated[SecretStr, AfterValidator(_endpoint)] | None = None
    token: SecretStr | None = None
    channel: str | None = Field(default=None, pattern=r"^[#@]?[A-Za-z0-9_.-]{1,80}$")
    api: Annotated[str, AfterValidator(check_endpoint)] = "https://slack.com/api"
    buttons: bool = False
    min_interval: Duration = timedelta(seconds=1)
    timeout: Duration = timedelta(seconds=20)

    @model_validator(mode="after")
    def _one_way(self) -> "Settings":
        if (self.url is None) == (self.token is None):
            raise ValueError("give url for an incoming webhook, or token and channel for a bot")
        if (self.token is None) != (self.channel is None):
            raise ValueError("a bot needs token and channel: give both")
        return self


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._door = tools.door

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        pages = paginate(
            digest.stories, lambda *some: _load(digest, *some), most_pages=MOST_MESSAGES
        )
        return [self._draft(digest, page) for page in pages]

    def _draft(self, digest: Digest, page: Page) -> Draft:
        key = f"{digest.key}#{page.part}" if page.part else digest.key
        shown = replace(digest, stories=page.stories)
        settings = self._settings
        built = message(
            shown, page, mark=short_hash(key, 8), title=settings.title, buttons=settings.buttons
        )
        payload: dict[str, Any] = {"message": built, "reduced": reduced(built)}
        stories = {story.story for story in digest.stories}
        if settings.token and digest.kind is DigestKind.ALERT and len(stories) == 1:
            payload["thread"] = stories.pop() or ""
        return Draft(payload, page.part)

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        payload, settings = notification.payload, self._settings
        if settings.token is not None and settings.channel is not None:
            token = settings.token.get_secret_value()
            bot = Bot(self._door, settings.api, token, settings.channel, settings.timeout)
            return await bot.tell(payload, at)
        response = await self._post(payload["message"])
        if response.status == 400:
            response = await self._post(payload["reduced"])
        if error := refusal(response, at=at):
            raise error
        said = response.body[:200].decode("utf-8", "replace").strip()
        if said != "ok":
            what = f"{redacted(response.url)} said {clean_line(said, 80)!r}, not 'ok'"
            raise TemporaryDeliveryError(what, code="not_ok")
        return Receipt("ok")

    async def _post(self, body: dict[str, Any]) -> HttpResponse:
        assert self._settings.url is not None
        return await post(
            self._door,
            self._settings.url.get_secret_value(),
            json.dumps(body).encode(),
            {"content-type": "application/json; charset=utf-8"},
            self._settings.timeout,
        )


def _load(digest: Digest, whole: Sequence[StoryView], brief: Sequence[StoryView]) -> float:
    page = Page(tuple(whole), tuple(brief), of=MOST_MESSAGES, more=1)
    built = message(replace(digest, stories=page.stories), page, mark="0" * 8, title=None)
    size = len(json.dumps(built["blocks"], ensure_ascii=False))
    return max(len(built["blocks"]) / MOST_BLOCKS, size / MOST_TEXT)
