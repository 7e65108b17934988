"""A folder of one's own, from the bundled configuration."""

from pathlib import Path

from watcher.config.load import load_config
from watcher.init import init_folder
from watcher.resources import bundled


def test_the_new_folder_is_a_working_configuration(tmp_path: Path) -> None:
    started = init_folder(tmp_path / "mine")

    assert tmp_path / "mine" / "watcher.yaml" in started.written
    assert not started.kept
    assert load_config(tmp_path / "mine", {}).receivers.keys() >= {"console", "digests"}


def test_nothing_is_overwritten_and_the_rest_is_filled_in(tmp_path: Path) -> None:
    (tmp_path / "watcher.yaml").write_text("mine")
    started = init_folder(tmp_path)

    assert started.kept == (tmp_path / "watcher.yaml",)
    assert (tmp_path / "watcher.yaml").read_text() == "mine"
    assert len(started.written) == len(list(bundled("config").rglob("*.yaml"))) - 1


def test_a_second_time_writes_nothing(tmp_path: Path) -> None:
    first = init_folder(tmp_path)

    assert init_folder(tmp_path).written == ()
    assert init_folder(tmp_path).kept == first.written


def test_a_link_that_leads_nowhere_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "watcher.yaml").symlink_to("elsewhere.yaml")

    assert tmp_path / "watcher.yaml" in init_folder(tmp_path).kept


def test_templates_come_on_request(tmp_path: Path) -> None:
    started = init_folder(tmp_path, templates=True)
    expected = {path.name for path in bundled("templates").rglob("*") if path.name[0] != "."}

    assert {p.name for p in started.written if p.parent.name == "templates"} == expected
