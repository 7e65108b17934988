"""`watcher label` and `watcher score` as a user types them."""

import json
from pathlib import Path

import pytest
from workbench_folder import article, make_folder, watcher

ARTICLES = [
    article(11, "Korea rocket launch seen", hours=5),
    article(12, "Korea readies a carrier vehicle", hours=4),
    article(21, "Korea: model rocket launch for pupils", hours=3),
    article(22, "Ferry late", hours=2),
]
IDS = [one.id for one in ARTICLES]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "mine", ARTICLES)


def test_a_label_is_kept_and_says_whether_the_rule_agrees(folder: Path) -> None:
    agreed = watcher(folder, "label", IDS[0], "relevant", "--rule", "launch")
    missed = watcher(folder, "label", ARTICLES[1].url, "relevant", "--rule", "launch")
    listed = json.loads(watcher(folder, "label", "--list", "--json").stdout)

    assert agreed.exit_code == missed.exit_code == 0
    assert "which catches it: agreed" in agreed.stdout
    assert "which does not catch it: not agreed" in missed.stdout
    assert sorted((row["article"], row["label"]) for row in listed) == [
        (IDS[0], "relevant"),
        (IDS[1], "relevant"),
    ]


def test_the_latest_label_counts_and_can_be_removed(folder: Path) -> None:
    for verdict in ("relevant", "noise"):
        watcher(folder, "label", IDS[0], verdict, "--rule", "launch")
    listed = json.loads(watcher(folder, "label", "--list", "--json").stdout)
    removed = watcher(folder, "label", IDS[0], "--rule", "launch", "--remove")
    again = watcher(folder, "label", IDS[0], "--rule", "launch", "--remove")

    assert [row["label"] for row in listed] == ["noise"]
    assert (removed.exit_code, again.exit_code) == (0, 1)
    assert "no labels" in watcher(folder, "label", "--list").stdout


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(folder: Path) -> None:
    unique = watcher(folder, "label", IDS[3][:-1] + "2", "noise", "--rule", "ferry")
    shared = watcher(folder, "label", IDS[0][:-1], "noise", "--rule", "launch")

    assert unique.exit_code == 0
    assert shared.exit_code == 2
    assert "several articles begin so" in shared.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["nosuch", "noise", "--rule", "launch"], 1, "no such article is stored"),
        ([IDS[0], "noise", "--rule", "lunch"], 2, "did you mean 'launch'?"),
        ([IDS[0], "good", "--rule", "launch"], 2, "'good' is not a label: say relevant or noise"),
        ([IDS[0], "--rule", "launch"], 2, "'no label' is not a label"),
        ([IDS[0], "noise"], 2, "name an article and a rule"),
    ],
)
def test_what_is_wrong_is_said(folder: Path, words: list[str], code: int, message: str) -> None:
    done = watcher(folder, "label", *words)

    assert done.exit_code == code
    assert message in done.stderr


def test_score_counts_labels_and_tests_apart_and_lists_the_mistakes(folder: Path) -> None:
    for name, verdict in ((0, "relevant"), (1, "relevant"), (2, "noise"), (3, "noise")):
        watcher(folder, "label", IDS[name], verdict, "--rule", "launch")

    done = watcher(folder, "score", "--rule", "launch")
    (found,) = json.loads(watcher(folder, "score", "--rule", "launch", "--json").stdout)
    labels, tests = found["scores"]

    assert done.exit_code == 0
    assert (labels["source"], labels["precision"], labels["recall"]) == ("labels", 0.5, 0.5)
    assert (tests["source"], tests["precision"], tests["recall"]) == ("tests", 1.0, 1.0)
    assert "missed launch (labels) [en]: Korea readies a carrier vehicle" in done.stdout
    assert "wrong launch (labels) [en]: Korea: model rocket launch for pupils" in done.stdout


def test_score_takes_files_and_suggests_words_without_touching_a_rule(
    folder: Path, tmp_path: Path
) -> None:
    lines = [
        *({"label": "relevant", "title": f"Chollima stands ready, {n}"} for n in "abc"),
        *({"label": "noise", "title": f"Weather, {n}"} for n in "abcd"),
    ]
    path = tmp_path / "held-out.jsonl"
    path.write_text("\n".join(json.dumps({"rule": "ferry", **line}) for line in lines), "utf-8")
    before = (folder / "rules" / "rules.yaml").read_bytes()

    done = watcher(folder, "score", "--rule", "ferry", "--file", str(path))

    assert "worth a thought for ferry: to catch more" in done.stdout
    assert "chollima" in done.stdout
    assert (folder / "rules" / "rules.yaml").read_bytes() == before


def test_score_can_fail_a_build(folder: Path) -> None:
    watcher(folder, "label", IDS[1], "relevant", "--rule", "launch")

    assert watcher(folder, "score", "--fail-under", "0.9").exit_code == 1
    assert watcher(folder, "score", "--rule", "ferry", "--fail-under", "0.9").exit_code == 0


def test_headlines_of_unknown_rules_are_told(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "old.yaml").write_text("rule: gone\nitems: [{label: noise, title: x}]\n", "utf-8")

    done = watcher(folder, "score", "--file", str(tmp_path / "old.yaml"))

    assert done.exit_code == 0
    assert "headlines for 'gone', which is no rule here" in done.stderr


def test_a_broken_file_is_told_in_one_line(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("{\n", "utf-8")

    done = watcher(folder, "score", "--file", str(path))

    assert done.exit_code == 1
    assert "bad.jsonl:1: is not JSON" in done.stderr
