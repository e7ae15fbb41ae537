"""Streams that write down what is done with them.

Each has the methods of the stream that it wraps, with their parameters, results and errors.  A record is
put and got, an event each; a reader takes up a position in a shard (`seek`) with a new iterator, with a
subscription, and when it reads from an iterator other than the last one it was given; it comes to the
end of a closed shard (`finish`) and learns its children's parents (`lineage`).  What an operator does is
told, and everything else goes through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from queuestream.lab.recording.wrapping import Recording

if TYPE_CHECKING:
    from queuestream.core.streams.listing import ListShardsResult
    from queuestream.core.streams.record import ChildShard, GetRecordsResult, PutRecordsResult, Record
    from queuestream.lab.history import Event
    from queuestream.lab.recording.recorder import Recorder

_OPERATORS = {
    "split_shard": "shard_to_split",
    "merge_shards": "shard_to_merge",
    **dict.fromkeys(
        (
            "update_shard_count",
            "update_stream_mode",
            "increase_stream_retention_period",
            "decrease_stream_retention_period",
            "delete",
        )
    ),
}


class _Stream(Recording):
    """What is written down of one client's doings with one stream."""

    operators: Mapping[str, str | None] = _OPERATORS

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        self._put, self._get = wrapped.put_record, wrapped.get_records
        # The iterator that this reader was given last, by shard: another one is another position.
        self._onward: dict[str, str] = {}

    # --- putting ---

    def _putting(self, data: object, partition_key: object) -> Event:
        event = self._begun("put", self._name_of(data))
        event.partition_key = partition_key if isinstance(partition_key, str) else None
        return event

    def _stored(self, event: Event, record: Record) -> None:
        event.ended_ns = self._now_ns()
        event.shard = record.shard_id
        event.sequence_number = record.sequence_number
        self._append(event)

    def _putting_each(self, records: Any) -> tuple[Any, list[Event]]:
        """The records, to be gone through once more, and an event for each."""
        if isinstance(records, str | bytes | Mapping) or not isinstance(records, Iterable):
            return records, []
        listed = list(records)
        events = []
        for record in listed:
            if isinstance(record, Mapping):
                data, key = record.get("data"), record.get("partition_key")
            elif isinstance(record, tuple):
                data, key = (*record, None, None)[:2]
            else:
                data, key = getattr(record, "data", None), getattr(record, "partition_key", None)
            events.append(self._putting(data, key))
        return listed, events

    def _stored_each(self, events: list[Event], result: PutRecordsResult) -> None:
        for event, record in zip(events, result.records, strict=False):
            if record.error_code is not None:
                self._refused(event, record.error_code)
            else:
                self._stored(event, record)

    # --- reading ---

    def _seeking(self, shard_id: object, sequence_number: object) -> Event:
        event = self._begun("seek")
        event.shard = str(shard_id)
        event.sequence_number = sequence_number if isinstance(sequence_number, str) else None
        return event

    def _sought(self, event: Event, iterator: str) -> None:
        self._done(event)
        self._goes_on(str(event.shard), iterator)

    def _goes_on(self, shard_id: str, iterator: str) -> None:
        self.recorder.iterators.remember(iterator, shard_id)
        self._onward[shard_id] = iterator

    def _getting(self, iterator: object) -> Event:
        """The event of a read; the reader may have gone elsewhere first."""
        shard_id = self.recorder.iterators.recall(iterator) if isinstance(iterator, str) else None
        if shard_id is not None and self._onward.get(shard_id) != iterator:
            self._done(self._seeking(shard_id, None))
            self._onward[shard_id] = str(iterator)
        event = self._begun("get")
        event.shard = shard_id
        return event

    def _got(self, event: Event, result: GetRecordsResult) -> None:
        """Forget the iterator no sooner than there are too many: it may be used again."""
        self._read(event, result.records)
        shard_id = event.shard
        if result.next_shard_iterator is None:
            self._finished(event, result.child_shards)
        elif shard_id is not None:
            self._goes_on(shard_id, result.next_shard_iterator)

    def _read(self, event: Event, records: Iterable[Record]) -> None:
        """An event for each record; none where nothing was there."""
        ended_ns = self._now_ns()
        identify = self._name_of
        for record in records:
            got = self._event_at("get", event.started_ns, ended_ns)
            got.message = identify(record.data)
            got.partition_key = record.partition_key
            got.shard = record.shard_id or event.shard
            got.sequence_number = record.sequence_number
            self._append(got)

    def _finished(self, event: Event, children: Iterable[ChildShard]) -> None:
        """The end of a closed shard, and what comes after it."""
        end = self._event_at("finish", event.started_ns, None)
        end.shard = event.shard
        self._done(end)
        for child in children:
            self._learnt(child.shard_id, child.parent_shards)

    def _listed(self, result: ListShardsResult) -> None:
        for shard in result.shards:
            self._learnt(shard.shard_id, (shard.parent_shard_id, shard.adjacent_parent_shard_id))

    def _learnt(self, shard_id: str, parents: Iterable[str | None]) -> None:
        known = tuple(parent for parent in parents if parent)
        self.recorder.lineage(self._actor, self._application, self._resource, shard_id, known)


class RecordedStream(_Stream):
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
        self._stored_each(events, result)
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
        event = self._seeking(shard_id, starting_sequence_number)
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
        event = self._seeking(shard_id, getattr(starting_position, "sequence_number", None))
        arguments = (consumer_arn, shard_id, starting_position, *more)
        subscription = self._perform((event,), self.wrapped.subscribe_to_shard, *arguments, **named)
        self._done(event)
        return RecordedSubscription(self, subscription, shard_id)


class AsyncRecordedStream(_Stream):
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
        self._stored_each(events, result)
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
        event = self._seeking(shard_id, starting_sequence_number)
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
        event = self._seeking(shard_id, getattr(starting_position, "sequence_number", None))
        arguments = (consumer_arn, shard_id, starting_position, *more)
        subscribe = self.wrapped.subscribe_to_shard
        subscription = await self._perform_async((event,), subscribe, *arguments, **named)
        self._done(event)
        return AsyncRecordedSubscription(self, subscription, shard_id)


class _Subscription:
    """What is written down of what a subscription tells."""

    def __init__(self, stream: _Stream, wrapped: Any, shard_id: str) -> None:
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
