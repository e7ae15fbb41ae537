"""SQS: FIFO queues, their order and their groups."""

import pytest
from drivers.refusals import refused

from queuestream.core.queues.limits import QueueLimits

LOGIC = "SQS developer guide: FIFO queue delivery logic"
KEY_TERMS = "SQS developer guide: FIFO queue key terms"
EXACTLY_ONCE = "SQS developer guide: Exactly-once processing in Amazon SQS"
GROUPS = "SQS developer guide: Using the message group ID with Amazon SQS FIFO queues"
RECEIVE = "SQS API reference: ReceiveMessage"
SEND = "SQS API reference: SendMessage"
BACKLOG = "SQS developer guide: Avoiding large message backlogs with the same message group ID"
ATTEMPT = "SQS developer guide: Using the receive request attempt ID with Amazon SQS FIFO queues"
MINUTES = 60


def send(queue, body, group="a", deduplication_id=None):
    return queue.send(
        body, message_group_id=group, message_deduplication_id=deduplication_id or f"{body}-{group}"
    )


def bodies(messages):
    return [message.body for message in messages]


@pytest.fixture
def by_content(broker):
    return broker.create_queue("contents.fifo", fifo_queue=True, content_based_deduplication=True)


# --- order ---


@pytest.mark.aws("Messages of one group are received in the order in which they were sent.", page=LOGIC)
def test_a_group_keeps_its_order(fifo_queue):
    for body in "123":
        send(fifo_queue, body)
    assert bodies(fifo_queue.receive(max_number_of_messages=10)) == ["1", "2", "3"]


@pytest.mark.aws("A receive gives as many messages of one group as possible.", page=LOGIC)
def test_a_receive_takes_as_many_of_one_group_as_it_can(fifo_queue):
    for body in "12":
        for group in "ab":
            send(fifo_queue, body, group)
    received = fifo_queue.receive(max_number_of_messages=3)
    assert [(message.message_group_id, message.body) for message in received] == [
        ("a", "1"),
        ("a", "2"),
        ("b", "1"),
    ]


@pytest.mark.aws("No more of a group is received while some of it is in flight.", page=LOGIC)
def test_a_group_waits_for_its_messages_in_flight(fifo_queue, clock):
    for body in "12":
        send(fifo_queue, body)
    [first] = fifo_queue.receive()
    assert fifo_queue.receive() == []
    fifo_queue.delete(first)
    assert bodies(fifo_queue.receive()) == ["2"]


@pytest.mark.aws("Other groups go on while one has messages in flight.", page=LOGIC)
def test_other_groups_do_not_wait(fifo_queue):
    send(fifo_queue, "1", "a")
    send(fifo_queue, "2", "b")
    assert bodies(fifo_queue.receive()) == ["1"]
    assert bodies(fifo_queue.receive()) == ["2"]


@pytest.mark.aws("A message that comes back comes back before those behind it.", page=LOGIC)
def test_a_message_that_comes_back_is_still_the_first(fifo_queue, clock):
    for body in "12":
        send(fifo_queue, body)
    fifo_queue.receive()
    clock.advance(seconds=30)
    assert bodies(fifo_queue.receive(max_number_of_messages=10)) == ["1", "2"]


@pytest.mark.aws("A message that is hidden for longer keeps back those behind it.", page=LOGIC)
def test_a_longer_timeout_of_the_first_keeps_back_the_others(fifo_queue, clock):
    for body in "12":
        send(fifo_queue, body)
    [first] = fifo_queue.receive()
    fifo_queue.change_visibility(first, 100)
    clock.advance(seconds=99)
    assert fifo_queue.receive() == []
    clock.advance(seconds=1)
    assert bodies(fifo_queue.receive(max_number_of_messages=10)) == ["1", "2"]


@pytest.mark.aws("A delayed message keeps nobody of its group back.", page=KEY_TERMS)
def test_the_delay_of_a_queue_does_not_lock_a_group(broker, clock):
    queue = broker.create_queue("later.fifo", fifo_queue=True, delay_seconds=10)
    send(queue, "1")
    clock.advance(seconds=5)
    send(queue, "2")
    clock.advance(seconds=5)
    [first] = queue.receive()
    queue.delete(first)
    clock.advance(seconds=5)
    assert bodies(queue.receive()) == ["2"]


@pytest.mark.aws("Sequence numbers grow with each message of a group.", page=KEY_TERMS)
def test_sequence_numbers_grow(fifo_queue):
    numbers = [send(fifo_queue, body).sequence_number for body in "123"]
    assert all(len(number) == 20 for number in numbers)
    assert numbers == sorted(set(numbers))
    received = fifo_queue.receive(max_number_of_messages=10)
    assert [message.sequence_number for message in received] == numbers


