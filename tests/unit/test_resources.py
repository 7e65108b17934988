"""The bundled files are found in a checkout and in a wheel."""

import sys
from pathlib import Path

import pytest

from watcher.resources import bundled


@pytest.mark.parametrize("kind", ["config", "templates"])
def test_a_checkout_has_them_at_the_top(kind: str) -> None:
    assert bundled(kind) == Path(__file__).parents[2] / kind


def test_a_wheel_has_them_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "watcher" / "_data" / "config"
    shipped.mkdir(parents=True)
    (tmp_path / "watcher" / "__init__.py").touch()
    (tmp_path / "config").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "watcher")

    assert bundled("config") == shipped


def test_a_broken_installation_says_so() -> None:
    with pytest.raises(
        FileNotFoundError, match="the bundled nothing are missing: install watcher again"
    ):
        bundled("nothing")
