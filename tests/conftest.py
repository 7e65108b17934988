"""What holds for every test: loopback only, a clean environment."""

import os
import socket
from typing import Any

import pytest

_connect = socket.socket.connect
_connect_ex = socket.socket.connect_ex


def _guard(address: Any) -> None:
    if isinstance(address, tuple) and not str(address[0]).startswith(("127.", "::1", "localhost")):
        raise RuntimeError(f"a test tried to reach {address!r}: only loopback is allowed")


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reaches another machine."""

    def connect(self: socket.socket, address: Any) -> None:
        _guard(address)
        _connect(self, address)

    def connect_ex(self: socket.socket, address: Any) -> int:
        _guard(address)
        return _connect_ex(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket.socket, "connect_ex", connect_ex)


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and proxies of the machine never leak into a test."""
    for name in list(os.environ):
        if name.startswith("WATCHER_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
