"""Histories from JSON lines and from dicts: what is understood, and what is said of the rest."""

import pytest

from queuestream.lab import Event, History


def test_two_fields_are_enough_and_the_place_is_the_time():
    [sent, received] = History.from_dicts(
        [{"operation": name, "message": "a"} for name in ("send", "receive")]
    )
    assert sent == Event("send", "a", started_ns=0, ended_ns=0)
    assert (received.started_ns, received.ended_ns) == (1, 1)


def test_a_history_comes_back_as_it_was_written():
    history = History(
        [
            Event("send", "a", "unknown", 5, None, actor="shop", resource="orders", deduplication_id="d"),
            Event("lineage", None, "ok", 6, 7, shard="child", parents=("one", "other")),
        ]
    )
    assert History.from_json_lines(history.to_json_lines().splitlines()).events == history.events


def test_numbers_are_taken_for_names_and_nothing_for_the_default():
    row = {"operation": "send", "message": 7, "sequence_number": 12, "started_ns": 1.6, "actor": None}
    [event] = History.from_dicts([row])
    assert event == Event("send", "7", started_ns=2, ended_ns=2, sequence_number="12")


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"message": "a"}, "An event says which operation it is (such as send, receive, delete)."),
        ({"operation": "send", "time": 1}, "An event has no field 'time'; there are operation, message, "),
        (
            {"operation": "send", "started_ns": "1"},
            "An event's started_ns is a number of nanoseconds, and not '1'.",
        ),
        (
            {"operation": "send", "ended_ns": True},
            "An event's ended_ns is a number of nanoseconds, and not True.",
        ),
        (
            {"operation": "send", "receive_count": []},
            "An event's receive_count is a whole number, and not [].",
        ),
        ({"operation": "send", "message": {}}, "An event's message is a text, and not {}."),
        (
            {"operation": "send", "outcome": "late"},
            "An event's outcome is one of ok, failed, unknown, and not 'late'.",
        ),
        (
            {"operation": "lineage", "parents": "a"},
            "An event's parents is a list of shards' names, and not 'a'.",
        ),
    ],
)
def test_a_row_that_makes_no_sense_is_named_and_explained(row, sentence):
    with pytest.raises(ValueError, match="Row 2 of the history: ") as raised:
        History.from_dicts([{"operation": "send"}, row])
    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["", '{"operation": 1}'], "Line 2 of the history: An event says which operation it is"),
        (["", " ", "nonsense"], "Line 3 of the history is no JSON (Expecting value"),
        (
            ['[{"operation": "send"}]'],
            "Line 1 of the history is no JSON object; each line is one event, such as {",
        ),
        ([b"\xff\xfe\x00"], "Line 1 of the history is no JSON ("),
    ],
)
def test_a_line_that_makes_no_sense_is_counted_as_an_editor_does(lines, sentence):
    with pytest.raises(ValueError, match="Line ") as raised:
        History.from_json_lines(lines)
    assert str(raised.value).startswith(sentence)
