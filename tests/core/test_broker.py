"""A broker: named queues under one clock, one account and one lock."""

import pytest

from queuestream import Broker, Queue, QueueLimits, SystemClock, VirtualClock
from queuestream.core import ids
from queuestream.core.arns import Arn, name_of_queue_url, parse_arn
from queuestream.core.changes import Change
from queuestream.core.clock import SECOND
from queuestream.core.errors import (
    BrokerClosed,
    InvalidAttributeName,
    InvalidAttributeValue,
    InvalidParameterValue,
    QueueDeletedRecently,
    QueueDoesNotExist,
    QueueNameExists,
)


def names(queues):
    return [queue.name for queue in queues]


# --- creating ------------------------------------------------------------------------------------------


def test_a_queue_is_found_by_its_name_its_arn_and_its_url(broker):
    queue = broker.create_queue("emails", visibility_timeout=5)
    assert isinstance(queue, Queue)
    assert broker.queue("emails") is queue
    assert broker.queue_by_arn("arn:aws:sqs:us-east-1:000000000000:emails") is queue
    assert broker.queue_by_url("https://sqs.us-east-1.amazonaws.com/000000000000/emails") is queue
    assert broker.queue_by_url("http://localhost:4566/000000000000/emails/") is queue


def test_names_are_case_sensitive(broker):
    assert broker.create_queue("Emails") is not broker.create_queue("emails")


@pytest.mark.parametrize("name", ["emails", "", None, 5, "Emails", ["emails"]])
def test_a_queue_that_is_not_there_is_not_found(broker, name):
    for find in (broker.queue, broker.queue_by_arn, broker.queue_by_url, broker.delete_queue):
        with pytest.raises(QueueDoesNotExist, match=r"The specified queue does not exist\."):
            find(name)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sqs:eu-west-1:000000000000:emails",
        "arn:aws:sqs:us-east-1:111111111111:emails",
        "arn:aws:kinesis:us-east-1:000000000000:emails",
        "arn:aws:sqs:us-east-1:000000000000:other",
        "arn:aws:sqs:us-east-1:000000000000:",
        "arn:aws:sqs:us-east-1:emails",
        "urn:aws:sqs:us-east-1:000000000000:emails",
        "arn:elsewhere:sqs:us-east-1:000000000000:emails",
    ],
)
def test_another_arn_names_no_queue_of_this_broker(broker, arn):
    broker.create_queue("emails")
    assert broker.find_queue(arn) is None
    with pytest.raises(QueueDoesNotExist) as refused:
        broker.queue_by_arn(arn)
    assert refused.value.queue == arn


@pytest.mark.parametrize(
    "url", ["https://host/111111111111/emails", "https://host//emails", "emails", "/", "a/b"]
)
def test_another_url_names_no_queue_of_this_broker(broker, url):
    broker.create_queue("emails")
    with pytest.raises(QueueDoesNotExist):
        broker.queue_by_url(url)


def test_creating_a_queue_again_gives_the_same_one(broker):
    queue = broker.create_queue("emails", visibility_timeout=5, delay_seconds=1)
    assert broker.create_queue("emails") is queue
    assert broker.create_queue("emails", visibility_timeout=5) is queue
    assert broker.create_queue("emails", visibility_timeout=5, delay_seconds=1, tags={"a": "b"}) is queue
    assert queue.tags == {}
    assert names(broker.list_queues()) == ["emails"]


def test_creating_it_again_with_other_settings_is_refused(broker):
    queue = broker.create_queue("emails", visibility_timeout=5)
    with pytest.raises(
        QueueNameExists, match="same name and a different value for attribute VisibilityTimeout"
    ) as refused:
        broker.create_queue("emails", visibility_timeout=6)
    assert (refused.value.queue, refused.value.attribute) == ("emails", "VisibilityTimeout")
    with pytest.raises(QueueNameExists, match="DelaySeconds"):
        broker.create_queue("emails", delay_seconds=1)
    with pytest.raises(InvalidAttributeValue):
        broker.create_queue("emails", delay_seconds=901)
    with pytest.raises(InvalidAttributeName):
        broker.create_queue("emails", unknown=1)
    with pytest.raises(QueueNameExists):
        Queue("emails", broker=broker)
    assert broker.queue("emails") is queue


