"""Build the wheel, install it with its locked dependencies in a clean environment, and use it.

    python .ci/wheel_check.py

Nothing is imported from the checkout: the folders `config/` and `templates/` must come out of
the wheel. Ends non-zero at the first step that fails.
"""

import json
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

CHECKOUT = Path(__file__).resolve().parents[1]
FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Sample feed</title>
<item><title>North Korea launches satellite</title><guid>1</guid>
<link>https://sample.example/1</link><description>A sample.</description></item>
</channel></rss>"""
WATCHER_YAML = """
data: ../data
http: {{allow: ["127.0.0.1:{port}"]}}
receivers: [{{id: pages, type: file, folder: digests}}]
routes: [{{receivers: [pages]}}]
"""


def main() -> None:
    with TemporaryDirectory(prefix="watcher-wheel-") as name:
        folder = Path(name)
        wheel = build(folder / "dist")
        binaries = install(folder / "venv", wheel)
        use(binaries / "watcher", folder)
    print(f"wheel check passed: {wheel.name}")


def build(dist: Path) -> Path:
    """With the build tools of this environment; no network."""
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", dist, CHECKOUT)
    return next(dist.glob("*.whl"))


def install(target: Path, wheel: Path) -> Path:
    """The locked dependencies by hash, then the wheel alone."""
    venv.create(target, with_pip=True)
    pip = [target / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    run(*pip, "--require-hashes", "-r", CHECKOUT / "requirements-run.lock")
    run(*pip, "--no-deps", wheel)
    return target / "bin"


def use(watcher: Path, folder: Path) -> None:
    """init, check, test, and one poll of a local feed, by the configuration the wheel brings."""
    config = folder / "config"
    run(watcher, "--version", cwd=folder)
    run(watcher, "init", config, cwd=folder)
    run(watcher, "--config", config, "check", cwd=folder)
    run(watcher, "--config", config, "test", cwd=folder)
    with serving() as port:
        (config / "watcher.yaml").write_text(WATCHER_YAML.format(port=port))
        feed = {"id": "sample", "url": f"http://127.0.0.1:{port}/feed", "initial": 1}
        (config / "feeds.yaml").write_text(json.dumps({"feeds": [feed]}))
        run(watcher, "--config", config, "run", "--once", cwd=folder)
    pages = sorted((config / "digests").glob("*.html"))
    if len(pages) != 1 or "North Korea launches satellite" not in pages[0].read_text():
        sys.exit(f"one alert was expected as a page, found {len(pages)}")


@contextmanager
def serving() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Feed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Feed(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(FEED)))
        self.end_headers()
        self.wfile.write(FEED)

    def log_message(self, *_: object) -> None:
        """Quiet."""


def run(*command: object, cwd: Path | None = None) -> None:
    words = [str(word) for word in command]
    print("$", " ".join(Path(words[0]).name if n == 0 else w for n, w in enumerate(words)), flush=True)
    keep = {k: v for k, v in os.environ.items() if not k.startswith(("WATCHER_", "PYTHON"))}
    found = subprocess.run(words, cwd=cwd, env=keep, check=False)
    if found.returncode:
        sys.exit(f"wheel check failed: {words[0]} ended with {found.returncode}")


if __name__ == "__main__":
    main()