@pytest.mark.aws("A standard queue's messages have no sequence number.", page=SEND)
def test_a_standard_queue_numbers_nothing(queue):
    assert queue.send("hello").sequence_number is None
    assert queue.receive()[0].sequence_number is None


@pytest.mark.settings(queue_limits=QueueLimits(fifo_look_ahead_max=3))
@pytest.mark.aws(
    "A FIFO queue looks for messages of other groups among the first 120,000 only.", page=BACKLOG
)
def test_a_long_backlog_of_one_group_hides_the_others(fifo_queue):
    for body in "123":
        send(fifo_queue, body, "backlog")
    send(fifo_queue, "4", "hidden")
    [first] = fifo_queue.receive()
    assert fifo_queue.receive() == []
    fifo_queue.delete(first)
    assert bodies(fifo_queue.receive(max_number_of_messages=10)) == ["2", "3", "4"]


# --- groups ---


@pytest.mark.aws("A FIFO queue takes no message without a group.", page=SEND)
def test_a_message_without_a_group_is_refused(by_content):
    with refused("MissingParameter", "The request must contain the parameter MessageGroupId."):
        by_content.send("hello")


@pytest.mark.parametrize("group", ["a", "x" * 128, "!~"])
@pytest.mark.aws("A group id has printable characters without spaces, 128 at most.", page=SEND)
def test_group_ids_that_are_taken(by_content, group):
    by_content.send("hello", message_group_id=group)
    assert by_content.receive()[0].message_group_id == group


@pytest.mark.parametrize("group", ["x" * 129, "a b", "ü"])
@pytest.mark.aws("A group id has no other characters.", page=SEND)
def test_group_ids_that_are_refused(by_content, group):
    with refused(
        "InvalidParameterValue",
        f"Value {group} for parameter MessageGroupId is invalid. Reason: "
        "MessageGroupId can only include alphanumeric and punctuation characters. 1 to 128 in length.",
    ):
        by_content.send("hello", message_group_id=group)


# --- deduplication ---


@pytest.mark.aws(
    "A message with the deduplication id of another is taken, and not delivered, for five minutes.",
    page=EXACTLY_ONCE,
)
def test_a_duplicate_is_not_delivered(fifo_queue):
    send(fifo_queue, "first", deduplication_id="once")
    send(fifo_queue, "again", deduplication_id="once")
    assert bodies(fifo_queue.receive(max_number_of_messages=10)) == ["first"]


@pytest.mark.aws("A duplicate gets the answer that the original got.", page=EXACTLY_ONCE)
def test_a_duplicate_gets_the_originals_id_and_number(fifo_queue):
    first = send(fifo_queue, "first", deduplication_id="once")
    again = send(fifo_queue, "again", deduplication_id="once")
    assert (again.message_id, again.sequence_number) == (first.message_id, first.sequence_number)


@pytest.mark.aws("The deduplication interval goes on after the message was deleted.", page=KEY_TERMS)
def test_a_duplicate_of_a_deleted_message_is_not_delivered(fifo_queue, clock):
    send(fifo_queue, "first", deduplication_id="once")
    fifo_queue.delete(fifo_queue.receive()[0])
    clock.advance(seconds=5 * MINUTES - 1)
    send(fifo_queue, "again", deduplication_id="once")
    assert fifo_queue.receive() == []


@pytest.mark.aws("After five minutes the same deduplication id stands for a new message.", page=EXACTLY_ONCE)
def test_after_five_minutes_it_is_a_new_message(fifo_queue, clock):
    send(fifo_queue, "first", deduplication_id="once")
    fifo_queue.delete(fifo_queue.receive()[0])
    clock.advance(minutes=5)
    send(fifo_queue, "again", deduplication_id="once")
    assert bodies(fifo_queue.receive()) == ["again"]


@pytest.mark.aws(
    "With content-based deduplication the id is the SHA-256 of the body, not of the attributes.",
    page=EXACTLY_ONCE,
)
def test_the_body_is_what_counts_where_no_id_is_given(by_content):
    by_content.send("same", message_group_id="a", message_attributes={"n": 1})
    by_content.send("same", message_group_id="a", message_attributes={"n": 2})
    by_content.send("other", message_group_id="a")
    assert bodies(by_content.receive(max_number_of_messages=10)) == ["same", "other"]


