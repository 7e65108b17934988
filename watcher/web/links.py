"""Links that only we can make: what a reader may do about one alert, signed. Pure."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from watcher.links import StoryLinks
from watcher.model import StoryView

#: A mail is acted on in days; a link in an old one is somebody else's find.
GOOD_FOR = timedelta(days=30)
_LONGEST = 400
_MAC = 16
_HOUR = 3600


class Action(StrEnum):
    """What a link lets its holder do, after a page that asks."""

    RELEVANT = "relevant"
    NOISE = "noise"
    MUTE = "mute"
    ACK = "ack"


@dataclass(frozen=True, slots=True)
class Grant:
    """What one link allows; `article` is empty where a rule tells of itself, `until` a full hour."""

    action: Action
    alert: str
    article: str
    receiver: str
    until: datetime

    @property
    def holder(self) -> str:
        """Who acts, as others will read it."""
        return f"a reader of {self.receiver}"


class Signer:
    """Makes links and reads them back; whoever has no `key` can do neither."""

    def __init__(self, key: bytes, public_url: str) -> None:
        self._key = key
        self._base = public_url

    def link(self, grant: Grant) -> str:
        """The same grant always gives the same link: a message can be composed twice."""
        hours = int(grant.until.timestamp()) // _HOUR
        payload = "\0".join((grant.alert, grant.article, grant.receiver, f"{hours:x}")).encode()
        token = urlsafe_b64encode(self._mac(grant.action, payload) + payload).rstrip(b"=").decode()
        return f"{self._base}/f/{grant.action}/{token}"

    def read(self, action: str, token: str) -> Grant | None:
        """What a link allows, in force or not; None when it isn't ours to the last bit."""
        if len(token) > _LONGEST or not token.isascii():
            return None
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:
            return None
        mac, payload = raw[:_MAC], raw[_MAC:]
        if not hmac.compare_digest(mac, self._mac(action, payload)):
            return None
        alert, article, receiver, hours = payload.decode().split("\0")
        until = datetime.fromtimestamp(int(hours, 16) * _HOUR, UTC)
        return Grant(Action(action), alert, article, receiver, until)

    def links_of(self, view: StoryView, receiver: str, at: datetime) -> StoryLinks:
        """Every link of one alert in a message composed then."""
        lead = next((r.article for r in view.reports if r.url == view.url), "")

        def link(action: Action) -> str:
            return self.link(Grant(action, view.alert, lead, receiver, at + GOOD_FOR))

        return StoryLinks(
            relevant=link(Action.RELEVANT) if lead else "",
            noise=link(Action.NOISE) if lead else "",
            mute=link(Action.MUTE),
            ack=link(Action.ACK),
        )

    def _mac(self, action: str, payload: bytes) -> bytes:
        return hmac.digest(self._key, b"feedback\0" + action.encode() + b"\0" + payload, "sha256")[
            :_MAC
        ]
