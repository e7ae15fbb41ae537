"""Fault plans: which calls are struck, and what then happens, without any wire."""

import asyncio

import pytest

from queuestream import VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Caller, Later
from queuestream.aws.fault_plans import AnswerLost, Fault, FaultPlan, InjectedError
from queuestream.aws.operations import OPERATIONS


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock(), seed=7)


@pytest.fixture
def caller(aws):
    for name in ("orders", "emails"):
        aws.broker().create_queue(name)
    aws.broker().create_stream("events")
    return Caller(aws)


@pytest.fixture
def orders(aws, caller):
    return aws.broker().queue("orders")


def send(plan, caller, queue="orders", body="hello"):
    request = {"QueueUrl": caller.broker.queue(queue).url, "MessageBody": body}
    return plan.perform("sqs", "SendMessage", OPERATIONS["sqs"]["SendMessage"], caller, request)


def outcome(plan, caller, **arguments):
    """What became of a send: "sent", or the code of its error."""
    try:
        send(plan, caller, **arguments)
    except InjectedError as error:
        return error.code
    return "sent"


def test_a_plan_without_rules_lets_everything_pass(caller, orders):
    plan = FaultPlan()
    assert not plan.is_active
    assert send(plan, caller)["MessageId"]
    assert orders.counts().visible == 1


def test_a_throttled_call_does_no_work(caller, orders):
    plan = FaultPlan()
    plan.throttle("SendMessage", times=1)
    with pytest.raises(InjectedError) as refused:
        send(plan, caller)
    assert (refused.value.code, refused.value.status) == ("RequestThrottled", 403)
    assert orders.counts().visible == 0


def test_a_rule_strikes_so_often_and_no_more(caller):
    plan = FaultPlan()
    plan.throttle("SendMessage", after=1, times=2)
    assert [outcome(plan, caller) for _ in range(5)] == [
        "sent",
        "RequestThrottled",
        "RequestThrottled",
        "sent",
        "sent",
    ]
    assert not plan.is_active


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"operation": "SendMessage"}, ["InternalFailure", "InternalFailure"]),
        ({"operation": "Send*"}, ["InternalFailure", "InternalFailure"]),
        ({"operation": "ReceiveMessage"}, ["sent", "sent"]),
        ({"resource": "orders"}, ["InternalFailure", "sent"]),
        ({"resource": "o*"}, ["InternalFailure", "sent"]),
        ({"rate": 0}, ["sent", "sent"]),
    ],
)
def test_a_rule_strikes_the_operations_and_resources_that_it_names(caller, rule, expected):
    plan = FaultPlan()
    plan.fail(**rule)
    assert [outcome(plan, caller, queue=queue) for queue in ("orders", "emails")] == expected


def test_the_error_may_be_any(caller):
    plan = FaultPlan()
    plan.fail("SendMessage", code="KmsThrottled", message="Slow down.", status=400)
    with pytest.raises(InjectedError, match=r"Slow down\.") as refused:
        send(plan, caller)
    assert (refused.value.code, refused.value.status) == ("KmsThrottled", 400)


@pytest.mark.parametrize(
    ("operation", "code"),
    [("PutRecord", "ProvisionedThroughputExceededException"), ("DescribeStream", "LimitExceededException")],
)
def test_kinesis_throttles_a_shards_records_and_an_accounts_calls_differently(caller, operation, code):
    plan = FaultPlan()
    plan.throttle(operation)
    with pytest.raises(InjectedError, match="stream events under account 123456789012") as refused:
        plan.perform("kinesis", operation, OPERATIONS["kinesis"][operation], caller, {"StreamName": "events"})
    assert (refused.value.code, refused.value.status) == (code, 400)


def test_an_answer_is_lost_after_the_work_was_done(caller, orders):
    plan = FaultPlan()
    plan.lose_answer("SendMessage")
    with pytest.raises(AnswerLost) as lost:
        send(plan, caller)
    assert lost.value.closed
    assert orders.counts().visible == 1


