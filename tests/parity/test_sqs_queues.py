"""SQS: queues as a whole: creating, finding, listing, changing and deleting them."""

import json

import pytest
from drivers.refusals import refused

from queuestream.core.clock import SECOND
from queuestream.core.queues.attributes import QueueAttributes

CREATE = "SQS API reference: CreateQueue"
DELETE = "SQS API reference: DeleteQueue"
LIST = "SQS API reference: ListQueues"
URL = "SQS API reference: GetQueueUrl"
GET = "SQS API reference: GetQueueAttributes"
SET = "SQS API reference: SetQueueAttributes"
TAG = "SQS API reference: TagQueue"
TAGS = "SQS developer guide: Amazon SQS cost allocation tags"
ADD_PERMISSION = "SQS API reference: AddPermission"
REMOVE_PERMISSION = "SQS API reference: RemovePermission"
ACCOUNT = "123456789012"


def statements(queue):
    policy = queue.attributes.policy
    return [] if policy is None else json.loads(policy)["Statement"]


# --- creating ---


@pytest.mark.parametrize("name", ["a", "x" * 80, "A-z_0"])
@pytest.mark.aws("A queue's name has letters, digits, hyphens and underscores, 80 at most.", page=CREATE)
def test_names_that_are_taken(broker, name):
    assert broker.create_queue(name).name == name


@pytest.mark.parametrize("name", ["x" * 81, "a b", "a.b", "ü", "a.fifo"])
@pytest.mark.aws("A name has no other characters; .fifo at its end is for FIFO queues.", page=CREATE)
def test_names_that_are_refused(broker, name):
    with refused(
        "InvalidParameterValue",
        "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
    ):
        broker.create_queue(name)


@pytest.mark.aws("The name of a FIFO queue ends in .fifo.", page=CREATE)
def test_a_fifo_queues_name_ends_in_fifo(broker):
    assert broker.create_queue("x" * 75 + ".fifo", fifo_queue=True).is_fifo
    for name in ("orders", "x" * 76 + ".fifo", ".fifo"):
        with refused("InvalidParameterValue"):
            broker.create_queue(name, fifo_queue=True)


@pytest.mark.aws("Names are case-sensitive.", page=CREATE)
def test_names_are_case_sensitive(broker):
    broker.create_queue("emails").send("hello")
    assert broker.create_queue("Emails").counts().visible == 0


@pytest.mark.aws(
    "Creating a queue that exists gives that queue, if the attributes that are named are the same.",
    page=CREATE,
)
def test_a_queue_can_be_created_twice(broker):
    broker.create_queue("emails", visibility_timeout=60, delay_seconds=1).send("hello")
    again = broker.create_queue("emails", visibility_timeout=60)
    assert again.counts().delayed == 1


@pytest.mark.aws("Creating a queue that exists with other attributes is refused.", page=CREATE)
def test_a_queue_is_not_created_anew_with_other_attributes(broker):
    broker.create_queue("emails", delay_seconds=1)
    with refused(
        "QueueNameExists",
        "A queue already exists with the same name and a different value for attribute DelaySeconds",
    ):
        broker.create_queue("emails", delay_seconds=2)


@pytest.mark.aws("A queue of the same name can be created 60 seconds after the deletion.", page=CREATE)
def test_a_deleted_queues_name_is_free_after_a_minute(broker, clock):
    broker.create_queue("emails").delete_queue()
    clock.advance(seconds=59.999)
    with refused(
        "QueueDeletedRecently",
        "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
    ):
        broker.create_queue("emails")
    clock.advance(milliseconds=1)
    assert broker.create_queue("emails").counts().visible == 0


@pytest.mark.aws(
    "A deleted queue is gone with its messages, and no longer exists for any operation.", page=DELETE
)
def test_a_deleted_queue_does_not_exist(broker, queue):
    queue.send("hello")
    queue.delete_queue()
    for use in (lambda: queue.send("hello"), queue.receive, queue.purge, queue.counts):
        with refused("QueueDoesNotExist", "The specified queue does not exist."):
            use()
    assert list(broker.list_queues()) == []


# --- finding ---


