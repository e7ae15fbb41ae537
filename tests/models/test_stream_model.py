"""A stream against a naive model: lists of everything that was ever put, scanned from the front."""

import hashlib
from contextlib import suppress

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from queuestream.core.broker import Broker
from queuestream.core.clock import HOUR, SECOND
from queuestream.core.errors import (
    ExpiredIteratorException,
    InvalidArgumentException,
    LimitExceededException,
    ResourceNotFoundException,
    ValidationException,
)
from queuestream.core.virtual_clock import VirtualClock

KEYS = [f"aircraft {number}" for number in range(12)]
KEY_SPACE = 2**128


class NaiveShard:
    def __init__(self, shard_id, start, end, created_ns, parents=()):
        self.shard_id = shard_id
        self.start = start
        self.end = end
        self.created_ns = created_ns
        self.parents = parents
        self.closed_ns = None
        self.records = []  # everything that was ever put, as [arrival, data, sequence number, gone]


class NaiveStream:
    """What a stream means, without a thought for speed."""

    def __init__(self, shard_count, now_ns):
        self.retention_ns = 24 * HOUR
        self.shards = []
        self.scaled = []
        for start, end in self.even(shard_count):
            self.make(start, end, now_ns)

    @staticmethod
    def even(count):
        width = KEY_SPACE // count
        return [(width * i, width * (i + 1) - 1 if i < count - 1 else KEY_SPACE - 1) for i in range(count)]

    def make(self, start, end, now_ns, *parents):
        for parent in parents:
            parent.closed_ns = now_ns
        self.shards.append(NaiveShard(f"shardId-{len(self.shards):012d}", start, end, now_ns, parents))

    def open(self):
        return sorted(
            (shard for shard in self.shards if shard.closed_ns is None), key=lambda shard: shard.start
        )

    def shard_of(self, hash_key):
        [shard] = [shard for shard in self.open() if shard.start <= hash_key <= shard.end]
        return shard

    def forget(self, now_ns):
        """Drop what has outlived the retention period; what was dropped stays dropped."""
        for shard in self.shards:
            for record in shard.records:
                record[3] = record[3] or now_ns >= record[0] + self.retention_ns

    def listed(self, now_ns):
        return [s for s in self.shards if s.closed_ns is None or now_ns < s.closed_ns + self.retention_ns]

    def read(self, shard, position, limit):
        """The records from a position on, and the position after them."""
        found = []
        while position < len(shard.records) and len(found) < limit:
            if not shard.records[position][3]:
                found.append(shard.records[position])
            position += 1
        while position < len(shard.records) and shard.records[position][3]:
            position += 1
        return found, position


def image(stream):
    """Everything about a stream that an equal one must agree on."""
    shards = [
        (
            shard.describe(),
            shard.horizon,
            shard.next_number,
            shard.end,
            shard.closed_at_ns,
            shard.children,
            [
                (r.number, r.data, r.partition_key, r.arrival_ns, r.end, r.sequence_number, r.encryption_type)
                for r in shard.live_records()
            ],
        )
        for shard in stream._shards.values()
    ]
    return (
        stream.settings,
        stream.created_at_ns,
        shards,
        [shard.shard_id for shard in stream._open_shards],
        stream._next_index,
        stream._busy_until_ns,
        stream._pending,
        [(c.name, c.arn, c.created_at_ns, c.tags, c.resource_policy) for c in stream._consumers.values()],
    )


