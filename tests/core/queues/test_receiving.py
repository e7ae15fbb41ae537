"""Receiving: which messages come, in which order, how long a receive waits, and how many may be in flight."""

import threading

import pytest

from queuestream import Broker, MessageAttribute, Queue, QueueLimits, VirtualClock
from queuestream.core.clock import SECOND
from queuestream.core.errors import BrokerClosed, InvalidParameterValue, OverLimit, QueueDoesNotExist


def bodies(messages):
    return [message.body for message in messages]


def test_an_empty_queue_gives_nothing(queue):
    assert queue.receive() == []
    assert queue.receive(max_number_of_messages=10) == []


def test_messages_come_in_the_order_in_which_they_were_sent(queue):
    for number in range(25):
        queue.send(str(number))
    received = [bodies(queue.receive(max_number_of_messages=10)) for _ in range(4)]
    assert [len(batch) for batch in received] == [10, 10, 5, 0]
    assert [body for batch in received for body in batch] == [str(number) for number in range(25)]


def test_one_message_comes_unless_more_are_asked_for(queue):
    queue.send_batch(["a", "b", "c"])
    assert bodies(queue.receive()) == ["a"]
    assert bodies(queue.receive(max_number_of_messages=10)) == ["b", "c"]


def test_a_received_message_is_hidden_from_other_receivers(queue):
    queue.send("hello")
    assert bodies(queue.receive()) == ["hello"]
    assert queue.receive() == []
    assert queue.counts() == (0, 1, 0)


def test_receives_are_counted_and_the_first_one_is_remembered(queue, clock):
    queue.send("hello")
    clock.advance(milliseconds=1_500)
    first_ns = clock.now_ns()
    for count in (1, 2, 3):
        [message] = queue.receive(visibility_timeout=1)
        assert message.receive_count == count
        assert message.first_received_ns == first_ns
        assert message.first_received_timestamp_ms == first_ns // 1_000_000
        clock.advance(seconds=1)


def test_only_the_attributes_that_were_asked_for_come(queue):
    queue.send("hello", message_attributes={"order.id": "1", "order.sum": 7, "kind": "k"})

    def received(*names):
        [message] = queue.receive(message_attribute_names=names, visibility_timeout=0)
        return set(message.message_attributes), message.md5_of_message_attributes

    everything = {"order.id", "order.sum", "kind"}
    whole = queue.send("same", message_attributes={"order.id": "1", "order.sum": 7, "kind": "k"})
    assert received("All") == (everything, whole.md5_of_message_attributes)
    queue.purge()
    queue.send("hello", message_attributes={"order.id": "1", "order.sum": 7, "kind": "k"})
    assert received(".*")[0] == everything
    assert received("order.*")[0] == {"order.id", "order.sum"}
    assert received("kind", "order.id", "unknown")[0] == {"kind", "order.id"}
    assert received("Kind") == (set(), None)
    assert received() == (set(), None)


def test_all_attributes_come_where_nothing_is_said(queue):
    queue.send("hello", message_attributes={"kind": "welcome"})
    [message] = queue.receive()
    assert message.message_attributes == {"kind": MessageAttribute("String", "welcome")}


def test_the_names_may_come_as_any_collection_of_text_but_not_as_one_text(queue):
    queue.send("hello", message_attributes={"kind": "welcome"})
    for names in (["kind"], {"kind"}, ("kind",), frozenset({"kind"}), {"kind": 1}.keys(), iter(["kind"])):
        [message] = queue.receive(message_attribute_names=names, visibility_timeout=0)
        assert set(message.message_attributes) == {"kind"}
    for names in ("kind", b"kind", 5, None, ["kind", 5]):
        with pytest.raises(InvalidParameterValue, match="MessageAttributeNames"):
            queue.receive(message_attribute_names=names)


# --- the order of what comes back ----------------------------------------------------------------------


def test_a_message_that_comes_back_takes_its_place_behind_those_that_were_waiting(queue, clock):
    queue.send("failing")
    queue.receive(visibility_timeout=5)
    queue.send("waiting")
    clock.advance(seconds=5)
    queue.send("arriving at that instant")
    assert bodies(queue.receive(max_number_of_messages=10)) == [
        "waiting",
        "failing",
        "arriving at that instant",
    ]


def test_messages_come_back_in_the_order_of_their_deadlines(queue, clock):
    queue.send_batch(["a", "b", "c", "d"])
    for timeout in (4, 3, 3, 1):
        queue.receive(visibility_timeout=timeout)
    clock.advance(seconds=60)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["d", "b", "c", "a"]


def test_of_messages_with_the_same_deadline_the_one_that_was_hidden_first_comes_first(queue, clock):
    queue.send("hidden first", delay_seconds=10)
    queue.send("hidden second")
    clock.advance(seconds=5)
    queue.receive(visibility_timeout=5)
    clock.advance(seconds=5)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["hidden first", "hidden second"]


def test_a_message_that_is_released_goes_behind_everything_available(queue):
    queue.send_batch(["a", "b"])
    [first] = queue.receive()
    queue.change_visibility(first, 0)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["b", "a"]


