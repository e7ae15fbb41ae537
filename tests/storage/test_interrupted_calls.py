"""Ctrl-C after a call's change was told and before it is made: the file has it, nobody goes on without."""

import pytest

from queuestream import connect, errors


def interrupt(monkeypatch, kind, method):
    """Let Ctrl-C come where a change is about to be made."""

    def now(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, method, now)


CALLS = {
    "send": ("_apply_sent", lambda queue, message: queue.send("second")),
    "send_batch": ("_apply_sent", lambda queue, message: queue.send_batch(["second"])),
    "receive": ("_apply_received", lambda queue, message: queue.receive()),
    "delete": ("_apply_removed_one", lambda queue, message: queue.delete(message)),
    "change_visibility": ("_apply_visibility", lambda queue, message: queue.change_visibility(message, 0)),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_that_is_interrupted_is_in_the_file_as_a_whole_and_the_broker_closes(
    tmp_path, monkeypatch, call
):
    method, work = CALLS[call]
    broker = connect(f"sqlite:///{tmp_path}/orders.db?durability=none")
    queue = broker.create_queue("orders")
    queue.send("first")
    queue.send("other")
    [message] = queue.receive()
    with monkeypatch.context() as patch:
        interrupt(patch, type(queue), method)
        with pytest.raises(KeyboardInterrupt):
            work(queue, message)
    with pytest.raises(errors.BrokerClosed, match="a call was interrupted by KeyboardInterrupt"):
        queue.send("third")
    broker.close()

    with connect(f"sqlite:///{tmp_path}/orders.db") as reopened:
        reopened.check_invariants()
        bodies = {message.body for message in reopened.queue("orders").peek()}
        assert bodies == {
            "send": {"first", "other", "second"},
            "send_batch": {"first", "other", "second"},
            "delete": {"other"},
        }.get(call, {"first", "other"})


def test_an_error_of_a_calls_own_interrupts_nothing(tmp_path):
    with connect(f"sqlite:///{tmp_path}/orders.db?durability=none") as broker:
        queue = broker.create_queue("orders")
        with pytest.raises(errors.ReceiptHandleIsInvalid):
            queue.delete("no handle")
        queue.send("first")
