"""What goes wrong on the way to AWS and back, and what comes of it."""

import pytest

from queuestream import errors


def test_a_call_that_is_throttled_is_made_again(remote, faults):
    faults.throttle("SendMessage", times=2)
    queue = remote.create_queue("emails")
    queue.send("hello")
    assert queue.counts().visible == 1


def test_a_send_whose_answer_was_lost_is_there_twice_on_a_standard_queue_only(remote, faults):
    faults.lose_answer("SendMessage", times=1)
    queue = remote.create_queue("emails")
    queue.send("hello")
    assert queue.counts().visible == 2

    faults.lose_answer("SendMessage", times=1)
    queue = remote.create_queue("orders.fifo", fifo_queue=True)
    queue.send("hello", message_group_id="g", message_deduplication_id="d")
    assert queue.counts().visible == 1


def test_a_receive_from_a_fifo_queue_whose_answer_was_lost_gets_the_same_messages(remote, faults):
    faults.lose_answer("ReceiveMessage", times=1)
    queue = remote.create_queue("orders.fifo", fifo_queue=True)
    queue.send("hello", message_group_id="g", message_deduplication_id="d")
    [message] = queue.receive()
    assert message.body == "hello"


def test_a_queue_whose_deletion_was_not_answered_may_be_gone(remote, faults):
    faults.lose_answer("DeleteQueue", times=1)
    queue = remote.create_queue("emails")
    with pytest.raises(errors.NoAnswer, match="DeleteQueue has no answer, it may have been done or not"):
        queue.delete_queue()
    assert remote.find_queue(queue.arn) is None


def test_entries_that_aws_had_no_room_for_are_among_those_that_failed(remote, faults):
    faults.reject_entries("SendMessageBatch", times=1)
    result = remote.create_queue("emails").send_batch(["one", "two"])
    assert len(result.failed) >= 1
    assert result.successful.keys() | result.failed.keys() == {"0", "1"}


# --- digests ---


class Mangling:
    """A transport that damages what comes back."""

    def __init__(self, transport, operation, damage):
        self._transport = transport
        self._operation = operation
        self._damage = damage
        self.region = transport.region
        self.closed_because = None

    def do(self, step):
        answer = self._transport.do(step)
        if getattr(step, "operation", None) == self._operation:
            self._damage(answer)
        return answer


@pytest.fixture
def mangled(remote, monkeypatch):
    """A queue of which AWS's answers to an operation come damaged."""
    queue = remote.create_queue("emails")

    def mangle(operation, damage):
        monkeypatch.setattr(remote, "_transport", Mangling(remote._transport, operation, damage))
        return queue

    return mangle


ATTRIBUTES = {"n": 1}
TRACE = {"AWSTraceHeader": "Root=1-5759e988-bd862e3fe1be46a994272793"}


@pytest.mark.parametrize(
    ("digest", "part"),
    [
        ("MD5OfMessageBody", "body"),
        ("MD5OfMessageAttributes", "message attributes"),
        ("MD5OfMessageSystemAttributes", "message system attributes"),
    ],
)
def test_a_message_that_aws_has_taken_otherwise_is_an_error(mangled, digest, part):
    queue = mangled("SendMessage", lambda answer: answer.update({digest: "other"}))
    with pytest.raises(errors.DigestMismatch, match=f"the digests of its {part} differ") as caught:
        queue.send("hello", message_attributes=ATTRIBUTES, message_system_attributes=TRACE)
    assert caught.value.part == part


@pytest.mark.parametrize(
    ("damage", "part"),
    [
        (lambda message: message.update(Body="hallo"), "body"),
        (lambda message: message["MessageAttributes"]["n"].update(StringValue="2"), "message attributes"),
    ],
)
def test_a_message_that_comes_otherwise_is_an_error(mangled, damage, part):
    queue = mangled("ReceiveMessage", lambda answer: damage(answer["Messages"][0]))
    queue.send("hello", message_attributes=ATTRIBUTES)
    with pytest.raises(errors.DigestMismatch) as caught:
        queue.receive()
    assert caught.value.part == part


def test_an_entry_that_was_taken_otherwise_has_failed(mangled):
    queue = mangled(
        "SendMessageBatch", lambda answer: answer["Successful"][0].update(MD5OfMessageBody="other")
    )
    result = queue.send_batch(["one", "two"])
    assert list(result.successful) == ["1"]
    assert (result.failed["0"].code, result.failed["0"].sender_fault) == ("DigestMismatch", False)


def test_an_endpoint_that_has_no_digests_is_believed(mangled):
    queue = mangled("SendMessage", lambda answer: answer.pop("MD5OfMessageBody"))
    assert queue.send("hello").message_id
