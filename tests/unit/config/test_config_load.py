"""A sound folder becomes a Config; what is odd but usable becomes a warning."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from watcher.config.load import Config, load_config
from watcher.errors import ConfigError
from watcher.notify.webhook import Settings as WebhookSettings
from watcher.resources import bundled
from watcher.rules import clauses as c
from watcher.rules.compile import compile_rules as compile_for_real
from watcher.rules.schema import RuleSpec
from watcher.rules.walk import children

WATCHER = """\
operator: console
receivers:
  - {id: console, type: stdout}
  - {id: archive, type: file, folder: out, zone: Asia/Seoul}
routes:
  - receivers: [console, archive]
"""
RULES = """\
rules:
  - id: launch
    tags: [space]
    when: {all: [$dprk, satellite]}
    tests: {match: [DPRK satellite], no_match: [weather]}
  - id: trip
    enabled: false
    when: armoured train
"""
CONCEPTS = "concepts:\n  dprk: {terms: [DPRK], includes: [kim]}\n  kim: {terms: [Kim Jong Un]}\n"
FEEDS = """\
feeds:
  - {id: north, url: "https://north.example/rss", headers: {Authorization: {env: NORTH_TOKEN}}}
  - {id: south, url: "https://south.example/rss", enabled: false}
"""
PUBLISHERS = "publishers:\n  - {name: Northern Wire, domains: [north.example], family: north}\n"

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes the files of a configuration; keywords replace one by its stem."""

    def write_files(**changed: str | None) -> Path:
        files: dict[str, str | None] = {
            "watcher": WATCHER,
            "feeds": FEEDS,
            "concepts": CONCEPTS,
            "publishers": PUBLISHERS,
            "rules/space": RULES,
            **{name.replace("__", "/"): text for name, text in changed.items()},
        }
        for name, text in files.items():
            path = tmp_path / f"{name}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_text(text)
        return tmp_path

    return write_files


def load(folder: Path, **environ: str) -> Config:
    return load_config(folder, {"NORTH_TOKEN": "token", **environ})


