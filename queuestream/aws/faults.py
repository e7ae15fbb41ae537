"""What can go wrong with a call: rules, what strikes, and what a client sees of it.

A plan (`fault_plans`) decides which rules strike a call; its decision is a `Strike`.  Who carries the call
makes it come true: over the wire `struck`, for our own queues and streams `queuestream.lab.faults`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, Literal

import attrs

from queuestream.core.clock import SECOND, duration_ns
from queuestream.core.errors import (
    LimitExceededException,
    ProvisionedThroughputExceededException,
    QueuestreamError,
    RequestThrottled,
    ServiceError,
)

Effect = Literal["throttle", "fail", "lose_request", "lose_answer", "time_out", "slow_down", "reject_entries"]

# What a shard refuses when it is asked too much; the other operations have a rate of calls (API reference).
_OF_A_SHARD = {"GetRecords", "GetShardIterator", "PutRecord", "PutRecords"}


class AnswerLost(QueuestreamError):
    """No answer came, because a fault plan says so; the work may have been done.

    Attributes:
        closed: Whether the connection was closed; where not, the client waited in vain.
        was_done: Whether the work was done, which no client of a real service could know.
    """

    def __init__(self, *, closed: bool, was_done: bool = True) -> None:
        how = "the connection was closed" if closed else "no answer came in time"
        super().__init__(f"A fault plan took the {'answer' if was_done else 'request'} away: {how}.")
        self.closed = closed
        self.was_done = was_done


class InjectedError(ServiceError):
    """An error that a fault plan asks for.

    Attributes:
        status: The HTTP status that goes with it.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        ServiceError.__init__(self, message)  # not that of the class that `as_raised` mixes in
        self.code = code
        self.status = status
        # What the core's own error of that code knows.
        self._fields: dict[str, object] = {}

    def as_raised(self) -> InjectedError:
        """The same error, as one of the core's class with that code, if there is one.

        For who calls our own queues and streams, and catches their errors by their classes.
        """
        kind: Any = _classes_by_code().get(self.code)
        if kind is None:
            return self
        error = _injected(kind)(self.code, self.message, self.status)
        vars(error).update(self._fields)
        return error


@attrs.frozen(kw_only=True)
class Fault:
    """One rule: what happens to which calls.

    Attributes:
        effect: `throttle` and `fail` refuse a call before any work; `lose_request` does no work and never
            answers; `lose_answer` and `time_out` do the work and keep the answer; `slow_down` waits first;
            `reject_entries` fails some entries of a batch.
        operation: AWS's name of the operation, or a pattern: `PutRecord*`.
        resource: The name of the queue or stream, or a pattern.
        rate: How likely it strikes, 0 to 1.
        after: How many matching calls it lets pass first.
        times: How often it strikes at most; without end where None.
        code: AWS's name of the error; what AWS would say where None.
        message: The error's sentence.
        status: The error's HTTP status.
        seconds: For `slow_down`, how long; for `time_out`, how long the client waits before it gives up, and
            also for `lose_request` and `lose_answer`, which otherwise close the connection at once.
    """

    effect: Effect
    operation: str = "*"
    resource: str = "*"
    rate: float = attrs.field(
        default=1.0, validator=attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(1))
    )
    after: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    times: int | None = None
    code: str | None = None
    message: str | None = None
    status: int | None = None
    seconds: float = attrs.field(default=0, validator=attrs.validators.ge(0))