def test_a_settings_name_may_be_known_already_only_to_its_kind_of_queue(broker):
    broker.create_queue("orders.fifo", fifo_queue=True)
    with pytest.raises(InvalidParameterValue, match="Can only include alphanumeric"):
        broker.create_queue("orders.fifo")
    with pytest.raises(InvalidParameterValue, match=r"must end with \.fifo"):
        broker.create_queue("orders", fifo_queue=True)


def test_a_refused_queue_is_not_there(broker):
    heard = []
    broker.listen(heard.append)
    for arguments in (
        {"visibility_timeout": -1},
        {"unknown": 1},
        {"tags": {"": ""}},
        {"redrive_policy": "{}"},
    ):
        with pytest.raises((InvalidParameterValue, InvalidAttributeName, InvalidAttributeValue)):
            broker.create_queue("emails", **arguments)
    assert (heard, broker.list_queues()) == ([], [])


# --- deleting ------------------------------------------------------------------------------------------


def test_the_name_of_a_deleted_queue_is_free_again_after_sixty_seconds(broker, clock):
    queue = broker.create_queue("emails")
    queue.send("hello")
    broker.delete_queue("emails")
    clock.advance(seconds=60, nanoseconds=-1)
    with pytest.raises(QueueDeletedRecently, match="wait 60 seconds after deleting a queue") as refused:
        broker.create_queue("emails")
    assert refused.value.queue == "emails"
    clock.advance(nanoseconds=1)
    assert broker.create_queue("emails").peek() == []


def test_the_old_queue_is_not_the_new_one(broker, clock):
    old = broker.create_queue("emails")
    old.delete_queue()
    clock.advance(seconds=60)
    new = broker.create_queue("emails")
    new.send("hello")
    for operation in (old.receive, old.delete_queue, old.purge):
        with pytest.raises(QueueDoesNotExist):
            operation()
    assert new.counts() == (1, 0, 0)


def test_deleted_names_are_forgotten(broker, clock):
    for number in range(20):
        broker.create_queue(f"q{number}").delete_queue()
        clock.advance(seconds=30)
    assert len(broker._deleted_queues) == 2


def test_a_broker_may_have_no_such_rule(clock):
    broker = Broker(clock=clock, queue_limits=QueueLimits(delete_interval_seconds=0))
    broker.create_queue("emails").delete_queue()
    broker.create_queue("emails")


# --- listing -------------------------------------------------------------------------------------------


@pytest.fixture
def several(broker):
    for name in ("b2", "a1", "b1", "c", "b3"):
        broker.create_queue(name)
    return broker


def test_queues_are_listed_by_name(several):
    page = several.list_queues()
    assert names(page) == ["a1", "b1", "b2", "b3", "c"]
    assert page.next_token is None
    assert names(several.list_queues(queue_name_prefix="b")) == ["b1", "b2", "b3"]
    assert several.list_queues(queue_name_prefix="B") == []


def test_a_long_list_comes_in_pages(several):
    first = several.list_queues(max_results=2)
    assert names(first) == ["a1", "b1"]
    second = several.list_queues(max_results=2, next_token=first.next_token)
    assert names(second) == ["b2", "b3"]
    last = several.list_queues(max_results=2, next_token=second.next_token)
    assert (names(last), last.next_token) == (["c"], None)
    assert names(several.list_queues(next_token=second.next_token)) == ["c"]
    exactly = several.list_queues(queue_name_prefix="b", max_results=3)
    assert (names(exactly), exactly.next_token) == (["b1", "b2", "b3"], None)


def test_a_list_without_a_page_size_is_cut_off_and_says_nothing():
    broker = Broker(queue_limits=QueueLimits(queues_per_page_max=2))
    for name in "abc":
        broker.create_queue(name)
    page = broker.list_queues()
    assert (names(page), page.next_token) == (["a", "b"], None)


@pytest.mark.parametrize("size", [0, 1_001, -1, "5", 1.0, True])
def test_a_page_has_one_to_a_thousand_queues(several, size):
    with pytest.raises(InvalidParameterValue, match="Must be between 1 and 1000"):
        several.list_queues(max_results=size)
    assert len(several.list_queues(max_results=1)) == 1
    assert len(several.list_queues(max_results=1_000)) == 5


def test_prefixes_and_tokens_are_text(several):
    with pytest.raises(InvalidParameterValue, match="NextToken"):
        several.list_queues(max_results=1, next_token=5)
    for prefix in (5, None, b"b", 10**5_000):
        with pytest.raises(InvalidParameterValue, match="QueueNamePrefix"):
            several.list_queues(queue_name_prefix=prefix)


