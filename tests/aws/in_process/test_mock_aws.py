"""Entering and leaving `mock_aws`: what is inside, what is around, and that nothing is left behind."""

import asyncio
import gc
import inspect

import boto3
import pytest
from botocore.client import BaseClient
from botocore.endpoint import Endpoint
from botocore.session import Session
from botocore.waiter import Waiter

from queuestream import AWS_LIKE, SystemClock, VirtualClock
from queuestream.aws import Aws, mock_aws
from queuestream.aws.in_process import worlds
from queuestream.core.errors import BrokerClosed, InvalidParameterValue
from queuestream.core.queues.consistency import EVENTUAL

PLACES = [
    (BaseClient, "_make_api_call"),
    (Endpoint, "_send"),
    (Endpoint, "_needs_retry"),
    (Waiter, "wait"),
    (Session, "create_client"),
    (Session, "__init__"),
]


def in_place():
    return [vars(owner)[name] for owner, name in PLACES]


def names_of_queues(sqs):
    return [url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])]


def test_it_gives_the_accounts_and_regions_inside(sqs):
    with mock_aws() as aws:
        assert isinstance(aws, Aws)
        sqs.create_queue(QueueName="emails")
        assert list(aws.broker().queues) == ["emails"]
        assert isinstance(aws.clock, SystemClock)


def test_twelve_hours_take_no_time(sqs):
    with mock_aws(clock=VirtualClock()) as aws:
        queue_url = sqs.create_queue(QueueName="emails")["QueueUrl"]
        sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
        sqs.receive_message(QueueUrl=queue_url, VisibilityTimeout=12 * 3600)

        aws.clock.advance(hours=11.9)
        assert "Messages" not in sqs.receive_message(QueueUrl=queue_url)
        aws.clock.advance(hours=0.1)
        assert sqs.receive_message(QueueUrl=queue_url)["Messages"][0]["Body"] == "hello"


def test_its_arguments_make_the_world_inside(sqs):
    with mock_aws(
        seed=7,
        account_id="111122223333",
        region="eu-west-1",
        stream_settings={"provisioning_time_seconds": 5},
        consistency=EVENTUAL,
        delivery="aws_like",
    ) as aws:
        assert aws.seed == 7
        assert aws.broker().account_id == "111122223333"
        assert aws.broker().region == "eu-west-1"
        assert aws.stream_settings == {"provisioning_time_seconds": 5}
        assert aws.consistency is EVENTUAL
        assert aws.broker().delivery is AWS_LIKE
        created = sqs.create_queue(QueueName="emails")
        assert created["QueueUrl"] == "https://sqs.us-east-1.amazonaws.com/111122223333/emails"


def test_the_same_seed_gives_the_same_answers(sqs):
    def run():
        with mock_aws(clock=VirtualClock(), seed=7):
            queue_url = sqs.create_queue(QueueName="emails")["QueueUrl"]
            sent = sqs.send_message(QueueUrl=queue_url, MessageBody="hello")
            return sent, sqs.receive_message(QueueUrl=queue_url)

    assert run() == run()


def test_wrong_arguments_are_said_before_anything_is_patched():
    before = in_place()
    with pytest.raises(InvalidParameterValue), mock_aws(account_id="me"):
        pass
    with pytest.raises(ValueError, match="other_services"):
        mock_aws(other_services="maybe")
    with pytest.raises(TypeError):
        mock_aws(clocks=VirtualClock())
    assert in_place() == before


def test_everything_is_as_before_after_leaving(sqs):
    before, attributes, endpoint = in_place(), dict(vars(sqs)), dict(vars(sqs._endpoint))
    with mock_aws():
        assert in_place() != before
        sqs.create_queue(QueueName="emails")
    assert in_place() == before
    assert dict(vars(sqs)) == attributes
    assert dict(vars(sqs._endpoint)) == endpoint


def test_everything_is_as_before_after_an_exception(sqs):
    @mock_aws
    def fail():
        sqs.list_queues()
        raise ZeroDivisionError

    before = in_place()
    with pytest.raises(ZeroDivisionError):
        fail()
    assert in_place() == before


def test_nothing_is_left_of_the_queues(sqs):
    with mock_aws():
        sqs.create_queue(QueueName="emails")
    with mock_aws():
        assert names_of_queues(sqs) == []


def test_an_inner_one_without_arguments_joins(sqs):
    with mock_aws() as outer:
        sqs.create_queue(QueueName="emails")
        with mock_aws() as inner:
            assert inner is outer
            sqs.create_queue(QueueName="orders")
        assert names_of_queues(sqs) == ["emails", "orders"]


def test_an_inner_one_with_arguments_is_a_world_of_its_own(sqs):
    with mock_aws() as outer:
        sqs.create_queue(QueueName="emails")
        with mock_aws(seed=7) as inner:
            assert inner is not outer
            assert names_of_queues(sqs) == []
            sqs.create_queue(QueueName="orders")
        assert names_of_queues(sqs) == ["emails"]


def test_they_can_be_left_in_any_order(sqs):
    before = in_place()
    one, other = mock_aws(seed=1), mock_aws(seed=2)
    first, second = one.start(), other.start()
    sqs.create_queue(QueueName="second")
    one.stop()
    assert names_of_queues(sqs) == ["second"]
    assert list(second.broker().queues) == ["second"]
    other.stop()
    assert in_place() == before
    assert first is not second


