"""Every boundary of a queue, one step before it and at it."""

import pytest

from queuestream import Broker, MessageAttribute, QueueLimits, VirtualClock
from queuestream.core.errors import (
    InvalidAttributeValue,
    InvalidParameterValue,
    MissingParameter,
    OverLimit,
    PurgeQueueInProgress,
    QueueDeletedRecently,
    QueuestreamError,
)

MIB = 1_024 * 1_024


def bodies(messages):
    return [message.body for message in messages]


# --- instants: one nanosecond before, and at -----------------------------------------------------------


def delayed_by_itself(broker):
    queue = broker.create_queue("emails")
    queue.send("hello", delay_seconds=7)
    return 7, lambda: queue.receive() == []


def delayed_by_the_queue(broker):
    queue = broker.create_queue("emails", delay_seconds=900)
    queue.send("hello")
    return 900, lambda: queue.counts() == (0, 0, 1)


def delayed_on_a_fifo_queue(broker):
    queue = fifo_queue(broker, delay_seconds=3)
    queue.send("hello", message_group_id="g")
    return 3, lambda: queue.receive() == []


def hidden_by_a_receive(broker):
    queue = broker.create_queue("emails")
    queue.send("hello")
    queue.receive(visibility_timeout=43_200)
    return 43_200, lambda: queue.receive(visibility_timeout=43_200) == []


def hidden_on_a_fifo_queue(broker):
    queue = fifo_queue(broker)
    queue.send("hello", message_group_id="g")
    queue.receive()
    return 30, lambda: queue.receive() == []


def hidden_by_a_change(broker):
    queue = broker.create_queue("emails")
    queue.send("hello")
    queue.change_visibility(queue.receive()[0], 11)
    return 11, lambda: queue.peek()[0].state == "in_flight"


def deletable_on_a_fifo_queue(broker):
    queue = fifo_queue(broker)
    queue.send("hello", message_group_id="g")
    [message] = queue.receive()
    return 30, lambda: not refused(InvalidParameterValue, lambda: queue.delete(message))


def kept_for_the_shortest_period(broker):
    queue = broker.create_queue("emails", message_retention_period=60)
    queue.send("hello")
    return 60, lambda: len(queue.peek()) == 1


def kept_for_the_longest_period(broker):
    queue = broker.create_queue("emails", message_retention_period=1_209_600)
    queue.send("hello")
    return 1_209_600, lambda: len(queue.peek()) == 1


def remembered_as_a_duplicate(broker):
    queue = fifo_queue(broker)
    first = queue.send("hello", message_group_id="g")
    return 300, lambda: queue.send("hello", message_group_id="g") == first


def repeatable_as_an_attempt(broker):
    queue = fifo_queue(broker)
    queue.send("hello", message_group_id="g")
    first = queue.receive(receive_request_attempt_id="a", visibility_timeout=600)
    broker.clock.advance(seconds=299)
    return 1, lambda: queue.receive(receive_request_attempt_id="a", visibility_timeout=600) == first


def purged_recently(broker):
    queue = broker.create_queue("emails")
    queue.purge()
    return 60, lambda: refused(PurgeQueueInProgress, queue.purge)


def deleted_recently(broker):
    broker.create_queue("emails").delete_queue()
    return 60, lambda: refused(QueueDeletedRecently, lambda: broker.create_queue("emails"))


def moved_by_a_task(broker):
    dead = broker.create_queue("failed")
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send("hello")
    queue.receive(visibility_timeout=0)
    queue.receive()
    dead.start_message_move_task(max_number_of_messages_per_second=1)
    return 1, lambda: queue.peek() == []


def fifo_queue(broker, **attributes):
    return broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True, **attributes)


def refused(error, operation):
    try:
        operation()
    except error:
        return True
    return False


INSTANTS = [
    delayed_by_itself,
    delayed_by_the_queue,
    delayed_on_a_fifo_queue,
    hidden_by_a_receive,
    hidden_on_a_fifo_queue,
    hidden_by_a_change,
    deletable_on_a_fifo_queue,
    kept_for_the_shortest_period,
    kept_for_the_longest_period,
    remembered_as_a_duplicate,
    repeatable_as_an_attempt,
    purged_recently,
    deleted_recently,
    moved_by_a_task,
]


@pytest.mark.parametrize("boundary", INSTANTS, ids=lambda boundary: boundary.__name__)
@pytest.mark.parametrize("start", [0, 1_735_689_600, 1_735_689_600.123456789])
def test_it_is_so_one_nanosecond_before_the_instant(boundary, start):
    clock = VirtualClock(start)
    seconds, is_so = boundary(Broker(clock=clock, seed=7))
    clock.advance(seconds=seconds, nanoseconds=-1)
    assert is_so()


