"""Making a call again: whether, how often and how late.

A call that was throttled, or that failed for no fault of its own, is made up to three times, after pauses
of random length under a limit that doubles (full jitter).  Every repetition is paid for from a budget that
the whole broker shares and that success fills up again: when much fails, callers learn it at once instead
of adding to the load.  These are the rules, and the figures, of what AWS calls the standard mode of its
SDKs; botocore's own retries are off, so that none is made twice.

A repetition is safe where doing a thing twice is doing it once.  Where it isn't, AWS's SDKs repeat all the
same, and so do we: a `SendMessage` to a standard queue, a `PutRecord` whose answer was lost may be there
twice, which readers of both have to expect anyway; a FIFO queue tells them apart by their deduplication
id.  What is not made again after a lost answer is what would then be refused because it has been done
(`ONCE`): the caller gets `NoAnswer`, and looks.

AWS: SDKs and tools reference guide, "Retry behavior"; "Exponential backoff and jitter" (AWS architecture
blog).
"""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from queuestream.aws.remote.calls import Call, NextEvent, Pause
from queuestream.aws.remote.failures import Failure, Kind, failure_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from queuestream.aws.remote.calls import Step, Steps

R = TypeVar("R")

BUDGET = 500
_COSTS = {Kind.THROTTLED: 5, Kind.UNAVAILABLE: 14, Kind.LOST: 14}
_EARNED = 1  # by a call that succeeds at once

_FIRST_PAUSE_SECONDS = {Kind.THROTTLED: 1.0, Kind.UNAVAILABLE: 0.05, Kind.LOST: 0.05}
_PAUSE_SECONDS_MAX = 20.0
_RETRY_AFTER_SECONDS_MORE = 5.0

ONCE = {
    "AddPermission",
    "CancelMessageMoveTask",
    "CreateStream",
    "DeleteQueue",
    "DeleteStream",
    "DeregisterStreamConsumer",
    "MergeShards",
    "PurgeQueue",
    "RegisterStreamConsumer",
    "RemovePermission",
    "SplitShard",
    "StartMessageMoveTask",
    "SubscribeToShard",
    "UpdateShardCount",
}
"""What is refused the second time because the first time has done it."""


class Retries:
    """How calls are made again; one for a broker, safe to share between threads.

    Args:
        attempts_max: How often a call is made at most; 1 to have none made again.
        seed: Makes the pauses repeatable; the operating system's entropy where none is given.
        chance: What the pauses are made with instead, a function that gives a number from 0 to 1.
        budget: What repetitions may cost together before success pays for more: a throttled one costs 5,
            any other 14.
    """

    def __init__(
        self,
        attempts_max: int = 3,
        *,
        seed: int | str | None = None,
        chance: Callable[[], float] | None = None,
        budget: int = BUDGET,
    ) -> None:
        self.attempts_max = attempts_max
        self._chance = random.Random(seed).random if chance is None else chance
        self._budget = budget
        self._left = budget
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Retries: {self.attempts_max} attempts, {self._left} of {self._budget} left>"

    def carefully(self, steps: Steps[R]) -> Steps[R]:
        """The same operation, with every call made again where that may help.

        The operation sees answers and the core's errors; this is what turns botocore's into them.
        """
        try:
            step = next(steps)
            while True:
                try:
                    answer = yield from self._attempts(step)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is the operation's
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as done:
            result: R = done.value
            return result
        finally:
            steps.close()

    def _attempts(self, step: Step) -> Generator[Step, Any, Any]:
        """The answer to one step, after as many attempts as it takes and is worth."""
        if isinstance(step, Pause):
            return (yield step)
        if isinstance(step, NextEvent):
            return (yield from self._event(step))
        paid = 0
        attempt = 1
        while True:
            try:
                answer = yield step
            except Exception as raised:
                failure = failure_of(raised, step)
                if failure is None:
                    raise
                if not self._is_worth_another(failure, step, attempt):
                    raise failure.error from raised
                pause = Pause(self._pause_seconds(failure, attempt))
                cost = _COSTS[failure.kind]
                if not self._pay(cost):
                    if step.operation == "ReceiveMessage":
                        # Who polls asks again at once; without a budget the pause is what slows him down.
                        yield pause
                    raise failure.error from raised
            else:
                self._earn(paid or _EARNED)
                return answer
            paid = cost
            attempt += 1
            yield pause

    def _event(self, step: NextEvent) -> Generator[Step, Any, Any]:
        """The next event; a stream that breaks off is not gone on with, which only its reader could do."""
        try:
            return (yield step)
        except Exception as raised:
            failure = failure_of(raised, step.call)
            if failure is None:
                raise
            raise failure.error from raised

    def _is_worth_another(self, failure: Failure, call: Call, attempt: int) -> bool:
        if failure.kind is Kind.REFUSED or attempt >= self.attempts_max:
            return False
        return not (failure.kind is Kind.LOST and call.operation in ONCE)

    def _pause_seconds(self, failure: Failure, attempt: int) -> float:
        """How long to wait before the next attempt: anything up to a limit that doubles each time."""
        limit = min(_FIRST_PAUSE_SECONDS[failure.kind] * 2.0 ** (attempt - 1), _PAUSE_SECONDS_MAX)
        seconds = self._chance() * limit
        asked = failure.retry_after_seconds
        return seconds if asked is None else max(seconds, min(asked, seconds + _RETRY_AFTER_SECONDS_MORE))

    def _pay(self, cost: int) -> bool:
        with self._lock:
            if cost > self._left:
                return False
            self._left -= cost
            return True

    def _earn(self, amount: int) -> None:
        if self._left < self._budget:
            with self._lock:
                self._left = min(self._budget, self._left + amount)
