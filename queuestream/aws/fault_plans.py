"""What goes wrong, and when: seeded, scripted or by rate, for every operation or some, every resource or one.

    faults = FaultPlan(seed=7)
    faults.throttle("PutRecord", times=2)                   # the next two are refused
    faults.fail("Send*", rate=0.05)                         # one in twenty is an internal error
    faults.lose_answer("SendMessage", resource="orders", after=3, times=1)
    faults.slow_down("ReceiveMessage", seconds=2)
    with mock_aws(faults=faults): ...

Rules are asked in the order in which they were added.  Delays add up; the first other rule that
strikes ends the call.  Each rule draws from a source of its own, so that the same seed and the same
calls strike the same way whatever other rules there are.  What struck is kept in `injected`.

Carriers call `perform` in place of an operation.  A lost answer comes out as `AnswerLost`, which
each carrier turns into what its client would see: a closed connection, or no answer in time.
"""

from __future__ import annotations

import random
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Literal

import attrs

from queuestream.aws.calls import Later
from queuestream.core.arns import name_of_queue_url, parse_arn
from queuestream.core.clock import SECOND, Wakeup, duration_ns
from queuestream.core.errors import (
    LimitExceededException,
    ProvisionedThroughputExceededException,
    QueuestreamError,
    RequestThrottled,
    ServiceError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.calls import Caller, Operation, Shape
    from queuestream.core.clock import Clock

# What a shard refuses when it is asked too much; the other operations have a rate of calls (API reference).
_OF_A_SHARD = {"GetRecords", "GetShardIterator", "PutRecord", "PutRecords"}


class AnswerLost(QueuestreamError):
    """The work was done and the answer got lost, because a fault plan says so.

    Attributes:
        closed: Whether the connection was closed; where not, the client waited in vain.
    """

    def __init__(self, *, closed: bool) -> None:
        how = "the connection was closed" if closed else "no answer came in time"
        super().__init__(f"A fault plan took the answer away: {how}.")
        self.closed = closed


class InjectedError(ServiceError):
    """An error that a fault plan asks for.

    Attributes:
        status: The HTTP status that goes with it.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@attrs.frozen(kw_only=True)
class Fault:
    """One rule: what happens to which calls.

    Attributes:
        effect: `throttle` and `fail` refuse a call before any work; `lose_answer` and `time_out` do the work
            and keep the answer; `slow_down` waits first; `reject_entries` fails some entries of a batch.
        operation: AWS's name of the operation, or a pattern: `PutRecord*`.
        resource: The name of the queue or stream, or a pattern.
        rate: How likely it strikes, 0 to 1.
        after: How many matching calls it lets pass first.
        times: How often it strikes at most; without end where None.
        code: AWS's name of the error; what AWS would say where None.
        message: The error's sentence.
        status: The error's HTTP status.
        seconds: For `slow_down`, how long; for `time_out`, how long the client waits before it gives up.
    """

    effect: Literal["throttle", "fail", "lose_answer", "time_out", "slow_down", "reject_entries"]
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
    """

    call: int
    at_ns: int
    operation: str
    resource: str
    fault: Fault


@attrs.define(eq=False)
class _Rule:
    fault: Fault
    chance: random.Random
    matched: int = 0
    struck: int = 0

    def strikes(self, operation: str, resource: str) -> bool:
        fault = self.fault
        if not (fnmatchcase(operation, fault.operation) and fnmatchcase(resource, fault.resource)):
            return False
        if fault.times is not None and self.struck >= fault.times:
            return False
        self.matched += 1
        # Chance is drawn for every match, so that `after` and `rate` do not disturb each other.
        if self.chance.random() >= fault.rate or self.matched <= fault.after:
            return False
        self.struck += 1
        return True


class FaultPlan:
    """What goes wrong, and when.  Safe to share between threads.

    Args:
        *faults: Rules to begin with.
        seed: Makes every choice by rate repeatable; the operating system's entropy where none is given.

    Attributes:
        injected: What struck so far, in the order of the calls.
    """

    def __init__(self, *faults: Fault, seed: int | str | None = None) -> None:
        self.seed = seed
        self.injected: list[Injected] = []
        self._rules: list[_Rule] = []
        self._added = 0
        self._calls = 0
        self._lock = threading.Lock()
        for fault in faults:
            self.add(fault)

    def __repr__(self) -> str:
        return f"<FaultPlan: {len(self._rules)} rules, struck {len(self.injected)} times>"

    # --- rules ---

    def add(self, fault: Fault) -> Fault:
        """Add a rule; it comes after those that are there."""
        with self._lock:
            seed = None if self.seed is None else f"{self.seed} {self._added}"
            self._added += 1
            self._rules.append(_Rule(fault, random.Random(seed)))
        return fault

    def throttle(self, operation: str = "*", **rule: Any) -> Fault:
        """Refuse calls as AWS does when they are too many; SDKs retry these with a back-off."""
        return self.add(Fault(effect="throttle", operation=operation, **rule))

    def fail(self, operation: str = "*", **rule: Any) -> Fault:
        """Refuse calls with an error: an internal one, or the `code` with its `message` and `status`."""
        return self.add(Fault(effect="fail", operation=operation, **rule))

    def lose_answer(self, operation: str = "*", **rule: Any) -> Fault:
        """Do the work and close the connection instead of answering."""
        return self.add(Fault(effect="lose_answer", operation=operation, **rule))

    def time_out(self, operation: str = "*", **rule: Any) -> Fault:
        """Do the work and never answer; the client gives up after `seconds` on the clock."""
        return self.add(Fault(effect="time_out", operation=operation, **rule))

    def slow_down(self, operation: str = "*", *, seconds: float, **rule: Any) -> Fault:
        """Begin the work `seconds` later on the clock."""
        return self.add(Fault(effect="slow_down", operation=operation, seconds=seconds, **rule))

    def reject_entries(self, operation: str = "*", **rule: Any) -> Fault:
        """Fail single entries of a batch, each as likely as `rate` says; the others are done.

        Counts entries, not calls: `times=2` fails two entries.
        """
        return self.add(Fault(effect="reject_entries", operation=operation, **rule))

    def remove(self, fault: Fault) -> None:
        """Take a rule away; nothing where it is gone already."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule.fault is not fault]

    def clear(self) -> None:
        """Take every rule away; what struck stays in `injected`."""
        with self._lock:
            self._rules = []

    @property
    def is_active(self) -> bool:
        """Whether there is any rule that may still strike."""
        return any(rule.fault.times is None or rule.struck < rule.fault.times for rule in self._rules)

    # --- what carriers ask ---

    def perform(self, service: str, name: str, operation: Operation, caller: Caller, request: Shape) -> Any:
        """An operation's answer, or what the plan makes of it.

        Raises:
            InjectedError: The plan refuses the call.
            AnswerLost: The plan keeps the answer.
            ServiceError: The operation's own.
        """
        clock = caller.aws.clock
        resource = resource_of(request)
        struck, rejected = self._decide(name, resource, request, clock.now_ns())
        work: Callable[[], Any] = lambda: operation(caller, request)  # noqa: E731 - replaced below, step by step
        if rejected:
            work = lambda: _perform_partly(service, name, operation, caller, request, rejected)  # noqa: E731
        delay_ns = 0
        for fault in struck:
            if fault.effect == "slow_down":
                delay_ns += duration_ns(fault.seconds, SECOND)
            elif fault.effect in {"lose_answer", "time_out"}:
                work = _without_answer(work, fault, clock)
            else:
                work = _refusing(_error_of(fault, service, name, resource, caller.account_id))
        return Later(_Pause(clock, clock.now_ns() + delay_ns), lambda _: work()) if delay_ns else work()

    def _decide(
        self, name: str, resource: str, request: Shape, now_ns: int
    ) -> tuple[list[Fault], dict[int, Fault]]:
        """The faults that strike a call, and those that strike its entries, by their places."""
        struck: list[Fault] = []
        rejected: dict[int, Fault] = {}
        with self._lock:
            self._calls += 1
            for rule in self._rules:
                fault = rule.fault
                if fault.effect == "reject_entries":
                    for place in range(len(_entries_of(request)[1])):
                        if place not in rejected and rule.strikes(name, resource):
                            rejected[place] = fault
                            self.injected.append(Injected(self._calls, now_ns, name, resource, fault))
                elif rule.strikes(name, resource):
                    struck.append(fault)
                    self.injected.append(Injected(self._calls, now_ns, name, resource, fault))
                    if fault.effect != "slow_down":
                        break
        return struck, rejected


def resource_of(request: Shape) -> str:
    """The name of the queue or stream that a request names; empty where it names none."""
    for member in ("QueueName", "StreamName"):
        if request.get(member):
            return str(request[member])
    for member in ("StreamARN", "ConsumerARN", "ResourceARN", "SourceArn"):
        arn = parse_arn(request.get(member))
        if arn is not None:
            return arn.name
    parts = name_of_queue_url(str(request.get("QueueUrl", "")))
    return "" if parts is None else parts[1]


class _Pause:
    """Waits until an instant, and for nobody."""

    __slots__ = ("_clock", "deadline_ns", "until_ns", "wakeup")

    def __init__(self, clock: Clock, until_ns: int) -> None:
        self._clock = clock
        self.until_ns = until_ns
        self.deadline_ns: int | None = until_ns
        self.wakeup = Wakeup()

    def attempt(self) -> bool | None:
        return True if self._clock.now_ns() >= self.until_ns else None

    def expire(self) -> None:
        self.until_ns = 0

    def close(self) -> None:
        """Nobody minds."""


def _without_answer(work: Callable[[], Any], fault: Fault, clock: Clock) -> Callable[[], Any]:
    """The work, whose answer is lost; after a while where the fault says so."""

    def lose(_: object) -> Any:
        if fault.seconds:
            until_ns = clock.now_ns() + duration_ns(fault.seconds, SECOND)
            return Later(_Pause(clock, until_ns), lambda _: _lost(fault))
        return _lost(fault)

    def lost() -> Any:
        answer = work()
        return answer.then(lose) if isinstance(answer, Later) else lose(answer)

    return lost


def _lost(fault: Fault) -> Any:
    raise AnswerLost(closed=fault.effect == "lose_answer")


def _refusing(error: ServiceError) -> Callable[[], Any]:
    def refuse() -> Any:
        raise error

    return refuse


def _error_of(fault: Fault, service: str, name: str, resource: str, account_id: str) -> InjectedError:
    """What AWS says where it throttles a call or fails itself ("Common Errors" of both API references)."""
    if fault.effect == "fail":
        code, status = "InternalFailure", 500
        message = "The request processing has failed because of an unknown error, exception or failure."
    elif service == "sqs":
        throttled = RequestThrottled(resource, name)
        code, message, status = throttled.code, throttled.message, 403  # as botocore's retries look for it
    else:
        kind = ProvisionedThroughputExceededException if name in _OF_A_SHARD else LimitExceededException
        code, status = kind.code, 400
        message = f"Rate exceeded for stream {resource} under account {account_id}."
    return InjectedError(fault.code or code, fault.message or message, fault.status or status)


def _entries_of(request: Shape) -> tuple[str, list[Any]]:
    """A batch's entries and the member that holds them; none where the request is no batch."""
    for member in ("Entries", "Records"):
        entries = request.get(member)
        if isinstance(entries, list):
            return member, entries
    return "", []


def _perform_partly(
    service: str, name: str, operation: Operation, caller: Caller, request: Shape, rejected: dict[int, Fault]
) -> Shape:
    """A batch without the entries that are rejected, and its answer with them."""
    member, entries = _entries_of(request)
    kept = [entry for place, entry in enumerate(entries) if place not in rejected]
    answer: Shape = operation(caller, {**request, member: kept}) if kept else {}
    errors = {
        place: _error_of(fault, service, name, resource_of(request), caller.account_id)
        for place, fault in rejected.items()
    }
    if service == "sqs":
        failures = [
            {
                "Id": entries[place].get("Id"),
                "SenderFault": False,
                "Code": rejected[place].code or "InternalError",
                "Message": error.message,
            }
            for place, error in errors.items()
        ]
        return {**answer, "Failed": [*answer.get("Failed", []), *failures]}
    code = ProvisionedThroughputExceededException.code
    done = iter(answer.get("Records", []))
    records = [
        {"ErrorCode": rejected[place].code or code, "ErrorMessage": errors[place].message}
        if place in rejected
        else next(done)
        for place in range(len(entries))
    ]
    failed = answer.get("FailedRecordCount", 0) + len(rejected)
    return {"EncryptionType": "NONE", **answer, "FailedRecordCount": failed, "Records": records}
