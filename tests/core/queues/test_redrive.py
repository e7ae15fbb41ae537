"""Dead-letter queues: where messages go that were received too often, and who may send them there."""

import json

import pytest

from queuestream import RedriveAllowPolicy, RedrivePolicy
from queuestream.core.errors import InvalidParameterValue, QueueNameExists


@pytest.fixture
def dead(broker):
    return broker.create_queue("failed")


@pytest.fixture
def queue(broker, dead):
    return broker.create_queue(
        "emails", redrive_policy=RedrivePolicy(dead_letter_target_arn=dead.arn, max_receive_count=2)
    )


@pytest.fixture
def dead_fifo(broker):
    return broker.create_queue("failed.fifo", fifo_queue=True)


@pytest.fixture
def fifo(broker, dead_fifo):
    return broker.create_queue(
        "orders.fifo",
        fifo_queue=True,
        content_based_deduplication=True,
        redrive_policy={"deadLetterTargetArn": dead_fifo.arn, "maxReceiveCount": 1},
    )


def bodies(messages):
    return [message.body for message in messages]


def fail(queue, times=1, count=10):
    for _ in range(times):
        queue.receive(max_number_of_messages=count, visibility_timeout=1)
        queue.broker.clock.advance(seconds=1)


def test_a_message_that_was_received_too_often_goes_to_the_dead_letter_queue(queue, dead):
    queue.send("poison")
    fail(queue, 2)
    assert bodies(queue.peek()) == ["poison"]
    assert queue.receive() == []
    assert queue.peek() == []
    assert bodies(dead.receive()) == ["poison"]


def test_it_goes_when_it_would_be_handed_out_once_more_and_not_before(queue, dead, clock):
    queue.send("poison")
    fail(queue, 2)
    clock.advance(hours=1)
    assert queue.counts() == (1, 0, 0)
    assert dead.counts() == (0, 0, 0)


def test_others_come_instead_of_those_that_go(queue, dead):
    queue.send_batch(["poison 1", "poison 2"])
    fail(queue, 2)
    queue.send_batch(["good 1", "good 2"])
    assert bodies(queue.receive()) == ["good 1"]
    assert bodies(dead.peek()) == ["poison 1", "poison 2"]


def test_a_message_whose_time_has_come_is_not_held_up_by_one_that_goes(queue, dead, clock):
    queue.send("poison")
    fail(queue, 2)
    queue.receive(visibility_timeout=1)
    queue.send("poison")
    fail(queue, 1)
    queue.receive(visibility_timeout=1)
    queue.send("delayed", delay_seconds=5)
    clock.advance(seconds=5)
    assert bodies(queue.receive()) == ["delayed"]
    assert bodies(dead.peek()) == ["poison", "poison"]


def test_a_dead_letter_is_the_same_message(queue, dead, clock):
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    sent = queue.send(
        "poison",
        message_attributes={"kind": "welcome"},
        message_system_attributes={"AWSTraceHeader": trace},
        message_group_id="tenant",
    )
    [original] = queue.receive(visibility_timeout=1)
    clock.advance(seconds=1)
    fail(queue)
    queue.receive()
    clock.advance(minutes=1)
    [letter] = dead.receive()
    assert letter.message_id == sent.message_id
    assert letter.body == "poison"
    assert letter.message_attributes == original.message_attributes
    assert letter.aws_trace_header == trace
    assert letter.message_group_id == "tenant"
    assert letter.dead_letter_queue_source_arn == queue.arn
    # API reference, ReceiveMessage: "the number of times a message has been received across all queues".
    assert letter.receive_count == 3
    assert letter.sent_ns == original.sent_ns
    assert letter.first_received_ns == original.first_received_ns
    assert letter.receipt_handle != original.receipt_handle
    queue.delete(original)
    assert bodies(dead.peek()) == ["poison"]


