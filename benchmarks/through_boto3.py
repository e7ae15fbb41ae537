"""What programs do through boto3, on whatever answers them: written once for all that are compared.

A *backend* is what answers in this process: `queuestream`'s mock_aws, or moto's.  A *work* is made
of a client and says how to prepare so many units of it.  `python -m benchmarks.through_boto3 BACKEND
WORK` does slices of a work in a process of its own, as many units as each line of its input says, and
prints what each has cost: moto registers handlers with every client that is made after it was imported,
and so has to be measured where nobody else is.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import FULL, Bench, Elsewhere, Variant, Work, bodies, payloads

if TYPE_CHECKING:
    from collections.abc import Iterator

Prepare = Callable[[int], Work]
"""From a number of units to what is timed."""

BATCH = 500
SHARDS = 4
RECORDS = 2_000
"""How many records a stream has that is read from."""

_SETTINGS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "testing",
    "aws_secret_access_key": "testing",
}


def client(service: str, **more: Any) -> Any:
    """A client as boto3 makes it, with credentials that are none."""
    import boto3

    return boto3.client(service, **_SETTINGS, **more)


# --- what answers ---


BACKENDS: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "queuestream": lambda: import_module("queuestream.aws").mock_aws(),
    "moto": lambda: import_module("moto").mock_aws(),
    "nothing": nullcontext,
}


# --- what is done ---


def queue_cycle(sqs: Any, waiting: int = 0) -> Prepare:
    """Send 1, receive 1, delete 1, with so many messages waiting."""
    url = sqs.create_queue(QueueName="bench")["QueueUrl"]
    for first in range(0, waiting, 10):
        count = min(10, waiting - first)
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies(count))]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)

    def prepare(count: int) -> Work:
        texts = bodies(count)

        def work() -> None:
            for body in texts:
                sqs.send_message(QueueUrl=url, MessageBody=body)
                [message] = sqs.receive_message(QueueUrl=url)["Messages"]
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

        return work

    return prepare


def put_record(kinesis: Any) -> Prepare:
    """PutRecord, one at a time, to a new stream of four shards."""

    def prepare(count: int) -> Work:
        new_stream(kinesis, "ones")
        records = list(zip(payloads(count), _keys(count), strict=True))

        def work() -> None:
            for data, key in records:
                kinesis.put_record(StreamName="ones", Data=data, PartitionKey=key)

        return work

    return prepare


def put_records(kinesis: Any) -> Prepare:
    """PutRecords of 500, to a new stream of four shards; a unit is a record."""

    def prepare(count: int) -> Work:
        new_stream(kinesis, "batches")
        batches = [_batch(BATCH) for _ in range(0, count, BATCH)]

        def work() -> None:
            for batch in batches:
                assert not kinesis.put_records(StreamName="batches", Records=batch)["FailedRecordCount"]

        return work

    return prepare


def get_records(kinesis: Any) -> Prepare:
    """GetRecords of 500 from the beginning of a shard; a unit is a record."""
    new_stream(kinesis, "read", shards=1)
    for _ in range(0, RECORDS, BATCH):
        kinesis.put_records(StreamName="read", Records=_batch(BATCH))
    shard_id = kinesis.list_shards(StreamName="read")["Shards"][0]["ShardId"]

    def prepare(count: int) -> Work:
        iterator = kinesis.get_shard_iterator(
            StreamName="read", ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]

        def work() -> None:
            for _ in range(0, count, BATCH):
                assert len(kinesis.get_records(ShardIterator=iterator, Limit=BATCH)["Records"]) == BATCH

        return work

    return prepare


def new_stream(kinesis: Any, name: str, shards: int = SHARDS) -> None:
    """A stream that is ready, and empty: some peers' costs grow with what their streams hold."""
    with suppress(kinesis.exceptions.ResourceNotFoundException):
        kinesis.delete_stream(StreamName=name)
        kinesis.get_waiter("stream_not_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})
    kinesis.create_stream(StreamName=name, ShardCount=shards)
    kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 1})


def _keys(count: int) -> list[str]:
    return [f"aircraft-{number % 2_621}" for number in range(count)]


def _batch(count: int) -> list[dict[str, Any]]:
    pairs = zip(payloads(count), _keys(count), strict=True)
    return [{"Data": data, "PartitionKey": key} for data, key in pairs]


def _entered(backend: str) -> Prepare:
    mock_aws = BACKENDS[backend]

    def prepare(count: int) -> Work:
        def work() -> None:
            for _ in range(count):
                with mock_aws():
                    pass

        return work

    return prepare


def _one_test(backend: str) -> Prepare:
    mock_aws = BACKENDS[backend]

    def prepare(count: int) -> Work:
        def work() -> None:
            for _ in range(count):
                with mock_aws():
                    sqs = client("sqs")
                    url = sqs.create_queue(QueueName="bench")["QueueUrl"]
                    sqs.send_message(QueueUrl=url, MessageBody="hello")
                    [message] = sqs.receive_message(QueueUrl=url)["Messages"]
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

        return work

    return prepare


WORKS: dict[str, Callable[[], Prepare]] = {
    "queue cycle": lambda: queue_cycle(client("sqs")),
    "queue cycle at 10": lambda: queue_cycle(client("sqs"), 10),
    "queue cycle at 10000": lambda: queue_cycle(client("sqs"), 10_000),
    "put_record": lambda: put_record(client("kinesis")),
    "put_records": lambda: put_records(client("kinesis")),
    "get_records": lambda: get_records(client("kinesis")),
    "enter queuestream": lambda: _entered("queuestream"),
    "enter moto": lambda: _entered("moto"),
    "test queuestream": lambda: _one_test("queuestream"),
    "test moto": lambda: _one_test("moto"),
}


# --- where it is done ---


def variant(
    bench: Bench, stack: ExitStack, name: str, backend: str, work: str, units: int
) -> Variant | Elsewhere:
    """A work on a backend, in a process of its own until the stack is left."""
    if bench.here:
        stack.enter_context(BACKENDS[backend]())
        return Variant(name, WORKS[work](), units, ours=True)
    process = stack.enter_context(_started(backend, work))
    return Elsewhere(name, partial(_slice, process), units)


@contextmanager
def _started(backend: str, work: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.through_boto3", backend, work],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _slice(process: subprocess.Popen[str], count: int) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    print(count, file=process.stdin, flush=True)
    return float(process.stdout.readline())


def _main() -> None:
    backend, work = sys.argv[1:]
    bench = Bench(FULL)
    with BACKENDS[backend]():
        prepare = WORKS[work]()
        for line in sys.stdin:
            print(bench.cpu_ns(prepare(int(line))), flush=True)


if __name__ == "__main__":
    _main()