def test_a_receive_without_a_timeout_hands_out_what_stays_visible(queue):
    queue.send_batch(["a", "b"])
    assert bodies(queue.receive(visibility_timeout=0)) == ["a"]
    assert queue.counts() == (2, 0, 0)
    assert bodies(queue.receive(visibility_timeout=0)) == ["b"]
    [again] = queue.receive(visibility_timeout=0)
    assert (again.body, again.receive_count) == ("a", 2)
    queue.delete(again)
    assert [message.body for message in queue.peek()] == ["b"]


def test_many_messages_whose_time_comes_at_once_all_come_back_once(queue, clock):
    for number in range(30):
        queue.send(str(number))
    for _ in range(3):
        queue.receive(max_number_of_messages=10, visibility_timeout=7)
    clock.advance(seconds=7)
    again = [body for _ in range(10) for body in bodies(queue.receive(max_number_of_messages=3))]
    assert again == [str(number) for number in range(30)]
    assert queue.receive() == []


# --- long polls ------------------------------------------------------------------------------------------


def test_a_long_poll_of_an_empty_queue_ends_when_its_time_is_up(queue, clock):
    start_ns = clock.now_ns()
    assert queue.receive(wait_time_seconds=20) == []
    assert clock.now_ns() == start_ns + 20 * SECOND


def test_a_long_poll_takes_what_is_there_without_waiting(queue, clock):
    queue.send("hello")
    start_ns = clock.now_ns()
    assert bodies(queue.receive(wait_time_seconds=20, max_number_of_messages=10)) == ["hello"]
    assert clock.now_ns() == start_ns


def test_a_long_poll_ends_at_the_instant_at_which_a_delay_ends(queue, clock):
    start_ns = clock.now_ns()
    queue.send("hello", delay_seconds=5)
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    assert clock.now_ns() == start_ns + 5 * SECOND


def test_a_long_poll_ends_at_the_instant_at_which_a_visibility_timeout_passes(queue, clock):
    queue.send("hello")
    start_ns = clock.now_ns()
    queue.receive(visibility_timeout=7)
    [message] = queue.receive(wait_time_seconds=20)
    assert message.receive_count == 2
    assert clock.now_ns() == start_ns + 7 * SECOND


def test_a_message_that_becomes_visible_as_the_wait_ends_still_comes(queue, clock):
    queue.send("hello", delay_seconds=20)
    assert bodies(queue.receive(wait_time_seconds=20)) == ["hello"]
    queue.send("too late", delay_seconds=21)
    assert queue.receive(wait_time_seconds=20) == []


def test_the_queues_waiting_time_counts_unless_the_receive_says_another(broker, clock):
    queue = broker.create_queue("polled", receive_message_wait_time_seconds=10)
    start_ns = clock.now_ns()
    assert queue.receive() == []
    assert clock.now_ns() == start_ns + 10 * SECOND
    assert queue.receive(wait_time_seconds=0) == []
    assert clock.now_ns() == start_ns + 10 * SECOND
    assert queue.receive(wait_time_seconds=3) == []
    assert clock.now_ns() == start_ns + 13 * SECOND


def waiting(queue, **arguments):
    """A thread that long-polls, once it waits, and the list that what it gets is put into."""
    results = []

    def poll():
        try:
            results.append(bodies(queue.receive(wait_time_seconds=20, **arguments)))
        except Exception as error:  # noqa: BLE001 - the test looks at it
            results.append(error)

    thread = threading.Thread(target=poll, daemon=True)
    with queue.broker.lock:
        before = len(queue._waiting)
    thread.start()
    while True:
        with queue.broker.lock:
            if len(queue._waiting) > before:
                return thread, results
        thread.join(0.0005)


@pytest.fixture
def still(request):
    """A queue on a clock that only the test moves."""
    return Broker(clock=VirtualClock(autojump=False), seed=7).create_queue("emails")


def test_a_message_that_is_sent_wakes_one_of_those_who_wait(still):
    first, first_results = waiting(still)
    second, second_results = waiting(still)
    still.send("one")
    first.join(5)
    assert first_results == [["one"]]
    assert second_results == []
    still.send("two")
    second.join(5)
    assert second_results == [["two"]]


def test_a_message_that_is_released_wakes_who_waits(still):
    still.send("hello")
    [message] = still.receive()
    thread, results = waiting(still)
    still.change_visibility(message, 0)
    thread.join(5)
    assert results == [["hello"]]


def test_a_timeout_that_is_cut_short_wakes_who_waits_when_it_passes(still):
    still.send("hello")
    [message] = still.receive(visibility_timeout=600)
    thread, results = waiting(still)
    still.change_visibility(message, 1)
    still.broker.clock.advance(seconds=1)
    thread.join(5)
    assert results == [["hello"]]


def test_a_receive_without_a_timeout_leaves_the_message_to_who_waits(still):
    thread, results = waiting(still)
    with still.broker.lock:  # so that this receive comes before the other one's second look
        still.send("hello")
        assert bodies(still.receive(visibility_timeout=0)) == ["hello"]
    thread.join(5)
    assert results == [["hello"]]


