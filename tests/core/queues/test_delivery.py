"""What a standard queue may do to its consumers: each knob by itself, and what no knob touches."""

import pytest

from queuestream import STRICT, Broker, Delivery, Queue, QueueLimits, VirtualClock
from queuestream.core.errors import OverLimit
from queuestream.core.queues.message_attributes import ALL
from queuestream.core.queues.polling import LongPoll


def queue_with(clock, *bodies, seed=7, **knobs):
    """A queue with one delivery and some messages."""
    queue = Queue("emails", clock=clock, seed=seed, delivery=Delivery(**knobs))
    for body in bodies:
        queue.send(str(body))
    return queue


def numbers(messages):
    return [int(message.body) for message in messages]


def drained(queue, **how):
    """The numbers of the messages in the order in which they come to long polls, which wait for nothing."""
    received = []
    while queue.counts().visible:
        queue.check_invariants()
        received += numbers(queue.receive(wait_time_seconds=1, visibility_timeout=43_200, **how))
    return received


def overtaken(order):
    """How many of the numbers that come before each one are greater."""
    return [sum(other > number for other in order[:place]) for place, number in enumerate(order)]


# --- servers and short polls: "Amazon SQS short and long polling" ---------------------------------------


def test_a_short_poll_misses_messages_and_a_long_one_finds_them(clock):
    queue = queue_with(clock, "hello", hosts=8)
    short = [bool(queue.receive(visibility_timeout=0)) for _ in range(64)]
    # One server of eight is asked, and each one once in eight polls.
    assert [sum(short[at : at + 8]) for at in range(0, 64, 8)] == [1] * 8
    assert len({short[at : at + 8].index(True) for at in range(0, 64, 8)}) > 1

    started_ns = clock.now_ns()
    [message] = queue.receive(wait_time_seconds=20)
    assert (message.body, clock.now_ns()) == ("hello", started_ns)


def test_a_short_poll_gives_fewer_messages_than_there_are(clock):
    queue = queue_with(clock, *range(24), hosts=8, sampled_hosts=3)
    found = [len(queue.receive(max_number_of_messages=10)) for _ in range(20)]
    assert sum(found) == 24
    assert 0 < found[0] < 10
    assert found.count(0) < 20 - 24 / 10


def test_messages_of_one_server_come_in_order(clock):
    queue = queue_with(clock, *range(60), hosts=4)
    lines = {}
    while queue.counts().visible:
        for message in queue.receive():
            host = queue._ordering._host_of(queue._received[message.receipt_handle[:32]])
            lines.setdefault(host, []).append(int(message.body))
    assert len(lines) == 4
    assert all(line == sorted(line) for line in lines.values())
    assert max(len(line) for line in lines.values()) < 30


def test_the_servers_that_a_short_poll_asks_are_drawn_by_weight(clock):
    queue = queue_with(clock, hosts=4, sampled_hosts=2)
    asked = [queue._ordering._hosts_of_poll(poll) for poll in range(400)]
    assert all(len({*hosts}) == 2 for hosts in asked)
    counts = [sum(host in hosts for hosts in asked) for host in range(4)]
    assert counts == sorted(counts, reverse=True)
    assert all(sum(hosts[0] == host for hosts in asked) == 100 for host in range(4))


def test_where_all_servers_are_asked_a_short_poll_misses_nothing(clock):
    queue = queue_with(clock, *range(30), hosts=4, sampled_hosts=64)
    received = [number for _ in range(3) for number in numbers(queue.receive(max_number_of_messages=10))]
    assert received == [*range(30)]


def test_an_empty_queue_counts_no_polls(clock):
    queue = queue_with(clock, hosts=8)
    assert queue.receive() == []
    assert queue._ordering.polls == 0


def test_an_overfull_queue_says_so_whichever_servers_it_has(clock):
    limits = QueueLimits(in_flight_max=1)
    broker = Broker(clock=clock, queue_limits=limits, delivery=Delivery(hosts=2, sampled_hosts=2))
    queue = broker.create_queue("emails")
    queue.send_batch(["0", "1"])
    queue.receive()
    with pytest.raises(OverLimit):
        queue.receive()


# --- order: "Amazon SQS standard queues" ----------------------------------------------------------------


