"""The YAML of rules and concepts (shared by loader, editor schema and docs)."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from watcher.languages import known_language
from watcher.model import Severity
from watcher.rules.policy import AlertPolicy
from watcher.rules.stems import LANGUAGES

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=100)]


def _known(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"no stems for {language!r}: choose of {', '.join(LANGUAGES)}")
    return language


Stems = tuple[Annotated[str, AfterValidator(_known)], ...]


class _Yaml(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sample(_Yaml):
    """An article a rule is tested with; a plain string is a headline."""

    title: str = ""
    text: str = ""
    lang: Annotated[str, AfterValidator(known_language)] | None = None
    publisher: str = ""
    feed: str = ""
    author: str | None = None
    tags: tuple[str, ...] = ()
    url: str = ""
    published: datetime | None = None


def _sample(value: Any) -> Any:
    return {"title": value} if isinstance(value, str) else value


Samples = tuple[Annotated[Sample, BeforeValidator(_sample)], ...]


class RuleTests(_Yaml):
    """What the rule must and must not catch."""

    match: Samples = ()
    no_match: Samples = ()


class RuleSpec(_Yaml):
    """One watch rule as written; `when` and `unless` are checked by the compiler."""

    id: Id
    title: str = ""
    note: str = ""
    enabled: bool = True
    severity: Severity = Severity.NORMAL
    tags: tuple[str, ...] = ()
    when: Any
    unless: Any = None
    plurals: bool = True
    stems: Stems = ()
    alert: AlertPolicy = AlertPolicy()
    tests: RuleTests = RuleTests()


class RuleFile(_Yaml):
    rules: tuple[RuleSpec, ...]


class ConceptSpec(_Yaml):
    """Names and spellings: a list, or lists by language."""

    note: str = ""
    terms: tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    includes: tuple[str, ...] = ()
    stems: Stems = ()

    def all_terms(self) -> tuple[str, ...]:
        lists = self.terms.values() if isinstance(self.terms, dict) else [self.terms]
        return tuple(dict.fromkeys(term for terms in lists for term in terms))


class ConceptFile(_Yaml):
    concepts: dict[Id, ConceptSpec]
