"""Our operations take what botocore's take, in snake case, but for what is chosen here, with its reason.

And what takes it is the same for every engine, for threads and for asyncio.
"""

import gzip
import inspect
import json
import re
from functools import cache
from pathlib import Path

import attrs
import botocore
import pytest

from queuestream import (
    Broker,
    ChangeVisibilityEntry,
    DeleteEntry,
    Queue,
    SendEntry,
    SentMessage,
    Stream,
    aio,
    connect,
    engines,
)
from queuestream.aws.remote import async_queues, broker, queues, streams
from queuestream.core.queues.attributes import AWS_NAMES
from queuestream.core.queues.message import ReceivedMessage
from queuestream.core.queues.move_tasks import MessageMoveTask

BOTOCORE = Path(botocore.__file__).parent / "data"

THE_OBJECT = "named by the object whose method it is"
A_VALUE = "given back as a Python value, whole"
OF_STREAM = "a keyword, as all settings of a Stream"

# AWS's operation: ours.
SQS = {
    "AddPermission": Queue.add_permission,
    "CancelMessageMoveTask": Broker.cancel_message_move_task,
    "ChangeMessageVisibility": Queue.change_visibility,
    "ChangeMessageVisibilityBatch": Queue.change_visibility_batch,
    "CreateQueue": Broker.create_queue,
    "DeleteMessage": Queue.delete,
    "DeleteMessageBatch": Queue.delete_batch,
    "DeleteQueue": Broker.delete_queue,
    "GetQueueAttributes": "the property Queue.attributes, and the counts",
    "GetQueueUrl": Broker.queue,
    "ListDeadLetterSourceQueues": Queue.list_dead_letter_source_queues,
    "ListMessageMoveTasks": Broker.list_message_move_tasks,
    "ListQueueTags": "the property Queue.tags",
    "ListQueues": Broker.list_queues,
    "PurgeQueue": Queue.purge,
    "ReceiveMessage": Queue.receive,
    "RemovePermission": Queue.remove_permission,
    "SendMessage": Queue.send,
    "SendMessageBatch": Queue.send_batch,
    "SetQueueAttributes": Queue.set_attributes,
    "StartMessageMoveTask": Broker.start_message_move_task,
    "TagQueue": Queue.tag,
    "UntagQueue": Queue.untag,
}
KINESIS = {
    "AddTagsToStream": Stream.add_tags,
    "CreateStream": Broker.create_stream,
    "DecreaseStreamRetentionPeriod": Stream.decrease_stream_retention_period,
    "DeleteResourcePolicy": Stream.delete_resource_policy,
    "DeleteStream": Broker.delete_stream,
    "DeregisterStreamConsumer": Stream.deregister_stream_consumer,
    "DescribeAccountSettings": Broker.describe_account_settings,
    "DescribeLimits": Broker.describe_stream_limits,
    "DescribeStream": Stream.describe,
    "DescribeStreamConsumer": Stream.describe_stream_consumer,
    "DescribeStreamSummary": Stream.describe_summary,
    "DisableEnhancedMonitoring": Stream.disable_enhanced_monitoring,
    "EnableEnhancedMonitoring": Stream.enable_enhanced_monitoring,
    "GetRecords": Stream.get_records,
    "GetResourcePolicy": Stream.get_resource_policy,
    "GetShardIterator": Stream.get_shard_iterator,
    "IncreaseStreamRetentionPeriod": Stream.increase_stream_retention_period,
    "ListShards": Stream.list_shards,
    "ListStreamConsumers": Stream.list_stream_consumers,
    "ListStreams": Broker.list_streams,
    "ListTagsForResource": "Stream.tags and Stream.consumer_tags",
    "ListTagsForStream": Stream.list_tags,
    "MergeShards": Stream.merge_shards,
    "PutRecord": Stream.put_record,
    "PutRecords": Stream.put_records,
    "PutResourcePolicy": Stream.put_resource_policy,
    "RegisterStreamConsumer": Stream.register_stream_consumer,
    "RemoveTagsFromStream": Stream.remove_tags,
    "SplitShard": Stream.split_shard,
    "StartStreamEncryption": Stream.start_stream_encryption,
    "StopStreamEncryption": Stream.stop_stream_encryption,
    "SubscribeToShard": Stream.subscribe_to_shard,
    "TagResource": "Stream.add_tags and Stream.tag_consumer",
    "UntagResource": "Stream.remove_tags and Stream.untag_consumer",
    "UpdateAccountSettings": Broker.update_account_settings,
    "UpdateMaxRecordSize": Stream.update_max_record_size,
    "UpdateShardCount": Stream.update_shard_count,
    "UpdateStreamMode": Stream.update_stream_mode,
    "UpdateStreamRecordDistributionStrategy": Stream.update_stream_record_distribution_strategy,
    "UpdateStreamWarmThroughput": Stream.update_stream_warm_throughput,
}
# What Kinesis has that is not data streams.
KINESIS_NOUNS_NOT_HERE = ("Queue", "Channel")
# What an older botocore does not know yet: operations, and parameters of others.
NEW_IN_KINESIS = {
    "DescribeAccountSettings",
    "UpdateAccountSettings",
    "UpdateMaxRecordSize",
    "UpdateStreamRecordDistributionStrategy",
    "UpdateStreamWarmThroughput",
}
NEW_PARAMETERS = {"MaxRecordSizeInKiB", "RecordDistributionStrategy", "StreamId", "WarmThroughputMiBps"}