@pytest.mark.parametrize("overtaken_max", [1, 3, 10])
@pytest.mark.parametrize("reordering", [0.2, 1])
def test_a_message_is_overtaken_by_so_many_and_overtakes_so_many_at_most(clock, reordering, overtaken_max):
    queue = queue_with(clock, *range(200), reordering=reordering, overtaken_max=overtaken_max)
    order = drained(queue, max_number_of_messages=7)
    assert sorted(order) == [*range(200)]
    most = max(overtaken(order))
    assert most == overtaken_max if reordering == 1 else 0 < most <= overtaken_max
    assert max(number - place for place, number in enumerate(order)) <= overtaken_max


def test_the_share_of_reordered_deliveries_is_the_one_that_was_asked_for(clock):
    queue = queue_with(clock, *range(400), reordering=0.1, overtaken_max=10)
    order = drained(queue, max_number_of_messages=10)
    ahead = sum(number != min(order[place:]) for place, number in enumerate(order))
    assert 20 < ahead < 60


def test_a_message_that_was_overtaken_often_enough_is_next_also_when_its_server_was_left_out(clock):
    queue = queue_with(clock, *range(120), hosts=4, sampled_hosts=2, reordering=1, overtaken_max=3)
    while queue.counts().visible:
        queue.receive(max_number_of_messages=3)
        queue.check_invariants()  # nobody is overtaken more often


def test_orders_differ_between_seeds_and_queues_and_are_repeated_by_them(clock):
    def order(seed):
        return drained(queue_with(clock, *range(30), reordering=0.5, seed=seed), max_number_of_messages=10)

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(10)}) == 10


def test_the_ids_of_messages_are_those_of_a_strict_queue(clock):
    strict, loose = (Broker(clock=clock, seed=3, delivery=name) for name in ("strict", "adversarial"))
    for broker in (strict, loose):
        queue = broker.create_queue("emails")
        for _ in range(5):
            queue.send("hello")
            queue.receive()
    assert [message.message_id for message in strict.queue("emails").peek()] == [
        message.message_id for message in loose.queue("emails").peek()
    ]


# --- copies: "At-least-once delivery" -------------------------------------------------------------------


def test_a_duplicate_is_the_same_message_once_more_while_the_first_receive_lasts(clock):
    queue = queue_with(clock, "hello", duplicates=1)
    [first] = queue.receive(visibility_timeout=30)
    clock.advance(seconds=29)
    [copy] = queue.receive(visibility_timeout=30)
    assert (copy.message_id, copy.body) == (first.message_id, first.body)
    assert copy.receipt_handle != first.receipt_handle
    assert (first.receive_count, copy.receive_count) == (1, 2)
    assert queue.counts() == (0, 1, 0)

    # One copy, and both are hidden as long as the last receive says.
    clock.advance(seconds=29)
    assert queue.receive() == []
    clock.advance(seconds=1)
    assert [message.receive_count for message in queue.receive()] == [3]
    assert queue.receive() == []


def test_a_duplicate_is_gone_when_the_first_receive_is_over(clock):
    queue = queue_with(clock, "hello", duplicates=1)
    queue.receive(visibility_timeout=30)
    clock.advance(seconds=30)
    [again] = queue.receive(max_number_of_messages=10)
    assert again.receive_count == 2
    assert queue.receive() == []


@pytest.mark.parametrize("with_handle_of", [0, 1])
def test_either_handle_deletes_a_duplicated_message(clock, with_handle_of):
    queue = queue_with(clock, "hello", duplicates=1)
    handles = [queue.receive()[0], queue.receive()[0]]
    queue.delete(handles[with_handle_of])
    queue.delete(handles[1 - with_handle_of])
    assert queue.peek() == []


def test_a_message_that_is_deleted_at_once_is_not_duplicated(clock):
    queue = queue_with(clock, "hello", duplicates=1)
    queue.delete(queue.receive()[0])
    assert queue.receive() == []


def test_a_duplicate_that_is_received_for_no_time_leaves_the_message_visible(clock):
    queue = queue_with(clock, "hello", duplicates=1)
    queue.receive()
    queue.receive(visibility_timeout=0)
    assert queue.counts() == (1, 0, 0)
    queue.check_invariants()