@attrs.frozen
class Injected:
    """One time that a fault struck.

    Attributes:
        call: Which call of the plan's it was, counted from 1.
        at_ns: When, on the clock of the queues and streams.
        operation: AWS's name.
        resource: The queue's or stream's name; empty where the request names none.
        fault: The rule.
        entry: Which entry of the batch, counted from 1; None where it struck the call.
    """

    call: int
    at_ns: int
    operation: str
    resource: str
    fault: Fault
    entry: int | None = None

    def __str__(self) -> str:
        seconds, fraction_ns = divmod(self.at_ns, SECOND)
        at = datetime.fromtimestamp(seconds, UTC)
        where = f" on {self.resource}" if self.resource else ""
        entry = "" if self.entry is None else f", entry {self.entry}"
        said = "" if self.fault.code is None else f" ({self.fault.code})"
        took = f" {self.fault.seconds:g} s" if self.fault.seconds else ""
        return (
            f"{at:%Y-%m-%dT%H:%M:%S}.{fraction_ns // 1000:06d}Z call {self.call}, {self.operation}"
            f"{where}{entry}: {self.fault.effect}{took}{said}"
        )


@attrs.frozen
class Strike:
    """What a plan has decided about one call.

    Attributes:
        service: `sqs` or `kinesis`.
        operation: AWS's name.
        resource: The queue's or stream's name.
        account_id: Whose it is.
        delay_ns: How much later the work begins.
        fault: What ends the call before or after the work; None where nothing does.
        rejected: The entries of a batch that fail, by their places.
    """

    service: str
    operation: str
    resource: str
    account_id: str
    delay_ns: int = 0
    fault: Fault | None = None
    rejected: dict[int, Fault] = attrs.Factory(dict)

    @property
    def refusal(self) -> InjectedError | None:
        """What is answered instead of any work."""
        fault = self.fault
        refuses = fault is not None and fault.effect in {"throttle", "fail"}
        return self.error_of(fault) if refuses and fault is not None else None

    @property
    def does_work(self) -> bool:
        """Whether the work is done."""
        return self.fault is None or self.fault.effect in {"lose_answer", "time_out"}

    @property
    def wait_ns(self) -> int:
        """How long a client waits for the answer that does not come."""
        return 0 if self.fault is None else duration_ns(self.fault.seconds, SECOND)

    def lost(self) -> AnswerLost:
        """What the client sees in place of an answer."""
        fault = self.fault
        closed = fault is not None and fault.effect != "time_out" and not fault.seconds
        return AnswerLost(closed=closed, was_done=self.does_work)

    def error_of(self, fault: Fault) -> InjectedError:
        """What AWS says where it throttles or fails itself ("Common Errors" of both API references)."""
        fields: dict[str, object] = {}
        if fault.effect == "fail":
            code, status = "InternalFailure", 500
            message = "The request processing has failed because of an unknown error, exception or failure."
        elif self.service == "sqs":
            throttled = RequestThrottled(self.resource, self.operation)
            code, message, status = (
                throttled.code,
                throttled.message,
                403,
            )  # as botocore's retries look for it
            fields = {"queue": throttled.queue, "action": throttled.action}
        else:
            kind: type[ServiceError] = LimitExceededException
            if self.operation in _OF_A_SHARD:
                kind = ProvisionedThroughputExceededException
            code, status = kind.code, 400
            message = f"Rate exceeded for stream {self.resource} under account {self.account_id}."
        error = InjectedError(fault.code or code, fault.message or message, fault.status or status)
        if fault.code is None:
            error._fields = fields
        return error

    def rejection_of(self, place: int) -> tuple[str, str]:
        """The code and the sentence of an entry that fails."""
        fault = self.rejected[place]
        code = "InternalError" if self.service == "sqs" else ProvisionedThroughputExceededException.code
        return fault.code or code, self.error_of(fault).message


@cache
def _classes_by_code() -> dict[str, type[ServiceError]]:
    """The core's errors, by AWS's codes."""
    found: dict[str, type[ServiceError]] = {}
    kinds = [ServiceError]
    while kinds:
        kind = kinds.pop()
        if kind.__module__ == ServiceError.__module__:
            kinds += kind.__subclasses__()
            if "code" in vars(kind):
                found.setdefault(kind.code, kind)
    found.pop(ServiceError.code, None)
    return found


@cache
def _injected(kind: Any) -> type[InjectedError]:
    """One of the core's errors that a fault plan asks for."""
    return type(kind.__name__, (InjectedError, kind), {"__doc__": kind.__doc__})
