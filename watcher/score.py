"""How well a rule agrees with people: precision and recall, what it got wrong, and words that may help."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

from watcher.labels import Judged
from watcher.matching.document import Document
from watcher.matching.explain import explain
from watcher.matching.matcher import match_rule
from watcher.rules.compile import Rule
from watcher.rules.suggest import Suggestion, contrast, terms_of

# Normal quantile of a one-sided 95%.
_Z = 1.645


@dataclass(frozen=True, slots=True)
class Score:
    """A rule over judged articles of one source (`labels`, `tests`, a file).

    Of nothing caught the precision is 1, of nothing relevant the recall: no mistake was made.
    """

    rule: str
    source: str
    caught: tuple[Judged, ...]
    missed: tuple[Judged, ...]
    wrong: tuple[Judged, ...]
    quiet: tuple[Judged, ...]

    @property
    def precision(self) -> float:
        return _share(len(self.caught), len(self.caught) + len(self.wrong))

    @property
    def recall(self) -> float:
        return _share(len(self.caught), len(self.caught) + len(self.missed))

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def surely(self) -> tuple[float, float]:
        """What precision and recall are at least, at 95%: few headlines prove little."""
        right = len(self.caught)
        return (
            _lower_bound(right, right + len(self.wrong)),
            _lower_bound(right, right + len(self.missed)),
        )

    @property
    def events(self) -> tuple[int, int]:
        """Events of which a report was caught, and all there are."""
        told = {judged.event for judged in self.caught if judged.event}
        every = told | {judged.event for judged in self.missed if judged.event}
        return len(told), len(every)

    def to_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "source": self.source,
            "relevant": len(self.caught) + len(self.missed),
            "noise": len(self.wrong) + len(self.quiet),
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
            "surely": [round(bound, 4) for bound in self.surely],
            "events": list(self.events),
            "missed": [judged.article.title or judged.article.text for judged in self.missed],
            "wrong": [judged.article.title or judged.article.text for judged in self.wrong],
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """Terms that may catch what was missed, and terms that may keep noise away."""

    add: tuple[Suggestion, ...]
    exclude: tuple[Suggestion, ...]


def score_rule(rule: Rule, judged: Iterable[Judged], source: str) -> Score:
    """Judged articles of other rules are passed over."""
    sides: dict[tuple[bool, bool], list[Judged]] = {}
    for one in judged:
        if one.rule == rule.id:
            matched = match_rule(rule, Document(one.article)) is not None
            sides.setdefault((one.relevant, matched), []).append(one)
    caught, missed, wrong, quiet = (
        tuple(sides.get(key, ()))
        for key in ((True, True), (True, False), (False, True), (False, False))
    )
    return Score(rule.id, source, caught, missed, wrong, quiet)


def why(rule: Rule, judged: Judged) -> str:
    """The clause that decided against the person, in a line."""
    found = explain(rule, judged.article)
    if not found.matched:
        return found.missing
    return "; ".join(
        dict.fromkeys(f"{e.clause} in {e.field}: {e.text!r}" for e in found.when.evidence[:3])
    )


def advise(rule: Rule, scores: Sequence[Score], limit: int = 5) -> Advice:
    """From all sources together."""
    missed = [one.article for score in scores for one in score.missed]
    caught = [one.article for score in scores for one in score.caught]
    wrong = [one.article for score in scores for one in score.wrong]
    noise = [*wrong, *(one.article for score in scores for one in score.quiet)]
    relevant = [*missed, *caught]
    every = [*relevant, *noise]
    known = terms_of(rule.when) | terms_of(rule.unless)
    return Advice(
        tuple(contrast(missed, noise, every, known=known, limit=limit)),
        tuple(contrast(wrong, relevant, every, known=known, limit=limit)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _lower_bound(part: int, whole: int) -> float:
    """Wilson's, one-sided."""
    if not whole:
        return 0.0
    share, square = part / whole, _Z * _Z
    middle = share + square / (2 * whole)
    spread = _Z * sqrt(share * (1 - share) / whole + square / (4 * whole * whole))
    return (middle - spread) / (1 + square / whole)
