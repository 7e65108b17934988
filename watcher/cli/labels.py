"""label, score: what a reader called relevant or noise, and how well the rules agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from watcher.cli.context import FAILED, MISUSED, configuration, opened_store, told_errors
from watcher.cli.find import chosen, one_rule, stored_article
from watcher.cli.output import complain, listing, print_json, say
from watcher.config.load import Config
from watcher.labels import (
    WORDS,
    Judged,
    judged_in_file,
    judged_in_folder,
    judged_in_store,
    judged_in_tests,
    label_of,
)
from watcher.matching.document import Document
from watcher.matching.matcher import match_rule
from watcher.place import clock_of
from watcher.rules.compile import Rule
from watcher.rules.suggest import Suggestion
from watcher.score import Score, advise, score_rule, why

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
SHOWN = 10


def label(
    context: typer.Context,
    article: Annotated[
        str | None, typer.Argument(help="Id, the beginning of one, or link of a stored article.")
    ] = None,
    verdict: Annotated[
        str | None, typer.Argument(metavar="relevant|noise", help="What you call it.")
    ] = None,
    rule: Annotated[str | None, typer.Option("--rule", help="For which rule.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the label away.")] = False,
    list_them: Annotated[bool, typer.Option("--list", help="Show the labels.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say whether an article is relevant to a rule or noise; `watcher score` judges rules by it."""
    config = configuration(context)
    with told_errors():
        if list_them:
            _list(config, rule, as_json)
        elif article is None or rule is None:
            complain("name an article and a rule: watcher label ARTICLE --rule ID relevant")
            raise typer.Exit(MISUSED)
        elif remove:
            _remove(config, article, rule)
        elif verdict not in WORDS:
            complain(f"{verdict or 'no label'!r} is not a label: say relevant or noise")
            raise typer.Exit(MISUSED)
        else:
            _put(config, article, one_rule(config, rule), verdict)


def _put(config: Config, name: str, rule: Rule, verdict: str) -> None:
    with opened_store(config) as store, store.begin() as tx:
        found = stored_article(tx, name)
        tx.labels.put(label_of(rule.id, found, WORDS[verdict], clock_of(config).now()))
    matched = match_rule(rule, Document(found)) is not None
    catches = "catches it" if matched else "does not catch it"
    agrees = "agreed" if matched == WORDS[verdict] else "not agreed"
    say(f"{found.id}  {found.title}\n{verdict} for {rule.id}, which {catches}: {agrees}")


def _remove(config: Config, name: str, rule: str) -> None:
    with opened_store(config) as store, store.begin() as tx:
        known = [one.article for one in tx.labels.all(rule) if one.article.startswith(name)]
        # The article itself may be gone; its label is found all the same.
        article = known[0] if len(known) == 1 else stored_article(tx, name).id
        if not tx.labels.remove(rule, article):
            complain(f"{article}: has no label for {rule}: see `watcher label --list`")
            raise typer.Exit(FAILED)
    say(f"{article}: no label for {rule} any more")


def _list(config: Config, rule: str | None, as_json: bool) -> None:
    with opened_store(config) as store, store.read() as tx:
        labels = tx.labels.all(rule)
    rows = [
        {
            "rule": one.rule,
            "label": "relevant" if one.relevant else "noise",
            "article": one.article,
            "title": one.sample.get("title", ""),
            "at": one.at,
        }
        for one in labels
    ]
    columns = {"rule": "rule", "label": "label", "article": "article", "title": "title"}
    listing(rows, columns, as_json=as_json, empty="no labels: add one with `watcher label`")


