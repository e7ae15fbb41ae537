"""What pictures are drawn from, on histories short enough to be read."""

from queuestream.lab.history import Event, History
from queuestream.lab.report.deliveries import flows_of, keys_at_two, work_of


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
    assert billing.kind == "stream"
    assert billing.key_noun == "partition key"
    assert [one.is_late for one in billing.deliveries] == [False, False]
    assert audit.lost == [0]


def test_a_history_without_a_delivery_has_no_flow():
    assert flows_of([Event("send", "a"), Event("receive"), Event("receive", "stranger")]) == []


def test_work_begins_with_the_receive_or_when_the_consumer_was_done_with_the_message_before():
    [flow] = flows_of(
        history_of(
            ("send", "ada 1"),
            ("send", "ada 2"),
            ("receive", "ada 1", {"actor": "x", "receipt": "1", "started_ns": 10}),
            ("receive", "ada 2", {"actor": "x", "receipt": "2", "started_ns": 10}),
            ("delete", "ada 1", {"actor": "x", "receipt": "1", "started_ns": 15}),
            ("delete", "ada 2", {"actor": "x", "receipt": "2", "started_ns": 18}),
            ("receive", "ada 2", {"actor": "y", "receipt": "3", "started_ns": 20}),
        )
    )
    work = work_of(flow.deliveries)
    assert [(one.delivery.message, one.begin_ns, one.end_ns) for one in work] == [
        ("ada 1", 10, 15),
        ("ada 2", 15, 18),
    ]
    assert keys_at_two(work) == set()


def test_a_key_is_at_two_consumers_where_their_work_overlaps():
    def received(message, actor, begin_ns, end_ns):
        details = {"actor": actor, "receipt": message}
        return [
            ("receive", message, {**details, "started_ns": begin_ns}),
            ("delete", message, {**details, "started_ns": end_ns}),
        ]

    messages = ["ada 1", "ada 2", "bob 1", "bob 2", "eve 1", "eve 2"]
    [flow] = flows_of(
        history_of(
            *(("send", message) for message in messages),
            *received("ada 1", "x", 10, 20),
            *received("ada 2", "y", 19, 30),  # while the first is at work
            *received("bob 1", "x", 30, 40),
            *received("bob 2", "y", 40, 50),  # after it
            *received("eve 1", "z", 60, 70),
            *received("eve 2", "z", 65, 75),  # the same consumer
        )
    )
    assert keys_at_two(work_of(flow.deliveries)) == {"ada"}


def test_standard_queues_come_first_then_fifo_queues_then_streams():
    flows = flows_of(
        history_of(
            ("put", "a 1", {"resource": "a"}),
            ("get", "a 1", {"resource": "a", "actor": "reader"}),
            ("send", "b 1", {"resource": "b.fifo"}),
            ("receive", "b 1", {"resource": "b.fifo"}),
            ("send", "c 1", {"resource": "c"}),
            ("receive", "c 1", {"resource": "c"}),
        )
    )
    assert [(flow.name, flow.kind) for flow in flows] == [
        ("c", "standard"),
        ("b.fifo", "fifo"),
        ("a", "stream"),
    ]
