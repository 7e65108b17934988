"""`make demo` in short: six hours of the news day through the real daemon to real mail."""

import json
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

from watcher.demo.newsday import DAY
from watcher.demo.run import run_demo


def test_the_demo_delivers_digests_and_leaves_them_as_files(tmp_path: Path, capsys) -> None:
    code = run_demo(tmp_path, until=DAY + timedelta(hours=3, minutes=40), speed=2000)
    said = capsys.readouterr()
    mails = sorted(tmp_path.glob("*.eml"))
    found = [message_from_bytes(m.read_bytes(), policy=policy.default) for m in mails]

    assert code == 0, said.err + (tmp_path / "daemon.log").read_text()[-2000:]
    assert [m["X-Watcher-Kind"] for m in found] == ["digest"]
    assert "Kim Jong Un" in mails[0].with_suffix(".txt").read_text("utf-8")
    assert str(mails[0].with_suffix(".html")) in said.out.replace("\n", "")
    assert len(json.loads((tmp_path / "slack.json").read_text("utf-8"))) >= 3
    assert len(json.loads((tmp_path / "webhook.json").read_text("utf-8"))) >= 3
    assert len(list((tmp_path / "pages").glob("*.html"))) == 1
    assert "articles" in said.out