@pytest.mark.aws("A queue's URL is found by its name.", page=URL)
def test_a_queue_is_found_by_its_name(broker, queue):
    found = broker.queue("emails")
    assert found.url == queue.url
    assert found.url.endswith(f"/{ACCOUNT}/emails")


@pytest.mark.aws("A queue that does not exist is not found.", page=URL)
def test_a_queue_that_does_not_exist_is_not_found(broker):
    with refused("QueueDoesNotExist", "The specified queue does not exist."):
        broker.queue("nothing")


@pytest.mark.aws("Queues are listed, those whose names begin with a prefix where one is given.", page=LIST)
def test_queues_are_listed_by_prefix(broker):
    for name in ("blue-2", "blue-1", "red"):
        broker.create_queue(name)
    assert [queue.name for queue in broker.list_queues()] == ["blue-1", "blue-2", "red"]
    assert [queue.name for queue in broker.list_queues(queue_name_prefix="blue")] == ["blue-1", "blue-2"]
    assert list(broker.list_queues(queue_name_prefix="Blue")) == []


@pytest.mark.aws("With MaxResults the list comes in pages, and a token goes on with the next.", page=LIST)
def test_queues_are_listed_in_pages(broker):
    for name in "abc":
        broker.create_queue(name)
    page = broker.list_queues(max_results=2)
    assert [queue.name for queue in page] == ["a", "b"]
    rest = broker.list_queues(max_results=2, next_token=page.next_token)
    assert [queue.name for queue in rest] == ["c"]
    assert rest.next_token is None


@pytest.mark.aws("Without MaxResults there is no token.", page=LIST)
def test_a_list_without_a_page_size_has_no_token(broker, queue):
    assert broker.list_queues().next_token is None


@pytest.mark.parametrize("count", [0, 1_001])
@pytest.mark.aws("MaxResults is 1 to 1,000.", page=LIST)
def test_a_page_size_out_of_range_is_refused(broker, count):
    with refused("InvalidParameterValue"):
        broker.list_queues(max_results=count)


# --- attributes ---


@pytest.mark.aws("A queue of which nothing is said has AWS's defaults.", page=CREATE)
def test_a_queue_has_default_attributes(queue):
    assert queue.attributes == QueueAttributes(
        visibility_timeout=30,
        delay_seconds=0,
        message_retention_period=345_600,
        maximum_message_size=1_048_576,
        receive_message_wait_time_seconds=0,
        sqs_managed_sse_enabled=True,
    )


@pytest.mark.aws(
    "A FIFO queue deduplicates by queue, and not by content, where nothing is said.", page=CREATE
)
def test_a_fifo_queue_has_default_attributes(fifo_queue):
    assert fifo_queue.attributes == QueueAttributes(
        fifo_queue=True,
        content_based_deduplication=False,
        deduplication_scope="queue",
        fifo_throughput_limit="perQueue",
    )


@pytest.mark.aws("A queue is made with the attributes that are given.", page=CREATE)
def test_a_queue_has_the_attributes_it_was_made_with(broker):
    given = {
        "visibility_timeout": 1,
        "delay_seconds": 2,
        "message_retention_period": 60,
        "maximum_message_size": 1_024,
        "receive_message_wait_time_seconds": 3,
        "kms_master_key_id": "alias/aws/sqs",
        "kms_data_key_reuse_period_seconds": 60,
        "sqs_managed_sse_enabled": False,
    }
    assert broker.create_queue("emails", **given).attributes == QueueAttributes(**given)


@pytest.mark.parametrize(
    ("name", "aws_name", "low", "high"),
    [
        ("visibility_timeout", "VisibilityTimeout", 0, 43_200),
        ("delay_seconds", "DelaySeconds", 0, 900),
        ("message_retention_period", "MessageRetentionPeriod", 60, 1_209_600),
        ("maximum_message_size", "MaximumMessageSize", 1_024, 1_048_576),
        ("receive_message_wait_time_seconds", "ReceiveMessageWaitTimeSeconds", 0, 20),
        ("kms_data_key_reuse_period_seconds", "KmsDataKeyReusePeriodSeconds", 60, 86_400),
    ],
)
@pytest.mark.aws("Each numeric attribute has a range.", page=SET)
def test_attributes_have_ranges(queue, name, aws_name, low, high):
    queue.set_attributes(kms_master_key_id="alias/aws/sqs")
    for value in (low, high):
        queue.set_attributes(**{name: value})
        assert getattr(queue.attributes, name) == value
    for value in (low - 1, high + 1):
        with refused("InvalidAttributeValue", f"Invalid value for the parameter {aws_name}."):
            queue.set_attributes(**{name: value})
    assert getattr(queue.attributes, name) == high


