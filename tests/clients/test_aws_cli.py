"""The AWS CLI: what people type into a shell.

They say `--endpoint-url`: version 1 goes to AWS for SQS whatever the environment says.
"""

import base64
import json
import subprocess
from hashlib import md5

import pytest

pytestmark = [pytest.mark.clients, pytest.mark.slow]

REFUSED = {254, 255}  # the CLI's exit status where the service refuses: version 2's, version 1's
A_MINUTE = 60


@pytest.fixture
def aws(aws_cli, environment):
    """Runs a command and gives what it prints: `aws("sqs", "list-queues")`."""

    def run(*words, **more):
        finished = subprocess.run(
            [aws_cli, "--endpoint-url", environment["AWS_ENDPOINT_URL"], "--output", "json", *words],
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=A_MINUTE,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout) if finished.stdout else None

    return run


@pytest.fixture
def refused(aws_cli, environment):
    """Runs a command that has to fail, and gives the sentence it fails with."""

    def run(*words, **more):
        finished = subprocess.run(
            [aws_cli, "--endpoint-url", environment["AWS_ENDPOINT_URL"], *words],
            env=environment | more,
            capture_output=True,
            text=True,
            timeout=A_MINUTE,
            check=False,
        )
        assert finished.returncode in REFUSED, finished.stdout + finished.stderr
        return finished.stderr.strip().removeprefix("aws: [ERROR]: ").strip()

    return run


