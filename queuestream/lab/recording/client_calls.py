"""What is written down of the calls of one client of SQS or Kinesis: requests in, events out.

Requests and answers are read as what our own recorders write down of queues and streams (`queue_events`,
`stream_events`); an answer is given on as it came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from queuestream.aws.struck import resource_of
from queuestream.core.clock import SECOND
from queuestream.lab.recording import shapes
from queuestream.lab.recording.queue_events import QueueRecording
from queuestream.lab.recording.shapes import Shape
from queuestream.lab.recording.stream_events import StreamRecording

if TYPE_CHECKING:
    from queuestream.lab.history import Event
    from queuestream.lab.recording.recorder import Recorder
    from queuestream.lab.recording.wrapping import Recording

Seen = tuple[list["Event"], Callable[[Shape], object]]
"""The events of a call, and what to do with its answer."""

_DEFAULT_VISIBILITY_TIMEOUT = 30  # CreateQueue, VisibilityTimeout
_TOLD = {
    "PurgeQueue": "purge",
    "DeleteQueue": "delete_queue",
    "SetQueueAttributes": "set_attributes",
    "StartMessageMoveTask": "start_message_move_task",
    "SplitShard": "split_shard",
    "MergeShards": "merge_shards",
    "UpdateShardCount": "update_shard_count",
    "UpdateStreamMode": "update_stream_mode",
    "IncreaseStreamRetentionPeriod": "increase_stream_retention_period",
    "DecreaseStreamRetentionPeriod": "decrease_stream_retention_period",
    "DeleteStream": "delete",
}
"""What an operator does, and what our own queues and streams call it."""


class ClientCalls:
    """What is written down of one client's calls.

    Args:
        recorder: Who writes down.
        actor: Which client it is.
        application: Whose work it shares.

    Attributes:
        ended: Whether nothing is written down any more.
    """

    def __init__(self, recorder: Recorder, actor: str, application: str) -> None:
        self._recorder = recorder
        self._who = actor, application
        self.ended = False
        self._queues: dict[str, QueueRecording] = {}
        self._streams: dict[str, StreamRecording] = {}
        # By the queue's name, as far as the client was told.
        self._timeouts: dict[str, int] = {}

    def perform(self, call: Callable[..., Any], operation: str, parameters: Shape) -> Any:
        """Make a call and write it down."""
        events, done = self._begin(operation, parameters)
        try:
            answer = call(operation, parameters)
        except BaseException as error:
            self._raised(events, error)
            raise
        done(answer)
        return answer

    async def perform_async(self, call: Callable[..., Any], operation: str, parameters: Shape) -> Any:
        """The same for asyncio."""
        events, done = self._begin(operation, parameters)
        try:
            answer = await call(operation, parameters)
        except BaseException as error:
            self._raised(events, error)
            raise
        done(answer)
        return answer

    def _begin(self, operation: str, parameters: Shape) -> Seen:
        seen = None if self.ended else _SEEN.get(operation)
        return ([], _nothing) if seen is None else seen(self, operation, parameters)

    def _raised(self, events: list[Event], error: BaseException) -> None:
        self._queue("")._raised(events, error)

    def _queue(self, name: str) -> QueueRecording:
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = QueueRecording(
                self._recorder, SimpleNamespace(name=name), *self._who
            )
        return queue

    def _stream(self, name: str) -> StreamRecording:
        stream = self._streams.get(name)
        if stream is None:
            named = SimpleNamespace(name=name)
            stream = self._streams[name] = StreamRecording(self._recorder, named, *self._who)
        return stream

    # --- queues ---

    def _send(self, _: str, parameters: Shape) -> Seen:
        queue, said = self._queue(resource_of(parameters)), parameters.get
        event = queue._sending(said("MessageBody"), said("MessageGroupId"), said("MessageDeduplicationId"))
        return [event], lambda answer: queue._sent(event, shapes.sent(answer))

    def _receive(self, _: str, parameters: Shape) -> Seen:
        name = resource_of(parameters)
        queue = self._queue(name)
        event = queue._begun("receive")
        seconds = parameters.get("VisibilityTimeout", self._timeouts.get(name))
        if "ReceiveRequestAttemptId" in parameters and seconds is not None:
            event.visible_ns = event.started_ns + seconds * SECOND

        def done(answer: Shape) -> None:
            messages: list[Any] = [shapes.received(shape) for shape in answer.get("Messages") or ()]
            queue._received(event.started_ns, seconds, messages)

        return [event], done

    def _delete(self, _: str, parameters: Shape) -> Seen:
        queue = self._queue(resource_of(parameters))
        event = queue._using("delete", parameters.get("ReceiptHandle", ""))
        return [event], lambda _answer: queue._deleted(event)

    def _change_visibility(self, _: str, parameters: Shape) -> Seen:
        queue, said = self._queue(resource_of(parameters)), parameters.get
        event = queue._hiding(said("ReceiptHandle", ""), said("VisibilityTimeout"))
        return [event], lambda _answer: queue._done(event)

    def _batch(self, operation: str, parameters: Shape) -> Seen:
        queue = self._queue(resource_of(parameters))
        one = _BATCHES[operation]
        named = {key: value for key, value in parameters.items() if key != "Entries"}
        singles = {
            str(entry.get("Id")): one(self, operation, {**named, **entry})
            for entry in shapes.listed(parameters.get("Entries"))
        }

        def done(answer: Shape) -> None:
            successful = {entry.get("Id"): entry for entry in answer.get("Successful") or ()}
            failed = {entry.get("Id"): entry for entry in answer.get("Failed") or ()}
            for entry_id, ([event], entry_done) in singles.items():
                if entry_id in failed:
                    queue._refused(event, failed[entry_id].get("Code", ""))
                elif entry_id in successful:
                    entry_done(successful[entry_id])

        return [event for [event], _ in singles.values()], done

    def _create_queue(self, _: str, parameters: Shape) -> Seen:
        attributes = parameters.get("Attributes") or {}
        seconds = attributes.get("VisibilityTimeout", _DEFAULT_VISIBILITY_TIMEOUT)
        return [], lambda _answer: self._timeouts.update({resource_of(parameters): int(seconds)})

    def _queue_attributes(self, _: str, parameters: Shape) -> Seen:
        return [], lambda answer: self._learn_timeout(parameters, answer)

    def _set_queue_attributes(self, operation: str, parameters: Shape) -> Seen:
        events, told = self._told(operation, parameters)

        def done(answer: Shape) -> None:
            told(answer)
            self._learn_timeout(parameters, parameters)

        return events, done

    def _learn_timeout(self, parameters: Shape, said: Shape) -> None:
        seconds = (said.get("Attributes") or {}).get("VisibilityTimeout")
        if seconds is not None:
            self._timeouts[resource_of(parameters)] = int(seconds)

    # --- streams ---

    def _put(self, _: str, parameters: Shape) -> Seen:
        stream = self._stream(resource_of(parameters))
        event = stream._putting(parameters.get("Data"), parameters.get("PartitionKey"))
        return [event], lambda answer: stream._stored(event, shapes.stored(answer))

    def _put_records(self, _: str, parameters: Shape) -> Seen:
        stream = self._stream(resource_of(parameters))
        records = shapes.listed(parameters.get("Records"))
        events = [stream._putting(record.get("Data"), record.get("PartitionKey")) for record in records]

        def done(answer: Shape) -> None:
            stored = [shapes.stored(record) for record in answer.get("Records") or ()]
            stream._stored_each(events, stored)

        return events, done

    def _get_shard_iterator(self, _: str, parameters: Shape) -> Seen:
        stream = self._stream(resource_of(parameters))
        event = stream._seeking(
            parameters.get("ShardId"),
            parameters.get("StartingSequenceNumber"),
            parameters.get("ShardIteratorType"),
        )
        return [event], lambda answer: stream._sought(event, answer["ShardIterator"])

    def _get_records(self, _: str, parameters: Shape) -> Seen:
        iterator = parameters.get("ShardIterator")
        known = self._recorder.iterators.get(str(iterator))
        stream = self._stream(resource_of(parameters) or ("" if known is None else known[0]))
        event = stream._getting(iterator)

        def done(answer: Shape) -> None:
            result: Any = SimpleNamespace(
                records=[shapes.read(record) for record in answer.get("Records") or ()],
                next_shard_iterator=answer.get("NextShardIterator"),
                child_shards=[shapes.child(shard) for shard in answer.get("ChildShards") or ()],
            )
            stream._got(event, result)

        return [event], done

    def _list_shards(self, _: str, parameters: Shape) -> Seen:
        """ListShards, of which a further page does not name the stream, and DescribeStream."""

        def done(answer: Shape) -> None:
            described = answer.get("StreamDescription", answer)
            shards = [shapes.described(shard) for shard in described.get("Shards") or ()]
            listed: Any = SimpleNamespace(shards=shards)
            name = resource_of(parameters)
            if name:
                self._stream(name)._listed(listed)

        return [], done

    def _subscribe_to_shard(self, _: str, parameters: Shape) -> Seen:
        stream = self._stream(resource_of(parameters))
        position = parameters.get("StartingPosition") or {}
        event = stream._seeking(
            parameters.get("ShardId"), position.get("SequenceNumber"), position.get("Type")
        )

        def done(answer: Shape) -> None:
            stream._done(event)
            answer["EventStream"] = _EventStream(stream, answer["EventStream"], str(event.shard))

        return [event], done

    # --- what is told ---

    def _told(self, operation: str, parameters: Shape) -> Seen:
        name = resource_of(parameters)
        recording: Recording = self._queue(name)
        event = recording._begun(_TOLD[operation])
        event.shard = parameters.get("ShardToSplit", parameters.get("ShardToMerge"))
        return [event], lambda _answer: recording._done(event)


_BATCHES = {
    "SendMessageBatch": ClientCalls._send,
    "DeleteMessageBatch": ClientCalls._delete,
    "ChangeMessageVisibilityBatch": ClientCalls._change_visibility,
}
_SEEN: dict[str, Callable[[ClientCalls, str, Shape], Seen]] = {
    **dict.fromkeys(_TOLD, ClientCalls._told),
    **dict.fromkeys(_BATCHES, ClientCalls._batch),
    "SendMessage": ClientCalls._send,
    "ReceiveMessage": ClientCalls._receive,
    "DeleteMessage": ClientCalls._delete,
    "ChangeMessageVisibility": ClientCalls._change_visibility,
    "CreateQueue": ClientCalls._create_queue,
    "GetQueueAttributes": ClientCalls._queue_attributes,
    "SetQueueAttributes": ClientCalls._set_queue_attributes,
    "PutRecord": ClientCalls._put,
    "PutRecords": ClientCalls._put_records,
    "GetShardIterator": ClientCalls._get_shard_iterator,
    "GetRecords": ClientCalls._get_records,
    "ListShards": ClientCalls._list_shards,
    "DescribeStream": ClientCalls._list_shards,
    "SubscribeToShard": ClientCalls._subscribe_to_shard,
}


class _EventStream:
    """What SubscribeToShard tells, recorded; for threads and for asyncio, as botocore's is."""

    def __init__(self, stream: StreamRecording, wrapped: Any, shard_id: str) -> None:
        self._stream = stream
        self._wrapped = wrapped
        self._shard_id = shard_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)

    def __iter__(self) -> Iterator[Shape]:
        for told in self._wrapped:
            self._told(told)
            yield told

    async def __aiter__(self) -> AsyncIterator[Shape]:
        async for told in self._wrapped:
            self._told(told)
            yield told

    def _told(self, told: Shape) -> None:
        said = told.get("SubscribeToShardEvent")
        if said is None:
            return
        event = self._stream._begun("get")
        event.shard = self._shard_id
        self._stream._read(event, [shapes.read(record) for record in said.get("Records") or ()])
        if not said.get("ContinuationSequenceNumber"):
            self._stream._finished(event, [shapes.child(shard) for shard in said.get("ChildShards") or ()])


def _nothing(_: Shape) -> None:
    """Nothing is written down of this call."""
