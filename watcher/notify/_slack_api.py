"""Slack's Web API as a bot: what its answers mean, one thread per story, the root kept up to date."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from watcher.errors import DeliveryError, PermanentDeliveryError, TemporaryDeliveryError
from watcher.model import Receipt
from watcher.notify._kit import post, refusal
from watcher.ports import Door
from watcher.text import clean_line

# The app or the channel: no other message will fare better until somebody mends it.
_PARK = frozenset(
    [
        "access_denied",
        "account_inactive",
        "as_user_not_supported",
        "channel_not_found",
        "enterprise_is_restricted",
        "invalid_auth",
        "is_archived",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "not_in_channel",
        "org_login_required",
        "restricted_action",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    ]
)
_BLOCKS = frozenset(
    [
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "block_mismatch",
    ]
)
_FOR_EVER = frozenset(
    ["invalid_arguments", "invalid_array_arg", "invalid_arg_name", "invalid_post_type", "no_text"]
)
_NO_THREAD = frozenset(["thread_not_found", "message_not_found", "cannot_reply_to_message"])


@dataclass(frozen=True, slots=True)
class Bot:
    """Posts to one channel; `address` is the API's, without a method."""

    door: Door
    address: str
    token: str
    channel: str
    timeout: timedelta

    async def tell(self, payload: Mapping[str, Any], at: datetime) -> Receipt:
        """A message of its own, or an answer to `reply_to` whose root then shows the same.

        The root is changed first: doing so twice changes nothing, so only the post can repeat.
        """
        root = payload.get("reply_to")
        if root:
            await self._call("chat.update", {**payload["message"], "ts": root}, at)
        said = await self._post(payload, root, at)
        if root and said.get("error") in _NO_THREAD:
            root, said = None, await self._post(payload, None, at)
        if error := failure(said):
            raise error
        stamp = clean_line(str(said.get("ts", "")), 40)
        return Receipt(f"ok {stamp}".strip(), handle="" if root else stamp)

    async def _post(
        self, payload: Mapping[str, Any], root: str | None, at: datetime
    ) -> Mapping[str, Any]:
        thread = {"thread_ts": root} if root else {}
        said = await self._call("chat.postMessage", {**payload["message"], **thread}, at)
        if said.get("error") in _BLOCKS:
            said = await self._call("chat.postMessage", {**payload["reduced"], **thread}, at)
        return said

    async def _call(self, method: str, body: Mapping[str, Any], at: datetime) -> Mapping[str, Any]:
        """What Slack answered. Raises for what concerns HTTP, a limit among it."""
        headers = {
            "content-type": "application/json; charset=utf-8",
            "authorization": f"Bearer {self.token}",
        }
        whole = json.dumps({**body, "channel": self.channel}).encode()
        url = f"{self.address.rstrip('/')}/{method}"
        response = await post(self.door, url, whole, headers, self.timeout)
        if error := refusal(response, at=at):
            raise error
        try:
            said = json.loads(response.body)
        except ValueError:
            said = None
        if not isinstance(said, dict):
            raise TemporaryDeliveryError("slack did not answer in JSON", code="not_json")
        return said


def failure(said: Mapping[str, Any]) -> DeliveryError | None:
    """The error of an answer; words we don't know are worth another try."""
    if said.get("ok") is True:
        return None
    word = clean_line(str(said.get("error", "not_ok")), 60)
    if word in _PARK:
        return PermanentDeliveryError("slack refuses the bot or the channel", code=word, park=True)
    if word in _BLOCKS or word in _FOR_EVER:
        return PermanentDeliveryError("slack refuses the message", code=word)
    return TemporaryDeliveryError("slack did not take the message", code=word)
