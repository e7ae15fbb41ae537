"""What botocore's own parsers make of an answer is what the operation gave, in each protocol."""

from urllib.parse import urlencode

import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from query_model import query_model
from wires import FORM, HOST, Wire

from queuestream.aws.front_end.front_end import FrontEnd
from queuestream.aws.models import output_shape

URL = f"http://{HOST}/123456789012"
ARN = "arn:aws:sqs:us-east-1:123456789012"
SHARD = "shardId-000000000000"
COLOUR = {"DataType": "String", "StringValue": "rot & grün"}


class Witness:
    """Stands where a fault plan would, and does nothing but remember what an operation was asked and gave."""

    is_active = True

    def perform(self, service, name, operation, caller, request):
        self.request = request
        self.answer = operation(caller, request)
        return self.answer


@pytest.fixture
def witness():
    return Witness()


@pytest.fixture
def wire(aws, witness):
    return Wire(FrontEnd(aws, faults=witness))


@pytest.fixture
def world(aws, clock):
    """Something for every operation to talk about."""
    broker = aws.broker()
    dead = broker.create_queue("dead")
    queue = broker.create_queue(
        "emails", tags={"team": "a"}, redrive_policy={"deadLetterTargetArn": dead.arn, "maxReceiveCount": 1}
    )
    queue.send("first", message_attributes={"colour": "red", "raw": b"\x00\xff"})
    queue.send("second")
    dead.send("dead")
    broker.start_message_move_task(dead.arn, queue.arn)
    stream = broker.create_stream("events", shard_count=2)
    stream.put_record(b"\x00\xff", "k", explicit_hash_key="0")
    stream.register_stream_consumer("reader")
    clock.advance(seconds=60)
    return broker


def told(response):
    return {"status_code": response.status, "headers": response.headers, "body": response.body}


def without_metadata(parsed):
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}


SQS = [
    ("GetQueueUrl", {"QueueName": "emails"}),
    ("ListQueues", {}),
    ("GetQueueAttributes", {"QueueUrl": f"{URL}/emails", "AttributeNames": ["All"]}),
    ("ListQueueTags", {"QueueUrl": f"{URL}/emails"}),
    ("ListDeadLetterSourceQueues", {"QueueUrl": f"{URL}/dead"}),
    ("ListMessageMoveTasks", {"SourceArn": f"{ARN}:dead"}),
    ("SendMessage", {"QueueUrl": f"{URL}/emails", "MessageBody": "ü", "MessageAttributes": {"c": COLOUR}}),
    (
        "ReceiveMessage",
        {
            "QueueUrl": f"{URL}/emails",
            "MaxNumberOfMessages": 10,
            "MessageAttributeNames": ["All"],
            "AttributeNames": ["All"],
        },
    ),
    ("ReceiveMessage", {"QueueUrl": f"{URL}/dead"}),
]
KINESIS = [
    ("ListStreams", {}),
    ("DescribeStream", {"StreamName": "events"}),
    ("DescribeStreamSummary", {"StreamName": "events"}),
    ("ListShards", {"StreamName": "events"}),
    ("DescribeLimits", {}),
    ("ListStreamConsumers", {"StreamARN": "arn:aws:kinesis:us-east-1:123456789012:stream/events"}),
    ("PutRecord", {"StreamName": "events", "Data": "aGk=", "PartitionKey": "k"}),
    ("PutRecords", {"StreamName": "events", "Records": [{"Data": "aGk=", "PartitionKey": "k"}] * 3}),
    ("GetShardIterator", {"StreamName": "events", "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}),
]


@pytest.mark.parametrize(
    ("service", "operation", "request_"),
    [("sqs", *one) for one in SQS] + [("kinesis", *one) for one in KINESIS],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_json_is_parsed_to_what_the_operation_gave(wire, world, witness, service, operation, request_):
    response = wire.json(service, operation, request_)
    parsed = create_parser("json").parse(told(response), output_shape(service, operation))
    assert without_metadata(parsed) == witness.answer
    assert parsed["ResponseMetadata"]["RequestId"] == response.headers["x-amzn-requestid"]


def test_records_are_parsed_to_what_the_operation_gave(wire, world, witness):
    at = {"StreamName": "events", "ShardId": SHARD, "ShardIteratorType": "TRIM_HORIZON"}
    wire.kinesis("GetShardIterator", at)
    response = wire.kinesis("GetRecords", {"ShardIterator": witness.answer["ShardIterator"]})
    parsed = create_parser("json").parse(told(response), output_shape("kinesis", "GetRecords"))
    assert without_metadata(parsed) == witness.answer
    assert parsed["Records"][0]["Data"] == b"\x00\xff"
    assert parsed["Records"][0]["ApproximateArrivalTimestamp"].tzinfo is not None


MODEL = query_model()
QUERIED = [(name, request) for name, request in SQS if name in MODEL.operation_names]
WRITTEN = [
    (
        "CreateQueue",
        {"QueueName": "new", "Attributes": {"DelaySeconds": "5"}, "tags": {"a": "b&=c", "d": ""}},
    ),
    ("UntagQueue", {"QueueUrl": f"{URL}/emails", "TagKeys": ["team", "a b"]}),
    (
        "SendMessageBatch",
        {
            "QueueUrl": f"{URL}/emails",
            "Entries": [
                {"Id": "1", "MessageBody": "a\r\nb", "DelaySeconds": 5, "MessageAttributes": {"c": COLOUR}},
                {"Id": "2", "MessageBody": "\x01"},
                {
                    "Id": "3",
                    "MessageBody": "😀",
                    "MessageAttributes": {"b": {"DataType": "Binary", "BinaryValue": b"\xff"}},
                },
            ],
        },
    ),
]


@pytest.mark.parametrize(
    ("operation", "request_"), QUERIED + WRITTEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_form_of_botocore_is_read_and_its_answer_parsed(wire, world, witness, operation, request_):
    model = MODEL.operation_model(operation)
    written = create_serializer("query", include_validation=False).serialize_to_request(request_, model)
    response = wire.ask(body=urlencode(written["body"]).encode(), content_type=FORM)
    assert response.status == 200, response.body
    assert witness.request == request_

    parsed = create_parser("query").parse(told(response), model.output_shape)
    assert without_metadata(parsed) == (witness.answer or {})
    assert parsed["ResponseMetadata"]["RequestId"] == response.headers["x-amzn-requestid"]