def test_a_delayed_message_that_comes_due_earlier_than_the_wait_knew_wakes_who_waits(still):
    thread, results = waiting(still)
    still.send("soon", delay_seconds=1)
    still.broker.clock.advance(seconds=1)
    thread.join(5)
    assert results == [["soon"]]


def test_deleting_the_queue_ends_the_wait(still):
    thread, results = waiting(still)
    still.delete_queue()
    thread.join(5)
    assert isinstance(results[0], QueueDoesNotExist)


def test_closing_the_broker_ends_the_wait(still):
    thread, results = waiting(still)
    still.broker.close("the power went out")
    thread.join(5)
    assert isinstance(results[0], BrokerClosed)
    assert results[0].reason == "the power went out"


def test_a_changed_setting_lets_those_who_wait_look_again(still):
    thread, results = waiting(still)
    still.set_attributes(visibility_timeout=5)
    still.send("hello")
    thread.join(5)
    assert results == [["hello"]]


class GivesUp(BaseException):
    """What a signal handler may raise at any time."""


class Interrupted(VirtualClock):
    """A clock on which the main thread's wait is interrupted by a message that comes."""

    def wait(self, wakeup, until_ns):
        if threading.current_thread() is not threading.main_thread():
            return super().wait(wakeup, until_ns)
        self.meanwhile()
        raise GivesUp


@pytest.mark.parametrize("others", [0, 1])
def test_who_was_woken_and_gives_up_passes_the_news_on(others):
    clock = Interrupted(autojump=False)
    queue = Broker(clock=clock, seed=7).create_queue("emails")
    waiters = []

    def meanwhile():
        waiters.extend(waiting(queue) for _ in range(others))
        queue.send("for somebody else")

    clock.meanwhile = meanwhile
    with pytest.raises(GivesUp):
        queue.receive(wait_time_seconds=20)
    for thread, results in waiters:
        thread.join(5)
        assert results == [["for somebody else"]]
    assert queue._waiting == {}
    assert len(queue.receive()) == 1 - others


def test_who_gives_up_without_news_is_not_waited_for(still):
    clock = Interrupted(autojump=False)
    queue = Broker(clock=clock, seed=7).create_queue("emails")
    clock.meanwhile = lambda: None
    with pytest.raises(GivesUp):
        queue.receive(wait_time_seconds=20)
    assert queue._waiting == {}


# --- in flight --------------------------------------------------------------------------------------------


@pytest.fixture
def narrow(clock):
    """Queues of which three messages may be in flight."""
    return Broker(clock=clock, seed=7, queue_limits=QueueLimits(in_flight_max=3, fifo_in_flight_max=3))


def test_a_standard_queue_says_when_too_many_messages_are_in_flight(narrow, clock):
    queue = narrow.create_queue("emails")
    queue.send_batch(["a", "b", "c", "d"])
    assert bodies(queue.receive(max_number_of_messages=2)) == ["a", "b"]
    assert bodies(queue.receive(max_number_of_messages=10)) == ["c"]
    with pytest.raises(OverLimit, match="limit of 3"):
        queue.receive()
    assert queue.counts() == (1, 3, 0)


def test_a_long_poll_waits_for_room_without_an_error(narrow, clock):
    queue = narrow.create_queue("emails")
    queue.send_batch(["a", "b", "c", "d"])
    queue.receive(max_number_of_messages=3, visibility_timeout=5)
    start_ns = clock.now_ns()
    assert bodies(queue.receive(wait_time_seconds=20)) == ["d"]
    assert clock.now_ns() == start_ns + 5 * SECOND


def test_a_fifo_queue_says_nothing_when_too_many_messages_are_in_flight(narrow, clock):
    queue = narrow.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
    for body in "abcd":
        queue.send(body, message_group_id=body)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["a", "b", "c"]
    assert queue.receive() == []


def test_there_is_room_again_after_a_delete_a_release_or_a_timeout(narrow, clock):
    queue = narrow.create_queue("emails")
    queue.send_batch(["a", "b", "c", "d", "e", "f"])
    first, second, _third = queue.receive(max_number_of_messages=3)
    queue.delete(first)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["d"]
    queue.change_visibility(second, 0)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["e"]
    clock.advance(seconds=30)
    assert bodies(queue.receive(max_number_of_messages=10)) == ["f", "b", "c"]


def test_delayed_messages_are_not_in_flight(narrow):
    queue = narrow.create_queue("emails")
    for _ in range(5):
        queue.send("later", delay_seconds=60)
    queue.send("now")
    assert bodies(queue.receive()) == ["now"]


def test_two_threads_never_get_the_same_message():
    queue = Queue("emails", seed=7)
    for number in range(400):
        queue.send(str(number))
    received = []

    def work():
        while messages := queue.receive(max_number_of_messages=3):
            received.extend(bodies(messages))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(received, key=int) == [str(number) for number in range(400)]
