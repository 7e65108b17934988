"""`explain` says what decided."""

from rule_maker import article, rule

from watcher.matching.explain import explain


def test_a_near_miss_tells_the_distance() -> None:
    made = rule({"all": ["$dprk", {"near": {"terms": ["satellite", "launch*"], "within": 3}}]})

    found = explain(made, article("Pyongyang satellite one two three four five launch"))

    assert not found.matched
    assert found.missing == "all but satellite near/3 launch*: 5 words between, 3 allowed"


def test_an_excluded_word_is_named() -> None:
    made = rule({"all": ["satellite"], "none": [{"phrase": "satellite imag*", "in": ["title"]}]})

    found = explain(made, article("Satellite images"))

    assert found.missing == "all but title: satellite imag* (excluded)"


def test_an_exception_is_named() -> None:
    found = explain(
        rule("satellite", unless=["satellite television"]), article("satellite television")
    )

    assert not found.matched
    assert found.missing == "cancelled by unless: satellite television"


def test_a_match_shows_where_each_clause_held() -> None:
    found = explain(rule({"all": ["$dprk", "rocket"]}), article("Pyongyang fires rocket"))

    assert found.matched
    assert [(step.clause, step.held, step.evidence[0].text) for step in found.when.parts] == [
        ("$dprk", True, "Pyongyang"),
        ("rocket", True, "rocket"),
    ]
    assert found.to_json()["when"]["parts"][0]["found"][0]["start"] == 0


def test_nothing_held_is_told_clause_by_clause() -> None:
    made = rule({"all": [{"all": ["satellite", "rocket"]}, "launch"]})

    assert (
        explain(made, article("ferry")).missing
        == "satellite: not found; rocket: not found; launch: not found"
    )


def test_of_several_ways_the_one_that_came_closest_is_told() -> None:
    made = rule(
        {
            "any": [
                {"all": ["balloon", "border", "leaflet"]},
                {"all": ["$dprk", "satellite", {"any": ["launch", "orbit"]}], "in": "title"},
            ]
        }
    )

    found = explain(made, article("Pyongyang shows satellite"))

    assert found.missing == "all but any of (launch | orbit): not found"


def test_an_exclusion_inside_a_scope_names_the_scope() -> None:
    made = rule({"all": ["satellite", {"in": "title", "all": ["$dprk"], "none": ["television"]}]})

    found = explain(made, article("Pyongyang satellite television"))

    assert found.missing == "all but television (excluded)"
