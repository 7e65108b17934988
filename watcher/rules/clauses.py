"""What a rule can say, as a tree of frozen values; `str()` of a clause reads like its YAML."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

TEXT_FIELDS = ("title", "body")
FIELDS = ("title", "lead", "body", "author", "tag", "url", "publisher")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a phrase: any of `forms`, or anything that begins with `prefix`.

    `pattern` holds `?` for one letter; a prefix is at least three letters. `stems` are pairs
    of language and stem: a word is also found that has such a stem.
    """

    text: str
    forms: frozenset[str] = frozenset()
    prefix: str = ""
    pattern: str = ""
    stems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in order, next to each other, within one field."""

    words: tuple[Word, ...]
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Any:
    """One of the parts; `name` is the concept it came from."""

    parts: tuple["Clause", ...]
    name: str = ""

    def __str__(self) -> str:
        return self.name or f"any of ({' | '.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Clause", ...]

    def __str__(self) -> str:
        return f"all of ({' & '.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class Not:
    """None of the parts."""

    parts: tuple["Clause", ...]

    def __str__(self) -> str:
        return f"none of ({' | '.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`count` different parts hold."""

    count: int
    parts: tuple["Clause", ...]

    def __str__(self) -> str:
        return f"at least {self.count} of ({' | '.join(map(str, self.parts))})"


@dataclass(frozen=True, slots=True)
class Score:
    """Weights of the parts that hold add up to the threshold."""

    threshold: float
    parts: tuple[tuple[float, "Clause"], ...]

    def __str__(self) -> str:
        weighted = " + ".join(f"{weight:g}×{part}" for weight, part in self.parts)
        return f"{weighted} ≥ {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class Near:
    """One occurrence of each term in one field, at most `within` words between neighbours."""

    terms: tuple["Term", ...]
    within: int
    ordered: bool = False

    def __str__(self) -> str:
        how = " before" if self.ordered else ""
        return f" near/{self.within}{how} ".join(map(str, self.terms))


@dataclass(frozen=True, slots=True)
class NotNear:
    """The term occurs at least once with the other more than `within` words away."""

    term: "Term"
    other: "Term"
    within: int

    def __str__(self) -> str:
        return f"{self.term} not near/{self.within} {self.other}"


@dataclass(frozen=True, slots=True)
class Same:
    """All terms inside one sentence or paragraph."""

    unit: str
    terms: tuple["Term", ...]

    def __str__(self) -> str:
        return f"same {self.unit} ({' & '.join(map(str, self.terms))})"


@dataclass(frozen=True, slots=True)
class MinCount:
    """The term occurs `count` times or more in the fields looked at."""

    term: "Term"
    count: int

    def __str__(self) -> str:
        return f"{self.term} ×{self.count}"


@dataclass(frozen=True, slots=True)
class Exact:
    """The characters as written, case and punctuation included, not inside a longer word."""

    text: str

    def __str__(self) -> str:
        return f'exact "{self.text}"'


@dataclass(frozen=True, slots=True)
class Regex:
    """RE2, linear time."""

    pattern: str

    def __str__(self) -> str:
        return f"/{self.pattern}/"


@dataclass(frozen=True, slots=True)
class Filter:
    """A fact about the article: `lang`, `publisher`, `feed`, `domain` is one of `values`."""

    what: str
    values: frozenset[str]

    def __str__(self) -> str:
        return f"{self.what} in {', '.join(sorted(self.values))}"


@dataclass(frozen=True, slots=True)
class Country:
    """The article's publisher is one of `publishers`: the names, casefolded, of those in `codes`.

    The names are looked up when the rule is read, so that matching knows no table of publishers.
    """

    codes: frozenset[str]
    publishers: frozenset[str]

    def __str__(self) -> str:
        return f"country in {', '.join(sorted(self.codes))}"


@dataclass(frozen=True, slots=True)
class Published:
    """Published within `[after, before)`; either end may be open."""

    after: datetime | None
    before: datetime | None

    def __str__(self) -> str:
        return f"published {self.after or '…'} to {self.before or '…'}"


@dataclass(frozen=True, slots=True)
class Words:
    """The body has between `least` and `most` words."""

    least: int
    most: int | None

    def __str__(self) -> str:
        return f"words {self.least}–{self.most if self.most is not None else '…'}"


@dataclass(frozen=True, slots=True)
class Scoped:
    """The clause looks at these fields only."""

    fields: tuple[str, ...]
    clause: "Clause"

    def __str__(self) -> str:
        return f"{'+'.join(self.fields)}: {self.clause}"


Term: TypeAlias = Phrase | Any
Clause: TypeAlias = (
    Phrase
    | Any
    | All
    | Not
    | AtLeast
    | Score
    | Near
    | NotNear
    | Same
    | MinCount
    | Exact
    | Regex
    | Filter
    | Country
    | Published
    | Words
    | Scoped
)