def score(
    context: typer.Context,
    rule: Annotated[str | None, typer.Option("--rule", help="Only this rule.")] = None,
    file: Annotated[
        list[Path] | None,
        typer.Option("--file", help="Judged headlines, JSON lines or YAML; may be repeated."),
    ] = None,
    labelled: Annotated[
        Path | None, typer.Option("--labelled", help="A folder of such files.")
    ] = None,
    fail_under: Annotated[
        float, typer.Option("--fail-under", help="Exit 1 if a precision or recall is lower.")
    ] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Precision and recall of rules by your labels, their tests and files, with every mistake.

    Suggests terms to add or exclude where the judged texts differ; it never changes a rule.
    """
    config = configuration(context)
    rules = chosen(config, rule)
    with told_errors():
        sources = _sources(config, rules, file or [], labelled, rule)
    unknown = sorted(
        {one.rule for judged in sources.values() for one in judged} - {r.id for r in config.rules}
    )
    for name in unknown:
        complain(f"warning: headlines for {name!r}, which is no rule here, are left out")
    by_rule = [(each, _scores(each, sources)) for each in rules]
    if as_json:
        print_json([_with_advice(each, scores) for each, scores in by_rule])
    else:
        _print(by_rule)
    every = [found for _, scores in by_rule for found in scores]
    if any(min(found.precision, found.recall) < fail_under for found in every):
        raise typer.Exit(FAILED)


def _sources(
    config: Config,
    rules: Sequence[Rule],
    files: Sequence[Path],
    folder: Path | None,
    rule: str | None,
) -> dict[str, list[Judged]]:
    with opened_store(config) as store, store.read() as tx:
        found = {"labels": judged_in_store(tx.labels.all(rule))}
    found["tests"] = judged_in_tests(rules)
    for path in files:
        found[path.name] = judged_in_file(path, rule)
    if folder is not None:
        found[f"{folder.name}/"] = judged_in_folder(folder)
    return found


def _scores(rule: Rule, sources: Mapping[str, Sequence[Judged]]) -> list[Score]:
    """One for each source that holds something of the rule."""
    own = {
        source: [one for one in judged if one.rule == rule.id] for source, judged in sources.items()
    }
    return [score_rule(rule, judged, source) for source, judged in own.items() if judged]


def _with_advice(rule: Rule, scores: Sequence[Score]) -> dict[str, Any]:
    advice = advise(rule, scores)
    return {
        "rule": rule.id,
        "scores": [found.to_json() for found in scores],
        "add": [_suggestion_json(one) for one in advice.add],
        "exclude": [_suggestion_json(one) for one in advice.exclude],
    }


def _suggestion_json(one: Suggestion) -> dict[str, Any]:
    return {
        "term": one.term,
        "inside": [one.inside, one.wanted],
        "outside": [one.outside, one.others],
        "z": round(one.z, 2),
    }


def _print(by_rule: Sequence[tuple[Rule, Sequence[Score]]]) -> None:
    rows = [_row(found) for _, scores in by_rule for found in scores]
    columns = {
        "rule": "rule",
        "source": "source",
        "judged": "relevant + noise",
        "precision": "precision (surely)",
        "recall": "recall (surely)",
        "f1": "F1",
        "missed": "missed",
        "wrong": "wrong",
        "events": "events",
    }
    listing(rows, columns, as_json=False, empty="nothing is judged: add tests, or `watcher label`")
    for rule, scores in by_rule:
        for found in scores:
            _print_mistakes(rule, found)
        _print_advice(rule, scores)


def _row(found: Score) -> dict[str, Any]:
    precise, complete = found.surely
    told, every = found.events
    return {
        "rule": found.rule,
        "source": found.source,
        "judged": f"{len(found.caught) + len(found.missed)} + {len(found.wrong) + len(found.quiet)}",
        "precision": f"{found.precision:.3f} ({precise:.2f})",
        "recall": f"{found.recall:.3f} ({complete:.2f})",
        "f1": f"{found.f1:.3f}",
        "missed": len(found.missed),
        "wrong": len(found.wrong),
        "events": f"{told} of {every}" if every else None,
    }


def _print_mistakes(rule: Rule, found: Score) -> None:
    for word, mistakes in (("missed", found.missed), ("wrong", found.wrong)):
        for one in mistakes[:SHOWN]:
            article = one.article
            lang = f" [{article.lang}]" if article.lang else ""
            say(f"\n{word} {rule.id} ({found.source}){lang}: {article.title or article.text[:80]}")
            say(f"        {why(rule, one)}")
        if len(mistakes) > SHOWN:
            say(f"        … and {len(mistakes) - SHOWN} more: see --json")


def _print_advice(rule: Rule, scores: Sequence[Score]) -> None:
    advice = advise(rule, scores)
    if advice.add:
        say(f"\nworth a thought for {rule.id}: to catch more")
    for one in advice.add:
        say(f"  {one.term!r}: in {one.inside} of {one.wanted} missed, {_count(one)} noise")
    if advice.exclude:
        say(f"\nworth a thought for {rule.id}: to leave out")
    for one in advice.exclude:
        say(f"  {one.term!r}: in {one.inside} of {one.wanted} wrong, {_count(one)} relevant")


def _count(one: Suggestion) -> str:
    return f"{one.outside} of {one.others}"
