"""Accounts and regions: a broker for each, on one clock, with one seed."""

import pytest

from queuestream import VirtualClock
from queuestream.aws.accounts import Aws
from queuestream.aws.calls import Caller
from queuestream.core.errors import BrokerClosed, InvalidParameterValue, QueueDoesNotExist


@pytest.fixture
def aws():
    return Aws(clock=VirtualClock(), seed=7)


def test_an_account_in_a_region_has_one_broker(aws):
    assert aws.broker() is aws.broker("123456789012", "us-east-1")
    assert aws.broker("111122223333") is not aws.broker()
    assert aws.broker(region="eu-west-1") is not aws.broker()
    assert aws.broker("111122223333", "eu-west-1").account_id == "111122223333"


def test_all_of_them_share_the_clock(aws):
    assert {id(broker.clock) for broker in (aws.broker(), aws.broker("111122223333"))} == {id(aws.clock)}


def test_accounts_do_not_see_each_others_queues(aws):
    aws.broker().create_queue("emails")
    assert aws.broker("111122223333").list_queues() == []
    assert aws.broker(region="eu-west-1").list_queues() == []


def test_what_is_wrong_with_an_account_is_said_at_once():
    with pytest.raises(InvalidParameterValue):
        Aws(account_id="twelve digits")


def test_ids_do_not_depend_on_which_account_is_used_first():
    def message_ids(*accounts):
        aws = Aws(clock=VirtualClock(), seed=7)
        sent = {account: aws.broker(account).create_queue("emails").send("hello") for account in accounts}
        return {account: message.message_id for account, message in sent.items()}

    assert message_ids("111111111111", "222222222222") == message_ids("222222222222", "111111111111")


def test_request_ids_do_not_disturb_the_ids_of_messages():
    def message_id(requests):
        aws = Aws(clock=VirtualClock(), seed=7)
        for _ in range(requests):
            aws.request_id()
        return aws.broker().create_queue("emails").send("hello").message_id

    assert message_id(0) == message_id(5)


@pytest.mark.parametrize(
    ("access_key_id", "account_id"),
    [
        ("111122223333", "111122223333"),
        ("AKIAIOSFODNN7EXAMPLE", "123456789012"),
        ("11112222333", "123456789012"),
        ("١١١١٢٢٢٢٣٣٣٣", "123456789012"),
        ("", "123456789012"),
        (None, "123456789012"),
    ],
)
def test_an_access_key_of_twelve_digits_names_its_account(aws, access_key_id, account_id):
    assert aws.account_of(access_key_id) == account_id


def test_a_reset_forgets_everything_and_sends_those_away_who_still_hold_on(aws):
    queue = aws.broker().create_queue("emails")
    aws.reset()
    assert aws.broker().list_queues() == []
    with pytest.raises(BrokerClosed, match="reset"):
        queue.send("hello")


# --- callers ---


def test_a_queue_url_finds_the_queue_of_another_account_in_the_same_region(aws):
    theirs = aws.broker("111122223333").create_queue("emails")
    assert Caller(aws).queue(theirs.url) is theirs
    with pytest.raises(QueueDoesNotExist):
        Caller(aws, region="eu-west-1").queue(theirs.url)


def test_a_queue_url_of_an_account_that_nobody_used_finds_no_queue_of_ones_own(aws):
    aws.broker().create_queue("emails")
    with pytest.raises(QueueDoesNotExist):
        Caller(aws).queue("https://sqs.us-east-1.amazonaws.com/999999999999/emails")
    assert aws.known_broker("999999999999", "us-east-1") is None


def test_the_name_alone_finds_a_queue_of_ones_own(aws):
    queue = aws.broker().create_queue("emails")
    assert Caller(aws).queue("emails") is queue
    with pytest.raises(QueueDoesNotExist):
        Caller(aws, "999999999999").queue("emails")


@pytest.mark.parametrize("url", ["", "/", "https://sqs.us-east-1.amazonaws.com/"])
def test_what_is_no_queue_url_names_no_queue(aws, url):
    aws.broker().create_queue("emails")
    with pytest.raises(QueueDoesNotExist):
        Caller(aws).queue(url)


def test_queue_urls_begin_with_the_endpoint_that_the_caller_uses(aws):
    queue = aws.broker().create_queue("emails")
    assert Caller(aws).queue_url(queue) == "https://sqs.us-east-1.amazonaws.com/123456789012/emails"
    local = Caller(aws, base_url="http://localhost:4566")
    assert local.queue_url(queue) == "http://localhost:4566/123456789012/emails"
    assert local.queue(local.queue_url(queue)) is queue


def test_an_arn_finds_the_stream_of_another_account_in_the_callers_region(aws):
    stream = aws.broker("111122223333").create_stream("events")
    assert Caller(aws).broker_of_arn(stream.arn) is stream.broker
    elsewhere = aws.broker("111122223333", "eu-west-1").create_stream("events")
    assert (
        Caller(aws).broker_of_arn(elsewhere.arn) is stream.broker
    )  # which says that it is of another region
    assert Caller(aws).broker_of_arn("no ARN at all") is aws.broker()


def test_an_account_that_nobody_used_is_not_made_by_asking_for_it(aws):
    arn = "arn:aws:kinesis:eu-west-1:999999999999:stream/events"
    assert Caller(aws).broker_of_arn(arn) is aws.broker()
    assert len(aws.brokers()) == 1


def test_a_caller_goes_on_after_a_reset(aws):
    caller = Caller(aws)
    caller.broker.create_queue("emails")
    aws.reset()
    assert caller.broker.create_queue("emails").send("hello").message_id