# --- account, region, clock ----------------------------------------------------------------------------


def test_a_broker_has_an_account_and_a_region():
    queue = Broker(account_id="123456789012", region="eu-central-1").create_queue("emails")
    assert queue.arn == "arn:aws:sqs:eu-central-1:123456789012:emails"
    assert queue.url == "https://sqs.eu-central-1.amazonaws.com/123456789012/emails"
    queue.send("hello")
    assert queue.receive()[0].sender_id == "123456789012"


@pytest.mark.parametrize(
    "account_id", ["", "12345678901", "1234567890123", "abcdefghijkl", 123456789012, None]
)
def test_an_account_id_is_twelve_digits(account_id):
    with pytest.raises(InvalidParameterValue, match="AccountId"):
        Broker(account_id=account_id)


def test_the_digits_of_an_account_id_are_ascii():
    with pytest.raises(InvalidParameterValue, match="twelve digits"):
        Broker(account_id="\N{ARABIC-INDIC DIGIT ONE}" * 12)


@pytest.mark.parametrize("region", ["", None, 5, "eu:west", "eu west", "a/b"])
def test_a_region_is_a_name(region):
    with pytest.raises(InvalidParameterValue, match="Region"):
        Broker(region=region)


def test_the_time_is_the_machines_where_no_clock_is_given():
    assert isinstance(Broker().clock, SystemClock)
    queue = Queue("emails")
    queue.send("hello")
    assert queue.receive()[0].body == "hello"


def test_two_brokers_with_the_same_seed_are_the_same():
    brokers = [Broker(seed=5, clock=VirtualClock()) for _ in range(2)]
    first, second = [[b.create_queue("emails").send("hello").message_id, b.ids.uuid()] for b in brokers]
    assert first == second
    assert Broker(clock=VirtualClock()).create_queue("emails").send("hello").message_id != first[0]


def test_a_forked_process_begins_anew_with_its_ids():
    Broker().ids.uuid()
    ids._begin_anew()
    assert ids._unseeded_uuids == []
    assert Broker().ids.uuid() != Broker().ids.uuid()


def test_the_next_event_is_the_first_of_any_queues(broker, clock):
    assert broker.next_event_ns() is None
    broker.create_queue("quiet")
    broker.create_queue("brief", message_retention_period=60).send("hello")
    assert broker.next_event_ns() == clock.now_ns() + 60 * SECOND
    broker.create_queue("delayed").send("hello", delay_seconds=5)
    assert broker.next_event_ns() == clock.now_ns() + 5 * SECOND


# --- open and closed, heard and unheard ----------------------------------------------------------------


def test_a_closed_broker_takes_no_more_calls(broker):
    queue = broker.create_queue("emails")
    broker.close("it is late")
    broker.close("another reason")
    for operation in (
        lambda: broker.create_queue("emails"),
        lambda: broker.create_queue("other"),
        lambda: broker.queue("emails"),
        lambda: broker.queue_by_arn(queue.arn),
        lambda: broker.queue_by_url(queue.url),
        lambda: broker.delete_queue("emails"),
        broker.list_queues,
        lambda: broker.start_message_move_task(queue.arn),
        lambda: broker.list_message_move_tasks(queue.arn),
        lambda: broker.cancel_message_move_task("handle"),
        broker.check_open,
    ):
        with pytest.raises(BrokerClosed, match="This broker takes no more calls: it is late") as closed:
            operation()
        assert closed.value.reason == "it is late"


def test_a_broker_closes_at_the_end_of_its_block():
    with Broker() as broker:
        broker.create_queue("emails")
    assert broker.closed_because == "it was closed"


def test_a_brokers_repr_tells_what_is_in_it(broker):
    broker.create_queue("emails")
    assert repr(broker) == "<Broker of 000000000000 in us-east-1: 1 queues, 0 streams>"
    broker.close()
    assert repr(broker) == "<Broker of 000000000000 in us-east-1: closed>"


def test_a_listener_hears_each_calls_changes_before_they_are_applied(broker):
    heard = []

    def listener(changes):
        heard.append((changes, len(broker.queues), [len(queue._ages) for queue in broker.queues.values()]))

    broker.listen(listener)
    queue = broker.create_queue("emails")
    queue.send_batch(["a", "b"])
    [(created, *at_creation), (sent, *at_sending)] = heard
    assert at_creation == [0, []]
    assert at_sending == [1, [0]]
    assert [type(change).__name__ for change in (*created, *sent)] == [
        "QueueCreated",
        "MessageSent",
        "MessageSent",
    ]
    assert all(isinstance(change, Change) for change in (*created, *sent))


