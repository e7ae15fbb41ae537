"""Calls of queues as values, which any broker can be asked, and what can be seen of a broker afterwards."""

from hypothesis import strategies as st

from queuestream import STRICT, Broker, Delivery
from queuestream.core.errors import ServiceError
from queuestream.core.ids import Ids
from queuestream.core.queues.consistency import AT_ONCE, EVENTUAL, Consistency
from queuestream.core.queues.limits import QueueLimits

LIMITS = QueueLimits(in_flight_max=6, fifo_in_flight_max=6, fifo_look_ahead_max=5)
STANDARD = ("tasks", "mails", "dead")
WITHOUT_GROUPS = "mails"
FIFO = ("orders.fifo", "bills.fifo", "dead.fifo")
ACCOUNT = "123456789012"


def send(broker, handles, queue, *, delay, group, deduplication_id, attributes):
    group = None if queue == WITHOUT_GROUPS else group
    arguments = {"message_group_id": group, "message_attributes": attributes}
    if queue in FIFO:
        arguments |= {"message_group_id": group or "all", "message_deduplication_id": deduplication_id}
    else:
        arguments |= {"delay_seconds": delay}
    return broker.queue(queue).send("message", **arguments)


def send_batch(broker, handles, queue, *, groups):
    entries = [{"id": str(n), "message_body": f"{n} of {group}"} for n, group in enumerate(groups)]
    if queue != WITHOUT_GROUPS:
        for entry, group in zip(entries, groups, strict=True):
            entry["message_group_id"] = group
    return broker.queue(queue).send_batch(entries)


def receive(broker, handles, queue, *, count, visibility_timeout, attempt_id):
    return broker.queue(queue).receive(
        max_number_of_messages=count,
        visibility_timeout=visibility_timeout,
        receive_request_attempt_id=attempt_id if queue in FIFO else None,
    )


def picked(handles, pick):
    return handles[-1 - pick % len(handles)] if handles else ("tasks", "no handle")


def delete(broker, handles, *, pick):
    queue, handle = picked(handles, pick)
    return broker.queue(queue).delete(handle)


def delete_batch(broker, handles, *, picks):
    queue, _ = picked(handles, picks[0])
    return broker.queue(queue).delete_batch([picked(handles, pick)[1] for pick in picks])


def change_visibility(broker, handles, *, pick, seconds):
    queue, handle = picked(handles, pick)
    return broker.queue(queue).change_visibility(handle, seconds)


def change_visibility_batch(broker, handles, *, changes):
    queue, _ = picked(handles, changes[0][0])
    return broker.queue(queue).change_visibility_batch(
        [(picked(handles, pick)[1], seconds) for pick, seconds in changes]
    )


def set_attributes(broker, handles, queue, *, attributes):
    return broker.queue(queue).set_attributes(**attributes)


def redrive(broker, handles, queue, *, to, max_receive_count):
    policy = {"deadLetterTargetArn": broker.queue(to).arn, "maxReceiveCount": max_receive_count}
    return broker.queue(queue).set_attributes(redrive_policy=policy if max_receive_count else None)


def tag(broker, handles, queue, *, key, value):
    return broker.queue(queue).tag({key: value})


def untag(broker, handles, queue, *, key):
    return broker.queue(queue).untag([key])


def add_permission(broker, handles, queue, *, label):
    return broker.queue(queue).add_permission(label, [ACCOUNT], ["SendMessage"])


def remove_permission(broker, handles, queue, *, label):
    return broker.queue(queue).remove_permission(label)


def purge(broker, handles, queue):
    return broker.queue(queue).purge()


def delete_queue(broker, handles, queue):
    return broker.delete_queue(queue)


def create_queue(broker, handles, queue):
    kind = {"fifo_queue": True, "content_based_deduplication": True} if queue in FIFO else {}
    return broker.create_queue(queue, tags={"made": "again"}, **kind).name


def start_message_move_task(broker, handles, queue, *, to, rate):
    return broker.queue(queue).start_message_move_task(
        None if to is None else broker.queue(to).arn, max_number_of_messages_per_second=rate
    )


def cancel_message_move_task(broker, handles, *, pick):
    tasks = broker._message_move_tasks().tasks
    return broker.cancel_message_move_task(tasks[pick % len(tasks)].handle if tasks else "no task")


def look(broker, handles, queue):
    """Not a call that changes anything: the twin does not hear of it."""
    return broker.queue(queue).peek()


def call(function, **arguments):
    return st.tuples(st.just(function), st.fixed_dictionaries(arguments))


