"""What a reader may do about an alert, as links in a message."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoryLinks:
    """Pages that act on one alert, each asking first; `relevant` and `noise` are empty without an article.

    A message has none where readers can't reach us, or its receiver is not to have them.
    """

    relevant: str
    noise: str
    mute: str
    ack: str
