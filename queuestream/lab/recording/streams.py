"""Streams that write down what is done with them.

Each has the methods of the stream that it wraps, with their parameters, results and errors; what
concerns records and readers is recorded, what an operator does is told, and everything else goes through.
The classes for threads and for asyncio differ in `await`; what an event says is in `stream_events`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from queuestream.lab.recording.stream_events import StreamRecording

if TYPE_CHECKING:
    from queuestream.core.streams.listing import ListShardsResult
    from queuestream.core.streams.record import GetRecordsResult, PutRecordsResult, Record
    from queuestream.lab.history import Event
    from queuestream.lab.recording.recorder import Recorder


class _Recorded(StreamRecording):
    """What both kinds of streams know."""

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        self._put, self._get = wrapped.put_record, wrapped.get_records


class RecordedStream(_Recorded):
    """A stream for threads, recorded."""

    def put_record(self, data: bytes, partition_key: str | None = None, *more: Any, **named: Any) -> Record:
        """As `Stream.put_record`."""
        event = self._putting(data, partition_key)
        record: Record = self._perform((event,), self._put, data, partition_key, *more, **named)
        self._stored(event, record)
        return record

    def put_records(self, records: Any, *more: Any, **named: Any) -> PutRecordsResult:
        """As `Stream.put_records`."""
        records, events = self._putting_each(records)
        result: PutRecordsResult = self._perform(events, self.wrapped.put_records, records, *more, **named)
        self._stored_each(events, result.records)
        return result

    def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None = None,
        *more: Any,
        **named: Any,
    ) -> str:
        """As `Stream.get_shard_iterator`: the reader takes up a position."""
        event = self._seeking(shard_id, starting_sequence_number, shard_iterator_type)
        arguments = (shard_id, shard_iterator_type, starting_sequence_number, *more)
        iterator: str = self._perform((event,), self.wrapped.get_shard_iterator, *arguments, **named)
        self._sought(event, iterator)
        return iterator

    def get_records(self, shard_iterator: str, *more: Any, **named: Any) -> GetRecordsResult:
        """As `Stream.get_records`."""
        event = self._getting(shard_iterator)
        result: GetRecordsResult = self._perform((event,), self._get, shard_iterator, *more, **named)
        self._got(event, result)
        return result

    def list_shards(self, *arguments: Any, **named: Any) -> ListShardsResult:
        """As `Stream.list_shards`: the reader learns who came from whom."""
        result: ListShardsResult = self.wrapped.list_shards(*arguments, **named)
        self._listed(result)
        return result

    def subscribe_to_shard(
        self, consumer_arn: str, shard_id: str, starting_position: Any, *more: Any, **named: Any
    ) -> RecordedSubscription:
        """As `Stream.subscribe_to_shard`: the reader takes up a position, and what it is told is recorded."""
        event = self._seeking(shard_id, *_place_of(starting_position))
        arguments = (consumer_arn, shard_id, starting_position, *more)
        subscription = self._perform((event,), self.wrapped.subscribe_to_shard, *arguments, **named)
        self._done(event)
        return RecordedSubscription(self, subscription, shard_id)


class AsyncRecordedStream(_Recorded):
    """A stream for asyncio, recorded."""

    async def put_record(
        self, data: bytes, partition_key: str | None = None, *more: Any, **named: Any
    ) -> Record:
        """As `Stream.put_record`."""
        event = self._putting(data, partition_key)
        record: Record = await self._perform_async((event,), self._put, data, partition_key, *more, **named)
        self._stored(event, record)
        return record

    async def put_records(self, records: Any, *more: Any, **named: Any) -> PutRecordsResult:
        """As `Stream.put_records`."""
        records, events = self._putting_each(records)
        put = self.wrapped.put_records
        result: PutRecordsResult = await self._perform_async(events, put, records, *more, **named)
        self._stored_each(events, result.records)
        return result

    async def get_shard_iterator(
        self,
        shard_id: str,
        shard_iterator_type: str,
        starting_sequence_number: str | None = None,
        *more: Any,
        **named: Any,
    ) -> str:
        """As `Stream.get_shard_iterator`: the reader takes up a position."""
        event = self._seeking(shard_id, starting_sequence_number, shard_iterator_type)
        arguments = (shard_id, shard_iterator_type, starting_sequence_number, *more)
        iterator: str = await self._perform_async(
            (event,), self.wrapped.get_shard_iterator, *arguments, **named
        )
        self._sought(event, iterator)
        return iterator

    async def get_records(self, shard_iterator: str, *more: Any, **named: Any) -> GetRecordsResult:
        """As `Stream.get_records`."""
        event = self._getting(shard_iterator)
        result: GetRecordsResult = await self._perform_async(
            (event,), self._get, shard_iterator, *more, **named
        )
        self._got(event, result)
        return result

    async def list_shards(self, *arguments: Any, **named: Any) -> ListShardsResult:
        """As `Stream.list_shards`: the reader learns who came from whom."""
        result: ListShardsResult = await self.wrapped.list_shards(*arguments, **named)
        self._listed(result)
        return result

    async def subscribe_to_shard(
        self, consumer_arn: str, shard_id: str, starting_position: Any, *more: Any, **named: Any
    ) -> AsyncRecordedSubscription:
        """As `Stream.subscribe_to_shard`: the reader takes up a position, and what it is told is recorded."""
        event = self._seeking(shard_id, *_place_of(starting_position))
        arguments = (consumer_arn, shard_id, starting_position, *more)
        subscribe = self.wrapped.subscribe_to_shard
        subscription = await self._perform_async((event,), subscribe, *arguments, **named)
        self._done(event)
        return AsyncRecordedSubscription(self, subscription, shard_id)


class _Subscription:
    """What is written down of what a subscription tells."""

    def __init__(self, stream: StreamRecording, wrapped: Any, shard_id: str) -> None:
        self.stream = stream
        self.wrapped = wrapped
        self._shard_id = shard_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

    def __repr__(self) -> str:
        return f"<Recorded {self.wrapped!r}>"

    def _waiting(self) -> Event:
        event = self.stream._begun("get")
        event.shard = self._shard_id
        return event

    def _told(self, event: Event, told: Any) -> None:
        self.stream._read(event, told.records)
        if told.continuation_sequence_number is None:
            self.stream._finished(event, told.child_shards)


class RecordedSubscription(_Subscription):
    """The events of one shard, recorded."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        event = self._waiting()
        told = next(self.wrapped)
        self._told(event, told)
        return told


class AsyncRecordedSubscription(_Subscription):
    """The events of one shard for asyncio, recorded."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        event = self._waiting()
        told = await anext(self.wrapped)
        self._told(event, told)
        return told


def _place_of(starting_position: Any) -> tuple[object, object]:
    """The sequence number and the type of a `StartingPosition`, or of a type that needs nothing else."""
    kind = getattr(starting_position, "type", starting_position)
    return getattr(starting_position, "sequence_number", None), kind