def test_a_message_from_its_sending_to_its_deletion(aws):
    url = aws("sqs", "create-queue", "--queue-name", "emails", "--attributes", "VisibilityTimeout=60")[
        "QueueUrl"
    ]
    assert aws("sqs", "get-queue-url", "--queue-name", "emails")["QueueUrl"] == url
    queue = ("--queue-url", url)
    body = "Welcome, Ada! 🎉 <&>"
    attributes = {
        "sender": {"DataType": "String", "StringValue": "noreply"},
        "logo": {"DataType": "Binary", "BinaryValue": base64.b64encode(b"\x00\xff").decode()},
    }
    sent = aws(
        *("sqs", "send-message", *queue, "--message-body", body),
        *("--message-attributes", json.dumps(attributes)),
    )
    assert sent["MD5OfMessageBody"] == md5(body.encode()).hexdigest()

    everything = ("--attribute-names", "All", "--message-attribute-names", "All")
    [message] = aws("sqs", "receive-message", *queue, *everything)["Messages"]
    assert message["MessageId"] == sent["MessageId"]
    assert message["Body"] == body
    assert message["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    assert message["MessageAttributes"]["sender"] == attributes["sender"]
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"
    assert aws("sqs", "receive-message", *queue) is None

    handle = ("--receipt-handle", message["ReceiptHandle"])
    aws("sqs", "change-message-visibility", *queue, *handle, "--visibility-timeout", "0")
    [again] = aws("sqs", "receive-message", *queue, *everything)["Messages"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    aws("sqs", "delete-message", *queue, "--receipt-handle", again["ReceiptHandle"])
    counts = aws("sqs", "get-queue-attributes", *queue, "--attribute-names", "All")["Attributes"]
    assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"
    assert counts["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:emails"


def test_a_batch_a_purge_and_the_end_of_a_queue(aws, refused):
    queue = ("--queue-url", aws("sqs", "create-queue", "--queue-name", "batches")["QueueUrl"])
    sent = aws(
        *("sqs", "send-message-batch", *queue),
        *("--entries", "Id=a,MessageBody=one", "Id=b,MessageBody=two,DelaySeconds=901"),
    )
    assert [entry["Id"] for entry in sent["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"]) for entry in sent["Failed"]] == [("b", "InvalidParameterValue")]
    aws("sqs", "purge-queue", *queue)
    assert aws("sqs", "receive-message", *queue) is None

    aws("sqs", "delete-queue", *queue)
    assert refused("sqs", "get-queue-url", "--queue-name", "batches") == (
        "An error occurred (AWS.SimpleQueueService.NonExistentQueue) when calling the GetQueueUrl operation: "
        "The specified queue does not exist."
    )


def test_lists_come_page_by_page(aws):
    for letter in "abcde":
        aws("sqs", "create-queue", "--queue-name", f"paged-{letter}")
    aws("sqs", "create-queue", "--queue-name", "another")

    def names(answer):
        return [url.rpartition("/")[2] for url in answer["QueueUrls"]]

    paged = ("sqs", "list-queues", "--queue-name-prefix", "paged-")
    assert names(aws(*paged, "--page-size", "2")) == [f"paged-{letter}" for letter in "abcde"]
    first = aws(*paged, "--max-items", "3")
    rest = aws(*paged, "--starting-token", first["NextToken"])
    assert names(first) + names(rest) == [f"paged-{letter}" for letter in "abcde"]


def test_a_long_poll_is_answered_by_the_message_that_it_waited_for(aws, aws_cli, environment):
    url = aws("sqs", "create-queue", "--queue-name", "awaited")["QueueUrl"]
    poll = subprocess.Popen(
        [
            *(aws_cli, "--endpoint-url", environment["AWS_ENDPOINT_URL"], "--output", "json"),
            *("sqs", "receive-message", "--queue-url", url, "--wait-time-seconds", "20"),
        ],
        env=environment,
        stdout=subprocess.PIPE,
    )
    aws("sqs", "send-message", "--queue-url", url, "--message-body", "here I am")
    said, _ = poll.communicate(timeout=A_MINUTE)
    assert [message["Body"] for message in json.loads(said)["Messages"]] == ["here I am"]


def test_a_fifo_queue_and_its_dead_letters(aws):
    dead = aws(
        *("sqs", "create-queue", "--queue-name", "failed.fifo", "--attributes", "FifoQueue=true"),
    )["QueueUrl"]
    dead_arn = "arn:aws:sqs:us-east-1:123456789012:failed.fifo"
    attributes = {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
        "VisibilityTimeout": "0",
        "RedrivePolicy": json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1}),
    }
    url = aws("sqs", "create-queue", "--queue-name", "orders.fifo", "--attributes", json.dumps(attributes))[
        "QueueUrl"
    ]
    send = ("sqs", "send-message", "--queue-url", url, "--message-group-id", "north", "--message-body")
    first = aws(*send, "first")
    repeated = aws(*send, "first")
    assert repeated["MessageId"] == first["MessageId"]
    assert repeated["SequenceNumber"] == first["SequenceNumber"]
    aws(*send, "second")

    receive = ("sqs", "receive-message", "--queue-url", url, "--attribute-names", "All")
    [message] = aws(*receive)["Messages"]
    assert message["Body"] == "first"
    assert message["Attributes"]["MessageGroupId"] == "north"
    assert [message["Body"] for message in aws(*receive)["Messages"]] == ["second"]
    [letter] = aws("sqs", "receive-message", "--queue-url", dead)["Messages"]
    assert letter["MessageId"] == first["MessageId"]
    sources = aws("sqs", "list-dead-letter-source-queues", "--queue-url", dead)
    assert sources["queueUrls"] == [url]


def test_whoever_signs_with_another_secret_is_refused(refused):
    sentence = refused("sqs", "list-queues", AWS_SECRET_ACCESS_KEY="a guess")
    assert "(SignatureDoesNotMatch)" in sentence


