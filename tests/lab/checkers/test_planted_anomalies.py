"""What is planted into a right history is found, under its own name.

A plant takes a right history (naive_runs.py) and makes it wrong in one place; it gives the events, or None
where this history has no place for it.
"""

from random import Random

import attrs
import pytest
from naive_runs import TIMEOUT, right_queue, right_stream

from queuestream.lab import check


def changed(events, *replacements):
    """The events with others in the places of some; None takes one out."""
    wanted = dict(replacements)
    return [
        wanted.get(place, event) for place, event in enumerate(events) if wanted.get(place, event) is not None
    ]


def places(events, operation, **fields):
    return [
        place
        for place, event in enumerate(events)
        if event.operation == operation
        and event.message is not None
        and event.outcome == "ok"
        and all(getattr(event, name) == value for name, value in fields.items())
    ]


def later(event, at_ns, actor="late"):
    """The same again, by somebody else and at another time."""
    return attrs.evolve(
        event,
        actor=actor,
        started_ns=at_ns,
        ended_ns=at_ns,
        visible_ns=at_ns + TIMEOUT,
        receipt=f"again {at_ns}",
    )


def end_of(events):
    return max(event.ended_ns or event.started_ns for event in events)


# --- into a queue ---------------------------------------------------------------------------------------


def a_message_that_never_came(events, chance):
    sent = [events[place].message for place in places(events, "send")]
    if not sent:
        return None
    name = chance.choice(sent)
    return [event for event in events if event.message != name or event.operation == "send"]


def a_message_that_nobody_sent(events, chance):
    received = places(events, "receive")
    if not received or not places(events, "send"):
        return None
    place = chance.choice(received)
    invented = attrs.evolve(events[place], message="invented", message_id="invented", receipt="invented")
    return [*events, invented]


def a_message_whose_send_had_failed(events, chance):
    received = {events[place].message for place in places(events, "receive")}
    sends = [place for place in places(events, "send") if events[place].message in received]
    if not sends:
        return None
    place = chance.choice(sends)
    return changed(events, (place, attrs.evolve(events[place], outcome="failed")))


def a_second_holder(events, chance):
    """Somebody receives a message one instant after another one has it, who keeps it."""
    for place in chance.sample(places(events, "receive"), len(places(events, "receive"))):
        event = events[place]
        touched = [
            other.started_ns
            for other in events
            if other.message == event.message
            and other.operation in {"change_visibility", "delete"}
            and (other.ended_ns is None or other.ended_ns >= event.started_ns)
        ]
        at_ns = event.ended_ns + 1
        if at_ns < min([event.visible_ns, *touched]):
            return [*events, later(event, at_ns)]
    return None


def a_message_that_came_back(events, chance):
    """Somebody receives what was deleted, in time, a good while ago."""
    for place in chance.sample(places(events, "delete"), len(places(events, "delete"))):
        delete = events[place]
        own = places(events, "receive", receipt=delete.receipt)
        if own and delete.ended_ns < events[own[0]].visible_ns:
            name = delete.message
            if not any(each.operation == "change_visibility" and each.message == name for each in events):
                return [*events, later(events[own[0]], end_of(events) + 1)]
    return None


def a_message_that_was_dropped(events, chance):
    """Somebody received it and crashed, and that was the last that anybody saw of it."""
    for place in chance.sample(places(events, "receive"), len(places(events, "receive"))):
        name = events[place].message
        first = places(events, "receive", message=name)[0]
        rest = [
            event
            for number, event in enumerate(events)
            if event.message != name or event.operation == "send" or number == first
        ]
        look = attrs.evolve(events[place], message=None, message_id=None, receipt=None, visible_ns=None)
        look.started_ns = look.ended_ns = end_of(events) + 2 * TIMEOUT
        unheard = any(event.operation == "receive" and event.outcome == "unknown" for event in events)
        if places(rest, "delete") and not unheard:
            return [*rest, look]
    return None


def two_messages_under_one_id(events, chance):
    received = places(events, "receive")
    names = {events[place].message for place in received}
    if len(names) < 2:
        return None
    one = chance.choice(received)
    other = chance.choice([place for place in received if events[place].message != events[one].message])
    return changed(events, (other, attrs.evolve(events[other], message_id=events[one].message_id)))


