"""What a user names on the command line: a rule, a stored article."""

import difflib

import typer

from watcher.cli.context import FAILED, MISUSED
from watcher.cli.output import complain
from watcher.config.load import Config
from watcher.model import Article
from watcher.rules.compile import Rule
from watcher.store.engine import Transaction
from watcher.text import clean_line

_SHORTEST_PREFIX = 4


def chosen(config: Config, rule: str | None) -> list[Rule]:
    """All rules, or the one named."""
    return list(config.rules) if rule is None else [one_rule(config, rule)]


def one_rule(config: Config, rule: str) -> Rule:
    """The rule named; exit 2 with the nearest name."""
    found = next((r for r in config.rules if r.id == rule), None)
    if found is None:
        near = difflib.get_close_matches(rule, [r.id for r in config.rules], 1)
        complain(f"no rule {rule!r}" + (f": did you mean {near[0]!r}?" if near else ""))
        raise typer.Exit(MISUSED)
    return found


def find_article(tx: Transaction, name: str) -> Article | None:
    """By id, by link, or by the beginning of an id; exit 2 when several begin so."""
    found = tx.articles.find(name)
    if found is not None or " " in name or len(name) < _SHORTEST_PREFIX:
        return found
    several = tx.articles.beginning_with(name)
    if len(several) > 1:
        listed = "; ".join(f"{one.id} {clean_line(one.title, 60)}" for one in several)
        complain(f"{name}: several articles begin so: write more of the id ({listed}, …)")
        raise typer.Exit(MISUSED)
    return several[0] if several else None


def stored_article(tx: Transaction, name: str) -> Article:
    """The article named, or exit 1."""
    found = find_article(tx, name)
    if found is None:
        complain(f"{name}: no such article is stored: find its id with `watcher search WORDS`")
        raise typer.Exit(FAILED)
    return found