# A parameter of AWS's that ours has not: why.
LEFT_OUT = {
    ("*", "QueueUrl"): THE_OBJECT,
    ("*", "StreamARN"): THE_OBJECT,
    ("*", "StreamId"): "which AWS keeps for itself",
    ("CreateQueue", "Attributes"): "keywords, each under its own name",
    ("SetQueueAttributes", "Attributes"): "keywords, each under its own name",
    ("GetQueueUrl", "QueueOwnerAWSAccountId"): "a broker is one account",
    ("ReceiveMessage", "AttributeNames"): A_VALUE,
    ("ReceiveMessage", "MessageSystemAttributeNames"): A_VALUE,
    ("*", "ResourceARN"): THE_OBJECT,
    ("CreateStream", "ShardCount"): OF_STREAM,
    ("CreateStream", "StreamModeDetails"): OF_STREAM,
    ("CreateStream", "Tags"): OF_STREAM,
    ("CreateStream", "WarmThroughputMiBps"): OF_STREAM,
    ("CreateStream", "MaxRecordSizeInKiB"): OF_STREAM,
    ("CreateStream", "RecordDistributionStrategy"): OF_STREAM,
}
# A parameter that has another name with us: why.
RENAMED = {
    ("DeleteQueue", "QueueUrl"): (
        "queue_name",
        "a broker knows its queues by name; Queue.delete_queue needs none",
    ),
    ("*", "AWSAccountIds"): ("aws_account_ids", "as botocore's own xform_name has it"),
    ("CreateQueue", "tags"): ("tags", "which AWS itself writes small"),
    ("CreateStream", "StreamName"): ("name", "the noun is in the class"),
    ("DeleteStream", "StreamName"): ("name", "the noun is in the class"),
    ("*", "StreamName"): (None, THE_OBJECT),
    ("*", "MaxRecordSizeInKiB"): ("max_record_size_in_kib", "KiB is one word"),
    ("*", "WarmThroughputMiBps"): ("warm_throughput_mibps", "MiBps is one word"),
    ("UpdateStreamMode", "StreamModeDetails"): ("stream_mode", "the only detail there is"),
}
# A parameter that only ours has: why.
OURS = {
    ("CreateQueue", "attributes"): "keywords, each under its own name",
    ("SetQueueAttributes", "attributes"): "keywords, each under its own name",
    ("CreateStream", "settings"): "keywords, as of Stream",
    ("UpdateStreamMode", "warm_throughput_mibps"): "which an older botocore does not know yet",
    **{
        (operation, "dry_run"): "which an older botocore does not know yet"
        for operation in ("GetRecords", "GetShardIterator", "PutRecord", "PutRecords", "SubscribeToShard")
    },
}


# A parameter that a caller must give to AWS and not to us, or to us and not to AWS: why.
NEED_NOT = {
    ("UpdateShardCount", "scaling_type"): "there is only one",
    (
        "PutRecord",
        "partition_key",
    ): "not where a stream distributes its records itself; an older botocore wants it",
}
MUST = {("DeleteStream", "name"): "a broker knows its streams by name"}


@cache
def model(service):
    [newest] = sorted((BOTOCORE / service).glob("*/service-2.json*"))[-1:]
    written = newest.read_bytes()
    return json.loads(gzip.decompress(written) if newest.suffix == ".gz" else written)