@pytest.mark.parametrize("boundary", INSTANTS, ids=lambda boundary: boundary.__name__)
@pytest.mark.parametrize("start", [0, 1_735_689_600, 1_735_689_600.123456789])
def test_it_is_no_longer_so_at_the_instant(boundary, start):
    clock = VirtualClock(start)
    seconds, is_so = boundary(Broker(clock=clock, seed=7))
    clock.advance(seconds=seconds)
    assert not is_so()


# --- numbers: just inside, and just outside ------------------------------------------------------------

SETTINGS = [
    ("visibility_timeout", 0, 43_200),
    ("delay_seconds", 0, 900),
    ("message_retention_period", 60, 1_209_600),
    ("maximum_message_size", 1_024, MIB),
    ("receive_message_wait_time_seconds", 0, 20),
    ("kms_data_key_reuse_period_seconds", 60, 86_400),
]


@pytest.mark.parametrize(("name", "low", "high"), SETTINGS)
def test_a_setting_has_a_lowest_and_a_highest_value(queue, name, low, high):
    for value in (low, high):
        queue.set_attributes(**{name: value})
        assert getattr(queue.attributes, name) == value
    for value in (low - 1, high + 1):
        with pytest.raises(InvalidAttributeValue, match="Invalid value for the parameter"):
            queue.set_attributes(**{name: value})
    assert getattr(queue.attributes, name) == high


def change_visibility(queue, seconds):
    queue.send("hello")
    queue.change_visibility(queue.receive()[0], seconds)


PARAMETERS = [
    ("delay_seconds", 0, 900, lambda queue, value: queue.send("hello", delay_seconds=value)),
    ("max_number_of_messages", 1, 10, lambda queue, value: queue.receive(max_number_of_messages=value)),
    ("visibility_timeout", 0, 43_200, lambda queue, value: queue.receive(visibility_timeout=value)),
    ("wait_time_seconds", 0, 20, lambda queue, value: queue.receive(wait_time_seconds=value)),
    ("changed visibility", 0, 43_200, change_visibility),
    ("max_results of tasks", 1, 10, lambda queue, value: queue.list_message_move_tasks(max_results=value)),
    ("max_results of queues", 1, 1_000, lambda queue, value: queue.broker.list_queues(max_results=value)),
]


@pytest.mark.parametrize(
    ("low", "high", "call"), [row[1:] for row in PARAMETERS], ids=[row[0] for row in PARAMETERS]
)
def test_a_number_is_taken_within_its_range(queue, low, high, call):
    call(queue, low)
    call(queue, high)
    for value in (low - 1, high + 1, -(2**70), 2**70, 10**5_000):
        with pytest.raises(InvalidParameterValue):
            call(queue, value)


# --- sizes and lengths ---------------------------------------------------------------------------------

LENGTHS = [
    ("body", 1, MIB, lambda queue, n: queue.send("x" * n)),
    ("body in UTF-8", 1, MIB // 2, lambda queue, n: queue.send("é" * n)),
    ("group id", 1, 128, lambda queue, n: queue.send("hello", message_group_id="g" * n)),
    ("tags", 1, 50, lambda queue, n: queue.tag({f"key{i}": "" for i in range(n)})),
    ("tag key", 1, 128, lambda queue, n: queue.tag({"k" * n: ""})),
    ("tag value", 0, 256, lambda queue, n: queue.tag({"key": "v" * n})),
    ("attributes", 0, 10, lambda queue, n: send_with(queue, {f"name{i}": "x" for i in range(n)})),
    ("attribute name", 1, 256, lambda queue, n: send_with(queue, {"n" * n: "x"})),
    (
        "data type",
        6,
        256,
        lambda queue, n: send_with(queue, {"n": MessageAttribute("String.label".ljust(n, "x")[:n], "x")}),
    ),
    ("queue name", 1, 80, lambda queue, n: queue.broker.create_queue("q" * n)),
    ("batch", 1, 10, lambda queue, n: queue.send_batch(["x"] * n)),
    ("permission label", 1, 80, lambda queue, n: queue.add_permission("l" * n, ["0" * 12], ["*"])),
    ("account id", 12, 12, lambda queue, n: queue.add_permission(f"label{n}", ["1" * n], ["*"])),
    ("actions", 1, 7, lambda queue, n: queue.add_permission(f"label{n}", ["0" * 12], ["SendMessage"] * n)),
]


def send_with(queue, attributes):
    queue.send("hello", message_attributes=attributes)


@pytest.mark.parametrize(
    ("low", "high", "call"), [row[1:] for row in LENGTHS], ids=[row[0] for row in LENGTHS]
)
def test_a_length_is_taken_within_its_limits(clock, low, high, call):
    for length in (low, high):
        call(Broker(clock=clock).create_queue("emails"), length)
    for length in {high + 1, low - 1} - {-1}:
        queue = Broker(clock=clock).create_queue("emails")
        with pytest.raises(QueuestreamError):
            call(queue, length)
        assert queue.peek() == []
        assert queue.tags == {}


FIFO_LENGTHS = [
    ("group id", lambda queue, n: queue.send("hello", message_group_id="g" * n)),
    (
        "deduplication id",
        lambda queue, n: queue.send("h", message_group_id="g", message_deduplication_id="d" * n),
    ),
    ("attempt id", lambda queue, n: queue.receive(receive_request_attempt_id="a" * n)),
]


@pytest.mark.parametrize("call", [row[1] for row in FIFO_LENGTHS], ids=[row[0] for row in FIFO_LENGTHS])
def test_an_id_on_a_fifo_queue_has_one_to_128_characters(fifo, call):
    call(fifo, 1)
    call(fifo, 128)
    for length in (0, 129):
        with pytest.raises(InvalidParameterValue, match="1 to 128 in length"):
            call(fifo, length)


def test_a_fifo_queues_name_has_eighty_characters_with_its_suffix(fifo):
    fifo.broker.create_queue("q" * 75 + ".fifo", fifo_queue=True)
    with pytest.raises(InvalidParameterValue, match="1 to 80 in length"):
        fifo.broker.create_queue("q" * 76 + ".fifo", fifo_queue=True)
    with pytest.raises(InvalidParameterValue):
        fifo.broker.create_queue(".fifo", fifo_queue=True)


def test_a_message_may_be_empty_of_anything_but_one_character(queue):
    queue.send(" ")
    with pytest.raises(MissingParameter):
        queue.send("")


@pytest.mark.parametrize("count", [1, 1_000])
def test_a_message_may_fail_one_to_a_thousand_times(broker, count):
    dead = broker.create_queue("failed")
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": count}
    )
    queue.send("poison")
    for _ in range(count):
        assert bodies(queue.receive(visibility_timeout=0)) == ["poison"]
    assert queue.receive() == []
    assert bodies(dead.peek()) == ["poison"]


