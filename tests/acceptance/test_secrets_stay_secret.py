"""No secret of the configuration shows in a log, in output or in the store, also when things fail."""

import base64

from tests.acceptance.stage import NEWS, Stage, rss, until

OLD = ("Old harbour news", "Nothing of interest.")
SECRETS = {
    "SEEDED_SLACK": "T0SEEDEDTOKEN",
    "SEEDED_HOOK": "h00k-seeded-path",
    "SEEDED_SIGNING": base64.b64encode(b"seeded signing secret 123").decode(),
    "SEEDED_PASSWORD": "pa55word-seeded",
    "SEEDED_COOKIE": "c00kie-seeded",
}


def test_secrets_never_show(stage: Stage) -> None:
    mail = stage.receivers()[1]
    environ = {
        **SECRETS,
        "SEEDED_SLACK": f"{stage.base}/slack?{SECRETS['SEEDED_SLACK']}",
        "SEEDED_HOOK": f"{stage.base}/hook?{SECRETS['SEEDED_HOOK']}",
        "SEEDED_SIGNING": f"whsec_{SECRETS['SEEDED_SIGNING']}",
    }
    stage.answers.update(slack=500, hook=404)
    stage.feeds["news"] = rss(OLD)
    config = stage.configure(
        receivers=[
            {"id": "printer", "type": "stdout"},
            {**mail, "username": "u", "password_env": "SEEDED_PASSWORD", "insecure_auth": True},
            {"id": "slack", "type": "slack", "url_env": "SEEDED_SLACK", "min_interval": "0s"},
            {
                "id": "hook",
                "type": "webhook",
                "url_env": "SEEDED_HOOK",
                "secret_env": "SEEDED_SIGNING",
            },
        ],
        log={"format": "json", "level": "debug"},
    )
    (config / "feeds.yaml").write_text(
        f"feeds: [{{id: news, url: '{stage.base}/news', headers: {{Cookie: {{env: SEEDED_COOKIE}}}}}}]"
    )
    with stage.daemon(**environ) as daemon:
        until(lambda: daemon.events("polled"))
        stage.feeds["news"] = rss(NEWS, OLD)
        until(
            lambda: {e["receiver"] for e in daemon.events("delivery_failed")} >= {"slack", "hook"}
        )
        said = [
            stage.cli(*words, **environ)
            for words in (["check"], ["status"], ["outbox", "list"], ["send-test", "slack"])
        ]
    missing = stage.cli("check", **{**environ, "SEEDED_HOOK": "not a url h00k-seeded-path"})

    kept = {path: path.read_bytes() for path in stage.folder.rglob("*") if path.is_file()}
    shown = "\n".join(p.stdout + p.stderr for p in [*said, missing]).encode()
    leaks = [
        (name, str(path))
        for name, secret in SECRETS.items()
        for path, content in [*kept.items(), ("the commands' output", shown)]
        if secret.encode() in content
    ]
    assert any(headers.get("Cookie") == "c00kie-seeded" for _, headers in stage.requests)
    assert missing.returncode == 2
    assert not leaks
