"""What pictures are drawn from, on histories short enough to be read."""

from queuestream.lab.history import Event, History
from queuestream.lab.report.deliveries import flows_of


def history_of(*rows):
    """Events from (operation, message, details), each a nanosecond after the last."""
    return History.from_dicts(
        {"operation": operation, "message": message, **(details[0] if details else {})}
        for operation, message, *details in rows
    )


def test_a_message_is_late_when_one_that_was_sent_later_came_before_it():
    [flow] = flows_of(
        history_of(
            ("send", "a"), ("send", "b"), ("send", "c"), ("receive", "b"), ("receive", "a"), ("receive", "c")
        )
    )
    assert [(one.message, one.sent, one.received, one.is_late) for one in flow.deliveries] == [
        ("b", 1, 0, False),
        ("a", 0, 1, True),
        ("c", 2, 2, False),
    ]


def test_it_may_be_late_and_yet_in_order_within_its_key():
    [flow] = flows_of(
        history_of(
            ("send", "1", {"group": "red"}),
            ("send", "2", {"group": "blue"}),
            ("send", "3", {"group": "blue"}),
            ("receive", "3"),
            ("receive", "1"),
            ("receive", "2"),
        )
    )
    assert [(one.message, one.is_late, one.is_late_in_key) for one in flow.deliveries] == [
        ("3", False, False),
        ("1", True, False),
        ("2", True, True),
    ]
    assert flow.key_noun == "message group"


def test_a_message_that_no_queue_has_a_key_for_may_have_it_in_its_name():
    [flow] = flows_of(
        history_of(("send", "ada 1"), ("send", "bob 1"), ("receive", "bob 1"), ("receive", "ada 1"))
    )
    assert flow.keys == ["ada", "bob"]
    assert not any(one.is_late_in_key for one in flow.deliveries)


def test_a_repeat_is_not_late_and_takes_no_place():
    [flow] = flows_of(
        history_of(
            ("send", "a"),
            ("send", "b"),
            ("receive", "a"),
            ("receive", "a"),
            ("receive", "b"),
            ("receive", "a"),
        )
    )
    assert [(one.message, one.received, one.is_repeat, one.is_late) for one in flow.deliveries] == [
        ("a", 0, False, False),
        ("a", 1, True, False),
        ("b", 1, False, False),
        ("a", 2, True, False),
    ]


def test_a_message_that_was_sent_again_has_the_place_of_its_first_acknowledged_send():
    [flow] = flows_of(
        history_of(
            ("send", "a", {"outcome": "unknown"}),
            ("send", "b"),
            ("send", "c", {"outcome": "failed"}),
            ("send", "a"),
            ("send", "a"),
            ("receive", "a"),
            ("receive", "b"),
        )
    )
    assert [(one.message, one.sent) for one in flow.deliveries] == [("a", 1), ("b", 0)]
    assert len(flow.sent_ns) == 2


def test_what_was_never_received_is_lost_and_what_nobody_sent_has_no_place():
    [flow] = flows_of(history_of(("send", "a"), ("send", "b"), ("receive", "b"), ("receive", "stranger")))
    assert flow.lost == [0]
    assert [one.message for one in flow.deliveries] == ["b"]


def test_work_ends_with_the_delete_of_the_same_receipt():
    [flow] = flows_of(
        history_of(
            ("send", "a"),
            ("receive", "a", {"receipt": "r1"}),
            ("receive", "a", {"receipt": "r2"}),
            ("delete", "a", {"receipt": "r2"}),
        )
    )
    assert [one.done_ns for one in flow.deliveries] == [None, 3]


def test_each_application_that_reads_a_stream_is_a_flow():
    flows = flows_of(
        history_of(
            ("put", "a", {"partition_key": "k", "resource": "events"}),
            ("put", "b", {"partition_key": "k", "resource": "events"}),
            ("get", "a", {"application": "billing", "actor": "billing-1", "resource": "events"}),
            ("get", "b", {"application": "billing", "actor": "billing-2", "resource": "events"}),
            ("get", "b", {"actor": "audit", "resource": "events"}),
        )
    )
    assert [flow.name for flow in flows] == ["events, read by audit", "events, read by billing"]
    audit, billing = flows
    assert billing.is_stream
    assert billing.key_noun == "partition key"
    assert [one.is_late for one in billing.deliveries] == [False, False]
    assert audit.lost == [0]


def test_a_history_without_a_delivery_has_no_flow():
    assert flows_of([Event("send", "a"), Event("receive"), Event("receive", "stranger")]) == []
