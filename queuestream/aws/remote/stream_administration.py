"""What is set about a stream, over AWS: mode, retention, encryption, monitoring, tags, policy; its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queuestream.aws.remote import stream_values as values
from queuestream.aws.remote.stream_asking import Asking, of_resource
from queuestream.aws.remote.stream_requests import flag, mapping, texts
from queuestream.aws.remote.stream_waiting import GONE, wait_for
from queuestream.core.streams.administration import ListTagsResult
from queuestream.core.streams.capacity_mode import WarmThroughput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from queuestream.aws.remote.calls import Steps
    from queuestream.core.streams.administration import EnhancedMonitoring


class Administration(Asking):
    """The operations that administer a stream."""

    # --- what is set about a stream ---

    def update_stream_mode(self, stream_mode: str, warm_throughput_mibps: int | None = None) -> Steps[None]:
        """Change between `PROVISIONED` and `ON_DEMAND`."""
        yield from self._change(
            self._call_by_arn(
                "UpdateStreamMode",
                StreamModeDetails={"StreamMode": stream_mode},
                WarmThroughputMiBps=warm_throughput_mibps,
            )
        )

    def update_stream_warm_throughput(self, warm_throughput_mibps: int) -> Steps[WarmThroughput]:
        """Have an on-demand stream be ready for so much, and wait until it is."""
        answer = yield from self._change(
            self._call("UpdateStreamWarmThroughput", WarmThroughputMiBps=warm_throughput_mibps)
        )
        warm = answer["WarmThroughput"]
        target, current = warm["TargetMiBps"], warm["CurrentMiBps"]
        if self._wait and current != target:
            summary = yield from self.describe_summary()
            current = summary.current_warm_throughput_mibps or current
        return WarmThroughput(target, current)

    def update_stream_record_distribution_strategy(self, record_distribution_strategy: str) -> Steps[None]:
        """Have the keys of records say which shard takes them, or an on-demand stream itself."""
        yield from self._change(
            self._call_by_arn(
                "UpdateStreamRecordDistributionStrategy",
                RecordDistributionStrategy=record_distribution_strategy,
            )
        )

    def update_max_record_size(self, max_record_size_in_kib: int) -> Steps[None]:
        """Change how large a record may be."""
        yield from self._change(
            self._call_by_arn("UpdateMaxRecordSize", MaxRecordSizeInKiB=max_record_size_in_kib)
        )

    def increase_stream_retention_period(self, retention_period_hours: int) -> Steps[None]:
        """Keep records for longer."""
        yield from self._change(
            self._call("IncreaseStreamRetentionPeriod", RetentionPeriodHours=retention_period_hours)
        )

    def decrease_stream_retention_period(self, retention_period_hours: int) -> Steps[None]:
        """Keep records for less long."""
        yield from self._change(
            self._call("DecreaseStreamRetentionPeriod", RetentionPeriodHours=retention_period_hours)
        )

    def start_stream_encryption(self, encryption_type: str, key_id: str) -> Steps[None]:
        """Have AWS encrypt the records that arrive from now on; AWS looks the key up."""
        yield from self._change(
            self._call("StartStreamEncryption", EncryptionType=encryption_type, KeyId=key_id)
        )

    def stop_stream_encryption(self, encryption_type: str, key_id: str) -> Steps[None]:
        """Have AWS not encrypt the records that arrive from now on."""
        yield from self._change(
            self._call("StopStreamEncryption", EncryptionType=encryption_type, KeyId=key_id)
        )

    def enable_enhanced_monitoring(self, shard_level_metrics: Iterable[str]) -> Steps[EnhancedMonitoring]:
        """Switch metrics on; `ALL` means each of them."""
        return (yield from self._monitor("EnableEnhancedMonitoring", shard_level_metrics))

    def disable_enhanced_monitoring(self, shard_level_metrics: Iterable[str]) -> Steps[EnhancedMonitoring]:
        """Switch metrics off; `ALL` means each of them."""
        return (yield from self._monitor("DisableEnhancedMonitoring", shard_level_metrics))

    def _monitor(self, operation: str, shard_level_metrics: object) -> Steps[EnhancedMonitoring]:
        metrics = texts(shard_level_metrics, "shardLevelMetrics")
        answer = yield from self._change(self._call(operation, ShardLevelMetrics=metrics))
        return values.monitoring(answer)

    def delete(self, enforce_consumer_deletion: bool | None = None) -> Steps[None]:
        """Delete the stream with all its records, and wait until it is gone."""
        yield self._call(
            "DeleteStream",
            EnforceConsumerDeletion=flag(enforce_consumer_deletion, "enforceConsumerDeletion"),
        )
        if self._wait:
            yield from wait_for(GONE, self._status_of_the_deleted(), self._shown)

    def _status_of_the_deleted(self) -> Callable[[], Steps[str]]:
        """Look at a stream that is being deleted: once it was, any other status is that of its successor."""
        before = ""

        def look() -> Steps[str]:
            nonlocal before
            status = yield from self.status()
            if before == "DELETING" != status:
                return GONE
            before = status
            return status

        return look

    # --- tags and policies ---

    def tags(self) -> Steps[dict[str, str]]:
        """All tags, by their keys."""
        tags: dict[str, str] = {}
        page = yield from self.list_tags()
        tags.update(page.tags)
        while page.has_more_tags:
            page = yield from self.list_tags(exclusive_start_tag_key=max(page.tags))
            tags.update(page.tags)
        return tags

    def add_tags(self, tags: Mapping[str, str]) -> Steps[None]:
        """Add tags, or replace those that have the same keys."""
        yield self._call("AddTagsToStream", Tags=mapping(tags, "tags"))

    def remove_tags(self, tag_keys: Iterable[str]) -> Steps[None]:
        """Remove tags; a key that isn't there is ignored."""
        yield self._call("RemoveTagsFromStream", TagKeys=texts(tag_keys, "tagKeys"))

    def list_tags(
        self, exclusive_start_tag_key: str | None = None, limit: int | None = None
    ) -> Steps[ListTagsResult]:
        """A page of tags, in the order of their keys."""
        answer = yield self._call(
            "ListTagsForStream", ExclusiveStartTagKey=exclusive_start_tag_key, Limit=limit
        )
        return ListTagsResult(values.tags(answer), answer["HasMoreTags"])

    def put_resource_policy(self, policy: str) -> Steps[None]:
        """Attach a resource policy, which AWS evaluates."""
        yield of_resource("PutResourcePolicy", self.arn, Policy=policy)

    def get_resource_policy(self) -> Steps[str]:
        """The resource policy; `{}` where there is none."""
        answer = yield of_resource("GetResourcePolicy", self.arn)
        policy: str = answer["Policy"]
        return policy

    def delete_resource_policy(self) -> Steps[None]:
        """Detach the resource policy."""
        yield of_resource("DeleteResourcePolicy", self.arn)