def test_a_request_that_is_lost_does_no_work(caller, orders):
    plan = FaultPlan()
    plan.lose_request("SendMessage")
    with pytest.raises(AnswerLost, match="took the request away") as lost:
        send(plan, caller)
    assert (lost.value.closed, lost.value.was_done) == (True, False)
    assert orders.counts().visible == 0


def test_a_client_may_wait_for_the_answer_to_a_request_that_was_lost(caller, orders, aws):
    plan = FaultPlan()
    plan.lose_request("SendMessage", seconds=60)
    began_ns = aws.clock.now_ns()
    with pytest.raises(AnswerLost) as lost:
        send(plan, caller).now(aws.clock)
    assert not lost.value.closed
    assert aws.clock.now_ns() - began_ns == 60_000_000_000
    assert orders.counts().visible == 0


def test_an_operation_that_fails_has_no_answer_to_lose(caller):
    plan = FaultPlan()
    plan.lose_answer("SendMessage")
    aws_says = r"The request must contain the parameter MessageBody\."
    with pytest.raises(Exception, match=aws_says):
        send(plan, caller, body="")


def test_a_client_that_waits_in_vain_gives_up_on_the_clock(caller, orders, aws):
    plan = FaultPlan()
    plan.time_out("SendMessage", seconds=60)
    began_ns = aws.clock.now_ns()
    answer = send(plan, caller)
    assert orders.counts().visible == 1
    with pytest.raises(AnswerLost) as lost:
        answer.now(aws.clock)
    assert not lost.value.closed
    assert aws.clock.now_ns() - began_ns == 60_000_000_000


def test_a_slow_call_does_its_work_later_on_the_clock(caller, orders, aws):
    plan = FaultPlan()
    plan.slow_down("SendMessage", seconds=2)
    plan.slow_down("*", seconds=1.5)
    began_ns = aws.clock.now_ns()
    answer = send(plan, caller)
    assert isinstance(answer, Later)
    assert orders.counts().visible == 0
    assert answer.now(aws.clock)["MessageId"]
    assert aws.clock.now_ns() - began_ns == 3_500_000_000
    assert orders.counts().visible == 1


def test_a_slow_long_poll_waits_twice(caller, aws):
    plan = FaultPlan()
    plan.slow_down(seconds=1)
    began_ns = aws.clock.now_ns()
    request = {"QueueUrl": caller.broker.queue("orders").url, "WaitTimeSeconds": 20}
    receive = OPERATIONS["sqs"]["ReceiveMessage"]
    answer = plan.perform("sqs", "ReceiveMessage", receive, caller, request)
    assert not asyncio.run(answer.now_async(aws.clock))
    assert aws.clock.now_ns() - began_ns == 21_000_000_000


def test_a_long_polls_answer_can_be_lost_too(caller, aws, orders):
    orders.send("hello", delay_seconds=5)
    plan = FaultPlan()
    plan.lose_answer("ReceiveMessage", times=1)
    request = {"QueueUrl": orders.url, "WaitTimeSeconds": 20}
    receive = OPERATIONS["sqs"]["ReceiveMessage"]
    with pytest.raises(AnswerLost):
        plan.perform("sqs", "ReceiveMessage", receive, caller, request).now(aws.clock)
    assert orders.counts().in_flight == 1


