"""lint: what is allowed in a rule but hardly meant, or superfluous."""

from typing import Annotated, Any

import typer

from watcher.cli.context import FAILED, configuration, opened_store
from watcher.cli.output import print_json, say
from watcher.config.lint import Findings, lint_config
from watcher.config.load import Config
from watcher.errors import Problem
from watcher.place import clock_of, store_path


def lint(
    context: typer.Context,
    rule: Annotated[str | None, typer.Option("--rule", help="Only this rule.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Clauses that can never hold, exceptions that always cancel, terms that add nothing.

    With an archive also rules that never matched or match too much. Exit 1 when there is a
    warning; hints are harmless.
    """
    config = configuration(context)
    if rule is not None:
        from watcher.cli.find import one_rule

        one_rule(config, rule)
    found = findings(config, rule)
    sides = (("warning", found.warnings), ("hint", found.hints))
    if as_json:
        print_json([_json(kind, problem) for kind, problems in sides for problem in problems])
    else:
        for kind, problems in sides:
            for problem in problems:
                say(f"{kind}: {problem}")
        say(f"{len(found.warnings)} warnings, {len(found.hints)} hints")
    if found.warnings:
        raise typer.Exit(FAILED)


def findings(config: Config, rule: str | None = None) -> Findings:
    """By what is written, and by the archive where there is one."""
    now = clock_of(config).now()
    if not store_path(config).exists():
        return lint_config(config, now=now, rule=rule)
    from watcher.seen import look_back

    rules = [one for one in config.rules if rule in {None, one.id}]
    with opened_store(config) as store, store.read() as tx:
        return lint_config(config, now=now, seen=look_back(tx, rules), rule=rule)


def _json(kind: str, problem: Problem) -> dict[str, Any]:
    return {
        "kind": kind,
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "what": problem.what,
        "todo": problem.todo,
    }
