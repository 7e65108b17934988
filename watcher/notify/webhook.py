"""POST each digest as JSON, signed the Standard Webhooks way.

    - id: soc
      type: webhook
      url_env: SOC_WEBHOOK_URL
      secret_env: SOC_WEBHOOK_SECRET      # whsec_…, 24 to 64 random bytes in base64

The body is one CloudEvent (structured JSON, `docs/webhook.schema.json`), frozen when the
digest is composed; a digest over 256 kB is several. `webhook-id` is the same in every
attempt: a receiver that keeps the ids it has seen gets each digest once.
`webhook-timestamp` and `webhook-signature` are made per attempt; while `previous_secret`
is set both secrets sign, so that keys can be rotated without a gap. Without a `secret`
nothing is signed.

2xx is success, whatever the body. 429, 5xx and network errors are tried again for five
days; 401, 403, 404 and 410 park the receiver until `watcher outbox retry`; redirects are
not followed; other 4xx are given up. Private addresses need an entry in `http.allow`.
"""

import json
from base64 import b64decode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, SecretStr
from standardwebhooks import Webhook

from watcher.fields import Duration
from watcher.model import Digest, Draft, Notification, Receipt, StoryView
from watcher.notify._inert import inert
from watcher.notify._json import message_id, story_json, to_event
from watcher.notify._kit import check_endpoint, post, refusal
from watcher.notify._pages import split
from watcher.notify.settings import ReceiverSettings, Tools

# Receivers often refuse bodies of a megabyte; a longer digest is several messages.
MOST_BYTES = 256 * 1024
SHORTEST_KEY = 16


def _endpoint(url: SecretStr) -> SecretStr:
    check_endpoint(url.get_secret_value())
    return url


def _signing_key(secret: SecretStr) -> SecretStr:
    """Strict, unlike the library, which reads past what is not base64."""
    text = secret.get_secret_value().removeprefix("whsec_").rstrip("=")
    try:
        size = len(b64decode(text + "=" * (-len(text) % 4), validate=True))
    except ValueError:
        size = 0
    if size < SHORTEST_KEY:
        raise ValueError("not a signing secret: write whsec_ and 24 to 64 random bytes in base64")
    return secret


Endpoint = Annotated[SecretStr, AfterValidator(_endpoint)]
SigningKey = Annotated[SecretStr, AfterValidator(_signing_key)]


class Settings(ReceiverSettings):
    """`authorization` is sent as that header; `timeout` bounds one attempt."""

    url: Endpoint
    secret: SigningKey | None = None
    previous_secret: SigningKey | None = None
    authorization: SecretStr | None = None
    timeout: Duration = timedelta(seconds=20)


class Receiver:
    """See the module's docstring."""

    def __init__(self, settings: Settings, tools: Tools) -> None:
        self._settings = settings
        self._door = tools.door

    def compose(self, digest: Digest) -> list[Draft]:
        digest = inert(digest)
        pages = split(digest.stories, lambda some: _size(some) / MOST_BYTES)
        return [
            Draft({"body": json.dumps(to_event(digest, page), separators=(",", ":"))}, page.part)
            for page in pages
        ]

    async def send(self, notification: Notification, *, at: datetime) -> Receipt:
        body = str(notification.payload["body"])
        response = await post(
            self._door,
            self._settings.url.get_secret_value(),
            body.encode(),
            self._headers(message_id(notification.key), body, at),
            self._settings.timeout,
        )
        if error := refusal(response, at=at):
            raise error
        return Receipt(f"{response.status}")

    def _headers(self, name: str, body: str, at: datetime) -> dict[str, str]:
        settings = self._settings
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": name,
            "webhook-timestamp": str(int(at.timestamp())),
        }
        keys = [key for key in (settings.secret, settings.previous_secret) if key]
        if keys:
            moment = datetime.fromtimestamp(int(at.timestamp()), UTC)
            headers["webhook-signature"] = " ".join(
                Webhook(key.get_secret_value()).sign(name, moment, body) for key in keys
            )
        if settings.authorization:
            headers["authorization"] = settings.authorization.get_secret_value()
        return headers


def _size(stories: Sequence[StoryView]) -> int:
    return sum(len(json.dumps(story_json(story))) for story in stories)