def test_one_that_was_joined_stays_until_the_last_leaves(sqs):
    outer, inner = mock_aws(), mock_aws()
    outer.start()
    sqs.create_queue(QueueName="emails")
    inner.start()
    outer.stop()
    assert names_of_queues(sqs) == ["emails"]
    inner.stop()


def test_one_object_can_be_entered_again(sqs):
    mock = mock_aws(seed=7)
    with mock as outer:
        sqs.create_queue(QueueName="emails")
        with mock as inner:
            assert inner is not outer
            assert names_of_queues(sqs) == []
        assert names_of_queues(sqs) == ["emails"]


def test_leaving_without_having_entered_is_an_error():
    with pytest.raises(RuntimeError, match="not entered"):
        mock_aws().stop()


def test_who_puts_back_what_he_found_inside_does_no_harm(sqs):
    before = in_place()
    with mock_aws():
        found = BaseClient._make_api_call
    BaseClient._make_api_call = found
    try:
        with mock_aws():
            assert names_of_queues(sqs) == []
        assert in_place() == before
    finally:
        BaseClient._make_api_call = before[0]


def test_who_has_put_something_over_ours_keeps_it(sqs, monkeypatch):
    before = in_place()
    mock = mock_aws()
    mock.start()
    ours = BaseClient._make_api_call

    def theirs(*args):
        return ours(*args)

    BaseClient._make_api_call = theirs
    mock.stop()
    assert BaseClient._make_api_call is theirs
    BaseClient._make_api_call = ours  # as they put it back
    monkeypatch.setattr(sqs._endpoint.http_session, "send", lambda request: 1 / 0)
    with pytest.raises(ZeroDivisionError):  # it goes out
        sqs.list_queues()
    with mock_aws():
        assert names_of_queues(sqs) == []
    assert in_place() == before


def test_a_client_that_is_gone_is_forgotten(session):
    with mock_aws():
        session.client("sqs").list_queues()
        gc.collect()
        assert worlds.current().connections == {}


def test_a_broker_that_was_left_takes_no_more_calls(sqs):
    with mock_aws() as aws:
        sqs.create_queue(QueueName="emails")
    with pytest.raises(BrokerClosed, match="left"):
        aws.broker().queue("emails").send("too late")


def test_async_with(sqs):
    async def main():
        async with mock_aws() as aws:
            sqs.create_queue(QueueName="emails")
            return list(aws.broker().queues)

    assert asyncio.run(main()) == ["emails"]


def test_it_says_what_it_was_made_with():
    assert repr(mock_aws(seed=7)) == "mock_aws(seed=7)"


# --- as a decorator -------------------------------------------------------------------------------------


@mock_aws
def names_inside(sqs, name):
    """What it does."""
    sqs.create_queue(QueueName=name)
    return names_of_queues(sqs)


def test_a_function_runs_inside_each_time_anew(sqs):
    before = in_place()
    assert names_inside(sqs, name="emails") == ["emails"]
    assert names_inside(sqs, name="orders") == ["orders"]
    assert in_place() == before


def test_a_function_joins_what_is_around(sqs):
    with mock_aws():
        sqs.create_queue(QueueName="emails")
        assert names_inside(sqs, name="orders") == ["emails", "orders"]


def test_a_decorated_function_looks_as_before():
    assert names_inside.__name__ == "names_inside"
    assert names_inside.__doc__ == "What it does."
    assert list(inspect.signature(names_inside).parameters) == ["sqs", "name"]


def test_with_arguments(sqs):
    @mock_aws(account_id="111122223333")
    def account():
        return sqs.create_queue(QueueName="emails")["QueueUrl"].split("/")[3]

    assert account() == "111122223333"


def test_a_coroutine_function(sqs):
    @mock_aws()
    async def main():
        sqs.create_queue(QueueName="emails")
        await asyncio.sleep(0)
        return names_of_queues(sqs)

    assert inspect.iscoroutinefunction(main)
    assert asyncio.run(main()) == ["emails"]


def test_a_generator_is_inside_until_it_is_finished(sqs):
    before = in_place()

    @mock_aws
    def fixture():
        sqs.create_queue(QueueName="emails")
        yield names_of_queues(sqs)
        assert names_of_queues(sqs) == ["emails", "orders"]

    running = fixture()
    assert next(running) == ["emails"]
    sqs.create_queue(QueueName="orders")
    assert list(running) == []
    assert in_place() == before


def test_an_async_generator_is_inside_until_it_is_finished(sqs):
    before = in_place()

    @mock_aws
    async def fixture():
        sqs.create_queue(QueueName="emails")
        yield names_of_queues(sqs)

    async def main():
        return [names async for names in fixture()]

    assert asyncio.run(main()) == [["emails"]]
    assert in_place() == before


def test_a_static_method(sqs):
    class Anything:
        @mock_aws
        @staticmethod
        def run():
            return names_of_queues(sqs)

    assert Anything.run() == []


def test_making_a_client_inside_is_all_there_is_to_it():
    with mock_aws():
        assert names_of_queues(boto3.client("sqs")) == []


def test_what_can_be_no_function_is_not_decorated():
    with pytest.raises(TypeError, match="mock_aws decorates functions and classes, not 'eu-west-1'"):
        mock_aws("eu-west-1")