def test_a_duplicate_wakes_somebody_who_waits(clock):
    queue = queue_with(clock, duplicates=1)
    polls = [LongPoll(queue, queue._check_receive(1, None, 20, ALL, None)) for _ in range(2)]
    assert [poll.attempt() for poll in polls] == [None, None]
    queue.send("hello")
    assert [poll.wakeup.is_set for poll in polls] == [True, False]
    [first] = polls[0].attempt()
    assert polls[1].wakeup.is_set
    [copy] = polls[1].attempt()
    assert copy.message_id == first.message_id


def test_a_share_of_the_messages_is_duplicated(clock):
    queue = queue_with(clock, *range(1_000), duplicates=0.1)
    received = []
    while messages := queue.receive(max_number_of_messages=10):
        received += numbers(messages)
    assert 70 < len(received) - 1_000 < 130
    assert {*received} == {*range(1_000)}
    assert max(received.count(number) for number in {*received}) == 2


# --- returns: DeleteMessage -----------------------------------------------------------------------------


def test_a_deleted_message_may_come_back_twice_and_then_no_more(clock):
    queue = queue_with(clock, "hello", returns=1)
    counts = []
    for _ in range(3):
        [message] = queue.receive()
        counts.append(message.receive_count)
        queue.delete(message)
        queue.check_invariants()
    assert counts == [1, 2, 3]
    assert queue.peek() == []


def test_a_message_comes_back_behind_the_others_and_the_batch_says_it_was_deleted(clock):
    queue = queue_with(clock, *range(4), returns=1)
    first = queue.receive(max_number_of_messages=2)
    assert queue.delete_batch(first).failed == {}
    assert queue.counts() == (4, 0, 0)
    assert numbers(queue.receive(max_number_of_messages=10)) == [2, 3, 0, 1]


def test_a_share_of_the_deletes_is_undone(clock):
    queue = queue_with(clock, *range(1_000), returns=0.1)
    for _ in range(100):
        queue.delete_batch(queue.receive(max_number_of_messages=10, visibility_timeout=43_200))
    assert 70 < len(queue.peek()) < 130


def test_a_message_whose_timeout_has_passed_is_deleted_for_good(clock):
    queue = queue_with(clock, "hello", returns=1)
    [message] = queue.receive(visibility_timeout=1)
    clock.advance(seconds=1)
    queue.delete(message)
    assert queue.peek() == []


# --- the back of the queue: ApproximateAgeOfOldestMessage -----------------------------------------------


def test_a_message_comes_back_to_its_place_until_it_was_received_too_often(clock):
    queue = queue_with(clock, *range(4), back_after_receives=3)
    received = []
    for _ in range(4):
        received += numbers(queue.receive(visibility_timeout=1))
        clock.advance(seconds=1)
    assert received == [0, 0, 0, 1]
    assert drained(queue, max_number_of_messages=10) == [1, 2, 3, 0]


def test_a_message_that_is_given_back_keeps_its_place_among_those_of_its_instant(clock):
    queue = queue_with(clock, *range(4), back_after_receives=3)
    one, two = queue.receive(max_number_of_messages=2)
    queue.change_visibility(two, 0)
    queue.change_visibility(one, 0)
    queue.send("4")
    assert drained(queue, max_number_of_messages=10) == [0, 1, 2, 3, 4]


def test_a_message_that_was_received_too_often_stands_behind_all_that_is_there(clock):
    queue = queue_with(clock, *range(2), back_after_receives=2)
    for _ in range(2):
        queue.change_visibility(queue.receive()[0], 0)
    queue.send("2")
    clock.advance(seconds=1)
    queue.send("3")
    # The others of its instant come first, those that were sent later do not.
    assert drained(queue, max_number_of_messages=10) == [1, 2, 0, 3]


# --- dead letters ---------------------------------------------------------------------------------------


def with_dead_letters(clock, max_receive_count, **knobs):
    broker = Broker(clock=clock, seed=7, delivery=Delivery(**knobs))
    dead = broker.create_queue("dead")
    policy = {"deadLetterTargetArn": dead.arn, "maxReceiveCount": max_receive_count}
    return broker.create_queue("emails", redrive_policy=policy), dead


def test_a_copy_does_not_take_a_message_to_the_dead_letter_queue(clock):
    queue, dead = with_dead_letters(clock, 1, duplicates=1, returns=1)
    queue.send("hello")
    [message] = queue.receive()
    assert queue.receive() == []
    queue.delete(message)
    assert queue.peek() == dead.peek() == []