# --- into a FIFO queue ----------------------------------------------------------------------------------


def neighbours(events, chance):
    """Two messages of a group that were each received once and deleted in time, one after the other."""
    once = {}
    for place in places(events, "receive"):
        once.setdefault(events[place].message, []).append(place)
    deleted = {
        events[place].message
        for place in places(events, "delete")
        if not any(
            event.message == events[place].message and event.operation == "change_visibility"
            for event in events
        )
    }
    singles = [own[0] for name, own in once.items() if len(own) == 1 and name in deleted]
    pairs = [
        (one, other)
        for one in singles
        for other in singles
        if events[one].group == events[other].group
        and int(events[one].sequence_number) < int(events[other].sequence_number)
        and events[one].ended_ns < events[other].started_ns
    ]
    return chance.choice(pairs) if pairs else None


IDENTITY = ("message", "message_id", "sequence_number", "receipt", "group")


def two_messages_that_changed_places(events, chance):
    pair = neighbours(events, chance)
    if pair is None:
        return None
    names = [events[place].message for place in pair]
    identity = [{field: getattr(events[place], field) for field in IDENTITY} for place in pair]
    return [
        attrs.evolve(event, **identity[1 - names.index(event.message)])
        if event.message in names and event.operation != "send"
        else event
        for event in events
    ]


def a_message_that_did_not_wait(events, chance):
    """The next message of a group is received an instant after the first."""
    pair = neighbours(events, chance)
    if pair is None:
        return None
    first, second = (events[place] for place in pair)
    [delete] = places(events, "delete", message=first.message)[:1]
    at_ns = first.ended_ns + 1
    sent = places(events, "send", message=second.message)
    if at_ns >= min(events[delete].started_ns, first.visible_ns):
        return None
    if not sent or events[sent[0]].ended_ns >= at_ns:
        return None
    received = [events[place] for place in places(events, "receive", group=first.group)]
    if any(
        event.ended_ns >= first.started_ns
        for event in received
        if event.message != first.message and int(event.sequence_number) < int(second.sequence_number)
    ):
        return None  # there is another one for which it did not wait
    early = attrs.evolve(second, started_ns=at_ns, ended_ns=at_ns, visible_ns=at_ns + 1)
    return changed(events, (pair[1], early))


def a_number_below_the_last(events, chance):
    sends = places(events, "send")
    for place in chance.sample(sends, len(sends)):
        send = events[place]
        before = [
            other
            for other in sends
            if events[other].group == send.group and events[other].ended_ns < send.started_ns
        ]
        if before:
            return changed(events, (place, attrs.evolve(send, sequence_number="1")))
    return None


def a_message_that_was_taken_twice(events, chance):
    sends = places(events, "send")
    if not sends:
        return None
    place = chance.choice(sends)
    send = attrs.evolve(events[place], deduplication_id="same")
    at_ns = end_of(events) + 1
    again = attrs.evolve(
        send, message_id="another", sequence_number=str(at_ns), started_ns=at_ns, ended_ns=at_ns
    )
    return [*changed(events, (place, send)), again]


def is_a_position(events, name):
    """Whether some reader took up its position at this record."""
    numbers = {events[place].sequence_number for place in places(events, "put", message=name)}
    return any(event.operation == "seek" and event.sequence_number in numbers for event in events)


# --- into a stream --------------------------------------------------------------------------------------


def a_record_that_was_left_out(events, chance):
    """In the middle: the reader got one before it and one after it, and never this one."""
    got = [events[place].message for place in places(events, "get", shard="parent")]
    names = [name for name in dict.fromkeys(got[1:-1]) if name not in {got[0], got[-1]}]
    names = [
        name for name in names if places(events, "put", message=name) and not is_a_position(events, name)
    ]
    if not names:
        return None
    name = chance.choice(names)
    return [event for event in events if event.message != name or event.operation != "get"]


