"""test, explain, replay: the workbench for rules."""

import difflib
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, cast

import typer

from watcher.app import plan_of
from watcher.cli.context import FAILED, MISUSED, configuration, opened_store, told_errors
from watcher.cli.output import complain, console, print_json, progress, say
from watcher.config.load import Config
from watcher.matching.document import Document
from watcher.matching.explain import Explanation, Step, explain
from watcher.matching.matcher import match_rule
from watcher.model import Article
from watcher.pipeline import Pipeline
from watcher.replay import RECORDS, Archive, Replay, fingerprint
from watcher.rules.compile import Rule
from watcher.rules.schema import Sample
from watcher.rules.testing import Outcome, article_of, run_tests

RuleOption = Annotated[str | None, typer.Option("--rule", help="Only this rule.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def add_to(app: typer.Typer) -> None:
    app.command("test")(run_rule_tests)
    app.command("explain")(explain_article)
    app.command("replay")(replay)


def chosen(config: Config, rule: str | None) -> list[Rule]:
    """All rules, or the one named; exit 2 with the nearest name."""
    if rule is None:
        return list(config.rules)
    found = [r for r in config.rules if r.id == rule]
    if not found:
        near = difflib.get_close_matches(rule, [r.id for r in config.rules], 1)
        complain(f"no rule {rule!r}" + (f": did you mean {near[0]!r}?" if near else ""))
        raise typer.Exit(MISUSED)
    return found


def run_rule_tests(
    context: typer.Context, rule: RuleOption = None, as_json: AsJson = False
) -> None:
    """Run the tests stored in the rules; exit 1 when one fails, with the clause that decided."""
    rules = chosen(configuration(context), rule)
    with progress("testing", len(rules)) as step:
        outcomes = []
        for each in rules:
            outcomes += run_tests(each, judge)
            step()
    failed = [outcome for outcome in outcomes if not outcome.passed]
    if as_json:
        print_json([_outcome_json(outcome) for outcome in outcomes])
    else:
        for outcome in failed:
            wanted = "should match" if outcome.expected else "should not match"
            say(
                f"FAILED  {outcome.rule}: {wanted}: {outcome.sample.title or outcome.sample.text[:80]}"
            )
            say(f"        {outcome.why}")
        untested = [r.id for r in rules if not (r.tests.match or r.tests.no_match)]
        for name in untested:
            say(f"no tests  {name}")
        say(f"{len(outcomes) - len(failed)} passed, {len(failed)} failed")
    if failed:
        raise typer.Exit(FAILED)


def judge(rule: Rule, article: Article, expected: bool) -> tuple[bool, str]:
    """Whether the rule holds, and the clause that decided when that was not expected."""
    matched = match_rule(rule, Document(article)) is not None
    if matched is expected:
        return matched, ""
    found = explain(rule, article)
    if not found.matched:
        return False, found.missing
    return True, "; ".join(f"{e.clause} in {e.field}: {e.text!r}" for e in found.when.evidence)


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "rule": outcome.rule,
        "title": outcome.sample.title,
        "expected": outcome.expected,
        "passed": outcome.passed,
        "why": outcome.why,
    }


def explain_article(
    context: typer.Context,
    article: Annotated[str, typer.Argument(help="Id or link of a stored article, or a headline.")],
    rule: RuleOption = None,
    text: Annotated[str, typer.Option("--text", help="Body to go with a headline.")] = "",
    as_json: AsJson = False,
) -> None:
    """Why rules match an article or not, what came nearest, and what became of it."""
    config = configuration(context)
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
        say(f"{found.title}\n{found.publisher or found.feed}  {found.url}")
        for result in sorted(results, key=lambda r: not r.matched):
            _print_explanation(result, whole=rule is not None or result.matched)
        for entry in history:
            told = "told" if entry["sent"] else "not told"
            detail = f" ({entry['detail']})" if entry["detail"] else ""
            say(f"\n{entry['rule']}: {told}: {entry['reason']}{detail}, story {entry['story']}")
    if rule is not None and not results[0].matched:
        raise typer.Exit(FAILED)


def _find_article(config: Config, name: str, text: str) -> tuple[Article, list[dict[str, Any]]]:
    with opened_store(config) as store, store.read() as tx:
        found = tx.articles.find(name)
        if found is not None:
            return found, tx.alerts.verdicts_of(found.id)
    if "://" in name or (name.startswith("a") and " " not in name and len(name) == 20):
        complain(f"{name}: no such article is stored: give a headline in quotes to try a text")
        raise typer.Exit(FAILED)
    return article_of(Sample(title=name, text=text)), []


def _print_explanation(result: Explanation, *, whole: bool) -> None:
    if result.matched:
        console.print(f"\n[bold green]{result.rule}[/]: matches")
    else:
        console.print(f"\n[bold]{result.rule}[/]: no match")
        say(f"  {result.missing}")
    if whole:
        _print_step(result.when, 1)
        if result.unless is not None:
            say("  unless")
            _print_step(result.unless, 2)


def _print_step(step: Step, depth: int) -> None:
    mark = "✓" if step.held else "✗"
    found = ", ".join(f"{e.field} “{e.text}”" for e in step.evidence[:4])
    note = f" ({step.note})" if step.note else ""
    indent = "  " * depth
    clause = step.clause if len(step.clause) < 160 else step.clause[:159] + "…"
    console.print(f"{indent}{mark} ", end="")
    say(f"{clause}{note}" + (f"  ← {found}" if found and not step.parts else ""))
    for part in step.parts:
        _print_step(part, depth + 1)


def replay(
    context: typer.Context,
    input: Annotated[
        Path, typer.Option("--input", help="JSON lines of articles; - for standard input.")
    ],
    output: Annotated[Path | None, typer.Option("--output", help="Where the records go.")] = None,
    only: Annotated[str | None, typer.Option("--only", help="One of " + ", ".join(RECORDS))] = None,
    all_stories: Annotated[
        bool, typer.Option("--all-stories", help="Group unmatched articles too.")
    ] = False,
) -> None:
    """The whole pipeline over a file of dated articles, with a simulated clock."""
    if only is not None and only not in RECORDS:
        complain(f"--only {only!r} is unknown: use {', '.join(RECORDS)}")
        raise typer.Exit(MISUSED)
    config = configuration(context)
    with told_errors(), _source(input) as source:
        articles = Archive(source, config.publishers)
        run = Replay(Pipeline(plan_of(config)), all_stories=all_stories)
        started = time.perf_counter()
        with _target(output) as target, progress("replaying", len(articles)) as step:
            for record in run.run(_counted(articles, step)):
                if only is None or record["type"] == only:
                    target.write(json.dumps(record, ensure_ascii=False, sort_keys=True) + "\n")
            seconds = time.perf_counter() - started
            summary = {
                "type": "summary",
                **_counts(run),
                "rules": len(config.rules),
                "fingerprint": fingerprint(config),
            }
            target.write(json.dumps(summary, sort_keys=True) + "\n")
    rate = len(articles) / seconds if seconds else 0.0
    complain(f"{len(articles)} articles in {seconds:.1f} s: {rate:.0f} articles/s")


def _counts(run: Replay) -> dict[str, int]:
    names = ("articles", "matches", "stories", "alerts", "notifications")
    return {name: run.counts[name] for name in names}


def _source(input: Path) -> BinaryIO:
    """The file, or a copy of what can be read only once: a pipe, standard input."""
    try:
        given = sys.stdin.buffer if str(input) == "-" else input.open("rb")
        if given is not sys.stdin.buffer and given.seekable():
            return given
        copy = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 - the caller closes it
        copyfileobj(given, copy)
        copy.seek(0)
    except OSError as error:
        complain(f"{input}: can't be read ({error})")
        raise typer.Exit(MISUSED) from error
    return copy


def _counted(articles: Iterable[Article], step: Any) -> Any:
    for article in articles:
        yield article
        step()


def _target(output: Path | None) -> Any:
    from contextlib import nullcontext

    return output.open("w", encoding="utf-8") if output else nullcontext(sys.stdout)