def test_a_record_from_its_putting_to_its_reading(aws, tmp_path):
    stream = ("--stream-name", "departures")
    aws("kinesis", "create-stream", *stream, "--shard-count", "2")
    aws("kinesis", "wait", "stream-exists", *stream)
    summary = aws("kinesis", "describe-stream-summary", *stream)["StreamDescriptionSummary"]
    assert summary["StreamStatus"] == "ACTIVE"
    assert summary["OpenShardCount"] == 2
    (tmp_path / "record").write_bytes(b"\x00\xff\n")
    put = aws(
        *("kinesis", "put-record", *stream, "--partition-key", "N14228"),
        *("--data", f"fileb://{tmp_path / 'record'}"),
    )
    more = aws(
        *("kinesis", "put-records", *stream),
        *("--records", "Data=b25l,PartitionKey=N14228", "Data=dHdv,PartitionKey=N14228"),
    )
    assert more["FailedRecordCount"] == 0
    assert {record["ShardId"] for record in more["Records"]} == {put["ShardId"]}

    position = ("--shard-id", put["ShardId"], "--shard-iterator-type", "TRIM_HORIZON")
    iterator = aws("kinesis", "get-shard-iterator", *stream, *position)["ShardIterator"]
    first = aws("kinesis", "get-records", "--shard-iterator", iterator, "--limit", "1")
    [record] = first["Records"]
    assert base64.b64decode(record["Data"]) == b"\x00\xff\n"
    assert record["SequenceNumber"] == put["SequenceNumber"]
    rest = aws("kinesis", "get-records", "--shard-iterator", first["NextShardIterator"])
    assert [record["PartitionKey"] for record in rest["Records"]] == ["N14228", "N14228"]
    assert rest["MillisBehindLatest"] == 0


def test_a_shard_is_split_and_its_children_are_merged(aws, refused):
    stream = ("--stream-name", "resharded")
    aws("kinesis", "create-stream", *stream, "--shard-count", "1")
    aws("kinesis", "wait", "stream-exists", *stream)
    parent = "shardId-000000000000"
    aws(
        *("kinesis", "split-shard", *stream, "--shard-to-split", parent),
        *("--new-starting-hash-key", str(2**127)),
    )
    aws("kinesis", "wait", "stream-exists", *stream)
    closed, left, right = aws("kinesis", "list-shards", *stream)["Shards"]
    assert "EndingSequenceNumber" in closed["SequenceNumberRange"]
    assert left["ParentShardId"] == right["ParentShardId"] == parent
    assert right["HashKeyRange"]["StartingHashKey"] == str(2**127)

    aws(
        *("kinesis", "merge-shards", *stream, "--shard-to-merge", left["ShardId"]),
        *("--adjacent-shard-to-merge", right["ShardId"]),
    )
    aws("kinesis", "wait", "stream-exists", *stream)
    shards = aws("kinesis", "list-shards", *stream)["Shards"]
    assert [shard["ShardId"] for shard in shards] == [f"shardId-{number:012}" for number in range(4)]
    assert shards[-1]["AdjacentParentShardId"] == right["ShardId"]
    # The CLI repeats the name with the token, which Kinesis refuses (aws-cli's issue 9635).
    assert refused("kinesis", "list-shards", *stream, "--page-size", "2") == (
        "An error occurred (InvalidArgumentException) when calling the ListShards operation: "
        "NextToken and StreamName cannot be provided together."
    )


def test_streams_are_administered_and_deleted(aws, refused):
    stream = ("--stream-name", "administered")
    aws("kinesis", "create-stream", *stream, "--shard-count", "1", "--tags", "team=ground")
    aws("kinesis", "wait", "stream-exists", *stream)
    aws("kinesis", "increase-stream-retention-period", *stream, "--retention-period-hours", "48")
    description = aws("kinesis", "describe-stream", *stream)["StreamDescription"]
    assert description["RetentionPeriodHours"] == 48
    arn = description["StreamARN"]
    assert aws("kinesis", "list-tags-for-stream", *stream)["Tags"] == [{"Key": "team", "Value": "ground"}]
    consumer = aws("kinesis", "register-stream-consumer", "--stream-arn", arn, "--consumer-name", "board")
    assert consumer["Consumer"]["ConsumerARN"].startswith(f"{arn}/consumer/board:")
    assert aws("kinesis", "list-streams")["StreamNames"] == ["administered"]

    aws("kinesis", "delete-stream", *stream, "--enforce-consumer-deletion")
    aws("kinesis", "wait", "stream-not-exists", *stream)
    assert refused("kinesis", "put-record", *stream, "--partition-key", "a", "--data", "b") == (
        "An error occurred (ResourceNotFoundException) when calling the PutRecord operation: "
        "Stream administered under account 123456789012 not found."
    )
