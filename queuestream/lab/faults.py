"""Fault plans for our own queues, streams and brokers: what boto3's clients meet, without a wire.

    plan = FaultPlan(seed=7)
    plan.lose_answer("SendMessage", rate=0.1)
    orders = faulty(Queue("orders"), plan)

What `faulty` gives has the methods of what it was given, for threads or for asyncio.  A call is struck as
it would be on its way to AWS: refused calls raise the core's own errors, which are `InjectedError`s, too; an
answer that is lost raises `AnswerLost`; waits are on the clock of the queue.  Only calls of operations
that AWS has are struck; a queue's properties, and `peek`, say what they say.

The plan is asked once for each call, in the order of the calls; one plan may strike several clients.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from queuestream.core.arns import parse_arn
from queuestream.core.clock import SystemClock, Wakeup
from queuestream.core.queues.batches import BatchFailure, BatchResult
from queuestream.core.streams.record import PutRecordsResult, RejectedRecord
from queuestream.lab.operation_names import GIVING, OF_BROKERS, OF_QUEUES, OF_STREAMS

if TYPE_CHECKING:
    from queuestream.aws.fault_plans import FaultPlan
    from queuestream.aws.faults import Strike
    from queuestream.core.clock import Clock
    from queuestream.core.streams.record import Record

Target = TypeVar("Target")

# The batches, and what a plain entry of theirs is.
_BATCHES = {
    "send_batch": ("message_body",),
    "delete_batch": ("receipt_handle",),
    "change_visibility_batch": ("receipt_handle", "visibility_timeout"),
    "put_records": (),
}
# What a broker does to a queue or stream that it is told, and the parameter that says which.
_TOLD = {
    "create_queue": "queue_name",
    "create_stream": "name",
    "delete_queue": "queue_name",
    "delete_stream": "name",
    "list_message_move_tasks": "source_arn",
    "queue": "queue_name",
    "start_message_move_task": "source_arn",
}


def faulty(target: Target, plan: FaultPlan) -> Target:
    """The same queue, stream or broker, on whose calls a plan works; for threads or for asyncio.

    Args:
        target: A `Queue`, an `AsyncQueue`, a `Stream`, an `AsyncStream`, a `Broker`, an `AsyncBroker`, one
            over AWS, or what has their methods.  What a broker gives is struck, too.
        plan: What goes wrong, and when.

    Raises:
        TypeError: It is none of these.
    """
    for mark, names in (("create_queue", OF_BROKERS), ("receive", OF_QUEUES), ("put_record", OF_STREAMS)):
        if hasattr(target, mark):
            return cast("Target", _Faulty(target, plan, names))
    raise TypeError(f"A fault plan works on queues, streams, brokers and clients, not on {target!r}.")


class _Faulty:
    """A queue, a stream or a broker on whose calls a plan works."""

    def __init__(self, wrapped: Any, plan: FaultPlan, names: Mapping[str, str]) -> None:
        self._wrapped = wrapped
        self._plan = plan
        self._names = names
        broker = wrapped if names is OF_BROKERS else getattr(wrapped, "broker", None)
        # Over AWS there is no clock but the machine's.
        self._clock: Clock = getattr(broker, "clock", None) or SystemClock()
        self._account_id = str(getattr(broker, "account_id", ""))

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._wrapped, name)
        operation = self._names.get(name)
        if operation is None and not (self._names is OF_BROKERS and name in GIVING):
            return call
        struck = self._struck(name, call, operation)
        setattr(self, name, struck)
        return struck

    def __repr__(self) -> str:
        return f"<Faulty {self._wrapped!r}>"

    def _struck(self, name: str, call: Callable[..., Any], operation: str | None) -> Callable[..., Any]:
        """An operation that the plan is asked about first; one without a name is not, but gives the same."""
        gives = self._names is OF_BROKERS and name in GIVING

        @wraps(call)
        def struck(*arguments: Any, **named: Any) -> Any:
            work = partial(call, *arguments, **named)
            answer = work() if operation is None else self._perform(name, operation, work)
            return self._given(answer) if gives else answer

        @wraps(call)
        async def struck_async(*arguments: Any, **named: Any) -> Any:
            work = partial(call, *arguments, **named)
            answer = await (work() if operation is None else self._perform_async(name, operation, work))
            return self._given(answer) if gives else answer

        return struck_async if inspect.iscoroutinefunction(call) else struck

    def _perform(self, name: str, operation: str, work: partial[Any]) -> Any:
        strike, request = self._decide(name, operation, work)
        if strike.delay_ns:
            self._wait(strike.delay_ns)
        refusal = strike.refusal
        if refusal is not None:
            raise refusal.as_raised()
        answer = None
        if strike.does_work and request.is_asked:
            answer = request.work()
        if strike.fault is not None:
            self._wait(strike.wait_ns)
            raise strike.lost()
        return request.completed(answer)

    async def _perform_async(self, name: str, operation: str, work: partial[Any]) -> Any:
        strike, request = self._decide(name, operation, work)
        if strike.delay_ns:
            await self._wait_async(strike.delay_ns)
        refusal = strike.refusal
        if refusal is not None:
            raise refusal.as_raised()
        answer = None
        if strike.does_work and request.is_asked:
            answer = await request.work()
        if strike.fault is not None:
            await self._wait_async(strike.wait_ns)
            raise strike.lost()
        return request.completed(answer)

    def _decide(self, name: str, operation: str, work: partial[Any]) -> tuple[Strike, _Request]:
        resource = self._resource_of(name, work)
        entries: list[Any] | None = None
        if name in _BATCHES:
            work, entries = _listed(work)
        strike = self._plan.decide(
            "kinesis" if self._names is OF_STREAMS or "tream" in operation else "sqs",
            operation,
            resource,
            entries=len(entries or ()),
            account_id=self._account_id,
            now_ns=self._clock.now_ns(),
        )
        return strike, _Request(strike, name, work, entries or [])

    def _resource_of(self, name: str, work: partial[Any]) -> str:
        """The name of the queue or stream, as a request would say it; empty where it would not."""
        if self._names is not OF_BROKERS:
            return str(getattr(self._wrapped, "name", ""))
        parameter = _TOLD.get(name)
        if parameter is None:
            return ""
        told = work.args[0] if work.args else work.keywords.get(parameter, "")
        arn = parse_arn(told)
        return str(told) if arn is None else arn.name

    def _given(self, answer: Any) -> Any:
        """What a broker gives, struck as the broker is."""
        if isinstance(answer, list):  # a page of queues
            answer[:] = [faulty(each, self._plan) for each in answer]
            return answer
        return None if answer is None else faulty(answer, self._plan)

    def _wait(self, wait_ns: int) -> None:
        until_ns, nobody = self._clock.now_ns() + wait_ns, Wakeup()
        while self._clock.now_ns() < until_ns:
            self._clock.wait(nobody, until_ns)

    async def _wait_async(self, wait_ns: int) -> None:
        until_ns, nobody = self._clock.now_ns() + wait_ns, Wakeup()
        while self._clock.now_ns() < until_ns:
            await self._clock.wait_async(nobody, until_ns)


class _Request:
    """One call, without the entries of its batch that are rejected.

    Attributes:
        work: Makes the call.
        is_asked: Whether there is anything left to ask for.
    """

    def __init__(self, strike: Strike, name: str, work: partial[Any], entries: list[Any]) -> None:
        self._strike = strike
        self._name = name
        self._entries = entries
        self.work = work
        self.is_asked = True
        if strike.rejected:
            kept = [self._entry(place) for place in range(len(entries)) if place not in strike.rejected]
            self.is_asked = bool(kept)
            self.work = partial(work.func, kept, *work.args[1:], **work.keywords)

    def completed(self, answer: Any) -> Any:
        """The answer with the entries that were rejected, in their places."""
        rejected = self._strike.rejected
        if not rejected:
            return answer
        if self._name == "put_records":
            return self._completed_records(answer)
        result: BatchResult[Any] = BatchResult({}, {}) if answer is None else answer
        failed = dict(result.failed)
        for place in rejected:
            code, message = self._strike.rejection_of(place)
            failed[self._id(place)] = BatchFailure(code, message, sender_fault=False)
        in_order = [self._id(place) for place in range(len(self._entries))]
        return BatchResult(result.successful, {name: failed[name] for name in in_order if name in failed})

    def _completed_records(self, answer: PutRecordsResult | None) -> PutRecordsResult:
        rejected = self._strike.rejected
        put = iter([] if answer is None else answer.records)
        records: list[Record | RejectedRecord] = []
        for place in range(len(self._entries)):
            if place in rejected:
                code, message = self._strike.rejection_of(place)
                records.append(RejectedRecord(error_code=code, error_message=message))
            else:
                records.append(next(put))
        failed = len(rejected) + (0 if answer is None else answer.failed_record_count)
        return PutRecordsResult(failed, records, "NONE" if answer is None else answer.encryption_type)

    def _id(self, place: int) -> str:
        entry = self._entries[place]
        said = entry.get("id") if isinstance(entry, Mapping) else getattr(entry, "id", None)
        return str(place) if said is None else str(said)

    def _entry(self, place: int) -> Any:
        """An entry that keeps its id, also where others before it are left out."""
        entry = self._entries[place]
        fields = _BATCHES[self._name]
        if not fields or isinstance(entry, Mapping) or hasattr(entry, "id"):
            return entry
        values = entry if isinstance(entry, tuple) else (entry,)
        return {"id": str(place), **dict(zip(fields, values, strict=False))}


def _listed(work: partial[Any]) -> tuple[partial[Any], list[Any] | None]:
    """A call of a batch, whose entries can be gone through more than once; None where it has none."""
    arguments, named = list(work.args), dict(work.keywords)
    entries = arguments.pop(0) if arguments else named.pop("entries", named.pop("records", None))
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        return work, None
    listed = list(entries)
    return partial(work.func, listed, *arguments, **named), listed