def test_retention_counts_from_the_first_send_on_a_standard_queue(broker, clock):
    # Developer guide, "Setting up dead-letter queue retention".
    dead = broker.create_queue("brief", message_retention_period=60)
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send("poison")
    clock.advance(seconds=50)
    fail(queue)
    queue.receive()
    dead.send("young")
    clock.advance(seconds=9, nanoseconds=-1)
    assert bodies(dead.peek()) == ["poison", "young"]
    clock.advance(nanoseconds=1)
    assert bodies(dead.peek()) == ["young"]


def test_a_message_too_old_for_the_dead_letter_queue_is_gone(broker, clock):
    dead = broker.create_queue("brief", message_retention_period=60)
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send("poison")
    clock.advance(seconds=100)
    fail(queue)
    assert queue.receive() == []
    assert dead.receive() == []
    assert dead.peek() == queue.peek() == []


def test_a_fifo_queues_dead_letter_is_new_to_its_queue(fifo, dead_fifo, clock):
    sent = fifo.send("poison", message_group_id="g", message_deduplication_id="once")
    fail(fifo)
    assert fifo.receive() == []
    [letter] = dead_fifo.receive()
    assert letter.message_id == sent.message_id
    assert letter.message_group_id == "g"
    assert letter.sent_ns == clock.now_ns()
    assert letter.message_deduplication_id == sent.message_id
    assert letter.dead_letter_queue_source_arn == fifo.arn


def test_a_group_goes_on_when_its_poison_is_gone(fifo, dead_fifo):
    for body in ("poison", "good", "other"):
        fifo.send(body, message_group_id="g")
    fail(fifo, count=1)
    assert bodies(fifo.receive()) == ["good"]
    assert fifo.receive() == []
    assert bodies(dead_fifo.peek()) == ["poison"]


def test_a_group_of_nothing_but_poison_leaves_nothing_behind(fifo, dead_fifo):
    for body in ("a", "b"):
        fifo.send(body, message_group_id="g")
    fail(fifo)
    assert fifo.receive() == []
    assert bodies(dead_fifo.peek()) == ["a", "b"]
    fifo.send("c", message_group_id="g")
    assert bodies(fifo.receive()) == ["c"]


def test_a_dead_letter_finds_its_queue_as_time_has_left_it(broker, queue, dead, clock):
    broker.queue("emails").set_attributes(message_retention_period=1_209_600)
    dead.send("too old")
    clock.advance(seconds=dead.attributes.message_retention_period - 10)
    queue.send("poison")
    fail(queue, times=2)
    clock.advance(seconds=8)
    heard = []
    broker.listen(heard.extend)
    assert queue.receive() == []
    removals = [change for change in heard if hasattr(change, "because")]
    assert [(change.queue, change.because) for change in removals] == [
        ("failed", "expired"),
        ("emails", "dead-lettered"),
    ]
    assert bodies(dead.receive(max_number_of_messages=10)) == ["poison"]


def test_two_dead_letters_with_the_same_deduplication_id_both_arrive(broker, fifo, dead_fifo, clock):
    fifo.send("poison 1", message_group_id="g", message_deduplication_id="once")
    fail(fifo)
    fifo.receive()
    clock.advance(minutes=5)
    fifo.send("poison 2", message_group_id="g", message_deduplication_id="once")
    fail(fifo)
    fifo.receive()
    assert bodies(dead_fifo.peek()) == ["poison 1", "poison 2"]


def test_who_waits_for_the_dead_letter_queue_gets_the_letter(queue, dead):
    queue.send("poison")
    fail(queue, 2)
    queue.receive()
    assert bodies(dead.receive(wait_time_seconds=20)) == ["poison"]


def test_a_dead_letter_queue_may_have_a_dead_letter_queue(broker, queue, dead):
    last = broker.create_queue("last")
    dead.set_attributes(redrive_policy=RedrivePolicy(dead_letter_target_arn=last.arn, max_receive_count=1))
    queue.send("poison")
    fail(queue, 3)
    fail(dead, 2)
    [letter] = last.receive()
    assert (letter.receive_count, letter.dead_letter_queue_source_arn) == (4, dead.arn)


