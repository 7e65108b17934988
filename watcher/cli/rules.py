"""test, replay: rules on texts that are known."""

import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Annotated, Any, BinaryIO, cast

import typer

from watcher.cli.context import FAILED, MISUSED, configuration, told_errors
from watcher.cli.find import chosen
from watcher.cli.output import complain, print_json, progress, say
from watcher.matching.document import Document
from watcher.matching.explain import explain
from watcher.matching.matcher import match_rule
from watcher.model import Article
from watcher.parts import plan_of
from watcher.pipeline import Pipeline
from watcher.replay import RECORDS, Archive, Replay, fingerprint
from watcher.rules.compile import Rule
from watcher.rules.testing import Outcome, run_tests

RuleOption = Annotated[str | None, typer.Option("--rule", help="Only this rule.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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