def test_some_entries_of_a_batch_fail_and_the_others_are_sent(caller, orders):
    plan = FaultPlan()
    plan.reject_entries("SendMessageBatch", after=1, times=1)
    entries = [{"Id": name, "MessageBody": name} for name in "abc"]
    answer = plan.perform(
        "sqs",
        "SendMessageBatch",
        OPERATIONS["sqs"]["SendMessageBatch"],
        caller,
        {"QueueUrl": orders.url, "Entries": entries},
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["a", "c"]
    [failed] = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("b", "InternalError", False)
    assert [message.body for message in orders.peek()] == ["a", "c"]


def test_some_records_are_rejected_in_their_places_and_the_others_are_put(caller):
    plan = FaultPlan()
    plan.reject_entries("PutRecords", times=2)
    records = [{"Data": name.encode(), "PartitionKey": name} for name in "abc"]
    answer = plan.perform(
        "kinesis",
        "PutRecords",
        OPERATIONS["kinesis"]["PutRecords"],
        caller,
        {"StreamName": "events", "Records": records},
    )
    assert answer["FailedRecordCount"] == 2
    assert [record.get("ErrorCode") for record in answer["Records"]] == [
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceededException",
        None,
    ]
    assert answer["Records"][2]["SequenceNumber"]
    assert [record.data for record in caller.broker.stream("events").peek()] == [b"c"]


def test_a_batch_all_of_whose_entries_fail_does_no_work(caller, orders):
    plan = FaultPlan()
    plan.reject_entries()
    answer = plan.perform(
        "sqs",
        "SendMessageBatch",
        OPERATIONS["sqs"]["SendMessageBatch"],
        caller,
        {"QueueUrl": orders.url, "Entries": [{"Id": "a", "MessageBody": "a"}]},
    )
    assert "Successful" not in answer
    assert orders.counts().visible == 0


# --- chance ---


def test_the_same_seed_strikes_the_same_way(caller):
    def story(seed):
        plan = FaultPlan(seed=seed)
        plan.throttle("SendMessage", rate=0.5)
        return [outcome(plan, caller) for _ in range(40)]

    assert story(7) == story(7) != story(8)
    assert 10 < story(7).count("sent") < 30


def test_a_rule_strikes_the_same_way_whatever_other_rules_there_are(caller):
    def story(*others):
        plan = FaultPlan(Fault(effect="fail", rate=0.5), *others, seed=7)
        return [outcome(plan, caller) for _ in range(20)]

    assert story() == story(Fault(effect="throttle", operation="ReceiveMessage", rate=0.5))


def test_a_rate_is_a_probability():
    with pytest.raises(ValueError, match="rate"):
        Fault(effect="fail", rate=1.5)


# --- what is known of it ---


def test_what_struck_is_kept(caller, aws):
    plan = FaultPlan()
    rule = plan.throttle("SendMessage", after=1, times=1)
    aws.clock.advance(seconds=5)
    for _ in range(3):
        outcome(plan, caller)
    [struck] = plan.injected
    assert (struck.call, struck.operation, struck.resource) == (2, "SendMessage", "orders")
    assert struck.fault is rule
    assert struck.at_ns == aws.clock.now_ns()
    assert repr(plan) == "<FaultPlan: 1 rules, struck 1 times>"


def test_what_struck_can_be_read(caller, aws):
    plan = FaultPlan()
    assert str(plan) == "Nothing struck."
    plan.slow_down("SendMessage", seconds=2.5)
    plan.fail("SendMessage", code="KmsThrottled")
    plan.reject_entries("*Batch", after=1, times=1)
    with pytest.raises(InjectedError):
        send(plan, caller).now(aws.clock)
    entries = [{"Id": name, "MessageBody": name} for name in "ab"]
    request = {"QueueUrl": caller.broker.queue("orders").url, "Entries": entries}
    send_batch = OPERATIONS["sqs"]["SendMessageBatch"]
    plan.perform("sqs", "SendMessageBatch", send_batch, caller, request)
    assert str(plan).splitlines() == [
        "2025-01-01T00:00:00.000000Z call 1, SendMessage on orders: slow_down 2.5 s",
        "2025-01-01T00:00:00.000000Z call 1, SendMessage on orders: fail (KmsThrottled)",
        "2025-01-01T00:00:02.500000Z call 2, SendMessageBatch on orders, entry 2: reject_entries",
    ]
    assert plan.injected[-1].entry == 2


def test_rules_can_be_taken_away(caller):
    plan = FaultPlan()
    first = plan.fail(code="First")
    plan.fail(code="Second")
    plan.remove(first)
    assert outcome(plan, caller) == "Second"
    plan.clear()
    assert outcome(plan, caller) == "sent"
    assert len(plan.injected) == 1
