"""Every case of RELIABILITY §3 F and H is named by a test that holds it; of §3 A, B and of §2 that
concerns feeds, every stimulus names its tests here."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
WRITTEN = "\n".join(
    path.read_text("utf-8") for path in TESTS.rglob("test_*.py") if path.name != Path(__file__).name
)
NAMED = set(re.findall(r"\b([FH]\d{1,2})\b", WRITTEN))
NAMED |= {name.upper() for name in re.findall(r"def test_([fh]\d{1,2})_", WRITTEN)}
DEFINED = set(re.findall(r"def (test_\w+)", WRITTEN))

# Case: what happens, and the tests that hold it.
FEEDS: dict[str, dict[str, str]] = {
    "A1": {
        "validators verbatim": "test_validators_travel_verbatim_both_ways",
        "304, no parse": "test_validators_are_sent_back_verbatim_and_a_304_reads_nothing",
    },
    "A2": {
        "304 with new ETag": "test_a_304_keeps_or_renews_the_validators",
        "304 to an unconditional request": "test_a_304_that_nobody_asked_for_is_an_error_and_the_next_poll_reads_the_feed",
        "new ETag, same body; same ETag, new body": "test_a_new_etag_with_the_old_body_is_nothing_new",
        "same ETag for ever": "test_a_server_that_says_not_modified_for_ever_is_found_out",
    },
    "A3": {
        "301 and 308 for three polls": "test_the_address_changes_when_three_polls_agree",
        "taken back": "test_a_move_that_is_taken_back_changes_nothing",
        "https to http": "test_a_move_from_https_to_http_is_followed_and_not_kept",
        "to a stranger": "test_a_stranger_on_the_old_domain_does_not_take_the_address_over",
    },
    "A4": {
        "302, 303, 307, //host": "test_a_passing_redirect_is_followed_and_forgotten",
        "loop, no Location": "test_trouble_has_a_name",
        "relative": "test_permanent_redirects_are_reported_only_when_every_hop_is",
    },
    "A5": {
        "410": "test_410_stops_the_polls_with_one_notice_until_somebody_revives_the_feed",
        "404, 401, 403 for a week": "test_a_week_of_errors_costs_a_few_requests_and_one_notice",
    },
    "A6": {
        "values": "test_retry_after_is_seconds_or_a_date",
        "obeyed": "test_retry_after_moves_the_next_poll",
        "whole host": "test_a_host_that_asks_for_a_rest_gets_it_for_all_its_feeds",
    },
    "A7": {
        "backoff": "test_failures_back_off_and_never_give_up",
        "no burst on recovery": "test_after_an_outage_all_feeds_are_asked_within_minutes_and_not_at_once",
    },
    "A8": {
        "Cache-Control, Expires": "test_what_the_server_calls_fresh_is_left_alone_for_a_day_at_most",
        "ttl": "test_what_a_feed_says_of_its_rhythm_holds_while_it_is_not_modified",
        "skipHours, skipDays": "test_a_good_poll_waits_for_its_reason",
    },
    "A9": {"20 restarts": "test_twenty_restarts_in_an_hour_poll_nothing_early"},
    "A10": {
        "two at once, spaced": "test_one_host_sees_few_requests_at_once_and_a_pause_between",
        "the others": "test_five_hundred_feeds_of_one_host_starve_nobody",
    },
    "A11": {
        "no bytes, drip, stall": "test_a_request_ends_with_its_deadline",
        "endless headers, cookies": "test_trouble_has_a_name",
        "no cookie kept": "test_the_request_names_us_and_carries_no_baggage",
    },
    "A12": {
        "length, chunks, garbage": "test_of_a_body_cut_short_neither_items_nor_validators_are_kept",
        "reset": "test_a_connection_that_breaks_within_a_body_stores_nothing",
    },
    "A13": {"certificates, TLS 1.0": "test_anything_else_is_refused_without_a_word"},
    "A14": {
        "login page, empty": "test_a_login_page_or_nothing_at_all_is_an_error",
        "text/html with RSS": "test_a_feed_is_known_by_what_it_is_and_not_by_what_it_is_called",
        "empty once": "test_a_feed_that_is_empty_for_one_poll_tells_nothing_twice",
    },
    "A15": {
        "edited": "test_an_edited_item_is_told_once_whatever_changes",
        "two feeds": "test_one_guid_in_two_feeds_is_two_articles_and_one_story",
    },
    "A16": {"request headers": "test_the_request_names_us_and_carries_no_baggage"},
    "B1": {"laughs, blow-up": "test_a_bomb_ends_soon_and_small"},
    "B2": {
        "files, addresses, XInclude": "test_nothing_outside_the_document_is_read",
        "a file": "test_external_entities_read_no_file",
    },
    "B3": {
        "depth, attributes, text": "test_a_bomb_ends_soon_and_small",
        "items": "test_too_many_items_are_cut_and_counted_whatever_parser_reads_them",
    },
    "B4": {
        "bombs, layers, unasked, corrupt": "test_trouble_has_a_name",
        "lies": "test_a_compressed_body_that_lies_is_refused",
    },
    "B5": {
        "UTF-16 and 32, EBCDIC": "test_wide_encodings_show_in_the_bytes_whatever_is_said",
        "declared is not actual": "test_utf_8_is_read_as_such_whatever_is_declared",
        "UTF-7": "test_names_that_are_no_encoding_of_documents_are_passed_over",
        "NUL, overlong, surrogates": "test_bytes_that_are_no_letters_lose_no_token",
        "combining marks": "test_towers_of_marks_are_cut",
    },
    "B6": {
        "entities, tags, junk, guids": "test_careless_items_are_read",
        "one guid, two roots": "test_a_thousand_items_of_one_guid_and_two_roots_are_all_read",
    },
    "B7": {
        "null, lists": "test_json_that_is_no_feed_is_refused",
        "items": "test_odd_json_items_are_skipped_and_the_rest_kept",
        "depth, numbers": "test_a_bomb_ends_soon_and_small",
    },
    "B8": {"mutations": "test_mutated_feeds_neither_crash_nor_hang"},
    "D1": {
        "back": "test_a_clock_set_back_a_day_delays_no_poll",
        "forward": "test_a_clock_set_forward_a_day_polls_nothing_early",
        "retries": "test_a_clock_set_back_freezes_no_retry_and_leaves_no_time_to_come",
    },
    "D4": {"dates": "test_no_date_keeps_an_item_from_being_told"},
    "I5": {"after days": "test_after_days_of_downtime_polls_are_spread_over_the_shortest_interval"},
    "I6": {
        "renamed": "test_an_archive_under_new_names_tells_nothing_but_what_is_new",
        "replayed": "test_a_replayed_archive_is_quarantined_with_one_notice",
        "first poll": "test_the_first_poll_is_a_baseline",
    },
    "I7": {"two versions": "test_a_feed_that_flips_between_two_versions_repeats_nothing"},
    "I10": {
        "network": "test_an_hour_without_network_is_one_notice_and_breaks_no_feed",
        "portal": "test_a_portal_that_answers_for_everybody_breaks_no_feed_and_takes_no_address",
    },
    "§2 3": {"resolved address": "test_no_name_that_resolves_to_a_refused_address_is_reached"},
    "§2 4": {"table": "test_what_is_not_public_unicast_is_refused"},
    "§2 5": {"backslash": "test_odd_urls_are_refused_before_anything_is_resolved"},
    "§2 6": {"schemes": "test_odd_urls_are_refused_before_anything_is_resolved"},
    "§2 7": {"digits": "test_addresses_in_any_script_are_known_as_addresses"},
    "§2 8": {"rebinding": "test_a_name_that_flips_between_answers_is_judged_each_time"},
    "§2 9": {"every door": "test_no_spelling_of_a_refused_address_is_reached"},
    "§2 10": {"links of feeds": "test_what_a_feed_links_to_is_never_fetched"},
    "§2 11": {
        "headers": "test_a_feed_takes_few_headers",
        "ourselves": "test_our_own_listener_is_refused_even_when_it_is_allowed",
    },
    "§2 12": {"credentials": "test_credentials_stay_with_their_origin"},
    "§2 13": {"CR LF": "test_no_header_can_smuggle_a_line"},
    "§2 14": {"length": "test_a_label_of_four_thousand_bytes_is_refused_before_anyone_is_asked"},
    "§2 15": {"bombs": "test_trouble_has_a_name"},
    "§2 16": {
        "entity": "test_an_entity_of_the_documents_own_is_refused_before_any_parser",
        "doctype": "test_a_plain_doctype_is_no_bomb",
    },
    "§2 17": {"a child dies": "test_a_child_that_fails_is_replaced"},
    "§2 18": {"external": "test_nothing_outside_the_document_is_read"},
    "§2 19": {"links": "test_links_that_no_reader_may_click_are_dropped"},
    "§2 20": {"depth": "test_a_bomb_ends_soon_and_small"},
    "§2 36": {"memory": "test_a_feed_of_five_thousand_items_never_repeats_one"},
    "§2 38": {
        "one guid": "test_one_guid_on_all_entries_hides_none_of_them",
        "http and https": "test_a_guid_that_is_a_link_is_the_same_in_every_spelling",
        "reused": "test_a_reused_guid_with_another_link_and_title_is_new",
    },
    "§2 39": {"future": "test_one_date_in_the_future_stops_nothing"},
    "§2 40": {"one item": "test_one_item_that_can_not_be_read_keeps_no_other_from_being_told"},
    "§2 41": {"length": "test_links_and_texts_of_any_length_are_stored"},
    "§2 42": {
        "stale validators": "test_a_server_that_says_not_modified_for_ever_is_found_out",
        "another address": "test_a_changed_address_forgets_validators_and_keeps_the_baseline",
    },
    "§2 45": {
        "hangs, fails": "test_a_feed_that_hangs_and_one_that_fails_keep_no_other_waiting",
        "the parser": "test_one_that_hangs_costs_the_others_nothing",
    },
}


@pytest.mark.parametrize("case", [f"F{n}" for n in range(1, 13)] + [f"H{n}" for n in range(1, 12)])
def test_a_case_has_a_test(case: str) -> None:
    assert case in NAMED


@pytest.mark.parametrize("case", FEEDS)
def test_each_stimulus_of_a_feeds_case_has_a_test(case: str) -> None:
    missing = {what: test for what, test in FEEDS[case].items() if test not in DEFINED}

    assert missing == {}


def test_no_case_of_feeds_is_left_out() -> None:
    wanted = {f"A{n}" for n in range(1, 17)} | {f"B{n}" for n in range(1, 9)}

    assert wanted <= set(FEEDS)
