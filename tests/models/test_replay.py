"""Changes are the whole truth: who hears only them can rebuild the broker.

A series of calls is made on one broker.  Another, the twin, hears its changes, as a journal
would keep them, and makes no call; in the end both are equal, and answer equally to whatever is
asked next.
"""

import attrs
import pytest
from hypothesis import given, settings
from queue_calls import (
    CONSISTENCY,
    DELIVERY,
    STEPS,
    ask,
    begin_ids_anew,
    create_queues,
    keep_handles,
    new_broker,
    pause,
    seen,
)

from queuestream import VirtualClock
from queuestream.storage.codec import decode, encode


class DiskIsFullError(Exception):
    """What a listener raises that cannot write."""


def check_twin(steps, further_steps, consistency, delivery):
    clock = VirtualClock()
    broker, twin = new_broker(clock, consistency, delivery), new_broker(clock, consistency, delivery)
    heard = []
    broker.listen(lambda changes: heard.extend(decode(encode(changes))))
    create_queues(clock, broker)

    def nothing_by_itself(changes):
        raise AssertionError(f"The twin has changed something by itself: {changes}")

    twin.listen(nothing_by_itself)
    handles = []
    for step in steps:
        if isinstance(step, tuple):
            keep_handles(handles, step, ask(broker, handles, step))
        else:
            pause(clock, broker, step)
        for change in heard:
            change.apply(twin)
        heard.clear()
    expected = seen(broker)
    for change in heard:
        change.apply(twin)
    assert seen(twin) == expected

    twin.listeners = ()
    for one in (broker, twin):
        begin_ids_anew(one, "what comes next")
    for step in further_steps:
        if isinstance(step, tuple):
            answer = ask(broker, handles, step)
            assert ask(twin, handles, step) == answer
            keep_handles(handles, step, answer)
        else:
            pause(clock, broker, step)
    assert seen(twin) == seen(broker)


@given(STEPS, STEPS, CONSISTENCY, DELIVERY)
def test_a_listener_that_hears_only_the_changes_rebuilds_an_equal_broker(
    steps, further_steps, consistency, delivery
):
    check_twin(steps, further_steps, consistency, delivery)


@pytest.mark.slow
@given(STEPS, STEPS, CONSISTENCY, DELIVERY)
@settings(max_examples=400)
def test_a_listener_that_hears_only_the_changes_rebuilds_an_equal_broker_for_long(
    steps, further_steps, consistency, delivery
):
    check_twin(steps, further_steps, consistency, delivery)


def check_refusals(steps, consistency, delivery):
    clock = VirtualClock()
    broker, other = new_broker(clock, consistency, delivery), new_broker(clock, consistency, delivery)
    is_full = False

    def write(changes):
        if is_full:
            raise DiskIsFullError

    broker.listen(write)
    handles = []
    create_queues(clock, broker, other)
    for number, step in enumerate(steps):
        if not isinstance(step, tuple):
            pause(clock, broker, step)
            continue
        before = seen(broker)
        assert seen(other) == before
        is_full = True
        try:
            ask(broker, handles, step)
        except DiskIsFullError:
            pass
        finally:
            is_full = False
        assert seen(broker) == before
        for one in (broker, other):
            begin_ids_anew(one, number)
        answer = ask(broker, handles, step)
        assert ask(other, handles, step) == answer
        keep_handles(handles, step, answer)
    assert seen(broker) == seen(other)


@given(STEPS, CONSISTENCY, DELIVERY)
def test_where_a_listener_raises_nothing_has_changed_and_the_same_call_works_later(
    steps, consistency, delivery
):
    check_refusals(steps, consistency, delivery)


@pytest.mark.slow
@given(STEPS, CONSISTENCY, DELIVERY)
@settings(max_examples=250)
def test_where_a_listener_raises_nothing_has_changed_and_the_same_call_works_later_for_long(
    steps, consistency, delivery
):
    check_refusals(steps, consistency, delivery)


def test_what_the_listener_raised_is_what_the_call_raises(broker, queue):
    def full(changes):
        raise DiskIsFullError

    broker.listen(full)
    with pytest.raises(DiskIsFullError):
        queue.send("hello")
    assert queue.peek() == []


def test_every_listener_hears_one_calls_changes_as_one_tuple(broker, queue):
    heard = []
    broker.listen(heard.append)
    queue.send_batch(["one", "two"])
    [changes] = heard
    assert [change.message.body for change in changes] == ["one", "two"]
    assert all(attrs.has(type(change)) for change in changes)
