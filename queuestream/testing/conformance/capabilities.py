"""What an engine may lack, by name, and how a test says that it needs it.

A capability is something that a program may want or not: what every program relies on (that what is sent
is received) is none.  A test that needs one that the engine lacks is skipped, and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUEUE_CAPABILITIES: Mapping[str, str] = {
    "peek": "looking at messages without receiving them",
    "exact_counts": "numbers of messages that are exact at every instant",
    "long_polls_end": "time that goes on while a call waits, so that a long poll ends by itself",
    "tags": "tags of queues",
    "permissions": "permissions, which are statements of a queue's policy",
    "encryption_settings": "settings of encryption",
    "purge_interval": "60 seconds between two purges of a queue",
    "deletion_interval": "60 seconds until the name of a deleted queue is free again",
    "deduplication_scope": "deduplication by message group",
    "attempts": "receives of a FIFO queue that can be repeated by their attempt id",
    "fair_queues": "message groups on standard queues",
    "redrive_allow_policy": "dead-letter queues that say whose dead letters they take",
    "dead_letter_sources": "listing the queues of which a queue is the dead-letter queue",
    "move_tasks": "tasks that move dead letters back",
}
"""What an engine's queues may lack: name and meaning."""

STREAM_CAPABILITIES: Mapping[str, str] = {
    "peek": "looking at a stream's records without a shard iterator",
    "tags": "tags of streams",
    "tags_at_creation": "tags that are given with a new stream",
    "shard_filters": "lists of shards that are filtered",
    "shard_pages": "lists of shards that come in pages",
    "update_shard_count": "resharding to a number of shards",
    "child_shards": "the end of a shard naming its child shards",
    "modes": "on-demand streams",
    "encryption": "settings of encryption",
    "monitoring": "shard-level metrics that are switched on and off",
    "resource_policies": "resource policies of streams",
    "large_records": "records of more than 1 MiB",
    "account_limits": "the account's limits, and what is used of them",
    "consumers": "registered consumers",
    "consumer_tags": "tags of registered consumers",
    "fan_out": "subscriptions to shards",
    "dry_run": "dry runs",
}
"""What an engine's streams may lack: name and meaning."""

NEEDS = "needs_of_the_engine"
"""The attribute of a test that has the names of what it needs."""

Test = TypeVar("Test", bound="Callable[..., Any]")


def needs(*capabilities: str) -> Callable[[Test], Test]:
    """A test that is skipped where the engine lacks one of these."""

    def marked(test: Test) -> Test:
        setattr(test, NEEDS, capabilities)
        return test

    return marked