def a_record_that_came_twice(events, chance):
    got = places(events, "get")
    steps = [place for place, event in enumerate(events) if event.operation in {"seek", "finish"}]
    last = max(got, default=-1)
    if any(place > last and events[place].actor == events[last].actor for place in steps) or not got:
        return None
    return [*events, attrs.evolve(events[last], started_ns=end_of(events) + 1, ended_ns=end_of(events) + 2)]


def a_record_with_the_content_of_another(events, chance):
    put = {events[place].message for place in places(events, "put")}
    got = [place for place in places(events, "get") if events[place].message in put]
    if len(put) < 2 or not got:
        return None
    place = chance.choice(got)
    other = chance.choice(sorted(put - {events[place].message}))
    return changed(events, (place, attrs.evolve(events[place], message=other)))


def a_put_with_a_number_below_the_last(events, chance):
    puts = places(events, "put")
    for place in puts[1:]:
        put = events[place]
        if any(
            events[other].shard == put.shard and events[other].ended_ns < put.started_ns for other in puts
        ):
            return changed(events, (place, attrs.evolve(put, sequence_number="1")))
    return None


def a_child_before_its_parent(events, chance):
    """The first record of the child is got before everything that happened."""
    children, parents = places(events, "get", shard="child"), places(events, "get", shard="parent")
    if not children or not parents:
        return None
    early = attrs.evolve(events[children[0]], started_ns=-2, ended_ns=-1, actor="early")
    return [early, *events]


def an_end_before_the_last_record(events, chance):
    got = places(events, "get", shard="parent")
    finishes = [place for place, event in enumerate(events) if event.operation == "finish"]
    name = events[got[-1]].message if got else ""
    if not finishes or not places(events, "put", message=name) or is_a_position(events, name):
        return None
    return [event for event in events if event.message != name or event.operation != "get"]


PLANTS = [
    ("standard", a_message_that_never_came, "lost"),
    ("standard", a_message_that_nobody_sent, "unexpected"),
    ("standard", a_message_whose_send_had_failed, "aborted-read"),
    ("standard", a_second_holder, "duplicated"),
    ("standard", a_message_that_came_back, "resurrected"),
    ("standard", a_message_that_was_dropped, "vanished"),
    ("standard", two_messages_under_one_id, "inconsistent"),
    ("fifo", a_message_that_never_came, "lost"),
    ("fifo", a_second_holder, "duplicated"),
    ("fifo", a_message_that_came_back, "resurrected"),
    ("fifo", a_message_that_was_dropped, "vanished"),
    ("fifo", two_messages_that_changed_places, "out-of-order"),
    ("fifo", a_message_that_did_not_wait, "group-lock"),
    ("fifo", a_number_below_the_last, "nonmonotonic-send"),
    ("fifo", a_message_that_was_taken_twice, "undeduplicated"),
    ("stream", a_record_that_was_left_out, "poll-skip"),
    ("stream", a_record_that_came_twice, "nonmonotonic-poll"),
    ("stream", a_record_with_the_content_of_another, "inconsistent"),
    ("stream", a_put_with_a_number_below_the_last, "nonmonotonic-send"),
    ("stream", a_child_before_its_parent, "child-before-parent"),
    ("stream", an_end_before_the_last_record, "poll-skip"),
]
RIGHT = {
    "standard": lambda chance: right_queue(chance, fifo=False),
    "fifo": lambda chance: right_queue(chance, fifo=True),
    "stream": right_stream,
}


def plant_all(plant, promise, kind, seeds):
    """How many histories had a place for it; it is found in each of them."""
    planted = 0
    for seed in seeds:
        chance = Random(seed)
        events = plant(RIGHT[promise](chance), chance)
        if events is not None:
            planted += 1
            assert kind in check(events).found, (seed, str(check(events)))
    return planted


@pytest.mark.parametrize(
    ("promise", "plant", "kind"), PLANTS, ids=lambda value: getattr(value, "__name__", value)
)
def test_what_is_planted_is_found(promise, plant, kind):
    assert plant_all(plant, promise, kind, range(20)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("promise", "plant", "kind"), PLANTS, ids=lambda value: getattr(value, "__name__", value)
)
def test_what_is_planted_is_found_again_and_again(promise, plant, kind):
    assert plant_all(plant, promise, kind, range(20, 400)) >= 10