@pytest.mark.aws("An id that is given comes before the one from the content.", page=EXACTLY_ONCE)
def test_an_id_that_is_given_comes_first(by_content):
    send(by_content, "same", deduplication_id="1")
    send(by_content, "same", deduplication_id="2")
    assert bodies(by_content.receive(max_number_of_messages=10)) == ["same", "same"]


@pytest.mark.aws("Without content-based deduplication an id must be given.", page=SEND)
def test_a_message_without_an_id_is_refused(fifo_queue):
    with refused(
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or "
        "MessageDeduplicationId provided explicitly",
    ):
        fifo_queue.send("hello", message_group_id="a")


@pytest.mark.aws("Deduplication is by queue, whatever the group.", page="SQS API reference: CreateQueue")
def test_another_group_is_no_excuse(fifo_queue):
    send(fifo_queue, "first", "a", "once")
    send(fifo_queue, "again", "b", "once")
    assert bodies(fifo_queue.receive(max_number_of_messages=10)) == ["first"]


@pytest.mark.aws(
    "With DeduplicationScope messageGroup, deduplication is by group.", page="SQS API reference: CreateQueue"
)
def test_deduplication_can_be_by_group(broker):
    queue = broker.create_queue("scoped.fifo", fifo_queue=True, deduplication_scope="messageGroup")
    send(queue, "first", "a", "once")
    send(queue, "other", "b", "once")
    send(queue, "again", "a", "once")
    assert bodies(queue.receive(max_number_of_messages=10)) == ["first", "other"]


@pytest.mark.aws("Standard queues take no deduplication id.", page=SEND)
def test_a_standard_queue_takes_no_deduplication_id(queue):
    with refused(
        "InvalidParameterValue",
        "Value once for parameter MessageDeduplicationId is invalid. "
        "Reason: The request include parameter that is not valid for this queue type.",
    ):
        queue.send("hello", message_deduplication_id="once")


@pytest.mark.parametrize("deduplication_id", ["x" * 129, "a b"])
@pytest.mark.aws("A deduplication id has printable characters without spaces, 128 at most.", page=SEND)
def test_deduplication_ids_that_are_refused(fifo_queue, deduplication_id):
    with refused("InvalidParameterValue"):
        send(fifo_queue, "hello", deduplication_id=deduplication_id)


# --- receives that are repeated ---


@pytest.mark.aws(
    "A receive that is repeated under its attempt id gets the same messages and handles.", page=ATTEMPT
)
def test_a_repeated_receive_gets_the_same(fifo_queue):
    for body in "123":
        send(fifo_queue, body)
    first = fifo_queue.receive(max_number_of_messages=2, receive_request_attempt_id="attempt")
    again = fifo_queue.receive(max_number_of_messages=2, receive_request_attempt_id="attempt")
    assert [message.receipt_handle for message in again] == [message.receipt_handle for message in first]
    assert bodies(again) == ["1", "2"]


@pytest.mark.aws("A repeated receive begins the visibility timeout anew.", page=RECEIVE)
def test_a_repeated_receive_hides_anew(fifo_queue, clock):
    send(fifo_queue, "hello")
    fifo_queue.receive(receive_request_attempt_id="attempt")
    clock.advance(seconds=20)
    fifo_queue.receive(receive_request_attempt_id="attempt")
    clock.advance(seconds=29)
    assert fifo_queue.receive() == []
    clock.advance(seconds=1)
    assert len(fifo_queue.receive()) == 1


@pytest.mark.aws("An attempt can be repeated for five minutes.", page=RECEIVE)
def test_an_attempt_is_forgotten_after_five_minutes(fifo_queue, clock):
    send(fifo_queue, "hello")
    fifo_queue.receive(visibility_timeout=1_000, receive_request_attempt_id="attempt")
    clock.advance(minutes=5)
    assert fifo_queue.receive(receive_request_attempt_id="attempt") == []


@pytest.mark.aws(
    "An attempt cannot be repeated once one of its messages was deleted or hidden for another while.",
    page=RECEIVE,
)
def test_an_attempt_whose_messages_were_touched_is_not_repeated(fifo_queue):
    send(fifo_queue, "hello")
    [message] = fifo_queue.receive(receive_request_attempt_id="attempt")
    fifo_queue.change_visibility(message, 100)
    assert fifo_queue.receive(receive_request_attempt_id="attempt") == []


@pytest.mark.aws("ReceiveRequestAttemptId is for FIFO queues only.", page=RECEIVE)
def test_a_standard_queue_does_nothing_with_an_attempt_id(queue):
    queue.send("hello")
    assert bodies(queue.receive(receive_request_attempt_id="attempt")) == ["hello"]
    assert queue.receive(receive_request_attempt_id="attempt") == []
