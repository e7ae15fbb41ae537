"""Every quota of Kinesis Data Streams, with AWS's values as defaults.

The page "Quotas and limits" of the developer guide has most of them; the others stand in the
API reference of the operation that they limit.  A test that wants to meet a limit early makes
its own: `Stream("events", limits=StreamLimits(get_records_max=10))`.
"""

from __future__ import annotations

import attrs

KIB = 1024
MIB = 1024 * KIB


@attrs.frozen(kw_only=True)
class StreamLimits:
    """The quotas that a stream keeps.

    Attributes:
        partition_key_length_max: Characters of a partition key.
        put_records_max: Records of one `put_records`.
        put_records_bytes_max: Bytes of one `put_records`, partition keys included.
        get_records_max: Records of one `get_records`; its default too.
        get_records_bytes_max: Bytes of one `get_records`, partition keys included.
        shard_iterator_seconds: How long a shard iterator may be used.
        next_token_seconds: How long a paging token may be used.
        list_shards_max: Shards of one `list_shards`.
        describe_shards_max: Shards of one `describe`.
        list_consumers_max: Consumers of one `list_stream_consumers`.
        list_streams_max: Streams of one `list_streams`.
        max_record_size_in_kib_min: The least that the largest record may be set to.
        max_record_size_in_kib_max: The most that the largest record may be set to.
        retention_period_hours_min: The shortest retention period.
        retention_period_hours_max: The longest retention period.
        shards_per_account: Open shards of an account in a region.
        shards_per_stream: Shards that `update_shard_count` may scale to.
        on_demand_streams_per_account: Streams in on-demand mode.
        on_demand_shards: Shards of a new on-demand stream.
        streams_creating_max: Streams in the state CREATING at a time.
        scalings_per_day: `update_shard_count` calls in 24 hours.
        mode_changes_per_day: `update_stream_mode` calls in 24 hours.
        encryption_changes_per_day: `start_stream_encryption`, and as many `stop_stream_encryption`, in 24
            hours.
        consumers_per_stream: Registered consumers.
        consumers_per_advantage_stream: Registered consumers of an on-demand stream, in an account with a
            minimum throughput billing commitment.
        consumers_creating_max: Registered consumers in the state CREATING at a time.
        tags_max: Tags of a stream or consumer.
        warm_throughput_mibps_max: MiB per second that an on-demand stream may be warmed to.
        write_records_per_second: What a shard takes in.
        write_bytes_per_second: What a shard takes in, partition keys included.
        read_calls_per_second: `get_records` calls that a shard answers.
        read_bytes_per_second: What a shard gives out.
        subscription_seconds: How long a `subscribe_to_shard` lasts.
        subscription_silence_seconds: After how long without a record a subscription says that there is none.
        subscription_takeover_seconds: How long a new subscription is safe from the next one.
        subscription_event_records_max: Records of one event of a subscription.
        subscription_bytes_per_second: What a shard gives to each registered consumer.
    """

    partition_key_length_max: int = 256
    put_records_max: int = 500
    put_records_bytes_max: int = 10 * MIB
    get_records_max: int = 10_000
    get_records_bytes_max: int = 10 * MIB
    shard_iterator_seconds: int = 300
    next_token_seconds: int = 300
    list_shards_max: int = 1_000
    describe_shards_max: int = 100
    list_consumers_max: int = 100
    list_streams_max: int = 100
    max_record_size_in_kib_min: int = 1_024
    max_record_size_in_kib_max: int = 10_240
    retention_period_hours_min: int = 24
    retention_period_hours_max: int = 8_760
    shards_per_account: int = 20_000
    shards_per_stream: int = 10_000
    on_demand_streams_per_account: int = 50
    on_demand_shards: int = 4
    streams_creating_max: int = 5
    scalings_per_day: int = 10
    mode_changes_per_day: int = 2
    encryption_changes_per_day: int = 25
    consumers_per_stream: int = 20
    consumers_per_advantage_stream: int = 50
    consumers_creating_max: int = 5
    tags_max: int = 50
    warm_throughput_mibps_max: int = 10 * KIB
    write_records_per_second: int = 1_000
    write_bytes_per_second: int = MIB
    read_calls_per_second: int = 5
    read_bytes_per_second: int = 2 * MIB
    subscription_seconds: int = 300
    subscription_silence_seconds: int = 5
    subscription_takeover_seconds: int = 5
    subscription_event_records_max: int = 10_000
    subscription_bytes_per_second: int = 2 * MIB
