"""What is rarely done to a stream: tags, encryption, monitoring, policies, record size, deleting it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from queuestream.core.errors import (
    InvalidArgumentException,
    LimitExceededException,
    ResourceInUseException,
    ResourceNotFoundException,
)
from queuestream.core.streams import checks
from queuestream.core.streams.changes import StreamChanged, StreamDeleted
from queuestream.core.streams.settings import in_the_last_day
from queuestream.core.streams.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

METRICS = (
    "IncomingBytes",
    "IncomingRecords",
    "OutgoingBytes",
    "OutgoingRecords",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
    "IteratorAgeMilliseconds",
)


@attrs.frozen
class ListTagsResult:
    """One page of a stream's tags, in the order of their keys."""

    tags: dict[str, str]
    has_more_tags: bool


@attrs.frozen
class EnhancedMonitoring:
    """The shard-level metrics before and after a change."""

    current_shard_level_metrics: tuple[str, ...]
    desired_shard_level_metrics: tuple[str, ...]


class Administration(StreamState):
    """The operations that administer a stream."""

    # --- tags ---

    @property
    def tags(self) -> dict[str, str]:
        """All tags, by their keys."""
        with self._lock:
            self._enter()
            return dict(self.settings.tags)

    def add_tags(self, tags: Mapping[str, str]) -> None:
        """Add tags, or replace those that have the same keys.

        Raises:
            ValidationException: A key or value has the wrong form.
            InvalidArgumentException: A character that tags don't have, or more than 50 tags.
            ResourceInUseException: The stream is being made.
        """
        added = checks.check_tags(tags)
        with self._lock:
            self._require_made(self._enter())
            self._refuse_percent("add tags to", (*added, *added.values()))
            self._set(tags=self._with_tags(self.settings.tags, added))

    def remove_tags(self, tag_keys: Iterable[str]) -> None:
        """Remove tags; a key that isn't there is ignored.

        Raises:
            ValidationException: The keys have the wrong form.
            InvalidArgumentException: A character that tags don't have.
            ResourceInUseException: The stream is being made.
        """
        keys = checks.check_tag_keys(tag_keys)
        with self._lock:
            self._require_made(self._enter())
            self._refuse_percent("remove tags from", keys)
            self._set(tags={key: value for key, value in self.settings.tags.items() if key not in keys})

    def list_tags(
        self, exclusive_start_tag_key: str | None = None, limit: int | None = None
    ) -> ListTagsResult:
        """A page of tags, in the order of their keys.

        Args:
            exclusive_start_tag_key: Only keys after this one.
            limit: 1 to 50.

        Raises:
            ValidationException: A parameter has the wrong form.
        """
        start = "" if exclusive_start_tag_key is None else exclusive_start_tag_key
        checks.check_text(start, "exclusiveStartTagKey", 0, 128)
        count = 50 if limit is None else checks.check_integer(limit, "limit", 1, 50)
        with self._lock:
            self._enter()
            tags = sorted(item for item in self.settings.tags.items() if item[0] > start)
            return ListTagsResult(dict(tags[:count]), len(tags) > count)

    def _require_made(self, now_ns: int) -> None:
        """Tags are not changed before the stream is ACTIVE for the first time (the page "CreateStream")."""
        if now_ns < self._active_from_ns:
            self._require_active(now_ns)

    def _refuse_percent(self, verb: str, texts: Iterable[str]) -> None:
        """One character AWS counts among the valid ones, and refuses all the same, in other words."""
        if any("%" in text for text in texts):
            raise InvalidArgumentException(
                f"Failed to {verb} stream {self.name} under account {self.broker.account_id} because some "
                "tags contained illegal characters. The allowed characters are Unicode letters, "
                "white-spaces, '_',',','/','=','+','-','@'."
            )

    def _with_tags(self, tags: Mapping[str, str], added: Mapping[str, str]) -> dict[str, str]:
        merged = {**tags, **added}
        if len(merged) > self.limits.tags_max:
            raise InvalidArgumentException(
                f"Failed to add tags to stream {self.name} under account {self.broker.account_id} because a "
                f"given stream cannot have more than {self.limits.tags_max} tags associated with it."
            )
        return merged

    # --- encryption, kept and shown; the bytes stay as they are ---

    def start_stream_encryption(self, encryption_type: str, key_id: str) -> None:
        """Have records that arrive from now on say that they are encrypted.

        Args:
            encryption_type: `KMS`.
            key_id: A key's id, ARN or alias; it isn't looked up.

        Raises:
            ValidationException: A parameter has the wrong form.
            LimitExceededException: More than 25 times in 24 hours.
            ResourceInUseException: The stream is not ACTIVE.
        """
        self._encrypt("KMS", encryption_type, key_id)

    def stop_stream_encryption(self, encryption_type: str, key_id: str) -> None:
        """Have records that arrive from now on say that they are not encrypted.

        Args:
            encryption_type: `KMS`, the encryption that is stopped.
            key_id: The key that was used.

        Raises:
            ValidationException: A parameter has the wrong form.
            LimitExceededException: More than 25 times in 24 hours.
            ResourceInUseException: The stream is not ACTIVE.
        """
        self._encrypt("NONE", encryption_type, key_id)

    def _encrypt(self, wanted: str, encryption_type: object, key_id: object) -> None:
        checks.check_choice(encryption_type, "encryptionType", ("KMS",))
        key = checks.check_text(key_id, "keyId", 1, 2048)
        field = "encryption_started_at_ns" if wanted == "KMS" else "encryption_stopped_at_ns"
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            earlier = in_the_last_day(getattr(self.settings, field), now_ns)
            if len(earlier) >= self.limits.encryption_changes_per_day:
                raise LimitExceededException(
                    f"The encryption of stream {self.name} under account {self.broker.account_id} has "
                    f"changed {len(earlier)} times in the last 24 hours, which is as often as it may."
                )
            changed: dict[str, Any] = {field: (*earlier, now_ns)}
            self._set(
                self._busy_from(now_ns),
                encryption_type=wanted,
                key_id=key if wanted == "KMS" else None,
                **changed,
            )

    # --- enhanced monitoring, kept and shown ---

    def enable_enhanced_monitoring(self, shard_level_metrics: Iterable[str]) -> EnhancedMonitoring:
        """Switch metrics on; `ALL` means each of them.

        Raises:
            ValidationException: There is no such metric.
            ResourceInUseException: The stream is not ACTIVE.
        """
        return self._monitor(shard_level_metrics, enable=True)

    def disable_enhanced_monitoring(self, shard_level_metrics: Iterable[str]) -> EnhancedMonitoring:
        """Switch metrics off; `ALL` means each of them.

        Raises:
            ValidationException: There is no such metric.
            ResourceInUseException: The stream is not ACTIVE.
        """
        return self._monitor(shard_level_metrics, enable=False)

    def _monitor(self, shard_level_metrics: object, *, enable: bool) -> EnhancedMonitoring:
        names = checks.check_choices(shard_level_metrics, "shardLevelMetrics", 1, 7, (*METRICS, "ALL"))
        named = METRICS if "ALL" in names else names
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            current = self.settings.shard_level_metrics
            desired = tuple(
                metric
                for metric in METRICS
                if (enable and metric in named) or (metric in current and metric not in named)
            )
            self._set(self._busy_from(now_ns), shard_level_metrics=desired)
            return EnhancedMonitoring(current, desired)

    # --- the resource policy, kept and not evaluated ---

    def put_resource_policy(self, policy: str) -> None:
        """Attach a resource policy, a JSON text.

        Raises:
            ValidationException: It isn't a text.
            InvalidArgumentException: It isn't a policy.
        """
        text = checks.check_policy(policy)
        with self._lock:
            self._enter()
            self._set(resource_policy=text)

    def get_resource_policy(self) -> str:
        """The resource policy; `{}` where there is none, as AWS answers."""
        with self._lock:
            self._enter()
            return self.settings.resource_policy or "{}"

    def delete_resource_policy(self) -> None:
        """Detach the resource policy.

        Raises:
            ResourceNotFoundException: There is none.
        """
        with self._lock:
            self._enter()
            if self.settings.resource_policy is None:
                raise ResourceNotFoundException(f"No resource policy found for resource ARN {self.arn}.")
            self._set(resource_policy=None)

    # --- the largest record ---

    def update_max_record_size(self, max_record_size_in_kib: int) -> None:
        """Change how large a record may be: 1,024 to 10,240 KiB.

        Raises:
            ValidationException: It is out of its range.
            ResourceInUseException: The stream is not ACTIVE.
        """
        size = checks.check_integer(
            max_record_size_in_kib,
            "maxRecordSizeInKiB",
            self.limits.max_record_size_in_kib_min,
            self.limits.max_record_size_in_kib_max,
        )
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            self._set(self._busy_from(now_ns), max_record_size_in_kib=size)

    # --- the end ---

    def delete(self, enforce_consumer_deletion: bool | None = None) -> None:
        """Delete the stream with all its records, even while it is being made.

        Args:
            enforce_consumer_deletion: Delete it even if consumers are registered, and them with it.

        Raises:
            ResourceInUseException: The stream has registered consumers.
        """
        enforce = False
        if enforce_consumer_deletion is not None:
            enforce = checks.check_boolean(enforce_consumer_deletion, "enforceConsumerDeletion")
        with self._lock:
            now_ns = self._enter()
            if self._gone_from_ns is not None:
                return
            if self._consumers and not enforce:
                raise ResourceInUseException(
                    f"Stream {self.name} under account {self.broker.account_id} has {len(self._consumers)} "
                    "registered consumers, and EnforceConsumerDeletion was not set to true."
                )
            self._commit(StreamDeleted(self.name, self._busy_from(now_ns)))

    def _apply_delete(self, gone_from_ns: int) -> None:
        # With a provisioning time it goes on for a while, and the broker lets go of it when that is over.
        self._gone_from_ns = gone_from_ns
        self._look_again()
        self._give_up()
        if not self.settings.provisioning_ns:
            del self.broker.streams[self.name]

    def _set(self, busy_until_ns: int | None = None, **changed: Any) -> None:
        """Replace some settings."""
        settings = attrs.evolve(self.settings, **changed)
        self._commit(
            StreamChanged(
                self.name, settings, self._busy_until_ns if busy_until_ns is None else busy_until_ns
            )
        )
