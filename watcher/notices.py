"""What the operator is told (a broken feed, a parked receiver, a refused reload), once per change."""

from collections.abc import Mapping

import structlog

from watcher.errors import WatcherError
from watcher.model import Digest, DigestKind, Notification
from watcher.ports import Clock, Receiver
from watcher.store.engine import Transaction

log = structlog.get_logger()


class Notices:
    """Puts notices for the operator into the outbox, inside the caller's transaction."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._receivers: Mapping[str, Receiver] = {}
        self._zones: Mapping[str, str] = {}
        self._operator: str | None = None

    def use(
        self, operator: str | None, receivers: Mapping[str, Receiver], zones: Mapping[str, str]
    ) -> None:
        """Take the receivers of a (re)loaded configuration."""
        self._operator = operator
        self._receivers = receivers
        self._zones = zones

    @property
    def operator(self) -> str | None:
        """The receiver that hears of the service itself."""
        return self._operator

    def add(self, tx: Transaction, key: str, text: str, *, avoid: str | None = None) -> None:
        """Idempotent per key. `avoid` names the receiver in trouble: another one carries it.

        Without an operator the log alone is told; readers hear only of a receiver in trouble.
        """
        log.warning("notice", key=key, text=text)
        name = self._carrier(avoid)
        if name is None:
            return
        now = self._clock.now()
        digest = Digest(
            key=f"notice:{key}",
            receiver=name,
            kind=DigestKind.NOTICE,
            title="watcher: " + text.split(". ", maxsplit=1)[0],
            at=now,
            zone=self._zones.get(name, "UTC"),
            notice=text,
        )
        try:
            for notification in freeze(digest, self._receivers[name], ()):
                tx.outbox.enqueue(notification)
        except WatcherError as error:
            log.error("notice_not_composed", key=key, error=str(error))

    def _carrier(self, avoid: str | None) -> str | None:
        names = [self._operator, *(sorted(self._receivers) if avoid else ())]
        return next((name for name in names if name in self._receivers and name != avoid), None)


def freeze(digest: Digest, receiver: Receiver, alerts: tuple[str, ...]) -> list[Notification]:
    """The notifications of a digest: one per draft, each with its own idempotency key."""
    return [
        Notification(
            key=f"{digest.key}#{draft.part}" if draft.part else digest.key,
            receiver=digest.receiver,
            kind=digest.kind,
            subject=digest.title,
            payload=draft.payload,
            created_at=digest.at,
            due_at=digest.at,
            alerts=alerts,
        )
        for draft in receiver.compose(digest)
    ]