@pytest.mark.parametrize("count", [0, 1_001])
def test_other_counts_are_refused(broker, count):
    dead = broker.create_queue("failed")
    with pytest.raises(InvalidParameterValue, match="from 1 to 1000 both inclusive"):
        broker.create_queue(
            "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": count}
        )


def test_ten_sources_may_be_listed_by_name(queue):
    arns = [f"arn:aws:sqs:us-east-1:000000000000:q{number}" for number in range(11)]
    queue.set_attributes(redrive_allow_policy={"redrivePermission": "byQueue", "sourceQueueArns": arns[:10]})
    with pytest.raises(
        InvalidParameterValue, match="maximum number of source queue ARNs you can specify is 10"
    ):
        queue.set_attributes(redrive_allow_policy={"redrivePermission": "byQueue", "sourceQueueArns": arns})


# --- in flight -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("maximum", [1, 2, 10])
def test_so_many_messages_of_a_standard_queue_are_in_flight_at_most(clock, maximum):
    broker = Broker(clock=clock, queue_limits=QueueLimits(in_flight_max=maximum, fifo_in_flight_max=99))
    queue = broker.create_queue("emails")
    for number in range(maximum + 1):
        queue.send(str(number))
    for number in range(maximum):
        assert bodies(queue.receive()) == [str(number)]
    with pytest.raises(OverLimit):
        queue.receive()
    assert queue.counts() == (1, maximum, 0)
    clock.advance(seconds=30, nanoseconds=-1)
    with pytest.raises(OverLimit):
        queue.receive()
    clock.advance(nanoseconds=1)
    assert bodies(queue.receive()) == [str(maximum)]


@pytest.mark.parametrize("maximum", [1, 2, 10])
def test_so_many_messages_of_a_fifo_queue_are_in_flight_at_most(clock, maximum):
    broker = Broker(clock=clock, queue_limits=QueueLimits(fifo_in_flight_max=maximum, in_flight_max=99))
    queue = fifo_queue(broker)
    for number in range(maximum + 1):
        queue.send(str(number), message_group_id=str(number))
    assert len(queue.receive(max_number_of_messages=10)) == maximum
    assert queue.receive() == []
    clock.advance(seconds=30, nanoseconds=-1)
    assert queue.receive() == []
    clock.advance(nanoseconds=1)
    assert bodies(queue.receive()) == [str(maximum)]


def test_what_fails_does_so_before_there_is_room_for_it(clock):
    broker = Broker(clock=clock, queue_limits=QueueLimits(in_flight_max=1))
    dead = broker.create_queue("failed")
    queue = broker.create_queue(
        "emails", redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send_batch(["poison", "good"])
    queue.receive()
    with pytest.raises(OverLimit):
        queue.receive()
    clock.advance(seconds=30)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["good"]
    with pytest.raises(OverLimit):
        queue.receive()
    clock.advance(seconds=30)
    assert queue.receive() == []
    assert bodies(dead.peek()) == ["poison", "good"]
