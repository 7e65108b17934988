"""Judged articles are read from files, and rules are measured by them."""

import json
from pathlib import Path

import pytest

from watcher.labels import Judged, LabelError, judged_in_file, judged_in_folder, judged_in_tests
from watcher.rules.compile import Rule, compile_rule
from watcher.rules.schema import RuleSpec, Sample
from watcher.rules.testing import article_of
from watcher.score import advise, score_rule, why


def rule(**fields: object) -> Rule:
    made, issues = compile_rule(RuleSpec.model_validate({"id": "launch", **fields}), {})
    assert made is not None, issues
    return made


def judged(title: str, *, relevant: bool, event: str | None = None) -> Judged:
    return Judged("launch", article_of(Sample(title=title)), relevant, event)


ITEMS = [
    judged("Rocket launch", relevant=True, event="one"),
    judged("Rocket on its way", relevant=True, event="two"),
    judged("Lift-off at last", relevant=True, event="one"),
    judged("Toy rocket", relevant=False),
    judged("Ferry late", relevant=False),
]


def test_precision_and_recall_count_what_people_said() -> None:
    score = score_rule(rule(when="rocket"), ITEMS, "labels")

    assert (score.precision, score.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert score.f1 == pytest.approx(2 / 3)
    assert [one.article.title for one in score.missed] == ["Lift-off at last"]
    assert [one.article.title for one in score.wrong] == ["Toy rocket"]
    assert score.events == (2, 2)


def test_few_headlines_prove_little() -> None:
    few = score_rule(rule(when="rocket"), ITEMS[:2], "labels")
    many = score_rule(rule(when="rocket"), ITEMS[:2] * 100, "labels")

    assert few.precision == many.precision == 1.0
    assert few.surely[0] < 0.5 < 0.95 < many.surely[0]


def test_headlines_of_another_rule_do_not_count() -> None:
    other = Judged("ferry", article_of(Sample(title="Rocket")), relevant=False)

    assert score_rule(rule(when="rocket"), [other], "labels").wrong == ()


def test_a_mistake_names_the_clause_that_decided() -> None:
    made = rule(when={"all": ["rocket", "launch"]})

    assert why(made, ITEMS[1]) == "all but launch: not found"
    assert why(rule(when="rocket"), ITEMS[3]) == "rocket in title: 'rocket'"


def test_advice_comes_from_what_was_missed_and_what_was_wrong() -> None:
    items = [
        *(judged(f"Chollima stands ready {n}", relevant=True) for n in "abc"),
        *(judged(f"Toy rocket for children {n}", relevant=False) for n in "abc"),
        *(judged(f"Rocket seen {n}", relevant=True) for n in "abc"),
        *(judged(f"Ferry late {n}", relevant=False) for n in "abc"),
    ]
    made = rule(when="rocket")

    advice = advise(made, [score_rule(made, items, "labels")])

    assert any("chollima" in one.term for one in advice.add)
    assert any("toy" in one.term for one in advice.exclude)
    assert all(one.term != "rocket" for one in (*advice.add, *advice.exclude))


def test_the_tests_of_a_rule_are_judged_articles() -> None:
    made = rule(when="rocket", tests={"match": ["Rocket"], "no_match": [{"text": "Ferry"}]})

    found = judged_in_tests([made])

    assert [(one.relevant, one.article.title or one.article.text) for one in found] == [
        (True, "Rocket"),
        (False, "Ferry"),
    ]


def test_yaml_and_json_lines_say_the_same(tmp_path: Path) -> None:
    item = {"label": "relevant", "event": "one", "title": "Rocket", "lang": "en"}
    (tmp_path / "a.yaml").write_text(f"rule: launch\nitems:\n  - {json.dumps(item)}\n", "utf-8")
    line = json.dumps({"rule": "launch", **item})
    (tmp_path / "b.jsonl").write_text(f"{line}\n\n", "utf-8")

    in_yaml, in_lines = judged_in_folder(tmp_path)

    assert in_yaml == in_lines
    assert (in_yaml.rule, in_yaml.relevant, in_yaml.event) == ("launch", True, "one")


def test_a_file_that_names_no_rule_takes_the_one_given(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"label": "noise", "title": "Ferry"}\n', "utf-8")

    assert judged_in_file(path, "launch")[0].rule == "launch"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.jsonl", '{"label": "noise"}', "x.jsonl:1: no rule is named"),
        ("x.jsonl", "\n{", "x.jsonl:2: is not JSON"),
        ("x.jsonl", "[]", "x.jsonl:1: [] is no mapping"),
        ("x.jsonl", '{"rule": "a", "label": "maybe"}', "label 'maybe' is unknown"),
        ("x.jsonl", '{"rule": "a", "label": "noise", "titel": "x"}', "x.jsonl:1: titel: "),
        ("x.yaml", "rule: a\n", "x.yaml: has no items"),
        ("x.yaml", "rule: a\nitems:\n  - {label: good}\n", "x.yaml:3: label 'good' is unknown"),
        ("x.yaml", "rule: [\n", "x.yaml:"),
    ],
)
def test_what_is_wrong_with_a_file_is_named_with_its_line(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    path = tmp_path / name
    path.write_text(content, "utf-8")

    with pytest.raises(LabelError) as raised:
        judged_in_file(path)

    assert message in str(raised.value)


def test_a_folder_without_headlines_is_told(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="holds no file of headlines"):
        judged_in_folder(tmp_path)
    with pytest.raises(LabelError, match="can't be read"):
        judged_in_folder(tmp_path / "none")
