"""A poll cycle over distinct local feeds: everything new, then nothing new, beside lemon24 `reader`.

    python -m benchmarks.polling [--quick]

Both sides fetch over HTTP from one server process, parse, and store in SQLite on disk.
Ours also matches rules and groups stories. One core or two changes the figures, not the order.
"""

import argparse
import asyncio
import multiprocessing
import resource
import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import yaml
from aiohttp import web

ENTRIES = 30
# Everyday words: few of the shipped rules' own, as on most days.
WORDS = (
    *("harbour", "council", "garden", "market", "river", "valley", "library", "season"),
    *("ferry", "museum", "storm", "budget", "coach", "school", "bridge", "player"),
)


def feed(number: int) -> bytes:
    """A feed of about 15 KB; every one has its own words."""
    rng = Random(number)
    items = "".join(
        f"<item><title>{' '.join(rng.choices(WORDS, k=8))} {number}-{n}</title><guid>{number}-{n}</guid>"
        f"<link>https://sample{number}.example/{n}</link><pubDate>Sat, 30 May 2026 {n % 24:02}:00:00 GMT</pubDate>"
        f"<description>&lt;p&gt;{' '.join(rng.choices(WORDS, k=50))}&lt;/p&gt;</description></item>"
        for n in range(ENTRIES)
    )
    return (
        f"<rss version='2.0'><channel><title>Feed {number}</title>{items}</channel></rss>".encode()
    )


def serve(ports: Any) -> None:
    """Runs in a process of its own; answers 304 to the validator it gave."""

    async def answer(request: web.Request) -> web.Response:
        number = request.match_info["number"]
        etag = f'"{number}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(
            body=feed(int(number)), headers={"ETag": etag}, content_type="application/rss+xml"
        )

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/{number}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.put(runner.addresses[0][1])
        await asyncio.sleep(600)

    asyncio.run(main())


def watcher_cycles(port: int, count: int, folder: Path) -> list[float]:
    """Seconds of two cycles: all new, all 304."""
    from watcher.app import App
    from watcher.config.load import load_config
    from watcher.logs import configure
    from watcher.resources import bundled

    configure("json", "error")
    config_folder = folder / "config"
    shutil.copytree(bundled("config"), config_folder)
    feeds = [{"id": f"f{n}", "url": f"http://127.0.0.1:{port}/{n}"} for n in range(count)]
    (config_folder / "feeds.yaml").write_text(yaml.safe_dump({"feeds": feeds}))
    settings = {
        "data": "../data",
        "http": {"allow": [f"127.0.0.1:{port}"]},
        "poll": {"per_host": 50, "host_spacing": "0s", "concurrency": 50},
        "receivers": [{"id": "console", "type": "stdout"}],
        "routes": [{"receivers": ["console"]}],
    }
    (config_folder / "watcher.yaml").write_text(yaml.safe_dump(settings))

    async def cycles() -> list[float]:
        async with AsyncExitStack() as stack:
            app = await App.open(stack, load_config(config_folder, {}), Random(1))
            took = []
            for _ in range(2):
                states = await app.claim_all()
                gate = asyncio.Semaphore(50)

                async def poll(state: Any, gate: asyncio.Semaphore = gate) -> Any:
                    async with gate:
                        return await app.poll(state)

                started = time.perf_counter()
                reports = await asyncio.gather(*map(poll, states))
                took.append(time.perf_counter() - started)
                assert not any(report.error for report in reports)
            assert all(report.outcome == "not_modified" for report in reports)
            return took

    return asyncio.run(cycles())


def reader_cycles(port: int, count: int, folder: Path) -> list[float] | None:
    """The same for lemon24 reader with its defaults; None when it is not installed."""
    try:
        from reader import make_reader
    except ImportError:
        return None
    reader = make_reader(str(folder / "reader.db"))
    for n in range(count):
        reader.add_feed(f"http://127.0.0.1:{port}/{n}")
    took = []
    for _ in range(2):
        started = time.perf_counter()
        reader.update_feeds(scheduled=False, workers=10)
        took.append(time.perf_counter() - started)
    assert reader.get_entry_counts().total == count * ENTRIES
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smoke test of the benchmark itself")
    count = 10 if parser.parse_args().quick else 300
    spawn = multiprocessing.get_context("spawn")
    ports: Any = spawn.Queue()
    server = spawn.Process(target=serve, args=(ports,), daemon=True)
    server.start()
    try:
        with tempfile.TemporaryDirectory() as name:
            port = ports.get(timeout=60)
            ours = watcher_cycles(port, count, Path(name))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            theirs = reader_cycles(port, count, Path(name))
    finally:
        server.kill()
        server.join()
    print(f"{count} feeds of {ENTRIES} entries, feeds/s           all new   all 304")
    print(
        f"watcher (fetch, parse, match, group, store)  {count / ours[0]:9.0f} {count / ours[1]:9.0f}   peak {memory} MB"
    )
    if theirs is None:
        print("lemon24 reader: not installed; `make bench` installs it")
    else:
        print(
            f"lemon24 reader (fetch, parse, store)         {count / theirs[0]:9.0f} {count / theirs[1]:9.0f}"
        )


if __name__ == "__main__":
    main()