@pytest.mark.aws("An attribute that does not exist is refused.", page=SET)
def test_an_unknown_attribute_is_refused(queue):
    with refused("InvalidAttributeName", "Unknown Attribute Colour."):
        queue.set_attributes(Colour="blue")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content_based_deduplication", True),
        ("deduplication_scope", "messageGroup"),
        ("fifo_throughput_limit", "perMessageGroupId"),
    ],
)
@pytest.mark.aws("Attributes of FIFO queues are unknown to standard queues.", page=SET)
def test_a_standard_queue_has_no_attributes_of_fifo_queues(queue, name, value):
    with refused("InvalidAttributeName"):
        queue.set_attributes(**{name: value})


@pytest.mark.aws("perMessageGroupId goes with the deduplication scope messageGroup only.", page=SET)
def test_throughput_by_group_needs_deduplication_by_group(fifo_queue):
    with refused("InvalidAttributeValue"):
        fifo_queue.set_attributes(fifo_throughput_limit="perMessageGroupId")
    fifo_queue.set_attributes(fifo_throughput_limit="perMessageGroupId", deduplication_scope="messageGroup")
    assert fifo_queue.attributes.fifo_throughput_limit == "perMessageGroupId"


@pytest.mark.aws("A queue cannot become a FIFO queue, nor cease to be one.", page=CREATE)
def test_a_queues_kind_is_for_life(queue, fifo_queue):
    with refused("InvalidAttributeName", "Unknown Attribute FifoQueue."):
        queue.set_attributes(fifo_queue=True)
    with refused(
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    ):
        fifo_queue.set_attributes(fifo_queue=False)


@pytest.mark.aws("An empty value takes a policy away.", page=SET)
def test_a_policy_can_be_taken_away(queue):
    queue.add_permission("label", [ACCOUNT], ["SendMessage"])
    queue.set_attributes(policy=None)
    assert queue.attributes.policy is None


@pytest.mark.aws("A queue has one kind of encryption at a time; a key ends SQS's own.", page=SET)
def test_a_key_ends_sqs_own_encryption(queue):
    assert queue.attributes.sqs_managed_sse_enabled
    queue.set_attributes(kms_master_key_id="alias/aws/sqs")
    assert not queue.attributes.sqs_managed_sse_enabled


@pytest.mark.aws("A request for both kinds of encryption is refused.", page=SET)
def test_both_kinds_of_encryption_are_refused(broker):
    with refused(
        "InvalidAttributeName",
        "You can use one type of server-side encryption (SSE) at one time. "
        "You can either enable KMS SSE or SQS SSE.",
    ):
        broker.create_queue("emails", kms_master_key_id="alias/aws/sqs", sqs_managed_sse_enabled=True)


@pytest.mark.aws("A queue says when it was created and when it was last changed, in seconds.", page=GET)
def test_a_queue_knows_when_it_was_made_and_changed(broker, clock):
    created_s = clock.now_ns() // SECOND
    queue = broker.create_queue("emails")
    assert queue.created_ns // SECOND == queue.last_modified_ns // SECOND == created_s
    clock.advance(seconds=10)
    queue.set_attributes(visibility_timeout=1)
    assert queue.created_ns // SECOND == created_s
    assert queue.last_modified_ns // SECOND == created_s + 10


@pytest.mark.aws("QueueArn is the queue's ARN.", page=GET)
def test_a_queue_has_an_arn(queue):
    assert queue.arn == f"arn:aws:sqs:us-east-1:{ACCOUNT}:emails"


# --- tags ---


@pytest.mark.aws("A queue can be made with tags.", page=CREATE)
def test_a_queue_is_made_with_tags(broker):
    assert broker.create_queue("emails", tags={"team": "mail"}).tags == {"team": "mail"}


