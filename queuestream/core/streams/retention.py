"""How long records can be read: 24 hours to 365 days.

A record that is as old as the retention period is gone (from that moment on).  Reads look at
the time, so they are exact; the memory is given back when the record's shard is read, and for
shards that nobody reads by a sweep that any operation starts now and then (`StreamState._sweep`).
"""

from __future__ import annotations

import attrs

from queuestream.core.errors import InvalidArgumentException
from queuestream.core.streams import checks
from queuestream.core.streams.changes import StreamChanged
from queuestream.core.streams.state import StreamState


class Retention(StreamState):
    """The operations that change how long records can be read."""

    def increase_stream_retention_period(self, retention_period_hours: int) -> None:
        """Keep records for longer; what is gone stays gone.

        Args:
            retention_period_hours: More than now, up to 8,760.

        Raises:
            InvalidArgumentException: It is out of its range, or shorter than now.
            ResourceInUseException: The stream is not ACTIVE.
        """
        hours = self._check_hours(retention_period_hours)
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            current = self.settings.retention_period_hours
            if hours < current:
                raise InvalidArgumentException(
                    f"Requested retention period ({hours} hours) for stream {self.name} can not be shorter "
                    f"than existing retention period ({current} hours). Use DecreaseRetentionPeriod API."
                )
            self._change_retention(hours, now_ns)

    def decrease_stream_retention_period(self, retention_period_hours: int) -> None:
        """Keep records for less long; what is older than that is gone at once.

        Args:
            retention_period_hours: Less than now, at least 24.

        Raises:
            InvalidArgumentException: It is out of its range, or longer than now.
            ResourceInUseException: The stream is not ACTIVE.
        """
        hours = self._check_hours(retention_period_hours)
        with self._lock:
            now_ns = self._enter()
            self._require_active(now_ns)
            current = self.settings.retention_period_hours
            if hours > current:
                raise InvalidArgumentException(
                    f"Requested retention period ({hours} hours) for stream {self.name} can not be longer "
                    f"than existing retention period ({current} hours). Use IncreaseRetentionPeriod API."
                )
            self._change_retention(hours, now_ns)

    def _check_hours(self, retention_period_hours: object) -> int:
        """AWS's model names no range for the hours; the service answers with these sentences."""
        hours = checks.check_integer(retention_period_hours, "retentionPeriodHours", -(2**31), 2**31 - 1)
        shortest, longest = self.limits.retention_period_hours_min, self.limits.retention_period_hours_max
        if hours < shortest:
            raise InvalidArgumentException(
                f"Minimum allowed retention period is {shortest} hours. "
                f"Requested retention period ({hours} hours) is too short."
            )
        if hours > longest:
            raise InvalidArgumentException(
                f"Maximum allowed retention period is {longest} hours. "
                f"Requested retention period ({hours} hours) is too long."
            )
        return hours

    def _change_retention(self, hours: int, now_ns: int) -> None:
        self._sweep(now_ns)  # by the period that held until now
        settings = attrs.evolve(self.settings, retention_period_hours=hours)
        # What a shorter period removes, the next operation lets go of: one call, one change.
        self._commit(StreamChanged(self.name, settings, self._busy_from(now_ns)))