def refused(folder: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(folder, **environ)
    return str(error.value)


def warnings(config: Config) -> list[str]:
    return [str(w).removeprefix(f"{config.folder}/") for w in config.warnings]


def test_the_shipped_configuration_loads_without_a_secret_and_without_a_warning() -> None:
    config = load_config(bundled("config"), {})

    assert [name for name, r in config.receivers.items() if r.enabled] == ["console", "digests"]
    assert {r.type for r in config.receivers.values()} == {
        "stdout",
        "file",
        "email",
        "slack",
        "webhook",
    }
    assert not [w for w in config.warnings if w.file.endswith("watcher.yaml")]


def test_what_was_written_is_what_is_there(write: Write) -> None:
    config = load(write())

    assert [feed.id for feed in config.feeds] == ["north"]
    assert [rule.id for rule in config.rules] == ["launch"]
    assert set(config.concepts) == {"dprk", "kim"}
    assert config.receivers["archive"].zone == "Asia/Seoul"
    assert config.data == config.folder / "../data"


def test_optional_files_may_be_missing(write: Write) -> None:
    folder = write(feeds=None, concepts=None, publishers=None, rules__space=None)

    assert load(folder).rules == ()


def test_a_missing_folder_names_the_command_that_makes_one(tmp_path: Path) -> None:
    assert refused(tmp_path / "none").endswith(
        "none: no such folder: run `watcher init DIR` for a working start, or name yours with --config DIR"
    )


def test_a_missing_root_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    assert "watcher.yaml: no such file: run `watcher init DIR`" in refused(tmp_path)


def test_a_file_that_cannot_be_read_is_a_problem_of_that_file(write: Write) -> None:
    folder = write(feeds=None)
    (folder / "feeds.yaml").mkdir()

    assert refused(folder) == f"{folder}/feeds.yaml: can't be read (is a directory): check the file"


def test_a_dangling_link_is_not_an_optional_file(write: Write) -> None:
    folder = write(feeds=None)
    (folder / "feeds.yaml").symlink_to("nowhere.yaml")

    assert "feeds.yaml: can't be read" in refused(folder)


def test_what_editors_leave_behind_is_not_read(write: Write) -> None:
    folder = write()
    (folder / "rules" / ".#space.yaml").write_text("broken: [")
    (folder / "rules" / "space.yaml~").write_text("broken: [")

    assert not load(folder).warnings


# ── the environment ──────────────────────────────────────────────────────────


def test_the_environment_wins_over_the_file(write: Write) -> None:
    folder = write(watcher=WATCHER + "poll: {every: 15m, workers: 3}\n")
    config = load(folder, WATCHER_POLL__EVERY="20m", WATCHER_LOG__LEVEL="debug")

    assert config.settings.poll.every == timedelta(minutes=20)
    assert config.settings.poll.workers == 3
    assert config.settings.log.level == "debug"


def test_a_list_in_the_environment_has_commas(write: Write) -> None:
    config = load(write(), WATCHER_HTTP__ALLOW="127.0.0.1:8080, [::1]:81")

    assert config.settings.http.allow == ("127.0.0.1:8080", "[::1]:81")


def test_only_the_given_environment_is_read(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHER_POLL__WORKERS", "7")

    assert load(write()).settings.poll.workers == 1


def test_a_misspelt_section_in_the_environment_is_a_warning(write: Write) -> None:
    assert warnings(load(write(), WATCHER_POL__EVERY="5m")) == [
        "environment: WATCHER_POL__EVERY: no such setting 'POL': did you mean 'POLL'?"
    ]


# ── secrets ──────────────────────────────────────────────────────────────────

WEBHOOK = WATCHER.replace("routes:", "  - {id: soc, type: webhook, %s}\nroutes:").replace(
    "[console, archive]", "[console, archive, soc]"
)


def webhook(config: Config) -> str:
    settings = config.receivers["soc"]
    assert isinstance(settings, WebhookSettings)
    return settings.url.get_secret_value()


def test_a_secret_from_the_environment_loses_its_newline(write: Write) -> None:
    folder = write(watcher=WEBHOOK % "url_env: SOC_URL")

    assert webhook(load(folder, SOC_URL="https://soc.example/x\n")) == "https://soc.example/x"


def test_a_secret_from_a_file_is_relative_to_the_folder(write: Write) -> None:
    folder = write(watcher=WEBHOOK % "url_file: secrets/soc")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "soc").write_text("https://soc.example/y\r\n")

    assert webhook(load(folder)) == "https://soc.example/y"


def test_a_secret_in_the_file_is_a_warning_without_it(write: Write) -> None:
    config = load(write(watcher=WEBHOOK % "url: 'https://soc.example/hunter2'"))

    assert warnings(config) == [
        "watcher.yaml:5:35: receivers[soc].url: the secret 'url' stands in the file: use url_env or url_file"
    ]
    assert "hunter2" not in repr(config)


def test_a_disabled_receiver_needs_no_secret(write: Write) -> None:
    config = load(write(watcher=WEBHOOK % "enabled: false, url_env: SOC_URL"))

    assert not config.receivers["soc"].enabled


def test_a_disabled_receiver_that_is_complete_is_complete(write: Write) -> None:
    folder = write(watcher=WEBHOOK % "enabled: false, url_env: SOC_URL")

    assert webhook(load(folder, SOC_URL="https://soc.example/x")) == "https://soc.example/x"


def test_a_header_takes_its_value_from_the_environment(write: Write) -> None:
    headers = load(write()).feeds[0].headers

    assert headers["Authorization"].get_secret_value() == "token"


def test_a_disabled_feed_needs_no_secret(write: Write) -> None:
    feeds = FEEDS.replace("TOKEN}}}", "TOKEN}}, enabled: false}")

    assert load_config(write(feeds=feeds), {}).feeds == ()


IN_A_COUNTRY = RULES.replace("{all: [", "{all: [{country: kr}, ")


def test_a_rule_may_ask_for_the_publishers_of_a_country(write: Write) -> None:
    korean = PUBLISHERS.replace("family: north", "country: KR, names: [북쪽]")

    when = load(write(publishers=korean, rules__space=IN_A_COUNTRY)).rules[0].when

    assert c.Country(frozenset({"KR"}), frozenset({"northern wire", "북쪽"})) in children(when)


def test_a_rule_that_asks_for_a_country_without_publishers_is_refused(write: Write) -> None:
    told = refused(write(rules__space=IN_A_COUNTRY))

    assert "when.all[0].country: no publisher is of the country 'kr'" in told


def test_rules_are_not_blamed_for_publishers_that_can_not_be_read(write: Write) -> None:
    told = refused(write(publishers="publishers: [{nam: x}]\n", rules__space=IN_A_COUNTRY))

    assert "country" not in told


def test_no_secret_shows_in_the_configuration(write: Write) -> None:
    folder = write(watcher=WEBHOOK % "url_env: SOC_URL")
    shown = repr(load(folder, SOC_URL="https://soc.example/hunter2", NORTH_TOKEN="hunter2"))

    assert "hunter2" not in shown


# ── warnings ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (
            {"watcher": WATCHER.replace("[console, archive]", "[console]")},
            "watcher.yaml:4:10: receivers[archive].id: no route uses the receiver 'archive': "
            "route alerts to it, or delete it",
        ),
        (
            {"watcher": WATCHER.replace("{id: console", "{enabled: false, id: console")},
            "watcher.yaml:1:11: operator: the receiver 'console' is disabled: enable it, or name another",
        ),
        (
            {"watcher": WATCHER.replace("operator: console\n", "")},
            "watcher.yaml:1:1: no operator: is set: name the receiver of notices about feeds, "
            "receivers and reloads",
        ),
        (
            {
                "watcher": WATCHER.replace("type: file", "enabled: false, type: file")
                + "  - receivers: archive\n"
            },
            "watcher.yaml:7:5: routes[1]: every receiver of the route is disabled: "
            "enable one: these alerts reach nobody",
        ),
        (
            {"watcher": "poll: {every: 10m}\n"},
            "watcher.yaml:1:1: there are no receivers, alerts go nowhere: add receivers:",
        ),
        (
            {"watcher": WATCHER + "    match: {tags: [spacy]}\n"},
            "watcher.yaml:7:20: routes[0].match.tags[0]: no rule has the tag 'spacy': did you mean 'space'?",
        ),
        (
            {"watcher": WATCHER + "    match: {publishers: [nord]}\n"},
            "watcher.yaml:7:26: routes[0].match.publishers[0]: no publisher is of the family 'nord': "
            "did you mean 'north'?",
        ),
        (
            {"rules__space": "rules:\n  - {id: launch, when: {all: [$dprk, satellite]}}\n"},
            "rules/space.yaml:2:10: rules[launch].id: the rule has no tests: "
            "add headlines it must and must not catch",
        ),
        (
            {"rules__space": RULES.replace("$dprk", "$kim")},
            "concepts.yaml:2:3: concepts.dprk: no rule uses this concept: use $dprk in a rule, or delete it",
        ),
        (
            {"feeds": FEEDS.replace("south.example", "north.example")},
            "feeds.yaml:3:22: feeds[south].url: the feed of line 2 has the same url: poll it once",
        ),
        (
            {"feeds": FEEDS.replace("{env: NORTH_TOKEN}", "Basic eDp5")},
            "feeds.yaml:2:76: feeds[north].headers.Authorization: the secret stands in the file: "
            "use {env: NAME} or {file: PATH}",
        ),
        (
            {"concept": "concepts: {}\n"},
            "concept.yaml: this file is not read: did you mean concepts.yaml?",
        ),
    ],
)
def test_what_is_odd_but_usable_is_a_warning(
    write: Write, changed: dict[str, str], expected: str
) -> None:
    assert warnings(load(write(**changed))) == [expected]


