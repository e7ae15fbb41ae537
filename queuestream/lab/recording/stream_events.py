"""What is written down of what one client does with one stream: the events, without the calls.

A record is put and got, an event each; a reader takes up a position in a shard (`seek`) with a new
iterator, with a subscription, and when it reads from an iterator other than the last one it was given;
it comes to the end of a closed shard (`finish`) and learns its children's parents (`lineage`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from queuestream.lab.recording.wrapping import Recording

if TYPE_CHECKING:
    from queuestream.core.streams.listing import ListShardsResult
    from queuestream.core.streams.record import ChildShard, GetRecordsResult, Record
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


class StreamRecording(Recording):
    """What is written down of one client's doings with one stream."""

    operators: Mapping[str, str | None] = _OPERATORS

    def __init__(self, recorder: Recorder, wrapped: Any, actor: str, application: str) -> None:
        super().__init__(recorder, wrapped, actor, application)
        # The iterator that this reader was given last, by shard, and where it stands.  Another one, as when
        # the reader goes back to an earlier one, is another position.
        self._onward: dict[str, tuple[str, str | None]] = {}

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

    def _stored_each(self, events: list[Event], records: Iterable[Any]) -> None:
        for event, record in zip(events, records, strict=False):
            if record.error_code is not None:
                self._refused(event, record.error_code)
            else:
                self._stored(event, record)

    # --- reading ---

    def _seeking(self, shard_id: object, sequence_number: object, kind: object = None) -> Event:
        """A reader takes up a position; the beginning of a shard has the number 0, below every record's."""
        event = self._begun("seek")
        event.shard = str(shard_id)
        if kind == "TRIM_HORIZON":
            sequence_number = "0"
        event.sequence_number = sequence_number if isinstance(sequence_number, str) else None
        return event

    def _sought(self, event: Event, iterator: str) -> None:
        self._done(event)
        self._goes_on(str(event.shard), iterator, event.sequence_number)

    def _goes_on(self, shard_id: str, iterator: str, number: str | None) -> None:
        """The reader has an iterator, which stands at this record or after it."""
        self.recorder.iterators.remember(iterator, (self._resource, shard_id, number))
        self._onward[shard_id] = iterator, number

    def _getting(self, iterator: object) -> Event:
        """The event of a read; the reader may have gone elsewhere first."""
        event = self._begun("get")
        known = self.recorder.iterators.get(iterator) if isinstance(iterator, str) else None
        if known is not None:
            _, event.shard, number = known
            onward = self._onward.get(event.shard)
            if onward is None or onward[0] != iterator:
                self._done(self._seeking(event.shard, number))
                self._onward[event.shard] = str(iterator), number
        return event

    def _got(self, event: Event, result: GetRecordsResult) -> None:
        self._read(event, result.records)
        shard_id = event.shard
        if result.next_shard_iterator is None:
            self._finished(event, result.child_shards)
        elif shard_id is not None:
            records = result.records
            number = records[-1].sequence_number if records else self._onward[shard_id][1]
            self._goes_on(shard_id, result.next_shard_iterator, number)

    def _read(self, event: Event, records: Iterable[Record]) -> None:
        """An event for each record; none where nothing was there."""
        ended_ns = self._now_ns()
        identify = self._name_of
        for record in records:
            got = self._event_at("get", event.started_ns, ended_ns)
            got.message = identify(record.data)
            got.partition_key = record.partition_key
            got.shard = event.shard or getattr(record, "shard_id", None)
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
