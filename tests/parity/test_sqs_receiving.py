"""SQS: what a receive gives, and how it waits."""

import hashlib

import pytest
from drivers.refusals import refused

from queuestream.core.queues.limits import QueueLimits
from queuestream.core.queues.message_attributes import MessageAttribute

RECEIVE = "SQS API reference: ReceiveMessage"
POLLING = "SQS developer guide: Amazon SQS short and long polling"
IN_FLIGHT = "SQS developer guide: Amazon SQS standard queue quotas"


@pytest.mark.aws(
    "A receive gives the body and its MD5 digest, the id of the send, and a handle.", page=RECEIVE
)
def test_a_received_message_is_what_was_sent(queue):
    sent = queue.send("Grüße")
    [message] = queue.receive()
    assert message.body == "Grüße"
    assert message.message_id == sent.message_id
    assert message.md5_of_body == sent.md5_of_body == hashlib.md5("Grüße".encode()).hexdigest()


@pytest.mark.aws(
    "Each receive of a message gives another receipt handle.",
    page="SQS developer guide: Amazon SQS queue and message identifiers",
)
def test_every_receive_gives_a_new_handle(queue):
    queue.send("hello")
    handles = {queue.receive(visibility_timeout=0)[0].receipt_handle for _ in range(3)}
    assert len(handles) == 3


@pytest.mark.aws("A receive gives one message where it does not say how many.", page=RECEIVE)
def test_one_message_is_received_by_default(queue):
    queue.send_batch(["one", "two"])
    assert len(queue.receive()) == 1


@pytest.mark.aws("A receive gives ten messages at most.", page=RECEIVE)
def test_ten_messages_are_received_at_once(queue):
    for _ in range(2):
        queue.send_batch([str(number) for number in range(8)])
    assert len(queue.receive(max_number_of_messages=10)) == 10
    assert len(queue.receive(max_number_of_messages=10)) == 6


@pytest.mark.parametrize("count", [0, 11])
@pytest.mark.aws("MaxNumberOfMessages is 1 to 10.", page=RECEIVE)
def test_a_count_out_of_range_is_refused(queue, count):
    with refused(
        "InvalidParameterValue",
        f"Value {count} for parameter MaxNumberOfMessages is invalid. "
        "Reason: Must be between 1 and 10, if provided.",
    ):
        queue.receive(max_number_of_messages=count)


@pytest.mark.aws("SentTimestamp is when the message was sent, in milliseconds since the epoch.", page=RECEIVE)
def test_a_message_knows_when_it_was_sent(queue, clock):
    sent_ms = clock.now_ns() // 1_000_000
    queue.send("hello")
    clock.advance(seconds=5)
    assert queue.receive()[0].sent_timestamp_ms == sent_ms


@pytest.mark.aws("ApproximateFirstReceiveTimestamp is when the message was first received.", page=RECEIVE)
def test_a_message_knows_when_it_was_first_received(queue, clock):
    queue.send("hello")
    clock.advance(seconds=5)
    first_ms = clock.now_ns() // 1_000_000
    queue.receive(visibility_timeout=0)
    clock.advance(seconds=5)
    assert queue.receive()[0].first_received_timestamp_ms == first_ms


@pytest.mark.aws(
    "ApproximateReceiveCount counts the receives of a message that was not deleted.", page=RECEIVE
)
def test_a_message_counts_its_receives(queue):
    queue.send("hello")
    counts = [queue.receive(visibility_timeout=0)[0].receive_count for _ in range(3)]
    assert counts == [1, 2, 3]


@pytest.mark.aws("Message attributes come with the message, where they are asked for by All.", page=RECEIVE)
def test_all_attributes_are_received_where_all_are_asked_for(queue):
    queue.send("hello", message_attributes={"city": "Berlin", "size": 7, "key": b"\0\xff"})
    [message] = queue.receive(message_attribute_names=["All"])
    assert message.message_attributes == {
        "city": MessageAttribute("String", "Berlin"),
        "size": MessageAttribute("Number", "7"),
        "key": MessageAttribute("Binary", b"\0\xff"),
    }


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ([], set()),
        (["city"], {"city"}),
        (["city.*"], {"city", "city.zip"}),
        (["citizen", "city.zip", "nothing"], {"citizen", "city.zip"}),
        ([".*"], {"citizen", "city", "city.zip"}),
    ],
)
@pytest.mark.aws(
    "Message attributes are asked for by name, by a prefix with .*, or all of them by All or .*.",
    page=RECEIVE,
)
def test_attributes_are_asked_for_by_name_and_by_prefix(queue, asked, given):
    queue.send("hello", message_attributes={"city": "a", "city.zip": "b", "citizen": "c"})
    [message] = queue.receive(message_attribute_names=asked)
    assert set(message.message_attributes) == given


@pytest.mark.aws("The digest of the attributes is of those that the receive gives.", page=RECEIVE)
def test_the_digest_is_of_the_attributes_that_were_asked_for(queue):
    queue.send("hello", message_attributes={"city": "a", "size": "b"})
    only_city = queue.send("hello", message_attributes={"city": "a"}).md5_of_message_attributes
    [message] = queue.receive(message_attribute_names=["city"], visibility_timeout=0)
    assert message.md5_of_message_attributes == only_city
    [message] = queue.receive(message_attribute_names=["nothing"])
    assert message.md5_of_message_attributes is None


# --- waiting ---


