"""Provisioned or on demand: who decides how many shards a stream has, and which of them takes a record.

In on-demand mode AWS does.  The page "Choose the right mode to stream in" promises room for
twice the highest write throughput of the last 30 days, starting with four shards.  With
`scale_on_demand` a stream keeps that promise by splitting all its shards in two as soon as the
load of one second asks for it; it doesn't merge them again, of which the page says nothing.
"""

from __future__ import annotations

import attrs

from queuestream.core.errors import InvalidArgumentException, LimitExceededException, ValidationException
from queuestream.core.streams import account, checks
from queuestream.core.streams.changes import StreamChanged
from queuestream.core.streams.resharding import Resharding, plan_even_ranges
from queuestream.core.streams.settings import (
    MODES,
    ON_DEMAND,
    USER_PARTITION_KEY,
    check_strategy,
    check_warm_throughput,
    in_the_last_day,
)


@attrs.frozen
class WarmThroughput:
    """What an on-demand stream is being warmed to, and what it is warmed to by now, in MiB per second."""

    target_mibps: int
    current_mibps: int


class CapacityMode(Resharding):
    """The operations of a stream's capacity mode."""

    def update_stream_mode(self, stream_mode: str, warm_throughput_mibps: int | None = None) -> None:
        """Change between `PROVISIONED` and `ON_DEMAND`; the shards stay as they are.

        Raises:
            LimitExceededException: The third change in 24 hours, or too many on-demand streams in the
                account.
            ResourceInUseException: The stream is not ACTIVE.
            ValidationException: A parameter has the wrong form, or the account has no commitment.
            InvalidArgumentException: Warm throughput for a provisioned stream.
        """
        mode = checks.check_choice(stream_mode, "streamModeDetails.streamMode", MODES)
        warm = None
        if warm_throughput_mibps is not None:
            warm = check_warm_throughput(warm_throughput_mibps, mode, self.limits)
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            if warm is not None:
                account.check_commitment(self.broker, now_ns)
            if mode == self.settings.stream_mode:
                return
            changed_at_ns = in_the_last_day(self.settings.mode_changed_at_ns, now_ns)
            if len(changed_at_ns) >= self.limits.mode_changes_per_day:
                raise LimitExceededException(
                    f"Stream {self.name} under account {self.broker.account_id} has changed its mode "
                    f"{len(changed_at_ns)} times in the last 24 hours, which is as often as it may."
                )
            if mode == ON_DEMAND:
                account.check_on_demand_streams(self.broker, self.limits)
            settings = attrs.evolve(
                self.settings,
                stream_mode=mode,
                mode_changed_at_ns=(*changed_at_ns, now_ns),
                warm_throughput_mibps=warm,
                warm_throughput_before_mibps=None,
                # A provisioned stream has no such setting.
                record_distribution_strategy=USER_PARTITION_KEY,
            )
            self._commit(StreamChanged(self.name, settings, self._busy_from(now_ns)))

    def update_stream_warm_throughput(self, warm_throughput_mibps: int) -> WarmThroughput:
        """Keep in mind what an on-demand stream is to be ready for.

        Raises:
            ValidationException: It is out of its range, the stream is not in on-demand mode, or the account
                has no minimum throughput billing commitment.
            ResourceInUseException: The stream is not ACTIVE.
        """
        warm = check_warm_throughput(warm_throughput_mibps, ON_DEMAND, self.limits)
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            if self.settings.stream_mode != ON_DEMAND:
                raise ValidationException(
                    f"Request is invalid. Stream {self.name} under account {self.broker.account_id} is not "
                    "in On-Demand mode."
                )
            account.check_commitment(self.broker, now_ns)
            settings = attrs.evolve(
                self.settings,
                warm_throughput_mibps=warm,
                warm_throughput_before_mibps=self.settings.warm_throughput_mibps,
            )
            self._commit(StreamChanged(self.name, settings, self._busy_from(now_ns)))
            return WarmThroughput(target_mibps=warm, current_mibps=self._warm_throughput(now_ns) or 0)

    def update_stream_record_distribution_strategy(self, record_distribution_strategy: str) -> None:
        """Have the keys of records say which shard takes them, or an on-demand stream itself, evenly.

        Args:
            record_distribution_strategy: `USER_PARTITION_KEY` or `AUTO`.  It holds for records that arrive
                from now on; those that are there stay where they are.

        Raises:
            InvalidArgumentException: The stream is a provisioned one.
            ResourceInUseException: The stream is not ACTIVE.
            ValidationException: There is no such strategy.
        """
        strategy = check_strategy(record_distribution_strategy, ON_DEMAND)
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            if self.settings.stream_mode != ON_DEMAND:
                raise InvalidArgumentException(
                    f"Stream {self.name} under account {self.broker.account_id} is not in ON_DEMAND mode, "
                    "which a RecordDistributionStrategy needs."
                )
            settings = attrs.evolve(self.settings, record_distribution_strategy=strategy)
            self._commit(StreamChanged(self.name, settings, self._busy_until_ns))

    def _scale_with_load(self, now_ns: int) -> None:
        """Split every shard in two where the load asks for more than there are."""
        count = len(self._open_shards)
        if (
            self._load is not None
            and self._load.shards_wanted > count
            and self._status(now_ns) == "ACTIVE"
            and count * 2 <= self.limits.shards_per_stream
        ):
            plan = self._plan(now_ns)
            plan_even_ranges(plan, [shard.identity for shard in self._open_shards], count * 2)
            self._reshard(plan, now_ns)