def test_copies_that_nobody_may_receive_are_forgotten_with_their_messages(clock):
    queue, _ = with_dead_letters(clock, 1, duplicates=1)
    for _ in range(20):
        queue.send("hello")
        queue.delete(queue.receive()[0])
    assert len(queue._copies._waiting) <= 1


def test_a_message_that_failed_too_often_goes_to_the_dead_letter_queue_by_whatever_way(clock):
    queue, dead = with_dead_letters(clock, 2, reordering=1, duplicates=1, hosts=4)
    queue.send_batch([str(number) for number in range(10)])
    for _ in range(30):
        queue.receive(max_number_of_messages=10, visibility_timeout=1)
        clock.advance(seconds=1)
    assert queue.peek() == []
    assert sorted(message.body for message in dead.peek()) == [str(number) for number in range(10)]


# --- what is not touched --------------------------------------------------------------------------------


def test_a_fifo_queue_keeps_order_and_delivers_once():
    def answers(delivery):
        clock = VirtualClock()
        broker = Broker(clock=clock, seed=1, delivery=delivery)
        queue = broker.create_queue("orders.fifo", fifo_queue=True, content_based_deduplication=True)
        seen = []
        for number in range(40):
            queue.send(str(number), message_group_id=f"group-{number % 3}")
        for step in range(40):
            messages = queue.receive(max_number_of_messages=3, visibility_timeout=5)
            seen.append([(message.body, message.receive_count) for message in messages])
            for message in messages[: step % 3]:
                queue.delete(message)
            clock.advance(seconds=2)
        return seen, queue.peek()

    assert answers("adversarial") == answers("strict")


def test_a_fair_queue_keeps_its_order_and_copies_messages():
    def queue(**knobs):
        queue = queue_with(VirtualClock(), **knobs)
        for number in range(12):
            queue.send(str(number), message_group_id=f"tenant-{number % 3}")
        return queue

    ordered = queue(hosts=8, reordering=1, back_after_receives=3)
    assert numbers(ordered.receive(max_number_of_messages=10)) == [*range(10)]

    copying = queue(duplicates=1, returns=1)
    first = copying.receive(max_number_of_messages=6)
    again = copying.receive(max_number_of_messages=10)
    assert numbers(again) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [message.receive_count for message in again] == [2] * 6 + [1] * 4
    copying.delete_batch(first)
    copying.check_invariants()
    assert copying.counts() == (8, 4, 0)


def test_a_queue_becomes_fair_with_what_it_has(clock):
    queue = queue_with(clock, *range(6), hosts=4, reordering=1, duplicates=1)
    queue.receive(wait_time_seconds=1)
    queue.send("6", message_group_id="tenant")
    queue.check_invariants()
    received = numbers(queue.receive(max_number_of_messages=10))
    assert sorted(received) == [*range(7)]


def test_a_purged_queue_departs_as_before(clock):
    queue = queue_with(clock, *range(5), reordering=1, duplicates=1)
    queue.receive()
    queue.purge()
    assert queue.receive() == []
    for number in range(20):
        queue.send(str(number))
    assert drained(queue, max_number_of_messages=5) != [*range(20)]


def test_a_move_task_takes_messages_from_every_server(clock):
    queue, dead = with_dead_letters(clock, 2, hosts=8, reordering=1)
    for number in range(10):
        dead.send(str(number))
    dead.start_message_move_task(queue.arn)
    clock.advance(seconds=1)
    assert queue.counts() == (10, 0, 0)
    assert dead.peek() == []
    queue.broker.check_invariants()


@pytest.mark.parametrize("delivery", [STRICT, Delivery(back_after_receives=3), Delivery(reordering=1.0)])
def test_a_queue_that_becomes_fair_goes_on_in_the_order_in_which_messages_became_available(delivery):
    clock = VirtualClock()
    queue = Queue("emails", clock=clock, delivery=delivery, visibility_timeout=2)
    queue.send_batch(["older", "younger"])
    received = {message.body: message for message in queue.receive(max_number_of_messages=2)}
    clock.advance(seconds=1)
    queue.change_visibility(received["older"], 1)
    clock.advance(seconds=1)  # both have come due, and the younger one was hidden for longer
    queue.send("of a tenant", message_group_id="a")
    bodies = [message.body for message in queue.receive(max_number_of_messages=10)]
    assert bodies == ["younger", "older", "of a tenant"]