@pytest.mark.aws("A tag with the key of another replaces it.", page=TAG)
def test_tags_are_added_replaced_and_taken_away(queue):
    queue.tag({"team": "mail", "stage": "test", "empty": ""})
    queue.tag({"stage": "live"})
    assert queue.tags == {"team": "mail", "stage": "live", "empty": ""}
    queue.untag(["team", "unknown"])
    assert queue.tags == {"stage": "live", "empty": ""}


@pytest.mark.aws("Keys and values of tags are case-sensitive.", page=TAG)
def test_tags_are_case_sensitive(queue):
    queue.tag({"team": "mail", "Team": "Mail"})
    assert queue.tags == {"team": "mail", "Team": "Mail"}


@pytest.mark.aws("A queue has 50 tags at most.", page=TAGS)
def test_a_queue_has_fifty_tags_at_most(queue):
    queue.tag({str(number): "x" for number in range(50)})
    with refused("InvalidParameterValue"):
        queue.tag({"one more": "x"})


@pytest.mark.parametrize("tag", [("k" * 129, "v"), ("k", "v" * 257), ("aws:k", "v")])
@pytest.mark.aws("A key is 128 characters at most and not AWS's own, a value 256.", page=TAGS)
def test_tags_that_are_refused(queue, tag):
    with refused("InvalidParameterValue"):
        queue.tag(dict([tag]))
    assert queue.tags == {}


# --- permissions ---


@pytest.mark.aws(
    "AddPermission writes a statement for a principal's account into the queue's policy.", page=ADD_PERMISSION
)
def test_a_permission_is_a_statement_of_the_policy(queue):
    queue.add_permission("send", [ACCOUNT], ["SendMessage"])
    assert statements(queue) == [
        {
            "Sid": "send",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "SQS:SendMessage",
            "Resource": queue.arn,
        }
    ]


@pytest.mark.aws("A label names one permission.", page=ADD_PERMISSION)
def test_a_label_is_used_once(queue):
    queue.add_permission("send", [ACCOUNT], ["SendMessage"])
    with refused(
        "InvalidParameterValue", "Value send for parameter Label is invalid. Reason: Already exists."
    ):
        queue.add_permission("send", [ACCOUNT], ["ReceiveMessage"])


@pytest.mark.aws("RemovePermission takes the statement of that label away.", page=REMOVE_PERMISSION)
def test_a_permission_is_taken_away_by_its_label(queue):
    queue.add_permission("send", [ACCOUNT], ["SendMessage"])
    queue.add_permission("receive", [ACCOUNT], ["ReceiveMessage"])
    queue.remove_permission("send")
    assert [statement["Sid"] for statement in statements(queue)] == ["receive"]
    queue.remove_permission("receive")
    assert queue.attributes.policy is None


@pytest.mark.aws("A label that is not there is refused.", page=REMOVE_PERMISSION)
def test_a_label_that_is_not_there_is_refused(queue):
    with refused(
        "InvalidParameterValue", "Value send for parameter Label is invalid. Reason: can't find label."
    ):
        queue.remove_permission("send")


@pytest.mark.aws("A policy has seven actions in a statement at most.", page=ADD_PERMISSION)
def test_a_permission_has_seven_actions_at_most(queue):
    actions = [
        "SendMessage",
        "ReceiveMessage",
        "DeleteMessage",
        "ChangeMessageVisibility",
        "GetQueueAttributes",
        "GetQueueUrl",
        "ListDeadLetterSourceQueues",
        "PurgeQueue",
    ]
    queue.add_permission("seven", [ACCOUNT], actions[:7])
    with refused("OverLimit", "8 Actions were found, maximum allowed is 7."):
        queue.add_permission("eight", [ACCOUNT], actions)


@pytest.mark.aws("Operations that only the owner may call cannot be given away.", page=ADD_PERMISSION)
def test_the_owners_own_operations_cannot_be_given_away(queue):
    with refused(
        "InvalidParameterValue",
        "Value SQS:DeleteQueue for parameter ActionName is invalid. "
        "Reason: Only the queue owner is allowed to invoke this action.",
    ):
        queue.add_permission("delete", [ACCOUNT], ["DeleteQueue"])
