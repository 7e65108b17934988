"""Starts one daemon after another for `chaos`: imports are paid once, each start is a fork.

Reads a line per start from stdin, the daemon's clock; writes its pid, and its exit when it is gone.
"""

import asyncio
import os
import sys
from pathlib import Path

# Parsers import this module again when the daemon spawns them: keep it light.


def _become_daemon(folder: Path, clock: str) -> None:
    from watcher.config.load import load_config
    from watcher.daemon import run_daemon
    from watcher.logs import configure

    os.setsid()
    log = os.open(folder / "daemon.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    environ = {"WATCHER_CLOCK": clock}
    config = load_config(folder / "config", environ)
    configure(config.settings.log.format, config.settings.log.level)
    asyncio.run(run_daemon(config, environ))


def main() -> None:
    # What every fork has at once.
    import watcher.daemon
    import watcher.notify.email
    import watcher.notify.webhook  # noqa: F401

    folder = Path(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                _become_daemon(folder, line.strip())
            except BaseException:  # noqa: BLE001 - a fork must not return into the loop
                sys.excepthook(*sys.exc_info())
                os._exit(70)
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
