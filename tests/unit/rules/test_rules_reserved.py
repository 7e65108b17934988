"""Words kept for operators to come."""

from watcher.rules.parse import ClauseReader


def test_like_is_reserved_and_says_what_to_do_until_then() -> None:
    reader = ClauseReader({})

    assert reader.clause({"like": "a rocket lifts off"}, ("when",)) is None
    (issue,) = reader.issues
    assert issue.loc == ("when", "like")
    assert issue.what == "'like' is not read by this version"
    assert "near, a $concept" in issue.todo