class StreamMachine(RuleBasedStateMachine):
    iterators = Bundle("iterators")
    sequence_numbers = Bundle("sequence_numbers")
    shard_picks = st.integers(0, 1000)

    @initialize(shard_count=st.integers(1, 5))
    def make(self, shard_count):
        self.clock = VirtualClock()
        self.broker = Broker(clock=self.clock, seed=1)
        self.heard = []
        self.broker.listen(self.heard.extend)
        self.stream = self.broker.create_stream("events", shard_count=shard_count)
        self.model = NaiveStream(shard_count, self.clock.now_ns())
        self.count = 0

    def pick(self, number):
        return self.model.shards[number % len(self.model.shards)]

    def remember(self, record, shard):
        assert record.shard_id == shard.shard_id
        assert not shard.records or int(shard.records[-1][2]) < int(record.sequence_number)
        shard.records.append([self.clock.now_ns(), record.data, record.sequence_number, False])
        return record.shard_id, record.sequence_number

    def next_data(self):
        self.count += 1
        return b"%d" % self.count

    # --- putting ---

    @rule(target=sequence_numbers, key=st.sampled_from(KEYS))
    def put(self, key):
        record = self.stream.put_record(self.next_data(), key)
        return self.remember(record, self.model.shard_of(int(hashlib.md5(key.encode()).hexdigest(), 16)))

    @rule(hash_key=st.one_of(st.integers(0, KEY_SPACE - 1), st.sampled_from([0, KEY_SPACE - 1])))
    def put_with_a_hash_key_of_its_own(self, hash_key):
        record = self.stream.put_record(self.next_data(), "any", str(hash_key))
        self.remember(record, self.model.shard_of(hash_key))

    @rule(target=sequence_numbers, keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=8))
    def put_several(self, keys):
        entries = [(self.next_data(), key) for key in keys]
        result = self.stream.put_records(entries)
        assert result.failed_record_count == 0
        put = []
        for record, (data, key) in zip(result.records, entries, strict=True):
            assert record.data == data
            put.append(
                self.remember(record, self.model.shard_of(int(hashlib.md5(key.encode()).hexdigest(), 16)))
            )
        return multiple(*put)

    # --- time ---

    @rule(milliseconds=st.integers(0, 1500))
    def let_a_moment_pass(self, milliseconds):
        self.clock.advance(milliseconds=milliseconds)
        self.model.forget(self.clock.now_ns())

    @rule(
        seconds=st.sampled_from(
            [200, 299.999999999, 300, 3600, 12 * 3600, 24 * 3600 - 1, 24 * 3600, 48 * 3600]
        )
    )
    def let_time_pass(self, seconds):
        self.clock.advance(seconds=seconds)
        self.model.forget(self.clock.now_ns())

    @rule(hours=st.sampled_from([24, 25, 48, 72]))
    def change_the_retention_period(self, hours):
        current = self.stream.settings.retention_period_hours
        if hours >= current:
            self.stream.increase_stream_retention_period(hours)
        else:
            self.stream.decrease_stream_retention_period(hours)
        # A closed shard that has expired by the old period doesn't come back with a longer one.
        listed = self.model.listed(self.clock.now_ns())
        self.model.retention_ns = hours * HOUR
        for shard in self.model.shards:
            if shard not in listed:
                shard.closed_ns = -(10**30)
        self.model.forget(self.clock.now_ns())

    # --- resharding ---

    @rule(number=shard_picks, share=st.integers(1, 99))
    def split(self, number, share):
        shard = self.pick(number)
        boundary = shard.start + (shard.end - shard.start) * share // 100
        try:
            self.stream.split_shard(shard.shard_id, str(boundary))
        except InvalidArgumentException:
            assert shard.closed_ns is not None or not shard.start + 1 < boundary < shard.end
        except ResourceNotFoundException:
            assert shard not in self.model.listed(self.clock.now_ns())
        else:
            assert shard.closed_ns is None
            now_ns = self.clock.now_ns()
            self.model.make(shard.start, boundary - 1, now_ns, shard)
            self.model.make(boundary, shard.end, now_ns, shard)

    @rule(one=shard_picks, other=shard_picks)
    def merge(self, one, other):
        one, other = self.pick(one), self.pick(other)
        try:
            self.stream.merge_shards(one.shard_id, other.shard_id)
        except InvalidArgumentException:
            assert one.closed_ns is not None or other.closed_ns is not None or one.end + 1 != other.start
        except ResourceNotFoundException:
            assert not {one, other} <= set(self.model.listed(self.clock.now_ns()))
        else:
            assert one.closed_ns is other.closed_ns is None
            self.model.make(one.start, other.end, self.clock.now_ns(), one, other)

    @rule(number=shard_picks)
    def merge_neighbours(self, number):
        shards = self.model.open()
        if len(shards) > 1:
            left = number % (len(shards) - 1)
            self.merge(*(self.model.shards.index(shard) for shard in shards[left : left + 2]))

    @rule(target_count=st.integers(1, 10))
    def scale(self, target_count):
        now_ns = self.clock.now_ns()
        shards = self.model.open()
        self.model.scaled = [time for time in self.model.scaled if now_ns < time + 24 * HOUR]
        try:
            self.stream.update_shard_count(target_count)
        except LimitExceededException:
            assert (
                len(self.model.scaled) == 10
                or target_count > 2 * len(shards)
                or 2 * target_count < len(shards)
            )
            return
        assert len(shards) <= 2 * target_count <= 4 * len(shards)
        self.model.scaled.append(now_ns)
        known = len(self.model.shards)
        closed_before = {shard.shard_id for shard in self.model.shards if shard.closed_ns is not None}
        # The lineage may be any; what matters is that children cover parents, and the ranges at the end.
        for shard in sorted(self.stream._shards.values(), key=lambda shard: shard.identity.index):
            if shard.identity.index >= known:
                identity = shard.identity
                parents = [self.model.shards[int(parent[8:])] for parent in identity.parents]
                assert closed_before.isdisjoint(identity.parents)
                self.model.make(identity.starting_hash_key, identity.ending_hash_key, now_ns, *parents)
        assert [(shard.start, shard.end) for shard in self.model.open()] == NaiveStream.even(target_count)

    # --- reading ---

    @rule(target=iterators, number=shard_picks, kind=st.sampled_from(["TRIM_HORIZON", "LATEST"]))
    def start_at_an_end(self, number, kind):
        shard = self.pick(number)
        position = 0 if kind == "TRIM_HORIZON" else len(shard.records)
        return self.start(shard, position, shard.shard_id, kind)

    @rule(
        target=iterators,
        named=sequence_numbers,
        kind=st.sampled_from(["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]),
    )
    def start_at_a_sequence_number(self, named, kind):
        shard_id, sequence_number = named
        shard = self.model.shards[int(shard_id[8:])]
        [at] = [n for n, record in enumerate(shard.records) if record[2] == sequence_number]
        return self.start(shard, at + (kind == "AFTER_SEQUENCE_NUMBER"), shard_id, kind, sequence_number)

    @rule(target=iterators, number=shard_picks, back=st.one_of(st.integers(0, 5), st.integers(0, 30 * 3600)))
    def start_at_a_time(self, number, back):
        shard = self.pick(number)
        time_ns = self.clock.now_ns() // 10**6 * 10**6 - back * SECOND
        position = sum(record[0] < time_ns for record in shard.records)
        return self.start(shard, position, shard.shard_id, "AT_TIMESTAMP", None, time_ns // 10**6 / 1000)

    def start(self, shard, position, *arguments):
        now_ns = self.clock.now_ns()
        try:
            iterator = self.stream.get_shard_iterator(*arguments)
        except ResourceNotFoundException:
            assert shard not in self.model.listed(now_ns)
            return multiple()
        return iterator, shard, position, now_ns

    @rule(target=iterators, held=iterators, limit=st.one_of(st.none(), st.integers(1, 5)))
    def get(self, held, limit):
        iterator, shard, position, created_ns = held
        now_ns = self.clock.now_ns()
        try:
            got = self.stream.get_records(iterator, limit)
        except ExpiredIteratorException:
            assert now_ns >= created_ns + 300 * SECOND
            return multiple()
        except ResourceNotFoundException:
            assert shard not in self.model.listed(now_ns)
            return multiple()
        assert now_ns < created_ns + 300 * SECOND
        records, onward = self.model.read(shard, position, limit or 10_000)
        assert [(record.data, record.sequence_number) for record in got.records] == [
            tuple(r[1:3]) for r in records
        ]
        behind = onward < len(shard.records)
        assert got.millis_behind_latest == (max(1, (now_ns - records[-1][0]) // 10**6) if behind else 0)
        if shard.closed_ns is not None and not behind:
            assert got.next_shard_iterator is None
            children = [child.shard_id for child in self.model.shards if shard in child.parents]
            assert [child.shard_id for child in got.child_shards] == children
            return multiple()
        assert got.child_shards == []
        return got.next_shard_iterator, shard, onward, now_ns

    # --- what is kept ---

    @rule(on=st.booleans())
    def encrypt(self, on):
        with suppress(LimitExceededException):
            (self.stream.start_stream_encryption if on else self.stream.stop_stream_encryption)("KMS", "key")

    @rule(name=st.sampled_from("abc"), on=st.booleans())
    def register(self, name, on):
        known = {consumer.consumer_name for consumer in self.stream.list_stream_consumers().consumers}
        if name not in known:
            arn = self.stream.register_stream_consumer(name).consumer_arn
            self.stream.tag_consumer(arn, {"on": str(on)})
        elif not on:
            self.stream.deregister_stream_consumer(name)
        self.stream.add_tags({name: str(on)})

    @rule(mode=st.sampled_from(["ON_DEMAND", "PROVISIONED"]))
    def refuse_what_makes_no_sense(self, mode):
        heard = len(self.heard)
        for call in (
            lambda: self.stream.put_record(b"", ""),
            lambda: self.stream.update_shard_count(0),
            lambda: self.stream.get_records("forged"),
            lambda: self.stream.update_stream_mode(mode + "?"),
        ):
            try:
                call()
            except (ValidationException, InvalidArgumentException):
                pass
            else:
                raise AssertionError("refused")
        assert len(self.heard) == heard

    # --- what always holds ---

    @invariant()
    def the_stream_agrees_with_the_model(self):
        self.stream.check_invariants()
        live = [record[1] for shard in self.model.shards for record in shard.records if not record[3]]
        assert sorted(record.data for record in self.stream.peek()) == sorted(live)

    @rule()
    def the_same_shards_are_listed(self):
        now_ns = self.clock.now_ns()
        listed = self.model.listed(now_ns)
        assert [shard.shard_id for shard in self.stream.list_shards().shards] == [
            shard.shard_id for shard in listed
        ]
        opened = self.stream.list_shards(shard_filter="AT_LATEST").shards
        assert {shard.shard_id for shard in opened} == {shard.shard_id for shard in self.model.open()}
        roots = self.stream.list_shards(shard_filter="AT_TRIM_HORIZON").shards
        assert [shard.shard_id for shard in roots] == [
            s.shard_id for s in listed if not set(s.parents) & set(listed)
        ]

    @rule(held=iterators)
    def the_changes_alone_rebuild_an_equal_stream(self, held):
        twin = self.rebuilt()
        answers = []
        for stream in (self.stream, twin):
            try:
                got = stream.get_records(held[0])
                answers.append(
                    (
                        [(r.data, r.sequence_number, r.partition_key) for r in got.records],
                        got.next_shard_iterator,
                        got.millis_behind_latest,
                        got.child_shards,
                    )
                )
            except (ExpiredIteratorException, ResourceNotFoundException) as error:
                answers.append(repr(error))
        assert answers[0] == answers[1]

    def rebuilt(self):
        broker = Broker(clock=self.clock, seed=2)
        for change in self.heard:
            change.apply(broker)
        twin = broker.streams["events"]
        assert image(twin) == image(self.stream)
        twin.check_invariants()
        return twin

    def teardown(self):
        if hasattr(self, "stream"):
            self.rebuilt()


TestStream = StreamMachine.TestCase
TestStream.settings = settings(stateful_step_count=40, suppress_health_check=list(HealthCheck))