# --- policies ------------------------------------------------------------------------------------------


def test_a_policy_may_come_in_any_of_its_forms(broker, dead):
    forms = [
        RedrivePolicy(dead_letter_target_arn=dead.arn, max_receive_count=3),
        {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 3},
        json.dumps({"deadLetterTargetArn": dead.arn, "maxReceiveCount": "3"}),
    ]
    queues = [broker.create_queue(f"q{number}", redrive_policy=form) for number, form in enumerate(forms)]
    assert len({queue.attributes.redrive_policy for queue in queues}) == 1
    assert broker.create_queue("q0", redrive_policy=forms[2]) is queues[0]
    with pytest.raises(QueueNameExists, match="RedrivePolicy"):
        broker.create_queue("q0", redrive_policy={**forms[1], "maxReceiveCount": 4})


@pytest.mark.parametrize(
    ("arn", "reason"),
    [
        ("arn:aws:sqs:us-east-1:000000000000:nothing", "Dead letter target does not exist"),
        ("arn:aws:sqs:eu-west-1:000000000000:failed", "Dead letter target does not exist"),
        ("arn:aws:sqs:us-east-1:111111111111:failed", "Dead letter target does not exist"),
        ("arn:aws:sqs:us-east-1:000000000000:failed.fifo", "same type of queue"),
    ],
)
def test_the_target_must_exist_and_be_of_the_same_kind(broker, dead, dead_fifo, arn, reason):
    policy = {"deadLetterTargetArn": arn, "maxReceiveCount": 3}
    with pytest.raises(InvalidParameterValue, match=reason):
        broker.create_queue("emails", redrive_policy=policy)
    assert [queue.name for queue in broker.list_queues()] == ["failed", "failed.fifo"]
    queue = broker.create_queue("emails")
    with pytest.raises(InvalidParameterValue, match=reason):
        queue.set_attributes(redrive_policy=policy)
    assert queue.attributes.redrive_policy is None


def test_a_standard_queue_cannot_serve_a_fifo_queue(broker, dead):
    with pytest.raises(InvalidParameterValue, match="same type of queue"):
        broker.create_queue(
            "orders.fifo",
            fifo_queue=True,
            redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 10},
        )


def test_a_changed_count_applies_to_messages_that_wait_already(queue, dead):
    queue.send("poison")
    fail(queue)
    queue.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1})
    assert queue.receive() == []
    assert bodies(dead.peek()) == ["poison"]


def test_without_a_policy_messages_are_received_without_end(queue, dead):
    queue.set_attributes(redrive_policy="")
    queue.send("hello")
    fail(queue, 5)
    assert queue.receive()[0].receive_count == 6


def test_while_the_dead_letter_queue_is_gone_messages_stay(queue, dead, broker, clock):
    queue.send_batch(["poison", "other"])
    fail(queue, 2)
    dead.delete_queue()
    assert bodies(queue.receive(visibility_timeout=1)) == ["poison"]
    assert bodies(queue.receive(visibility_timeout=1)) == ["other"]
    clock.advance(seconds=60)
    again = broker.create_queue("failed")
    assert queue.receive() == []
    assert bodies(again.peek()) == ["poison", "other"]


# --- who may -------------------------------------------------------------------------------------------


