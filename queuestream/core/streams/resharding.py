"""Splitting and merging: parents are closed and stay readable, children take over their hash keys.

A plan is a tuple of the shards to be made, in order, each naming its parents.  Planning is pure;
applying a plan makes the shards and closes the parents (`StreamState._apply_reshard`).  With a
provisioning time the stream is UPDATING first, its parents go on taking records, and the plan is
applied when the time is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from queuestream.core.clock import SECOND
from queuestream.core.errors import InvalidArgumentException, LimitExceededException, ValidationException
from queuestream.core.streams import account, checks
from queuestream.core.streams.changes import Resharded, ReshardScheduled, StreamChanged
from queuestream.core.streams.hash_keys import even_ranges
from queuestream.core.streams.settings import ON_DEMAND, in_the_last_day
from queuestream.core.streams.shard import ShardIdentity, index_of, no_such_shard, shard_id_of
from queuestream.core.streams.state import StreamState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@attrs.frozen(kw_only=True)
class UpdateShardCountResult:
    """What an `update_shard_count` sets out to do."""

    current_shard_count: int
    target_shard_count: int


def first_shards(ranges: Sequence[tuple[int, int]], now_ns: int) -> tuple[ShardIdentity, ...]:
    """The shards that a stream starts with."""
    return tuple(
        ShardIdentity(
            shard_id=shard_id_of(index),
            index=index,
            starting_hash_key=start,
            ending_hash_key=end,
            created_at_ns=now_ns,
            stamp=now_ns // SECOND,
        )
        for index, (start, end) in enumerate(ranges)
    )


class Plan:
    """The shards that a reshard makes, one after the other.

    Args:
        next_index: The index of the first shard that is made.
        made_at_ns: When they are made.
    """

    def __init__(self, next_index: int, made_at_ns: int) -> None:
        self._next_index = next_index
        self._made_at_ns = made_at_ns
        self.shards: list[ShardIdentity] = []

    def split(self, parent: ShardIdentity, boundary: int) -> tuple[ShardIdentity, ShardIdentity]:
        """Two children, of which the second starts at the boundary."""
        return (
            self._make(parent.starting_hash_key, boundary - 1, parent),
            self._make(boundary, parent.ending_hash_key, parent),
        )

    def merge(self, parent: ShardIdentity, adjacent: ShardIdentity) -> ShardIdentity:
        """One child of two neighbours."""
        return self._make(
            min(parent.starting_hash_key, adjacent.starting_hash_key),
            max(parent.ending_hash_key, adjacent.ending_hash_key),
            parent,
            adjacent,
        )

    def _make(
        self, start: int, end: int, parent: ShardIdentity, adjacent: ShardIdentity | None = None
    ) -> ShardIdentity:
        made = ShardIdentity(
            shard_id=shard_id_of(self._next_index),
            index=self._next_index,
            starting_hash_key=start,
            ending_hash_key=end,
            created_at_ns=self._made_at_ns,
            # Above the parents' stamps, so that the sequence numbers are above theirs.
            stamp=max(self._made_at_ns // SECOND, parent.stamp + 1, adjacent.stamp + 1 if adjacent else 0),
            parent_shard_id=parent.shard_id,
            adjacent_parent_shard_id=adjacent.shard_id if adjacent else None,
        )
        self._next_index += 1
        self.shards.append(made)
        return made


def plan_even_ranges(plan: Plan, open_shards: Iterable[ShardIdentity], count: int) -> None:
    """Get from the open shards to `count` equal ranges with as few splits and merges as possible.

    Each boundary that is missing takes a split, and each that is too many a merge, whatever the order.  All
    splits come first, so some shards live for no longer than the reshard, as AWS says (the page
    "UpdateShardCount").

    Args:
        plan: What the splits and merges are added to.
        open_shards: In the order of their hash keys.
        count: How many ranges there are to be.
    """
    wanted = [start for start, _ in even_ranges(count)]
    missing = iter([*wanted, 2**128])
    boundary = next(missing)
    pieces: list[ShardIdentity] = []
    for shard in open_shards:
        rest = shard
        while boundary <= shard.ending_hash_key:
            if boundary > rest.starting_hash_key:
                piece, rest = plan.split(rest, boundary)
                pieces.append(piece)
            boundary = next(missing)
        pieces.append(rest)
    starts = set(wanted)
    merged = pieces[0]
    for piece in pieces[1:]:
        merged = piece if piece.starting_hash_key in starts else plan.merge(merged, piece)


class Resharding(StreamState):
    """The operations that change a stream's shards."""

    def split_shard(self, shard_to_split: str, new_starting_hash_key: str) -> None:
        """Split a shard in two.

        Args:
            shard_to_split: An open shard.
            new_starting_hash_key: Where the second child starts, in digits.

        Raises:
            ResourceNotFoundException: There is no such shard.
            ResourceInUseException: The stream is not ACTIVE.
            InvalidArgumentException: The shard is closed, or the hash key isn't well inside its range.
            LimitExceededException: The account's shards are used up.
            ValidationException: A parameter has the wrong form, or the stream is in on-demand mode.
        """
        shard_to_split = checks.check_text(shard_to_split, "shardToSplit", 1, 128, checks.NAME)
        boundary = int(
            checks.check_text(new_starting_hash_key, "newStartingHashKey", 1, None, checks.HASH_KEY)
        )
        with self._lock:
            now_ns = self._enter()
            self._require_provisioned()
            parent = self._to_reshard(shard_to_split, now_ns)
            # The end is the last hash key of the range, and AWS leaves a key of room on either side.
            if not parent.starting_hash_key + 1 < boundary < parent.ending_hash_key:
                raise InvalidArgumentException(
                    f"NewStartingHashKey {new_starting_hash_key} used in SplitShard() on shard "
                    f"{parent.shard_id} in stream {self.name} under account {self.broker.account_id} is not "
                    f"both greater than one plus the shard's StartingHashKey {parent.starting_hash_key} and "
                    f"less than the shard's EndingHashKey {parent.ending_hash_key}."
                )
            account.check_shards(self.broker, self.limits, 1)
            self._require_active(now_ns)
            plan = self._plan(now_ns)
            plan.split(parent, boundary)
            self._reshard(plan, now_ns)

    def merge_shards(self, shard_to_merge: str, adjacent_shard_to_merge: str) -> None:
        """Merge two neighbours into one shard, the lower one named first.

        Raises:
            ResourceNotFoundException: There is no such shard.
            ResourceInUseException: The stream is not ACTIVE.
            InvalidArgumentException: One of them is closed, or the second isn't the one after the first.
            ValidationException: A parameter has the wrong form, or the stream is in on-demand mode.
        """
        shard_to_merge = checks.check_text(shard_to_merge, "shardToMerge", 1, 128, checks.NAME)
        adjacent_shard_to_merge = checks.check_text(
            adjacent_shard_to_merge, "adjacentShardToMerge", 1, 128, checks.NAME
        )
        with self._lock:
            now_ns = self._enter()
            self._require_provisioned()
            parent = self._to_reshard(shard_to_merge, now_ns)
            adjacent = self._to_reshard(adjacent_shard_to_merge, now_ns)
            # AWS was recorded to refuse neighbours that are named in the other order.
            if parent.ending_hash_key + 1 != adjacent.starting_hash_key:
                raise InvalidArgumentException(
                    f"Shards {parent.shard_id} and {adjacent.shard_id} in stream {self.name} under "
                    f"account {self.broker.account_id} are not an adjacent pair of shards eligible for "
                    "merging"
                )
            self._require_active(now_ns)
            plan = self._plan(now_ns)
            plan.merge(parent, adjacent)
            self._reshard(plan, now_ns)

    def update_shard_count(
        self, target_shard_count: int, scaling_type: str = "UNIFORM_SCALING"
    ) -> UpdateShardCountResult:
        """Split and merge until there are so many shards, of equal ranges.

        Args:
            target_shard_count: Between half and double of what is open.
            scaling_type: AWS knows one, `UNIFORM_SCALING`.

        Raises:
            LimitExceededException: More than double, less than half, more than the stream or the account may
                have, or the eleventh call in 24 hours.
            ResourceInUseException: The stream is not ACTIVE.
            ValidationException: A parameter has the wrong form, or the stream is in on-demand mode.

        Cost: linear in the shards.
        """
        target = checks.check_integer(target_shard_count, "targetShardCount", 1)
        checks.check_choice(scaling_type, "scalingType", ("UNIFORM_SCALING",))
        with self._lock:
            now_ns = self._enter()
            self._require_provisioned()
            self._require_active(now_ns)
            current = len(self._open_shards)
            scaled_at_ns = in_the_last_day(self.settings.scaled_at_ns, now_ns)
            self._check_scaling(current, target, len(scaled_at_ns))
            settings = attrs.evolve(self.settings, scaled_at_ns=(*scaled_at_ns, now_ns))
            plan = self._plan(now_ns)
            plan_even_ranges(plan, [shard.identity for shard in self._open_shards], target)
            self._reshard(plan, now_ns, StreamChanged(self.name, settings, self._busy_until_ns))
            return UpdateShardCountResult(current_shard_count=current, target_shard_count=target)

    def _check_scaling(self, current: int, target: int, scaled: int) -> None:
        """AWS's limits (the page "UpdateShardCount")."""
        limits = self.limits
        counts = f"Current open shard count: {current} Target shard count: {target}"
        if scaled >= limits.scalings_per_day:
            raise LimitExceededException(
                f"UpdateShardCount cannot be called more than {limits.scalings_per_day} times in a rolling "
                f"24-hour period for stream {self.name} under account {self.broker.account_id}."
            )
        most = min(limits.shards_per_stream, limits.shards_per_account)
        if target > most:
            raise LimitExceededException(
                f"Target shard count or number of open shards cannot be greater than {most}. {counts}"
            )
        if target > current * 2:
            raise LimitExceededException(
                f"UpdateShardCount cannot scale up over double your current open shard count. {counts}"
            )
        if target * 2 < current:
            raise LimitExceededException(
                f"UpdateShardCount cannot scale down below half your current open shard count. {counts}"
            )
        account.check_shards(self.broker, limits, target - current)

    def _require_provisioned(self) -> None:
        if self.settings.stream_mode == ON_DEMAND:
            raise ValidationException(
                f"Request is invalid. Stream {self.name} under account {self.broker.account_id} is in "
                "On-Demand mode."
            )

    def _to_reshard(self, shard_id: str, now_ns: int) -> ShardIdentity:
        """An open shard."""
        index = index_of(shard_id)
        name = shard_id if index is None else shard_id_of(index)
        shard = self._shards.get(name)
        if shard is None or self._has_expired(shard, now_ns):
            raise no_such_shard(name, self.name, self.broker.account_id)
        if not shard.is_open:
            raise InvalidArgumentException(
                f"Shard {name} in stream {self.name} under account {self.broker.account_id} has already "
                "been merged or split, and thus is not eligible for merging or splitting."
            )
        return shard.identity

    def _plan(self, now_ns: int) -> Plan:
        return Plan(self._next_index, self._busy_from(now_ns))

    def _reshard(self, plan: Plan, now_ns: int, *also: StreamChanged) -> None:
        """Carry out a plan, now or when the provisioning time is over."""
        if not plan.shards:
            self._commit(*also)
        elif self.settings.provisioning_ns:
            self._commit(*also, ReshardScheduled(self.name, tuple(plan.shards), self._busy_from(now_ns)))
        else:
            self._commit(*also, Resharded(self.name, tuple(plan.shards), now_ns))

    def _apply_schedule(self, scheduled: ReshardScheduled) -> None:
        self._pending = scheduled
        self._busy_until_ns = scheduled.completed_at_ns
        self._look_again()
        self._give_up()  # whoever waits for records learns when to look again