QUEUE = st.sampled_from(STANDARD + FIFO)
BUSY_QUEUE = st.sampled_from(
    ["tasks", "tasks", "mails", "mails", "orders.fifo", "orders.fifo", "orders.fifo", "dead", "dead.fifo"]
)
GROUP = st.sampled_from(["a", "b", "c"])
PICK = st.integers(0, 9)
SECONDS = st.sampled_from([0, 1, 2, 5, 30, 43_200])
COUNT = st.sampled_from([1, 2, 10])

SENDS = st.one_of(
    call(
        send,
        queue=BUSY_QUEUE,
        delay=st.sampled_from([None, 1, 5]),
        group=st.none() | GROUP,
        deduplication_id=st.sampled_from([None, None, "once"]),
        attributes=st.sampled_from([None, {"n": 1, "kind": "x", "data": b"\0"}]),
    ),
    call(send_batch, queue=BUSY_QUEUE, groups=st.lists(GROUP, min_size=1, max_size=6)),
)
RECEIVES = call(
    receive,
    queue=BUSY_QUEUE,
    count=COUNT,
    visibility_timeout=st.sampled_from([None, 0, 1, 1, 2, 5]),
    attempt_id=st.sampled_from([None, None, "attempt"]),
)
RECEIVERS_WORK = st.one_of(
    call(delete, pick=PICK),
    call(delete_batch, picks=st.lists(PICK, min_size=1, max_size=4)),
    call(change_visibility, pick=PICK, seconds=SECONDS),
    call(change_visibility_batch, changes=st.lists(st.tuples(PICK, SECONDS), min_size=1, max_size=4)),
    call(look, queue=BUSY_QUEUE),
)
MOVE_TASKS = st.one_of(
    call(
        start_message_move_task,
        queue=st.sampled_from(["dead", "dead.fifo"]),
        to=st.none() | BUSY_QUEUE,
        rate=st.sampled_from([None, 1, 2]),
    ),
    call(cancel_message_move_task, pick=PICK),
)
SETTINGS = st.one_of(
    call(
        set_attributes,
        queue=BUSY_QUEUE,
        attributes=st.one_of(
            st.builds(dict, delay_seconds=st.sampled_from([0, 1, 5])),
            st.builds(dict, message_retention_period=st.sampled_from([60, 61, 345_600])),
            st.builds(dict, visibility_timeout=st.sampled_from([1, 30])),
            st.builds(dict, deduplication_scope=st.sampled_from(["queue", "messageGroup"])),
            st.just({"redrive_allow_policy": {"redrivePermission": "denyAll"}}),
            st.just({"redrive_allow_policy": None}),
        ),
    ),
    call(redrive, queue=BUSY_QUEUE, to=BUSY_QUEUE, max_receive_count=st.sampled_from([0, 1, 1, 2])),
)
REST = st.one_of(
    call(tag, queue=QUEUE, key=GROUP, value=GROUP),
    call(untag, queue=QUEUE, key=GROUP),
    call(add_permission, queue=QUEUE, label=GROUP),
    call(remove_permission, queue=QUEUE, label=GROUP),
    call(purge, queue=QUEUE),
    call(delete_queue, queue=QUEUE),
    call(create_queue, queue=QUEUE),
    call(create_queue, queue=BUSY_QUEUE),
)
# A step is a call, or seconds that pass, or a pause until just before or just when something happens.
PAUSES = st.sampled_from([1, 1, 2, 5, 60, 300, "before the next event", "next event", "next event"])
WEIGHTS = {SENDS: 5, RECEIVES: 6, RECEIVERS_WORK: 3, PAUSES: 5, MOVE_TASKS: 1, SETTINGS: 2, REST: 1}
STEP = st.sampled_from([kind for kind, weight in WEIGHTS.items() for _ in range(weight)]).flatmap(
    lambda kind: kind
)
# How late a change comes: not at all, after a few of the pauses above, as late as AWS says.
CONSISTENCY = st.sampled_from(
    [
        AT_ONCE,
        Consistency(
            attributes_seconds=2,
            retention_period_seconds=61,
            purge_seconds=3,
            creation_seconds=1,
            deletion_seconds=4,
            counts_seconds=5,
        ),
        EVENTUAL,
    ]
)
MAIL = {"queue": WITHOUT_GROUPS, "group": None, "deduplication_id": None, "attributes": None}
SHARE = st.sampled_from([0, 0.5, 1])
# Knobs that turn everything around within a few messages.
DELIVERY = st.one_of(
    st.just(STRICT),
    st.builds(
        Delivery,
        hosts=st.sampled_from([1, 3]),
        sampled_hosts=st.sampled_from([1, 2]),
        reordering=SHARE,
        overtaken_max=st.sampled_from([1, 2, 10]),
        duplicates=SHARE,
        returns=SHARE,
        back_after_receives=st.sampled_from([1, 2, 3]),
    ),
)
# One queue that is asked for much, so that what it does to its messages happens to many of them.
BUSY_DELIVERY = st.builds(
    Delivery,
    hosts=st.sampled_from([1, 3, 5]),
    sampled_hosts=st.sampled_from([1, 2]),
    reordering=st.sampled_from([0, 0.7, 1]),
    overtaken_max=st.sampled_from([1, 2, 4]),
    duplicates=SHARE,
    returns=SHARE,
    back_after_receives=st.sampled_from([1, 2, 3]),
)
BUSY_STEP = st.sampled_from(
    [
        (send_batch, {"queue": WITHOUT_GROUPS, "groups": ["a"] * 5}),
        (send, MAIL | {"delay": None}),
        (send, MAIL | {"delay": 1}),
        *[
            (receive, {"queue": WITHOUT_GROUPS, "attempt_id": None, "count": count, "visibility_timeout": 5})
            for count in (1, 1, 1, 2, 10)
        ],
        (receive, {"queue": WITHOUT_GROUPS, "attempt_id": None, "count": 2, "visibility_timeout": 0}),
        (delete, {"pick": 0}),
        (delete_batch, {"picks": [0, 1, 2]}),
        (change_visibility, {"pick": 1, "seconds": 0}),
        (change_visibility, {"pick": 2, "seconds": 1}),
        (look, {"queue": WITHOUT_GROUPS}),
        1,
        "next event",
        "before the next event",
    ]
)
BUSY_STEPS = st.integers(20, 50).flatmap(lambda length: st.lists(BUSY_STEP, min_size=length, max_size=length))
STEPS = st.integers(0, 50).flatmap(lambda length: st.lists(STEP, min_size=length, max_size=length))


