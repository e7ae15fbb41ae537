"""A call that failed is made again: whether, how often, how late, and who pays."""

import pytest
from botocore.exceptions import NoCredentialsError
from scripted_transport import Scripted, lost, refusal, throttled, unavailable, unreachable

from queuestream import errors
from queuestream.aws.remote.calls import Call, NextEvent, Pause, run
from queuestream.aws.remote.retrying import ONCE, Retries


def at_most(budget=500, attempts_max=3):
    """Retries that always wait as long as they may."""
    return Retries(attempts_max, chance=lambda: 1.0, budget=budget)


def ask(operation="SendMessage", service="sqs"):
    return (yield Call(service, operation, {}))


def outcome(retries, transport, operation="SendMessage", service="sqs"):
    """What the caller gets: the answer, or the error."""
    try:
        return run(retries.carefully(ask(operation, service)), transport)
    except errors.QueuestreamError as error:
        return error


def test_a_call_that_succeeds_is_made_once():
    transport = Scripted("answer")
    assert outcome(at_most(), transport) == "answer"
    assert transport.calls == ["SendMessage"]


def test_a_throttled_call_is_made_again_after_pauses_that_double_from_a_second():
    transport = Scripted(throttled(), throttled(), "answer")
    assert outcome(at_most(), transport) == "answer"
    assert transport.pauses == [1.0, 2.0]


@pytest.mark.parametrize("failure", [unavailable, unreachable, lost])
def test_what_fails_on_the_way_is_tried_again_soon(failure):
    transport = Scripted(failure(), failure(), "answer")
    assert outcome(at_most(), transport) == "answer"
    assert transport.pauses == [0.05, 0.1]


def test_no_pause_is_longer_than_twenty_seconds():
    transport = Scripted(*(throttled() for _ in range(7)), "answer")
    assert outcome(at_most(attempts_max=10), transport) == "answer"
    assert transport.pauses == [1, 2, 4, 8, 16, 20, 20]


def test_pauses_are_of_random_length_and_the_same_for_the_same_seed():
    def pauses(seed):
        transport = Scripted(throttled(), throttled(), "answer")
        outcome(Retries(seed=seed), transport)
        return transport.pauses

    assert pauses(1) == pauses(1) != pauses(2)
    assert all(0 <= pause <= limit for pause, limit in zip(pauses(1), [1, 2], strict=True))


def test_the_third_failure_is_the_callers():
    transport = Scripted(throttled(), throttled(), refusal("ThrottlingException", "the third"))
    error = outcome(at_most(), transport)
    assert (error.code, error.message) == ("ThrottlingException", "the third")
    assert transport.calls == ["SendMessage"] * 3


def test_a_refusal_is_final_and_carries_what_botocore_raised():
    refused = refusal("InvalidParameterValue", "No.")
    transport = Scripted(refused)
    error = outcome(at_most(), transport)
    assert isinstance(error, errors.InvalidParameterValue)
    assert error.__cause__ is refused
    assert transport.pauses == []


def test_a_quota_of_kinesis_is_no_rate_though_both_have_one_name():
    quota = Scripted(refusal("LimitExceededException", "This request would exceed the shard limit."))
    assert isinstance(outcome(at_most(), quota, "CreateStream", "kinesis"), errors.LimitExceededException)

    rate = Scripted(refusal("LimitExceededException", "Rate exceeded for stream events."), "answer")
    assert outcome(at_most(), rate, "DescribeStream", "kinesis") == "answer"


@pytest.mark.parametrize("operation", sorted(ONCE))
def test_what_would_be_refused_because_it_was_done_is_not_asked_twice(operation):
    transport = Scripted(lost())
    error = outcome(at_most(), transport, operation)
    assert isinstance(error, errors.NoAnswer)
    assert (error.operation, error.may_be_done) == (operation, True)


@pytest.mark.parametrize("failure", [unreachable, unavailable, throttled])
def test_the_same_is_asked_again_if_it_cannot_have_been_done(failure):
    assert outcome(at_most(), Scripted(failure(), "answer"), "DeleteQueue") == "answer"


def test_repetitions_are_paid_for_and_without_a_budget_there_are_none():
    retries = at_most(budget=14 + 5)
    assert outcome(retries, Scripted(unavailable(), throttled(), unavailable())).code == "ServiceUnavailable"
    transport = Scripted(throttled())
    assert outcome(retries, transport).code == "ThrottlingException"
    assert transport.pauses == []
    assert repr(retries) == "<Retries: 3 attempts, 0 of 19 left>"


def test_a_repetition_that_succeeds_gives_back_what_it_cost():
    retries = at_most(budget=20)
    assert outcome(retries, Scripted(unavailable(), "answer")) == "answer"
    assert repr(retries) == "<Retries: 3 attempts, 20 of 20 left>"


def test_each_call_that_succeeds_earns_a_little():
    retries = at_most(budget=5)
    outcome(retries, Scripted(throttled(), throttled()))
    assert repr(retries) == "<Retries: 3 attempts, 0 of 5 left>"
    for _ in range(9):
        outcome(retries, Scripted("answer"))
    assert repr(retries) == "<Retries: 3 attempts, 5 of 5 left>"


def test_who_polls_is_slowed_down_even_without_a_budget():
    transport = Scripted(throttled())
    assert outcome(at_most(budget=0), transport, "ReceiveMessage").code == "ThrottlingException"
    assert transport.pauses == [1.0]


@pytest.mark.parametrize(("asked", "pause"), [("10", 1.0), ("4000", 4.0), ("60000", 6.0), ("soon", 1.0)])
def test_a_service_may_ask_for_a_longer_pause_within_bounds(asked, pause):
    slow_down = refusal("ThrottlingException", headers={"x-amz-retry-after": asked})
    transport = Scripted(slow_down, "answer")
    outcome(at_most(), transport)
    assert transport.pauses == [pause]


def test_one_attempt_is_a_choice():
    transport = Scripted(unavailable())
    assert outcome(Retries(1), transport).code == "ServiceUnavailable"
    assert transport.pauses == []


def test_an_operation_may_go_on_after_an_error():
    def steps():
        try:
            yield from ask()
        except errors.QueueDoesNotExist:
            return (yield from ask("CreateQueue"))

    transport = Scripted(refusal("QueueDoesNotExist"), "made")
    assert run(at_most().carefully(steps()), transport) == "made"


def test_an_operation_may_pause_for_reasons_of_its_own():
    def steps():
        yield Pause(0.5)
        return (yield from ask())

    transport = Scripted("answer")
    assert run(at_most().carefully(steps()), transport) == "answer"
    assert transport.pauses == [0.5]


def test_what_is_wrong_before_anything_is_asked_is_botocores_to_say():
    with pytest.raises(NoCredentialsError):
        outcome(at_most(), Scripted(NoCredentialsError()))


def test_the_next_event_of_a_stream_is_not_asked_for_again():
    event = NextEvent(Call("kinesis", "SubscribeToShard", {}), stream=None)

    def steps():
        yield event

    with pytest.raises(errors.NoAnswer, match="SubscribeToShard"):
        run(at_most().carefully(steps()), Scripted(lost()))
    with pytest.raises(errors.ResourceNotFoundException):
        run(at_most().carefully(steps()), Scripted(refusal("ResourceNotFoundException", "gone")))
    with pytest.raises(NoCredentialsError):
        run(at_most().carefully(steps()), Scripted(NoCredentialsError()))
