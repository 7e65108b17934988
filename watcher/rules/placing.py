"""Where in a rule as written each of its clauses stands."""

from dataclasses import dataclass
from typing import Any, TypeVar

from watcher.rules import clauses as c
from watcher.rules.compile import Concepts
from watcher.rules.parse import OPERATORS, ClauseReader, Countries, Loc

Found = TypeVar("Found", c.Clause | None, c.Term | None)


class PlacingReader(ClauseReader):
    """Reads a rule and notes the place of every clause, inner ones first."""

    def __init__(
        self, concepts: Concepts, countries: Countries, *, plurals: bool, stems: tuple[str, ...]
    ) -> None:
        super().__init__(concepts, countries, plurals=plurals, stems=stems)
        self.placed: list[tuple[Loc, c.Clause]] = []

    def _query(self, text: str, loc: Loc) -> c.Clause | None:
        known = len(self.placed)
        found = super()._query(text, loc)
        # The user's file has no such tree: what is in it belongs to the text as a whole.
        self.placed[known:] = [(loc, clause) for _, clause in self.placed[known:]]
        return found

    def clause(self, value: Any, loc: Loc) -> c.Clause | None:
        operators = [key for key in value if key in OPERATORS] if isinstance(value, dict) else []
        if len(operators) > 1:
            # Read together they are one clause; each has a place of its own all the same.
            for key in operators:
                kept = {key, "of"} if key == "threshold" else {key}
                alone = {k: v for k, v in value.items() if k in kept}
                self._noted(super().clause(alone, loc), (*loc, key))
        return self._noted(super().clause(value, loc), loc)

    def term(self, value: Any, loc: Loc) -> c.Term | None:
        return self._noted(super().term(value, loc), loc)

    def _noted(self, found: Found, loc: Loc) -> Found:
        if found is not None:
            self.placed.append((loc, found))
        return found


@dataclass(frozen=True, slots=True)
class Places:
    """What a `PlacingReader` noted."""

    placed: tuple[tuple[Loc, c.Clause], ...]

    def of(self, clause: c.Clause, below: Loc) -> Loc:
        """Where it stands below a place; the last one, for what is repeated."""
        found = (loc for loc, one in reversed(self.placed) if one is clause)
        return next((loc for loc in found if loc[: len(below)] == below), below)