# ── the fingerprint ──────────────────────────────────────────────────────────


def test_the_same_files_have_the_same_fingerprint(write: Write) -> None:
    assert load(write()).fingerprint == load(write()).fingerprint


@pytest.mark.parametrize(
    "changed",
    [{"rules__space": RULES + "# a note\n"}, {"feeds": None}, {"rules__trip": "rules: []\n"}],
)
def test_any_byte_changes_the_fingerprint(write: Write, changed: dict[str, str]) -> None:
    before = load(write()).fingerprint

    assert load(write(**changed)).fingerprint != before


def test_a_rotated_secret_changes_the_fingerprint(write: Write) -> None:
    folder = write()

    assert load(folder, NORTH_TOKEN="a").fingerprint != load(folder, NORTH_TOKEN="b").fingerprint


def test_a_channel_that_reads_a_secrets_file_again_is_told_its_path(write: Write) -> None:
    mail = (
        "{id: oauth, type: email, host: h.example, username: u, from: a@b.example, to: c@d.example"
    )
    folder = write(watcher=f"receivers:\n  - {mail}, token_file: token}}\n")
    (folder / "token").write_text("t0k3n\n")

    settings = load(folder).receivers["oauth"]

    assert settings.token_file == "token"  # type: ignore[attr-defined]
    assert settings.token.get_secret_value() == "t0k3n"  # type: ignore[attr-defined]


