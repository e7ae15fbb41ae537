"""What a Kinesis request breaks of AWS's constraints: said in AWS's sentence, all of it at once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from queuestream import Stream
from queuestream.aws.front_end.constraints import check, violations
from queuestream.aws.front_end.plainly_fine import plainly_fine
from queuestream.aws.models import input_shape, service_model
from queuestream.core.errors import ValidationException

STREAM_ARN = "arn:aws:kinesis:us-east-1:123456789012:stream/events"
NAME_PATTERN = "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"


def of(value, at, constraint):
    return f"Value {value} at '{at}' failed to satisfy constraint: {constraint}"


def longer(least):
    return f"Member must have length greater than or equal to {least}"


def shorter(most):
    return f"Member must have length less than or equal to {most}"


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        pytest.param("PutRecord", {"StreamName": "s", "Data": b"", "PartitionKey": "k"}, [], id="fine"),
        pytest.param("ListStreams", {}, [], id="nothing asked"),
        pytest.param("DescribeLimits", {}, [], id="nothing to ask"),
        pytest.param(
            "SplitShard",
            {},
            [
                of("null", "shardToSplit", "Member must not be null"),
                of("null", "newStartingHashKey", "Member must not be null"),
            ],
            id="missing members",
        ),
        pytest.param(
            "DescribeStream",
            {"StreamName": "events", "Limit": None},
            [],
            id="a member that is null is missing",
        ),
        pytest.param(
            "DescribeStream",
            {"StreamName": ""},
            [of("''", "streamName", NAME_PATTERN), of("''", "streamName", longer(1))],
            id="form before size",
        ),
        pytest.param(
            "DescribeStream",
            {"StreamName": "n" * 129},
            [of(f"'{'n' * 129}'", "streamName", shorter(128))],
            id="too long",
        ),
        pytest.param(
            "ListStreams",
            {"Limit": 0},
            [of("'0'", "limit", "Member must have value greater than or equal to 1")],
            id="too small",
        ),
        pytest.param(
            "ListStreams",
            {"Limit": 10_001},
            [of("'10001'", "limit", "Member must have value less than or equal to 10000")],
            id="too large",
        ),
        pytest.param(
            "PutRecord",
            {"Data": bytes(10_485_761), "PartitionKey": "k"},
            [f"Value at 'data' failed to satisfy constraint: {shorter(10_485_760)}"],
            id="a blob that is too long",
        ),
        pytest.param(
            "GetShardIterator",
            {"ShardId": "s", "ShardIteratorType": "NEWEST"},
            [
                of(
                    "'NEWEST'",
                    "shardIteratorType",
                    "Member must satisfy enum value set: "
                    "[AT_SEQUENCE_NUMBER, AFTER_SEQUENCE_NUMBER, TRIM_HORIZON, LATEST, AT_TIMESTAMP]",
                )
            ],
            id="not one of the words",
        ),
        pytest.param(
            "CreateStream",
            {"StreamName": "s", "StreamModeDetails": {"StreamMode": "FAST"}},
            [
                of(
                    "'FAST'",
                    "streamModeDetails.streamMode",
                    "Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]",
                )
            ],
            id="in a structure",
        ),
        pytest.param(
            "CreateStream",
            {"StreamName": "s", "StreamModeDetails": {}},
            [of("null", "streamModeDetails.streamMode", "Member must not be null")],
            id="missing in a structure",
        ),
        pytest.param("PutRecords", {"Records": []}, [of("'[]'", "records", longer(1))], id="an empty list"),
        pytest.param(
            "PutRecords",
            {"Records": [{"Data": b"", "PartitionKey": "k"}, {"PartitionKey": ""}]},
            [
                of("null", "records.2.member.data", "Member must not be null"),
                of("''", "records.2.member.partitionKey", longer(1)),
            ],
            id="in a list of structures",
        ),
        pytest.param(
            "RemoveTagsFromStream",
            {"TagKeys": ["a", "k" * 129, "b"]},
            [
                of(
                    f"'[a, {'k' * 129}, b]'",
                    "tagKeys",
                    f"Member must satisfy constraint: [{shorter(128)}, {longer(1)}]",
                )
            ],
            id="in a list of texts",
        ),
        pytest.param("AddTagsToStream", {"Tags": {}}, [of("'{}'", "tags", longer(1))], id="an empty map"),
        pytest.param(
            "AddTagsToStream",
            {"Tags": {"": "v" * 257}},
            [
                of(
                    f"'{{={'v' * 257}}}'",
                    "tags",
                    f"Map keys must satisfy constraint: [{shorter(128)}, {longer(1)}]",
                ),
                of(
                    f"'{{={'v' * 257}}}'",
                    "tags",
                    f"Map value must satisfy constraint: [{shorter(256)}, {longer(0)}]",
                ),
            ],
            id="in a map",
        ),
    ],
)
def test_each_constraint_that_is_broken_is_a_sentence(operation, request_, expected):
    assert violations("kinesis", operation, request_) == expected


def test_the_sentences_are_counted_and_said_together():
    with pytest.raises(ValidationException) as error:
        check("kinesis", "PutRecord", {"StreamName": "", "PartitionKey": "k"})
    assert error.value.message == (
        "3 validation errors detected: "
        "Value '' at 'streamName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+; "
        "Value '' at 'streamName' failed to satisfy constraint: "
        "Member must have length greater than or equal to 1; "
        "Value null at 'data' failed to satisfy constraint: Member must not be null"
    )


def test_one_sentence_is_one_error():
    with pytest.raises(ValidationException, match=r"^1 validation error detected: Value '0' at 'limit' "):
        check("kinesis", "ListStreams", {"Limit": 0})


def test_no_more_than_ten_sentences_are_said():
    with pytest.raises(ValidationException, match=r"^10 validation errors detected: "):
        check("kinesis", "PutRecords", {"Records": [{}] * 500})


def test_a_request_with_a_member_that_is_null_goes_on():
    check("kinesis", "DescribeStream", {"StreamName": "events", "Limit": None})


def test_sqs_has_its_own_sentences():
    assert violations("sqs", "SendMessage", {}) == []
    check("sqs", "SendMessage", {})


def test_digits_are_those_of_ascii():
    arabic = "\u0661\u0662"
    [sentence] = violations("kinesis", "SplitShard", {"ShardToSplit": "s", "NewStartingHashKey": arabic})
    assert sentence.startswith(f"Value '{arabic}' at 'newStartingHashKey'")


@pytest.mark.parametrize(
    ("operation", "request_", "call"),
    [
        ("DescribeStream", {"Limit": 0}, lambda stream: stream.describe(limit=0)),
        ("PutRecord", {"Data": b"", "PartitionKey": ""}, lambda stream: stream.put_record(b"", "")),
        (
            "PutRecord",
            {"Data": b"", "PartitionKey": "k", "ExplicitHashKey": "01"},
            lambda stream: stream.put_record(b"", "k", "01"),
        ),
        (
            "PutRecord",
            {"Data": b"", "PartitionKey": "k", "SequenceNumberForOrdering": "x"},
            lambda stream: stream.put_record(b"", "k", None, "x"),
        ),
        ("PutRecords", {"Records": []}, lambda stream: stream.put_records([])),
        (
            "PutRecords",
            {"Records": [{"Data": b"", "PartitionKey": ""}]},
            lambda stream: stream.put_records([(b"", "")]),
        ),
        (
            "GetShardIterator",
            {"ShardId": "!", "ShardIteratorType": "LATEST"},
            lambda stream: stream.get_shard_iterator("!", "LATEST"),
        ),
        (
            "GetShardIterator",
            {"ShardId": "s", "ShardIteratorType": "NEWEST"},
            lambda stream: stream.get_shard_iterator("s", "NEWEST"),
        ),
        ("AddTagsToStream", {"Tags": {}}, lambda stream: stream.add_tags({})),
        ("AddTagsToStream", {"Tags": {"": "a"}}, lambda stream: stream.add_tags({"": "a"})),
        ("AddTagsToStream", {"Tags": {"a": "v" * 257}}, lambda stream: stream.add_tags({"a": "v" * 257})),
        ("RemoveTagsFromStream", {"TagKeys": ["a", ""]}, lambda stream: stream.remove_tags(["a", ""])),
        (
            "EnableEnhancedMonitoring",
            {"ShardLevelMetrics": ["All"]},
            lambda stream: stream.enable_enhanced_monitoring(["All"]),
        ),
        (
            "UpdateShardCount",
            {"TargetShardCount": 0, "ScalingType": "UNIFORM_SCALING"},
            lambda stream: stream.update_shard_count(0),
        ),
        (
            "UpdateMaxRecordSize",
            {"MaxRecordSizeInKiB": 10_241},
            lambda stream: stream.update_max_record_size(10_241),
        ),
        (
            "RegisterStreamConsumer",
            {"StreamARN": STREAM_ARN, "ConsumerName": "n" * 129},
            lambda stream: stream.register_stream_consumer("n" * 129),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_core_says_the_same_where_it_is_asked_directly(operation, request_, call):
    with pytest.raises(ValidationException) as by_shape:
        check("kinesis", operation, request_)
    with pytest.raises(ValidationException) as by_core:
        call(Stream("events"))
    assert by_core.value.message == by_shape.value.message


# --- the quick answer ---


def put(data=b"x", **more):
    return {"StreamName": "s", "Data": data, "PartitionKey": "k", **more}


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("kinesis", "PutRecord", put()),
        ("kinesis", "PutRecords", {"StreamARN": STREAM_ARN, "Records": [{"Data": b"", "PartitionKey": "k"}]}),
        ("kinesis", "DescribeLimits", {}),
        ("kinesis", "CreateStream", {"StreamName": "s", "Tags": {"a": ""}, "WarmThroughputMiBps": 0}),
        ("sqs", "SendMessage", {"QueueUrl": "u", "MessageBody": ""}),
        ("sqs", "ReceiveMessage", {"QueueUrl": "u", "AttributeNames": ["NoSuchName"]}),
        ("sqs", "ListQueues", {}),
    ],
)
def test_a_request_that_is_fine_is_given_back_as_it_is(service, operation, parameters):
    assert plainly_fine(service, operation)(parameters) is parameters


@pytest.mark.parametrize(
    "parameters",
    [
        {"StreamName": "s", "PartitionKey": "k"},
        put(data=None),
        put(data=4),
        put(data="\ud800"),
        put(Colour="red"),
        put(ExplicitHashKey=None),
        put(ExplicitHashKey="-1"),
        put(PartitionKey=""),
        put(PartitionKey="k" * 257),
        put(StreamName="no/slash"),
        put(DryRun=1),
        [],
    ],
)
def test_what_is_not_plainly_fine_is_left_to_others(parameters):
    assert plainly_fine("kinesis", "PutRecord")(parameters) is None


@pytest.mark.parametrize(
    "records",
    [[], None, [None], [{"PartitionKey": "k"}], [{"Data": b"", "Colour": 1}], ({"Data": b""},)],
)
def test_a_list_is_looked_through(records):
    assert plainly_fine("kinesis", "PutRecords")({"StreamName": "s", "Records": records}) is None


def test_numbers_are_numbers():
    fine = plainly_fine("kinesis", "ListStreams")
    assert fine({"Limit": 10_000}) == {"Limit": 10_000}
    assert [fine({"Limit": limit}) for limit in (0, 10_001, True, 1.0, "1")] == [None] * 5


@pytest.mark.parametrize("data", ["é", bytearray("é", "utf-8")])
def test_a_blob_may_be_text_or_a_bytearray_and_is_replaced_in_a_copy(data):
    parameters = put(data=data)
    assert plainly_fine("kinesis", "PutRecord")(parameters) == put(data="é".encode())
    assert parameters["Data"] is data


def test_a_blob_in_a_list_of_structures_is_replaced_in_a_copy():
    records = [{"Data": b"1", "PartitionKey": "k"}, {"Data": "2", "PartitionKey": "k"}]
    parameters = {"StreamName": "s", "Records": records}
    request = plainly_fine("kinesis", "PutRecords")(parameters)
    assert [record["Data"] for record in request["Records"]] == [b"1", b"2"]
    assert request["Records"][0] is records[0]
    assert [record["Data"] for record in records] == [b"1", "2"]


def test_a_blob_in_a_map_is_replaced_in_a_copy():
    attributes = {"a": {"DataType": "Binary", "BinaryValue": "text"}, "b": {"DataType": "String"}}
    parameters = {"QueueUrl": "u", "MessageBody": "", "MessageAttributes": attributes}
    request = plainly_fine("sqs", "SendMessage")(parameters)
    assert request["MessageAttributes"]["a"] == {"DataType": "Binary", "BinaryValue": b"text"}
    assert request["MessageAttributes"]["b"] is attributes["b"]
    assert attributes["a"]["BinaryValue"] == "text"


def test_a_time_without_a_zone_is_one_of_utc():
    fine = plainly_fine("kinesis", "GetShardIterator")
    parameters = {"ShardId": "s", "ShardIteratorType": "AT_TIMESTAMP"}
    elsewhere = datetime(2025, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert fine({**parameters, "Timestamp": elsewhere})["Timestamp"] is elsewhere
    naive = fine({**parameters, "Timestamp": datetime(2025, 1, 1, 12)})
    assert naive["Timestamp"] == datetime(2025, 1, 1, 12, tzinfo=UTC)
    assert fine({**parameters, "Timestamp": 1_735_732_800}) is None


# --- searching: the quick answer, the sentences, and botocore's own validation, about the same requests ---


def values(shape):
    """Values of a shape's types, most of them within its constraints."""
    kind, metadata = shape.type_name, shape.metadata
    if kind == "structure":
        members = {name: values(member) for name, member in shape.members.items()}
        return st.fixed_dictionaries({}, optional=members)
    if kind == "list":
        return st.lists(values(shape.member), max_size=3)
    if kind == "map":
        return st.dictionaries(values(shape.key), values(shape.value), max_size=3)
    if kind == "string":
        words = metadata.get("enum") or [
            "a",
            "shardId-000000000000",
            STREAM_ARN,
            f"{STREAM_ARN}/consumer/c:1",
        ]
        return st.sampled_from([*words, "", "0", "12", "01", "no such thing"]) | st.text(max_size=3)
    return {
        "integer": st.integers(-1, 10_001),
        "long": st.integers(-1, 10_001),
        "boolean": st.booleans(),
        "blob": st.binary(max_size=3),
        "timestamp": st.datetimes(timezones=st.just(UTC)),
    }[kind]


OPERATIONS = [
    (service, name) for service in ("sqs", "kinesis") for name in service_model(service).operation_names
]


@given(
    st.sampled_from(OPERATIONS).flatmap(lambda which: st.tuples(st.just(which), values(input_shape(*which))))
)
def test_what_is_plainly_fine_breaks_nothing_and_nothing_else_is_broken_silently(case):
    (service, operation), request = case
    is_fine = plainly_fine(service, operation)(request) is not None
    report = ParamValidator().validate(request, input_shape(service, operation))
    if is_fine:
        assert violations(service, operation, request) == []
        assert not report.has_errors()
    elif service == "kinesis":
        assert violations(service, operation, request)
    else:
        assert report.has_errors()
