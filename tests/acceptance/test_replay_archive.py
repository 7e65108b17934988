"""`watcher replay` over 10,000 dated articles: one pass, the same records every time."""

import json
from collections import Counter

from tests.acceptance.stage import Stage
from watcher.demo.archive import archive_lines

ARTICLES = 10_000
RULES = """
rules:
  - id: launch
    title: Satellite launch
    severity: high
    when:
      all:
        - {any: [north korea*, pyongyang, 북한*, 北朝鮮, 朝鲜, КНДР, Nordkorea, Corea del Norte]}
        - {any: [satellite*, 위성*, 衛星, 卫星, спутник*, satélite*]}
      none: [{phrase: satellite imag*, in: [title]}]
  - id: football
    title: Football
    when: {all: [league, {near: {within: 6, terms: [scored, header]}}]}
    alert: {at_most: 3 per day}
"""


def test_ten_thousand_articles_replay_the_same_way_every_time(stage: Stage) -> None:
    archive = stage.folder / "archive.jsonl"
    archive.write_text("\n".join(archive_lines(ARTICLES)) + "\n", encoding="utf-8")
    stage.configure(
        rules=RULES,
        routes=[{"receivers": ["mail"], "send": {"digest": "0 7 * * *", "zone": "Asia/Seoul"}}],
    )
    runs = []
    for name in ("first", "second"):
        output = stage.folder / f"{name}.jsonl"
        found = stage.cli("replay", "--input", str(archive), "--output", str(output))
        assert found.returncode == 0, found.stderr
        assert "articles/s" in found.stderr
        runs.append(output.read_bytes())
    records = [json.loads(line) for line in runs[0].splitlines()]
    counted = Counter(record["type"] for record in records)
    summary = records[-1]

    assert runs[0] == runs[1]
    assert summary["type"] == "summary"
    assert summary["articles"] == ARTICLES
    assert summary["matches"] == counted["match"] > 50
    assert summary["alerts"] == counted["alert"] > 20
    assert summary["notifications"] == counted["notification"] > 5


def test_shuffled_input_is_put_in_order_first(stage: Stage) -> None:
    lines = list(archive_lines(400))
    stage.configure(rules=RULES)
    outputs = []
    for name, given in (("sorted", lines), ("turned", lines[::-1])):
        path = stage.folder / f"{name}.jsonl"
        path.write_text("\n".join(given) + "\n", encoding="utf-8")
        found = stage.cli("replay", "--input", str(path), "--only", "match")
        outputs.append(sorted(found.stdout.splitlines()))

    assert outputs[0] == outputs[1]
    assert any('"type": "match"' in line for line in outputs[0])


def test_a_line_that_is_no_article_is_named(stage: Stage) -> None:
    stage.configure(rules=RULES)
    path = stage.folder / "bad.jsonl"
    path.write_text('{"id": "1", "title": "No date"}\n', encoding="utf-8")
    found = stage.cli("replay", "--input", str(path))

    assert found.returncode == 1
    assert "line 1" in found.stderr
    assert "Traceback" not in found.stderr
