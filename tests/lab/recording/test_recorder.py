"""What all recorders share: plain events of anybody's, outcomes, and a memory that is bounded."""

import time
from contextlib import suppress

import pytest

from queuestream.core.errors import BrokerClosed, DigestMismatch, NoAnswer, ReceiptHandleIsInvalid
from queuestream.lab import History
from queuestream.lab.recording import Recorder
from queuestream.lab.recording.memory import Memory
from queuestream.lab.recording.outcomes import code_of, outcome_of


def test_anybody_can_write_down_an_event(recorder, history, clock):
    clock.advance(seconds=1)
    event = recorder.event("receive", "order-17", actor="worker-2", resource="orders", group="g")
    assert history.events == [event]
    assert event.started_ns == event.ended_ns == clock.now_ns()
    assert (event.message, event.actor, event.group, event.outcome) == ("order-17", "worker-2", "g", "ok")


def test_an_event_may_say_its_own_times(recorder):
    event = recorder.event("send", "order-17", started_ns=3, ended_ns=5)
    assert (event.started_ns, event.ended_ns) == (3, 5)


def test_an_event_that_nobody_knows_of_has_no_end(recorder):
    assert recorder.event("send", "order-17", outcome="unknown").ended_ns is None


def test_an_operation_takes_as_long_as_what_is_done_inside(recorder, history, clock):
    with recorder.operation("send", "order-17", actor="shop") as event:
        clock.advance(seconds=2)
        event.message_id = "1526919030474-0"
    assert history.events == [event]
    assert event.ended_ns - event.started_ns == 2_000_000_000
    assert (event.outcome, event.message_id) == ("ok", "1526919030474-0")


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (TimeoutError("no answer"), "unknown", "TimeoutError"),
        (ConnectionResetError(), "unknown", "ConnectionResetError"),
        (KeyboardInterrupt(), "unknown", "KeyboardInterrupt"),
        (ValueError("no such queue"), "failed", "ValueError"),
    ],
)
def test_an_operation_that_raises_is_written_down_and_raises(recorder, history, error, outcome, code):
    with pytest.raises(type(error)), recorder.operation("send", "order-17"):
        raise error
    [event] = history
    assert (event.outcome, event.error) == (outcome, code)
    assert (event.ended_ns is None) == (outcome == "unknown")


def test_who_knows_better_says_what_became_of_it(recorder):
    with suppress(TimeoutError), recorder.operation("send", "order-17") as event:
        event.outcome, event.error = "failed", "NeverLeft"
        raise TimeoutError
    assert (event.outcome, event.error) == ("failed", "NeverLeft")
    assert event.ended_ns is not None


def test_without_a_clock_the_time_is_the_machines():
    history = History()
    before_ns = time.time_ns()
    Recorder(history).event("send", "order-17")
    assert before_ns <= history.events[0].started_ns <= time.time_ns()


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (ReceiptHandleIsInvalid("x"), "failed", "ReceiptHandleIsInvalid"),
        (BrokerClosed(), "failed", "BrokerClosed"),
        (NoAnswer("SendMessage", "timeout", may_be_done=True), "unknown", "NoAnswer"),
        (NoAnswer("SendMessage", "refused", may_be_done=False), "failed", "NoAnswer"),
        (DigestMismatch("id", "body"), "unknown", "DigestMismatch"),
        (OSError("the disk"), "unknown", "OSError"),
        (TypeError("an argument"), "failed", "TypeError"),
    ],
)
def test_who_heard_no_knows_that_nothing_was_done(error, outcome, code):
    assert (outcome_of(error), code_of(error)) == (outcome, code)


def test_a_memory_keeps_the_latest_and_forgets_the_oldest():
    memory = Memory(most=20)
    for number in range(1_000):
        memory.remember(str(number), number)
        assert len(memory) <= 20
    assert list(memory)[-10:] == [str(number) for number in range(990, 1_000)]
    assert "900" not in memory


def test_receipts_of_messages_that_nobody_deletes_are_forgotten_in_the_end(broker, recorder):
    recorder.receipts.most = 20
    queue = recorder.queue(broker.create_queue("orders"))
    for number in range(50):
        queue.send(str(number))
        queue.receive()
    assert 10 <= len(recorder.receipts) <= 20
    assert [event.message for event in recorder.receipts.values()][-1] == "49"
