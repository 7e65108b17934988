"""Rules and articles in one line each."""

from datetime import UTC, datetime
from typing import Any

from watcher.matching.document import Document
from watcher.matching.evaluate import holds
from watcher.model import Article
from watcher.rules.compile import Rule, compile_concepts, compile_rule
from watcher.rules.schema import ConceptSpec, RuleSpec

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
CONCEPTS, _ = compile_concepts(
    {"dprk": ConceptSpec(terms={"en": ("North Korea", "Pyongyang"), "ja": ("北朝鮮",)})}
)
COUNTRIES = {"KR": frozenset({"yonhap", "연합뉴스"}), "GB": frozenset({"reuters"})}


def article(title: str = "", text: str = "", **fields: Any) -> Article:
    return Article(
        "a1", "feed", fields.pop("url", ""), title, text, fields.pop("first_seen", NOW), **fields
    )


def rule(when: Any, unless: Any = None, **fields: Any) -> Rule:
    spec = RuleSpec(id="r", when=when, unless=unless, **fields)
    made, issues = compile_rule(spec, CONCEPTS, COUNTRIES)
    assert not issues, issues
    assert made is not None
    return made


def matches(when: Any, title: str = "", text: str = "", **fields: Any) -> bool:
    return holds(rule(when).when, Document(article(title, text, **fields))) is not None