def snake(name):
    """MaxNumberOfMessages is max_number_of_messages; MaximumBatchingWindowInSeconds ... InSeconds too."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def members(service, shape):
    shapes = model(service)["shapes"]
    return shapes[shape].get("members", {}), shapes[shape].get("required", [])


def request(service, operation):
    shape = model(service)["operations"][operation].get("input", {}).get("shape")
    return members(service, shape) if shape else ({}, [])


def chosen(table, operation, name):
    return table.get((operation, name), table.get(("*", name)))


def expected(service, operation):
    """What our operation's parameters should be called, and which of them a caller must give."""
    names, needed = set(), set()
    given, required = request(service, operation)
    for name in given:
        rename = chosen(RENAMED, operation, name)
        if (operation, name) in LEFT_OUT:
            continue
        if rename is not None:
            if rename[0] is None:
                continue
            ours = rename[0]
        elif chosen(LEFT_OUT, operation, name):
            continue
        else:
            ours = snake(name)
        names.add(ours)
        if name in required:
            needed.add(ours)
    names |= {parameter for place, parameter in OURS if place == operation}
    needed -= {parameter for place, parameter in NEED_NOT if place == operation}
    needed |= {parameter for place, parameter in MUST if place == operation}
    return names, needed


def assert_the_same(service, operation, ours):
    parameters = {name: p for name, p in inspect.signature(ours).parameters.items() if name != "self"}
    names, needed = expected(service, operation)
    assert parameters.keys() == names
    must = {
        name
        for name, p in parameters.items()
        if p.default is p.empty and p.kind is not inspect.Parameter.VAR_KEYWORD
    }
    assert must == needed


def operations(table):
    """Those that botocore knows and that are methods here."""
    known = {*model("sqs")["operations"], *model("kinesis")["operations"]}
    return [(name, ours) for name, ours in table.items() if name in known and not isinstance(ours, str)]


