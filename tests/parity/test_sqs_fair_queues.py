"""SQS: standard queues with message groups, which are fair."""

import pytest

FAIR = "SQS developer guide: How Amazon SQS fair queues work"


@pytest.mark.aws("A standard queue takes a MessageGroupId, and gives it with the message.", page=FAIR)
def test_a_standard_queue_takes_groups(queue):
    queue.send("hello", message_group_id="tenant")
    assert queue.receive()[0].message_group_id == "tenant"


@pytest.mark.aws("A group of a standard queue is not locked by its messages in flight.", page=FAIR)
def test_a_group_of_a_standard_queue_is_not_locked(queue):
    for body in "12":
        queue.send(body, message_group_id="tenant")
    assert len(queue.receive()) == 1
    assert len(queue.receive()) == 1


@pytest.mark.aws(
    "Quiet tenants are served before one with 30 messages in flight and more than a tenth of them.",
    page=FAIR,
)
def test_a_quiet_tenant_does_not_wait_behind_a_noisy_one(queue):
    for _ in range(5):
        queue.send_batch(
            [{"id": str(n), "message_body": "noise", "message_group_id": "noisy"} for n in range(10)]
        )
    for _ in range(4):
        queue.receive(max_number_of_messages=10)
    queue.send("quiet", message_group_id="quiet")
    assert queue.receive()[0].body == "quiet"


@pytest.mark.aws("A tenant with few messages in flight is not noisy, however long its backlog.", page=FAIR)
def test_a_long_backlog_alone_is_not_noisy(queue):
    queue.send_batch([{"id": str(n), "message_body": "first", "message_group_id": "big"} for n in range(10)])
    queue.receive(max_number_of_messages=5)
    queue.send("last", message_group_id="small")
    assert queue.receive()[0].body == "first"
