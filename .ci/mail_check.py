"""Do mail readers show what a digest uses? caniemail's data, html-validate, SpamAssassin.

    python .ci/mail_check.py

Needs npm, and spamassassin for its score. Fails on an element or property that Gmail, Outlook or Apple
Mail lack and that has no fallback listed here, on invalid HTML, and on a spam score of 1.0 or more.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "integration")]

PACKAGES = ("caniemail@1.0.5", "html-validate@10.17.0")
CLIENTS = ("gmail.*", "outlook.*", "apple-mail.*")
# What happens where it is missing; nothing is unreadable then.
FALLBACK = {
    "<body> element": "its colours are on the outer table as well",
    "border-radius": "corners are square",
    "border-spacing": "cellspacing says the same",
    "display:none": "the preview line is shown once, above the digest",
    "overflow": "as display:none",
    "role attribute": "a screen reader names the layout tables",
    "text-wrap": "headlines break as everywhere",
    "transform": "the data takes text-transform for it, which all have",
    "white-space": "times and badges may break",
    "word-break": "Korean breaks inside words",
}
RULES = {
    "root": True,
    "extends": ["html-validate:recommended"],
    # Layout tables and inlined styles are what mail readers want.
    "rules": {
        "no-inline-style": "off",
        "no-deprecated-attr": "off",
        "no-trailing-whitespace": "off",
    },
}
ASK = """
import { caniemail } from 'caniemail';
import { readFileSync } from 'node:fs';
const [file, ...clients] = process.argv.slice(2);
const found = caniemail({ clients, html: readFileSync(file, 'utf8') });
const told = [...found.issues.errors].flatMap(([client, list]) => list.map(i => [i.title, client]));
console.log(JSON.stringify(told));
"""


def main() -> int:
    from test_notify_email import notes, receiver

    from watcher.model import DigestKind
    from watcher.notify._mime import build
    from watcher.render.sample import sample_digest, with_links

    wrong = 0
    with tempfile.TemporaryDirectory(prefix="watcher-mail-check-") as name:
        folder = Path(name)
        npm = ["npm", "install", "--silent", "--no-audit", "--no-fund", *PACKAGES]
        subprocess.run(npm, cwd=folder, check=True)
        (folder / "ask.mjs").write_text(ASK)
        (folder / "rules.json").write_text(json.dumps(RULES))
        for kind in DigestKind:
            mail = receiver(25, title="Korea desk", unsubscribe="https://news.example.org/u/1")
            payload = notes(mail, with_links(sample_digest(kind=kind)))[0].payload
            html = folder / f"{kind.value}.html"
            html.write_text(payload["html"], "utf-8")
            wrong += (
                support(folder, html) + validity(folder, html) + spam(build(payload), kind.value)
            )
    return 1 if wrong else 0


def support(folder: Path, html: Path) -> int:
    """Styles in `<style>` are for readers that take them; what counts is what was inlined."""
    bare = folder / "bare.html"
    bare.write_text(re.sub(r"<style>.*?</style>", "", html.read_text("utf-8"), flags=re.DOTALL))
    ask = ["node", "ask.mjs", bare.name, *CLIENTS]
    told = json.loads(subprocess.run(ask, cwd=folder, check=True, capture_output=True).stdout)
    missing: dict[str, set[str]] = {}
    for what, client in told:
        if what not in FALLBACK:
            missing.setdefault(what, set()).add(client)
    for what, clients in missing.items():
        print(f"{html.stem}: {what} is not shown by {', '.join(sorted(clients))}")
    print(
        f"{html.stem}: {len({w for w, _ in told})} features with a fallback, {len(missing)} without"
    )
    return len(missing)


def validity(folder: Path, html: Path) -> int:
    check = ["npx", "html-validate", "--config", "rules.json", html.name]
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=False)
    print(f"{html.stem}: HTML {'valid' if not done.returncode else done.stdout}")
    return int(done.returncode != 0)


def spam(raw: bytes, name: str) -> int:
    if not shutil.which("spamassassin"):
        print(f"{name}: spamassassin is not installed")
        return 0
    done = subprocess.run(["spamassassin", "-t", "-L"], input=raw, capture_output=True, check=True)
    found = re.search(
        r"analysis details:\s+\((-?[\d.]+) points", done.stdout.decode("utf-8", "replace")
    )
    score = float(found[1]) if found else 99.0
    print(f"{name}: spam score {score}")
    return int(score >= 1.0)


if __name__ == "__main__":
    sys.exit(main())