def test_an_override_changes_the_fingerprint(write: Write) -> None:
    folder = write()

    assert load(folder).fingerprint != load(folder, WATCHER_POLL__EVERY="6m").fingerprint


def test_ten_thousand_rules_load_in_seconds(write: Write) -> None:
    rule = "  - {id: r%d, when: {all: [$dprk, {near: {within: 9, terms: [[a%d, b], launch*]}}]}}\n"
    folder = write(rules__space="rules:\n" + "".join(rule % (n, n) for n in range(10_000)))
    started = time.process_time()
    config = load(folder)

    assert len(config.rules) == 10_000
    assert time.process_time() - started < 5


# ── bugs of others ───────────────────────────────────────────────────────────


def test_a_rule_that_breaks_the_compiler_is_refused_by_name(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compile_rules(specs: Sequence[RuleSpec], *names: Mapping[str, Any]) -> object:
        if any(spec.id == "trip" for spec in specs):
            raise ZeroDivisionError("half a train")
        return compile_for_real(specs, *names)

    monkeypatch.setattr("watcher.config.rules.compile_rules", compile_rules)

    assert refused(write()).endswith(
        "rules/space.yaml:8:11: rules[trip].when: the rule can't be compiled "
        "(ZeroDivisionError: half a train): check its values"
    )


CHANNEL = """\
from watcher.notify.settings import ReceiverSettings
class Settings(ReceiverSettings):
    def model_post_init(self, _): raise OSError("hunter2")
class Receiver: ...
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (CHANNEL, "receivers[own]: the settings can't be checked (OSError)"),
        (
            "1 / 0\n",
            "receivers[own].type: the module 'mine.pager' can't be loaded (ZeroDivisionError)",
        ),
    ],
)
def test_a_channel_of_ones_own_that_fails_is_a_problem_of_its_receiver(
    write: Write, monkeypatch: pytest.MonkeyPatch, code: str, expected: str
) -> None:
    folder = write(watcher=WATCHER.replace("routes:", "  - {id: own, type: mine.pager}\nroutes:"))
    (folder / "mine").mkdir()
    (folder / "mine" / "pager.py").write_text(code)
    monkeypatch.syspath_prepend(folder)
    for name in ("mine", "mine.pager"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert expected in refused(folder)
