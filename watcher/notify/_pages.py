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


Fits = Callable[[Sequence[StoryView], Sequence[StoryView]], bool]


def paginate(stories: Sequence[StoryView], fits: Fits, *, most_pages: int) -> list[Page]:
    """Cut on story borders. `fits(whole, brief)` must not turn true again when either grows."""
    if len(stories) <= MOST_WHOLE and fits(stories, ()):
        return [Page(tuple(stories))]
    whole = _most(
        stories[:MOST_WHOLE], lambda some: fits(some, stories[len(some) : len(some) + HEADLINES])
    )
    cuts: list[tuple[Sequence[StoryView], Sequence[StoryView]]] = []
    first, rest = stories[:whole], stories[whole:]
    while (rest or first) and len(cuts) < most_pages:
        # A page without anything would never end: one headline goes, however long.
        shown = max(_most(rest, _with(fits, first)), 0 if first else 1)
        cuts.append((first, rest[:shown]))
        first, rest = (), rest[shown:]
    return [
        Page(tuple(head), tuple(brief), n, len(cuts), len(rest) if n == len(cuts) else 0)
        for n, (head, brief) in enumerate(cuts, 1)
    ]


def split(stories: Sequence[StoryView], fits: Callable[[Sequence[StoryView]], bool]) -> list[Page]:
    """Whole stories only, as many pages as it takes; for machines, which don't tire."""
    cuts: list[Sequence[StoryView]] = []
    rest = stories
    while rest or not cuts:
        count = max(_most(rest, fits), 1)
        cuts.append(rest[:count])
        rest = rest[count:]
    return [Page(tuple(cut), (), n, len(cuts)) for n, cut in enumerate(cuts, 1)]


def _with(fits: Fits, head: Sequence[StoryView]) -> Callable[[Sequence[StoryView]], bool]:
    return lambda brief: fits(head, brief)


def _most(items: Sequence[StoryView], fits: Callable[[Sequence[StoryView]], bool]) -> int:
    """How many from the start fit: doubling, then bisection, so that no try is far too long."""
    low, high = 0, min(16, len(items))
    while high < len(items) and fits(items[:high]):
        low, high = high, min(2 * high, len(items))
    while low < high:
        middle = (low + high + 1) // 2
        if fits(items[:middle]):
            low = middle
        else:
            high = middle - 1
    return low