def test_a_queue_that_is_not_allowed_cannot_name_a_dead_letter_queue(broker, dead):
    dead.set_attributes(redrive_allow_policy={"redrivePermission": "denyAll"})
    with pytest.raises(InvalidParameterValue, match="does not permit"):
        broker.create_queue("emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 10})
    allowed = "arn:aws:sqs:us-east-1:000000000000:emails"
    dead.set_attributes(
        redrive_allow_policy=RedriveAllowPolicy(redrive_permission="byQueue", source_queue_arns=(allowed,))
    )
    broker.create_queue("emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 10})
    with pytest.raises(InvalidParameterValue, match="does not permit"):
        broker.create_queue("others", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 10})


def test_a_queue_that_is_no_longer_allowed_keeps_its_messages(queue, dead):
    queue.send("poison")
    fail(queue, 2)
    dead.set_attributes(redrive_allow_policy={"redrivePermission": "denyAll"})
    assert bodies(queue.receive()) == ["poison"]
    assert dead.peek() == []


def test_the_queues_that_name_a_dead_letter_queue_are_listed_by_name(broker, queue, dead):
    other = broker.create_queue("abc")
    assert dead.list_dead_letter_source_queues() == [queue]
    other.set_attributes(redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 10})
    assert dead.list_dead_letter_source_queues() == [other, queue]
    assert queue.list_dead_letter_source_queues() == []
    queue.set_attributes(redrive_policy=None)
    assert dead.list_dead_letter_source_queues() == [other]


def test_the_sources_of_a_dead_letter_queue_come_page_by_page(broker):
    dead = broker.create_queue("dead")
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    one, two, three = (
        broker.create_queue(name, redrive_policy=policy) for name in ("one", "queue-2", "three-3")
    )

    first = dead.list_dead_letter_source_queues(max_results=2)
    assert (first, first.next_token) == ([one, two], "queue-2")
    last = dead.list_dead_letter_source_queues(max_results=2, next_token=first.next_token)
    assert (last, last.next_token) == ([three], None)

    everything = dead.list_dead_letter_source_queues()
    assert (everything, everything.next_token) == ([one, two, three], None)


@pytest.mark.parametrize(
    ("page", "parameter"),
    [
        ({"max_results": 0}, "MaxResults"),
        ({"max_results": 1_001}, "MaxResults"),
        ({"max_results": "2"}, "MaxResults"),
        ({"max_results": 1, "next_token": 5}, "NextToken"),
    ],
)
def test_a_page_of_sources_has_a_size_and_a_token_that_make_sense(broker, page, parameter):
    with pytest.raises(InvalidParameterValue, match=parameter):
        broker.create_queue("dead").list_dead_letter_source_queues(**page)


# --- a listener that cannot write ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["standard", "fifo"])
def test_a_receive_that_cannot_be_recorded_leaves_the_order_as_it_was(broker, clock, kind, request):
    queue = request.getfixturevalue("queue" if kind == "standard" else "fifo")
    group = {} if kind == "standard" else {"message_group_id": "g"}
    for body in ("dead 1", "dead 2"):
        queue.send(body, **group)
    fail(queue, queue.attributes.redrive_policy.max_receive_count)
    for body in ("good 1", "good 2"):
        queue.send(body, **group)
    before = queue.peek()

    class DiskFull(Exception):
        pass

    def refuse(changes):
        raise DiskFull

    heard, broker.listeners = broker.listeners, (refuse,)
    for count in (1, 10):
        with pytest.raises(DiskFull):
            queue.receive(max_number_of_messages=count)
        queue.check_invariants()
    broker.listeners = heard
    assert queue.peek() == before
    assert bodies(queue.receive(max_number_of_messages=10)) == ["good 1", "good 2"]


def test_messages_that_came_back_at_one_instant_keep_their_order_when_a_receive_cannot_be_recorded(
    broker, clock
):
    queue = broker.create_queue("plain")
    queue.send_batch(["a", "b", "c"])
    queue.receive(max_number_of_messages=3)
    clock.advance(seconds=30)

    def refuse(changes):
        raise OSError("disk full")

    heard, broker.listeners = broker.listeners, (refuse,)
    with pytest.raises(OSError, match="disk full"):
        queue.receive()
    broker.listeners = heard
    assert bodies(queue.receive(max_number_of_messages=10)) == ["a", "b", "c"]