# --- brokers that are asked, and what is seen of them ---


def new_broker(clock, consistency, delivery):
    return Broker(clock=clock, seed=1, queue_limits=LIMITS, consistency=consistency, delivery=delivery)


def create_queues(clock, *brokers):
    for broker in brokers:
        for name in reversed(STANDARD + FIFO):
            create_queue(broker, [], name)
    clock.advance(seconds=brokers[0].consistency.creation_seconds)
    for broker in brokers:
        redrive(broker, [], "tasks", to="dead", max_receive_count=1)
        redrive(broker, [], "mails", to="dead", max_receive_count=3)
        redrive(broker, [], "orders.fifo", to="dead.fifo", max_receive_count=1)


def pause(clock, broker, step):
    if isinstance(step, int):
        clock.advance(seconds=step)
    elif (event_ns := broker.next_event_ns()) is not None:
        early_ns = 1 if step == "before the next event" else 0
        clock.advance(nanoseconds=max(0, event_ns - early_ns - clock.now_ns()))


def ask(broker, handles, step):
    """What a broker answers, as a value to compare."""
    function, arguments = step
    try:
        return function(broker, handles, **arguments)
    except ServiceError as error:
        return type(error), str(error)


def keep_handles(handles, step, answer):
    if step[0] is receive and isinstance(answer, list):
        handles += [(step[1]["queue"], message.receipt_handle) for message in answer]


def seen(broker):
    """All that can be seen of a broker's queues, and what they remember."""
    now_ns = broker.clock.now_ns()
    queues = {}
    for queue in broker.list_queues():
        queue.check_invariants()
        if not queue._is_usable:
            queues[queue.name] = (queue.attributes, queue.tags, queue.created_ns, repr(queue))
            continue
        memory = queue._deduplication._originals if queue.is_fifo else {}
        queues[queue.name] = {
            "messages": queue.peek(),
            "counts": queue.counts(),
            "attributes": queue.attributes,
            "tags": queue.tags,
            "created": queue.created_ns,
            "last modified": queue.last_modified_ns,
            "deduplication": {key: value for key, value in memory.items() if value[-1] > now_ns},
            "next event": queue.next_event_ns(),
            "sources": [source.name for source in queue.list_dead_letter_source_queues()],
        }
    tasks = [task.described() for task in broker._message_move_tasks().tasks]
    late = [] if broker._late is None else broker._late._changes
    return queues, tasks, late, broker._deleted_queues, broker.next_event_ns()


def begin_ids_anew(broker, seed):
    """So that two brokers go on with the same ids, whatever ids they have given so far."""
    broker.ids = Ids(seed)
    for queue in broker.queues.values():
        queue._new_id = broker.ids.uuid
