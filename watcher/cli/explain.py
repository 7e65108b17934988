"""explain: why rules match an article or not."""

import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Annotated, Any

import typer
from rich.text import Text

from watcher.cli.chain import explain_alert
from watcher.cli.context import FAILED, MISUSED, configuration, opened_store
from watcher.cli.find import chosen, find_article
from watcher.cli.output import complain, console, print_json, say
from watcher.config.load import Config
from watcher.errors import FetchError, WatcherError
from watcher.matching.explain import Explanation, Step, explain
from watcher.model import Article, Passage
from watcher.page import MAX_PAGE, PageError, decoded, fetch_page, read_text
from watcher.parts import open_door
from watcher.place import clock_of
from watcher.rules.schema import Sample
from watcher.rules.testing import article_of
from watcher.sources.article_page import is_installed
from watcher.sources.pool import ParserPool
from watcher.text import clean_characters
from watcher.views import passages

# Without colours, marks must show by themselves.
_OPEN, _CLOSE = "«", "»"
_LONGEST_CLAUSE = 160
_NOT_INSTALLED = (
    "note: the text may be more than the article: to have it read as for feeds with full_text, "
    "pip install 'watcher-alerts[fulltext]'"
)


def explain_article(
    context: typer.Context,
    article: Annotated[
        str,
        typer.Argument(
            help="Id or link of a stored article, any link, a headline, or - for text; "
            "with --alert the id of an alert or of an article."
        ),
    ],
    rule: Annotated[str | None, typer.Option("--rule", help="Only this rule.")] = None,
    text: Annotated[str, typer.Option("--text", help="Body to go with a headline.")] = "",
    alert: Annotated[
        bool,
        typer.Option(
            "--alert",
            help="What was decided: from the article to each delivery, or why nothing was told.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Why rules match an article or not, what came nearest, and what became of it.

    A link that is not stored is fetched. On standard input: a headline with its text on the lines
    below it, a web page, or a JSON object as in a rule's tests.
    """
    config = configuration(context)
    if alert:
        explain_alert(config, article, as_json=as_json)
        return
    rules = chosen(config, rule)
    found, history = _find_article(config, article, text)
    results = [explain(each, found) for each in rules]
    if as_json:
        print_json(
            {
                "article": found.id,
                "title": found.title,
                "history": history,
                "rules": [result.to_json() for result in results],
            }
        )
    else:
        _print(found, results, history, whole=rule is not None)
    if rule is not None and not results[0].matched:
        raise typer.Exit(FAILED)


def _find_article(config: Config, name: str, text: str) -> tuple[Article, list[dict[str, Any]]]:
    if name == "-":
        return _given(config), []
    with opened_store(config) as store, store.read() as tx:
        found = find_article(tx, name)
        if found is not None:
            return found, tx.alerts.verdicts_of(found.id)
    if name.startswith(("http://", "https://")):
        return _fetched(config, name), []
    if "://" in name or (name.startswith("a") and " " not in name and len(name) == 20):
        complain(f"{name}: no such article is stored: give a headline in quotes to try a text")
        raise typer.Exit(FAILED)
    return article_of(Sample(title=name, text=text)), []


def _given(config: Config) -> Article:
    text = decoded(sys.stdin.buffer.read(MAX_PAGE))
    try:
        return read_text(text, publishers=config.publishers, now=clock_of(config).now())
    except PageError as error:
        complain(str(error))
        raise typer.Exit(MISUSED) from error


def _fetched(config: Config, url: str) -> Article:
    readable = is_installed()

    async def fetch() -> tuple[Article, bool]:
        async with AsyncExitStack() as stack:
            door = await stack.enter_async_context(open_door(config))
            reader = await stack.enter_async_context(ParserPool(1)) if readable else None
            now = clock_of(config).now()
            return await fetch_page(door, url, publishers=config.publishers, now=now, reader=reader)

    try:
        article, is_full_text = asyncio.run(fetch())
    except FetchError as error:
        complain(f"{url}: no such article is stored, and it can't be fetched ({error})")
        raise typer.Exit(FAILED) from error
    except WatcherError as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    if not readable:
        complain(_NOT_INSTALLED)
    elif not is_full_text:
        complain("note: no article was made out on the page: the text is all that stands there")
    return article


# ── on a terminal ──


def _print(
    article: Article, results: list[Explanation], history: list[dict[str, Any]], *, whole: bool
) -> None:
    facts = [article.publisher or article.feed, article.lang or "", article.url]
    say(f"{article.title}\n{'  '.join(fact for fact in facts if fact)}")
    for result in sorted(results, key=lambda r: not r.matched):
        _print_explanation(article, result, whole=whole)
    for entry in history:
        told = "told" if entry["sent"] else "not told"
        detail = f" ({entry['detail']})" if entry["detail"] else ""
        say(f"\n{entry['rule']}: {told}: {entry['reason']}{detail}, story {entry['story']}")


def _print_explanation(article: Article, result: Explanation, *, whole: bool) -> None:
    if result.matched:
        console.print(f"\n[bold green]{result.rule}[/]: matches")
    else:
        console.print(f"\n[bold]{result.rule}[/]: no match")
        say(f"  {result.missing}")
    if not (whole or result.matched):
        return
    if result.evidence:
        for passage in passages(article, result.evidence):
            console.print(highlighted(passage))
    _print_step(result.when, 1)
    if result.unless is not None:
        say("  unless")
        _print_step(result.unless, 2)


def highlighted(passage: Passage) -> Text:
    """What matched stands out: by colour on a terminal, by marks elsewhere."""
    line = Text(f"  {passage.field}: ", style="dim")
    at = 0
    for start, end in passage.marks:
        line.append(_inert(passage.text[at:start]), style="not dim")
        found = _inert(passage.text[start:end])
        shown = found if console.is_terminal else f"{_OPEN}{found}{_CLOSE}"
        line.append(shown, style="not dim bold black on yellow")
        at = end
    line.append(_inert(passage.text[at:]), style="not dim")
    return line


def _inert(piece: str) -> str:
    """Spaces at the edges stay: the pieces belong together."""
    return clean_characters(piece).replace("\n", " ")


def _print_step(step: Step, depth: int) -> None:
    mark = "✓" if step.held else "✗"
    found = ", ".join(dict.fromkeys(f"{e.field} “{e.text}”" for e in step.evidence[:4]))
    note = f" ({step.note})" if step.note else ""
    clause = step.clause
    if len(clause) > _LONGEST_CLAUSE:
        clause = clause[: _LONGEST_CLAUSE - 1] + "…"
    where = f"  ← {found}" if found and not step.parts else ""
    say(f"{'  ' * depth}{mark} {clause}{note}{where}")
    for part in step.parts:
        _print_step(part, depth + 1)