@pytest.mark.aws("A short poll answers at once, even if there is nothing.", page=POLLING)
def test_a_short_poll_of_an_empty_queue_answers_at_once(queue, clock):
    began_ns = clock.now_ns()
    assert queue.receive() == []
    assert clock.now_ns() == began_ns


@pytest.mark.aws("A long poll waits for a message for WaitTimeSeconds, and then gives none.", page=POLLING)
def test_a_long_poll_of_an_empty_queue_takes_as_long_as_it_says(queue, clock):
    began_ns = clock.now_ns()
    assert queue.receive(wait_time_seconds=20) == []
    assert clock.now_ns() == began_ns + 20 * 10**9


@pytest.mark.aws("A long poll answers as soon as a message is available.", page=POLLING)
def test_a_long_poll_wakes_when_a_delayed_message_becomes_visible(queue, clock):
    began_ns = clock.now_ns()
    queue.send("hello", delay_seconds=5)
    [message] = queue.receive(wait_time_seconds=20)
    assert message.body == "hello"
    assert clock.now_ns() == began_ns + 5 * 10**9


@pytest.mark.aws(
    "A long poll answers as soon as a message is available, one that comes back included.", page=POLLING
)
def test_a_long_poll_wakes_when_a_visibility_timeout_passes(queue, clock):
    queue.send("hello")
    queue.receive(visibility_timeout=7)
    began_ns = clock.now_ns()
    assert [message.receive_count for message in queue.receive(wait_time_seconds=20)] == [2]
    assert clock.now_ns() == began_ns + 7 * 10**9


@pytest.mark.aws("A long poll answers at once where there is a message.", page=POLLING)
def test_a_long_poll_does_not_wait_where_there_is_something(queue, clock):
    queue.send("hello")
    began_ns = clock.now_ns()
    assert len(queue.receive(wait_time_seconds=20)) == 1
    assert clock.now_ns() == began_ns


@pytest.mark.aws("ReceiveMessageWaitTimeSeconds of the queue makes every receive a long poll.", page=POLLING)
def test_a_queue_can_make_every_receive_wait(broker, clock):
    queue = broker.create_queue("patient", receive_message_wait_time_seconds=3)
    began_ns = clock.now_ns()
    assert queue.receive() == []
    assert clock.now_ns() == began_ns + 3 * 10**9


@pytest.mark.aws("WaitTimeSeconds of a receive comes before the queue's.", page=POLLING)
def test_a_receive_can_refuse_to_wait(broker, clock):
    queue = broker.create_queue("patient", receive_message_wait_time_seconds=3)
    began_ns = clock.now_ns()
    assert queue.receive(wait_time_seconds=0) == []
    assert clock.now_ns() == began_ns


@pytest.mark.parametrize("seconds", [-1, 21])
@pytest.mark.aws("WaitTimeSeconds is 0 to 20.", page=RECEIVE)
def test_a_wait_out_of_range_is_refused(queue, seconds):
    with refused(
        "InvalidParameterValue",
        f"Value {seconds} for parameter WaitTimeSeconds is invalid. "
        "Reason: Must be >= 0 and <= 20, if provided.",
    ):
        queue.receive(wait_time_seconds=seconds)


# --- too many in flight ---


@pytest.mark.settings(queue_limits=QueueLimits(in_flight_max=2))
@pytest.mark.aws(
    "A short poll is refused with OverLimit while 120,000 messages are in flight.", page=IN_FLIGHT
)
def test_a_short_poll_is_refused_while_too_many_are_in_flight(queue):
    queue.send_batch(["one", "two", "three"])
    [first, _] = queue.receive(max_number_of_messages=2)
    with refused("OverLimit"):
        queue.receive()
    queue.delete(first)
    assert len(queue.receive()) == 1


@pytest.mark.settings(queue_limits=QueueLimits(in_flight_max=2))
@pytest.mark.aws(
    "A long poll gets no messages, and no error, while 120,000 messages are in flight.", page=IN_FLIGHT
)
def test_a_long_poll_gets_nothing_while_too_many_are_in_flight(queue):
    queue.send_batch(["one", "two", "three"])
    queue.receive(max_number_of_messages=2, visibility_timeout=100)
    assert queue.receive(wait_time_seconds=1) == []


@pytest.mark.settings(queue_limits=QueueLimits(fifo_in_flight_max=2))
@pytest.mark.aws(
    "A FIFO queue gives no messages, and no error, while 120,000 are in flight.",
    page="SQS developer guide: Amazon SQS FIFO queue quotas",
)
def test_a_fifo_queue_says_nothing_while_too_many_are_in_flight(fifo_queue):
    for number in "123":
        fifo_queue.send(number, message_group_id=number, message_deduplication_id=number)
    assert len(fifo_queue.receive(max_number_of_messages=10)) == 2
    assert fifo_queue.receive() == []


@pytest.mark.aws(
    "A message that was received three times or more goes to the back of a standard queue.",
    page="SQS developer guide: Available CloudWatch metrics for Amazon SQS",
)
def test_a_message_that_keeps_coming_back_lets_others_pass(queue, clock):
    queue.send("poison")
    for _ in range(3):
        queue.receive(visibility_timeout=1)
        clock.advance(milliseconds=500)
        queue.send("other")
        clock.advance(milliseconds=500)
    bodies = [message.body for message in queue.receive(max_number_of_messages=10)]
    assert bodies == ["other", "other", "other", "poison"]
