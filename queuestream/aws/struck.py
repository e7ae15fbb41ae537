"""An operation over the wire as a fault plan has struck it: later, in part, refused, without an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queuestream.aws.calls import Later
from queuestream.core.arns import name_of_queue_url, parse_arn
from queuestream.core.clock import Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable

    from queuestream.aws.calls import Caller, Operation, Shape
    from queuestream.aws.faults import Strike
    from queuestream.core.clock import Clock


def perform_struck(strike: Strike, operation: Operation, caller: Caller, request: Shape) -> Any:
    """An operation's answer, or what a plan makes of it.

    Raises:
        InjectedError: The plan refuses the call.
        AnswerLost: The plan keeps the answer.
        ServiceError: The operation's own.
    """
    clock = caller.aws.clock

    def work() -> Any:
        refusal = strike.refusal
        if refusal is not None:
            raise refusal
        answer = None
        if strike.does_work:
            answer = (
                _perform_partly(strike, operation, caller, request)
                if strike.rejected
                else operation(caller, request)
            )
        if strike.fault is None:
            return answer
        return answer.then(lose) if isinstance(answer, Later) else lose(answer)

    def lose(_: object) -> Any:
        return _later(clock, strike.wait_ns, give_up) if strike.wait_ns else give_up()

    def give_up() -> Any:
        raise strike.lost()

    return _later(clock, strike.delay_ns, work) if strike.delay_ns else work()


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


def entries_of(request: Shape) -> tuple[str, list[Any]]:
    """A batch's entries and the member that holds them; none where the request is no batch."""
    for member in ("Entries", "Records"):
        entries = request.get(member)
        if isinstance(entries, list):
            return member, entries
    return "", []


def _perform_partly(strike: Strike, operation: Operation, caller: Caller, request: Shape) -> Shape:
    """A batch without the entries that are rejected, and its answer with them."""
    member, entries = entries_of(request)
    kept = [entry for place, entry in enumerate(entries) if place not in strike.rejected]
    answer: Shape = operation(caller, {**request, member: kept}) if kept else {}
    if strike.service == "sqs":
        failures = []
        for place in strike.rejected:
            code, message = strike.rejection_of(place)
            entry_id = entries[place].get("Id")
            failures.append({"Id": entry_id, "SenderFault": False, "Code": code, "Message": message})
        return {**answer, "Failed": [*answer.get("Failed", []), *failures]}
    done = iter(answer.get("Records", []))
    records = []
    for place in range(len(entries)):
        if place in strike.rejected:
            code, message = strike.rejection_of(place)
            records.append({"ErrorCode": code, "ErrorMessage": message})
        else:
            records.append(next(done))
    failed = answer.get("FailedRecordCount", 0) + len(strike.rejected)
    return {"EncryptionType": "NONE", **answer, "FailedRecordCount": failed, "Records": records}


def _later(clock: Clock, wait_ns: int, work: Callable[[], Any]) -> Later:
    return Later(_Pause(clock, clock.now_ns() + wait_ns), lambda _: work())


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
