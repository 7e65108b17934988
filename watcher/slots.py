"""What a dispatch waits for: nothing, the end of quiet hours, a digest, an answer. Standard library only."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class WaitsFor(StrEnum):
    """How a slot's text begins."""

    NOTHING = ""
    QUIET_END = "held"
    DIGEST = "digest"
    ANSWER = "escalation"


@dataclass(frozen=True, slots=True)
class Slot:
    """Stored as text, which is written by `str()` and read by `parse`, nowhere else.

    `minute` is the local minute it comes at and names it for ever; `route` and `group` say which
    digest it is. Who waits for an answer and has a digest all the same keeps that in `instead`.
    """

    waits_for: WaitsFor = WaitsFor.NOTHING
    minute: str = ""
    route: str = ""
    group: str = ""
    instead: "tuple[Slot, datetime] | None" = None

    @property
    def alone(self) -> bool:
        """A message for each alert: at once, or because nobody answered."""
        return self.waits_for in {WaitsFor.NOTHING, WaitsFor.ANSWER}

    @property
    def series(self) -> tuple[str, str, str]:
        """What slots share whose alerts go out together when several are due."""
        return self.waits_for.value, self.route, self.group

    def __str__(self) -> str:
        if self.waits_for is WaitsFor.DIGEST:
            group = f"/{self.group}" if self.group else ""
            return f"digest:{self.route}{group}:{self.minute}"
        if self.instead is not None:
            slot, at = self.instead
            return f"{self.waits_for.value}|{slot}|{at.isoformat()}"
        return f"{self.waits_for.value}:{self.minute}" if self.minute else self.waits_for.value

    @classmethod
    def parse(cls, text: str) -> "Slot":
        """Raises ValueError for what no version of `str()` wrote."""
        head, _, instead = text.partition("|")
        kind, _, rest = head.partition(":")
        waits_for = WaitsFor(kind)
        if waits_for is WaitsFor.DIGEST:
            name, _, minute = rest.partition(":")
            route, _, group = name.partition("/")
            return cls(waits_for, minute, route, group)
        if waits_for is WaitsFor.ANSWER:
            slot, _, at = instead.rpartition("|")
            return cls(
                waits_for,
                instead=(cls.parse(slot), datetime.fromisoformat(at)) if instead else None,
            )
        return cls(waits_for, rest)


#: Goes out at once.
AT_ONCE = Slot()
