"""Many stories, small messages: the first ones whole, the rest as headlines, nothing dropped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from watcher.model import StoryView

# A reader's limit more than a channel's; beyond it a headline says enough.
MOST_WHOLE = 60
# Room kept for headlines when not everything can be whole.
HEADLINES = 20


@dataclass(frozen=True, slots=True)
class Page:
    """One message of a digest; `brief` are headlines only, `more` counts what no page shows."""

    stories: tuple[StoryView, ...]
    brief: tuple[StoryView, ...] = ()
    number: int = 1
    of: int = 1
    more: int = 0

    @property
    def part(self) -> str:
        """What tells this page's key from the others'; the first page has the digest's own."""
        return str(self.number) if self.number > 1 else ""

    @property
    def mark(self) -> str:
        """` (2/3)`, empty for a single page."""
        return f" ({self.number}/{self.of})" if self.of > 1 else ""


# The share of a message's room that stories shown whole and as headlines take; up to 1 fits.
Load = Callable[[Sequence[StoryView], Sequence[StoryView]], float]
# A page this full is full: looking for the last headline that fits would cost more than a page.
_FULL = 0.95


def paginate(stories: Sequence[StoryView], load: Load, *, most_pages: int) -> list[Page]:
    """Cut on story borders. `load(whole, brief)` must not fall when either grows."""
    if len(stories) <= MOST_WHOLE and load(stories, ()) <= 1:
        return [Page(tuple(stories))]
    whole = _most(
        stories[:MOST_WHOLE], lambda some: load(some, stories[len(some) : len(some) + HEADLINES])
    )
    cuts: list[tuple[Sequence[StoryView], Sequence[StoryView]]] = []
    first, rest, shown = stories[:whole], stories[whole:], 0
    while (rest or first) and len(cuts) < most_pages:
        # A page without anything would never end: one headline goes, however long.
        shown = max(_most(rest, _with(load, first), guess=shown), 0 if first else 1)
        cuts.append((first, rest[:shown]))
        first, rest = (), rest[shown:]
    return [
        Page(tuple(head), tuple(brief), n, len(cuts), len(rest) if n == len(cuts) else 0)
        for n, (head, brief) in enumerate(cuts, 1)
    ]


def split(stories: Sequence[StoryView], load: Callable[[Sequence[StoryView]], float]) -> list[Page]:
    """Whole stories only, as many pages as it takes; for machines, which don't tire."""
    cuts: list[Sequence[StoryView]] = []
    rest, count = stories, 0
    while rest or not cuts:
        count = max(_most(rest, load, guess=count), 1)
        cuts.append(rest[:count])
        rest = rest[count:]
    return [Page(tuple(cut), (), n, len(cuts)) for n, cut in enumerate(cuts, 1)]


def _with(load: Load, head: Sequence[StoryView]) -> Callable[[Sequence[StoryView]], float]:
    return lambda brief: load(head, brief)


def _most(
    items: Sequence[StoryView], load: Callable[[Sequence[StoryView]], float], guess: int = 0
) -> int:
    """How many from the start fit, or nearly so many.

    Each look costs a rendered page, so the next try is where a straight line through the last two
    would be full; every other one halves, for loads that are no line.
    """
    low, high, at_low, at_high = 0, len(items) + 1, 0.0, 0.0
    tried = min(max(guess, 16), len(items))
    for n in range(64):
        if low + 1 >= high:
            break
        filled = load(items[:tried])
        if filled <= 1:
            low, at_low = tried, filled
            if filled >= _FULL:
                break
        else:
            high, at_high = tried, filled
        slope = (at_high - at_low) / (high - low) if at_high else at_low / max(low, 1)
        ahead = int((0.985 - at_low) / slope) if slope > 0 else high - low
        halves = n % 3 == 2 and at_high > 0
        tried = (low + high) // 2 if halves else low + min(ahead, max(4 * low, 16))
        tried = min(max(tried, low + 1), high - 1)
    return low
