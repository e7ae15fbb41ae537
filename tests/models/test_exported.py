"""An export and an import leave nothing out: the broker goes on as the one that it was made from."""

from contextlib import ExitStack

import pytest
from hypothesis import given, settings
from queue_calls import (
    CONSISTENCY,
    DELIVERY,
    LIMITS,
    STEPS,
    ask,
    begin_ids_anew,
    create_queues,
    keep_handles,
    pause,
    seen,
)

from queuestream import VirtualClock
from queuestream.storage.exporting import export
from queuestream.storage.importing import Importing
from queuestream.storage.opening import open_broker


def go_on(broker, clock, handles, steps):
    """The answers of a broker to what comes next."""
    answers = []
    for step in steps:
        if not isinstance(step, tuple):
            pause(clock, broker, step)
            continue
        answer = ask(broker, handles, step)
        keep_handles(handles, step, answer)
        answers.append(answer)
    return answers


def same(steps, further_steps, consistency, delivery, folder):
    clock = VirtualClock()
    options = {
        "clock": clock,
        "seed": 1,
        "queue_limits": LIMITS,
        "consistency": consistency,
        "delivery": delivery,
        "durability": "none",
    }
    path, again = folder / "one.db", folder / "other.db"
    broker = open_broker(path, **options)
    create_queues(clock, broker)
    handles = []
    go_on(broker, clock, handles, steps)
    # The one is exported while it is in use, and the other opened at the same instant.
    with ExitStack() as stack, Importing(again) as importing:
        for line in export(path, stack):
            importing.add(line)
        importing.finish()
    other_clock = VirtualClock()
    other_clock.advance(nanoseconds=clock.now_ns() - other_clock.now_ns())
    other = open_broker(again, **options | {"clock": other_clock})
    with broker, other:
        # Before the first look already: what was due but untouched, as a move task's message, happens then.
        begin_ids_anew(broker, "what comes next")
        begin_ids_anew(other, "what comes next")
        assert seen(other) == seen(broker)
        answers = go_on(broker, clock, list(handles), further_steps)
        assert go_on(other, other_clock, list(handles), further_steps) == answers
        assert seen(other) == seen(broker)


@pytest.mark.slow
@settings(max_examples=40)
@given(STEPS, STEPS, CONSISTENCY, DELIVERY)
def test_a_broker_that_was_exported_and_imported_goes_on_as_it_would_have(
    tmp_path_factory, steps, further_steps, consistency, delivery
):
    same(steps, further_steps, consistency, delivery, tmp_path_factory.mktemp("exported"))