@pytest.mark.parametrize(
    ("operation", "ours"), operations(SQS), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_queues_operation_takes_what_botocores_takes(operation, ours):
    assert_the_same("sqs", operation, ours)


def test_every_operation_of_sqs_has_its_place():
    assert set(SQS) == set(model("sqs")["operations"])


@pytest.mark.parametrize(
    ("operation", "ours"),
    [
        (Queue.start_message_move_task, Broker.start_message_move_task),
        (Queue.list_message_move_tasks, Broker.list_message_move_tasks),
    ],
)
def test_a_queues_own_form_of_a_brokers_operation_leaves_the_source_out(operation, ours):
    assert {*inspect.signature(operation).parameters} == {*inspect.signature(ours).parameters} - {
        "source_arn"
    }


@pytest.mark.parametrize(
    ("shape", "entry"),
    [
        ("SendMessageBatchRequestEntry", SendEntry),
        ("DeleteMessageBatchRequestEntry", DeleteEntry),
        ("ChangeMessageVisibilityBatchRequestEntry", ChangeVisibilityEntry),
    ],
)
def test_an_entry_of_a_batch_has_botocores_fields(shape, entry):
    assert {field.name for field in attrs.fields(entry)} == {snake(name) for name in members("sqs", shape)[0]}


def test_what_a_send_answers_is_called_as_botocore_calls_it():
    # AWS's MD5OfMessageBody is the md5_of_body of what a receive gives; one name for one thing.
    names = {snake(name).replace("md5of", "md5_of") for name in members("sqs", "SendMessageResult")[0]}
    assert {name.replace("md5_of_message_body", "md5_of_body") for name in names} <= {*dir(SentMessage)}


def test_what_a_receive_gives_is_called_as_botocore_calls_it():
    system = model("sqs")["shapes"]["MessageSystemAttributeName"]["enum"]
    chosen_names = {
        "ApproximateReceiveCount": "receive_count",  # ours are exact
        "ApproximateFirstReceiveTimestamp": "first_received_timestamp_ms",  # exact, and says its unit
        "SentTimestamp": "sent_timestamp_ms",  # says its unit
        "All": "message_attributes",
    }
    ours = {*dir(ReceivedMessage)}
    assert {chosen_names.get(name, snake(name)) for name in system} <= ours
    fields = {name for name in members("sqs", "Message")[0] if name != "Attributes"}
    assert {snake(name).replace("md5of", "md5_of") for name in fields} <= ours


def test_what_is_told_of_a_move_task_is_called_as_botocore_calls_it():
    names = {snake(name) for name in members("sqs", "ListMessageMoveTasksResultEntry")[0]}
    says_its_unit = {"started_timestamp": "started_timestamp_ms"}
    assert {field.name for field in attrs.fields(MessageMoveTask)} == {says_its_unit.get(n, n) for n in names}


def test_the_settings_of_a_queue_are_botocores():
    read_only = {
        "All",
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateNumberOfMessagesNotVisible",
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    }
    assert set(AWS_NAMES.values()) == set(model("sqs")["shapes"]["QueueAttributeName"]["enum"]) - read_only
    assert {name: snake(aws_name) for name, aws_name in AWS_NAMES.items()} == {
        name: name for name in AWS_NAMES
    }


def test_every_error_of_sqs_that_can_happen_here_has_its_class():
    from queuestream import errors

    ours = {
        value.code for value in vars(errors).values() if isinstance(value, type) and hasattr(value, "code")
    }
    theirs = {error["shape"] for op in model("sqs")["operations"].values() for error in op.get("errors", [])}
    cannot_happen = {
        "InvalidAddress",
        "InvalidIdFormat",
        "InvalidSecurity",
        "RequestThrottled",
        *(name for name in theirs if name.startswith("Kms")),
    }
    assert theirs - cannot_happen <= ours


@pytest.mark.parametrize(
    ("operation", "ours"), operations(KINESIS), ids=lambda value: getattr(value, "__name__", value)
)
def test_a_streams_operation_takes_what_botocores_takes(operation, ours):
    assert_the_same("kinesis", operation, ours)


def test_every_operation_of_kinesis_has_its_place():
    theirs = {
        name
        for name in model("kinesis")["operations"]
        if not any(noun in name for noun in KINESIS_NOUNS_NOT_HERE)
    }
    assert theirs - NEW_IN_KINESIS == set(KINESIS) - NEW_IN_KINESIS
    assert theirs <= set(KINESIS)


def test_every_exception_is_still_one():
    given = {
        (operation, name)
        for service, table in (("sqs", SQS), ("kinesis", KINESIS))
        for operation in table
        if operation in model(service)["operations"]
        for name in request(service, operation)[0]
    }
    given |= {("*", name) for _, name in given}
    assert {chosen for chosen in RENAMED if chosen[1] not in NEW_PARAMETERS} <= given
    assert {chosen for chosen in LEFT_OUT if chosen[1] not in NEW_PARAMETERS} <= given


# --- every engine -----------------------------------------------------------------------------------------

OTHERS = {
    Broker: (aio.AsyncBroker, broker.RemoteBroker, broker.AsyncRemoteBroker),
    Queue: (aio.AsyncQueue, queues.RemoteQueue, async_queues.AsyncRemoteQueue),
    Stream: (aio.AsyncStream, streams.RemoteStream, streams.AsyncRemoteStream),
}
PAIRS = [(core, other) for core, others in OTHERS.items() for other in others]


# What is asked of a broker in this process only, and is no operation of AWS's.
NOT_OF_AWS = {
    "check_invariants",
    "check_open",
    "find_queue",
    "listen",
    "next_event_ns",
    "peek",
    "publish",
}


def operations_of(core):
    """What a program does with it, by name."""
    methods = inspect.getmembers(core, inspect.isfunction)
    return {name: method for name, method in methods if not name.startswith("_") and name not in NOT_OF_AWS}


@pytest.mark.parametrize(("core", "other"), PAIRS, ids=lambda value: value.__name__)
def test_an_operation_takes_the_same_on_every_engine(core, other):
    def parameters(operation):
        return [(p.name, p.kind, p.default) for p in inspect.signature(operation).parameters.values()]

    for name, operation in operations_of(core).items():
        assert parameters(getattr(other, name)) == parameters(operation), name


@pytest.mark.parametrize(
    ("core", "other"),
    [(core, other) for core, other in PAIRS if "Async" in other.__name__],
    ids=lambda value: value.__name__,
)
def test_every_operation_of_asyncio_is_awaited(core, other):
    for name in operations_of(core):
        assert inspect.iscoroutinefunction(getattr(other, name)), name


def test_the_options_of_connect_have_the_same_types_for_asyncio():
    options = {name: p.annotation for name, p in inspect.signature(connect).parameters.items()}
    del options["url"]
    assert {
        name: kind.__forward_arg__ for name, kind in engines.ConnectOptions.__annotations__.items()
    } == options
    assert inspect.signature(aio.connect).parameters["options"].annotation == "Unpack[ConnectOptions]"