def test_reading_is_not_heard(broker):
    queue = broker.create_queue("emails")
    queue.send("hello")
    heard = []
    broker.listen(heard.append)
    queue.peek()
    queue.counts()
    repr(queue)
    queue.list_dead_letter_source_queues()
    queue.list_message_move_tasks()
    broker.list_queues()
    broker.next_event_ns()
    broker.create_queue("emails")
    assert broker.create_queue("empty").receive() == []
    assert [type(change).__name__ for changes in heard for change in changes] == ["QueueCreated"]


OPERATIONS = {
    "send": lambda queue, message: queue.send("other"),
    "send_batch": lambda queue, message: queue.send_batch(["a", "b"]),
    "receive": lambda queue, message: queue.receive(),
    "delete": lambda queue, message: queue.delete(message),
    "delete_batch": lambda queue, message: queue.delete_batch([message]),
    "change_visibility": lambda queue, message: queue.change_visibility(message, 0),
    "change_visibility_batch": lambda queue, message: queue.change_visibility_batch([(message, 0)]),
    "purge": lambda queue, message: queue.purge(),
    "set_attributes": lambda queue, message: queue.set_attributes(delay_seconds=5),
    "a shorter retention": lambda queue, message: queue.set_attributes(message_retention_period=60),
    "tag": lambda queue, message: queue.tag({"a": "b"}),
    "untag": lambda queue, message: queue.untag(["team"]),
    "add_permission": lambda queue, message: queue.add_permission("x", ["123456789012"], ["SendMessage"]),
    "delete_queue": lambda queue, message: queue.delete_queue(),
    "create_queue": lambda queue, message: queue.broker.create_queue("new"),
    "start_message_move_task": lambda queue, message: queue.broker.queue("failed").start_message_move_task(),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_cannot_be_recorded_did_not_happen(broker, clock, operation):
    dead = broker.create_queue("failed")
    queue = broker.create_queue(
        "emails",
        tags={"team": "mail"},
        redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 10},
    )
    queue.send_batch(["a", "b", "c"])
    [message] = queue.receive()
    clock.advance(seconds=5)

    def everything():
        seen = [
            (q.name, q.peek(), q.counts(), q.attributes, q.tags, q.last_modified_ns)
            for q in broker.list_queues()
        ]
        return seen, dead.list_message_move_tasks(), queue.next_event_ns()

    before = everything()

    def refuse(changes):
        raise OSError("disk full")

    broker.listen(refuse)
    with pytest.raises(OSError, match="disk full"):
        OPERATIONS[operation](queue, message)
    broker.listeners = ()
    assert everything() == before
    broker.check_invariants()
    OPERATIONS[operation](queue, message)
    broker.check_invariants()


# --- names ---------------------------------------------------------------------------------------------


def test_an_arn_is_text_and_parts():
    arn = parse_arn("arn:aws-cn:kinesis:cn-north-1:123456789012:stream/events/consumer/c:1")
    assert arn == Arn("kinesis", "cn-north-1", "123456789012", "stream/events/consumer/c:1")
    assert arn.name == "events"
    assert str(arn) == "arn:aws:kinesis:cn-north-1:123456789012:stream/events/consumer/c:1"
    assert parse_arn("arn:aws:sqs:us-east-1:123456789012:emails").name == "emails"


@pytest.mark.parametrize(
    "text", [None, 5, b"arn:aws:sqs:a:b:c", "", "arn:aws:sqs:a:b", "arn:aws:sqs::b:c", "x:aws:sqs:a:b:c"]
)
def test_what_is_no_arn_has_no_parts(text):
    assert parse_arn(text) is None


def test_a_url_ends_in_the_account_and_the_name():
    assert name_of_queue_url("https://sqs.us-east-1.amazonaws.com/123/emails") == ("123", "emails")
    assert name_of_queue_url("https://host/base/123/emails/") == ("123", "emails")
    assert name_of_queue_url("emails") is None


@pytest.mark.parametrize("clock", [VirtualClock, 5, "now"], ids=repr)
def test_what_is_no_clock_is_refused_at_once(clock):
    with pytest.raises(TypeError, match=r"A clock is made first, as in clock=VirtualClock\(\)"):
        Broker(clock=clock)
